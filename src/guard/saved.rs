//! Guards of a plan that was saved: still valid, still the one that was reviewed, and made for here.

use jiff::Timestamp;

use super::{Refusal, quoted};
use crate::audit::{ControllerRecord, Used};
use crate::moment::minute;
use crate::saved::{Origin, SavedPlan};

/// Refuses a saved plan that has expired, is not the one that is expected, was made for elsewhere, or was used.
pub fn saved_plan(
    saved: &SavedPlan,
    now: Timestamp,
    here: &Origin,
    expected: Option<&str>,
    used: Option<&Used>,
) -> Vec<Refusal> {
    let again = || "plan again, and have that plan reviewed".to_owned();
    let mut refusals = Vec::new();
    let mut refuse = |why: String, hint: String| refusals.push(Refusal { why, hint });
    if let Some(expected) = expected.filter(|expected| *expected != saved.digest) {
        refuse(
            format!("the plan's digest is {}, and {expected} is expected", saved.digest),
            "this is not the file that was reviewed".to_owned(),
        );
    }
    if now >= saved.expires_at {
        refuse(format!("the plan expired at {}", minute(saved.expires_at)), again());
    }
    if let Some(used) = used {
        refuse(format!("the plan was applied already, at {} in run {}", minute(used.at), used.run), again());
    }
    let made = &saved.made_for;
    if (&made.caller_account, &made.partition) != (&here.caller_account, &here.partition) {
        refuse(
            format!(
                "the plan was made by a caller in account {} ({}), and this one is in {} ({})",
                made.caller_account, made.partition, here.caller_account, here.partition
            ),
            "apply it with credentials of the same account".to_owned(),
        );
    }
    if made.endpoint != here.endpoint {
        let shown = |endpoint: &Option<String>| endpoint.clone().unwrap_or_else(|| "AWS itself".to_owned());
        refuse(
            format!("the plan was made for {}, and this is {}", shown(&made.endpoint), shown(&here.endpoint)),
            "AWS_ENDPOINT_URL, or the profile's `endpoint_url`, says which".to_owned(),
        );
    }
    refusals
}

/// Why a plan that takes something back is refused: a controller that enforces would make the changes again.
pub fn undo_alone(
    saved: &SavedPlan,
    controller: Option<&ControllerRecord>,
    now: Timestamp,
) -> Option<Refusal> {
    let run = saved.undoes.as_ref()?;
    let controller = controller.filter(|controller| controller.enforces_at(now))?;
    Some(Refusal {
        why: format!(
            "a controller enforces the documents here (run {}, heard of at {}): it would make the changes of run {run} \
             again",
            controller.run,
            minute(controller.at)
        ),
        hint: "commit the YAML that `undo` wrote beside the plan: the controller makes it so".to_owned(),
    })
}

/// Why a plan that `key` should have signed is refused.
pub fn not_signed(saved: &SavedPlan, key: &str) -> Refusal {
    let why = match &saved.signature {
        None => format!("the plan is not signed, and {key} should have signed it"),
        Some(other) => format!("the plan's signature, said to be by {}, is not one by {key}", other.key),
    };
    Refusal { why, hint: format!("plan again with --sign {}", quoted(key)) }
}
