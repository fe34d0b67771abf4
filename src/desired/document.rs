//! From a tree to one of the five kinds of document. Needs no other document and no network.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::desired::control::Controls;
use crate::desired::model::{
    Account, AccountsSpec, ArchiveSpec, Attestation, Baseline, Exception, Kind, Limit, Managed, Metadata,
    Organization, RegionsSpec, Roles, Selector, Use,
};
use crate::desired::node::{Data, Entry, Node};
use crate::desired::read::{self, Fields, Problems, Spanned};
use crate::desired::{control, guards, networks, notifications, regions, rollout, signoff, template};
use crate::diagnostic::Diagnostic;
use crate::place::{AccountId, Region, Seat};

/// A document of any kind.
pub enum Document {
    Organization(Box<Organization>),
    Baseline(Baseline),
    Account(Account),
    Exception(Box<Exception>),
    Attestation(Attestation),
}

/// Reads one document. `None` where it is too broken to go on with; everything wrong is in `problems`.
pub fn read(node: &Node, known: Controls, problems: &mut Problems) -> Option<Document> {
    if !matches!(node.data, Data::Map(_)) {
        problems.push(
            Diagnostic::error(format!("a document is a map, this is {}", node.kind()))
                .at(node.span)
                .help("it starts with `apiVersion: baseline/v1` and `kind: …`"),
        );
        return None;
    }
    let mut fields = Fields::of(node, problems)?;
    let version = fields.require("apiVersion", problems);
    if let Some(version) = version {
        read::word(version, &[("baseline/v1", ())], "a version that this build reads", problems);
    }
    let kind = fields.require("kind", problems);
    let kind = kind.and_then(|kind| {
        read::word(kind, &Kind::ALL.map(|kind| (kind.word(), kind)), "a kind of document", problems)
    });
    let metadata = fields.require("metadata", problems).and_then(|node| metadata(node, problems));
    let spec = fields.require("spec", problems);
    fields.done(problems);
    let (kind, metadata, mut spec) = (kind?.value, metadata?, Fields::of(spec?, problems)?);
    let document = match kind {
        Kind::Organization => {
            Document::Organization(Box::new(organization(metadata, &mut spec, known, problems)))
        }
        Kind::Baseline => Document::Baseline(Baseline {
            metadata,
            extends: names(spec.get("extends"), problems),
            controls: control::read_all(spec.get("controls"), known, control::Home::Account, problems),
        }),
        Kind::Account => Document::Account(Account {
            metadata,
            has_id: spec.get("id").is_some(),
            id: spec.get("id").and_then(|node| read::account_id(node, problems)),
            regions: regions_spec(spec.get("regions"), problems),
            baselines: names(spec.get("baselines"), problems),
            suspend: spec.get("suspend").and_then(|node| signoff::suspend(node, problems)),
            controls: control::read_all(spec.get("controls"), known, control::Home::Account, problems),
        }),
        Kind::Exception => {
            Document::Exception(Box::new(signoff::exception(metadata, &mut spec, known, problems)?))
        }
        Kind::Attestation => {
            Document::Attestation(signoff::attestation(metadata, &mut spec, known, problems)?)
        }
    };
    spec.done(problems);
    Some(document)
}

fn metadata(node: &Node, problems: &mut Problems) -> Option<Metadata> {
    let mut fields = Fields::of(node, problems)?;
    let name = fields.require("name", problems).and_then(|node| read::text(node, problems));
    let labels = fields.get("labels").and_then(|node| read::texts(node, problems)).unwrap_or_default();
    fields.done(problems);
    Some(Metadata { name: name?, labels })
}

