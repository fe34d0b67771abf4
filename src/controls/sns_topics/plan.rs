//! Declared beside live, one topic at a time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::endpoint::Subscription;
use super::live::{self, State, Topic};
use super::policy;
use super::spec::{Encryption, TopicSpec};
use super::write::{Settings, Write};
use crate::control::{
    Change, Direction, Facts, Field, Finding, Known, ManualTask, Risk, Sight, Thing, Verdict, Verified,
};
use crate::fault::Fault;
use crate::pointer;

/// One declared topic in one scope.
#[derive(Clone, Copy)]
pub struct Declared<'a> {
    pub facts: &'a Facts,
    pub known: &'a Known,
    pub name: &'a str,
    pub spec: &'a TopicSpec,
}

fn unasked(call: &str) -> Fault {
    Fault::not_asked(call)
}

fn unknown(fault: &Fault) -> Verdict<Write> {
    Verdict::Unknown { fault: fault.clone() }
}

/// The topic's key, by its name.
pub fn key(facts: &Facts, spec: &TopicSpec) -> Option<Thing> {
    let alias = spec.key.as_ref()?.own_alias()?.to_owned();
    let (account, region) = (facts.scope.account.clone(), facts.scope.region.clone());
    Some(Thing::Key { account, region, alias })
}

