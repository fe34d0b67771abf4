//! The changes of one group: calls, and looks until each is decided.
//!
//! A call's answer is never the verdict, neither success nor error: replies get lost, and readers lag writers.
//! The look after it decides.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::left::{is_part_of, sends_twice, told};
use super::{ChangeReport, ChangeResult, moved};
use crate::aws::Writer;
use crate::control::{Call, Facts, Finding, Known, Step, Thing, Verdict};
use crate::fault::{Fault, FaultKind};
use crate::observe::{Fleet, Target, misfit_fault};
use crate::plan::{Plan, still_planned};

/// Changes of one group that are at work at once.
const CHANGES_AT_ONCE: usize = 8;

/// How long a change may take to be seen to hold, where the control does not say: most of AWS's readers lag
/// its writers by seconds, IAM's by up to a minute.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often the calls of a change are sent when they fail for a passing reason.
const TRIES: u32 = 4;

/// Between looks: 0.5 s, doubled up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What a group's changes are made with.
pub(super) struct Prepared<'a> {
    pub fleet: &'a Fleet,
    pub target: Target<'a>,
    pub facts: Facts,
    /// The spec that is kept in the plan.
    pub spec: &'a Value,
    pub writer: Writer,
    pub known: Known,
    /// What the fresh look gave.
    pub now: Vec<Finding<Step>>,
}

impl Prepared<'_> {
    pub fn judge(&self, observed: &Value) -> Result<Vec<Finding<Step>>, Fault> {
        let control = self.target.control;
        control
            .plan(&self.facts, &self.known, self.spec, observed)
            .map_err(|misfit| misfit_fault(control.meta().id, &misfit))
    }

    async fn look(&self) -> Result<Vec<Finding<Step>>, Fault> {
        self.judge(&self.fleet.look(self.target, &self.facts).await?)
    }
}

/// All changes of one group, and what has become of each.
pub(super) struct Changes<'a> {
    plan: &'a Plan,
    /// The write calls that the control names.
    writes: &'static [Call],
    stop: &'a CancellationToken,
    start: Instant,
    open: BTreeMap<usize, Attempt>,
    done: Vec<(usize, ChangeReport)>,
}

/// A change under way.
#[derive(Clone, Debug, Default)]
struct Attempt {
    tries: u32,
    calls: usize,
    /// How many steps the last try was to send.
    steps: usize,
    /// How the last try ended, where a call failed.
    fault: Option<Fault>,
    /// Nothing of it was sent, because this change before it, of the same resource or what makes a thing that it stands
    /// on, failed with that fault.
    held_up_by: Option<usize>,
    /// When the last call was answered: patience counts from here, not from a long queue of calls.
    sent: Option<Instant>,
    /// The first of several failures, for the report.
    retried: Option<(Instant, String)>,
    patience: Option<Duration>,
}

impl<'a> Changes<'a> {
    pub fn new(plan: &'a Plan, group: &Group, stop: &'a CancellationToken, start: Instant) -> Self {
        let open = group.places.iter().map(|&place| (place, Attempt::default())).collect();
        Self { plan, writes: &[], stop, start, open, done: Vec::new() }
    }

