//! What GuardDuty says of filters.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_guardduty::types::{Condition as AwsCondition, FindingCriteria};
use futures::future::join_all;
use serde::{Deserialize, Serialize};

use super::spec::{Action, Condition, FilterSpec};
use crate::aws::{Reader, fault};
use crate::control::{Bounded, Call, Sight};
use crate::fault::Fault;

pub const READS: &[Call] = &[
    Call::new("guardduty:ListDetectors"),
    Call::new("guardduty:GetAdministratorAccount"),
    Call::new("guardduty:ListFilters"),
    Call::new("guardduty:GetFilter"),
];

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// The account that administers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
    /// Those of the declared names that are there.
    pub filters: BTreeMap<String, Sight<Filter>>,
}

/// A filter, in AWS's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    pub description: String,
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    pub criteria: BTreeMap<String, Condition>,
}

impl Filter {
    /// The spec that describes it.
    pub fn described(&self) -> FilterSpec {
        FilterSpec {
            description: (!self.description.is_empty()).then(|| self.description.clone()),
            action: [Action::Noop, Action::Archive].into_iter().find(|known| known.word() == self.action),
            rank: self.rank.and_then(Bounded::new),
            criteria: Some(self.criteria.clone()),
        }
    }
}

pub async fn read(aws: &Reader, names: &BTreeSet<String>) -> Result<Live, Fault> {
    let guardduty = aws.guardduty();
    let ids = guardduty.list_detectors().send().await.map_err(fault("guardduty:ListDetectors"))?;
    let Some(id) = ids.detector_ids.unwrap_or_default().into_iter().next() else {
        return Ok(Live::default());
    };
    let (administrator, there) = futures::try_join!(read_administrator(aws, &id), list(aws, &id))?;
    let there: Vec<&String> = names.iter().filter(|name| there.contains(*name)).collect();
    let filters = join_all(there.into_iter().map(|name| read_filter(aws, &id, name))).await;
    Ok(Live { administrator, filters: filters.into_iter().collect() })
}

/// The administrator and an account on its own get an answer without content.
async fn read_administrator(aws: &Reader, id: &str) -> Result<Option<String>, Fault> {
    let call = aws.guardduty().get_administrator_account().detector_id(id);
    let answer = call.send().await.map_err(fault("guardduty:GetAdministratorAccount"))?;
    let administrator = answer.administrator.filter(|a| a.relationship_status.as_deref() == Some("Enabled"));
    Ok(administrator.and_then(|administrator| administrator.account_id))
}

async fn list(aws: &Reader, id: &str) -> Result<BTreeSet<String>, Fault> {
    let mut pages = aws.guardduty().list_filters().detector_id(id).into_paginator().items().send();
    let mut names = BTreeSet::new();
    while let Some(name) = pages.next().await {
        names.insert(name.map_err(fault("guardduty:ListFilters"))?);
    }
    Ok(names)
}

async fn read_filter(aws: &Reader, id: &str, name: &str) -> (String, Sight<Filter>) {
    let answer = aws.guardduty().get_filter().detector_id(id).filter_name(name).send().await;
    let sight = match answer.map_err(fault("guardduty:GetFilter")) {
        Ok(answer) => Sight::Seen(Filter {
            description: answer.description.unwrap_or_default(),
            action: answer.action.map_or_else(String::new, |action| action.as_str().to_owned()),
            rank: answer.rank.and_then(|rank| rank.try_into().ok()),
            criteria: answer.finding_criteria.map(read_criteria).unwrap_or_default(),
        }),
        Err(fault) => Sight::Unseen(fault),
    };
    (name.to_owned(), sight)
}

/// The older names of conditions mean the same.
#[expect(deprecated, reason = "what was written with the older names is read with them")]
fn read_condition(live: AwsCondition) -> Condition {
    let all = |new: Option<Vec<String>>, old: Option<Vec<String>>| {
        new.into_iter().chain(old).flatten().collect::<BTreeSet<String>>()
    };
    Condition {
        equals: all(live.equals, live.eq),
        not_equals: all(live.not_equals, live.neq),
        matches: all(live.matches, None),
        not_matches: all(live.not_matches, None),
        greater_than: live.greater_than.or(live.gt.map(i64::from)),
        greater_than_or_equal: live.greater_than_or_equal.or(live.gte.map(i64::from)),
        less_than: live.less_than.or(live.lt.map(i64::from)),
        less_than_or_equal: live.less_than_or_equal.or(live.lte.map(i64::from)),
    }
}

fn read_criteria(live: FindingCriteria) -> BTreeMap<String, Condition> {
    let all = live.criterion.unwrap_or_default().into_iter();
    all.map(|(field, condition)| (field, read_condition(condition))).collect()
}

/// Criteria as they are sent.
pub fn written(criteria: &BTreeMap<String, Condition>) -> FindingCriteria {
    let list =
        |words: &BTreeSet<String>| (!words.is_empty()).then(|| words.iter().cloned().collect::<Vec<_>>());
    let condition = |condition: &Condition| {
        AwsCondition::builder()
            .set_equals(list(&condition.equals))
            .set_not_equals(list(&condition.not_equals))
            .set_matches(list(&condition.matches))
            .set_not_matches(list(&condition.not_matches))
            .set_greater_than(condition.greater_than)
            .set_greater_than_or_equal(condition.greater_than_or_equal)
            .set_less_than(condition.less_than)
            .set_less_than_or_equal(condition.less_than_or_equal)
            .build()
    };
    let all: HashMap<_, _> = criteria.iter().map(|(field, of)| (field.clone(), condition(of))).collect();
    FindingCriteria::builder().set_criterion(Some(all)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(deprecated, reason = "as older tools wrote them")]
    fn older_names_of_conditions_are_read_as_the_newer() {
        let old = AwsCondition::builder().eq("a").equals("a").neq("b").gte(4).build();
        let read = read_condition(old);
        assert_eq!(read.equals, BTreeSet::from(["a".to_owned()]));
        assert_eq!((read.not_equals.len(), read.greater_than_or_equal), (1, Some(4)));
        let criteria = BTreeMap::from([("type".to_owned(), read)]);
        assert_eq!(read_criteria(written(&criteria)), criteria);
    }
}
