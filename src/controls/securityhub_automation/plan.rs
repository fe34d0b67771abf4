//! Declared beside live.

use serde_json::Value;

use super::RULE;
use super::action::Actions;
use super::criteria::Criteria;
use super::live::{GET, LIST, Live, LiveRule, MOST};
use super::spec::{AutomationSpec, RuleSpec, Status};
use super::write::{CREATE, Write};
use crate::control::{
    Bounded, Change, Direction, Facts, Field, Finding, ManualTask, Sight, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};
use crate::pointer;

/// One finding for each declared rule.
pub fn plan(facts: &Facts, spec: &AutomationSpec, live: &Live) -> Vec<Finding<Write>> {
    let mut room = MOST.saturating_sub(live.count());
    let mut say = |(name, rule): (&str, &RuleSpec)| {
        let verdict = match live.rules.get(name).map(Vec::as_slice) {
            _ if rule.criteria.as_ref().is_some_and(|criteria| criteria.0.is_empty()) => {
                let message = format!("the criteria of {name} have no field, and would match every finding");
                Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, CREATE.operation, message) }
            }
            None | Some([]) => absent(facts, name, rule, live, &mut room),
            Some([Sight::Seen(there)]) => compare(name, rule, there, live),
            Some([Sight::Unseen(fault)]) => Verdict::Unknown { fault: fault.clone() },
            Some(several) => namesakes(name, several.len()),
        };
        Finding::new(name, RULE, verdict)
    };
    spec.declared().map(&mut say).collect()
}

/// A leaf of a rule as a path of the spec (RFC 6901).
fn path(name: &str, leaf: &str) -> String {
    format!("/rules/{}/{leaf}", pointer::escaped(name))
}

fn left_to(administrator: &str, evidence: String) -> Verdict<Write> {
    Verdict::Foreign { owner: format!("the Security Hub administrator, account {administrator}"), evidence }
}

fn absent(facts: &Facts, name: &str, rule: &RuleSpec, live: &Live, room: &mut usize) -> Verdict<Write> {
    if let Some(administrator) = &live.administrator {
        return left_to(administrator, "a member has no rules of its own: the administrator's apply".into());
    }
    let (Some(order), Some(description), Some(criteria), Some(actions)) =
        (rule.order, &rule.description, &rule.criteria, &rule.actions)
    else {
        let message =
            format!("there is no rule {name}: a new one needs order, description, criteria and actions");
        return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, CREATE.operation, message) };
    };
    if *room == 0 {
        return no_room(name);
    }
    *room -= 1;
    let mut fields = vec![Field::new(path(name, "order"), Value::Null, order)];
    if let Some(status) = rule.status {
        fields.push(Field::new(path(name, "status"), Value::Null, status.word()));
    }
    if let Some(terminal) = rule.terminal {
        fields.push(Field::new(path(name, "terminal"), Value::Null, terminal));
    }
    fields.push(Field::new(path(name, "description"), Value::Null, description.as_str()));
    fields.push(Field::new(path(name, "criteria"), Value::Null, value(criteria)));
    fields.push(Field::new(path(name, "actions"), Value::Null, value(actions)));
    let enabled = rule.status != Some(Status::Disabled);
    let sent = RuleSpec { reason: None, ..rule.clone() };
    let step = Write::Create { name: name.to_owned(), rule: sent, tags: facts.tags.clone() };
    let weakens = enabled && actions.weaken(criteria);
    Verdict::Change(Change {
        direction: if weakens { Direction::Weakens } else { Direction::Strengthens },
        evidence: hidden(rule, actions, criteria, enabled),
        carries: rule
            .status
            .is_none()
            .then(|| "status ENABLED: not declared, and what a new rule has".into()),
        ..Change::create(fields, vec![step])
    })
}

fn value<T: serde::Serialize>(of: &T) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

/// What cannot be seen any more of the findings that match, and why that is wanted.
fn hidden(rule: &RuleSpec, actions: &Actions, criteria: &Criteria, enabled: bool) -> Option<String> {
    if !enabled {
        return None;
    }
    let why = rule.reason.as_deref().map_or_else(String::new, |why| format!("; the reason: {why}"));
    match actions.hides() {
        Some(word) => Some(format!("findings that match are {word}, and so are those to come{why}")),
        None if actions.weaken(criteria) => Some(format!("findings that match may become less severe{why}")),
        None => None,
    }
}

