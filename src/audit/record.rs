//! What is written down.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::Verdict;
use crate::desired::Guards;
use crate::place::{AccountId, Region, Scope, Seat};
use crate::plan::Item;

/// What a run is about to do, written before it does anything.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent<'a> {
    pub run: &'a str,
    pub at: Timestamp,
    pub tool_version: &'static str,
    /// The ARN that started the run.
    pub caller: &'a str,
    pub organization: &'a str,
    pub revision: Option<&'a str>,
    pub digest: &'a str,
    /// `--reason`: why something was made weaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// The run of the controller that this one is a turn of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<&'a str>,
    /// Until when at least no other controller looks after the account. Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Every change, with its fields before and after and its calls.
    pub changes: Vec<&'a Item>,
}

/// An [`Intent`] as it is read again. What an older build did not write is absent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun {
    pub run: String,
    pub at: Timestamp,
    pub caller: String,
    #[serde(default)]
    pub revision: Option<String>,
    pub digest: String,
    pub changes: Vec<Item>,
}

/// What a fresh look saw of one control in one scope, just before its first write there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BeforeImage<'a> {
    pub scope: &'a Scope,
    pub control: &'a str,
    pub at: Timestamp,
    pub observed: &'a Value,
}

/// A saved plan that was applied: it is not applied again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Used {
    pub run: String,
    pub at: Timestamp,
    /// The ARN that applied it.
    pub caller: String,
    /// `sha256:…` of the file.
    pub digest: String,
    /// The runs that stopped before this one went on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
}

impl Used {
    /// All runs that applied a part of it.
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        self.earlier.iter().chain([&self.run]).map(String::as_str)
    }
}

/// The desired state that an account was last changed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastApplied {
    /// The full git revision; absent where the desired state is not in git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub digest: String,
    pub run: String,
    pub at: Timestamp,
    /// Under which digest the documents are kept; absent in records of builds that did not keep them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<String>,
    /// What was not as desired when the run had ended: not selected, by hand, observed only, failed. Everything else
    /// was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
}

/// A finding that a run left as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    pub region: Region,
    pub control: String,
    pub rule: String,
    /// Empty where the whole control could not be looked at, or AWS was at it: then it stands for all its findings.
    pub resource: String,
    /// What was seen, by field. Absent where that is not known: the run had begun to change it, or it could not be
    /// looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<BTreeMap<String, String>>,
    /// Where it stands for all findings: those that the run made and saw to hold, as `rule resource`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub besides: BTreeSet<String>,
}

impl Left {
    /// An open finding as it is now.
    pub fn of(item: &Item) -> Self {
        let seen = match &item.finding.verdict {
            Verdict::Change(change) => Some(
                change.fields.iter().map(|field| (field.path.clone(), field.before.to_string())).collect(),
            ),
            Verdict::Manual(task) => Some(task.found.iter().cloned().collect()),
            _ => None,
        };
        // What AWS is still at may show more findings than this one when it is done.
        let hides_others = matches!(item.finding.verdict, Verdict::Progressing(_));
        let resource = if hides_others { String::new() } else { item.finding.resource.clone() };
        let (region, control) = (item.scope.region.clone(), item.control.clone());
        Self { region, control, rule: item.finding.rule.clone(), resource, seen, besides: BTreeSet::new() }
    }

    /// Is it this finding, or did it stand for it?
    pub fn covers(&self, item: &Item) -> bool {
        self.region == item.scope.region
            && self.control == item.control
            && if self.resource.is_empty() {
                !self.besides.contains(&Self::name(item))
            } else {
                self.resource == item.finding.resource && self.rule == item.finding.rule
            }
    }

    /// `rule resource`: a rule has no space in it.
    pub fn name(item: &Item) -> String {
        format!("{} {}", item.finding.rule, item.finding.resource)
    }
}

/// The reach of the desired state that was last applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastOrganization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub accounts: BTreeSet<AccountId>,
    pub seats: BTreeMap<Seat, AccountId>,
    /// What the next plan is judged by as well. Absent in records of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guards: Option<Guards>,
}
