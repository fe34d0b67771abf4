//! Facts about a control: documentation, reach, rules and calls. Docs pages, JSON schema, `explain` and IAM
//! policies are generated from these.

use crate::aws::history::event_name;
use crate::call::{Call, Calls};
use crate::place::Seat;

pub struct Meta {
    /// `service.noun`, exactly one dot: `explain guardduty.detector.frequency` has one reading.
    pub id: &'static str,
    /// What is true when the control is in sync.
    pub title: &'static str,
    /// Markdown with fixed headings: `## What it checks`, `## Why it matters`, `## What apply does`,
    /// `## How to undo`.
    pub docs: &'static str,
    /// A spec as people write it: in the docs page, and where the conformance suite starts.
    pub example: &'static str,
    pub reach: Reach,
    pub rules: &'static [Rule],
    pub reads: &'static [Call],
    pub writes: &'static [Call],
    /// What else changes what the control looks at, and is never called here: `guardduty:DeleteDetector`. Who did it
    /// is looked up in CloudTrail's event history under these and the `writes`. The service is the IAM prefix, the
    /// name CloudTrail's own (the service's user guide, "Logging … API calls with AWS CloudTrail").
    pub events: &'static [&'static str],
    /// What a whole undo needs that no call can do, in a few words: `baseline never deletes a key`.
    pub undo: Option<&'static str>,
    /// Does it read the tags of its resources where an exception asks for them? Then exceptions may select by
    /// `resourceTags`, and [`crate::control::Control::tags`] says what they are.
    pub tags: bool,
}

impl Meta {
    /// Does AWS keep exceptions of its own here? Then the control writes them, under a rule of this id, and an
    /// exception need not cover a finding to be of use.
    pub fn keeps_exceptions(&self) -> bool {
        self.rule("exceptions").is_some()
    }

    /// The controls of Security Hub that look at the same as a rule, or as any of them: `ECR.1`.
    pub fn security_controls(&self, rule: Option<&str>) -> std::collections::BTreeSet<&'static str> {
        let rules = self.rules.iter().filter(|one| rule.is_none_or(|id| id == one.id));
        rules.flat_map(|rule| rule.frameworks).filter_map(|id| id.strip_prefix("fsbp/")).collect()
    }

    /// The calls that may change what the control looks at, as CloudTrail names them, `service:Name`, each once: its own
    /// writes, and what it lists under `events`.
    pub fn calls_that_matter(&self) -> Vec<String> {
        let writes = self.writes.iter().map(|call| {
            let service = call.operation.split_once(':').map_or("", |(service, _)| service);
            format!("{service}:{}", event_name(call.operation))
        });
        let mut all: Vec<String> = Vec::new();
        for event in writes.chain(self.events.iter().map(|event| (*event).to_owned())) {
            if !all.contains(&event) {
                all.push(event);
            }
        }
        all
    }

    pub fn rule(&self, id: &str) -> Option<&'static Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

/// In which scopes a control runs: accounts × regions, both known without calling AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    pub accounts: Accounts,
    pub regions: Regions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// Every account whose merged document declares the control.
    Each,
    /// Only this seat's account: organisation-level calls. Declared in the Organization document.
    Seat(Seat),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regions {
    /// Once, in the account's home region.
    Home,
    /// In each managed region, narrowed by the shared word `regions`.
    Each,
    /// Once, in the partition's global region, also when that region is not among the managed ones.
    Global,
}

impl Reach {
    pub const ACCOUNT: Self = Self { accounts: Accounts::Each, regions: Regions::Home };
    pub const REGION: Self = Self { accounts: Accounts::Each, regions: Regions::Each };
    pub const GLOBAL: Self = Self { accounts: Accounts::Each, regions: Regions::Global };

    pub const fn organization(seat: Seat, regions: Regions) -> Self {
        Self { accounts: Accounts::Seat(seat), regions }
    }
}

/// One thing that can be right or wrong, with its ids in the frameworks: `cis-3.0.0/1.8`, `fsbp/IAM.7`.
pub struct Rule {
    pub id: &'static str,
    pub severity: Severity,
    pub frameworks: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

impl From<&'static Meta> for Calls {
    fn from(meta: &'static Meta) -> Self {
        Self { by: meta.id, reads: meta.reads, writes: meta.writes }
    }
}