impl Declared<'_> {
    /// The path of the topic itself.
    pub fn whole(&self) -> String {
        format!("/topics/{}", pointer::escaped(self.name))
    }

    /// The path of a leaf of the topic.
    pub fn path(&self, leaf: &str) -> String {
        format!("{}/{leaf}", self.whole())
    }

    fn tag(&self, name: &str) -> String {
        self.path(&format!("tags/{}", pointer::escaped(name)))
    }

    fn say(&self, rule: &str, verdict: Verdict<Write>) -> Finding<Write> {
        Finding::new(self.name, rule, verdict)
    }

    fn key(&self) -> Option<Thing> {
        key(self.facts, self.spec)
    }

    pub fn findings(&self, sight: Option<&Sight<Option<Topic>>>) -> Vec<Finding<Write>> {
        match sight {
            None => vec![self.say("topic", unknown(&unasked(live::ATTRIBUTES)))],
            Some(Sight::Unseen(fault)) => vec![self.say("topic", unknown(fault))],
            Some(Sight::Seen(None)) => vec![self.say("topic", self.create())],
            Some(Sight::Seen(Some(live))) => self.beside(live),
        }
    }

    /// There is no topic: one change makes it whole, with everybody who gets its messages.
    fn create(&self) -> Verdict<Write> {
        let Self { facts, name, spec, .. } = self;
        let mut fields = Vec::new();
        if let Some(display) = &spec.display_name {
            fields.push(Field::new(self.path("displayName"), Value::Null, display.as_str()));
        }
        if let Some(key) = &spec.key {
            fields.push(Field::new(self.path("key"), Value::Null, key.word()));
        }
        let (policy, of_policy, evidence) = policy::absent(self);
        fields.extend(of_policy);
        let mut tags = facts.tags.clone();
        for (tag, value) in &spec.tags {
            fields.push(Field::new(self.tag(tag), Value::Null, value.as_str()));
            tags.insert(tag.clone(), value.clone());
        }
        let alias = match &spec.key {
            Some(Encryption::Alias(alias)) => Some(alias.clone()),
            Some(Encryption::None) | None => None,
        };
        let settings = Settings { display_name: spec.display_name.clone(), key: alias, policy };
        let mut steps = vec![Write::Create { topic: (*name).into(), settings, tags }];
        let mut evidence: Vec<String> = evidence.into_iter().collect();
        for (label, subscription) in &spec.subscriptions {
            fields.extend(self.subscription_fields(label, subscription));
            steps.push(self.subscribe(label, subscription));
        }
        if !spec.subscriptions.is_empty() {
            evidence.push("each subscription of a mailbox or address has to be confirmed there".into());
        }
        if fields.is_empty() {
            fields.push(Field::new(self.whole(), Value::Null, "a topic"));
        }
        let (account, region) = (facts.scope.account.clone(), facts.scope.region.clone());
        Verdict::Change(Change {
            evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
            makes: vec![Thing::Topic { account, region, name: (*name).into() }],
            stands_on: Some(self.key().into_iter().collect()),
            ..Change::create(fields, steps)
        })
    }

    fn subscription_fields(&self, label: &str, subscription: &Subscription) -> [Field; 2] {
        let path = |leaf: &str| self.path(&format!("subscriptions/{}/{leaf}", pointer::escaped(label)));
        [
            Field::new(path("protocol"), Value::Null, subscription.protocol.word()),
            Field::new(path("endpoint"), Value::Null, subscription.shown()),
        ]
    }

    fn subscribe(&self, label: &str, subscription: &Subscription) -> Write {
        Write::Subscribe { topic: self.name.into(), label: label.into(), to: subscription.clone() }
    }

    /// What is the matter with a topic that is there.
    fn beside(&self, live: &Topic) -> Vec<Finding<Write>> {
        let spec = self.spec;
        let mut findings = vec![self.say("topic", Verdict::InSync)];
        if let Some(display) = &spec.display_name {
            findings.push(self.say("display-name", self.display_name(display, live)));
        }
        if let Some(want) = &spec.key {
            findings.push(self.say("encryption", self.encryption(want, live)));
        }
        let of_policy = |verdict: &dyn Fn(&Value) -> Verdict<Write>| match &live.policy {
            Sight::Seen(policy) => verdict(policy),
            Sight::Unseen(fault) => unknown(fault),
        };
        if spec.declares_policy() {
            findings.push(self.say("policy", of_policy(&|live| policy::beside(self, live))));
        }
        findings.push(self.say("public", of_policy(&|live| policy::public(self, live))));
        if !spec.tags.is_empty() {
            findings.push(self.say(
                "tags",
                match &live.tags {
                    Some(Sight::Seen(tags)) => self.tags(tags),
                    Some(Sight::Unseen(fault)) => unknown(fault),
                    None => unknown(&unasked(live::TAGS)),
                },
            ));
        }
        for (label, subscription) in &spec.subscriptions {
            let verdict = match &live.subscriptions {
                Some(Sight::Seen(states)) => match states.get(label) {
                    Some(state) => self.subscription(label, subscription, *state),
                    None => unknown(&unasked(live::SUBSCRIPTIONS)),
                },
                Some(Sight::Unseen(fault)) => unknown(fault),
                None => unknown(&unasked(live::SUBSCRIPTIONS)),
            };
            findings.push(Finding::new(format!("{}/{label}", self.name), "subscription", verdict));
        }
        findings
    }

    fn display_name(&self, want: &str, live: &Topic) -> Verdict<Write> {
        if want == live.display_name {
            return Verdict::InSync;
        }
        let field = Field::new(self.path("displayName"), live.display_name.as_str(), want);
        let step = Write::DisplayName { topic: self.name.into(), display_name: want.into() };
        Verdict::Change(Change {
            direction: Direction::Neutral,
            stands_on: Some(Vec::new()),
            ..Change::update(vec![field], vec![step])
        })
    }

    fn encryption(&self, want: &Encryption, live: &Topic) -> Verdict<Write> {
        let thing = self.key();
        let same = match (want, live.key.as_deref()) {
            (Encryption::None, None) => true,
            (Encryption::None, Some(_)) | (Encryption::Alias(_), None) => false,
            (Encryption::Alias(alias), Some(key)) => {
                let arn = thing.as_ref().and_then(|thing| self.known.arn(thing));
                key == alias
                    || key.ends_with(&format!(":{alias}"))
                    || arn.is_some_and(|arn| arn == key || arn.ends_with(&format!("/{key}")))
            }
        };
        if same {
            return Verdict::InSync;
        }
        // Whether the key that is live is the one that the alias names is not known.
        if let (Some(_), Some(fault)) = (&live.key, thing.as_ref().and_then(|thing| self.known.fault(thing)))
        {
            return unknown(fault);
        }
        let before = match live.key.as_deref() {
            None => "none".to_owned(),
            Some(key) => key.rfind("alias/").map_or_else(|| "another key".into(), |at| key[at..].to_owned()),
        };
        let (alias, risk, direction, evidence) = match want {
            Encryption::None => (String::new(), Risk::Safe, Direction::Weakens, None),
            Encryption::Alias(alias) => (
                alias.clone(),
                Risk::Disruptive,
                if live.key.is_none() { Direction::Strengthens } else { Direction::Neutral },
                Some("services that the key does not let use it cannot publish any more".to_owned()),
            ),
        };
        Verdict::Change(Change {
            risk,
            direction,
            evidence,
            stands_on: Some(thing.into_iter().collect()),
            ..Change::update(
                vec![Field::new(self.path("key"), before, want.word())],
                vec![Write::Key { topic: self.name.into(), alias }],
            )
        })
    }

    fn tags(&self, live: &BTreeMap<String, String>) -> Verdict<Write> {
        let differing: BTreeMap<String, String> = self
            .spec
            .tags
            .iter()
            .filter(|(name, value)| live.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if differing.is_empty() {
            return Verdict::InSync;
        }
        let field = |(name, value): (&String, &String)| {
            let before = live.get(name).map_or(Value::Null, |value| value.as_str().into());
            Field::new(self.tag(name), before, value.as_str())
        };
        let fields = differing.iter().map(field).collect();
        let step = Write::Tag { topic: self.name.into(), tags: differing };
        Verdict::Change(Change {
            direction: Direction::Neutral,
            stands_on: Some(Vec::new()),
            ..Change::update(fields, vec![step])
        })
    }

    fn subscription(&self, label: &str, subscription: &Subscription, state: State) -> Verdict<Write> {
        match state {
            State::Confirmed => Verdict::InSync,
            State::Pending => Verdict::Manual(self.confirm(label, subscription)),
            State::Absent => Verdict::Change(Change {
                stands_on: Some(Vec::new()),
                ..Change::create(
                    self.subscription_fields(label, subscription).into(),
                    vec![self.subscribe(label, subscription)],
                )
            }),
        }
    }

    /// Nobody but who reads the mailbox, or answers at the address, can do it.
    fn confirm(&self, label: &str, subscription: &Subscription) -> ManualTask {
        let shown = subscription.shown();
        let protocol = subscription.protocol.word();
        let mut steps = if subscription.is_confirmed_by_mail() {
            vec![
                format!("Open the mailbox {shown}, and its spam folder."),
                "Find `AWS Notification - Subscription Confirmation` from no-reply@sns.amazonaws.com,".into(),
                format!("see that it names the topic {}, and follow its link.", self.name),
            ]
        } else {
            vec![
                format!("Whatever answers at {shown} has to confirm: it gets a message of"),
                "the type SubscriptionConfirmation, and opens the SubscribeURL that is in it.".into(),
            ]
        };
        steps.extend([
            "The link holds for two days; then SNS forgets the subscription, and the next apply".to_owned(),
            "makes it again. To have the message sent again before: in the console of SNS, topic".into(),
            format!("{}, its subscription, Request confirmation.", self.name),
        ]);
        ManualTask {
            title: format!("Confirm the subscription of {label} to {}", self.name),
            found: vec![("subscription".into(), format!("{protocol} {shown}, not confirmed"))],
            steps,
            verified: Verified::ByObservation,
        }
    }
}
