//! What can only be said of all documents together.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::control::{Accounts, SUPPRESSIONS};
use crate::desired::Documents;
use crate::desired::baselines::Shelf;
use crate::desired::control::{self, Controls};
use crate::desired::document::Document;
use crate::desired::exception::{FAR_DAYS, days_until};
use crate::desired::model::{
    Account, Attestation, Baseline, Exception, Kind, Metadata, Organization, Suspend,
};
use crate::desired::networks;
use crate::desired::read::{Problems, Spanned};
use crate::diagnostic::{Diagnostic, Sources, Span};

/// Documents by kind, as they come out of the files.
#[derive(Default)]
pub struct Collected {
    organizations: Vec<Organization>,
    baselines: Vec<Baseline>,
    accounts: Vec<Account>,
    exceptions: Vec<Exception>,
    attestations: Vec<Attestation>,
    /// Documents too broken to take: whatever is missing may be one of them.
    pub broken: usize,
}

impl Collected {
    pub fn take(&mut self, document: Document) {
        match document {
            Document::Organization(one) => self.organizations.push(*one),
            Document::Baseline(one) => self.baselines.push(one),
            Document::Account(one) => self.accounts.push(one),
            Document::Exception(one) => self.exceptions.push(*one),
            Document::Attestation(one) => self.attestations.push(one),
        }
    }
}

/// Puts the documents together; `None` without an Organization.
pub fn assemble(
    mut all: Collected,
    controls: Controls,
    today: Date,
    sources: &Arc<Sources>,
    problems: &mut Problems,
) -> Option<Documents> {
    unique(Kind::Organization, all.organizations.iter().map(|one| &one.metadata), problems);
    unique(Kind::Baseline, all.baselines.iter().map(|one| &one.metadata), problems);
    unique(Kind::Account, all.accounts.iter().map(|one| &one.metadata), problems);
    unique(Kind::Exception, all.exceptions.iter().map(|one| &one.metadata), problems);
    unique(Kind::Attestation, all.attestations.iter().map(|one| &one.metadata), problems);
    one_organization(&all.organizations, all.broken, problems);
    one_claim_for_each_account(&all.accounts, problems);
    let shelf = Shelf::new(all.baselines, problems);
    for account in &all.accounts {
        for name in &account.baselines {
            shelf.check(name, problems);
        }
    }
    for one in &mut all.exceptions {
        one.declared = Some(sources.position(one.expires.span));
        tell_ended("exception", &one.metadata, &one.expires, today, problems);
        is_signed_well(one, today, problems);
    }
    for one in &all.attestations {
        tell_ended("attestation", &one.metadata, &one.expires, today, problems);
    }
    let mut organization = all.organizations.into_iter().next()?;
    organization.suspend = suspended(organization.suspend, today, problems);
    for account in &mut all.accounts {
        account.suspend = suspended(account.suspend.take(), today, problems);
    }
    shelf.check_uses(&organization.baselines, problems);
    somebody_suppresses(&all.exceptions, &organization, &all.accounts, &shelf, problems);
    networks::check_references(&organization, &all.accounts, &shelf, controls, problems);
    organization_fits(&organization, &all.accounts, controls, problems);
    Some(Documents {
        organization,
        accounts: all.accounts,
        exceptions: all.exceptions,
        attestations: all.attestations,
        shelf,
        sources: Arc::clone(sources),
        controls,
    })
}

/// No two documents of one kind and name.
fn unique<'m>(kind: Kind, all: impl Iterator<Item = &'m Metadata>, problems: &mut Problems) {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for metadata in all {
        let name = &metadata.name;
        match first.get(name.value.as_str()) {
            Some(span) => problems.push(
                Diagnostic::error(format!("two documents are {} `{}`", kind.word(), name.value))
                    .label(name.span, "here again")
                    .also(*span, "first here")
                    .help("a document is known by kind and name; give one of them another name"),
            ),
            None => drop(first.insert(&name.value, name.span)),
        }
    }
}

fn one_organization(all: &[Organization], broken: usize, problems: &mut Problems) {
    match all {
        [] if broken == 0 && !problems.iter().any(Diagnostic::is_error) => problems.push(
            Diagnostic::error("there is no Organization document")
                .help("`baseline init` writes one; without AWS Organizations it describes the one account"),
        ),
        [] | [_] => {}
        [first, others @ ..] => {
            for other in others.iter().filter(|one| one.metadata.name.value != first.metadata.name.value) {
                problems.push(
                    Diagnostic::error("there are two Organization documents")
                        .label(other.metadata.name.span, "the second")
                        .also(first.metadata.name.span, "the first")
                        .help("keep one; another organisation gets another folder"),
                );
            }
        }
    }
}

