//! Doing what a guarded plan says: makers before takers, the rest at once, and nothing that has moved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::group::{Group, groups};
use super::round::{Changes, Prepared};
use super::{ApplyReport, ChangeReport, ChangeResult, Remaining};
use crate::audit::{Audit, AuditError, BeforeImage, Intent};
use crate::aws::InScope;
use crate::aws::journal::Purpose;
use crate::control::{Facts, Known, Thing};
use crate::desired::DesiredControl;
use crate::fault::{Fault, FaultKind};
use crate::guard::Guarded;
use crate::inventory::{Seen, facts};
use crate::observe::{Fleet, Target, unopened};
use crate::place::Scope;
use crate::plan::{Item, Plan};
use crate::traces::TARGET;
use crate::who::Looker;

/// Groups that are at work at once. Rates hold each account; this bounds sockets and memory.
const GROUPS_AT_ONCE: usize = 64;

/// What happens while a plan is applied, for progress on a terminal.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Started { control: &'a str, scope: &'a crate::place::Scope, changes: usize },
    Ended { report: &'a ChangeReport },
}

/// What an apply runs with.
pub struct Applying<'a> {
    pub fleet: &'a Fleet,
    pub audit: &'a Audit,
    /// `--reason`, for the record.
    pub reason: Option<&'a str>,
    /// When the plan was made: who moved something since is looked up.
    pub planned_at: Timestamp,
    /// Cancelled by the first Ctrl-C: the step in hand is finished, nothing else is started.
    pub stop: &'a CancellationToken,
    pub on: &'a (dyn Fn(Event<'_>) + Sync),
}

/// Makes the plan's changes. `Err` only where the intent could not be made durable: then nothing was written.
/// Once the report has been shown, [`super::conclude()`] keeps it.
pub async fn apply(with: &Applying<'_>, guarded: &Guarded) -> Result<ApplyReport, AuditError> {
    let plan = guarded.plan();
    let fleet = with.fleet;
    let run = fleet.aws.run();
    let intent = Intent {
        run,
        at: Timestamp::now(),
        tool_version: env!("CARGO_PKG_VERSION"),
        caller: &fleet.aws.identity().arn,
        organization: &plan.organization,
        revision: plan.revision.as_deref(),
        digest: &plan.digest,
        reason: with.reason,
        controller: fleet.aws.parent(),
        lease_until: fleet.aws.lease().and_then(|lease| Timestamp::try_from(lease.until()).ok()),
        changes: plan.changes().map(|(_, item)| item).collect(),
    };
    with.audit.begin(run, &intent).await?;

    let groups = groups(plan);
    let declared = plan.specs.iter().map(|(place, spec)| (place, DesiredControl::fixed(Arc::clone(spec))));
    let run_of = Run {
        with,
        plan,
        declared: declared.collect(),
        room: Semaphore::new(GROUPS_AT_ONCE),
        images: AtomicUsize::new(0),
    };
    let ended: Vec<watch::Sender<bool>> = groups.iter().map(|_| watch::Sender::new(false)).collect();
    let mut reports: Vec<(usize, ChangeReport)> = Vec::new();
    let mut stopped: Option<String> = None;
    for (wave, places) in waves(plan, &groups) {
        if let Some(why) = &stopped {
            let held = ChangeResult::HeldBack { why: why.clone() };
            reports.extend(places.into_iter().flat_map(|place| run_of.all(&groups[place], &held)));
            continue;
        }
        let work = places.into_iter().map(|index| {
            let (run, ended, group) = (&run_of, &ended, &groups[index]);
            async move {
                for &maker in &group.waits_for {
                    // The senders outlive every group, so the wait ends only when the maker has. A maker in a later
                    // wave has blocked this one when the plan was finished.
                    let _ended = ended[maker].subscribe().wait_for(|ended| *ended).await.is_ok();
                }
                let span = tracing::info_span!(
                    target: TARGET,
                    "change",
                    cloud.account.id = %group.scope.account,
                    cloud.region = %group.scope.region,
                    baseline.control = group.control,
                    baseline.changes = group.places.len()
                );
                let reports = run.group(group).instrument(span).await;
                ended[index].send_replace(true);
                reports
            }
        });
        let done: Vec<_> = futures::future::join_all(work).await.into_iter().flatten().collect();
        stopped = wave.and_then(|wave| over_budget(fleet, wave, &done));
        reports.extend(done);
    }
    reports.sort_by_key(|(place, _)| *place);
    if !with.stop.is_cancelled() {
        Box::pin(name_movers(with, &mut reports)).await;
    }

    Ok(ApplyReport {
        run: run.to_owned(),
        audit: with.audit.run_place(run),
        role: fleet.writing_role(),
        changes: reports.into_iter().map(|(_, report)| report).collect(),
        interrupted: with.stop.is_cancelled(),
        held_back: guarded.held_back().iter().map(ToString::to_string).collect(),
        remaining: Remaining {
            manual: plan.totals.manual,
            progressing: plan.totals.progressing,
            blocked: plan.totals.blocked,
            unknown: plan.totals.unknown,
        },
    })
}

/// The places of the groups by wave, in the order in which waves are made; one without number where there are none.
fn waves(plan: &Plan, groups: &[Group]) -> BTreeMap<Option<u32>, Vec<usize>> {
    let mut waves: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
    for (place, group) in groups.iter().enumerate() {
        let wave = plan.account(&group.scope.account).and_then(|account| account.wave);
        waves.entry(wave).or_default().push(place);
    }
    waves
}

