//! Between the controller's one loop and its queues in Amazon SQS: what is received, sent and deleted while accounts
//! have their turns. Without queues there is nothing here, and whoever is due has its turn.

mod own;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::current::Current;
use super::hints::{Beats, Heard, Hint, SEEN_AFTER, Storms, hear};
use super::keeper::{Keeper, share, waiting};
use super::log::{TARGET, chain};
use super::queue::sqs::{QueueError, QueueUrl, Received};
use super::queue::{Wanted, Why};
use super::reconcile::Done;
use super::schedule::after;
use crate::audit::AuditError;
use crate::aws::Lease;
use crate::fault::Fault;
use crate::place::AccountId;
use crate::report::escape::escape;
use own::{OWN_WAITS, Sorted, sort};

/// After a queue could not be reached.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// How often replicas tell each other whose hints arrive.
const SHARED_EVERY: Duration = Duration::from_secs(300);

/// How long a message is left to replicas that know the account or its documents; after that nobody does.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(60);
const GIVEN_UP_AFTER: Duration = Duration::from_secs(600);

/// An account's turn that a message asks for. Several messages of one account that came at once are one.
#[derive(Debug)]
pub(super) struct Job {
    pub wanted: Wanted,
    pub lease: Lease,
    receipts: Vec<String>,
}

impl Job {
    pub fn receipts(&self) -> &[String] {
        &self.receipts
    }
}

/// What has happened.
pub(super) enum Event {
    Work(Result<Vec<Received>, Fault>),
    Heard(Result<Vec<Received>, Fault>),
    Offered(Wanted, Result<(), Fault>),
    /// Hints of an account: those that count, those that are to wait, and the receipts of those that do not count.
    Settled(AccountId, Sorted),
    Shared(Result<Beats, AuditError>),
    Woken(Vec<AccountId>),
    /// A message was deleted or handed back.
    Ended(Result<(), Fault>),
}

pub(super) struct Lines<'a> {
    settings: &'a Settings,
    receiving: Option<LocalBoxFuture<'a, Event>>,
    hearing: Option<LocalBoxFuture<'a, Event>>,
    small: FuturesUnordered<LocalBoxFuture<'a, Event>>,
    /// Not before, because it failed.
    receive_at: Timestamp,
    hear_at: Timestamp,
    share_at: Timestamp,
    storms: Storms,
    heard: Beats,
    /// Hints that became a turn here, until it has ended: when they came, and their receipts.
    held: HashMap<AccountId, Vec<(Timestamp, String)>>,
    working: HashSet<AccountId>,
}

impl<'a> Lines<'a> {
    /// Makes sure that the queues can be used.
    pub async fn open(settings: &'a Settings, current: &Current) -> Result<Self, QueueError> {
        if let Some(queue) = &settings.queue {
            queue.check(&current.aws, true).await?;
        }
        if let Some(hints) = &settings.hints {
            hints.check(&current.aws, false).await?;
        }
        let now = settings.clock.now();
        Ok(Self {
            settings,
            receiving: None,
            hearing: None,
            small: FuturesUnordered::new(),
            receive_at: now,
            hear_at: now,
            share_at: after(now, SHARED_EVERY),
            storms: Storms::default(),
            heard: Beats::default(),
            held: HashMap::new(),
            working: HashSet::new(),
        })
    }