fn organization(
    metadata: Metadata,
    spec: &mut Fields<'_>,
    known: Controls,
    problems: &mut Problems,
) -> Organization {
    let id = spec.get("id").and_then(|node| read::text(node, problems));
    if let Some(id) = id.as_ref().filter(|id| !is_organization_id(&id.value)) {
        problems.push(
            Diagnostic::error(format!("`{}` is not the id of an organisation", id.value)).at(id.span).help(
                "`o-` and 10 to 32 letters and digits: `aws organizations describe-organization` says it",
            ),
        );
    }
    Organization {
        metadata,
        id,
        seats: spec.get("seats").map(|node| seats(node, problems)).unwrap_or_default(),
        roles: spec.get("roles").and_then(|node| roles(node, problems)),
        regions: regions_spec(spec.get("regions"), problems),
        accounts: spec.get("accounts").and_then(|node| accounts(node, problems)).unwrap_or_default(),
        archive: spec.get("archive").and_then(|node| archive(node, problems)),
        suspend: spec.get("suspend").and_then(|node| signoff::suspend(node, problems)),
        audit: spec.get("audit").and_then(|node| read::text(node, problems)).map(|audit| audit.value),
        tags: spec.get("tags").and_then(|node| read::texts(node, problems)).unwrap_or_default(),
        networks: spec
            .get("networks")
            .map(|node| Arc::new(networks::read(node, problems)))
            .unwrap_or_default(),
        baselines: spec
            .get("baselines")
            .and_then(|node| read::list(node, problems, baseline_use))
            .unwrap_or_default(),
        guards: spec.get("guards").and_then(|node| guards::read(node, problems)).unwrap_or_default(),
        rollout: spec.get("rollout").and_then(|node| rollout::read(node, problems)),
        notifications: spec
            .get("notifications")
            .map(|node| notifications::read(node, problems))
            .unwrap_or_default(),
        limits: spec.get("limits").map(|node| limits(node, problems)).unwrap_or_default(),
        controls: control::read_all(spec.get("controls"), known, control::Home::Organization, problems),
    }
}

