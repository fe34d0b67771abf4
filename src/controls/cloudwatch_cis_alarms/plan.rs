//! One watch: the filter and the alarm that are there, beside what is declared.

use serde_json::Value;

use super::found::{Found, least, rings};
use super::live::{Alarm, Metric, Observed};
use super::spec::{AlarmSpec, AlarmsSpec, ExceptRole, role_word};
use super::watch::{EXCEPT_ROLE, QUIET_PATH, SINGLE_SIGN_ON, Variant, Watch};
use super::write::{New, Settings, Write};
use crate::control::{
    Change, ChangeKind, Direction, Facts, Field, Known, ManualTask, Thing, Verdict, Verified,
};

/// The filters that a log group can have (API reference, PutMetricFilter).
const MOST_FILTERS: usize = 100;

/// The actions that an alarm can have for one state (API reference, PutMetricAlarm).
const MOST_ACTIONS: usize = 5;

const SILENCED: &str = "actions that are turned off";

pub fn topic(facts: &Facts, name: &str) -> Thing {
    let (account, region) = (facts.scope.account.clone(), facts.scope.region.clone());
    Thing::Topic { account, region, name: name.to_owned() }
}

pub fn log_group(facts: &Facts, name: &str) -> Thing {
    let (account, region) = (facts.scope.account.clone(), facts.scope.region.clone());
    Thing::LogGroup { account, region, name: name.to_owned() }
}

/// What has to be done for one watch.
struct Work<'w> {
    facts: &'w Facts,
    watch: &'w Watch,
    spec: &'w AlarmsSpec,
    entry: &'w AlarmSpec,
    group: &'w str,
    found: Found<'w>,
    fields: Vec<Field>,
    directions: Vec<Direction>,
    /// What is the matter that the YAML has no word of its own for.
    ails: Vec<&'static str>,
    filter: Option<Write>,
    settings: Settings,
}