fn compare(name: &str, rule: &RuleSpec, there: &LiveRule, live: &Live) -> Verdict<Write> {
    let Some(live_status) = Status::of(&there.status) else {
        let message = format!("`{}` is not a status that this build knows", there.status);
        return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, GET, message) };
    };
    let live_actions = Actions(there.actions.clone());
    let mut fields = Vec::new();
    let mut sent = RuleSpec::default();
    let live_order = u32::try_from(there.order).unwrap_or_default();
    if let Some(order) = rule.order.filter(|order| Bounded::get(*order) != live_order) {
        fields.push(Field::new(path(name, "order"), live_order, order));
        sent.order = Some(order);
    }
    if let Some(status) = rule.status.filter(|status| *status != live_status) {
        fields.push(Field::new(path(name, "status"), live_status.word(), status.word()));
        sent.status = Some(status);
    }
    if let Some(terminal) = rule.terminal.filter(|terminal| *terminal != there.terminal) {
        fields.push(Field::new(path(name, "terminal"), there.terminal, terminal));
        sent.terminal = Some(terminal);
    }
    if let Some(text) = rule.description.as_ref().filter(|text| **text != there.description) {
        fields.push(Field::new(path(name, "description"), there.description.as_str(), text.as_str()));
        sent.description = Some(text.clone());
    }
    if let Some(criteria) = rule.criteria.as_ref().filter(|criteria| **criteria != there.criteria) {
        fields.push(Field::new(path(name, "criteria"), value(&there.criteria), value(criteria)));
        sent.criteria = Some(criteria.clone());
    }
    if let Some(actions) = rule.actions.as_ref().filter(|actions| **actions != live_actions) {
        fields.push(Field::new(path(name, "actions"), value(&live_actions), value(actions)));
        sent.actions = Some(actions.clone());
    }
    if fields.is_empty() {
        return Verdict::InSync;
    }
    if let Some(administrator) = &live.administrator {
        return left_to(administrator, "the rule was made before this account was a member".into());
    }
    let criteria = rule.criteria.as_ref().unwrap_or(&there.criteria);
    let actions = rule.actions.as_ref().unwrap_or(&live_actions);
    let enabled = rule.status.unwrap_or(live_status) == Status::Enabled;
    let was = there.is_enabled().then(|| live_actions.weaken(&there.criteria));
    let will = enabled.then(|| actions.weaken(criteria));
    let same = sent.status.is_none() && sent.criteria.is_none() && sent.actions.is_none();
    Verdict::Change(Change {
        direction: if same { Direction::Neutral } else { direction(was, will) },
        evidence: if same { None } else { hidden(rule, actions, criteria, enabled) },
        ..Change::update(fields, vec![Write::Update { name: name.to_owned(), rule: sent }])
    })
}

/// From whether the rule weakens, `None` while it is disabled, to whether it will.
fn direction(was: Option<bool>, will: Option<bool>) -> Direction {
    match (was, will) {
        // What it hides is other than before.
        (_, Some(true)) => Direction::Weakens,
        (Some(true), _) | (None, Some(false)) => Direction::Strengthens,
        // What it did to findings is done no more.
        (Some(false), None) => Direction::Weakens,
        (Some(false), Some(false)) | (None, None) => Direction::Neutral,
    }
}

/// Which of them is meant cannot be told, and none is deleted.
fn namesakes(name: &str, count: usize) -> Verdict<Write> {
    Verdict::Manual(ManualTask {
        title: format!("{count} rules have the name {name}"),
        found: vec![("rules".into(), count.to_string())],
        steps: vec![
            "Rename or delete all but one, in this account and region:".into(),
            "aws securityhub list-automation-rules".into(),
            "aws securityhub batch-delete-automation-rules --automation-rules-arns ARN".into(),
        ],
        verified: Verified::ByObservation,
    })
}

/// User Guide, "Security Hub CSPM quotas": 100 automation rules.
fn no_room(name: &str) -> Verdict<Write> {
    Verdict::Manual(ManualTask {
        title: format!("there is no room for the rule {name}"),
        found: vec![("rules".into(), format!("{MOST}, which is all that Security Hub takes ({LIST})"))],
        steps: vec![
            "Delete rules that are not needed any more, in this account and region:".into(),
            "aws securityhub list-automation-rules".into(),
            "aws securityhub batch-delete-automation-rules --automation-rules-arns ARN".into(),
        ],
        verified: Verified::ByObservation,
    })
}
