//! What of the schedule is for several replicas, and for hints.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::super::condition::AccountConditions;
use super::super::hints::Beats;
use super::super::log::{self, TARGET};
use super::super::queue::{Wanted, Why};
use super::super::reconcile::is_made;
use super::super::schedule;
use super::{Keeper, READ_AT_ONCE};
use crate::audit::{Audit, AuditError};
use crate::control::Thing;
use crate::place::AccountId;

/// After a message could not be sent.
const SEND_AGAIN: Duration = Duration::from_secs(15);

impl Keeper<'_> {
    /// Between two looks at this account: longer while its hints are known to arrive.
    pub(in super::super) fn interval_of(&self, account: &AccountId) -> Duration {
        let longest = self.settings.interval_with_hints.max(self.settings.interval);
        if self.settings.hints.is_some() && self.is_alive(account, &self.beats) {
            longest
        } else {
            self.settings.interval
        }
    }

    fn is_alive(&self, account: &AccountId, beats: &Beats) -> bool {
        let now = self.settings.clock.now();
        let account = self.current.desired.account(account);
        account.is_some_and(|account| beats.is_alive(&account.id, &account.home, &account.managed, now))
    }

    /// Makes an account due at a time, unless it is so before.
    pub(in super::super) fn due(&mut self, account: &AccountId, at: Timestamp, why: Why) {
        let interval = self.interval_of(account);
        if let Some(light) = self.lights.get_mut(account) {
            // Its slot would come first, and is everybody's.
            if at < schedule::next_slot(account, self.settings.clock.now(), interval) {
                light.why = Some(why);
            }
            self.queue.sooner(account, self.current.rank(account), at);
        }
    }

    /// When the last whole look at an account began, as far as this replica knows.
    pub(in super::super) fn began(&self, account: &AccountId) -> Option<Timestamp> {
        self.lights.get(account).and_then(|light| light.began)
    }

    /// What is asked for in the queue, of an account that has become due here.
    pub(in super::super) fn wanted(&mut self, account: &AccountId) -> Wanted {
        let now = self.settings.clock.now();
        let interval = self.interval_of(account);
        let why = self.lights.get_mut(account).and_then(|light| light.why.take()).unwrap_or(Why::Slot);
        let since = match why {
            Why::Slot => schedule::begins(account, schedule::slot(account, now, interval), interval),
            _ => now,
        };
        Wanted { account: account.clone(), since, why }
    }

    /// It was asked for, or could not be.
    pub(in super::super) fn offered(&mut self, wanted: Wanted, is_sent: bool) {
        let now = self.settings.clock.now();
        let Wanted { account, why, .. } = wanted;
        let next = schedule::next_slot(&account, now, self.interval_of(&account));
        if is_sent {
            self.queue.done(&account, next);
            return;
        }
        self.queue.done(&account, schedule::after(now, SEND_AGAIN));
        if let Some(light) = self.lights.get_mut(&account).filter(|_| why != Why::Slot) {
            light.why = Some(why);
        }
    }

    /// What was made since this was last asked.
    pub(in super::super) fn made(&mut self) -> Vec<Thing> {
        std::mem::take(&mut self.made)
    }

    pub(in super::super) async fn kept_beats(&self) -> Beats {
        if self.settings.hints.is_none() {
            return Beats::default();
        }
        match self.current.audit.conditions::<Beats>(Beats::NAME).await {
            Ok((kept, _)) => kept.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(target: TARGET, error = log::chain(&error), "it is not known whose hints arrive");
                Beats::default()
            }
        }
    }

    /// Takes over what is known of hints. Whoever's have stopped to come is due when it would be without them.
    pub(in super::super) fn take_beats(&mut self, beats: Beats) {
        let now = self.settings.clock.now();
        self.beats = beats;
        let silent: Vec<AccountId> =
            self.lights.keys().filter(|id| !self.is_alive(id, &self.beats)).cloned().collect();
        for id in silent {
            let next = schedule::next_slot(&id, now, self.interval_of(&id));
            self.queue.sooner(&id, self.current.rank(&id), next);
        }
    }
}

/// Tells other replicas what was heard here, and hears what they did.
pub(in super::super) async fn share(
    audit: &Audit,
    heard: Beats,
    now: Timestamp,
) -> Result<Beats, AuditError> {
    let (kept, tag) = audit.conditions::<Beats>(Beats::NAME).await?;
    let kept = kept.unwrap_or_default();
    let all = kept.clone().merged(&heard, now);
    if all != kept {
        match audit.keep_conditions(Beats::NAME, &all, tag).await {
            // Told the next time.
            Ok(()) | Err(AuditError::Raced { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// The accounts that wait for one of these things, whichever replica looked at them last.
pub(in super::super) async fn waiting(
    audit: &Audit,
    accounts: Vec<AccountId>,
    made: &[Thing],
) -> Vec<AccountId> {
    stream::iter(accounts)
        .map(|id| async move {
            // One that cannot be read waits for its slot.
            let (kept, _) = audit.conditions::<AccountConditions>(id.as_str()).await.ok()?;
            kept?.waits_for.iter().any(|thing| is_made(thing, made)).then_some(id)
        })
        .buffer_unordered(READ_AT_ONCE)
        .filter_map(async |found| found)
        .collect()
        .await
}