impl Work<'_> {
    fn path(&self, leaf: &str) -> String {
        format!("/alarms/{}/{leaf}", self.watch.word)
    }

    fn differs(&mut self, path: String, before: impl Into<Value>, after: impl Into<Value>, way: Direction) {
        self.fields.push(Field::new(path, before, after));
        self.directions.push(way);
    }

    /// The metric of the filter that is there, or of the one that is about to be made.
    fn metric(&self) -> Metric {
        self.found.filter.map_or_else(
            || Metric {
                namespace: self.spec.namespace.clone().unwrap_or_else(|| "LogMetrics".to_owned()),
                name: self.watch.name(),
            },
            |filter| filter.metric.clone(),
        )
    }

    /// As declared; where an option is not declared, as it is.
    fn variant(&self) -> Variant {
        let live = self.found.variant.clone().unwrap_or_default();
        Variant {
            single_sign_on: self.spec.single_sign_on.unwrap_or(live.single_sign_on),
            quiet: self.spec.quiet.unwrap_or(live.quiet),
            except_role: self.spec.role().cloned().unwrap_or(live.except_role),
        }
    }

    /// An option of the spec that the live pattern does not have; whatever counts less weakens.
    fn options(&mut self, live: &Variant, wanted: &Variant) {
        let way = |less: bool| if less { Direction::Weakens } else { Direction::Strengthens };
        if self.watch.concerned(SINGLE_SIGN_ON) && live.single_sign_on != wanted.single_sign_on {
            let way = way(wanted.single_sign_on);
            self.differs(SINGLE_SIGN_ON.into(), live.single_sign_on, wanted.single_sign_on, way);
        }
        if self.watch.concerned(QUIET_PATH) && live.quiet != wanted.quiet {
            self.differs(QUIET_PATH.into(), live.quiet, wanted.quiet, way(wanted.quiet));
        }
        if self.watch.concerned(EXCEPT_ROLE) && live.except_role != wanted.except_role {
            let (before, after) = (role_word(&live.except_role), role_word(&wanted.except_role));
            let way = way(wanted.except_role.is_some());
            self.differs(EXCEPT_ROLE.into(), before, after, way);
        }
    }

    fn filter(&mut self) {
        let wanted = self.variant();
        let must_ring = self.entry.enabled == Some(true);
        match self.found.filter {
            None if self.entry.enabled == Some(false) => return,
            None => self.ails.push("no metric filter"),
            Some(filter) => {
                let before = self.ails.len() + self.fields.len();
                match self.found.variant.clone() {
                    Some(live) => self.options(&live, &wanted),
                    None if must_ring => self.ails.push("a filter with another pattern"),
                    None => {}
                }
                let counts = filter.value.parse::<f64>().is_ok_and(|value| value >= 1.0);
                if must_ring && (!counts || filter.divided) {
                    self.ails.push("a filter that does not count every event");
                }
                if self.ails.len() + self.fields.len() == before {
                    return;
                }
            }
        }
        self.filter = Some(Write::PutFilter {
            group: self.group.to_owned(),
            filter: self.found.filter.map_or_else(|| self.watch.name(), |filter| filter.name.clone()),
            pattern: self.watch.pattern(&wanted),
            metric: self.metric(),
        });
    }

    fn alarm(&mut self, known: &Known) {
        let Some(live) = self.found.alarm else {
            self.ails.push("no alarm");
            self.settings = Settings {
                enabled: self.entry.enabled,
                counts: Some(self.metric()),
                threshold: self.entry.threshold.map(|threshold| threshold.get()),
                period: self.entry.period_seconds.map(|period| period.get()),
                evaluation_periods: self.entry.evaluation_periods.map(|periods| periods.get()),
                topic: self.spec.topic.as_ref().map(|name| topic(self.facts, name)),
            };
            return;
        };
        if self.entry.enabled == Some(false) && live.actions_enabled {
            self.differs(self.path("enabled"), true, false, Direction::Weakens);
            self.settings.enabled = Some(false);
        }
        if self.entry.enabled == Some(true) {
            if !live.actions_enabled {
                self.ails.push(SILENCED);
                self.settings.enabled = Some(true);
            }
            if live.metric != self.metric() || live.divided {
                self.ails.push("an alarm on another metric");
                self.settings.counts = Some(self.metric());
            }
            if !rings(live) {
                self.ails.push("an alarm that does not ring when there are too many");
                self.settings.counts = Some(self.metric());
            }
        }
        self.numbers(live);
        if let Some(name) = &self.spec.topic {
            let thing = topic(self.facts, name);
            if !known.arn(&thing).is_some_and(|arn| live.actions.iter().any(|action| action == arn)) {
                let before = match live.actions.len() {
                    0 => "none".to_owned(),
                    1 => "1 other action".to_owned(),
                    more => format!("{more} other actions"),
                };
                self.differs("/topic".into(), before, name.as_str(), Direction::Strengthens);
                self.settings.topic = Some(thing);
            }
        }
    }

    fn numbers(&mut self, live: &Alarm) {
        if let Some(wanted) = self.entry.threshold.map(|threshold| threshold.get()) {
            let now = least(live);
            if (now - f64::from(wanted)).abs() > f64::EPSILON {
                let way = if f64::from(wanted) > now { Direction::Weakens } else { Direction::Strengthens };
                self.differs(self.path("threshold"), whole(now), wanted, way);
                self.settings.threshold = Some(wanted);
            }
        }
        if let Some(wanted) = self.entry.period_seconds.map(|period| period.get())
            && live.period != wanted
        {
            self.differs(self.path("periodSeconds"), live.period, wanted, Direction::Neutral);
            self.settings.period = Some(wanted);
        }
        if let Some(wanted) = self.entry.evaluation_periods.map(|periods| periods.get())
            && live.evaluation_periods != wanted
        {
            let more = wanted > live.evaluation_periods;
            let way = if more { Direction::Weakens } else { Direction::Strengthens };
            self.differs(self.path("evaluationPeriods"), live.evaluation_periods, wanted, way);
            self.settings.evaluation_periods = Some(wanted);
        }
    }

    fn change(mut self) -> Verdict<Write> {
        let name = self.watch.name();
        let new = self.found.filter.is_none() && self.found.alarm.is_none();
        if new {
            self.fields.push(Field::new(
                self.path("enabled"),
                Value::Null,
                self.entry.enabled.unwrap_or(true),
            ));
            self.declared();
        } else if !self.ails.is_empty() {
            let silenced = self.ails == [SILENCED];
            let before = if silenced { Value::from(false) } else { self.ails.join(", ").into() };
            self.fields.push(Field::new(self.path("enabled"), before, self.entry.enabled.unwrap_or(true)));
        }
        if !self.ails.is_empty() {
            self.directions.push(Direction::Strengthens);
        }
        let mut stands_on = Vec::new();
        if self.filter.is_some() {
            stands_on.push(log_group(self.facts, self.group));
        }
        stands_on.extend(self.settings.topic.clone());
        let told_already = self.settings.topic.is_none() && self.spec.topic.is_some();
        let adopts = self.found.others(&name).filter(|_| !told_already);
        let alarm = (self.settings != Settings::default()).then(|| Write::PutAlarm {
            alarm: self.found.alarm.map_or_else(|| name.clone(), |alarm| alarm.name.clone()),
            settings: self.settings.clone(),
            new: self.found.alarm.is_none().then(|| New {
                description: format!("CIS {}: {}", self.watch.cis, self.watch.title),
                tags: self.facts.tags.clone(),
            }),
        });
        let carries = self.found.alarm.filter(|_| alarm.is_some()).and_then(carried);
        let makes_metric = self.found.filter.is_none();
        let makes_alarm = self.found.alarm.is_none();
        let nobody = makes_alarm && self.spec.topic.is_none();
        let change = Change::update(self.fields, self.filter.into_iter().chain(alarm).collect());
        Verdict::Change(Change {
            kind: if new { ChangeKind::Create } else { ChangeKind::Update },
            direction: Direction::of(self.directions),
            cost: match (makes_metric, makes_alarm) {
                (true, true) => {
                    Some("CloudWatch charges for a custom metric and an alarm by the month".into())
                }
                (true, false) => Some("CloudWatch charges for a custom metric by the month".into()),
                (false, true) => Some("CloudWatch charges for an alarm by the month".into()),
                (false, false) => None,
            },
            evidence: nobody.then(|| "no `topic` is declared: it rings, and nobody is told".into()),
            carries,
            adopts,
            stands_on: Some(stands_on),
            ..change
        })
    }

    /// What is declared of an alarm that has to be made, beside that it rings.
    fn declared(&mut self) {
        let entry = self.entry;
        let leaves = [
            ("threshold", entry.threshold.map(|threshold| threshold.get())),
            ("periodSeconds", entry.period_seconds.map(|period| period.get())),
            ("evaluationPeriods", entry.evaluation_periods.map(|periods| periods.get())),
        ];
        for (leaf, value) in leaves {
            if let Some(value) = value {
                self.fields.push(Field::new(self.path(leaf), Value::Null, value));
            }
        }
        let options = [
            (SINGLE_SIGN_ON, self.spec.single_sign_on.map(Value::from)),
            (QUIET_PATH, self.spec.quiet.map(Value::from)),
            (EXCEPT_ROLE, self.spec.except_role.as_ref().map(|ExceptRole(role)| role_word(role).into())),
        ];
        for (path, value) in options {
            if let Some(value) = value.filter(|_| self.watch.concerned(path)) {
                self.fields.push(Field::new(path, Value::Null, value));
            }
        }
        if let Some(topic) = &self.spec.topic {
            self.fields.push(Field::new("/topic", Value::Null, topic.as_str()));
        }
    }
}

