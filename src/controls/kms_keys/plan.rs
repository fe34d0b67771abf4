//! Declared beside live, one key at a time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::live::Key;
use super::policy::{self, TooLong};
use super::spec::{KeySpec, RotationDays};
use super::write::Write;
use crate::control::{
    Change, Direction, Facts, Field, Finding, ManualTask, Progress, Sight, Thing, Verdict, Verified,
};
use crate::diff::policy::open_to_everyone;
use crate::fault::{Fault, FaultKind};
use crate::pointer;

/// One declared key in one scope.
#[derive(Clone, Copy)]
pub struct Declared<'a> {
    pub facts: &'a Facts,
    pub alias: &'a str,
    pub spec: &'a KeySpec,
}

/// What a key and its rotations cost (AWS KMS pricing).
const A_KEY: &str = "a key is charged by the month";
const ROTATIONS: &str = "the first two rotations of a key add to its monthly charge";

fn unasked(call: &str) -> Fault {
    Fault::not_asked(call)
}

impl Declared<'_> {
    /// The path of the key itself.
    pub fn whole(&self) -> String {
        format!("/keys/{}", pointer::escaped(self.alias))
    }

    /// The path of a leaf of the key.
    pub fn path(&self, leaf: &str) -> String {
        format!("{}/{leaf}", self.whole())
    }

    /// The path of an entry of one of the key's maps.
    pub fn entry(&self, map: &str, name: &str) -> String {
        format!("{}/{map}/{}", self.whole(), pointer::escaped(name))
    }

    fn say(&self, rule: &str, verdict: Verdict<Write>) -> Finding<Write> {
        Finding::new(self.alias, rule, verdict)
    }

    fn makes(&self) -> Vec<Thing> {
        let (account, region) = (self.facts.scope.account.clone(), self.facts.scope.region.clone());
        vec![Thing::Key { account, region, alias: self.alias.into() }]
    }

    pub fn findings(&self, sight: Option<&Sight<Option<Key>>>) -> Vec<Finding<Write>> {
        match sight {
            None => vec![self.say("key", Verdict::Unknown { fault: unasked("kms:DescribeKey") })],
            Some(Sight::Unseen(fault)) => vec![self.say("key", Verdict::Unknown { fault: fault.clone() })],
            Some(Sight::Seen(None)) => vec![self.say("key", self.create())],
            Some(Sight::Seen(Some(live))) => self.beside(live),
        }
    }

    /// There is no key: one change makes it whole.
    fn create(&self) -> Verdict<Write> {
        let Self { facts, alias, spec } = self;
        let wanted = match policy::absent(self) {
            Ok(wanted) => wanted,
            Err(TooLong(length)) => return self.too_long(length),
        };
        let mut fields = Vec::new();
        if let Some(description) = &spec.description {
            fields.push(Field::new(self.path("description"), Value::Null, description.as_str()));
        }
        if let Some(days) = spec.rotation_days {
            fields.push(Field::new(self.path("rotationDays"), Value::Null, days.get()));
        }
        fields.extend(wanted.fields);
        let mut tags = facts.tags.clone();
        for (name, value) in &spec.tags {
            fields.push(Field::new(self.entry("tags", name), Value::Null, value.as_str()));
            tags.insert(name.clone(), value.clone());
        }
        if fields.is_empty() {
            fields.push(Field::new(self.whole(), Value::Null, "Enabled"));
        }
        let description = spec.description.clone().unwrap_or_default();
        let policy = wanted.ours;
        let mut steps = vec![
            Write::Create { alias: (*alias).into(), description, policy, tags },
            Write::Name { alias: (*alias).into() },
        ];
        let mut cost = A_KEY.to_owned();
        if let Some(days) = spec.rotation_days.map(RotationDays::get).filter(|days| *days > 0) {
            steps.push(Write::Rotate { alias: (*alias).into(), days });
            cost = format!("{A_KEY}; {ROTATIONS}");
        }
        Verdict::Change(Change {
            cost: Some(cost),
            evidence: wanted.evidence,
            direction: wanted.direction,
            makes: self.makes(),
            ..Change::create(fields, steps)
        })
    }

    /// The policy would be longer than KMS takes.
    fn too_long(&self, length: usize) -> Verdict<Write> {
        Verdict::Manual(ManualTask {
            title: format!("Shorten the key policy of {}", self.alias),
            found: vec![("policy".into(), format!("{length} bytes, and KMS takes {}", policy::LONGEST))],
            steps: vec![
                "Say `from: organization` rather than a list of accounts,".into(),
                "or take statements out that nobody needs any more.".into(),
            ],
            verified: Verified::ByObservation,
        })
    }

    /// What is the matter with a key that is there. A key that has not got its alias yet is not made whole:
    /// everything that is left to do is one change then.
    fn beside(&self, live: &Key) -> Vec<Finding<Write>> {
        let mut findings = self.state(live);
        let parts = self.parts(live);
        if live.aliased {
            findings.push(self.say("key", Verdict::InSync));
            findings.extend(parts);
            return findings;
        }
        let mut fields = vec![Field::new(self.whole(), "a key without this alias", "the key of this alias")];
        let mut steps = vec![Write::Name { alias: self.alias.into() }];
        let (mut cost, mut evidence, mut carries) = (Vec::new(), Vec::new(), Vec::new());
        let (mut direction, mut risk) = (Direction::Strengthens, crate::control::Risk::Safe);
        let mut rest = Vec::new();
        for part in parts {
            match part.verdict {
                Verdict::Change(change) => {
                    fields.extend(change.fields);
                    steps.extend(change.steps);
                    cost.extend(change.cost);
                    evidence.extend(change.evidence);
                    carries.extend(change.carries);
                    direction = Direction::of([direction, change.direction]);
                    risk = risk.max(change.risk);
                }
                _ => rest.push(part),
            }
        }
        let joined = |all: Vec<String>| (!all.is_empty()).then(|| all.join("; "));
        let change = Change {
            cost: joined(cost),
            evidence: joined(evidence),
            carries: joined(carries),
            direction,
            risk,
            adopts: Some("the key that was made for this alias, by its tag, rather than a second".into()),
            makes: self.makes(),
            ..Change::update(fields, steps)
        };
        findings.push(self.say("key", Verdict::Change(change)));
        findings.extend(rest);
        findings
    }

    /// Whether the key can be used, and the way back where it is about to go.
    fn state(&self, live: &Key) -> Vec<Finding<Write>> {
        let alias = || self.alias.to_owned();
        let back =
            |steps| Change::update(vec![Field::new(self.whole(), live.state.as_str(), "Enabled")], steps);
        if live.is_pending_deletion() {
            let when = live
                .deletion
                .as_deref()
                .map_or("once its replicas are gone".into(), |day| format!("on {day}"));
            let change = Change {
                evidence: Some(format!(
                    "KMS deletes the key {when}, and nobody reads again what is encrypted with it"
                )),
                cost: Some(A_KEY.into()),
                ..back(vec![Write::CancelDeletion { alias: alias() }, Write::Enable { alias: alias() }])
            };
            return vec![self.say("pending-deletion", Verdict::Change(change))];
        }
        let by_hand = |title: String, step: &str| {
            Verdict::Manual(ManualTask {
                title,
                found: vec![("state".into(), live.state.clone())],
                steps: vec![step.into()],
                verified: Verified::ByObservation,
            })
        };
        let enabled = match live.state.as_str() {
            "Enabled" => Verdict::InSync,
            "Disabled" => Verdict::Change(Change {
                direction: Direction::Neutral,
                evidence: Some("somebody disabled it: what is encrypted with it cannot be read".into()),
                ..back(vec![Write::Enable { alias: alias() }])
            }),
            "Creating" | "Updating" => Verdict::Progressing(Progress {
                what: format!("KMS is {} the key", live.state.to_lowercase()),
                look_again: 15,
                patience: 900,
            }),
            "PendingImport" => by_hand(
                format!("Import the key material of {}", self.alias),
                "The key has no material, and only its owner has it: import it again.",
            ),
            "Unavailable" => by_hand(
                format!("Connect the key store of {}", self.alias),
                "The key is in a custom key store that is not connected: connect it.",
            ),
            other => {
                let message = format!("`{other}` is not a key state that this build knows");
                Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, "kms:DescribeKey", message) }
            }
        };
        vec![self.say("pending-deletion", Verdict::InSync), self.say("enabled", enabled)]
    }

    /// What is declared of the key, part by part.
    fn parts(&self, live: &Key) -> Vec<Finding<Write>> {
        let mut parts = Vec::new();
        let unknown = |fault: &Fault| Verdict::Unknown { fault: fault.clone() };
        if self.spec.declares_policy() {
            parts.push(self.say(
                "policy",
                match &live.policy {
                    Sight::Seen(policy) => {
                        policy::beside(self, policy).unwrap_or_else(|TooLong(length)| self.too_long(length))
                    }
                    Sight::Unseen(fault) => unknown(fault),
                },
            ));
        }
        if let Some(verdict) = self.spec.rotation_days.and_then(|days| self.rotation(days, live)) {
            parts.push(self.say("rotation", verdict));
        }
        if let Some(want) = &self.spec.description {
            parts.push(self.say("description", self.description(want, live)));
        }
        if !self.spec.tags.is_empty() {
            parts.push(self.say(
                "tags",
                match &live.tags {
                    Some(Sight::Seen(tags)) => self.tags(tags),
                    Some(Sight::Unseen(fault)) => unknown(fault),
                    None => unknown(&unasked("kms:ListResourceTags")),
                },
            ));
        }
        parts.push(self.say(
            "public",
            match &live.policy {
                Sight::Seen(policy) => self.public(policy),
                Sight::Unseen(fault) => unknown(fault),
            },
        ));
        parts
    }

    /// `None` while the key is pending deletion: KMS says `false` then, whatever it was.
    fn rotation(&self, want: RotationDays, live: &Key) -> Option<Verdict<Write>> {
        if let Some(why) = &live.unrotated {
            return Some(match want.get() {
                0 => Verdict::InSync,
                _ => Verdict::NotOffered { source: why.clone() },
            });
        }
        if live.is_pending_deletion() {
            return None;
        }
        let now = match &live.rotation {
            Some(Sight::Seen(days)) => *days,
            Some(Sight::Unseen(fault)) => return Some(Verdict::Unknown { fault: fault.clone() }),
            None => return Some(Verdict::Unknown { fault: unasked("kms:GetKeyRotationStatus") }),
        };
        let (want, alias) = (want.get(), self.alias.to_owned());
        if want == now {
            return Some(Verdict::InSync);
        }
        let field = Field::new(self.path("rotationDays"), now, want);
        let sooner = want != 0 && (now == 0 || want < now);
        let step = match want {
            0 => Write::StopRotating { alias },
            days => Write::Rotate { alias, days },
        };
        Some(Verdict::Change(Change {
            direction: if sooner { Direction::Strengthens } else { Direction::Weakens },
            cost: (now == 0).then(|| ROTATIONS.to_owned()),
            ..Change::update(vec![field], vec![step])
        }))
    }

    fn description(&self, want: &str, live: &Key) -> Verdict<Write> {
        if want == live.description {
            return Verdict::InSync;
        }
        let field = Field::new(self.path("description"), live.description.as_str(), want);
        let step = Write::Describe { alias: self.alias.into(), description: want.into() };
        Verdict::Change(Change { direction: Direction::Neutral, ..Change::update(vec![field], vec![step]) })
    }

    fn tags(&self, live: &BTreeMap<String, String>) -> Verdict<Write> {
        let differing: BTreeMap<String, String> = self
            .spec
            .tags
            .iter()
            .filter(|(name, value)| live.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if differing.is_empty() {
            return Verdict::InSync;
        }
        let field = |(name, value): (&String, &String)| {
            let before = live.get(name).map_or(Value::Null, |value| value.as_str().into());
            Field::new(self.entry("tags", name), before, value.as_str())
        };
        let fields = differing.iter().map(field).collect();
        let step = Write::Tag { alias: self.alias.into(), tags: differing };
        Verdict::Change(Change { direction: Direction::Neutral, ..Change::update(fields, vec![step]) })
    }

    /// Shown, and never taken out by itself: somebody may live on it.
    fn public(&self, policy: &Value) -> Verdict<Write> {
        let open = open_to_everyone(policy);
        if open.is_empty() {
            return Verdict::InSync;
        }
        Verdict::Manual(ManualTask {
            title: format!("Close the key policy of {} to everyone", self.alias),
            found: vec![("statements".into(), format!("{} for everyone", open.join(", ")))],
            steps: vec![
                "Find out who uses the key by these statements. Then name them as principals, or".into(),
                "add a condition such as `kms:CallerAccount` or `aws:PrincipalOrgID`:".into(),
                format!("aws kms describe-key --key-id {}", self.alias),
                "aws kms get-key-policy --key-id KEY-ID".into(),
                "aws kms put-key-policy --key-id KEY-ID --policy file://policy.json".into(),
            ],
            verified: Verified::ByObservation,
        })
    }
}
