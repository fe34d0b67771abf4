//! Who did it: looked up in CloudTrail's event history for what is news, and for a few findings of a look only, because
//! each asks for several names at two calls a second.

use std::time::Duration;

use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::event::Event;
use crate::controller::condition::{AccountConditions, by_whom};
use crate::controls;
use crate::desired::EventKind;
use crate::place::{AccountId, Region, Scope};
use crate::who::Looker;

/// Findings of one look that are looked up.
const LOOKED_UP: usize = 3;

/// How far back it is looked where nobody knows when it was still as desired.
const BACK: Duration = Duration::from_secs(24 * 3600);

/// What somebody is looked up with.
pub struct Asking<'a> {
    pub looker: &'a Looker<'a>,
    pub account: &'a AccountId,
    /// What was known before: when each control was last seen.
    pub before: &'a AccountConditions,
    /// Our own run, which is not who did it.
    pub run: &'a str,
    pub stop: &'a CancellationToken,
    pub now: Timestamp,
}

impl Asking<'_> {
    /// Fills in who did it, as far as CloudTrail shows it by now.
    pub(super) async fn fill(&self, events: impl Iterator<Item = &mut Event>) {
        let asks = |event: &&mut Event| {
            // Of what is contested the condition knows it already.
            matches!(event.event, EventKind::Drift | EventKind::PutRight)
        };
        for event in events.filter(asks).take(LOOKED_UP) {
            // Erased: it goes too deep for what waits for it to be laid out.
            let asking: LocalBoxFuture<'_, Option<String>> = Box::pin(self.of(event));
            let who = tokio::select! {
                who = asking => who,
                () = self.stop.cancelled() => return,
            };
            event.who = who;
        }
    }

    async fn of(&self, event: &Event) -> Option<String> {
        let (control, region) = (event.control.as_deref()?, Region::new(event.region.as_deref()?));
        let meta = controls::find(control)?.meta();
        let scope = Scope { account: self.account.clone(), region };
        let seen = self.before.control(&scope.region, control).and_then(|control| control.last_good_look);
        let since = seen.or_else(|| {
            jiff::SignedDuration::try_from(BACK).ok().and_then(|back| self.now.checked_sub(back).ok())
        })?;
        let resource = event.resource.as_deref().unwrap_or_default();
        let who = self.looker.who(&scope, meta, resource, since, Some(self.run)).await;
        Some(by_whom(who.deeds.first()?, self.account))
    }
}
