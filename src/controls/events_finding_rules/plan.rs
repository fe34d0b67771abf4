//! Declared beside live, one rule at a time.

use serde_json::Value;

use super::pattern::{Source, Threshold};
use super::role::ROLE;
use super::spec::{Deliver, FindingRulesSpec};
use super::write::{Destination, Write};
use crate::control::{Change, Direction, Facts, Field, Finding, Need, Risk, Sight, Thing, Verdict};
use crate::controls::events_rule::{DESCRIBE, PUT_TARGETS, Rule, TARGET, Target};
use crate::fault::{Fault, FaultKind};
use crate::place::Region;

/// One rule in one scope.
#[derive(Clone, Copy)]
pub struct Declared<'a> {
    pub facts: &'a Facts,
    pub spec: &'a FindingRulesSpec,
    pub source: Source,
}

/// Is it the region where global events happen, and not the home region?
fn is_global(facts: &Facts) -> bool {
    facts.scope.region == Region::global(&facts.partition) && facts.scope.region != facts.home
}

impl FindingRulesSpec {
    pub fn enabled(&self, source: Source) -> Option<bool> {
        match source {
            Source::SecurityHub => self.security_hub.enabled,
            Source::GuardDuty => self.guard_duty.enabled,
            Source::Global => self.forward_global,
        }
    }

    pub fn threshold(&self, source: Source) -> Option<Threshold> {
        match source {
            Source::SecurityHub => self.security_hub.severities.clone().map(Threshold::Severities),
            Source::GuardDuty => self.guard_duty.severity_at_least.map(Threshold::AtLeast),
            Source::Global => self.forward_global.filter(|on| *on).map(|_| Threshold::All),
        }
    }

    /// Is anything said of the rule in this region?
    pub fn declares(&self, facts: &Facts, source: Source) -> bool {
        (self.enabled(source).is_some() || self.threshold(source).is_some())
            && (source != Source::Global || is_global(facts))
    }

    /// Is the rule to be there?
    pub fn wants(&self, facts: &Facts, source: Source) -> bool {
        self.declares(facts, source) && self.enabled(source) != Some(false)
    }

    /// Does some region send anything to the home region? The role for it is made at home.
    pub fn forwards(&self) -> bool {
        self.deliver == Some(Deliver::Home) || self.forward_global == Some(true)
    }

    /// Where a rule's matches go from here; `None` where no topic is declared.
    fn destination(&self, facts: &Facts, source: Source) -> Option<Destination> {
        let home = || Destination::Bus { region: facts.home.clone(), role: ROLE.into() };
        if source == Source::Global {
            return Some(home());
        }
        let name = self.topic.clone()?;
        let elsewhere = self.deliver == Some(Deliver::Home) && facts.scope.region != facts.home;
        Some(if elsewhere { home() } else { Destination::Topic { name } })
    }

    /// What a rule's target stands on: the topic, and the role to get there where it is in another region.
    fn stands_on(&self, facts: &Facts, source: Source) -> Vec<Thing> {
        let account = || facts.scope.account.clone();
        let topic = |region: &Region| {
            let name = self.topic.clone().filter(|_| source != Source::Global)?;
            Some(Thing::Topic { account: account(), region: region.clone(), name })
        };
        match self.destination(facts, source) {
            Some(Destination::Bus { region, role }) => {
                topic(&region).into_iter().chain([Thing::Role { account: account(), name: role }]).collect()
            }
            Some(Destination::Topic { .. }) => topic(&facts.scope.region).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// What the targets of all rules that are to be here stand on.
pub fn needs(facts: &Facts, spec: &FindingRulesSpec) -> Vec<Need> {
    let wanted = Source::ALL.into_iter().filter(|source| spec.wants(facts, *source));
    let mut things: Vec<Thing> = wanted.flat_map(|source| spec.stands_on(facts, source)).collect();
    things.sort();
    things.dedup();
    things.into_iter().map(Need::hard).collect()
}

fn nowhere() -> Verdict<Write> {
    let message = "findings need a `topic` to go to: declare its name";
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, PUT_TARGETS.operation, message) }
}

impl Declared<'_> {
    fn say(&self, rule: &str, verdict: Verdict<Write>) -> Finding<Write> {
        Finding::new(self.source.rule(), rule, verdict)
    }

    /// The field that tells of the target, before and after.
    fn sends(&self, before: Value) -> Field {
        match (self.source, &self.spec.topic) {
            (Source::Global, _) => Field::new(self.source.switch(), before, true),
            (_, Some(topic)) => Field::new("/topic", before, topic.as_str()),
            (_, None) => Field::new("/topic", before, Value::Null),
        }
    }

    pub fn findings(&self, sight: Option<&Sight<Option<Rule>>>) -> Vec<Finding<Write>> {
        if !self.spec.declares(self.facts, self.source) {
            return Vec::new();
        }
        match sight {
            None => {
                let fault = Fault::not_asked(DESCRIBE);
                vec![self.say("rule", Verdict::Unknown { fault })]
            }
            Some(Sight::Unseen(fault)) => {
                vec![self.say("rule", Verdict::Unknown { fault: fault.clone() })]
            }
            Some(Sight::Seen(None)) => vec![self.say("rule", self.absent())],
            Some(Sight::Seen(Some(rule))) => {
                let mut findings = vec![self.say("rule", self.rule(rule))];
                let sends = self.spec.wants(self.facts, self.source)
                    && self.spec.destination(self.facts, self.source).is_some();
                if sends && rule.managed_by.is_none() {
                    findings.push(self.say("target", self.target(rule)));
                }
                findings
            }
        }
    }

