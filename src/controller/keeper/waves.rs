//! Who was held by a wave and is not to be any more is due at once.

use std::time::Duration;

use jiff::Timestamp;

use super::super::log;
use super::super::queue::Why;
use super::super::schedule::after;
use super::super::waves::Open;
use super::Keeper;
use crate::place::AccountId;

/// So often an account is made due that no wave holds any more: its turn may have failed, or another replica that knew
/// less may have taken it.
const RELEASED_EVERY: Duration = Duration::from_secs(60);

/// How far the rollout is, as far as this replica knows.
#[derive(Debug, Default)]
pub(super) struct Rollout {
    /// The version of the index that was last judged.
    version: Option<u64>,
    open: Option<Open>,
    /// Somebody who was made due may not have had the turn.
    again: Option<Timestamp>,
}

impl Rollout {
    /// When it is to be judged again, whatever happens until then.
    pub fn again(&self) -> Option<Timestamp> {
        self.again
    }
}

impl Keeper<'_> {
    /// Makes due whoever is not held any more, by what is known now of all accounts.
    pub(in super::super) fn release(&mut self) {
        let (current, now) = (self.current(), self.settings.clock.now());
        if !self.settings.enforce {
            return;
        }
        let (version, index) = self.settings.pulse.index();
        let is_time = self.rollout.again.is_some_and(|again| again <= now);
        if self.rollout.version == Some(version) && !is_time {
            return;
        }
        let open = current.waves.open(&index);
        if log::is_other_wave(self.rollout.open.as_ref(), open.as_ref()) {
            log::wave(open.as_ref());
        }
        let waits = |id: &AccountId| {
            let taken = index.get(id).and_then(|entry| entry.taken.as_ref());
            current.waves.waits(id, taken, open.as_ref())
        };
        let free: Vec<&AccountId> = current.waves.held(&index).filter(|id| !waits(id)).collect();
        let mut again: Option<Timestamp> = None;
        for id in free {
            let Some(light) = self.lights.get_mut(id) else { continue };
            let mut next = light.released.map_or(now, |released| after(released, RELEASED_EVERY));
            if next <= now {
                light.released = Some(now);
                next = after(now, RELEASED_EVERY);
                // One message of all replicas in a minute.
                let minute = now.as_second().div_euclid(60);
                let wave = format!("wave-{}-{minute}", current.waves.state(id));
                self.due(id, now, Why::Now { id: wave });
            }
            again = Some(again.map_or(next, |again| again.min(next)));
        }
        self.rollout = Rollout { version: Some(version), open, again };
    }
}
