//! The log group, its retention, and the role that CloudTrail writes to it with.

use serde_json::Value;

use super::arn::Arn;
use super::live::{Logs, Role, Trail};
use super::send::logs_statement;
use super::spec::{NONE, ROLE, TrailSpec};
use super::write::{Settings, Write};
use crate::control::{Direction, Facts, Field, ManualTask, Retention, Risk, Verified};
use crate::diff::policy;

/// What is to be done, before it is said which calls the trail itself takes.
#[derive(Debug, Default)]
pub struct Work {
    pub fields: Vec<Field>,
    /// For the group and the role; not for the trail.
    pub steps: Vec<Write>,
    /// Where the trail has to be turned to, if it has to be.
    pub settings: Option<Settings>,
    pub directions: Vec<Direction>,
    pub destroys: Option<String>,
    pub cost: Option<String>,
    pub carries: Option<String>,
    /// What no call of this control does.
    pub by_hand: Option<ManualTask>,
}

const GROUP_PATH: &str = "/cloudWatchLogs/group";
const RETENTION_PATH: &str = "/cloudWatchLogs/retentionDays";
const ROLE_PATH: &str = "/cloudWatchLogs/role";

/// The name that an ARN of the trail goes by here, or whose it is.
fn word(facts: &Facts, arn: Option<&String>) -> Option<String> {
    let arn = Arn::of(arn?);
    let here = arn.account == facts.scope.account.as_str()
        && (arn.region.is_empty() || arn.region == facts.scope.region.as_str());
    Some(if here { arn.name().to_owned() } else { format!("in account {} {}", arn.account, arn.region) })
}

/// Declared beside live. Without a trail, for one that is about to be made.
pub fn work(facts: &Facts, spec: &TrailSpec, trail: Option<&Trail>, logs: Option<&Logs>) -> Work {
    let mut work = Work::default();
    let live_group = word(facts, trail.and_then(|trail| trail.group_arn.as_ref()));
    let live_role = word(facts, trail.and_then(|trail| trail.role_arn.as_ref()));
    let before = |live: &Option<String>| match (live, trail) {
        (Some(name), _) => Value::from(name.as_str()),
        (None, Some(_)) => NONE.into(),
        (None, None) => Value::Null,
    };
    let declared = &spec.cloud_watch_logs;
    if declared.group.as_deref() == Some(NONE) {
        if live_group.is_some() {
            work.fields.push(Field::new(GROUP_PATH, before(&live_group), NONE));
            work.directions.push(Direction::Weakens);
            work.settings = Some(Settings {
                group: Some(String::new()),
                role: Some(String::new()),
                ..Settings::default()
            });
        }
        return work;
    }
    let Some(logs) = logs else { return work };
    let wanted = declared.wanted_group();
    let turns = wanted.is_some() && wanted != live_group.as_deref();
    if turns {
        work.fields.push(Field::new(GROUP_PATH, before(&live_group), logs.group.as_str()));
        let better = if live_group.is_none() { Direction::Strengthens } else { Direction::Neutral };
        work.directions.push(better);
        if live_group.is_none() {
            work.cost = Some("CloudWatch Logs charges for what it takes in".into());
        }
    } else if wanted.is_some() && !logs.exists {
        // The trail is told to write to a group that is gone.
        work.fields.push(Field::new(GROUP_PATH, Value::Null, logs.group.as_str()));
        work.directions.push(Direction::Strengthens);
    }
    if wanted.is_some() && !logs.exists {
        work.steps.push(Write::CreateLogGroup { group: logs.group.clone(), tags: facts.tags.clone() });
    }
    if logs.exists || wanted.is_some() {
        work.retain(logs, declared.retention_days);
    }
    let turns_role = logs.role.as_ref().is_some_and(|role| live_role.as_deref() != Some(&role.name));
    if let Some(role) = &logs.role {
        let steps = work.steps.len();
        work.allow(facts, spec, trail, &logs.group, role);
        let now = if turns_role { before(&live_role) } else { "a role that CloudTrail cannot use".into() };
        if declared.role.is_some() && (turns_role || (work.steps.len() > steps && !turns)) {
            work.fields.push(Field::new(ROLE_PATH, now, role.name.as_str()));
            work.directions.push(if live_role.is_some() {
                Direction::Neutral
            } else {
                Direction::Strengthens
            });
        } else if work.steps.len() > steps && work.fields.is_empty() {
            work.fields.push(Field::new(ROLE_PATH, now, role.name.as_str()));
            work.directions.push(Direction::Strengthens);
        } else if declared.role.is_none() && turns_role {
            work.carries = Some(format!("role {ROLE}: not declared, but CloudTrail needs one"));
        } else if declared.role.is_none() && work.steps.len() > steps {
            work.carries =
                Some(format!("role {}: not declared, but it must be let into the group", role.name));
        }
    }
    if turns || turns_role {
        let role = logs.role.as_ref().map(|role| role.name.clone()).or(live_role);
        work.settings = Some(Settings { group: Some(logs.group.clone()), role, ..Settings::default() });
    }
    work
}

