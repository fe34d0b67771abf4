//! What a control says of the world: the unit of plans, exceptions, reports and conditions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::{Need, Thing};
use crate::fault::Fault;

/// One of many resources: read, or not readable. A list with one unreadable member is not an unreadable list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sight<T> {
    Seen(T),
    Unseen(Fault),
}

/// The tags of one resource, or why they could not be read.
pub type Tags = Sight<std::collections::BTreeMap<String, String>>;

/// One resource under one rule, and what is the matter with it. A control in one scope can hold a change,
/// a manual task and an unreadable resource at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding<A> {
    /// Stable over runs and readable: `payments-api`, `detector`. Together with `rule` unique within
    /// control and scope.
    pub resource: String,
    /// One of `META.rules`: framework ids and severity hang on the rule, not on the control.
    pub rule: String,
    pub verdict: Verdict<A>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict<A> {
    InSync,
    Change(Change<A>),
    Manual(ManualTask),
    Progressing(Progress),
    /// Somebody else manages it (an administrator account, Control Tower): observed, never fought.
    Foreign {
        owner: String,
        evidence: String,
    },
    /// The service or feature does not exist here. Neither in sync nor unknown, and not an error.
    NotOffered {
        source: String,
    },
    Unknown {
        fault: Fault,
    },
}

/// One resource put right: what a reader sees, and the writes in order. There is no delete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change<A> {
    pub kind: ChangeKind,
    pub fields: Vec<Field>,
    /// Each is one write call, run in order.
    pub steps: Vec<A>,
    pub risk: Risk,
    pub direction: Direction,
    /// Who pays for what, where the change starts a charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
    /// What was found that the change would touch: "2 buckets with public policies stop being public".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What is not declared and is sent along all the same, because the call replaces everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carries: Option<String>,
    /// What existed before and is taken over rather than doubled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopts: Option<String>,
    /// Why it weakens, where somebody has signed for just that: an exception's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Things that exist once the steps are done: the other half of [`crate::control::Need`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub makes: Vec<Thing>,
    /// Which of the control's needs this change stands on, where that is not all of them: a detector can be
    /// enabled without the bucket that its findings are exported to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_on: Option<Vec<Thing>>,
}

impl<A> Change<A> {
    /// A change that is safe and strengthens, makes nothing and costs nothing: what most are.
    pub fn update(fields: Vec<Field>, steps: Vec<A>) -> Self {
        Self {
            kind: ChangeKind::Update,
            fields,
            steps,
            risk: Risk::Safe,
            direction: Direction::Strengthens,
            cost: None,
            evidence: None,
            carries: None,
            adopts: None,
            reason: None,
            makes: Vec::new(),
            stands_on: None,
        }
    }

    /// Those of the control's needs that this change stands on.
    pub fn needs<'n>(&self, all: &'n [Need]) -> impl Iterator<Item = &'n Need> {
        all.iter().filter(|need| self.stands_on.as_ref().is_none_or(|only| only.contains(&need.thing)))
    }

    /// As [`Change::update`], for what does not exist yet.
    pub fn create(fields: Vec<Field>, steps: Vec<A>) -> Self {
        Self { kind: ChangeKind::Create, ..Self::update(fields, steps) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    Create,
    Update,
}

/// A leaf of the control's own spec: the same words and the same path as the YAML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// JSON pointer (RFC 6901) into the spec: `/features/RDS_LOGIN_EVENTS`.
    pub path: String,
    /// In the spec's vocabulary. "Not set" has a word there (`none`, `never`, `0`). `null` only where
    /// the resource does not exist yet.
    pub before: Value,
    pub after: Value,
}

impl Field {
    pub fn new(path: impl Into<String>, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self { path: path.into(), before: before.into(), after: after.into() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Risk {
    Safe,
    /// May break what runs today (public access blocked, passwords expire at once).
    Disruptive,
    /// Reaches accounts beside the one that is called: all of an organisation, or those that join it.
    Organization,
    /// Loses something that cannot be had back from the before-image.
    Destructive,
    /// Cannot be undone at all (object lock in compliance mode).
    Irreversible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    Strengthens,
    Neutral,
    /// Lowers security against what is live.
    Weakens,
}

impl Direction {
    /// The direction of a change with these parts: one part that weakens makes the whole weaken.
    pub fn of(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Neutral;
        for part in parts {
            match (whole, part) {
                (_, Self::Weakens) => return Self::Weakens,
                (Self::Neutral, Self::Strengthens) => whole = Self::Strengthens,
                _ => {}
            }
        }
        whole
    }
}

/// What no API can put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManualTask {
    pub title: String,
    /// What was found, one line each: `mfa  no device`.
    pub found: Vec<(String, String)>,
    /// What to do, one line each; commands on lines of their own.
    pub steps: Vec<String>,
    pub verified: Verified,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verified {
    /// The next observation sees it.
    ByObservation,
    /// No API shows it: an Attestation document says who did it and until when that holds.
    ByAttestation,
}

/// AWS is still at it. Not drift, not an error, and not in sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// A sentence without a full stop: `AWS is enabling it`.
    pub what: String,
    /// Look again after this many seconds.
    pub look_again: u32,
    /// After this many seconds it counts as stalled.
    pub patience: u32,
}

impl<A> Finding<A> {
    pub fn new(resource: impl Into<String>, rule: impl Into<String>, verdict: Verdict<A>) -> Self {
        Self { resource: resource.into(), rule: rule.into(), verdict }
    }

    pub fn change(&self) -> Option<&Change<A>> {
        match &self.verdict {
            Verdict::Change(change) => Some(change),
            _ => None,
        }
    }

    /// The same finding with its steps in another form.
    pub(crate) fn map<B>(self, step: impl FnMut(A) -> B) -> Finding<B> {
        let verdict = match self.verdict {
            Verdict::Change(c) => Verdict::Change(Change {
                kind: c.kind,
                fields: c.fields,
                steps: c.steps.into_iter().map(step).collect(),
                risk: c.risk,
                direction: c.direction,
                cost: c.cost,
                evidence: c.evidence,
                carries: c.carries,
                adopts: c.adopts,
                reason: c.reason,
                makes: c.makes,
                stands_on: c.stands_on,
            }),
            Verdict::InSync => Verdict::InSync,
            Verdict::Manual(task) => Verdict::Manual(task),
            Verdict::Progressing(progress) => Verdict::Progressing(progress),
            Verdict::Foreign { owner, evidence } => Verdict::Foreign { owner, evidence },
            Verdict::NotOffered { source } => Verdict::NotOffered { source },
            Verdict::Unknown { fault } => Verdict::Unknown { fault },
        };
        Finding { resource: self.resource, rule: self.rule, verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_weakening_part_weakens_the_whole() {
        use Direction::{Neutral, Strengthens, Weakens};
        assert_eq!(Direction::of([]), Neutral);
        assert_eq!(Direction::of([Neutral, Strengthens]), Strengthens);
        assert_eq!(Direction::of([Strengthens, Weakens, Strengthens]), Weakens);
    }
}
