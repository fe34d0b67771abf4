//! `kms.keys`: customer managed keys, by alias.
//!
//! A finding for each key and rule. `key` is whether it is there under its alias; what stands in the key
//! policy, how it is rotated, described and tagged are rules of their own with one call each. A key that is
//! made, or was half made, is one finding that makes it whole, and the others are silent.

use std::collections::BTreeMap;

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Field, Finding, Known, Meta, Reach, Rule, Severity, Sight, Tags};
use crate::fault::Fault;
use crate::pointer;

mod live;
mod plan;
mod policy;
mod services;
mod spec;
mod statement;
#[cfg(test)]
mod tests;
mod write;

use live::{Key, Observed, Wanted};
use plan::Declared;
use spec::{KeySpec, KeysSpec, MARK, RotationDays};
use write::Write;

pub struct Keys;

impl Control for Keys {
    const META: Meta = Meta {
        id: "kms.keys",
        title: "Keys for encryption are there, rotated, and in the right hands",
        docs: "\
## What it checks

Each declared key, by its alias, in each region: whether there is one, whether it is enabled or about to be
deleted, how often KMS rotates it, its description and tags, and its key policy. `usedBy` names the services
that use the key:

- `cloudtrail`: encrypted trails, also into buckets with a bucket key
- `config`: snapshots and history in the archive
- `guardduty`: exported findings
- `logs`: log groups of CloudWatch Logs
- `log-delivery`: logs that services send to S3 themselves, such as flow logs
- `s3`: inventory reports, and events of buckets for encrypted topics and queues
- `sns`: encrypted queues that subscribe to a topic
- `events`, `cloudwatch`: rules and alarms that notify encrypted topics
- `inspector`: exported findings reports
- `macie`: results of sensitive data discovery

`from` says for whom. `organization` asks for `aws:SourceOrgID`, so that accounts come and go without a change;
a list of accounts asks for `aws:SourceAccount` or the like. CloudWatch Logs and EventBridge tell KMS no organisation:
with `organization`, `logs` and `events` may use the key for log groups and topics of its own account. A list only grows.

Policies are compared by what they mean. Statements of others stay, and one that says the same as ours under
another name is as good. A statement that opens the key to everyone is reported, whoever wrote it.

KMS rotates symmetric keys whose material it made itself. For others a period is reported as not offered.

## Why it matters

Who holds the key reads the logs, the backups and the disks, whatever the bucket says. A key that is disabled
stops every delivery that is encrypted with it; a key that is deleted takes all of it along for good, and
seven to thirty days is all the time there is to notice.

## What apply does

Where there is no key it makes one, with policy, tags, alias and rotation. `CreateKey` has no token that would
make it safe to send twice, so it is sent once, and tagged `baseline:alias`: a key whose making was never
answered, or that lost its alias, is found by that tag and gets its alias. A key is charged by the month.

A disabled key is enabled, and a scheduled deletion is cancelled. The key policy is read right before it is
written and goes back whole, with the statements of others and with the account itself in it: nobody is locked
out. Nothing is taken out of it, and no key, alias or tag is ever deleted. A statement for everyone is closed
by hand.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Rotating less often
weakens, so apply asks for `--allow weakening:ALIAS`. Services, accounts and statements that were added to the
policy stay until somebody takes them out. baseline never deletes a key: schedule its deletion yourself, with
`aws kms schedule-key-deletion`, once nothing is encrypted with it any more.
",
        example: "\
keys:
  alias/baseline/logs:
    description: Everything that is logged
    rotationDays: 365
    usedBy: [cloudtrail, config, guardduty, logs]
    from: organization
    statements:
      NobodyDeletes:
        Effect: Deny
        Principal: \"*\"
        Action: [kms:ScheduleKeyDeletion]
        Resource: \"*\"
    tags:
      data: internal
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "key", severity: Severity::High, frameworks: &[] },
            Rule { id: "enabled", severity: Severity::High, frameworks: &[] },
            Rule { id: "pending-deletion", severity: Severity::Critical, frameworks: &["fsbp/KMS.3"] },
            Rule { id: "policy", severity: Severity::High, frameworks: &[] },
            Rule {
                id: "rotation",
                severity: Severity::Medium,
                frameworks: &["cis-1.4.0/3.8", "cis-3.0.0/3.6", "cis-5.0.0/3.6", "fsbp/KMS.4"],
            },
            Rule { id: "description", severity: Severity::Low, frameworks: &[] },
            Rule { id: "tags", severity: Severity::Low, frameworks: &[] },
            Rule { id: "public", severity: Severity::Critical, frameworks: &["fsbp/KMS.5"] },
        ],
        reads: &[
            Call::new("kms:DescribeKey"),
            Call::new("kms:GetKeyPolicy"),
            Call::new("kms:GetKeyRotationStatus"),
            Call::new("kms:ListKeys"),
            Call::new("kms:ListResourceTags"),
        ],
        writes: &[
            write::CREATE,
            write::NAME,
            write::ROTATE,
            write::STOP_ROTATING,
            write::UPDATE_DESCRIPTION,
            write::TAG,
            write::PUT_POLICY,
            write::CANCEL_DELETION,
            write::ENABLE,
        ],
        events: &["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DeleteAlias", "kms:UpdateAlias", "kms:UntagResource"],
        undo: Some("baseline never deletes a key, and takes nothing out of a key policy"),
        tags: true,
    };
    type Desired = KeysSpec;
    type Ask = BTreeMap<String, Wanted>;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &KeysSpec) -> Self::Ask {
        let by_tags = facts.asks_tags(Self::META.id);
        let wanted = |key: &KeySpec| Wanted {
            rotation: key.rotation_days.is_some(),
            tags: by_tags || !key.tags.is_empty(),
        };
        spec.keys.iter().map(|(alias, key)| (alias.clone(), wanted(key))).collect()
    }

    async fn observe(&self, aws: &Reader, ask: &Self::Ask) -> Result<Observed, Fault> {
        Ok(live::read(aws, ask).await)
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &KeysSpec, observed: &Observed) -> Vec<Finding<Write>> {
        let one = |(alias, spec)| Declared { facts, alias, spec }.findings(observed.get(alias));
        spec.keys.iter().map(|(alias, spec)| (alias.as_str(), spec)).flat_map(one).collect()
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, facts: &Facts, _: &Known, observed: &Observed) -> Option<KeysSpec> {
        let keys: BTreeMap<String, KeySpec> = observed
            .iter()
            .filter_map(|(alias, sight)| match sight {
                Sight::Seen(Some(live)) if live.aliased => Some((alias.clone(), import(facts, alias, live))),
                Sight::Seen(_) | Sight::Unseen(_) => None,
            })
            .collect();
        (!keys.is_empty()).then_some(KeysSpec { keys })
    }

    fn tags(&self, observed: &Observed) -> BTreeMap<String, Tags> {
        let tags = |(alias, sight): (&String, &Sight<Option<Key>>)| match sight {
            Sight::Seen(Some(key)) => Some((alias.clone(), key.tags.clone()?)),
            Sight::Seen(None) | Sight::Unseen(_) => None,
        };
        observed.iter().filter_map(tags).collect()
    }

    /// Nothing is taken out again: what was not there before says nothing.
    fn inverse(&self, alias: &str, fields: &[Field]) -> Option<KeysSpec> {
        let mut spec = KeySpec::default();
        for field in fields {
            let before = field.before.clone();
            let mut path = field.path.trim_start_matches("/keys/").splitn(3, '/').skip(1);
            match (path.next(), path.next()) {
                (Some("description"), None) => spec.description = before.as_str().map(str::to_owned),
                (Some("rotationDays"), None) => {
                    let days = before.as_u64().and_then(|days| u32::try_from(days).ok());
                    spec.rotation_days = days.and_then(RotationDays::new);
                }
                (Some("usedBy"), None) => spec.used_by = serde_json::from_value(before).ok().flatten(),
                (Some("from"), None) => spec.from = before.try_into().ok(),
                (Some("statements"), Some(sid)) if !statement::is_ours(&pointer::unescaped(sid)) => {
                    spec.statements
                        .extend(before.try_into().ok().map(|statement| (pointer::unescaped(sid), statement)));
                }
                (Some("tags"), Some(tag)) => {
                    spec.tags
                        .extend(before.as_str().map(|value| (pointer::unescaped(tag), value.to_owned())));
                }
                _ => {}
            }
        }
        Some(KeysSpec { keys: BTreeMap::from([(alias.to_owned(), spec)]) })
    }
}

/// One key in the words of the spec.
fn import(facts: &Facts, alias: &str, live: &Key) -> KeySpec {
    let nothing = KeySpec::default();
    let policy = match &live.policy {
        Sight::Seen(policy) => policy::import(&Declared { facts, alias, spec: &nothing }, policy),
        Sight::Unseen(_) => KeySpec::default(),
    };
    let mut tags = match &live.tags {
        Some(Sight::Seen(tags)) => tags.clone(),
        Some(Sight::Unseen(_)) | None => BTreeMap::new(),
    };
    tags.retain(|name, _| name != MARK && !name.starts_with("aws:"));
    KeySpec {
        description: Some(live.description.clone()),
        rotation_days: match live.rotation {
            Some(Sight::Seen(days)) => RotationDays::new(days),
            Some(Sight::Unseen(_)) | None => None,
        },
        tags,
        ..policy
    }
}
