//! Declared beside live, one rule at a time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::queue::Queue;
use super::rules::{self, ROLE, Sender, Through, Writes};
use super::spec::HintsSpec;
use super::write::{Contents, Destination, Write, role};
use crate::control::{
    Change, Direction, Facts, Field, Finding, ManualTask, Need, Risk, Sight, Thing, Verdict, Verified,
};
use crate::controls::events_rule::{LIST, PUT_TARGETS, Role, Rule, TARGET, Target, covers, role_arn};
use crate::diff::policy;
use crate::fault::{Fault, FaultKind};
use crate::place::Region;

/// The rules that are there, by their names.
pub type Live = BTreeMap<String, Rule>;

impl HintsSpec {
    pub fn declares(&self) -> bool {
        self.queue.is_some() || self.enabled.is_some()
    }

    /// The queue of rules that are to be there.
    pub fn wants(&self) -> Option<&Queue> {
        self.queue.as_ref().filter(|_| self.enabled != Some(false))
    }

    /// Is the role looked after here? An account has it once; the queue's region looks after it.
    pub fn keeps_role(&self, facts: &Facts) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.region == facts.scope.region)
    }
}

fn the_role(facts: &Facts) -> Thing {
    Thing::Role { account: facts.scope.account.clone(), name: ROLE.into() }
}

/// All targets need the role, at home too.
pub fn needs(facts: &Facts, spec: &HintsSpec) -> Vec<Need> {
    spec.queue.as_ref().map(|_| Need::hard(the_role(facts))).into_iter().collect()
}

/// One account in one region.
pub struct Declared<'a> {
    pub facts: &'a Facts,
    pub spec: &'a HintsSpec,
    pub ours: &'a [Writes],
}

