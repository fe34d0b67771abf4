//! How a registry scans, and how much of it one set of filters covers of another.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::types::{
    RegistryScanningRule, ScanFrequency, ScanningRepositoryFilter, ScanningRepositoryFilterType,
};
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use super::spec::ScanType;
use crate::aws::{Reader, fault};
use crate::control::Call;
use crate::fault::{Fault, FaultKind};

pub const GET: Call = Call::new("ecr:GetRegistryScanningConfiguration");

/// When a repository is scanned, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Frequency {
    /// By hand: what holds without a rule. Registries that were set up long ago may have a rule that says it.
    Manual,
    ScanOnPush,
    ContinuousScan,
}

impl Frequency {
    pub fn word(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::ScanOnPush => "SCAN_ON_PUSH",
            Self::ContinuousScan => "CONTINUOUS_SCAN",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Manual, Self::ScanOnPush, Self::ContinuousScan].into_iter().find(|known| known.word() == word)
    }

    /// The rules that a scan type takes (API reference, RegistryScanningRule): a rule `MANUAL` neither, and
    /// without it the same holds.
    pub fn goes_with(self, scan_type: ScanType) -> bool {
        match self {
            Self::Manual => false,
            Self::ScanOnPush => true,
            Self::ContinuousScan => scan_type == ScanType::Enhanced,
        }
    }
}

/// Type and rules, which are written together. A frequency without filters is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scanning {
    pub scan_type: ScanType,
    pub rules: BTreeMap<Frequency, BTreeSet<String>>,
}

impl Scanning {
    /// No filter for a frequency without a rule.
    pub fn filters(&self, frequency: Frequency) -> BTreeSet<String> {
        self.rules.get(&frequency).cloned().unwrap_or_default()
    }

    /// Is every repository that the other scans scanned here at least as often? `true` is certain; `false` also
    /// where it takes more than comparing filter by filter.
    pub fn covers(&self, other: &Self) -> bool {
        let scans = |scanning: &Self| {
            let rules = scanning.rules.iter().filter(|(frequency, _)| **frequency > Frequency::Manual);
            let each = rules.flat_map(|(frequency, filters)| {
                filters.iter().map(|filter| (*frequency, pattern(filter))).collect::<Vec<_>>()
            });
            each.collect::<Vec<_>>()
        };
        let ours = scans(self);
        scans(other).iter().all(|(frequency, theirs)| {
            // A `*` of theirs is matched by a `*` of ours and by nothing else.
            ours.iter().any(|(often, ours)| often >= frequency && WildMatch::new(ours).matches(theirs))
        })
    }
}

/// A filter without a wildcard stands for every name that contains it (ECR User Guide, "Filter wildcards").
fn pattern(filter: &str) -> String {
    if filter.contains('*') { filter.to_owned() } else { format!("*{filter}*") }
}

/// How the registry scans now.
pub async fn read(aws: &Reader) -> Result<Scanning, Fault> {
    let answer =
        aws.ecr().get_registry_scanning_configuration().send().await.map_err(fault(GET.operation))?;
    let strange = |what: String| Fault::local(FaultKind::Invalid, GET.operation, what);
    let live = answer
        .scanning_configuration
        .ok_or_else(|| strange("the answer has no configuration in it".into()))?;
    let scan_type = match &live.scan_type {
        // "By default the BASIC scan type is used" (API reference, PutRegistryScanningConfiguration).
        None => ScanType::Basic,
        Some(word) => ScanType::of(word.as_str())
            .ok_or_else(|| strange(format!("`{word}` is not a scan type that this build knows")))?,
    };
    let mut rules: BTreeMap<Frequency, BTreeSet<String>> = BTreeMap::new();
    for rule in live.rules.unwrap_or_default() {
        let word = rule.scan_frequency.as_str();
        let frequency = Frequency::of(word)
            .ok_or_else(|| strange(format!("`{word}` is not a frequency that this build knows")))?;
        for filter in rule.repository_filters {
            if filter.filter_type != ScanningRepositoryFilterType::Wildcard {
                let word = filter.filter_type;
                return Err(strange(format!("`{word}` is not a filter type that this build knows")));
            }
            rules.entry(frequency).or_default().insert(filter.filter);
        }
    }
    Ok(Scanning { scan_type, rules })
}

/// The rules as the call takes them; none for a frequency without filters.
pub fn rules(scanning: &Scanning) -> Result<Vec<RegistryScanningRule>, Fault> {
    let incomplete = |error: &dyn std::fmt::Display| {
        Fault::local(FaultKind::Invalid, super::PUT.operation, error.to_string())
    };
    let filter = |text: &String| {
        let wildcard = ScanningRepositoryFilterType::Wildcard;
        let built = ScanningRepositoryFilter::builder().filter(text).filter_type(wildcard).build();
        built.map_err(|error| incomplete(&error))
    };
    let rule = |(frequency, filters): (&Frequency, &BTreeSet<String>)| {
        let filters = filters.iter().map(filter).collect::<Result<Vec<_>, Fault>>()?;
        let built = RegistryScanningRule::builder()
            .scan_frequency(ScanFrequency::from(frequency.word()))
            .set_repository_filters(Some(filters))
            .build();
        built.map_err(|error| incomplete(&error))
    };
    scanning.rules.iter().filter(|(_, filters)| !filters.is_empty()).map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanning(push: &[&str], continuous: &[&str]) -> Scanning {
        let set = |filters: &[&str]| filters.iter().map(ToString::to_string).collect();
        let rules = [(Frequency::ScanOnPush, set(push)), (Frequency::ContinuousScan, set(continuous))];
        Scanning { scan_type: ScanType::Enhanced, rules: rules.into() }
    }

    #[test]
    fn wider_and_more_frequent_covers() {
        for (wide, narrow) in [
            (scanning(&["*"], &[]), scanning(&["prod/*", "api"], &[])),
            (scanning(&["prod"], &[]), scanning(&["prod/*", "my-prod", "*prod*"], &[])),
            (scanning(&[], &["*"]), scanning(&["*"], &[])),
            (scanning(&[], &[]), scanning(&[], &[])),
            (scanning(&["a*", "b*"], &[]), scanning(&["b1*"], &[])),
        ] {
            assert!(wide.covers(&narrow), "{wide:?} {narrow:?}");
        }
        for (narrow, wide) in [
            (scanning(&["prod/*"], &[]), scanning(&["*"], &[])),
            (scanning(&["prod/*"], &[]), scanning(&["prod"], &[])),
            (scanning(&["*"], &[]), scanning(&[], &["prod/*"])),
            (scanning(&["a*"], &[]), scanning(&["*a"], &[])),
        ] {
            assert!(!narrow.covers(&wide), "{narrow:?} {wide:?}");
        }
    }
}
