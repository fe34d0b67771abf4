//! `networks` of the Organization: lists of networks by name, and the controls' references to them.
//!
//! A leaf whose schema says `format: network-list` holds the name of a list. A name that no list has is an error
//! where it was written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::control::{Network, Networks};
use crate::desired::baselines::Shelf;
use crate::desired::control::Controls;
use crate::desired::model::{Account, Declared, Organization};
use crate::desired::node::{Data, Entry, Node};
use crate::desired::read::{self, Problems};
use crate::desired::shape::{fields, members};
use crate::diagnostic::Diagnostic;

/// What a leaf's schema says where it names a list.
const FORMAT: &str = "network-list";

/// Addresses in one IP set (AWS WAF quotas); a list becomes one for each version of IP.
const MOST: usize = 10_000;

/// The lists that are right.
pub fn read(node: &Node, problems: &mut Problems) -> Networks {
    if !matches!(node.data, Data::Map(_)) {
        problems.push(read::wrong_type(node, "a map"));
    }
    let mut networks = Networks::new();
    for entry in node.entries() {
        check_name(entry, problems);
        // Also a list with mistakes is one that may be referred to.
        networks.insert(entry.key.clone(), list(entry, problems));
    }
    networks
}

/// Names become parts of names of AWS resources.
fn check_name(entry: &Entry, problems: &mut Problems) {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !(1..=100).contains(&entry.key.chars().count()) || !entry.key.chars().all(fits) {
        problems.push(
            Diagnostic::error(format!("`{}` cannot be the name of a list of networks", entry.key))
                .at(entry.span)
                .help("1 to 100 letters, digits, `_` and `-`"),
        );
    }
}

fn list(entry: &Entry, problems: &mut Problems) -> BTreeSet<Network> {
    let mut seen: Vec<(Network, crate::diagnostic::Span)> = Vec::new();
    if matches!(&entry.value.data, Data::List(items) if items.is_empty()) {
        problems.push(
            Diagnostic::error(format!("the list of networks `{}` is empty", entry.key))
                .at(entry.value.span)
                .help("a rule that refers to it would match nothing: take both out"),
        );
    }
    let read = read::list(&entry.value, problems, |node, problems| {
        let text = read::text(node, problems)?;
        match text.value.parse::<Network>() {
            Ok(network) => Some((network, text.span)),
            Err(why) => {
                problems.push(
                    Diagnostic::error(format!("`{}` is not a network", text.value))
                        .at(text.span)
                        .help(why.to_string()),
                );
                None
            }
        }
    });
    for (network, span) in read.unwrap_or_default() {
        match seen.iter().find(|(other, _)| *other == network) {
            Some((_, first)) => problems.push(
                Diagnostic::error(format!("`{network}` is in `{}` twice", entry.key))
                    .label(span, "here again")
                    .also(*first, "first here"),
            ),
            None => seen.push((network, span)),
        }
    }
    for v4 in [true, false] {
        let count = seen.iter().filter(|(network, _)| network.is_v4() == v4).count();
        if count > MOST {
            let version = if v4 { "IPv4" } else { "IPv6" };
            problems.push(
                Diagnostic::error(format!("`{}` has {count} networks of {version}", entry.key))
                    .at(entry.span)
                    .help(format!("an IP set of AWS WAF has {MOST} at most: make it two lists")),
            );
        }
    }
    seen.into_iter().map(|(network, _)| network).collect()
}

/// Refuses names of lists that the Organization does not have, wherever a document writes one.
pub fn check_references(
    organization: &Organization,
    accounts: &[Account],
    shelf: &Shelf,
    controls: Controls,
    problems: &mut Problems,
) {
    let of_baselines = shelf.baselines().iter().flat_map(|baseline| &baseline.controls);
    let of_accounts = accounts.iter().flat_map(|account| &account.controls);
    let all = organization.controls.iter().chain(of_baselines).chain(of_accounts);
    // Schemas are made once, and most controls refer to no list.
    let schemas = controls.iter().map(|control| (control.meta().id, control.schema()));
    let referring: BTreeMap<&str, schemars::Schema> =
        schemas.filter(|(_, schema)| schema.as_value().to_string().contains(FORMAT)).collect();
    for Declared { id, node, .. } in all {
        let Some(root) = referring.get(id.as_str()).map(schemars::Schema::as_value) else { continue };
        check_at(node, root, &[root], &organization.networks, problems);
    }
}

fn check_at(node: &Node, root: &Value, schemas: &[&Value], known: &Networks, problems: &mut Problems) {
    match &node.data {
        Data::Text(name)
            if schemas.iter().any(|schema| schema["format"] == FORMAT) && !known.contains_key(name) =>
        {
            problems.push(
                Diagnostic::error(format!("there is no list of networks `{name}`"))
                    .at(node.span)
                    .suggest(name, known.keys().map(String::as_str))
                    .help(format!("`spec.networks` of the Organization has {}", names(known))),
            );
        }
        Data::List(items) => {
            let inner = members(root, schemas);
            for item in items {
                check_at(item, root, &inner, known, problems);
            }
        }
        Data::Map(entries) => {
            for entry in entries {
                check_at(&entry.value, root, &fields(root, schemas, &entry.key), known, problems);
            }
        }
        _ => {}
    }
}

fn names(known: &Networks) -> String {
    if known.is_empty() { "none".into() } else { read::names(&known.keys().collect::<Vec<_>>()) }
}
