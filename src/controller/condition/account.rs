//! The conditions of an account as a whole, from those of its controls.

use super::judge::Looked;
use super::{Condition, ControlConditions, Status, Type, now_is};

/// `Synced` where everything is, and of the others those that are true of any control.
pub(super) fn conditions(
    before: &[Condition],
    controls: &[ControlConditions],
    looked: &Looked<'_>,
) -> Vec<Condition> {
    let is = |kind, status, reason: &str, message: String| {
        now_is(before, kind, status, reason, message, looked.now)
    };
    let of = |status: Status, reason: Option<&str>| {
        controls
            .iter()
            .filter_map(|control| control.condition(Type::Synced))
            .filter(|synced| synced.status == status && reason.is_none_or(|reason| synced.reason == reason))
            .count()
    };
    let mut found = vec![if of(Status::Unknown, None) > 0 {
        let first = controls.iter().find_map(|control| control.condition(Type::Unknown));
        let reason = first.map_or("Unknown", |condition| condition.reason.as_str());
        is(Type::Synced, Status::Unknown, reason, counted(controls, Type::Unknown, "not known"))
    } else if of(Status::False, None) > 0 {
        let words = ["Contested", "Stalled", "Drifted", "Progressing", "Excepted", "Foreign"];
        let present = words.into_iter().filter(|word| of(Status::False, Some(word)) > 0);
        let texts: Vec<String> = present
            .clone()
            .map(|word| format!("{} {}", of(Status::False, Some(word)), word.to_lowercase()))
            .collect();
        let reason = present.clone().next().unwrap_or("Drifted");
        is(Type::Synced, Status::False, reason, texts.join(", "))
    } else {
        is(Type::Synced, Status::True, "InSync", format!("all {} as desired", controls.len()))
    }];
    for (kind, word) in [
        (Type::Drifted, "drifted"),
        (Type::Progressing, "in progress"),
        (Type::Contested, "contested"),
        (Type::Stalled, "stalled"),
        (Type::Unknown, "not known"),
    ] {
        let first =
            controls.iter().filter(|control| control.is(kind)).find_map(|control| control.condition(kind));
        if let Some(first) = first {
            found.push(is(kind, Status::True, &first.reason, counted(controls, kind, word)));
        }
    }
    found
}

/// `2 of 20 drifted: guardduty.detector in eu-west-1, iam.password-policy in eu-west-1`.
fn counted(controls: &[ControlConditions], kind: Type, word: &str) -> String {
    let those: Vec<String> = controls
        .iter()
        .filter(|control| control.is(kind))
        .map(|control| format!("{} in {}", control.control, control.region))
        .collect();
    let more = if those.len() > 3 { format!(" and {} more", those.len() - 3) } else { String::new() };
    let named = those.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    format!("{} of {} {word}: {named}{more}", those.len(), controls.len())
}
