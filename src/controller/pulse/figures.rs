//! What is counted over turns. Names and meanings are those of Kubernetes' controller-runtime where it has one, so
//! that dashboards and alerts for it work here; what is ours begins with `baseline`.
//!
//! No figure has a label for an account or a resource: a thousand accounts would be a thousand series of each, and the
//! log and the page say which one it is.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::controller::reconcile::{Done, Ended};
use crate::controller::schedule::Class;

/// One label, of values that the program itself knows.
pub type Label = [(&'static str, &'static str); 1];

/// controller-runtime's own buckets, and longer ones: a turn asks AWS a few hundred times.
const SECONDS: [f64; 20] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0,
    600.0, 1200.0,
];

/// Counted since the start.
#[derive(Clone, Debug)]
pub struct Figures {
    turns: Family<Label, Counter>,
    errors: Counter,
    terminal_errors: Counter,
    seconds: Histogram,
    failures: Family<Label, Counter>,
    changes: Family<Label, Counter>,
    drift: Counter,
    calls: Counter,
    not_kept: Counter,
}

impl Figures {
    pub(super) fn new() -> Self {
        let figures = Self {
            turns: Family::default(),
            errors: Counter::default(),
            terminal_errors: Counter::default(),
            seconds: Histogram::new(SECONDS),
            failures: Family::default(),
            changes: Family::default(),
            drift: Counter::default(),
            calls: Counter::default(),
            not_kept: Counter::default(),
        };
        // What has not happened yet is nought, and not absent: an alert on a rate needs the first sample.
        for result in ["success", "requeue_after", "error", "left_alone"] {
            drop(figures.turns.get_or_create(&[("result", result)]));
        }
        for class in [Class::Unavailable, Class::Throttled, Class::Denied, Class::Invalid] {
            drop(figures.failures.get_or_create(&[("class", class.word())]));
        }
        for result in ["held", "failed", "refused", "contested"] {
            drop(figures.changes.get_or_create(&[("result", result)]));
        }
        figures
    }

    /// Counts a turn.
    pub(super) fn count(&self, done: &Done) {
        let class = done.failing.as_ref().map(|failing| failing.class);
        let result = match &done.ended {
            // Told to stop, or somebody else has looked: no result of the account's.
            Ended::Interrupted | Ended::Seen => return,
            Ended::LeftAlone { .. } => "left_alone",
            Ended::NoRecords(_) => "error",
            Ended::Looked if class.is_some() => "error",
            Ended::Looked if done.again.is_some() => "requeue_after",
            Ended::Looked => "success",
        };
        self.turns.get_or_create(&[("result", result)]).inc();
        if result == "error" {
            self.errors.inc();
            if class.is_some_and(Class::is_terminal) {
                self.terminal_errors.inc();
            }
        }
        if let Some(class) = class {
            self.failures.get_or_create(&[("class", class.word())]).inc();
        }
        for (result, n) in [
            ("held", done.held),
            ("failed", done.failed),
            ("refused", done.refused),
            ("contested", done.contested),
        ] {
            self.changes.get_or_create(&[("result", result)]).inc_by(many(n));
        }
        self.seconds.observe(done.elapsed.as_secs_f64());
        self.drift.inc_by(many(done.drifted));
        self.calls.inc_by(many(done.calls));
        self.not_kept.inc_by(many(done.not_kept.len()));
    }

    /// Puts them where they are read.
    pub fn register(&self, registry: &mut Registry) {
        let account = registry.sub_registry_with_label(("controller".into(), "account".into()));
        account.register(
            "controller_runtime_reconcile",
            "Turns of accounts by how they ended",
            self.turns.clone(),
        );
        account.register(
            "controller_runtime_reconcile_errors",
            "Turns that failed, wholly or in part",
            self.errors.clone(),
        );
        account.register(
            "controller_runtime_terminal_reconcile_errors",
            "Those of them that end only when somebody does something",
            self.terminal_errors.clone(),
        );
        account.register(
            "controller_runtime_reconcile_time_seconds",
            "How long a turn took, from the first call to the last",
            self.seconds.clone(),
        );
        registry.register(
            "baseline_failures",
            "Turns in which something could not be asked, by why",
            self.failures.clone(),
        );
        registry.register(
            "baseline_changes",
            "Changes by what became of them: made and seen to hold, failed, refused by a guard, contested",
            self.changes.clone(),
        );
        registry.register(
            "baseline_drift",
            "Findings that had been as desired and were found otherwise",
            self.drift.clone(),
        );
        registry.register(
            "baseline_aws_calls",
            "Calls to AWS that turns took, reads and writes",
            self.calls.clone(),
        );
        registry.register(
            "baseline_records_errors",
            "Records that could not be kept although what they tell was done",
            self.not_kept.clone(),
        );
    }
}

fn many(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