    /// Ends the changes that stand on something that is not there, or of which nobody knows whether it is. What
    /// another of these changes makes is not there yet.
    pub fn end_those_without(&mut self, known: &Known) {
        let plan = self.plan;
        let made: Vec<(usize, &Thing)> = self
            .open
            .keys()
            .flat_map(|&maker| makes(plan, maker).iter().map(move |it| (maker, it)))
            .collect();
        for place in self.open.keys().copied().collect::<Vec<_>>() {
            let is_made = |thing: &Thing| made.iter().any(|(maker, made)| *maker != place && *made == thing);
            let missing = hard(plan, place).filter(|thing| known.is_missing(thing) && !is_made(thing));
            let missing: Vec<&Thing> = missing.collect();
            match missing.iter().find_map(|thing| known.fault(thing)).cloned() {
                Some(fault) => self.end(place, ChangeResult::Failed { fault }),
                None if missing.is_empty() => {}
                None => {
                    let on = missing.into_iter().cloned().collect();
                    self.end(place, ChangeResult::Blocked { on });
                }
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Ends all changes that are still open in the same way.
    pub fn all(mut self, result: &ChangeResult) -> Vec<(usize, ChangeReport)> {
        for place in self.open.keys().copied().collect::<Vec<_>>() {
            self.end(place, result.clone());
        }
        self.done
    }

    pub async fn run(mut self, prepared: &Prepared<'_>) -> Vec<(usize, ChangeReport)> {
        self.writes = prepared.target.control.meta().writes;
        let mut to_send = Vec::new();
        for place in self.open.keys().copied().collect::<Vec<_>>() {
            let planned = &self.plan.items[place].finding;
            match planned.change() {
                Some(change) if still_planned(planned, &prepared.now) => {
                    to_send.push((place, change.steps.clone()));
                }
                _ => self
                    .end(place, ChangeResult::Moved { what: moved::what(planned, &prepared.now), who: None }),
            }
        }
        let mut pause = Duration::from_millis(500);
        while !self.open.is_empty() {
            self.send(prepared, std::mem::take(&mut to_send)).await;
            let looked = prepared.look().await;
            let last = self.stop.is_cancelled();
            let mut wait = pause;
            for place in self.open.keys().copied().collect::<Vec<_>>() {
                match self.decide(place, &looked, last) {
                    Next::Ended(result) => self.end(place, result),
                    Next::Wait(at_least) => wait = wait.max(at_least),
                    Next::Send(steps) => to_send.push((place, steps)),
                }
            }
            if !self.open.is_empty() {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = self.stop.cancelled() => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        self.done
    }

    /// Sends the calls of some changes, makers before takers: what stands on a thing whose maker failed is not sent.
    async fn send(&mut self, prepared: &Prepared<'_>, to_send: Vec<(usize, Vec<Step>)>) {
        let plan = self.plan;
        let stands_on = |taker: usize, maker: usize| {
            let makes = makes(plan, maker);
            taker != maker && hard(plan, taker).any(|thing| makes.contains(thing))
        };
        let places: Vec<usize> = to_send.iter().map(|(place, _)| *place).collect();
        let (makers, rest): (Vec<_>, Vec<_>) =
            to_send.into_iter().partition(|(maker, _)| places.iter().any(|taker| stands_on(*taker, *maker)));
        self.send_at_once(prepared, makers).await;
        let (mut held_up, mut free) = (Vec::new(), Vec::new());
        for (place, steps) in rest {
            let failed = self.open.iter().filter(|(maker, _)| stands_on(place, **maker));
            match failed.filter_map(|(maker, attempt)| Some((*maker, attempt.fault.clone()?))).next() {
                Some((maker, fault)) => {
                    held_up.push(Sent { place, calls: 0, fault: Some(fault), held_up_by: Some(maker) });
                }
                None => free.push((place, steps)),
            }
        }
        self.keep(held_up);
        self.send_at_once(prepared, free).await;
    }

    /// Those of one resource one after another, in the control's order, and several resources at once. Two calls that
    /// write one thing at once would race.
    async fn send_at_once(&mut self, prepared: &Prepared<'_>, to_send: Vec<(usize, Vec<Step>)>) {
        let stop = self.stop;
        for (place, steps) in &to_send {
            if let Some(attempt) = self.open.get_mut(place) {
                attempt.steps = steps.len();
            }
        }
        let mut by_resource: BTreeMap<&str, Vec<(usize, Vec<Step>)>> = BTreeMap::new();
        for (place, steps) in to_send {
            let resource = self.plan.items[place].finding.resource.as_str();
            by_resource.entry(resource).or_default().push((place, steps));
        }
        let sent: Vec<_> = stream::iter(by_resource.into_values())
            .map(|changes| one_after_another(prepared, changes, stop))
            .buffer_unordered(CHANGES_AT_ONCE)
            .collect()
            .await;
        self.keep(sent.into_iter().flatten().collect());
    }

    fn keep(&mut self, sent: Vec<Sent>) {
        for Sent { place, calls, fault, held_up_by } in sent {
            let Some(attempt) = self.open.get_mut(&place) else { continue };
            attempt.sent = Some(Instant::now());
            attempt.held_up_by = held_up_by;
            if held_up_by.is_some() {
                attempt.fault = fault;
                continue;
            }
            attempt.tries += 1;
            attempt.calls += calls;
            if let (Some(fault), None) = (&fault, &attempt.retried) {
                attempt.retried = Some((Instant::now(), fault.code.clone()));
            }
            attempt.fault = fault;
        }
    }

    /// What a look says of one change.
    fn decide(&mut self, place: usize, looked: &Result<Vec<Finding<Step>>, Fault>, last: bool) -> Next {
        let planned = &self.plan.items[place].finding;
        let Some(attempt) = self.open.get_mut(&place) else { return Next::Wait(Duration::ZERO) };
        let elapsed = attempt.sent.unwrap_or(self.start).elapsed();
        let patience = attempt.patience.unwrap_or_else(|| patience(self.writes, planned));
        let give_up = |why: String| match &attempt.fault {
            Some(fault) => Next::Ended(ChangeResult::Failed { fault: fault.clone() }),
            None => Next::Ended(ChangeResult::NotVerified { why }),
        };
        let out_of_time = last || elapsed >= patience;
        let found = match looked {
            Ok(findings) => told(planned, findings),
            Err(fault) if fault.kind.is_transient() && !out_of_time => return Next::Wait(Duration::ZERO),
            Err(fault) => return give_up(fault.to_string()),
        };
        match found.as_deref().map(|finding| &finding.verdict) {
            Some(Verdict::InSync) => Next::Ended(ChangeResult::Held),
            Some(Verdict::Progressing(progress)) => {
                let patience = Duration::from_secs(progress.patience.into());
                attempt.patience = Some(patience);
                if last || elapsed >= patience {
                    return Next::Ended(ChangeResult::NotVerified { why: progress.what.clone() });
                }
                Next::Wait(Duration::from_secs(progress.look_again.into()))
            }
            Some(Verdict::Change(change)) if attempt.held_up_by.is_some() => {
                let ended = self.done.iter().find(|(place, _)| Some(*place) == attempt.held_up_by);
                let goes_on = ended.is_none_or(|(_, report)| report.result == ChangeResult::Held);
                if goes_on && !out_of_time && is_part_of(change, planned) {
                    Next::Send(change.steps.clone())
                } else {
                    give_up(String::new())
                }
            }
            Some(Verdict::Change(change)) => {
                // What AWS does not see yet is asked for until patience ends, not a number of times.
                // Every try begins to wait anew, so what counts is the first refusal.
                let not_ready = attempt.fault.as_ref().is_some_and(|f| f.kind == FaultKind::NotReady);
                let refused_for = attempt.retried.as_ref().map(|(first, _)| first.elapsed());
                let in_time = !out_of_time && refused_for.is_none_or(|since| since < patience);
                let has_tries = attempt.tries < TRIES || (not_ready && in_time);
                let may_send = has_tries && !last && is_part_of(change, planned);
                // A call that landed without an answer fails when it is sent again; fewer steps are left.
                let came_on = change.steps.len() < attempt.steps;
                match &attempt.fault {
                    Some(fault) if !came_on && sends_twice(self.writes, planned, change, fault) => {
                        if out_of_time {
                            give_up(String::new())
                        } else {
                            Next::Wait(Duration::ZERO)
                        }
                    }
                    Some(fault) if may_send && (came_on || fault.kind.is_transient()) => {
                        Next::Send(change.steps.clone())
                    }
                    Some(_) => give_up(String::new()),
                    None if out_of_time => give_up(moved::left(change, last)),
                    None => Next::Wait(Duration::ZERO),
                }
            }
            Some(Verdict::Unknown { fault }) if fault.kind.is_transient() && !out_of_time => {
                Next::Wait(Duration::ZERO)
            }
            Some(Verdict::Unknown { fault }) => give_up(fault.to_string()),
            Some(Verdict::Manual(task)) => give_up(task.title.clone()),
            Some(Verdict::Foreign { owner, .. }) => give_up(format!("{owner} manages it now")),
            Some(Verdict::NotOffered { source }) => give_up(source.clone()),
            None if out_of_time => give_up("it was no longer there".into()),
            None => Next::Wait(Duration::ZERO),
        }
    }

    fn end(&mut self, place: usize, result: ChangeResult) {
        let attempt = self.open.remove(&place).unwrap_or_default();
        let retried = attempt.retried.filter(|_| result == ChangeResult::Held).map(|(since, code)| {
            format!("retried for {:.0} s: {code}", since.elapsed().as_secs_f64().max(1.0))
        });
        let report = ChangeReport {
            item: self.plan.items[place].clone(),
            calls: attempt.calls,
            elapsed: self.start.elapsed(),
            retried,
            result,
        };
        self.done.push((place, report));
    }
}

/// What a change makes.
fn makes(plan: &Plan, place: usize) -> &[Thing] {
    plan.items[place].finding.change().map_or(&[], |change| &change.makes)
}

/// What a change cannot do without.
fn hard(plan: &Plan, place: usize) -> impl Iterator<Item = &Thing> {
    plan.items[place].needs.iter().filter(|need| need.hard).map(|need| &need.thing)
}

/// What to do about one change after a look.
enum Next {
    Ended(ChangeResult),
    /// Look again, at the earliest after this.
    Wait(Duration),
    /// Send these calls, a part of those planned.
    Send(Vec<Step>),
}

/// How long a change may take to be seen to hold: as long as the slowest of its calls.
fn patience(writes: &[Call], planned: &Finding<Step>) -> Duration {
    let steps = planned.change().map(|planned| planned.steps.as_slice()).unwrap_or_default();
    let calls = writes.iter().filter(|call| steps.iter().any(|step| step.call == call.operation));
    let slowest = calls.filter_map(|call| call.shows_within).max();
    slowest.map_or(PATIENCE, |seconds| PATIENCE.max(Duration::from_secs(seconds.into())))
}

/// What became of a change's calls.
struct Sent {
    place: usize,
    calls: usize,
    fault: Option<Fault>,
    held_up_by: Option<usize>,
}

/// Sends the calls of changes to one resource. After one that fails the others are not sent: they may stand on
/// it.
async fn one_after_another(
    prepared: &Prepared<'_>,
    changes: Vec<(usize, Vec<Step>)>,
    stop: &CancellationToken,
) -> Vec<Sent> {
    let mut failed: Option<(usize, Fault)> = None;
    let mut all = Vec::with_capacity(changes.len());
    for (place, steps) in changes {
        if let Some((before, fault)) = &failed {
            let fault = Some(fault.clone());
            all.push(Sent { place, calls: 0, fault, held_up_by: Some(*before) });
            continue;
        }
        let (calls, fault) = calls(prepared, &steps, stop).await;
        failed = fault.clone().map(|fault| (place, fault));
        all.push(Sent { place, calls, fault, held_up_by: None });
    }
    all
}

/// Sends a change's calls in order, up to the first that fails or to the signal.
async fn calls(prepared: &Prepared<'_>, steps: &[Step], stop: &CancellationToken) -> (usize, Option<Fault>) {
    let control = prepared.target.control;
    let mut sent = 0;
    for step in steps {
        if stop.is_cancelled() {
            break;
        }
        sent += 1;
        let call = prepared.writer.run(control.apply(&prepared.writer, &prepared.known, step));
        let fault = match call.await {
            Ok(Ok(())) => continue,
            Ok(Err(fault)) => fault,
            Err(misfit) => misfit_fault(control.meta().id, &misfit),
        };
        return (sent, Some(fault));
    }
    (sent, None)
}
