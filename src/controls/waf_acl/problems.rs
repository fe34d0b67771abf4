//! What WAF would refuse, or ignore without a word: told in the plan rather than tried.

use std::collections::BTreeMap;

use super::live::{Group, Seen};
use super::sets::Lists;
use super::spec::AclSpec;
use crate::control::Sight;

/// A web ACL has at most this many capacity units (AWS WAF quotas).
const MOST: u32 = 5_000;

/// Groups that have to be told about the application, its sign-in page for one (API reference,
/// ManagedRuleGroupConfig); once they are there, the rest of them can be declared.
const CONFIGURED: [&str; 3] =
    ["AWSManagedRulesACFPRuleSet", "AWSManagedRulesATPRuleSet", "AWSManagedRulesAntiDDoSRuleSet"];

/// What was found, one line each.
type Line = (String, String);

/// `after` is what is declared, with places for new rules.
pub fn problems(after: &AclSpec, seen: &Seen, lists: &Lists) -> Vec<Line> {
    let mut found = places(after, seen);
    found.extend(kinds(after, seen));
    found.extend(groups(after, seen));
    found.extend(unsaid(after, seen));
    found.extend(bodies(after, seen));
    let unknown = after.lists().into_iter().filter(|list| !lists.contains_key(*list));
    found.extend(unknown.map(|list| (list.to_owned(), "no list of networks is called that".to_owned())));
    found
}

pub fn too_large(capacity: u32) -> Option<Line> {
    (capacity > MOST).then(|| {
        (
            "capacity".into(),
            format!("the rules need {capacity} capacity units, and a web ACL has {MOST} at most"),
        )
    })
}

/// Two rules cannot have one priority, and rules that are not declared keep theirs.
fn places(after: &AclSpec, seen: &Seen) -> Vec<Line> {
    let mut at: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (name, priority) in after.priorities() {
        let live = seen.live.as_ref().and_then(|live| live.rules.get(live.name_of(name)).copied());
        if let Some(priority) = priority.map(|one| one.get()).or(live) {
            at.entry(priority).or_default().push(format!("`{name}`"));
        }
    }
    for (name, priority) in seen.live.iter().flat_map(|live| live.others(after)) {
        at.entry(priority).or_default().push(format!("`{name}` (not declared)"));
    }
    let twice = at.into_iter().filter(|(_, names)| names.len() > 1);
    twice.map(|(priority, names)| (format!("priority {priority}"), names.join(" and "))).collect()
}

/// A rule of a declared name that does something else is somebody's.
fn kinds(after: &AclSpec, seen: &Seen) -> Vec<Line> {
    let Some(live) = &seen.live else { return Vec::new() };
    let networks = after.networks.keys().filter(|name| !live.spec.networks.contains_key(*name));
    let rates = after.rates.keys().filter(|name| !live.spec.rates.contains_key(*name));
    let managed = after.managed.iter().filter_map(|(name, spec)| {
        let vendor = |one: &Option<String>| one.clone().unwrap_or_else(|| "AWS".into());
        let same = |one: &super::spec::ManagedSpec| vendor(&one.vendor) == vendor(&spec.vendor);
        (!live.spec.managed.get(name).is_some_and(same)).then_some(name)
    });
    networks
        .chain(rates)
        .chain(managed)
        .filter(|name| live.rules.contains_key(*name))
        .map(|name| (name.clone(), "a rule of that name is there and does something else".to_owned()))
        .collect()
}

/// Groups, versions and rules of groups that WAF does not have here. WAF "silently ignores any override that uses an
/// invalid rule name" (API reference, ManagedRuleGroupStatement).
fn groups(after: &AclSpec, seen: &Seen) -> Vec<Line> {
    let mut found = Vec::new();
    for (name, spec) in &after.managed {
        match seen.groups.get(name) {
            Some(Sight::Seen(Group::Offered { rules })) => {
                let unknown = spec.overrides.keys().filter(|rule| !rules.contains_key(*rule));
                found.extend(unknown.map(|rule| {
                    let known: Vec<&str> = rules.keys().map(String::as_str).collect();
                    (name.clone(), format!("it has no rule `{rule}`; it has {}", known.join(", ")))
                }));
                if spec.overrides.len() > 100 {
                    found.push((name.clone(), "100 overrides are the most".into()));
                }
            }
            Some(Sight::Seen(Group::NoSuchVersion { available })) => {
                let version = spec.version.as_ref().map_or("", |version| version.as_str());
                let available = if available.is_empty() { "none".into() } else { available.join(", ") };
                let what = "has expired, is about to, or never was; there are:";
                found.push((name.clone(), format!("{version} {what} {available}")));
            }
            Some(Sight::Seen(Group::NotOffered { why })) => {
                found.push((name.clone(), format!("no such group for this account here: {why}")));
            }
            Some(Sight::Unseen(_)) | None => {}
        }
    }
    found
}

/// What a new rule cannot do without.
fn unsaid(after: &AclSpec, seen: &Seen) -> Vec<Line> {
    let there = |name: &str| seen.live.as_ref().is_some_and(|live| live.rules.contains_key(name));
    let none =
        |lists: &Option<std::collections::BTreeSet<String>>| lists.as_ref().is_none_or(|all| all.is_empty());
    let networks = after
        .networks
        .iter()
        .filter(|(name, spec)| none(&spec.lists) && (!there(name) || spec.lists.is_some()));
    let rates = after.rates.iter().filter(|(name, spec)| spec.limit.is_none() && !there(name));
    let networks = networks.map(|(name, _)| (name.clone(), "`lists` names no list of networks".to_owned()));
    let rates = rates.map(|(name, _)| (name.clone(), "`limit` is not said".to_owned()));
    let known = |name: &str| seen.live.as_ref().is_some_and(|live| live.spec.managed.contains_key(name));
    let configured =
        after.managed.keys().filter(|name| CONFIGURED.contains(&name.as_str()) && !known(name)).map(|name| {
            let what =
                "it has to be told about the application, which baseline does not know: add it by hand first";
            (name.clone(), what.to_owned())
        });
    networks.chain(rates).chain(configured).collect()
}

/// A response refers to a body that there is.
fn bodies(after: &AclSpec, seen: &Seen) -> Vec<Line> {
    let known = |key: &String| {
        let live = seen.live.as_ref().is_some_and(|live| live.spec.responses.contains_key(key));
        key == "none" || live || after.responses.get(key).is_some_and(|body| body.content.is_some())
    };
    let networks = after.networks.iter().map(|(name, spec)| (name, &spec.response));
    let rates = after.rates.iter().map(|(name, spec)| (name, &spec.response));
    let missing = networks.chain(rates).filter_map(|(name, response)| {
        let key = response.as_ref()?.body.as_ref().filter(|key| !known(key))?;
        Some((name.clone(), format!("`responses` has no `{key}` with a content")))
    });
    let empty = after.responses.iter().filter(|(key, body)| body.content.is_none() && !known(key));
    missing.chain(empty.map(|(key, _)| (key.clone(), "`content` is not said".to_owned()))).collect()
}