impl Declared<'_> {
    pub fn findings(&self, live: &Sight<Live>) -> Vec<Finding<Write>> {
        if !self.spec.declares() {
            return Vec::new();
        }
        let unknown = |fault| vec![Finding::new(ROLE, "rule", Verdict::Unknown { fault })];
        if let Some(queue) =
            self.spec.queue.as_ref().filter(|it| it.region.partition() != self.facts.partition)
        {
            let message = format!(
                "the queue is in {}, and nothing is sent there from {}",
                queue.region, self.facts.partition
            );
            return unknown(Fault::local(FaultKind::Invalid, PUT_TARGETS.operation, message));
        }
        let live = match live {
            Sight::Seen(live) => live,
            Sight::Unseen(fault) => return unknown(fault.clone()),
        };
        let writes = (1..=self.ours.len()).map(Sender::Writes);
        // Without a queue nobody knows where home is; what is there can be turned off all the same.
        let is_home = self.spec.queue.as_ref().map_or_else(
            || live.contains_key(&Sender::Heartbeats.rule()),
            |queue| queue.region == self.facts.scope.region,
        );
        let hearts = [Sender::Heartbeat].into_iter().chain(is_home.then_some(Sender::Heartbeats));
        writes.chain(hearts).flat_map(|sender| self.of(sender, live)).collect()
    }

    fn of(&self, sender: Sender, live: &Live) -> Vec<Finding<Write>> {
        let name = sender.rule();
        let say = |rule: &str, verdict| Finding::new(name.as_str(), rule, verdict);
        let Some(rule) = live.get(&name) else { return vec![say("rule", self.absent(sender, live))] };
        let mut findings = vec![say("rule", self.rule(sender, rule, live))];
        // One that is off, too: it may be turned on again.
        if let Some(queue) = self.spec.queue.as_ref().filter(|_| rule.managed_by.is_none()) {
            findings.push(say("target", self.target(sender, rule, queue)));
        }
        findings
    }

    /// How many calls that matter get through by no rule that sends, of how many that are this rule's. A newer version of
    /// `baseline` may have put them into another one.
    fn lacking(&self, sender: Sender, live: &Live) -> Option<(usize, usize)> {
        let Sender::Writes(number) = sender else { return None };
        let ours = self.ours.get(number.checked_sub(1)?)?;
        let sends = |(name, rule): (&String, &Rule)| {
            let number = match Sender::named(name)? {
                Sender::Writes(number) => number,
                Sender::Heartbeat | Sender::Heartbeats => return None,
            };
            // One of ours is made to send, where it does not; of others there may be more.
            let counts = number <= self.ours.len() || (rule.is_on() == Some(true) && self.arrives_from(rule));
            rule.pattern.as_ref().filter(|_| counts).and_then(Through::of)
        };
        let through: Vec<Through> = live.iter().filter_map(sends).collect();
        let lacking = ours.calls.iter().filter(|call| !through.iter().any(|rule| rule.lets(call))).count();
        Some((lacking, ours.calls.len()))
    }

    fn contents(&self, sender: Sender, live: Option<&Rule>) -> String {
        let pattern = live.and_then(|live| live.pattern.as_ref());
        let contents = Contents::of(sender, self.ours, &self.facts.scope.region, pattern);
        contents.map(|contents| contents.digest()).unwrap_or_default()
    }

    fn stands_on(&self) -> Vec<Thing> {
        needs(self.facts, self.spec).into_iter().map(|need| need.thing).collect()
    }

    fn queue(&self, before: Value) -> Field {
        Field::new("/queue", before, self.spec.queue.as_ref().map(Queue::to_string))
    }

    /// There is no rule: one change makes it and its target, unless others let all of its calls through.
    fn absent(&self, sender: Sender, live: &Live) -> Verdict<Write> {
        if self.spec.enabled == Some(false)
            || self.lacking(sender, live).is_some_and(|(lacking, _)| lacking == 0)
        {
            return Verdict::InSync;
        }
        let Some(queue) = self.spec.wants() else {
            let message = "hints need a `queue` to go to: declare its URL, as for `run --hints`";
            return Verdict::Unknown {
                fault: Fault::local(FaultKind::Invalid, PUT_TARGETS.operation, message),
            };
        };
        let to = Destination::of(queue, &self.facts.scope.region);
        let mut fields = vec![self.queue(Value::Null)];
        fields.extend(self.spec.enabled.map(|on| Field::new("/enabled", Value::Null, on)));
        let create =
            Write::Create { sender, contents: self.contents(sender, None), tags: self.facts.tags.clone() };
        Verdict::Change(Change {
            cost: cost(&to),
            stands_on: Some(self.stands_on()),
            ..Change::create(fields, vec![create, Write::Target { sender, to }])
        })
    }

    /// Whether the rule is on, and what it lets through.
    fn rule(&self, sender: Sender, rule: &Rule, live: &Live) -> Verdict<Write> {
        let Some(on) = rule.is_on() else {
            let message = format!("`{}` is not a state of a rule that this build knows", rule.state);
            return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, LIST, message) };
        };
        let (mut fields, mut directions) = (Vec::new(), vec![Direction::Neutral]);
        let switch = self.spec.enabled.filter(|want| *want != on);
        if let Some(want) = switch {
            fields.push(Field::new("/enabled", on, want));
            directions.push(if want { Direction::Strengthens } else { Direction::Weakens });
        }
        let differs = self.spec.queue.as_ref().and_then(|_| self.differs(sender, rule, live));
        if let Some(before) = &differs {
            fields.push(self.queue(before.as_str().into()));
            directions.push(Direction::Strengthens);
        }
        if fields.is_empty() {
            return Verdict::InSync;
        }
        if let Some(service) = &rule.managed_by {
            return Verdict::Foreign {
                owner: format!("the service {service}"),
                evidence: format!("it made the rule {} and keeps it", sender.rule()),
            };
        }
        let contents = differs.is_some().then(|| self.contents(sender, Some(rule)));
        let beside = match sender {
            Sender::Heartbeat => rule.pattern.as_ref().map(|_| "its pattern".to_owned()),
            _ => rule.schedule.as_ref().map(|schedule| format!("schedule {schedule}")),
        };
        Verdict::Change(Change {
            direction: Direction::of(directions),
            carries: beside.map(|it| format!("{it}: not declared, but the call replaces all")),
            adopts: differs.is_some().then(|| format!("the rule {} that is there", sender.rule())),
            stands_on: Some(Vec::new()),
            ..Change::update(fields, vec![Write::Update { sender, contents, on: switch }])
        })
    }

    /// What is wrong with what makes the rule send.
    fn differs(&self, sender: Sender, rule: &Rule, live: &Live) -> Option<String> {
        match sender {
            Sender::Writes(_) => {
                let (lacking, all) = self.lacking(sender, live)?;
                (lacking > 0).then(|| format!("{lacking} of {all} calls are not told"))
            }
            Sender::Heartbeat => {
                let often = rule.schedule.as_deref().is_some_and(rules::is_often_enough);
                (!often).then(|| rule.schedule.clone().unwrap_or_else(|| "no schedule".into()))
            }
            Sender::Heartbeats => {
                let wanted = rules::heartbeats(self.facts.scope.region.as_str().into());
                let known = rule.pattern.as_ref().is_some_and(|pattern| covers(pattern, &wanted));
                (!known).then(|| "another pattern".into())
            }
        }
    }

    fn arrives(&self, target: &Target, queue: &Queue) -> bool {
        let scope = &self.facts.scope;
        target.arn == Destination::of(queue, &scope.region).arn(scope)
            && target.role.as_deref() == Some(role_arn(scope, ROLE).as_str())
            && !target.rewritten
    }

    fn arrives_from(&self, rule: &Rule) -> bool {
        match (&rule.targets, &self.spec.queue) {
            (Sight::Seen(targets), Some(queue)) => targets.values().any(|one| self.arrives(one, queue)),
            _ => false,
        }
    }

    /// Whether what the rule matches gets there, whole. Other targets stay.
    fn target(&self, sender: Sender, rule: &Rule, queue: &Queue) -> Verdict<Write> {
        let targets = match &rule.targets {
            Sight::Seen(targets) => targets,
            Sight::Unseen(fault) => return Verdict::Unknown { fault: fault.clone() },
        };
        if targets.values().any(|target| self.arrives(target, queue)) {
            return Verdict::InSync;
        }
        let to = Destination::of(queue, &self.facts.scope.region);
        let old = targets.get(TARGET);
        let (before, evidence) = match old {
            None => ("none".to_owned(), None),
            Some(old) if old.arn == to.arn(&self.facts.scope) => {
                let why = if old.rewritten { "gets another text than the event" } else { "has another role" };
                (format!("a target that {why}"), None)
            }
            Some(old) => {
                let word = named(&old.arn);
                let evidence = format!("{word} gets no more events of this rule");
                (word, Some(evidence))
            }
        };
        Verdict::Change(Change {
            risk: if evidence.is_some() { Risk::Disruptive } else { Risk::Safe },
            evidence,
            cost: cost(&to),
            stands_on: Some(self.stands_on()),
            ..Change::update(vec![self.queue(before.into())], vec![Write::Target { sender, to }])
        })
    }

    /// The role, in the queue's region; and what cannot be looked after, in the account's home region.
    pub fn role(&self, live: Option<&Sight<Option<Role>>>, rules: &Sight<Live>) -> Vec<Finding<Write>> {
        let Some(queue) = self.spec.queue.as_ref().filter(|it| it.region.partition() == self.facts.partition)
        else {
            return Vec::new();
        };
        let mut findings = if self.spec.wants().is_some() { self.unmanaged(queue) } else { Vec::new() };
        if self.spec.keeps_role(self.facts) {
            let verdict = match live {
                // What is to be off, and is not there, needs none.
                Some(Sight::Seen(None))
                    if self.spec.wants().is_none() && matches!(rules, Sight::Seen(all) if all.is_empty()) =>
                {
                    Verdict::InSync
                }
                Some(Sight::Seen(live)) => self.role_verdict(queue, live.as_ref()),
                Some(Sight::Unseen(fault)) => Verdict::Unknown { fault: fault.clone() },
                None => Verdict::Unknown { fault: Fault::not_asked(crate::controls::events_rule::GET) },
            };
            findings.push(Finding::new(ROLE, "role", verdict));
        }
        findings
    }

    fn role_verdict(&self, queue: &Queue, live: Option<&Role>) -> Verdict<Write> {
        let wanted = role(&self.facts.scope, queue);
        let queue = queue.clone();
        let Some(live) = live else {
            let steps = vec![
                Write::CreateRole { queue: queue.clone(), tags: self.facts.tags.clone() },
                Write::AllowRole { queue },
            ];
            return Verdict::Change(Change {
                makes: vec![the_role(self.facts)],
                stands_on: Some(Vec::new()),
                ..Change::create(vec![self.queue(Value::Null)], steps)
            });
        };
        let mut steps = Vec::new();
        if wanted.lacks_trust(live) {
            steps.push(Write::Trust { queue: queue.clone() });
        }
        if wanted.lacks_policy(live) {
            steps.push(Write::AllowRole { queue: queue.clone() });
        }
        if steps.is_empty() {
            return Verdict::InSync;
        }
        let sends = policy::by_sid(live.policy.as_ref(), rules::QUEUE)
            .and_then(|statement| Queue::of_arn(statement["Resource"].as_str()?))
            .filter(|other| *other != queue);
        let before = sends.map_or_else(|| "a role that cannot send to it".into(), |other| other.to_string());
        Verdict::Change(Change {
            adopts: Some(format!("the role {ROLE} that is there")),
            stands_on: Some(Vec::new()),
            ..Change::update(vec![self.queue(before.into())], steps)
        })
    }

    /// Regions in which nothing is done, and without which hints do not come: the queue's, and the one where global
    /// services' events are.
    fn unmanaged(&self, queue: &Queue) -> Vec<Finding<Write>> {
        let Facts { scope, home, managed, partition, .. } = self.facts;
        let told_in = managed.iter().find(|region| *region == home).or(managed.first());
        if told_in != Some(&scope.region) {
            return Vec::new();
        }
        let task = |region: &Region, why: &str| {
            let task = ManualTask {
                title: format!("Manage {region}, {why}"),
                found: vec![("queue".into(), format!("{queue}, and {region} is not a managed region"))],
                steps: vec![
                    format!(
                        "Write {region} under `regions.managed` of the Organization or Account document,"
                    ),
                    "or except this finding, where `baseline generate hints rules` looks after it.".into(),
                ],
                verified: Verified::ByObservation,
            };
            Finding::new(region.as_str(), "region", Verdict::Manual(task))
        };
        let global = Region::global(partition);
        let mut tasks = Vec::new();
        if !managed.contains(&queue.region) {
            tasks.push(task(&queue.region, "where the queue is"));
        }
        if !managed.contains(&global) && global != queue.region {
            tasks.push(task(&global, "where the events of IAM are"));
        }
        tasks
    }
}

/// A target in the words of a plan: a queue by its URL, anything else by its name.
fn named(arn: &str) -> String {
    let name = || arn.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    Queue::of_arn(arn).map_or_else(name, |queue| queue.to_string())
}

fn cost(to: &Destination) -> Option<String> {
    matches!(to, Destination::Home { .. })
        .then(|| "EventBridge charges for events that go to another region, by the million".into())
}
