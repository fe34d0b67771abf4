//! What is left of a planned change after a look. Pure.

use std::borrow::Cow;

use crate::control::{Call, Change, Field, Finding, Retry, Step, Verdict};
use crate::fault::{Fault, FaultKind};

/// Would sending what is left repeat a call that must not be sent twice, and may have landed? Readers lag
/// writers, so a look that does not show what it made is no proof: only the service's own refusal is.
pub(super) fn sends_twice(
    writes: &[Call],
    planned: &Finding<Step>,
    left: &Change<Step>,
    fault: &Fault,
) -> bool {
    let steps = planned.change().map(|planned| planned.steps.as_slice()).unwrap_or_default();
    let failed = steps.iter().position(|step| step.call == fault.call);
    let refused = fault.kind != FaultKind::Unavailable;
    left.steps.iter().any(|step| {
        let once = writes.iter().any(|call| call.operation == step.call && call.retry == Retry::Once);
        let at = steps.iter().position(|planned| planned == step);
        let unsent = match (at, failed) {
            (Some(at), Some(failed)) => at > failed || (at == failed && refused),
            _ => false,
        };
        once && !unsent
    })
}

/// What a look says of a planned change. Parts that are left may be told under other rules: the trail is there,
/// and neither selects its events nor records yet. Or under resources of their own, that have its name before
/// theirs: the topic is there, and nobody is subscribed to it.
pub(super) fn told<'f>(
    planned: &Finding<Step>,
    looked: &'f [Finding<Step>],
) -> Option<Cow<'f, Finding<Step>>> {
    let itself = |finding: &Finding<Step>| finding.resource == planned.resource;
    let same = looked.iter().find(|finding| itself(finding) && finding.rule == planned.rule)?;
    if same.verdict != Verdict::InSync {
        return Some(Cow::Borrowed(same));
    }
    // A field that was to change and has not is left too, whatever call it would take now.
    let was_planned = |field: &Field| {
        planned.change().is_some_and(|change| change.fields.iter().any(|other| other.path == field.path))
    };
    let is_part = |finding: &Finding<Step>| {
        finding.resource.strip_prefix(&planned.resource).is_some_and(|rest| rest.starts_with('/'))
    };
    let is_left = |finding: &&Finding<Step>| {
        finding.change().is_some_and(|left| {
            let sent = is_part_of(left, planned);
            (itself(finding) && (sent || left.fields.iter().any(was_planned))) || (is_part(finding) && sent)
        })
    };
    let mut left = looked.iter().filter(is_left);
    let Some(first) = left.next() else { return Some(Cow::Borrowed(same)) };
    let mut rest = first.clone();
    if let Verdict::Change(change) = &mut rest.verdict {
        let others = left.filter_map(Finding::change);
        change.steps.extend(others.flat_map(|left| left.steps.iter().cloned()));
    }
    Some(Cow::Owned(rest))
}

/// Are all calls that are left among those that were planned? What is executed never leaves the plan.
pub(super) fn is_part_of(left: &Change<Step>, planned: &Finding<Step>) -> bool {
    planned.change().is_some_and(|planned| left.steps.iter().all(|step| planned.steps.contains(step)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(call: &str) -> Step {
        Step { call: call.into(), title: call.into(), action: json!({}).into() }
    }

    fn change(rule: &str, path: &str, call: &str) -> Finding<Step> {
        let fields = vec![Field::new(path, json!(null), true)];
        Finding::new("trail", rule, Verdict::Change(Change::update(fields, vec![step(call)])))
    }

    /// The trail was made and its selectors are not what was promised: one call that nobody planned would do.
    #[test]
    fn a_field_that_was_promised_is_left_whatever_call_it_takes() {
        let planned = change("trail", "/events", "a:CreateTrail");
        let made = Finding::new("trail", "trail", Verdict::InSync);
        let looked = [made.clone(), change("events", "/events", "a:PutEventSelectors")];
        let left = told(&planned, &looked).expect("the resource is there");
        assert_eq!(left.rule, "events");
        assert!(!is_part_of(left.change().expect("a change"), &planned));

        let elsewhere = [made, change("logging", "/logging", "a:StartLogging")];
        let left = told(&planned, &elsewhere).expect("the resource is there");
        assert_eq!(left.verdict, Verdict::InSync, "nobody promised that one");
    }

    /// The topic was made and the call that subscribes somebody was refused: that is left, and nobody else's.
    #[test]
    fn a_part_that_has_a_resource_of_its_own_is_left_too() {
        let planned = {
            let fields = vec![Field::new("/name", json!(null), "alerts")];
            let steps = vec![step("sns:CreateTopic"), step("sns:Subscribe")];
            Finding::new("alerts", "topic", Verdict::Change(Change::create(fields, steps)))
        };
        let of = |resource: &str| Finding {
            resource: resource.into(),
            ..change("subscription", "/endpoint", "sns:Subscribe")
        };
        let made = Finding::new("alerts", "topic", Verdict::InSync);
        for (resource, is_left) in [("alerts/team", true), ("alerts-2/team", false), ("other", false)] {
            let looked = [made.clone(), of(resource)];
            let left = told(&planned, &looked).expect("the topic is there");
            assert_eq!(left.verdict != Verdict::InSync, is_left, "{resource}");
        }
    }
}
