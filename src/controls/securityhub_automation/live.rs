//! What Security Hub says of its automation rules.

use std::collections::BTreeMap;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::AutomationRulesConfig;
use serde::{Deserialize, Serialize};

use super::action::{Action, Actions};
use super::criteria::Criteria;
use super::spec::{RuleSpec, Status};
use super::write::fault_of;
use crate::aws::fault;
use crate::control::{Bounded, Sight};
use crate::fault::{Fault, FaultKind};

pub const LIST: &str = "securityhub:ListAutomationRules";
pub const GET: &str = "securityhub:BatchGetAutomationRules";
pub const ADMINISTRATOR: &str = "securityhub:GetAdministratorAccount";

/// `BatchGetAutomationRules` takes so many, which is also how many a region has.
pub const MOST: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// By name, which several can have.
    pub rules: BTreeMap<String, Vec<Sight<LiveRule>>>,
    /// The account that administers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
}

/// A rule without its ARN, which nobody but the next call wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveRule {
    pub order: i32,
    /// As AWS says it: `ENABLED`.
    pub status: String,
    pub terminal: bool,
    pub description: String,
    pub criteria: Criteria,
    pub actions: Vec<Action>,
}

impl Live {
    /// How many rules there are.
    pub fn count(&self) -> usize {
        self.rules.values().map(Vec::len).sum()
    }

    /// What can be declared: rules that could be read, and that have their name to themselves.
    pub fn described(&self) -> BTreeMap<String, Option<RuleSpec>> {
        let described = |(name, rules): (&String, &Vec<Sight<LiveRule>>)| match &rules[..] {
            [Sight::Seen(rule)] => Some((name.clone(), Some(rule.described()))),
            _ => None,
        };
        self.rules.iter().filter_map(described).collect()
    }
}

impl LiveRule {
    fn described(&self) -> RuleSpec {
        let actions = Actions(self.actions.clone());
        let hides = actions.hides().is_some();
        RuleSpec {
            order: u32::try_from(self.order).ok().and_then(Bounded::new),
            status: Status::of(&self.status),
            terminal: Some(self.terminal),
            description: Some(self.description.clone()),
            criteria: Some(self.criteria.clone()),
            actions: Some(actions),
            reason: hides.then(|| "it was there before it was declared".into()),
        }
    }

    pub fn is_enabled(&self) -> bool {
        self.status == "ENABLED"
    }
}

impl From<AutomationRulesConfig> for LiveRule {
    fn from(sdk: AutomationRulesConfig) -> Self {
        Self {
            order: sdk.rule_order.unwrap_or_default(),
            status: sdk.rule_status.map_or_else(String::new, |status| status.as_str().to_owned()),
            terminal: sdk.is_terminal.unwrap_or_default(),
            description: sdk.description.unwrap_or_default(),
            criteria: sdk.criteria.map(Into::into).unwrap_or_default(),
            actions: sdk.actions.unwrap_or_default().into_iter().map(Into::into).collect(),
        }
    }
}

/// All rules with their names and ARNs. There is no paginator. `None` where Security Hub is not enabled.
pub async fn named(hub: &Client) -> Result<Option<Vec<(String, String)>>, Fault> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = match hub.list_automation_rules().set_next_token(token).send().await {
            Ok(page) => page,
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_invalid_access_exception()) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(fault(LIST)(error)),
        };
        all.extend(
            page.automation_rules_metadata
                .unwrap_or_default()
                .into_iter()
                .filter_map(|rule| Some((rule.rule_name?, rule.rule_arn?))),
        );
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(Some(all));
        }
    }
}

pub async fn read(hub: &Client) -> Result<Live, Fault> {
    let Some(named) = named(hub).await? else { return Ok(Live::default()) };
    let (seen, administrator) = futures::try_join!(read_rules(hub, &named), read_administrator(hub))?;
    let mut rules = BTreeMap::<String, Vec<Sight<LiveRule>>>::new();
    for ((name, _), sight) in named.into_iter().zip(seen) {
        rules.entry(name).or_default().push(sight);
    }
    Ok(Live { rules, administrator })
}

/// In the order of `named`.
async fn read_rules(hub: &Client, named: &[(String, String)]) -> Result<Vec<Sight<LiveRule>>, Fault> {
    let mut seen = BTreeMap::new();
    for some in named.chunks(MOST) {
        let arns = some.iter().map(|(_, arn)| arn.clone()).collect();
        let call = hub.batch_get_automation_rules().set_automation_rules_arns(Some(arns));
        let answer = call.send().await.map_err(fault(GET))?;
        for rule in answer.rules.unwrap_or_default() {
            if let Some(arn) = rule.rule_arn.clone() {
                seen.insert(arn, Sight::Seen(rule.into()));
            }
        }
        for left in answer.unprocessed_automation_rules.unwrap_or_default() {
            let why = fault_of(GET, &left);
            seen.extend(left.rule_arn.map(|arn| (arn, Sight::Unseen(why))));
        }
    }
    let nothing = || Sight::Unseen(Fault::local(FaultKind::NotFound, GET, "the answer leaves it out"));
    Ok(named.iter().map(|(_, arn)| seen.remove(arn).unwrap_or_else(nothing)).collect())
}

/// The administrator and an account on its own get an answer without content. The status of a member is written in
/// more than one way; what is told apart is what never began and what has ended (API reference, `Member`).
async fn read_administrator(hub: &Client) -> Result<Option<String>, Fault> {
    let answer = hub.get_administrator_account().send().await.map_err(fault(ADMINISTRATOR))?;
    let ended = ["Created", "Invited", "Removed", "Resigned", "Deleted"];
    let is = |status: &str| !ended.iter().any(|word| word.eq_ignore_ascii_case(status));
    let administers = answer.administrator.filter(|one| one.member_status.as_deref().is_none_or(is));
    Ok(administers.and_then(|one| one.account_id))
}
