//! Telling what waits: gathered into messages, sent, and taken out of what is kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::kept::Kept;
use super::line::{Failed, Line};
use super::message::{Message, Parts};
use super::{AT_ONCE, Notifier, State, event, secret, slack, sns, webhook};
use crate::aws::Aws;
use crate::aws::web::Web;
use crate::controller::current::Current;
use crate::controller::log::{self, TARGET};
use crate::controller::schedule;
use crate::desired::{Channel, Notification};

/// How often the organisation's own events are looked for: what ends soon.
const EVERY: Duration = Duration::from_secs(3600);

/// Events of one message to a program. People get one message, and the rest is counted in it.
const EVENTS: usize = 100;

/// A failure is a warning until it has failed so often.
const WARNINGS: u32 = 3;

impl Notifier {
    /// Tells people, until `ended`; then once more what has not been told, and no more.
    pub(in crate::controller) async fn deliver(&self, ended: &CancellationToken) {
        let mut recalled = false;
        loop {
            let current = self.locked().current.clone();
            if let Some(current) = current.filter(|one| !one.desired.organization.notifications.is_empty()) {
                if !recalled {
                    self.recall(&current).await;
                    recalled = true;
                }
                self.organization_if_due(&current).await;
                self.send_due(&current, ended.is_cancelled()).await;
            }
            if ended.is_cancelled() {
                return;
            }
            tokio::select! {
                () = self.news.notified() => {}
                () = tokio::time::sleep(self.wait()) => {}
                () = ended.cancelled() => {}
            }
        }
    }

    /// What was to be told when the program last ended.
    async fn recall(&self, current: &Current) {
        let owners = current.desired.accounts.iter().map(|account| account.id.to_string());
        let recalling = stream::iter(owners).for_each_concurrent(AT_ONCE, async |owner| {
            match current.audit.notifications::<Kept>(&owner).await {
                Ok((Some(kept), _)) => self.line_up(&owner, &kept.pending),
                Ok((None, _)) => {}
                Err(error) => {
                    tracing::warn!(target: TARGET, account = owner, error = log::chain(&error), "what is to be told is looked for at the account's turn");
                }
            }
        });
        recalling.await;
    }

    async fn organization_if_due(&self, current: &Current) {
        let now = self.clock.now();
        let trouble = {
            let mut state = self.locked();
            if state.organization_at.is_some_and(|at| now < at) {
                return;
            }
            state.organization_at = Some(schedule::after(now, EVERY));
            state.trouble.clone()
        };
        self.organization(current, trouble.as_deref()).await;
    }

    /// How long there is nothing to do.
    fn wait(&self) -> Duration {
        let now = self.clock.now();
        let state = self.locked();
        let declared = state.current.iter().flat_map(|current| &current.desired.organization.notifications);
        let due = declared.filter_map(|one| state.lines.get(&one.name)?.due(self.pace, now));
        let next = due.chain(state.organization_at).min();
        let wait = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
        if next.is_some() { wait.unwrap_or_default().min(EVERY) } else { EVERY }
    }

    /// Sends what is due; at the end also what would still be gathered.
    async fn send_due(&self, current: &Current, at_the_end: bool) {
        let now = self.clock.now();
        let due: Vec<(&Notification, Message)> = {
            let mut state = self.locked();
            let state = &mut *state;
            self.forget_undeclared(state, current);
            let all = current.desired.organization.notifications.iter();
            let due = all.filter_map(|one| {
                let line = state.lines.get(&one.name)?;
                let is_due = line.due(self.pace, now).is_some_and(|due| due <= now);
                let is_last = at_the_end && line.may_be_tried(now);
                let lost = state.tallies.get(&one.name).map_or(0, |tally| tally.lost);
                (is_due || is_last).then(|| (one, self.message(current, one, line, lost)))
            });
            due.collect()
        };
        let sending = due.into_iter().map(|(one, message)| self.send(current, one, message));
        futures::future::join_all(sending).await;
    }

    /// Nobody is told any more by what has left the documents.
    fn forget_undeclared(&self, state: &mut State, current: &Current) {
        let declared =
            |name: &String| current.desired.organization.notifications.iter().any(|one| one.name == *name);
        state.lines.retain(|name, line| {
            let keep = declared(name);
            if !keep && !line.waiting().is_empty() {
                tracing::warn!(target: TARGET, notification = name.as_str(), events = line.waiting().len(), "no longer declared: nobody is told");
            }
            keep
        });
    }

    fn message(&self, current: &Current, notification: &Notification, line: &Line, lost: u64) -> Message {
        let now = self.clock.now();
        let waiting = line.waiting();
        let most = if matches!(notification.to, Channel::Webhook { .. }) { EVENTS } else { usize::MAX };
        let gathered = self.pace.gathers.saturating_add(self.pace.every / 2);
        let oldest = waiting.first().map(|one| one.at);
        Message::of(Parts {
            organization: &current.desired.organization.name,
            notification,
            events: waiting.iter().take(most).map(|one| Arc::clone(&one.event)).collect(),
            held_back: waiting.len().saturating_sub(most),
            lost,
            waited_since: oldest.filter(|at| line.failures > 0 || schedule::after(*at, gathered) < now),
            test: false,
            at: now,
        })
    }