fn one_claim_for_each_account(accounts: &[Account], problems: &mut Problems) {
    let mut first: BTreeMap<&str, (Span, &str)> = BTreeMap::new();
    for account in accounts {
        let Some(id) = &account.id else { continue };
        let name = account.metadata.name.value.as_str();
        match first.get(id.value.as_str()) {
            Some((span, other)) => problems.push(
                Diagnostic::error(format!("`{other}` and `{name}` both claim account {}", id.value))
                    .label(id.span, format!("by `{name}`"))
                    .also(*span, format!("by `{other}`"))
                    .help("an account has one document"),
            ),
            None => drop(first.insert(id.value.as_str(), (id.span, name))),
        }
    }
}

/// What has ended is kept, because reports say so; the day on which it expires is its last.
fn tell_ended(
    what: &str,
    metadata: &Metadata,
    expires: &Spanned<Date>,
    today: Date,
    problems: &mut Problems,
) {
    if expires.value < today {
        problems.push(
            Diagnostic::warning(format!("{what} `{}` expired on {}", metadata.name.value, expires.value))
                .at(expires.span)
                .help("renew it with a new approval, or remove it")
                .note("it is not honoured any more"),
        );
    }
}

/// What an auditor would ask about an exception that holds.
fn is_signed_well(one: &Exception, today: Date, problems: &mut Problems) {
    let name = one.name();
    if one.owner.trim().eq_ignore_ascii_case(one.approver.trim()) {
        problems.push(
            Diagnostic::warning(format!("whoever owns exception `{name}` approves it too"))
                .at(one.metadata.name.span)
                .help("let somebody else approve it"),
        );
    }
    if days_until(one.expires.value, today) > FAR_DAYS {
        problems.push(
            Diagnostic::warning(format!("exception `{name}` holds for more than a year"))
                .at(one.expires.span)
                .help("say an earlier day, and look at it again then")
                .note("what is meant to stay is a setting: say it in the baseline or in the account"),
        );
    }
}

/// Findings are suppressed by a control, which somebody has to declare.
fn somebody_suppresses(
    exceptions: &[Exception],
    organization: &Organization,
    accounts: &[Account],
    shelf: &Shelf,
    problems: &mut Problems,
) {
    let baselines = shelf.baselines().iter().flat_map(|baseline| &baseline.controls);
    let own = accounts.iter().flat_map(|account| &account.controls);
    if baselines.chain(own).chain(&organization.controls).any(|control| control.id == SUPPRESSIONS) {
        return;
    }
    for one in exceptions.iter().filter(|one| !one.suppresses.is_empty()) {
        problems.push(
            Diagnostic::warning(format!("nobody suppresses the findings of exception `{}`", one.name()))
                .at(one.metadata.name.span)
                .help(format!("declare `{SUPPRESSIONS}` in a baseline: `excepted: SUPPRESSED`")),
        );
    }
}

/// A suspension that has ended is told, and does not suspend.
fn suspended(suspend: Option<Suspend>, today: Date, problems: &mut Problems) -> Option<Suspend> {
    let suspend = suspend?;
    match &suspend.until {
        Some(until) if until.value < today => {
            problems.push(
                Diagnostic::warning(format!("the suspension ended on {}", until.value))
                    .at(until.span)
                    .help("take `suspend` out, or say a later day")
                    .note("changes are made again"),
            );
            None
        }
        _ => Some(suspend),
    }
}

/// What the Organization refers to is there.
fn organization_fits(
    organization: &Organization,
    accounts: &[Account],
    controls: Controls,
    problems: &mut Problems,
) {
    let name = organization.metadata.name.span;
    let homeless = accounts.is_empty() || accounts.iter().any(|account| account.regions.home.is_none());
    if organization.regions.home.is_none() && homeless {
        problems.push(Diagnostic::error("no home region is said").at(name).help(
            "`spec.regions.home: eu-west-1`: where settings that an account has once are looked after",
        ));
    }
    if let Some(archive) = &organization.archive
        && !organization.seats.contains_key(&archive.seat)
    {
        problems.push(
            Diagnostic::error(format!("the archive is with the seat {}, which nobody has", archive.seat))
                .at(name)
                .help(format!("`spec.seats.{}: \"…\"` names its account", archive.seat)),
        );
    }
    for declared in &organization.controls {
        let reach = control::find(&declared.id, controls).map(|control| control.meta().reach.accounts);
        if let Some(Accounts::Seat(seat)) = reach
            && !organization.seats.contains_key(&seat)
        {
            problems.push(
                Diagnostic::error(format!(
                    "`{}` runs in the account of the seat {seat}, which nobody has",
                    declared.id
                ))
                .at(declared.span)
                .help(format!("`spec.seats.{seat}: \"…\"` names its account")),
            );
        }
    }
    if !organization.accounts.discover {
        for account in accounts.iter().filter(|account| !account.has_id) {
            problems.push(
                Diagnostic::error(format!("account `{}` has no id", account.metadata.name.value))
                    .at(account.metadata.name.span)
                    .help("`spec.id: \"111122223333\"`; only with `accounts.discover: true` is it found by name"),
            );
        }
    }
}
