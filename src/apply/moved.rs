//! What moved, in words.

use serde_json::Value;

use crate::control::{Change, Finding, Step, Verdict};
use crate::pointer;

/// Why a finding is no longer the one that was planned: `enabled was false when planned and is true now`.
pub(super) fn what(planned: &Finding<Step>, now: &[Finding<Step>]) -> String {
    let same =
        now.iter().find(|finding| finding.resource == planned.resource && finding.rule == planned.rule);
    let (Some(before), Some(now)) = (planned.change(), same) else {
        return format!("{} is no longer there", planned.resource);
    };
    let now = match &now.verdict {
        Verdict::Change(now) => now,
        Verdict::InSync => return "somebody else has put it right".into(),
        Verdict::Manual(task) => return format!("it needs a person now: {}", task.title),
        Verdict::Progressing(progress) => return progress.what.clone(),
        Verdict::Foreign { owner, .. } => return format!("{owner} manages it now"),
        Verdict::NotOffered { source } => return source.clone(),
        Verdict::Unknown { fault } => return fault.to_string(),
    };
    for field in &before.fields {
        let name = pointer::dotted(&field.path);
        match now.fields.iter().find(|other| other.path == field.path) {
            Some(other) if other.before != field.before => {
                return format!(
                    "{name} was {} when planned and is {} now",
                    word(&field.before),
                    word(&other.before)
                );
            }
            None => return format!("{name} was {} when planned and is right now", word(&field.before)),
            Some(_) => {}
        }
    }
    match now.fields.iter().find(|field| before.fields.iter().all(|other| other.path != field.path)) {
        Some(field) => format!("{} is {} now", pointer::dotted(&field.path), word(&field.before)),
        None => "what the call would carry along is not what it was when planned".into(),
    }
}

/// What was not seen to hold: `enabled is still false`.
pub(super) fn left(change: &Change<Step>, interrupted: bool) -> String {
    let fields: Vec<String> = change
        .fields
        .iter()
        .map(|field| format!("{} is still {}", pointer::dotted(&field.path), word(&field.before)))
        .collect();
    let fields = fields.join(", ");
    if interrupted { format!("interrupted while {fields}") } else { fields }
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "absent".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::Field;

    fn finding(before: Value) -> Finding<Step> {
        let change = Change::update(vec![Field::new("/enabled", before, true)], vec![]);
        Finding::new("detector", "detector", Verdict::Change(change))
    }

    #[test]
    fn it_says_which_field_moved_and_how() {
        let planned = finding(json!(false));
        assert_eq!(what(&planned, &[]), "detector is no longer there");
        let right = Finding::new("detector", "detector", Verdict::InSync);
        assert_eq!(what(&planned, &[right]), "somebody else has put it right");
        assert_eq!(
            what(&planned, &[finding(json!(null))]),
            "enabled was false when planned and is absent now"
        );
    }

    #[test]
    fn it_says_what_is_left() {
        let planned = finding(json!(false));
        let change = planned.change().expect("a change");
        assert_eq!(left(change, false), "enabled is still false");
        assert_eq!(left(change, true), "interrupted while enabled is still false");
    }
}
