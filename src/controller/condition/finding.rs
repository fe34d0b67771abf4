//! What one finding contributes to the conditions of its control.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Type;
use super::contest::Contest;
use super::judge::Looked;
use super::past::Failed;
use crate::apply::ChangeResult;
use crate::control::{Thing, Verdict};
use crate::fault::Fault;
use crate::place::Region;
use crate::plan::{Item, Outcome};

/// What a finding is known by within an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    pub region: Region,
    pub control: String,
    pub rule: String,
    pub resource: String,
}

impl Key {
    pub fn of(item: &Item) -> Self {
        Self {
            region: item.scope.region.clone(),
            control: item.control.clone(),
            rule: item.finding.rule.clone(),
            resource: item.finding.resource.clone(),
        }
    }
}

/// Why a change that was planned is not made at this turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// A guard refuses it, and what would allow it.
    Refused { why: String },
    /// It was put right again and again, and changed back each time.
    Contested(Contest),
    /// It was tried, and it is not time to try again.
    Failed(Failed),
    /// It is news to the account, and an earlier wave of the rollout is not through: which one, and who.
    Wave { why: String },
}

impl Hold {
    pub fn is_wave(&self) -> bool {
        matches!(self, Self::Wave { .. })
    }
}

/// What a finding says of its control.
pub(super) enum Says {
    Synced,
    /// It does not exist there: no condition.
    Nothing,
    /// Conditions that are true, each with its reason and text.
    True(Vec<(Type, String, String)>),
    /// Not synced, and nobody has to do anything.
    Aside {
        reason: &'static str,
        text: String,
    },
}

/// The longest text of one value.
const LONGEST_VALUE: usize = 60;

pub(super) fn says(item: &Item, looked: &Looked<'_>, since: Option<Timestamp>) -> Says {
    let resource = &item.finding.resource;
    let told = |text: &str| if resource.is_empty() { text.to_owned() } else { format!("{resource}: {text}") };
    match (&item.outcome, &item.finding.verdict) {
        (Outcome::InSync, _) => Says::Synced,
        (Outcome::NotOffered, _) => Says::Nothing,
        (Outcome::Change, _) => change(item, looked),
        (Outcome::ObserveOnly, _) => {
            let (reason, why) = match item.exception_note.as_deref() {
                Some(note) => ("Suspended", format!(" ({note})")),
                None => ("ObserveOnly", String::new()),
            };
            Says::True(vec![(Type::Drifted, reason.to_owned(), format!("{}{why}", differs(item)))])
        }
        (_, Verdict::Manual(task)) if item.outcome == Outcome::Manual => {
            Says::True(vec![(Type::Drifted, "ManualTask".to_owned(), told(&task.title))])
        }
        (_, Verdict::Progressing(progress)) => {
            let patience = std::time::Duration::from_secs(progress.patience.into());
            let ended =
                since.is_some_and(|since| crate::controller::schedule::after(since, patience) <= looked.now);
            let text = told(&progress.what);
            Says::True(vec![if ended {
                (Type::Stalled, "PatienceEnded".to_owned(), format!("{text}, for longer than it takes"))
            } else {
                (Type::Progressing, "InProgress".to_owned(), text)
            }])
        }
        (Outcome::Blocked { on, why }, _) => {
            let why = why.clone().unwrap_or_else(|| waits(on));
            Says::True(vec![(Type::Stalled, "Blocked".to_owned(), told(&why))])
        }
        (Outcome::Excepted { exception }, _) => {
            let note = item.exception_note.as_ref().unwrap_or(exception);
            Says::Aside { reason: "Excepted", text: told(note) }
        }
        (Outcome::Foreign, Verdict::Foreign { owner, evidence }) => {
            Says::Aside { reason: "Foreign", text: told(&format!("{owner} manages it ({evidence})")) }
        }
        (_, Verdict::Unknown { fault: why }) => {
            Says::True(vec![(Type::Unknown, why.kind.reason().to_owned(), told(&fault(why)))])
        }
        // An outcome that does not go with its verdict: nothing is known for certain.
        (outcome, _) => Says::True(vec![(Type::Unknown, "Invalid".to_owned(), told(outcome.word()))]),
    }
}

/// A change: made or not, and why not.
fn change(item: &Item, looked: &Looked<'_>) -> Says {
    let differs = differs(item);
    let drifted = |reason: &str| (Type::Drifted, reason.to_owned(), differs.clone());
    let stalled = |reason: &str, why: &str| (Type::Stalled, reason.to_owned(), format!("{differs}: {why}"));
    let key = Key::of(item);
    match looked.result(&key) {
        Some(ChangeResult::Held) => return Says::Synced,
        Some(ChangeResult::Moved { what, .. }) => {
            return Says::True(vec![(Type::Drifted, "Moved".to_owned(), format!("{differs}; {what}"))]);
        }
        Some(ChangeResult::Failed { fault: why }) => {
            return Says::True(vec![drifted("ChangePlanned"), stalled(why.kind.reason(), &fault(why))]);
        }
        Some(ChangeResult::NotVerified { why }) => {
            return Says::True(vec![drifted("ChangePlanned"), stalled("NotVerified", why)]);
        }
        Some(ChangeResult::Blocked { on }) => {
            return Says::True(vec![drifted("ChangePlanned"), stalled("Blocked", &waits(on))]);
        }
        Some(ChangeResult::NotReached | ChangeResult::HeldBack { .. }) | None => {}
    }
    Says::True(match looked.holds.get(&key) {
        Some(Hold::Refused { why }) => vec![drifted("ChangePlanned"), stalled("Refused", why)],
        Some(Hold::Contested(contest)) => {
            let text = contest.text(&item.finding.resource, &contest.last_by());
            vec![drifted("ChangePlanned"), (Type::Contested, "ChangedBack".to_owned(), text)]
        }
        Some(Hold::Failed(failed)) => {
            vec![drifted("ChangePlanned"), stalled(&failed.reason, &failed.message)]
        }
        Some(Hold::Wave { why }) => {
            vec![(Type::Drifted, "WaitsForWave".to_owned(), format!("{differs}; {why}"))]
        }
        None if !looked.refused.is_empty() => {
            vec![drifted("ChangePlanned"), stalled("Refused", &looked.refused.join("; "))]
        }
        None if looked.enforces => vec![drifted("ChangePlanned")],
        None => vec![drifted("ObserveOnly")],
    })
}

fn waits(on: &[Thing]) -> String {
    match on {
        [] => "what it stands on is not there".to_owned(),
        some => {
            let names: Vec<String> = some.iter().map(ToString::to_string).collect();
            format!("waits for {}", names.join(", "))
        }
    }
}

/// `detector: frequency SIX_HOURS → ONE_HOUR`.
pub(super) fn differs(item: &Item) -> String {
    let resource = &item.finding.resource;
    let Some(change) = item.finding.change() else { return resource.clone() };
    let fields: Vec<String> = change
        .fields
        .iter()
        .map(|field| {
            let path = field.path.trim_start_matches('/').replace('/', ".");
            format!("{path} {} → {}", short(&field.before), short(&field.after))
        })
        .collect();
    let fields = fields.join(", ");
    match (resource.is_empty(), fields.is_empty()) {
        (true, _) => fields,
        (false, true) => resource.clone(),
        (false, false) => format!("{resource}: {fields}"),
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A fault without the id of its request: that would make every look news.
pub(super) fn fault(fault: &Fault) -> String {
    Fault { request_id: None, ..fault.clone() }.to_string()
}
