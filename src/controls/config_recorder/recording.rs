//! Whether the recorder runs, declared beside live.

use super::channel;
use super::live::Recorder;
use super::recorder::{COST, adopts};
use super::spec::{NONE, RecorderSpec};
use super::write::{START, Write};
use crate::control::{Change, Direction, Facts, Field, ManualTask, Progress, Thing, Verdict, Verified};
use crate::fault::{Fault, FaultKind};

fn invalid(message: impl Into<String>) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, START.operation, message) }
}

/// What others wait for: Security Hub's controls have nothing to look at before.
fn records(facts: &Facts) -> Vec<Thing> {
    vec![Thing::ConfigRecorder { account: facts.scope.account.clone(), region: facts.scope.region.clone() }]
}

/// `name` is what the recorder is called, or will be.
pub fn recording(
    facts: &Facts,
    spec: &RecorderSpec,
    want: bool,
    live: Option<&Recorder>,
    has_channel: bool,
) -> Verdict<Write> {
    match (want, live.map(|live| live.recording)) {
        (false, None | Some(false)) => Verdict::InSync,
        (false, Some(true)) => {
            let recorder = live.map(|live| live.name.clone()).unwrap_or_default();
            Verdict::Change(Change {
                direction: Direction::Weakens,
                adopts: live.and_then(adopts),
                stands_on: Some(Vec::new()),
                ..Change::update(vec![Field::new("/record", "all", NONE)], vec![Write::Stop { recorder }])
            })
        }
        (true, Some(true)) => live.map_or(Verdict::InSync, status),
        (true, None | Some(false)) => {
            if !has_channel && spec.deliver_to.is_none() {
                return invalid("a recorder does not start without a delivery channel: say `deliverTo`");
            }
            let recorder = live.map_or_else(|| "default".to_owned(), |live| live.name.clone());
            let needs = channel::needs(facts, spec).into_iter().map(|need| need.thing);
            Verdict::Change(Change {
                cost: Some(COST.to_owned()),
                adopts: live.and_then(adopts),
                makes: records(facts),
                // It starts once there is a channel, which this same plan makes.
                stands_on: Some(if has_channel { Vec::new() } else { needs.collect() }),
                // Another finding makes the recorder where there is none; nothing is recorded either way.
                ..Change::update(vec![Field::new("/record", NONE, "all")], vec![Write::Start { recorder }])
            })
        }
    }
}

/// It was started: AWS tells later whether it records.
fn status(live: &Recorder) -> Verdict<Write> {
    match live.status.to_ascii_uppercase().as_str() {
        // Nothing has changed since it was started, so there was nothing to record.
        "SUCCESS" | "NOTAPPLICABLE" | "NOT_APPLICABLE" => Verdict::InSync,
        "PENDING" | "" => Verdict::Progressing(Progress {
            what: "AWS Config is starting to record".into(),
            look_again: 15,
            patience: 900,
        }),
        "FAILURE" => Verdict::Manual(ManualTask {
            title: "AWS Config was started and does not record".into(),
            found: vec![(
                "last error".into(),
                live.error.clone().unwrap_or_else(|| "AWS Config gives no reason".into()),
            )],
            steps: vec![
                "Its role must be the service-linked one or be allowed to read all types, and".into(),
                "bucket, key and topic must let it deliver. The next plan sees it.".into(),
            ],
            verified: Verified::ByObservation,
        }),
        _ => {
            let message = format!("`{}` is not a status that this build knows", live.status);
            let call = "config:DescribeConfigurationRecorderStatus";
            Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, call, message) }
        }
    }
}