impl Work {
    fn retain(&mut self, logs: &Logs, wanted: Option<Retention>) {
        let before = match (logs.exists, logs.retention_days) {
            (false, _) => Value::Null,
            (true, None) => Retention::Never.into(),
            (true, Some(days)) => days.into(),
        };
        match (wanted, logs.retention_days) {
            (Some(Retention::Days(days)), live) if live != Some(days) => {
                let sooner = logs.exists && live.is_none_or(|live| days < live);
                self.fields.push(Field::new(RETENTION_PATH, before, days));
                self.steps.push(Write::PutRetention { group: logs.group.clone(), days });
                self.directions.push(if sooner { Direction::Weakens } else { Direction::Strengthens });
                if sooner {
                    self.destroys = Some(format!("events in {} that are older are deleted", logs.group));
                }
            }
            (Some(Retention::Never), Some(days)) => {
                self.by_hand = Some(ManualTask {
                    title: format!("log group {} deletes events after {days} days", logs.group),
                    found: vec![("retentionDays".into(), days.to_string())],
                    steps: vec![
                        format!("aws logs delete-retention-policy --log-group-name {}", logs.group),
                        "baseline deletes nothing, not even a rule that deletes.".into(),
                    ],
                    verified: Verified::ByObservation,
                });
            }
            _ => {}
        }
    }

    /// The role, with the trust and the policy that CloudTrail needs.
    fn allow(&mut self, facts: &Facts, spec: &TrailSpec, trail: Option<&Trail>, group: &str, role: &Role) {
        match &role.trust {
            None => self.steps.push(Write::CreateRole { role: role.name.clone(), tags: facts.tags.clone() }),
            Some(trust) if trusts_cloudtrail(trust) => {}
            Some(_) if is_ours(facts, role) => self.steps.push(Write::Trust { role: role.name.clone() }),
            Some(_) => {
                self.by_hand = Some(ManualTask {
                    title: format!("role {} is somebody else's and does not trust CloudTrail", role.name),
                    found: vec![("role".into(), role.name.clone())],
                    steps: vec![
                        "Name another role under `cloudWatchLogs.role`, or let".into(),
                        "cloudtrail.amazonaws.com take this one (sts:AssumeRole).".into(),
                    ],
                    verified: Verified::ByObservation,
                });
                return;
            }
        }
        let of_organization = spec.organization_trail == Some(true)
            || (spec.organization_trail.is_none() && trail.is_some_and(|trail| trail.organization));
        let organization = facts.organization.as_ref().and_then(|organization| organization.id.clone());
        let organization = organization.filter(|_| of_organization);
        let statement = logs_statement(&facts.scope, group, organization.as_deref());
        if !policy::lacking(role.policy.as_ref(), &[statement]).is_empty() {
            let (role, group) = (role.name.clone(), group.to_owned());
            self.steps.push(Write::PutRolePolicy { role, group, organization });
        }
    }

    pub fn risk(&self) -> Risk {
        match self.destroys {
            Some(_) => Risk::Destructive,
            None => Risk::Safe,
        }
    }
}

/// A role that this control made has its name, or the tags of everything that baseline creates.
fn is_ours(facts: &Facts, role: &Role) -> bool {
    let tagged = facts.tags.iter().all(|(key, value)| role.tags.get(key) == Some(value));
    role.name == ROLE || (tagged && !facts.tags.is_empty())
}

/// Does a statement let CloudTrail take the role? Of its conditions AWS has the last word.
fn trusts_cloudtrail(trust: &Value) -> bool {
    let list = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    list(&trust["Statement"]).iter().any(|statement| {
        statement["Effect"] == "Allow"
            && list(&statement["Principal"]["Service"]).iter().any(|one| one == "cloudtrail.amazonaws.com")
            && list(&statement["Action"]).iter().any(|one| one == "sts:AssumeRole" || one == "sts:*")
    })
}
