//! Which hints are of our own writes.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::super::current::Current;
use super::super::hints::{Hint, Storm};
use super::super::schedule::after;

/// What may be a hint of our own run that has not ended waits for its end.
pub(super) const OWN_WAITS: Duration = Duration::from_secs(15);
const OWN_WAITS_AT_MOST: Duration = Duration::from_secs(90);

/// Hints of an account: those that count, those that are to wait, and the receipts of those that do not count.
#[derive(Default)]
pub(in super::super) struct Sorted {
    pub count: Vec<(Hint, String)>,
    pub wait: Vec<(Hint, String)>,
    pub ours: Vec<String>,
}

/// Sorts out what we wrote ourselves: hints whose session is one of the role that writes, and named after a run of ours
/// that has ended. One that has not ended may have written something else since, so its hints wait for its end.
pub(super) async fn sort(current: &Current, storm: Storm, now: Timestamp) -> Sorted {
    let role = current.desired.organization.roles.as_ref().map(|roles| roles.apply.as_str());
    let mut sorted = Sorted::default();
    let mut known: HashMap<String, Option<bool>> = HashMap::new();
    for (hint, receipt) in storm.hints {
        let run =
            hint.session.as_ref().filter(|(of, _)| role == Some(of)).map(|(_, session)| session.clone());
        let Some(run) = run else {
            sorted.count.push((hint, receipt));
            continue;
        };
        let has_ended = match known.get(&run) {
            Some(known) => *known,
            None => {
                let found = has_ended(current, &run).await;
                known.insert(run.clone(), found);
                found
            }
        };
        match has_ended {
            Some(true) => sorted.ours.push(receipt),
            Some(false) if after(hint.at, OWN_WAITS_AT_MOST) > now => sorted.wait.push((hint, receipt)),
            Some(false) | None => sorted.count.push((hint, receipt)),
        }
    }
    sorted
}

/// Has this run of ours ended? `None` where it is none of ours, or that cannot be read: then it is somebody's.
async fn has_ended(current: &Current, run: &str) -> Option<bool> {
    let audit = &current.audit;
    if !audit.knows_run(run).await.ok()? {
        return None;
    }
    Some(audit.outcome::<serde::de::IgnoredAny>(run).await.ok()?.is_some())
}
