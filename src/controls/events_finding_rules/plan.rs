//! Declared beside live, one rule at a time.

use serde_json::Value;

use super::live::{self, Rule};
use super::pattern::{Source, Threshold};
use super::spec::{Deliver, FindingRulesSpec};
use super::write::{Destination, PUT_TARGETS, TARGET, Write};
use crate::control::{Change, Direction, Facts, Field, Finding, Need, Risk, Sight, Thing, Verdict};
use crate::fault::{Fault, FaultKind};

/// The role that EventBridge sends events to another region with; `events.forwarding` makes it.
pub const ROLE: &str = "baseline-events-forwarding";

/// One rule in one scope.
#[derive(Clone, Copy)]
pub struct Declared<'a> {
    pub facts: &'a Facts,
    pub spec: &'a FindingRulesSpec,
    pub source: Source,
}

impl FindingRulesSpec {
    pub fn enabled(&self, source: Source) -> Option<bool> {
        match source {
            Source::SecurityHub => self.security_hub.enabled,
            Source::GuardDuty => self.guard_duty.enabled,
        }
    }

    pub fn threshold(&self, source: Source) -> Option<Threshold> {
        match source {
            Source::SecurityHub => self.security_hub.severities.clone().map(Threshold::Severities),
            Source::GuardDuty => self.guard_duty.severity_at_least.map(Threshold::AtLeast),
        }
    }

    pub fn declares(&self, source: Source) -> bool {
        self.enabled(source).is_some() || self.threshold(source).is_some()
    }

    /// Is the rule to be there?
    pub fn wants(&self, source: Source) -> bool {
        self.declares(source) && self.enabled(source) != Some(false)
    }

    /// Where findings go from here; `None` where no topic is declared.
    fn destination(&self, facts: &Facts) -> Option<Destination> {
        let name = self.topic.clone()?;
        Some(if self.deliver == Some(Deliver::Home) && facts.scope.region != facts.home {
            Destination::Bus { region: facts.home.clone(), role: ROLE.into() }
        } else {
            Destination::Topic { name }
        })
    }
}

/// The topic, and the role to get there where it is in another region.
pub fn needs(facts: &Facts, spec: &FindingRulesSpec) -> Vec<Need> {
    let Some(name) = spec.topic.clone() else { return Vec::new() };
    if !Source::ALL.into_iter().any(|source| spec.wants(source)) {
        return Vec::new();
    }
    let account = facts.scope.account.clone();
    let at = |region| Need::hard(Thing::Topic { account: account.clone(), region, name: name.clone() });
    match spec.destination(facts) {
        Some(Destination::Bus { region, role }) => {
            vec![at(region), Need::hard(Thing::Role { account: account.clone(), name: role })]
        }
        Some(Destination::Topic { .. }) | None => vec![at(facts.scope.region.clone())],
    }
}

fn nowhere() -> Verdict<Write> {
    let message = "findings need a `topic` to go to: declare its name";
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, PUT_TARGETS.operation, message) }
}

impl Declared<'_> {
    fn say(&self, rule: &str, verdict: Verdict<Write>) -> Finding<Write> {
        Finding::new(self.source.rule(), rule, verdict)
    }

    fn enabled_path(&self) -> String {
        format!("{}/enabled", self.source.path())
    }

    pub fn findings(&self, sight: Option<&Sight<Option<Rule>>>) -> Vec<Finding<Write>> {
        if !self.spec.declares(self.source) {
            return Vec::new();
        }
        match sight {
            None => {
                let fault = Fault::local(FaultKind::Invalid, live::DESCRIBE, "it was not asked for");
                vec![self.say("rule", Verdict::Unknown { fault })]
            }
            Some(Sight::Unseen(fault)) => {
                vec![self.say("rule", Verdict::Unknown { fault: fault.clone() })]
            }
            Some(Sight::Seen(None)) => vec![self.say("rule", self.absent())],
            Some(Sight::Seen(Some(rule))) => {
                let mut findings = vec![self.say("rule", self.rule(rule))];
                let sends = self.spec.wants(self.source) && self.spec.topic.is_some();
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
        if !spec.wants(source) {
            return Verdict::InSync;
        }
        let (Some(to), Some(topic)) = (spec.destination(facts), &spec.topic) else { return nowhere() };
        let mut fields = Vec::new();
        if spec.enabled(source).is_some() {
            fields.push(Field::new(self.enabled_path(), Value::Null, true));
        }
        let declared = spec.threshold(source);
        if let Some(threshold) = &declared {
            fields.push(Field::new(source.leaf(), Value::Null, threshold.word()));
        }
        fields.push(Field::new("/topic", Value::Null, topic.as_str()));
        let carries = declared.is_none().then(|| {
            let usual = source.usual().word();
            format!("{} {usual}: not declared, but a rule needs it", source.leaf().trim_start_matches('/'))
        });
        let threshold = declared.unwrap_or_else(|| source.usual());
        let steps = vec![
            Write::Create { source, threshold, tags: facts.tags.clone() },
            Write::Target { source, to },
        ];
        Verdict::Change(Change { carries, ..Change::create(fields, steps) })
    }

    /// Whether the rule is on, and what it lets through.
    fn rule(&self, live: &Rule) -> Verdict<Write> {
        let Self { spec, source, .. } = *self;
        let Some(on) = live.is_on() else {
            let message = format!("`{}` is not a state of a rule that this build knows", live.state);
            return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, live::DESCRIBE, message) };
        };
        let (mut fields, mut directions) = (Vec::new(), vec![Direction::Neutral]);
        let switch = spec.enabled(source).filter(|want| *want != on);
        if let Some(want) = switch {
            fields.push(Field::new(self.enabled_path(), on, want));
            directions.push(if want { Direction::Strengthens } else { Direction::Weakens });
        }
        let now = live.pattern.as_ref().and_then(|pattern| source.threshold_in(pattern));
        // What a rule that is to be off would let through matters to nobody.
        let threshold = spec.threshold(source).filter(|want| spec.wants(source) && now.as_ref() != Some(want));
        if let Some(want) = &threshold {
            let before = now.as_ref().map_or_else(|| "another pattern".into(), Threshold::word);
            fields.push(Field::new(source.leaf(), before, want.word()));
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
        let (Some(to), Some(topic)) = (spec.destination(facts), &spec.topic) else { return nowhere() };
        let targets = match &live.targets {
            Sight::Seen(targets) => targets,
            Sight::Unseen(fault) => return Verdict::Unknown { fault: fault.clone() },
        };
        let (arn, role) = (to.arn(&facts.scope), to.role(&facts.scope));
        // Somebody may have set another role for a topic, or write messages of his own: they arrive all the same.
        let arrives = |target: &live::Target| target.arn == arn && (role.is_none() || target.role == role);
        if targets.values().any(arrives) {
            return Verdict::InSync;
        }
        let old = targets.get(TARGET).map(|target| {
            target.arn.rsplit([':', '/']).next().unwrap_or_default().to_owned()
        });
        Verdict::Change(Change {
            risk: if old.is_some() { Risk::Disruptive } else { Risk::Safe },
            evidence: old.as_ref().map(|old| format!("{old} gets no more findings of this rule")),
            ..Change::update(
                vec![Field::new("/topic", old.unwrap_or_else(|| "none".into()), topic.as_str())],
                vec![Write::Target { source, to }],
            )
        })
    }
}