    async fn send(&self, current: &Current, notification: &Notification, message: Message) {
        let name = notification.name.as_str();
        let sent = self.hand_over(Some(&current.aws), notification, &message).await;
        let now = self.clock.now();
        match sent {
            Ok(()) => {
                tracing::info!(target: TARGET, notification = name, kind = notification.to.word(), events = message.events.len(), held_back = message.held_back, id = message.id, "told");
                self.told(current, name, &message).await;
            }
            Err(failed) => {
                let (next, failures) = {
                    let mut state = self.locked();
                    state.tallies.entry(name.to_owned()).or_default().failed += 1;
                    let Some(line) = state.lines.get_mut(name) else { return };
                    (line.failed(&failed, self.pace, now), line.failures)
                };
                macro_rules! line {
                    ($level:ident) => {
                        tracing::$level!(target: TARGET, notification = name, kind = notification.to.word(), events = message.events.len(), why = failed.why, failures, %next, "not told: it is kept, and tried again")
                    };
                }
                if failed.lasting || failures >= WARNINGS { line!(error) } else { line!(warn) }
            }
        }
    }

    /// Takes out of lines and objects what was told.
    async fn told(&self, current: &Current, name: &str, message: &Message) {
        let ids: BTreeSet<String> = message.events.iter().map(|event| event.id.clone()).collect();
        let owners: BTreeSet<String> = {
            let mut state = self.locked();
            let state = &mut *state;
            let tally = state.tallies.entry(name.to_owned()).or_default();
            tally.sent += 1;
            // It was told how many.
            tally.lost = tally.lost.saturating_sub(message.lost);
            let mut owners = BTreeSet::new();
            if let Some(line) = state.lines.get_mut(name) {
                for one in line.waiting().iter().filter(|one| ids.contains(&one.event.id)) {
                    owners.insert(one.owner.clone());
                    let told = state.told.entry(one.owner.clone()).or_default();
                    told.insert((one.event.id.clone(), name.to_owned()));
                }
                line.told(&ids, self.pace, self.clock.now());
            }
            owners
        };
        let settling = stream::iter(owners).for_each_concurrent(AT_ONCE, async |owner| {
            if let Err(error) = self.change(current, &owner, None, |_| {}).await {
                tracing::error!(target: TARGET, account = owner, error = log::chain(&error), "that it was told is not kept: a restart may tell it again, under the same id");
            }
        });
        settling.await;
    }

    async fn hand_over(
        &self,
        aws: Option<&Aws>,
        notification: &Notification,
        message: &Message,
    ) -> Result<(), Failed> {
        let lasting = |why: String| Failed { why, lasting: true, retry_after: None };
        let (url, secret) = match &notification.to {
            Channel::Sns(topic) => {
                let aws = aws.ok_or_else(|| lasting("there is no connection to AWS".to_owned()))?;
                return sns::publish(aws, topic, message).await;
            }
            Channel::Slack { url } => (url, None),
            Channel::Webhook { url, secret } => (url, secret.as_ref()),
        };
        let address = secret::address(url, &self.environment, self.loopback).await.map_err(lasting)?;
        let (body, mut headers) = match &notification.to {
            Channel::Webhook { .. } => {
                let body = webhook::body(&message.payload(&notification.name))?;
                (body, vec![(webhook::ID, message.id.clone())])
            }
            _ => (slack::body(message), Vec::new()),
        };
        if let Some(from) = secret {
            let secret = secret::read(from, &self.environment).await.map_err(lasting)?;
            let signed = webhook::signature(secret.as_bytes(), self.clock.now(), &body);
            headers.push((webhook::SIGNATURE, signed));
        }
        let web = self.web.get_or_init(|| Web::new().map_err(|error| log::chain(&error)));
        let web = web.as_ref().map_err(|why| lasting(why.clone()))?;
        let answer = web.post(&address, &headers, body).await;
        let answer =
            answer.map_err(|why| Failed { why: why.to_string(), lasting: false, retry_after: None })?;
        webhook::judge(&answer, &address)
    }

    /// Sends one message that says that nothing has happened. It is sent once.
    ///
    /// # Errors
    ///
    /// Why it was not taken; nothing secret is in it.
    pub async fn test(
        &self,
        aws: Option<&Aws>,
        organization: &str,
        notification: &Notification,
    ) -> Result<(), String> {
        let now = self.clock.now();
        let message = Message::of(Parts {
            organization,
            notification,
            events: vec![Arc::new(event::sample(notification, now))],
            held_back: 0,
            lost: 0,
            waited_since: None,
            test: true,
            at: now,
        });
        self.hand_over(aws, notification, &message).await.map_err(|failed| failed.why)
    }
}