    /// Begins what can be begun, with room for so many more turns.
    pub fn begin(&mut self, keeper: &mut Keeper<'_>, room: usize) {
        let (settings, now) = (self.settings, self.settings.clock.now());
        if let Some(queue) = &settings.queue {
            while let Some(account) = keeper.take() {
                let (aws, wanted) = (keeper.current().aws.clone(), keeper.wanted(&account));
                self.small.push(Box::pin(async move {
                    let sent = queue.send(&aws, &wanted).await;
                    Event::Offered(wanted, sent)
                }));
            }
            if room > 0 && self.receiving.is_none() && now >= self.receive_at {
                let aws = keeper.current().aws.clone();
                self.receiving = Some(Box::pin(async move { Event::Work(queue.receive(&aws, room).await) }));
            }
            let made = keeper.made();
            if !made.is_empty() {
                let current = keeper.current();
                self.small.push(Box::pin(async move {
                    let all = current.desired.accounts.iter().map(|account| account.id.clone()).collect();
                    Event::Woken(waiting(&current.audit, all, &made).await)
                }));
            }
        }
        let Some(hints) = &settings.hints else { return };
        if self.hearing.is_none() && now >= self.hear_at {
            let aws = keeper.current().aws.clone();
            self.hearing = Some(Box::pin(async move { Event::Heard(hints.receive(&aws, 10).await) }));
        }
        for (account, storm) in self.storms.settled(now) {
            let current = keeper.current();
            self.small.push(Box::pin(async move {
                let sorted = sort(&current, storm, now).await;
                Event::Settled(account, sorted)
            }));
        }
        if now >= self.share_at {
            self.share_at = after(now, SHARED_EVERY);
            let (current, heard) = (keeper.current(), self.heard.clone());
            self.small.push(Box::pin(async move { Event::Shared(share(&current.audit, heard, now).await) }));
        }
    }

    /// How long nothing is to be begun.
    pub fn wakes(&self) -> Duration {
        let now = self.settings.clock.now();
        let hints = self.settings.hints.as_ref();
        let next = [
            self.settings.queue.as_ref().filter(|_| self.receiving.is_none()).map(|_| self.receive_at),
            hints.filter(|_| self.hearing.is_none()).map(|_| self.hear_at),
            hints.map(|_| self.share_at),
            self.storms.next(),
        ];
        // What waits for room is begun when a turn has ended.
        let next = next.into_iter().flatten().filter(|next| *next > now).min();
        next.and_then(|next| Duration::try_from(next.duration_since(now)).ok()).unwrap_or(Duration::MAX)
    }

    /// The next thing that happens; for ever nothing where nothing is under way. It can be asked and left again.
    pub async fn next(&mut self) -> Event {
        let Self { receiving, hearing, small, .. } = self;
        tokio::select! {
            Some(event) = small.next() => event,
            event = answer(receiving) => event,
            event = answer(hearing) => event,
        }
    }

    /// Is nothing under way any more?
    pub fn is_idle(&self) -> bool {
        self.receiving.is_none() && self.hearing.is_none() && self.small.is_empty()
    }

    /// Takes over what has happened, and gives the turns that are to be begun.
    pub fn happened(&mut self, event: Event, keeper: &mut Keeper<'_>, stop: &CancellationToken) -> Vec<Job> {
        let now = self.settings.clock.now();
        match event {
            Event::Work(received) => {
                self.receiving = None;
                match received {
                    Ok(received) => return self.jobs(received, keeper, stop),
                    Err(fault) => {
                        self.receive_at = after(now, AFTER_TROUBLE);
                        tracing::error!(target: TARGET, %fault, "the queue cannot be read");
                    }
                }
            }
            Event::Heard(received) => {
                self.hearing = None;
                match received {
                    Ok(received) => self.listen(received, keeper, now),
                    Err(fault) => {
                        self.hear_at = after(now, AFTER_TROUBLE);
                        tracing::error!(target: TARGET, %fault, "hints cannot be read");
                    }
                }
            }
            Event::Offered(wanted, sent) => {
                if let Err(fault) = &sent {
                    let account = wanted.account.as_str();
                    tracing::error!(target: TARGET, account, %fault, "the queue takes no message");
                }
                keeper.offered(wanted, sent.is_ok());
            }
            Event::Settled(account, sorted) => self.settled(&account, sorted, keeper, now),
            Event::Shared(Ok(beats)) => keeper.take_beats(beats),
            Event::Shared(Err(error)) => {
                tracing::warn!(target: TARGET, error = chain(&error), "it is not known whose hints arrive");
            }
            Event::Woken(accounts) => {
                for account in accounts {
                    keeper.due(&account, now, Why::Again);
                }
            }
            Event::Ended(Ok(())) => {}
            // It comes again, and is found done.
            Event::Ended(Err(fault)) => {
                tracing::debug!(target: TARGET, %fault, "a message is not ours any more")
            }
        }
        Vec::new()
    }

