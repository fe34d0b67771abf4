//! One account's turn: observe, plan, guard, apply, verify, as the command line does it, and what is then known.

mod again;
mod done;
mod put_right;

use std::time::Duration;

use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use ulid::Ulid;

use super::Settings;
use super::condition::{self, AccountConditions, Failing, Looked, Matters, past};
use super::current::Current;
use super::index::Entry;
use super::look;
use super::notify::Asking;
use super::queue::{self, Wanted};
use super::schedule::{Class, after};
use crate::audit::{AuditError, Tag};
use crate::aws::Lease;
use crate::control::Thing;
use crate::controls::CONTROLS;
use crate::desired::DesiredAccount;
use crate::guard::{self, Descent};
use crate::observe::{Fleet, targets};
use crate::plan::Selection;
use crate::survey::{self, Wish};
use crate::traces;
use crate::who::Looker;
use again::again;
pub(super) use done::{Done, Ended};

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
        let ordered = self.ordered(account, &before, done.began).await;
        let waits = ordered.waits.clone();
        let mut holds = self.hold(&mut plan, &before, ordered.waits.as_deref(), now);
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

        let looker = Looker::new(fleet, audit);
        Box::pin(self.ask_who(&looker, account, &mut holds)).await;
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
            ordered,
        };
        let mut after = condition::judge(&before, &looked);
        let matters = condition::matters(&before, &looked);
        let (class, is_closed) = again::trouble(&plan);
        done.is_closed = is_closed;
        done.failing = class.map(|class| again::failing(before.failing.as_ref(), class, &account.id, now));
        after.failing = done.failing.clone();
        done.again = again(&plan, report.as_ref(), &after, now);
        let not_kept = Box::pin(look::keep(&looker, audit, &looked, &mut after, self.stop)).await.err();
        done.not_kept.extend(not_kept);
        done.drifted = after.drift.iter().filter(|one| one.found == now).count();
        done.count(&plan, report.as_ref(), &holds, &refused);
        done.waits = waits.filter(|_| done.waiting > 0);
        after.waits_for = done.waits_for.clone();
        // What was broken off counts as not looked at: whoever takes it over begins anew.
        done.is_whole = !self.stop.is_cancelled();
        after.last_began = if done.is_whole { Some(done.began) } else { before.last_began };
        self.tell(&looker, account, &before, &matters, done).await;
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

    /// Keeps what people are to be told.
    async fn tell(
        &self,
        looker: &Looker<'_>,
        account: &DesiredAccount,
        before: &AccountConditions,
        matters: &Matters,
        done: &Done,
    ) {
        let Self { settings, current, stop, .. } = *self;
        let now = settings.clock.now();
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
