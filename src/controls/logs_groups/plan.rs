//! What is declared of a log group, beside what it is.

use serde_json::{Value, json};

use super::live::Group;
use super::spec::{GroupRule, GroupSpec, GroupsSpec, LogKey};
use super::write::Write;
use crate::control::{
    Change, Direction, Facts, Field, Known, ManualTask, Retention, Risk, Thing, Verdict, Verified,
};
use crate::pointer;

/// A leaf of the spec and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Said<T> {
    pub path: String,
    pub value: T,
}

/// How long events are to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Exactly(Retention),
    AtLeast(Retention),
}

impl Keep {
    fn days(self) -> Retention {
        match self {
            Self::Exactly(retention) | Self::AtLeast(retention) => retention,
        }
    }
}

/// Who governs a group: its own entry, and the first rule that selects it for what the entry does not say.
#[derive(Clone, Copy)]
pub struct Governing<'s> {
    entry: Option<&'s GroupSpec>,
    rule: Option<(usize, &'s GroupRule)>,
    name: &'s str,
}

impl<'s> Governing<'s> {
    pub fn of(spec: &'s GroupsSpec, name: &'s str) -> Self {
        Self {
            entry: spec.groups.get(name),
            rule: spec.rules.iter().enumerate().find(|(_, rule)| rule.select.matches(name)),
            name,
        }
    }

    fn leaf<T>(
        &self,
        leaf: &str,
        entry: impl Fn(&GroupSpec) -> Option<T>,
        rule: impl Fn(&GroupRule) -> Option<T>,
    ) -> Option<Said<T>> {
        if let Some(value) = self.entry.and_then(entry) {
            return Some(Said { path: format!("{}/{leaf}", entry_path(self.name)), value });
        }
        let (index, of_rule) = self.rule?;
        rule(of_rule).map(|value| Said { path: format!("/rules/{index}/{leaf}"), value })
    }

    /// The entry's, whichever of the two words it says; then the rule's.
    pub fn keep(&self) -> Option<Said<Keep>> {
        let exactly = |entry: Option<Retention>| entry.map(Keep::Exactly);
        let at_least = |entry: Option<Retention>| entry.map(Keep::AtLeast);
        let entry = Self { rule: None, ..*self };
        let rule = Self { entry: None, ..*self };
        [entry, rule].into_iter().find_map(|one| {
            let said = |leaf: &str| match leaf {
                "retentionDays" => {
                    one.leaf(leaf, |e| exactly(e.retention_days), |r| exactly(r.retention_days))
                }
                _ => one.leaf(
                    leaf,
                    |e| at_least(e.minimum_retention_days),
                    |r| at_least(r.minimum_retention_days),
                ),
            };
            said("retentionDays").or_else(|| said("minimumRetentionDays"))
        })
    }

    pub fn key(&self) -> Option<Said<LogKey>> {
        self.leaf("key", |entry| entry.key.clone(), |rule| rule.key.clone())
    }

    pub fn protection(&self) -> Option<Said<bool>> {
        self.leaf("deletionProtection", |entry| entry.deletion_protection, |rule| rule.deletion_protection)
    }
}

fn entry_path(name: &str) -> String {
    format!("/groups/{}", pointer::escaped(name))
}

/// The key of that alias in this account and region.
pub fn key(facts: &Facts, alias: &str) -> Thing {
    Thing::Key {
        account: facts.scope.account.clone(),
        region: facts.scope.region.clone(),
        alias: alias.to_owned(),
    }
}

const KEY_COST: &str = "KMS charges for what CloudWatch Logs asks of the key";

/// A group that must exist and does not: made whole, so that the other rules have nothing to say of it.
pub fn absent(facts: &Facts, known: &Known, entry: &GroupSpec, governing: &Governing<'_>) -> Verdict<Write> {
    let group = governing.name;
    let mut fields = Vec::new();
    let mut retain = None;
    if let Some(keep) = governing.keep() {
        if let Retention::Days(days) = keep.value.days() {
            retain = Some(Write::Retain { group: group.to_owned(), days });
        }
        fields.push(Field::new(keep.path, Value::Null, keep.value.days()));
    }
    let mut with = None;
    if let Some(Said { path, value }) = governing.key() {
        if let LogKey::Alias(alias) = &value {
            let thing = key(facts, alias);
            if let Some(fault) = known.fault(&thing) {
                return Verdict::Unknown { fault: fault.clone() };
            }
            with = Some(thing);
        }
        fields.push(Field::new(path, Value::Null, String::from(value)));
    }
    let protection = governing.protection();
    let protected = protection.as_ref().map(|said| said.value).filter(|on| *on);
    fields.extend(protection.map(|said| Field::new(said.path, Value::Null, said.value)));
    if let Some(class) = entry.class {
        fields.push(Field::new(format!("{}/class", entry_path(group)), Value::Null, class.word()));
    }
    if fields.is_empty() {
        fields.push(Field::new(entry_path(group), Value::Null, json!({})));
    }
    let (group, class, tags) = (group.to_owned(), entry.class, facts.tags.clone());
    let makes = Thing::LogGroup {
        account: facts.scope.account.clone(),
        region: facts.scope.region.clone(),
        name: group.clone(),
    };
    let create = Write::Create { group, class, key: with.clone(), protected, tags };
    Verdict::Change(Change {
        cost: with.is_some().then(|| KEY_COST.to_owned()),
        makes: vec![makes],
        stands_on: Some(with.into_iter().collect()),
        ..Change::create(fields, [create].into_iter().chain(retain).collect())
    })
}