    /// What was received, as one job for each account.
    fn jobs(&mut self, received: Vec<Received>, keeper: &Keeper<'_>, stop: &CancellationToken) -> Vec<Job> {
        let Some(queue) = &self.settings.queue else { return Vec::new() };
        let (current, now) = (keeper.current(), self.settings.clock.now());
        let mut jobs: Vec<Job> = Vec::new();
        for Received { body, receipt, lease } in received {
            let back = |time| (receipt.clone(), time);
            let (receipt, time) = match Wanted::of(&body) {
                Err(why) => {
                    let body: String = body.chars().take(200).collect();
                    tracing::error!(target: TARGET, queue = %queue, why, body = %escape(&body), "a message cannot be read: it goes to the dead-letter queue");
                    back(Duration::ZERO)
                }
                Ok(_) if stop.is_cancelled() || !lease.lets_write() => back(Duration::ZERO),
                Ok(wanted) if self.working.contains(&wanted.account) => back(AFTER_TROUBLE),
                Ok(wanted) if is_for_others(&wanted, &current, now) => back(LEFT_TO_OTHERS),
                Ok(wanted) => {
                    match jobs.iter_mut().find(|job| job.wanted.account == wanted.account) {
                        Some(job) => {
                            job.receipts.push(receipt);
                            if wanted.since > job.wanted.since {
                                job.wanted = wanted;
                            }
                        }
                        None => jobs.push(Job { wanted, lease, receipts: vec![receipt] }),
                    }
                    continue;
                }
            };
            let aws = current.aws.clone();
            self.small.push(Box::pin(async move { Event::Ended(queue.hide(&aws, &receipt, time).await) }));
        }
        self.working.extend(jobs.iter().map(|job| job.wanted.account.clone()));
        jobs
    }

    /// A turn has ended. Its message is deleted, whatever came of it, but where it was broken off: then it is anybody's.
    pub fn ended(
        &mut self,
        account: &AccountId,
        job: Option<Job>,
        done: Option<&Done>,
        cut: bool,
        current: &Current,
    ) {
        self.working.remove(account);
        if let (Some(hints), Some(done)) = (&self.settings.hints, done.filter(|done| done.is_whole)) {
            let held = self.held.remove(account).unwrap_or_default();
            let (seen, later) = held.into_iter().partition::<Vec<_>, _>(|(came, _)| *came <= done.began);
            if !later.is_empty() {
                self.held.insert(account.clone(), later);
            }
            self.delete(hints, seen.into_iter().map(|(_, receipt)| receipt), current);
        }
        let (Some(queue), Some(job)) = (&self.settings.queue, job) else { return };
        if !cut {
            self.delete(queue, job.receipts, current);
            return;
        }
        for receipt in job.receipts {
            let aws = current.aws.clone();
            self.small.push(Box::pin(async move {
                Event::Ended(queue.hide(&aws, &receipt, Duration::ZERO).await)
            }));
        }
    }

    fn delete(&mut self, queue: &'a QueueUrl, receipts: impl IntoIterator<Item = String>, current: &Current) {
        for receipt in receipts {
            let aws = current.aws.clone();
            self.small.push(Box::pin(async move { Event::Ended(queue.delete(&aws, &receipt).await) }));
        }
    }

