//! One turn of one account, now: the same as a controller takes it.

use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::condition::AccountConditions;
use super::current::{self, Current, NotTaken};
use super::log::chain;
use super::reconcile::{Ended, Turn};
use super::{Settings, log};
use crate::desired::{DesiredAccount, DesiredState};
use crate::plan::Exit;

/// Conditions that are read at once.
const READ_AT_ONCE: usize = 16;

/// A desired state, ready for turns.
pub struct Once<'a> {
    settings: &'a Settings,
    current: Arc<Current>,
}

/// What came of a turn.
#[derive(Debug)]
pub struct Turned {
    pub run: String,
    /// Why the account was not looked at, or not changed.
    pub left: Option<String>,
    /// What was changed and holds: `guardduty.detector detector in eu-west-1`.
    pub changed: Vec<String>,
    /// What was done, and could not be recorded.
    pub not_kept: Vec<String>,
    pub calls: usize,
    /// What is known of the account now; absent where that cannot be read.
    pub conditions: Option<AccountConditions>,
    pub exit: Exit,
}

impl<'a> Once<'a> {
    /// # Errors
    ///
    /// Where there is no desired state to begin with.
    pub async fn open(settings: &'a Settings) -> Result<Option<Self>, NotTaken> {
        let followed = Box::pin(current::follow(settings, None, None, true)).await;
        let current = followed.taken.transpose()?;
        Ok(current.map(|current| Self { settings, current: Arc::new(current) }))
    }

    pub fn desired(&self) -> &DesiredState {
        &self.current.desired
    }

    /// What the accounts of earlier waves have taken, which nobody has read yet here.
    async fn knows_earlier(&self, account: &DesiredAccount) {
        if !self.settings.enforce {
            return;
        }
        let audit = &self.current.audit;
        stream::iter(self.current.waves.before(&account.id))
            .for_each_concurrent(READ_AT_ONCE, async |earlier| {
                // One that cannot be read is waited for.
                if let Ok((Some(kept), _)) = audit.conditions::<AccountConditions>(earlier.as_str()).await {
                    self.settings.pulse.knows(&kept);
                }
            })
            .await;
    }

    /// The account's turn; `stop` ends it as the first signal does.
    pub async fn take(&self, account: &DesiredAccount, stop: &CancellationToken) -> Turned {
        self.knows_earlier(account).await;
        let turn = Turn { settings: self.settings, current: &self.current, stop, lease: None, wanted: None };
        let done = turn.take(account).await;
        log::turn(&done, self.settings.clock.now());
        let (left, mut exits) = match &done.ended {
            Ended::Looked | Ended::Seen => (None, Vec::new()),
            Ended::LeftAlone { why, .. } => (Some(why.clone()), vec![Exit::Refused]),
            Ended::NoRecords(error) => (Some(chain(error)), vec![Exit::Incomplete]),
            Ended::Interrupted => (Some("it was told to stop".to_owned()), vec![Exit::Interrupted]),
        };
        exits.extend((done.failed > 0 || !done.not_kept.is_empty()).then_some(Exit::Failed));
        exits.extend((done.refused > 0).then_some(Exit::Refused));
        exits.extend((done.totals.unknown > 0 || done.is_closed).then_some(Exit::Incomplete));
        let kept = self.current.audit.conditions::<AccountConditions>(account.id.as_str()).await;
        Turned {
            run: done.run,
            left,
            changed: done.changed,
            not_kept: done.not_kept.iter().map(|error| chain(error)).collect(),
            calls: done.calls,
            conditions: kept.ok().and_then(|(kept, _)| kept),
            exit: exits.into_iter().fold(Exit::Done, Exit::worse),
        }
    }
}