/// A group that must exist and does: its class is for life.
pub fn present(entry: &GroupSpec, name: &str, live: &Group) -> Verdict<Write> {
    match entry.class {
        Some(class) if class.word() != live.class => Verdict::Manual(ManualTask {
            title: format!("Log group {name} is of another class"),
            found: vec![("class".into(), live.class.clone())],
            steps: vec![
                "A log group keeps its class for life, and baseline deletes nothing.".into(),
                format!("Make another group of class {}, or declare {}.", class.word(), live.class),
            ],
            verified: Verified::ByObservation,
        }),
        _ => Verdict::InSync,
    }
}

pub fn retention(name: &str, live: &Group, said: Said<Keep>) -> Verdict<Write> {
    let now = Retention::of(live.retention);
    let wanted = said.value.days();
    let fits = match said.value {
        Keep::Exactly(exactly) => now == exactly,
        Keep::AtLeast(least) => now >= least,
    };
    if fits {
        return Verdict::InSync;
    }
    if live.class == "DELIVERY" {
        let source = "a log group of class DELIVERY keeps its events for one day".into();
        return Verdict::NotOffered { source };
    }
    let words = |retention| Value::from(retention).to_string().trim_matches('"').to_owned();
    if let Some(policy) = &live.retention_policy {
        return Verdict::Foreign {
            owner: format!("the account's retention policy {policy}"),
            evidence: format!("it overrides what a group is told; retentionDays is {}", words(now)),
        };
    }
    let Retention::Days(days) = wanted else {
        return Verdict::Manual(ManualTask {
            title: format!("Log group {name} deletes events after {} days", words(now)),
            found: vec![("retentionDays".into(), words(now))],
            steps: vec![
                format!("aws logs delete-retention-policy --log-group-name {name}"),
                "baseline deletes nothing, not even a rule that deletes.".into(),
            ],
            verified: Verified::ByObservation,
        });
    };
    let shorter = wanted < now;
    let step = Write::Retain { group: name.to_owned(), days };
    Verdict::Change(Change {
        risk: if shorter { Risk::Destructive } else { Risk::Safe },
        direction: if shorter { Direction::Weakens } else { Direction::Strengthens },
        cost: (!shorter).then(|| "CloudWatch Logs charges for what is stored for longer".into()),
        evidence: shorter.then(|| format!("events that are older than {days} days are deleted")),
        stands_on: Some(Vec::new()),
        ..Change::update(vec![Field::new(said.path, now, wanted)], vec![step])
    })
}

/// The word for what a group is encrypted with.
fn key_word(known: &Known, live: &Group) -> String {
    match live.key_arn.as_deref().map(|arn| known.name_of(arn)) {
        None => String::from(LogKey::None),
        Some(Some(Thing::Key { alias, .. })) => alias.clone(),
        Some(_) => "another key".to_owned(),
    }
}

pub fn encryption(
    facts: &Facts,
    known: &Known,
    name: &str,
    live: &Group,
    said: Said<LogKey>,
) -> Verdict<Write> {
    let group = name.to_owned();
    let field = |after: LogKey| Field::new(said.path.clone(), key_word(known, live), String::from(after));
    match said.value {
        LogKey::None if live.key_arn.is_none() => Verdict::InSync,
        LogKey::None => Verdict::Change(Change {
            direction: Direction::Weakens,
            evidence: Some("what is stored stays under the key that it was encrypted with".into()),
            stands_on: Some(Vec::new()),
            ..Change::update(vec![field(LogKey::None)], vec![Write::EndEncryption { group }])
        }),
        LogKey::Alias(alias) => {
            let key = key(facts, &alias);
            if let Some(fault) = known.fault(&key) {
                return Verdict::Unknown { fault: fault.clone() };
            }
            if live.key_arn.is_some() && live.key_arn.as_deref() == known.arn(&key) {
                return Verdict::InSync;
            }
            let first = live.key_arn.is_none();
            let evidence = "what is stored stays under its old key: that key must not be deleted";
            Verdict::Change(Change {
                direction: if first { Direction::Strengthens } else { Direction::Neutral },
                cost: first.then(|| KEY_COST.to_owned()),
                evidence: (!first).then(|| evidence.to_owned()),
                stands_on: Some(vec![key.clone()]),
                ..Change::update(vec![field(LogKey::Alias(alias))], vec![Write::Encrypt { group, key }])
            })
        }
    }
}

pub fn protection(name: &str, live: &Group, said: Said<bool>) -> Verdict<Write> {
    if live.protected == said.value {
        return Verdict::InSync;
    }
    let step = Write::Protect { group: name.to_owned(), on: said.value };
    Verdict::Change(Change {
        direction: if said.value { Direction::Strengthens } else { Direction::Weakens },
        stands_on: Some(Vec::new()),
        ..Change::update(vec![Field::new(said.path, live.protected, said.value)], vec![step])
    })
}
