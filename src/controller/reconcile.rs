//! One account's turn: observe, plan, guard, apply, verify, as the command line does it, and what is then known.

mod again;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use ulid::Ulid;

use super::Settings;
use super::condition::{self, AccountConditions, Failing, Hold, Key, Looked, Matters, past};
use super::current::Current;
use super::index::Entry;
use super::look;
use super::notify::Asking;
use super::queue::{self, Wanted};
use super::schedule::{Class, after};
use crate::apply::{self, ApplyReport, Applying, ChangeResult, Concluding};
use crate::audit::{AuditError, Tag};
use crate::aws::Lease;
use crate::control::Thing;
use crate::controls::CONTROLS;
use crate::desired::{DesiredAccount, Guards};
use crate::guard::{self, Descent, Judging};
use crate::observe::{Fleet, targets};
use crate::place::AccountId;
use crate::plan::{Outcome, Plan, Selection, Totals};
use crate::survey::{self, Wish};
use crate::traces;
use crate::who::Looker;
use again::again;

/// Why nothing was written.
type Why = Vec<String>;

/// How old the kept time of a look may be where nothing else is news.
const KEPT_EVERY: Duration = Duration::from_secs(55 * 60);

/// What a turn is taken with.
pub(super) struct Turn<'a> {
    pub settings: &'a Settings,
    pub current: &'a Current,
    /// Cancelled by the first signal, and where the lease is lost: a look is given up, a step in hand is finished.
    pub stop: &'a CancellationToken,
    /// Until when no other replica looks after the account; absent where there is no other.
    pub lease: Option<&'a Lease>,
    /// What the message asks for that the account was taken with.
    pub wanted: Option<&'a Wanted>,
}

/// How a turn ended.
#[derive(Debug)]
pub(super) enum Ended {
    Looked,
    /// The account was left alone, and why.
    LeftAlone {
        reason: &'static str,
        why: String,
    },
    /// Nothing was done, because the records could not be reached.
    NoRecords(AuditError),
    /// A signal came before anything was written.
    Interrupted,
    /// Somebody has looked since it was asked for, or it is not to be tried yet.
    Seen,
}

/// What came of a turn. Everything else that was seen is let go.
#[derive(Debug)]
pub(super) struct Done {
    pub account: AccountId,
    pub name: String,
    pub run: String,
    pub ended: Ended,
    pub totals: Totals,
    /// Changes that were made and seen to hold.
    pub held: usize,
    /// Changes that were tried and do not hold.
    pub failed: usize,
    /// Changes that were not tried, by why.
    pub refused: usize,
    pub contested: usize,
    /// `guardduty.detector detector in eu-west-1`, of the changes that were made.
    pub changed: Vec<String>,
    pub calls: usize,
    pub elapsed: Duration,
    /// When the look began.
    pub began: Timestamp,
    /// It was not broken off.
    pub is_whole: bool,
    /// The look itself failed, wholly or in part.
    pub failing: Option<Failing>,
    /// It failed wholly: there is nothing to gain from its ordinary turn.
    pub is_closed: bool,
    /// Something is to be looked at again before its turn.
    pub again: Option<Timestamp>,
    /// Things that are there now.
    pub made: Vec<Thing>,
    /// Things that would have to be there.
    pub waits_for: Vec<Thing>,
    /// What could not be kept, although it was done.
    pub not_kept: Vec<AuditError>,
    /// Findings that had been as desired and were not.
    pub drifted: usize,
    /// How the account stands now, for the page; absent where nothing was found out.
    pub entry: Option<Entry>,
    /// It says something new, or is due to say when it last looked.
    pub is_news: bool,
}

