//! Exceptions and attestations: what people sign for, until a day.

use jiff::civil::Date;
use wildmatch::WildMatch;

use crate::control::ErasedControl;
use crate::desired::control::{self, Controls};
use crate::desired::document::{plain, region};
use crate::desired::model::{Attestation, Exception, Metadata, Suspend};
use crate::desired::node::Node;
use crate::desired::read::{self, Fields, Problems, Spanned};
use crate::diagnostic::Diagnostic;
use crate::place::{AccountId, Region};

impl Exception {
    /// Does it sign for this finding on this day? An account is meant by name or by id.
    #[expect(clippy::too_many_arguments, reason = "a finding is known by all of these")]
    pub fn matches(
        &self,
        account: &AccountId,
        name: &str,
        region: &Region,
        control: &str,
        rule: &str,
        resource: &str,
        on: Date,
    ) -> bool {
        self.holds_in(account, name, region, on)
            && self.control == control
            && self.rule.as_ref().is_none_or(|own| own == rule)
            && (self.resources.is_empty() || any(&self.resources, resource))
    }

    /// Is it for this account, by name or by id?
    pub fn means(&self, account: &AccountId, name: &str) -> bool {
        means(&self.accounts, account, name)
    }

    /// Does it hold in this scope on this day, whatever it is about?
    pub fn holds_in(&self, account: &AccountId, name: &str, region: &Region, on: Date) -> bool {
        on <= self.expires.value
            && means(&self.accounts, account, name)
            && (self.regions.is_empty() || self.regions.contains(region))
    }
}

impl Attestation {
    /// Is it for this account, by name or by id?
    pub fn means(&self, account: &AccountId, name: &str) -> bool {
        means(&self.accounts, account, name)
    }

    /// Does it vouch for this rule in this account on this day?
    pub fn matches(&self, account: &AccountId, name: &str, control: &str, rule: &str, on: Date) -> bool {
        on <= self.expires.value
            && self.control == control
            && self.rule == rule
            && means(&self.accounts, account, name)
    }
}

fn means(globs: &[String], account: &AccountId, name: &str) -> bool {
    any(globs, name) || any(globs, account.as_str())
}

fn any(globs: &[String], text: &str) -> bool {
    globs.iter().any(|glob| WildMatch::new(glob).matches(text))
}

/// Reads `suspend` of an Organization or an Account.
pub fn suspend(node: &Node, problems: &mut Problems) -> Option<Suspend> {
    let mut fields = Fields::of(node, problems)?;
    let until = fields.get("until").map(|node| date(node, problems));
    let reason = fields.require("reason", problems).and_then(|node| read::text(node, problems));
    fields.done(problems);
    // A day that cannot be read is an error, and not for ever.
    Some(Suspend { until: until.map_or(Some(None), |until| until.map(Some))?, reason: reason?.value })
}

/// Reads the spec of an Exception.
pub fn exception(
    metadata: Metadata,
    spec: &mut Fields<'_>,
    known: Controls,
    problems: &mut Problems,
) -> Option<Exception> {
    let control = spec.require("control", problems).and_then(|node| control_id(node, known, problems));
    let rule = spec.get("rule").and_then(|node| rule(node, control, problems));
    let accounts = plain(spec.require("accounts", problems), problems);
    let regions: Vec<Region> = spec
        .get("regions")
        .and_then(|node| read::list(node, problems, region))
        .unwrap_or_default()
        .into_iter()
        .map(|region| region.value)
        .collect();
    let resources = plain(spec.get("resources"), problems);
    let reason = spec.require("reason", problems).and_then(|node| read::text(node, problems));
    let owner = spec.require("owner", problems).and_then(|node| read::text(node, problems));
    let approver = spec.require("approver", problems).and_then(|node| read::text(node, problems));
    let ticket = spec.get("ticket").and_then(|node| read::text(node, problems));
    let expires = spec.require("expires", problems).and_then(|node| date(node, problems));
    Some(Exception {
        metadata,
        control: control?.meta().id.to_owned(),
        rule,
        accounts,
        regions,
        resources,
        reason: reason?.value,
        owner: owner?.value,
        approver: approver?.value,
        ticket: ticket.map(|ticket| ticket.value),
        expires: expires?,
    })
}

/// Reads the spec of an Attestation.
pub fn attestation(
    metadata: Metadata,
    spec: &mut Fields<'_>,
    known: Controls,
    problems: &mut Problems,
) -> Option<Attestation> {
    let control = spec.require("control", problems).and_then(|node| control_id(node, known, problems));
    let rule = spec.require("rule", problems).and_then(|node| rule(node, control, problems));
    let accounts = plain(spec.require("accounts", problems), problems);
    let by = spec.require("by", problems).and_then(|node| read::text(node, problems));
    let evidence = spec.get("evidence").and_then(|node| read::text(node, problems));
    let expires = spec.require("expires", problems).and_then(|node| date(node, problems));
    Some(Attestation {
        metadata,
        control: control?.meta().id.to_owned(),
        rule: rule?,
        accounts,
        by: by?.value,
        evidence: evidence.map(|evidence| evidence.value),
        expires: expires?,
    })
}

fn control_id(node: &Node, known: Controls, problems: &mut Problems) -> Option<&'static dyn ErasedControl> {
    let id = read::text(node, problems)?;
    let found = control::find(&id.value, known);
    if found.is_none() {
        problems.push(control::unknown(&id.value, id.span, known));
    }
    found
}

fn rule(node: &Node, control: Option<&'static dyn ErasedControl>, problems: &mut Problems) -> Option<String> {
    let rule = read::text(node, problems)?;
    let meta = control?.meta();
    if meta.rule(&rule.value).is_none() {
        let known: Vec<&str> = meta.rules.iter().map(|rule| rule.id).collect();
        problems.push(
            Diagnostic::error(format!("`{}` has no rule `{}`", meta.id, rule.value))
                .at(rule.span)
                .suggest(&rule.value, known.iter().copied())
                .help(format!("it has {}", read::names(&known))),
        );
    }
    Some(rule.value)
}

fn date(node: &Node, problems: &mut Problems) -> Option<Spanned<Date>> {
    let text = read::text(node, problems)?;
    match text.value.parse() {
        Ok(value) => Some(Spanned { value, span: text.span }),
        Err(_) => {
            problems.push(
                Diagnostic::error(format!("`{}` is not a day", text.value))
                    .at(text.span)
                    .help("write it as 2027-03-31"),
            );
            None
        }
    }
}
