//! `sns.topics`: topics for notifications, who may publish to them and who gets their messages.
//!
//! A finding for each topic and rule, and one for each subscription, whose resource is `TOPIC/SUBSCRIPTION`. A topic
//! that is not there is one finding that makes it whole, and the others are silent.

use std::collections::BTreeMap;

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Sight, Tags,
};
use crate::fault::Fault;
use crate::pointer;

mod endpoint;
mod live;
mod plan;
mod policy;
mod publisher;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Observed, Wanted};
use plan::Declared;
use spec::{Encryption, TopicSpec, TopicsSpec};
use write::Write;

pub struct Topics;

impl Control for Topics {
    const META: Meta = Meta {
        id: "sns.topics",
        title: "Alerts reach somebody, and nobody else can send any",
        docs: "\
## What it checks

Each declared topic, by its name, in each region (`regions: [home]` for one): whether it is there, its display
name and tags, the KMS key that its messages wait under, its policy, and its subscriptions.

`publishers` names the services that may publish:

- `cloudwatch`: alarms
- `events`: rules of EventBridge
- `config`, `cloudtrail`: notifications of their deliveries
- `budgets`, `costalerts`: budgets and cost anomalies
- `s3`: events of buckets

`from` says for whom: this `account`, by `aws:SourceAccount`, or the `organization`, by `aws:SourceOrgID`.
EventBridge tells SNS neither, and with a condition in its statement every message is lost without an error; its
statement has none. It publishes as a service for rules of the topic's own account only.

Policies are compared by what they mean. Statements of others stay, and one that says the same as ours under
another name is as good. A statement that opens the topic to everyone is reported, whoever wrote it.

A subscription is known by where it goes. One that waits for confirmation is a task by hand that says which
mailbox to open; the next plan sees when it is done. Subscriptions that are not declared are left alone, and
where they go is neither kept nor printed. Of a web address only the host is printed.

## Why it matters

An alarm that nobody gets is no alarm. A mailbox that was never confirmed looks like one that is subscribed, and
a topic whose policy or key keeps a service out loses its messages in silence. A topic that everybody may
publish to is how somebody drowns the one alert that counts, or sends one of his own.

## What apply does

A topic that is not there is made in one call, with its policy and key, and then each subscription. The policy
that SNS gives a new topic stays in it: the owner may do everything, and alarms of the account publish by it.
Of a topic that exists only what differs is written. Its policy is read right before it is written and goes back
whole, with the statements of others. Nothing is taken out of it, and nobody is unsubscribed.

The key must let the publishers use it: `usedBy: [cloudwatch, events]` of `kms.keys`. AWS's own `alias/aws/sns`
lets no service in, and is refused beside `publishers`. A queue or a function that is subscribed must let the
topic in by its own policy: that is its owner's to write.

E-mails come from no-reply@sns.amazonaws.com. SNS forgets a subscription that was not confirmed for two days,
and the next apply makes it again, which sends the message again.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Ending encryption
weakens, so apply asks for `--allow weakening:TOPIC`. Topics, subscriptions, publishers and tags that were added
stay until somebody takes them out: baseline deletes nothing.
",
        example: "\
topics:
  baseline-alerts:
    displayName: Security alerts
    key: alias/baseline/logs
    publishers: [budgets, cloudwatch, config, events]
    from: organization
    tlsOnly: true
    subscriptions:
      security-team: {protocol: email, endpoint: security@acme.example}
      archive: {protocol: sqs, endpoint: security-alerts}
    tags:
      data: internal
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "topic", severity: Severity::High, frameworks: &[] },
            Rule { id: "display-name", severity: Severity::Low, frameworks: &[] },
            Rule { id: "encryption", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "policy", severity: Severity::High, frameworks: &[] },
            Rule { id: "public", severity: Severity::High, frameworks: &["fsbp/SNS.4"] },
            Rule { id: "subscription", severity: Severity::High, frameworks: &[] },
            Rule { id: "tags", severity: Severity::Low, frameworks: &[] },
        ],
        reads: &[Call::new(live::ATTRIBUTES), Call::new(live::SUBSCRIPTIONS), Call::new(live::TAGS)],
        writes: &[write::CREATE, write::SET, write::SUBSCRIBE, write::TAG],
        events: &["sns:DeleteTopic", "sns:Unsubscribe", "sns:SetSubscriptionAttributes", "sns:AddPermission", "sns:RemovePermission", "sns:UntagResource"],
        undo: Some("baseline deletes no topic, no subscription and no statement of a policy"),
        tags: true,
    };
    type Desired = TopicsSpec;
    type Ask = BTreeMap<String, Wanted>;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &TopicsSpec) -> Self::Ask {
        let by_tags = facts.asks_tags(Self::META.id);
        let wanted = |topic: &TopicSpec| Wanted {
            subscriptions: topic
                .subscriptions
                .iter()
                .map(|(label, subscription)| (label.clone(), subscription.endpoint(&facts.scope)))
                .collect(),
            tags: by_tags || !topic.tags.is_empty(),
        };
        spec.topics.iter().map(|(name, topic)| (name.clone(), wanted(topic))).collect()
    }

    async fn observe(&self, aws: &Reader, ask: &Self::Ask) -> Result<Observed, Fault> {
        Ok(live::read(aws, ask).await)
    }

    fn needs(&self, facts: &Facts, spec: &TopicsSpec) -> Vec<Need> {
        let mut keys: Vec<_> = spec.topics.values().filter_map(|topic| plan::key(facts, topic)).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().map(Need::hard).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &TopicsSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        let one = |(name, spec)| Declared { facts, known, name, spec }.findings(observed.get(name));
        spec.topics.iter().map(|(name, spec)| (name.as_str(), spec)).flat_map(one).collect()
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    /// Without subscriptions: where those of others go is not kept.
    fn import(&self, facts: &Facts, known: &Known, observed: &Observed) -> Option<TopicsSpec> {
        let topics: BTreeMap<String, TopicSpec> = observed
            .iter()
            .filter_map(|(name, sight)| match sight {
                Sight::Seen(Some(live)) => Some((name.clone(), import(facts, known, name, live))),
                Sight::Seen(None) | Sight::Unseen(_) => None,
            })
            .collect();
        (!topics.is_empty()).then_some(TopicsSpec { topics })
    }

    /// A subscription has those of its topic.
    fn tags(&self, observed: &Observed) -> BTreeMap<String, Tags> {
        let mut all = BTreeMap::new();
        for (name, sight) in observed {
            let Sight::Seen(Some(live::Topic { tags: Some(tags), subscriptions, .. })) = sight else {
                continue;
            };
            if let Some(Sight::Seen(subscriptions)) = subscriptions {
                all.extend(subscriptions.keys().map(|label| (format!("{name}/{label}"), tags.clone())));
            }
            all.insert(name.clone(), tags.clone());
        }
        all
    }

    /// Nothing is taken out again: what was not there before says nothing.
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<TopicsSpec> {
        let topic = resource.split('/').next().unwrap_or(resource);
        let mut spec = TopicSpec::default();
        for field in fields {
            let text = field.before.as_str().map(str::to_owned);
            let mut path = field.path.trim_start_matches("/topics/").splitn(3, '/').skip(1);
            match (path.next(), path.next()) {
                (Some("displayName"), None) => spec.display_name = text,
                (Some("key"), None) => spec.key = text.and_then(|text| Encryption::try_from(text).ok()),
                (Some("publishers"), None) => {
                    spec.publishers = serde_json::from_value(field.before.clone()).ok().flatten();
                }
                (Some("from"), None) => {
                    spec.from = serde_json::from_value(field.before.clone()).ok().flatten();
                }
                (Some("tags"), Some(tag)) => {
                    let tag = pointer::unescaped(tag);
                    spec.tags.extend(text.map(|value| (tag, value)));
                }
                _ => {}
            }
        }
        Some(TopicsSpec { topics: BTreeMap::from([(topic.to_owned(), spec)]) })
    }
}

/// One topic in the words of the spec. A key that goes by an id has no word.
fn import(facts: &Facts, known: &Known, name: &str, live: &live::Topic) -> TopicSpec {
    let nothing = TopicSpec::default();
    let policy = match &live.policy {
        Sight::Seen(policy) => policy::import(&Declared { facts, known, name, spec: &nothing }, policy),
        Sight::Unseen(_) => TopicSpec::default(),
    };
    let mut tags = match &live.tags {
        Some(Sight::Seen(tags)) => tags.clone(),
        Some(Sight::Unseen(_)) | None => BTreeMap::new(),
    };
    tags.retain(|name, _| !name.starts_with("aws:"));
    let key = match live.key.as_deref() {
        None => Some(Encryption::None),
        Some(key) => key.rfind("alias/").and_then(|at| Encryption::try_from(key[at..].to_owned()).ok()),
    };
    // The key of AWS and publishers cannot be declared together, and may be live together.
    let serves = policy.publishers.as_ref().is_some_and(|all| !all.is_empty());
    let key = key.filter(|key| !serves || key.own_alias().is_some() || *key == Encryption::None);
    TopicSpec { display_name: Some(live.display_name.clone()), key, tags, ..policy }
}