    /// There is no rule: one change makes it and its target.
    fn absent(&self) -> Verdict<Write> {
        let Self { facts, spec, source } = *self;
        if !spec.wants(facts, source) {
            return Verdict::InSync;
        }
        let Some(to) = spec.destination(facts, source) else { return nowhere() };
        let mut fields = Vec::new();
        if spec.enabled(source).is_some() {
            fields.push(Field::new(source.switch(), Value::Null, true));
        }
        let declared = spec.threshold(source);
        if source != Source::Global {
            fields.extend(declared.as_ref().map(|it| Field::new(source.leaf(), Value::Null, it.word())));
            fields.push(self.sends(Value::Null));
        }
        let carries = declared.is_none().then(|| {
            let usual = source.usual().word();
            format!("{} {usual}: not declared, but a rule needs it", source.leaf().trim_start_matches('/'))
        });
        let threshold = declared.unwrap_or_else(|| source.usual());
        let cost = self.cost(&to);
        let steps =
            vec![Write::Create { source, threshold, tags: facts.tags.clone() }, Write::Target { source, to }];
        Verdict::Change(Change {
            carries,
            cost,
            stands_on: Some(spec.stands_on(facts, source)),
            ..Change::create(fields, steps)
        })
    }

    fn cost(&self, to: &Destination) -> Option<String> {
        matches!(to, Destination::Bus { .. })
            .then(|| "EventBridge charges for events that go to another region, by the million".into())
    }

    /// Whether the rule is on, and what it lets through.
    fn rule(&self, live: &Rule) -> Verdict<Write> {
        let Self { spec, source, .. } = *self;
        let Some(on) = live.is_on() else {
            let message = format!("`{}` is not a state of a rule that this build knows", live.state);
            return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, DESCRIBE, message) };
        };
        let (mut fields, mut directions) = (Vec::new(), vec![Direction::Neutral]);
        let switch = spec.enabled(source).filter(|want| *want != on);
        if let Some(want) = switch {
            fields.push(Field::new(source.switch(), on, want));
            directions.push(if want { Direction::Strengthens } else { Direction::Weakens });
        }
        let now = live.pattern.as_ref().and_then(|pattern| source.threshold_in(pattern));
        let threshold = spec.threshold(source).filter(|want| now.as_ref() != Some(want));
        if let Some(want) = &threshold {
            let before = now.as_ref().map_or_else(|| "another pattern".into(), Threshold::word);
            if fields.iter().all(|field| field.path != source.leaf()) {
                fields.push(Field::new(source.leaf(), before, want.word()));
            }
            directions.push(match &now {
                Some(now) if want.covers(now) => Direction::Strengthens,
                Some(_) => Direction::Weakens,
                None => Direction::Neutral,
            });
        }
        if fields.is_empty() {
            return Verdict::InSync;
        }
        if let Some(service) = &live.managed_by {
            return Verdict::Foreign {
                owner: format!("the service {service}"),
                evidence: format!("it made the rule {} and keeps it", source.rule()),
            };
        }
        let carries = live
            .schedule
            .as_ref()
            .map(|schedule| format!("schedule {schedule}: not declared, but the call replaces all"));
        Verdict::Change(Change {
            direction: Direction::of(directions),
            carries,
            adopts: now.is_none().then(|| format!("the rule {} that is there", source.rule())),
            stands_on: Some(Vec::new()),
            ..Change::update(fields, vec![Write::Update { source, threshold, on: switch }])
        })
    }

    /// Whether what the rule matches gets there. Other targets stay.
    fn target(&self, live: &Rule) -> Verdict<Write> {
        let Self { facts, spec, source } = *self;
        let Some(to) = spec.destination(facts, source) else { return nowhere() };
        let targets = match &live.targets {
            Sight::Seen(targets) => targets,
            Sight::Unseen(fault) => return Verdict::Unknown { fault: fault.clone() },
        };
        let (arn, role) = (to.arn(&facts.scope), to.role(&facts.scope));
        // Somebody may have set another role for a topic, or write messages of his own: they arrive all the same.
        let arrives = |target: &Target| target.arn == arn && (role.is_none() || target.role == role);
        if targets.values().any(arrives) {
            return Verdict::InSync;
        }
        let old = targets
            .get(TARGET)
            .map(|target| target.arn.rsplit([':', '/']).next().unwrap_or_default().to_owned());
        Verdict::Change(Change {
            risk: if old.is_some() { Risk::Disruptive } else { Risk::Safe },
            evidence: old.as_ref().map(|old| format!("{old} gets no more findings of this rule")),
            cost: self.cost(&to),
            stands_on: Some(spec.stands_on(facts, source)),
            ..Change::update(
                vec![self.sends(old.unwrap_or_else(|| "none".into()).into())],
                vec![Write::Target { source, to }],
            )
        })
    }
}
