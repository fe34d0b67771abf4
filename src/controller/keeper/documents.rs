//! Another desired state takes the place of the one that is kept, or does not.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::current::{Current, Followed, NotTaken};
use super::super::log::{self, TARGET};
use super::super::queue::Why;
use super::Keeper;
use crate::desired;
use crate::place::AccountId;

impl Keeper<'_> {
    /// The source has been looked at.
    pub(in super::super) async fn followed(&mut self, followed: Followed) {
        self.known = followed.known;
        match followed.taken {
            Some(Ok(current)) => self.take_over(current).await,
            Some(Err(error)) => self.not_taken(&error).await,
            // Nothing new: what could not be read can be, and what is wrong in itself stands.
            None if self.trouble.is_some() && self.known_is_kept() => self.keep_state(None).await,
            None => {}
        }
        if self.settings.clock.now() >= self.record_at {
            self.record().await;
        }
    }

    /// Is what the source holds the desired state that is kept? It is not while wrong documents lie there.
    fn known_is_kept(&self) -> bool {
        self.known.as_deref() == Some(self.current.fingerprint())
    }

    async fn take_over(&mut self, current: Current) {
        let before = std::mem::replace(&mut self.current, Arc::new(current));
        let current = self.current();
        let now = self.settings.clock.now();
        let changed = current.changed(&before);
        tracing::info!(target: TARGET, desired_state = current.short(), before = before.short(), accounts = current.desired.accounts.len(), changed = changed.len(), "desired state taken");
        self.queue.retain(|id| current.desired.account(id).is_some());
        self.lights.retain(|id, _| current.desired.account(id).is_some());
        for account in &current.desired.accounts {
            if !self.queue.contains(&account.id) {
                self.add(&account.id, now, 0);
            }
        }
        for id in &changed {
            self.due(id, now, Why::Documents { digest: current.desired.digest.clone() });
        }
        self.warn();
        self.keep_state(None).await;
        self.record().await;
    }

    /// The newest desired state is not taken: the one before goes on. Told once, and loudly.
    async fn not_taken(&mut self, error: &NotTaken) {
        let told = log::chain(error);
        if self.trouble.as_ref() == Some(&told) {
            return;
        }
        tracing::error!(
            target: TARGET,
            source = %self.settings.source,
            kept = self.current.short(),
            reason = error.reason(),
            why = told,
            "a new desired state is not taken: the last good one goes on"
        );
        if let NotTaken::Documents { all, .. } = error {
            for line in all.lines().filter(|line| !line.trim().is_empty()) {
                tracing::error!(target: TARGET, "{}", crate::report::escape::escape(line));
            }
        }
        self.keep_state(Some((error.reason(), told))).await;
    }

    /// Tells of exceptions and attestations that are about to end or have ended, and gives the accounts that those meant.
    pub(super) fn signed_off(&mut self, now: Timestamp) -> Vec<AccountId> {
        let news = self.signed.news(&self.current.desired, desired::day(now));
        news.iter().for_each(log::signed);
        news.iter().filter(|news| news.ended).flat_map(|news| news.means(&self.current.desired)).collect()
    }

    pub(super) fn warn(&mut self) {
        drop(self.signed_off(self.settings.clock.now()));
        for line in self.current.warnings().lines().filter(|line| !line.trim().is_empty()) {
            tracing::warn!(target: TARGET, "{}", crate::report::escape::escape(line));
        }
    }
}