/// AWS Organizations API reference, `Organization.Id`: `^o-[a-z0-9]{10,32}$`.
fn is_organization_id(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|rest| {
        (10..=32).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

fn seats(node: &Node, problems: &mut Problems) -> BTreeMap<Seat, Spanned<AccountId>> {
    let mut seats = BTreeMap::new();
    let Some(mut fields) = Fields::of(node, problems) else { return seats };
    for (seat, key) in
        [(Seat::Management, "management"), (Seat::LogArchive, "logArchive"), (Seat::Security, "security")]
    {
        if let Some(id) = fields.get(key).and_then(|node| read::account_id(node, problems)) {
            seats.insert(seat, id);
        }
    }
    fields.done(problems);
    seats
}

fn seat(node: &Node, problems: &mut Problems) -> Option<Seat> {
    let words =
        [("management", Seat::Management), ("logArchive", Seat::LogArchive), ("security", Seat::Security)];
    Some(read::word(node, &words, "a seat", problems)?.value)
}

fn roles(node: &Node, problems: &mut Problems) -> Option<Roles> {
    let mut fields = Fields::of(node, problems)?;
    let observe = fields.require("observe", problems).and_then(|node| read::text(node, problems));
    let apply = fields.require("apply", problems).and_then(|node| read::text(node, problems));
    let external_id = fields.get("externalId").and_then(|node| read::text(node, problems));
    fields.done(problems);
    Some(Roles { observe: observe?.value, apply: apply?.value, external_id: external_id.map(|id| id.value) })
}

fn regions_spec(node: Option<&Node>, problems: &mut Problems) -> RegionsSpec {
    let Some(mut fields) = node.and_then(|node| Fields::of(node, problems)) else {
        return RegionsSpec::default();
    };
    let home = fields.get("home").and_then(|node| region(node, problems));
    let managed = fields.get("managed").and_then(|node| managed(node, problems));
    let except = fields.get("except");
    if let Some(except) = except {
        for entry in except.entries() {
            regions::warn_unknown(&entry.key, entry.span, problems);
        }
    }
    let except = except.and_then(|node| read::texts(node, problems)).unwrap_or_default();
    fields.done(problems);
    RegionsSpec { home, managed, except }
}

fn managed(node: &Node, problems: &mut Problems) -> Option<Managed> {
    match &node.data {
        Data::Text(word) if word == "all-enabled" => Some(Managed::AllEnabled),
        Data::List(items) if items.is_empty() => {
            problems.push(
                Diagnostic::error("no region is listed")
                    .at(node.span)
                    .help("`all-enabled`, or a list of regions"),
            );
            None
        }
        Data::List(_) => {
            let listed = read::list(node, problems, region)?;
            Some(Managed::Listed(listed.into_iter().map(|region| region.value).collect()))
        }
        _ => {
            problems.push(
                Diagnostic::error("expected `all-enabled` or a list of regions")
                    .at(node.span)
                    .help("`managed: all-enabled`, or `managed: [eu-west-1, us-east-1]`"),
            );
            None
        }
    }
}

pub fn region(node: &Node, problems: &mut Problems) -> Option<Spanned<Region>> {
    let code = read::text(node, problems)?;
    regions::warn_unknown(&code.value, code.span, problems);
    Some(Spanned { value: Region::new(code.value), span: code.span })
}

fn accounts(node: &Node, problems: &mut Problems) -> Option<AccountsSpec> {
    let mut fields = Fields::of(node, problems)?;
    let discover = fields.get("discover").and_then(|node| read::flag(node, problems)).unwrap_or(false);
    let mut except = BTreeMap::new();
    for entry in fields.get("except").map(Node::entries).unwrap_or_default() {
        let key = Spanned { value: entry.key.clone(), span: entry.span };
        let why = read::text(&entry.value, problems);
        if let (Some(id), Some(why)) = (read::account_id_text(&key, problems), why) {
            except.insert(id.value, why.value);
        }
    }
    fields.done(problems);
    Some(AccountsSpec { discover, except })
}

fn archive(node: &Node, problems: &mut Problems) -> Option<ArchiveSpec> {
    let mut fields = Fields::of(node, problems)?;
    let seat = fields.require("seat", problems).and_then(|node| seat(node, problems));
    let bucket = fields.require("bucket", problems).and_then(|node| read::text(node, problems));
    let key = fields.require("key", problems).and_then(|node| read::text(node, problems));
    fields.done(problems);
    for text in [&bucket, &key].into_iter().flatten() {
        template::check(&text.value, text.span, problems);
    }
    Some(ArchiveSpec { seat: seat?, bucket: bucket?.value, key: key?.value })
}

fn baseline_use(node: &Node, problems: &mut Problems) -> Option<Use> {
    let mut fields = Fields::of(node, problems)?;
    let baseline = fields.require("use", problems).and_then(|node| read::text(node, problems));
    let selector = fields.get("where").and_then(|node| selector(node, problems));
    fields.done(problems);
    Some(Use { baseline: baseline?, selector })
}

pub fn selector(node: &Node, problems: &mut Problems) -> Option<Selector> {
    let mut fields = Fields::of(node, problems)?;
    let mut selector = Selector {
        ou: plain(fields.get("ou"), problems),
        names: plain(fields.get("names"), problems),
        ..Selector::default()
    };
    selector.tags = fields.get("tags").and_then(|node| values(node, problems)).unwrap_or_default();
    selector.seats =
        fields.get("seats").and_then(|node| read::list(node, problems, seat)).unwrap_or_default();
    selector.accounts = fields
        .get("accounts")
        .and_then(|node| read::list(node, problems, read::account_id))
        .unwrap_or_default()
        .into_iter()
        .map(|id| id.value)
        .collect();
    for ou in fields.get("ou").into_iter().flat_map(|node| match &node.data {
        Data::List(items) => items.as_slice(),
        _ => &[],
    }) {
        if matches!(&ou.data, Data::Text(path) if !path.starts_with('/')) {
            problems.push(
                Diagnostic::error("a unit is named by its path")
                    .at(ou.span)
                    .help("it starts below the root: `/Workloads/Prod`"),
            );
        }
    }
    fields.done(problems);
    Some(selector)
}

fn limits(node: &Node, problems: &mut Problems) -> BTreeMap<String, Limit> {
    let mut limits = BTreeMap::new();
    if !matches!(node.data, Data::Map(_)) {
        problems.push(read::wrong_type(node, "a map"));
    }
    for entry in node.entries() {
        let Some(mut fields) = Fields::of(&entry.value, problems) else { continue };
        let per_second = fields.require("perSecond", problems).and_then(|node| read::rate(node, problems));
        let burst = fields.get("burst").and_then(|node| read::number(node, 100_000, problems));
        fields.done(problems);
        if let Some(per_second) = per_second {
            limits.insert(entry.key.clone(), Limit { per_second, burst });
        }
    }
    limits
}

/// A map of names to lists of texts.
pub fn values(node: &Node, problems: &mut Problems) -> Option<BTreeMap<String, Vec<String>>> {
    if !matches!(node.data, Data::Map(_)) {
        problems.push(read::wrong_type(node, "a map"));
        return None;
    }
    let read = |entry: &Entry| (entry.key.clone(), plain(Some(&entry.value), problems));
    Some(node.entries().iter().map(read).collect())
}

/// A list of texts, with their places.
fn names(node: Option<&Node>, problems: &mut Problems) -> Vec<Spanned<String>> {
    node.and_then(|node| read::list(node, problems, read::text)).unwrap_or_default()
}

/// A list of texts.
pub fn plain(node: Option<&Node>, problems: &mut Problems) -> Vec<String> {
    names(node, problems).into_iter().map(|text| text.value).collect()
}
