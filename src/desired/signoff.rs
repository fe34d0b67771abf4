//! Exceptions and attestations: what people sign for, until a day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::control::ErasedControl;
use crate::desired::control::{self, Controls};
use crate::desired::document::{plain, region, selector, values};
use crate::desired::model::{Attestation, Exception, Metadata, Suspend};
use crate::desired::node::{Data, Node};
use crate::desired::read::{self, Fields, Problems, Spanned};
use crate::diagnostic::Diagnostic;
use crate::place::Region;

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
    let selected = spec.get("where");
    // Without `where`, whoever forgets the accounts would except all of them.
    let named = if selected.is_some() { spec.get("accounts") } else { spec.require("accounts", problems) };
    let accounts = plain(not_empty(named, ANY_NAME, problems), problems);
    let selector = selected.map(|node| selector(node, problems));
    let regions: Vec<Region> = not_empty(spec.get("regions"), "without the line, all are meant", problems)
        .and_then(|node| read::list(node, problems, region))
        .unwrap_or_default()
        .into_iter()
        .map(|region| region.value)
        .collect();
    let resources = plain(not_empty(spec.get("resources"), ANY_NAME, problems), problems);
    let resource_tags = spec.get("resourceTags").map(|node| resource_tags(node, control, problems));
    let suppresses =
        spec.get("suppressFindings").map(|node| suppresses(node, control, rule.as_deref(), problems));
    let reason = spec.require("reason", problems).and_then(|node| read::text(node, problems));
    let owner = spec.require("owner", problems).and_then(|node| read::text(node, problems));
    let approver = spec.require("approver", problems).and_then(|node| read::text(node, problems));
    let ticket = spec.get("ticket").and_then(|node| read::text(node, problems));
    let expires = spec.require("expires", problems).and_then(|node| date(node, problems));
    Some(Exception {
        metadata,
        control: control?.meta().id.to_owned(),
        kept_by_aws: control?.meta().keeps_exceptions(),
        rule,
        accounts,
        // What cannot be read must not mean more than it says.
        selector: selector.map_or(Some(None), |read| read.map(Some))?,
        regions,
        resources,
        resource_tags: resource_tags.map_or(Some(BTreeMap::new()), |read| read)?,
        suppresses: suppresses.map_or(Some(BTreeSet::new()), |read| read)?,
        reason: reason?.value,
        owner: owner?.value,
        approver: approver?.value,
        ticket: ticket.map(|ticket| ticket.value),
        expires: expires?,
        declared: None,
    })
}

const ANY_NAME: &str = "`\"*\"` means all";

/// Says so where a list has nothing in it: that would mean everything. Absent: everything is meant.
fn not_empty<'n>(node: Option<&'n Node>, all: &str, problems: &mut Problems) -> Option<&'n Node> {
    let node = node?;
    if matches!(&node.data, Data::List(items) if items.is_empty()) {
        problems.push(
            Diagnostic::error("the list is empty").at(node.span).help(format!("name one at least; {all}")),
        );
    }
    Some(node)
}

/// `resourceTags: {stage: [legacy]}`, for controls that read tags.
fn resource_tags(
    node: &Node,
    control: Option<&'static dyn ErasedControl>,
    problems: &mut Problems,
) -> Option<BTreeMap<String, Vec<String>>> {
    let tags = values(node, problems)?;
    if tags.is_empty() || tags.values().any(Vec::is_empty) {
        problems.push(
            Diagnostic::error("no value of a tag is said")
                .at(node.span)
                .help("`resourceTags: {stage: [legacy]}`"),
        );
        return None;
    }
    let meta = control?.meta();
    if !meta.tags {
        problems.push(
            Diagnostic::error(format!("`{}` does not read the tags of its resources", meta.id))
                .at(node.span)
                .help("name them in `resources`, with `*` and `?`"),
        );
        return None;
    }
    Some(tags)
}

/// `suppressFindings: true` for the controls of Security Hub that the rules name, or a list of their ids.
fn suppresses(
    node: &Node,
    control: Option<&'static dyn ErasedControl>,
    rule: Option<&str>,
    problems: &mut Problems,
) -> Option<BTreeSet<String>> {
    match node.data {
        Data::Bool(false) => Some(BTreeSet::new()),
        Data::Bool(true) => {
            let meta = control?.meta();
            let ids = meta.security_controls(rule);
            if ids.is_empty() {
                let what = match rule {
                    Some(rule) => format!("the rule `{rule}` of `{}`", meta.id),
                    None => format!("`{}`", meta.id),
                };
                problems.push(
                    Diagnostic::error(format!(
                        "no control of Security Hub is known to look at the same as {what}"
                    ))
                    .at(node.span)
                    .help("list their ids: `suppressFindings: [ECR.1]`"),
                );
                return None;
            }
            Some(ids.into_iter().map(str::to_owned).collect())
        }
        Data::List(_) => {
            let ids = read::list(node, problems, read::text)?;
            for id in &ids {
                if !is_security_control(&id.value) {
                    problems.push(
                        Diagnostic::error(format!(
                            "`{}` is not the id of a control of Security Hub",
                            id.value
                        ))
                        .at(id.span)
                        .help("as in `ECR.1`: the service and a number"),
                    );
                }
            }
            let all = ids.iter().all(|id| is_security_control(&id.value));
            all.then(|| ids.into_iter().map(|id| id.value).collect())
        }
        _ => {
            problems.push(
                read::wrong_type(node, "true, false or a list")
                    .help("`suppressFindings: true`, or `suppressFindings: [ECR.1]`"),
            );
            None
        }
    }
}

/// `ECR.1` (User Guide, "Control reference").
fn is_security_control(id: &str) -> bool {
    id.split_once('.').is_some_and(|(service, number)| {
        !service.is_empty()
            && service.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && (1..=4).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
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