impl Turn<'_> {
    pub async fn take(&self, account: &DesiredAccount) -> Done {
        let start = Instant::now();
        let run = Ulid::generate().to_string();
        let aws = self.current.aws.for_run(&run, self.lease.cloned());
        let now = self.settings.clock.now();
        let fleet = Fleet::new(aws, self.current.desired.clone(), CONTROLS).looking_at(now);
        let mut done = Done::new(account, run, now);
        // On the heap, as many as have their turn at once.
        let span = tracing::info_span!(target: traces::TARGET, parent: None, "turn", cloud.account.id = %account.id, baseline.run = done.run);
        if let Err(ended) = Box::pin(self.with(account, &fleet, &mut done)).instrument(span).await {
            done.ended = ended;
        }
        let journal = fleet.aws.journal();
        done.calls = journal.reads() + journal.writes();
        done.elapsed = start.elapsed();
        done
    }

    async fn with(&self, account: &DesiredAccount, fleet: &Fleet, done: &mut Done) -> Result<(), Ended> {
        let now = self.settings.clock.now();
        let audit = &self.current.audit;
        let failing = |before: Option<&Failing>, class| Some(again::failing(before, class, &account.id, now));
        let kept = audit.conditions::<AccountConditions>(account.id.as_str()).await;
        let (before, tag) = match kept {
            Ok((before, tag)) => {
                (before.unwrap_or_else(|| AccountConditions::unseen(account.id.clone(), &account.name)), tag)
            }
            Err(error) => {
                // Whether something is contested is not known, so nothing may be written.
                done.failing = failing(None, Class::Unavailable);
                done.is_closed = true;
                return Err(Ended::NoRecords(error));
            }
        };
        if self.wanted.is_some_and(|wanted| self.is_seen(&before, wanted, now)) {
            return Err(Ended::Seen);
        }
        match self.order(account).await {
            Ok(None) => {}
            Ok(Some((reason, why))) => {
                let after = condition::left_alone(&before, reason, &why, now);
                self.settings.notifier.left_alone(self.current, account, (reason, &why), &done.run).await;
                self.keep(&before, &after, tag, done).await;
                return Err(Ended::LeftAlone { reason, why });
            }
            Err(error) => {
                done.failing = failing(before.failing.as_ref(), Class::Unavailable);
                done.is_closed = true;
                return Err(Ended::NoRecords(error));
            }
        }

        let wish = Wish { selection: Selection::default(), keep_in_sync: true };
        let mut plan = tokio::select! {
            plan = Box::pin(survey::plan_account(fleet, account, &wish)) => plan,
            () = self.stop.cancelled() => return Err(Ended::Interrupted),
        };
        done.totals = plan.totals.clone();
        let holds = self.hold(&mut plan, &before, now);
        let mut refused = Vec::new();
        let mut report = None;
        let to_do = plan.changes().next().is_some();
        if self.settings.enforce && to_do && !self.stop.is_cancelled() {
            match Box::pin(self.put_right(fleet, &plan, done)).await {
                Ok(made) => report = Some(made),
                // Nothing was written, and nothing is said that the next start would have to take back.
                Err(_) if self.stop.is_cancelled() => return Err(Ended::Interrupted),
                Err(why) => refused = why,
            }
        }

        let regions = plan.accounts.first().map(|account| account.regions.clone()).unwrap_or_default();
        let targets: Vec<_> = targets(fleet.controls, account, &regions)
            .into_iter()
            .map(|(region, target)| (region, target.control.meta().id))
            .collect();
        let journal = fleet.aws.journal();
        let now = self.settings.clock.now();
        let looked = Looked {
            plan: &plan,
            account,
            targets: &targets,
            enforces: self.settings.enforce,
            holds: &holds,
            refused: &refused,
            results: report.as_ref().map(condition::results).unwrap_or_default(),
            observed: self.current.observed(),
            run: &done.run,
            calls: journal.reads() + journal.writes(),
            now,
            window: past::window(self.settings.interval),
        };
        let mut after = condition::judge(&before, &looked);
        let matters = condition::matters(&before, &looked);
        let (class, is_closed) = again::trouble(&plan);
        done.is_closed = is_closed;
        done.failing = class.map(|class| again::failing(before.failing.as_ref(), class, &account.id, now));
        after.failing = done.failing.clone();
        done.again = again(&plan, report.as_ref(), &after, now);
        let not_kept = Box::pin(look::keep(fleet, audit, &looked, &mut after, self.stop)).await.err();
        done.not_kept.extend(not_kept);
        done.drifted = after.drift.iter().filter(|one| one.found == now).count();
        done.count(&plan, report.as_ref(), &holds, &refused);
        after.waits_for = done.waits_for.clone();
        // What was broken off counts as not looked at: whoever takes it over begins anew.
        done.is_whole = !self.stop.is_cancelled();
        after.last_began = if done.is_whole { Some(done.began) } else { before.last_began };
        self.tell(fleet, account, &before, &matters, done).await;
        self.keep(&before, &after, tag, done).await;
        Ok(())
    }

    /// Is what the message asks for done already, or not to be tried yet?
    fn is_seen(&self, before: &AccountConditions, wanted: &Wanted, now: Timestamp) -> bool {
        let is_same = before.observed.as_ref() == Some(&self.current.observed());
        if is_same && before.last_began.is_some_and(|began| began >= wanted.since) {
            return true;
        }
        // What only a person can end is tried slowly, whatever its slot.
        wanted.why == queue::Why::Slot
            && before
                .failing
                .as_ref()
                .is_some_and(|failing| failing.class.is_terminal() && failing.not_before > now)
    }

    /// Is this desired state the account's to take? A newer one, seen on it, is never overwritten: whoever has that one
    /// looks after the account.
    async fn order(&self, account: &DesiredAccount) -> Result<Option<(&'static str, String)>, AuditError> {
        let last = self.current.audit.last_applied([&account.id]).await?;
        let descents = |older: &str| self.current.descent(older);
        let refusals = guard::never_backwards(&self.current.desired, &last, &self.settings.allow, descents);
        let Some(refusal) = refusals.into_iter().next() else { return Ok(None) };
        let older = last.get(&account.id).and_then(|last| last.revision.as_deref()).unwrap_or_default();
        let reason = match self.current.descent(older) {
            Descent::Unknown(_) => "RevisionNotKnown",
            Descent::Backwards | Descent::Follows => "NewerDesiredState",
        };
        Ok(Some((reason, refusal.why)))
    }

    /// Takes out of the plan what is not to be done at this turn: what a guard refuses by itself, what is contested,
    /// what failed and is not to be tried again yet. Everything else goes on.
    fn hold(&self, plan: &mut Plan, before: &AccountConditions, now: Timestamp) -> BTreeMap<Key, Hold> {
        let judging = self.judging(&self.current.desired.organization.guards);
        let window = past::window(self.settings.interval);
        let mut holds = BTreeMap::new();
        for item in plan.items.iter_mut().filter(|item| item.outcome == Outcome::Change) {
            let key = Key::of(item);
            let dangers: Vec<String> = guard::refused(item, &judging)
                .map(|danger| {
                    let allow = format!("{}:{}", danger.word(), item.finding.resource);
                    format!("a guard refuses it; `--allow {}` would let it", guard::quoted(&allow))
                })
                .collect();
            let hold = if dangers.is_empty() {
                let past = before.findings.iter().find(|past| past.finding == key);
                past.zip(item.finding.change()).and_then(|(past, change)| past.hold(change, now, window))
            } else {
                Some(Hold::Refused { why: dangers.join("; ") })
            };
            if let Some(hold) = hold {
                item.selected = false;
                holds.insert(key, hold);
            }
        }
        holds
    }

    /// What this account's plan is judged by. Nobody is there to give a reason but the documents.
    fn judging<'a>(&'a self, guards: &'a Guards) -> Judging<'a> {
        let Current { desired, roles, .. } = self.current;
        let allowed = &self.settings.allow;
        Judging { guards, desired, allowed, reason: None, roles, now: Timestamp::now() }
    }

    /// Guards, intent, changes, looks, outcome. `Err`: why nothing was written.
    async fn put_right(&self, fleet: &Fleet, plan: &Plan, done: &mut Done) -> Result<ApplyReport, Why> {
        let Current { desired, audit, .. } = self.current;
        let not_durable = |error: AuditError| vec![format!("no record could be made: {error}")];
        let allowed = &self.settings.allow;
        let last = audit.last_organization().await.map_err(not_durable)?;
        let descent = |older: &str| self.current.descent(older);
        let found = apply::remembered(audit, desired, plan, allowed, last.as_ref(), descent);
        let remembered = found.await.map_err(not_durable)?;
        let applied = last.as_ref().and_then(|last| last.guards.as_ref());
        let guards = guard::limits(&desired.organization.guards, applied);
        let told = |refusal: &guard::Refusal| format!("{}; {}", refusal.why, refusal.hint);
        let judged = guard::check(plan.clone(), &self.judging(&guards), remembered);
        let guarded = judged.map_err(|refusals| refusals.iter().map(told).collect::<Vec<_>>())?;
        // So many accounts are written to at once, as the documents say.
        let room = tokio::select! {
            room = self.current.writing.acquire() => room,
            () = self.stop.cancelled() => return Err(vec!["the controller was told to stop".to_owned()]),
        };
        let _room = room.map_err(|closed| vec![closed.to_string()])?;
        if guarded.plan().changes().next().is_none() {
            return Err(guarded.held_back().iter().map(told).collect());
        }
        let planned_at = Timestamp::now();
        let applying = Applying { fleet, audit, reason: None, planned_at, stop: self.stop, on: &|_| {} };
        let report = apply::apply(&applying, &guarded).await.map_err(not_durable)?;
        let concluding = Concluding {
            undoes: false,
            audit,
            run: fleet.aws.run(),
            desired,
            plan: guarded.plan(),
            report: Some(&report),
            selects: &|_| true,
            follows: &|older| descent(older) == Descent::Follows,
        };
        if let Err(error) = apply::conclude(&concluding).await {
            done.not_kept.push(error);
        }
        Ok(report)
    }

    /// Keeps what people are to be told.
    async fn tell(
        &self,
        fleet: &Fleet,
        account: &DesiredAccount,
        before: &AccountConditions,
        matters: &Matters,
        done: &Done,
    ) {
        let Self { settings, current, stop, .. } = *self;
        let (looker, now) = (Looker::new(fleet, &current.audit), settings.clock.now());
        let asking = Asking { looker, account: &account.id, before, run: &done.run, stop, now };
        // Erased: it goes too deep for a turn to be laid out.
        let telling: LocalBoxFuture<'_, ()> =
            Box::pin(settings.notifier.turn(current, account, matters, &done.run, Some(asking)));
        telling.await;
    }

    /// Writes the conditions where they say something new, or where the time of the look is too old.
    async fn keep(&self, before: &AccountConditions, now: &AccountConditions, tag: Tag, done: &mut Done) {
        done.entry = Some(Entry::of(now));
        // Other replicas are to know when it was looked at.
        let is_fresh = self.wanted.is_none()
            && before
                .last_look
                .is_some_and(|look| now.last_look.is_none_or(|now| after(look, KEPT_EVERY) > now));
        if is_fresh && before.says_the_same(now) {
            return;
        }
        let audit = &self.current.audit;
        match audit.keep_conditions(now.account.as_str(), now, tag).await {
            Ok(()) => done.is_news = true,
            Err(error) => {
                // Somebody else has said how it stands, and says so in the index.
                done.entry = None;
                done.not_kept.push(error);
            }
        }
    }
}