/// As people write it.
#[expect(clippy::cast_possible_truncation, reason = "a whole number within bounds")]
fn whole(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e9 { (number as i64).into() } else { number.into() }
}

fn carried(alarm: &Alarm) -> Option<String> {
    let count = alarm.actions.len() + alarm.other_actions;
    (count > 0).then(|| {
        let actions = if count == 1 { "1 action".to_owned() } else { format!("{count} actions") };
        format!("{actions} of the alarm that are there, because the call replaces all")
    })
}

/// Everything that is declared of one watch.
pub fn verdict(
    facts: &Facts,
    known: &Known,
    spec: &AlarmsSpec,
    watch: &Watch,
    entry: &AlarmSpec,
    observed: &Observed,
) -> Verdict<Write> {
    let found = Found::of(watch, observed);
    if let Some(fault) = spec.topic.as_ref().and_then(|name| known.fault(&topic(facts, name))) {
        return Verdict::Unknown { fault: fault.clone() };
    }
    // What is not there does not ring.
    if entry.enabled == Some(false) && found.alarm.is_none() {
        return Verdict::InSync;
    }
    let group = spec.group();
    let mut work = Work {
        facts,
        watch,
        spec,
        entry,
        group,
        found,
        fields: Vec::new(),
        directions: Vec::new(),
        ails: Vec::new(),
        filter: None,
        settings: Settings::default(),
    };
    work.filter();
    work.alarm(known);
    let filters = observed.filters.as_ref().map_or(0, Vec::len);
    if work.filter.is_some() && work.found.filter.is_none() && filters >= MOST_FILTERS {
        return full(watch, &format!("Log group {group} has {filters} metric filters and can have no more"));
    }
    let actions = work.found.alarm.map_or(0, |alarm| alarm.actions.len());
    if work.settings.topic.is_some() && actions >= MOST_ACTIONS {
        return full(
            watch,
            &format!("The alarm for {} has {actions} actions and can have no more", watch.word),
        );
    }
    if work.ails.is_empty() && work.fields.is_empty() { Verdict::InSync } else { work.change() }
}

fn full(watch: &Watch, what: &str) -> Verdict<Write> {
    Verdict::Manual(ManualTask {
        title: what.to_owned(),
        found: vec![(watch.word.to_owned(), "there is no room for it".to_owned())],
        steps: vec!["baseline deletes nothing: take one out that nobody uses.".to_owned()],
        verified: Verified::ByObservation,
    })
}