    /// Events have come.
    fn listen(&mut self, received: Vec<Received>, keeper: &Keeper<'_>, now: Timestamp) {
        let Some(hints) = &self.settings.hints else { return };
        let current = keeper.current();
        let mut of_no_use = Vec::new();
        for Received { body, receipt, .. } in received {
            match hear(&body) {
                Ok(Heard::Hint(hint)) if current.desired.account(&hint.account).is_some() => {
                    self.storms.add(hint, receipt, now);
                }
                Ok(Heard::Heartbeat { account, region, at }) => {
                    self.heard.heard(account, region, at);
                    of_no_use.push(receipt);
                }
                Ok(Heard::Hint(_) | Heard::Nothing) => of_no_use.push(receipt),
                Err(why) => {
                    let body: String = body.chars().take(200).collect();
                    tracing::error!(target: TARGET, queue = %hints, why, body = %escape(&body), "an event cannot be read: it goes to the dead-letter queue");
                    let aws = current.aws.clone();
                    self.small.push(Box::pin(async move {
                        Event::Ended(hints.hide(&aws, &receipt, Duration::ZERO).await)
                    }));
                }
            }
        }
        self.delete(hints, of_no_use, &current);
    }

    /// A storm over an account is over: it is due.
    fn settled(&mut self, account: &AccountId, sorted: Sorted, keeper: &mut Keeper<'_>, now: Timestamp) {
        let (Some(hints), current) = (&self.settings.hints, keeper.current()) else { return };
        let Sorted { count, wait, ours } = sorted;
        self.delete(hints, ours, &current);
        self.storms.put_back(wait, after(now, OWN_WAITS), now);
        // What a look has seen since is of no use either.
        let began = keeper.began(account);
        let is_seen = |hint: &Hint| began.is_some_and(|began| began >= after(hint.at, SEEN_AFTER));
        let (seen, news): (Vec<_>, Vec<_>) = count.into_iter().partition(|(hint, _)| is_seen(hint));
        self.delete(hints, seen.into_iter().map(|(_, receipt)| receipt), &current);
        let Some((newest, _)) = news.iter().max_by_key(|(hint, _)| hint.at) else { return };
        let since = after(newest.at, SEEN_AFTER);
        tracing::info!(target: TARGET, account = account.as_str(), hints = news.len(), "something was written in the account: it is due");
        let Some(queue) = &self.settings.queue else {
            keeper.due(account, now, Why::Again);
            let held = self.held.entry(account.clone()).or_default();
            held.extend(news.into_iter().map(|(_, receipt)| (now, receipt)));
            return;
        };
        let wanted = Wanted { account: account.clone(), since, why: Why::Hint { id: newest.id.clone() } };
        let (aws, receipts) = (current.aws.clone(), news.into_iter().map(|(_, receipt)| receipt));
        let receipts: Vec<String> = receipts.collect();
        self.small.push(Box::pin(async move {
            // Only what stands in the one queue is taken out of the other.
            let sent = queue.send(&aws, &wanted).await;
            let deleted = async {
                for receipt in &receipts {
                    hints.delete(&aws, receipt).await?;
                }
                Ok(())
            };
            Event::Ended(match sent {
                Ok(()) => deleted.await,
                Err(fault) => Err(fault),
            })
        }));
    }
}

async fn answer(under_way: &mut Option<LocalBoxFuture<'_, Event>>) -> Event {
    match under_way {
        Some(under_way) => under_way.await,
        None => std::future::pending().await,
    }
}

/// Does another replica know the account, or the documents that the message is of, and this one not yet? After a while
/// nobody does.
fn is_for_others(wanted: &Wanted, current: &Current, now: Timestamp) -> bool {
    let is_known = current.desired.account(&wanted.account).is_some();
    let is_taken = match &wanted.why {
        Why::Documents { digest } => *digest == current.desired.digest,
        _ => true,
    };
    !(is_known && is_taken) && after(wanted.since, GIVEN_UP_AFTER) > now
}