/// Is it among these things, or a part of one?
pub(super) fn is_made(thing: &Thing, made: &[Thing]) -> bool {
    made.contains(thing) || thing.part_of().is_some_and(|whole| made.contains(&whole))
}

impl Done {
    fn new(account: &DesiredAccount, run: String, began: Timestamp) -> Self {
        Self {
            account: account.id.clone(),
            name: account.name.to_string(),
            run,
            ended: Ended::Looked,
            totals: Totals::default(),
            held: 0,
            failed: 0,
            refused: 0,
            contested: 0,
            changed: Vec::new(),
            calls: 0,
            elapsed: Duration::ZERO,
            began,
            is_whole: false,
            failing: None,
            is_closed: false,
            again: None,
            made: Vec::new(),
            waits_for: Vec::new(),
            not_kept: Vec::new(),
            drifted: 0,
            entry: None,
            is_news: false,
        }
    }

    fn count(
        &mut self,
        plan: &Plan,
        report: Option<&ApplyReport>,
        holds: &BTreeMap<Key, Hold>,
        refused: &[String],
    ) {
        for change in report.into_iter().flat_map(|report| &report.changes) {
            match &change.result {
                ChangeResult::Held => {
                    self.held += 1;
                    let (item, finding) = (&change.item, &change.item.finding);
                    self.changed
                        .push(format!("{} {} in {}", item.control, finding.resource, item.scope.region));
                    self.made.extend(finding.change().into_iter().flat_map(|made| made.makes.clone()));
                }
                ChangeResult::Blocked { on } => self.waits_for.extend(on.iter().cloned()),
                ChangeResult::Failed { .. } | ChangeResult::NotVerified { .. } => self.failed += 1,
                ChangeResult::Moved { .. } | ChangeResult::NotReached | ChangeResult::HeldBack { .. } => {}
            }
        }
        for item in &plan.items {
            if let Outcome::Blocked { on, .. } = &item.outcome {
                self.waits_for.extend(on.iter().cloned());
            }
        }
        self.waits_for.sort();
        self.waits_for.dedup();
        self.contested = holds.values().filter(|hold| matches!(hold, Hold::Contested { .. })).count();
        self.refused = holds.values().filter(|hold| matches!(hold, Hold::Refused { .. })).count();
        if !refused.is_empty() {
            self.refused += plan.changes().count();
        }
    }
}
