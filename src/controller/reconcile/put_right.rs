//! What of a plan is done at this turn, and doing it.

use std::collections::BTreeMap;

use futures::future::LocalBoxFuture;
use jiff::Timestamp;

use super::{Done, Turn, Why};
use crate::apply::{self, ApplyReport, Applying, Concluding};
use crate::audit::AuditError;
use crate::controller::condition::{AccountConditions, Hold, Key, Ordered, past};
use crate::controller::current::Current;
use crate::controller::index;
use crate::controller::log::{TARGET, chain};
use crate::controls;
use crate::desired::{DesiredAccount, Guards};
use crate::guard::{self, Descent, Judging};
use crate::observe::Fleet;
use crate::place::Scope;
use crate::plan::{Outcome, Plan};
use crate::who::{Looker, Who};

/// So many contested settings are looked up at a turn: CloudTrail answers twice a second.
const CONTESTS: usize = 3;

impl Turn<'_> {
    /// What is wanted of the account, and whether the accounts of an earlier wave are to take theirs first.
    pub(super) async fn ordered(
        &self,
        account: &DesiredAccount,
        before: &AccountConditions,
        began: Timestamp,
    ) -> Ordered {
        let Self { settings, current, .. } = *self;
        let waits = || {
            let (_, index) = settings.pulse.index();
            let open = current.waves.open(&index);
            let waits = current.waves.waits(&account.id, before.taken.as_ref(), open.as_ref());
            open.filter(|_| waits && settings.enforce).map(|open| open.to_string())
        };
        let mut found = waits();
        // What other replicas know is asked for only by whoever would have to wait.
        if found.is_some() && self.lease.is_some() {
            if let Err(error) = index::refresh(settings, &current.audit).await {
                tracing::warn!(target: TARGET, account = account.id.as_str(), error = chain(&error), "it is not known what earlier waves have taken");
            }
            found = waits();
        }
        Ordered { state: current.waves.state(&account.id).to_owned(), waits: found, began }
    }

    /// Takes out of the plan what is not to be done at this turn: what a guard refuses by itself, what is contested,
    /// what failed and is not to be tried again yet; all of it where an earlier wave goes first. Everything else goes on.
    pub(super) fn hold(
        &self,
        plan: &mut Plan,
        before: &AccountConditions,
        waits: Option<&str>,
        now: Timestamp,
    ) -> BTreeMap<Key, Hold> {
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
            let hold = hold.or_else(|| waits.map(|why| Hold::Wave { why: why.to_owned() }));
            if let Some(hold) = hold {
                item.selected = false;
                holds.insert(key, hold);
            }
        }
        holds
    }

    /// Asks CloudTrail who changed back what is contested, where that is news. What it does not say stays unknown.
    pub(super) async fn ask_who(
        &self,
        looker: &Looker<'_>,
        account: &DesiredAccount,
        holds: &mut BTreeMap<Key, Hold>,
    ) {
        let now = self.settings.clock.now();
        let contests = holds.iter_mut().filter_map(|(key, hold)| match hold {
            Hold::Contested(contest) if contest.asks(now) => Some((key, contest)),
            _ => None,
        });
        for (key, contest) in contests.take(CONTESTS) {
            let Some(control) = controls::find(&key.control) else { continue };
            let scope = Scope { account: account.id.clone(), region: key.region.clone() };
            // Erased: it goes too deep for a turn to be laid out.
            let asking: LocalBoxFuture<'_, Who> =
                Box::pin(looker.who(&scope, control.meta(), &key.resource, contest.last, None));
            let who = tokio::select! {
                who = asking => who,
                () = self.stop.cancelled() => return,
            };
            contest.answered(who.deeds.into_iter().find(|deed| deed.run.is_none()), now);
        }
    }

    /// What this account's plan is judged by. Nobody is there to give a reason but the documents.
    fn judging<'a>(&'a self, guards: &'a Guards) -> Judging<'a> {
        let Current { desired, roles, .. } = self.current;
        let allowed = &self.settings.allow;
        Judging { guards, desired, allowed, reason: None, roles, now: Timestamp::now() }
    }

    /// Guards, intent, changes, looks, outcome. `Err`: why nothing was written.
    pub(super) async fn put_right(
        &self,
        fleet: &Fleet,
        plan: &Plan,
        done: &mut Done,
    ) -> Result<ApplyReport, Why> {
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
}
