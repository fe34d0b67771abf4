//! A start: everything that is kept of accounts is read, and says who is due when.

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::super::Settings;
use super::super::condition::AccountConditions;
use super::super::log::{self, TARGET};
use super::super::schedule;
use super::{Keeper, READ_AT_ONCE};
use crate::place::AccountId;

impl Keeper<'_> {
    /// Goes on from what is kept of each account, and says what will happen.
    pub(in super::super) async fn start(&mut self) {
        let Settings { interval, enforce, budget, .. } = *self.settings;
        let now = self.settings.clock.now();
        let (current, accounts) = (self.current(), self.current.desired.accounts.len());
        self.take_beats(self.kept_beats().await);
        let kept: Vec<_> = stream::iter(&current.desired.accounts)
            .map(|account| async {
                let kept = current.audit.conditions::<AccountConditions>(account.id.as_str()).await;
                (account.id.clone(), kept)
            })
            .buffer_unordered(READ_AT_ONCE)
            .collect()
            .await;
        let mut measured = Vec::new();
        for (id, kept) in kept {
            let kept = kept.map_or_else(
                |error| {
                    tracing::warn!(target: TARGET, account = id.as_str(), error = log::chain(&error), "nothing is known of the account");
                    None
                },
                |(kept, _)| kept,
            );
            kept.iter().for_each(|kept| self.settings.pulse.knows(kept));
            let due = match &kept {
                Some(kept) => self.goes_on(&id, kept, accounts, now),
                None => schedule::first(&id, now, accounts, interval),
            };
            let calls = kept.as_ref().map_or(0, |kept| kept.calls);
            measured.extend((calls > 0).then_some(calls));
            let due =
                if current.rank(&id) == 0 { due.min(schedule::first(&id, now, 1, interval)) } else { due };
            self.add(&id, due, calls);
            if let (Some(light), Some(kept)) = (self.lights.get_mut(&id), kept) {
                light.began = kept.last_began;
                light.waits_for = kept.waits_for;
            }
        }
        let looks = 3600.0 / interval.as_secs_f64();
        let (of_a_look, from) = match measured.len() {
            0 => (current.least_calls(), "named by the controls"),
            n => (measured.iter().sum::<usize>() / n, "measured"),
        };
        let an_hour = of_a_look as f64 * looks;
        if an_hour > f64::from(budget.per_hour) {
            tracing::warn!(target: TARGET, calls_per_account_hour = an_hour.round(), budget = budget.per_hour, "the budget stretches the interval");
        }
        tracing::info!(
            target: TARGET,
            run = self.settings.run,
            source = %self.settings.source,
            desired_state = current.short(),
            enforce,
            interval_seconds = interval.as_secs(),
            accounts,
            remembered = measured.len(),
            calls_per_look = of_a_look,
            calls_per_account_hour = an_hour.round(),
            calls_per_hour = (an_hour * accounts as f64).round(),
            calls_are = from,
            budget_per_account_hour = budget.per_hour,
            queue = self.settings.queue.as_ref().map(tracing::field::display),
            hints = self.settings.hints.as_ref().map(tracing::field::display),
            "started"
        );
        self.warn();
        self.keep_state(None).await;
        self.record().await;
    }

    /// When an account is due of which something is known.
    fn goes_on(
        &self,
        id: &AccountId,
        kept: &AccountConditions,
        accounts: usize,
        now: Timestamp,
    ) -> Timestamp {
        let interval = self.interval_of(id);
        if let Some(failing) = kept.failing.as_ref().filter(|failing| failing.not_before > now) {
            return failing.not_before;
        }
        let slot = |at| schedule::slot(id, at, interval);
        let is_done = kept.last_look.is_some_and(|look| slot(look) == slot(now))
            && kept.observed.as_ref() == Some(&self.current.observed());
        if !is_done {
            return schedule::first(id, now, accounts, interval);
        }
        let failed = kept.findings.iter().filter_map(|past| past.failed.as_ref());
        let again = failed.filter(|failed| !failed.class.is_terminal()).map(|failed| failed.not_before);
        again.fold(schedule::next_slot(id, now, interval), Timestamp::min)
    }
}