/// Why nothing after this wave is started, if more of it went wrong than `rollout.errorBudget` lets go.
fn over_budget(fleet: &Fleet, wave: u32, done: &[(usize, ChangeReport)]) -> Option<String> {
    let budget = fleet.desired.organization.rollout.as_ref().map_or(0, |rollout| rollout.error_budget);
    let wrong = done.iter().filter(|(_, report)| report.result != ChangeResult::Held).count();
    let of = done.len();
    (wrong > budget as usize).then(|| format!("{wrong} of {of} changes of wave {wave} did not hold"))
}

/// Finds out who may have changed what had moved. That nobody can be found is said, and never a failure.
async fn name_movers(with: &Applying<'_>, reports: &mut [(usize, ChangeReport)]) {
    let looker = Looker::new(with.fleet, with.audit);
    let named = stream::iter(reports)
        .map(|(_, report)| {
            let looker = &looker;
            async move {
                let ChangeResult::Moved { who, .. } = &mut report.result else { return };
                let Item { scope, control, finding, .. } = &report.item;
                let Some(control) = with.fleet.control(control) else { return };
                let since = with.planned_at;
                *who = Some(looker.who(scope, control.meta(), &finding.resource, since, None).await);
            }
        })
        .buffer_unordered(GROUPS_AT_ONCE)
        .collect::<()>();
    tokio::select! {
        () = named => {}
        () = with.stop.cancelled() => {}
    }
}

/// One apply under way.
struct Run<'a> {
    with: &'a Applying<'a>,
    plan: &'a Plan,
    /// What is asked and judged by: the specs that are kept in the plan, whatever the documents say by now.
    declared: BTreeMap<&'a (Scope, String), DesiredControl>,
    room: Semaphore,
    /// Before-images written so far.
    images: AtomicUsize,
}

impl Run<'_> {
    /// A group of which nothing is started.
    fn all(&self, group: &Group, result: &ChangeResult) -> Vec<(usize, ChangeReport)> {
        Changes::new(self.plan, group, self.with.stop, Instant::now()).all(result)
    }

    /// One control in one scope: a fresh look, the changes that are still planned, looks until they hold.
    async fn group(&self, group: &Group) -> Vec<(usize, ChangeReport)> {
        let start = Instant::now();
        let room = self.room.acquire().await;
        let mut changes = Changes::new(self.plan, group, self.with.stop, start);
        if room.is_err() || self.with.stop.is_cancelled() {
            return changes.all(&ChangeResult::NotReached);
        }
        (self.with.on)(Event::Started {
            control: &group.control,
            scope: &group.scope,
            changes: group.places.len(),
        });
        let known = self.with.fleet.resolve(self.things(group), true).await;
        changes.end_those_without(&known);
        let reports = if changes.is_empty() {
            changes.all(&ChangeResult::NotReached)
        } else {
            match self.prepare(group, known).await {
                Ok(prepared) => changes.run(&prepared).await,
                Err(result) => changes.all(&result),
            }
        };
        for (_, report) in &reports {
            (self.with.on)(Event::Ended { report });
        }
        reports
    }

    /// All that the control needs, not only what these changes stand on: who plans again has to know what was
    /// known when it was planned.
    fn things(&self, group: &Group) -> Vec<Thing> {
        let of_control =
            self.target(group).ok().and_then(|(target, facts, spec)| target.control.needs(&facts, spec).ok());
        let all = group.needs.iter().cloned().chain(of_control.unwrap_or_default());
        all.map(|need| need.thing).collect()
    }

    /// Everything that must be so before a group's first write: a session, a fresh look, and that look kept.
    async fn prepare<'s>(&'s self, group: &'s Group, known: Known) -> Result<Prepared<'s>, ChangeResult> {
        let fleet = self.with.fleet;
        let (target, facts, spec) = self.target(group)?;
        let failed = |fault| ChangeResult::Failed { fault };
        let session = fleet.session(&group.scope.account, Purpose::Apply).await;
        let session = session.map_err(|why| failed(unopened(why)))?;
        let writer = fleet.aws.writer(&session, &group.scope, target.control.meta(), &InScope::new());
        let observed = fleet.look(target, &facts).await.map_err(failed)?;
        let image = BeforeImage {
            scope: &group.scope,
            control: &group.control,
            at: facts.observed_at,
            observed: &observed,
        };
        let number = self.images.fetch_add(1, Ordering::Relaxed) + 1;
        self.with.audit.before(fleet.aws.run(), number, &image).await.map_err(|error| {
            let why = format!("nothing was written, because the before-image could not be kept: {error}");
            failed(Fault::local(FaultKind::Unavailable, "audit", why))
        })?;
        let prepared = Prepared { fleet, target, facts, spec, writer, known, now: Vec::new() };
        let now = prepared.judge(&observed).map_err(failed)?;
        Ok(Prepared { now, ..prepared })
    }

    /// What a group is about, from the plan and from the desired state that the plan was made of.
    fn target<'s>(&'s self, group: &Group) -> Result<(Target<'s>, Facts, &'s Value), ChangeResult> {
        let fleet = self.with.fleet;
        let (id, account) = (&group.control, &group.scope.account);
        let account = fleet.desired.account(account);
        let parts = account.and_then(|account| {
            let declared = self.declared.get(&(group.scope.clone(), id.clone()))?;
            let regions = self.plan.account(&account.id)?.regions.clone();
            let target = Target { account, control: fleet.control(id)?, declared };
            let observed_at = fleet.now();
            let seen = Seen { partition: account.home.partition().to_owned(), regions, observed_at };
            let facts = facts(&fleet.desired.organization, account, &seen, &group.scope.region);
            Some((target, facts, &*declared.spec))
        });
        parts.ok_or_else(|| {
            let why = "the plan was made from another desired state";
            ChangeResult::Failed { fault: Fault::local(FaultKind::Invalid, id, why) }
        })
    }
}
