//! What is looked at: the rules by their names, and the role.

use std::collections::BTreeMap;

use futures::future::{OptionFuture, join_all};
use futures::join;
use serde::{Deserialize, Serialize};

use super::pattern::Source;
use super::role::ROLE;
use crate::aws::Reader;
use crate::control::Sight;
use crate::controls::events_rule::{Role, Rule, read as read_role, rule_of};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// What stands under each name; `None` where there is no rule.
    pub rules: BTreeMap<Source, Sight<Option<Rule>>>,
    /// `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Sight<Option<Role>>>,
}

/// What must be looked at here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub rules: Vec<Source>,
    pub role: bool,
}

pub async fn read(aws: &Reader, ask: &Ask) -> Observed {
    let (events, iam) = (aws.events(), aws.iam());
    let rules = join_all(ask.rules.iter().map(async |source| {
        let found = rule_of(&events, source.rule()).await;
        (*source, found.map_or_else(Sight::Unseen, Sight::Seen))
    }));
    let role = OptionFuture::from(ask.role.then(|| read_role(&iam, ROLE)));
    let (rules, role) = join!(rules, role);
    Observed {
        rules: rules.into_iter().collect(),
        role: role.map(|found| found.map_or_else(Sight::Unseen, Sight::Seen)),
    }
}
