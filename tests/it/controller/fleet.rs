//! Several replicas on one queue: none leads, and whoever comes or goes, nothing is lost and nothing is done by two.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use baseline::controller::{Order, Settings, run};
use baseline::sandbox::{Front, Trouble, Weather};
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::Instant;

use super::stage::{HOUR, MINUTE, conditions, id, is_on, is_synced, looks, pass, read, settings, switch};
use crate::cli::shell::Shell;

pub const MANAGEMENT: &str = baseline::sandbox::sample::MANAGEMENT;

/// A replica that can be stopped as `kill -STOP` does: it is not polled, and time goes on.
struct Pausable {
    inner: Pin<Box<dyn Future<Output = ()>>>,
    paused: Rc<Cell<bool>>,
}

impl Future for Pausable {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.paused.get() {
            return Poll::Pending;
        }
        self.inner.as_mut().poll(context)
    }
}

/// One process, as far as a test can tell.
pub struct Replica {
    task: tokio::task::JoinHandle<()>,
    paused: Rc<Cell<bool>>,
    wake: Rc<Cell<Option<std::task::Waker>>>,
    orders: Sender<Order>,
}

impl Replica {
    /// Starts one, in a `LocalSet`.
    pub fn start(settings: Settings) -> Self {
        let (orders, receiver) = channel(16);
        let (paused, wake) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(None)));
        let inner = Box::pin(async move { run(&settings, receiver).await.expect("it begins") });
        let mut replica = Pausable { inner, paused: Rc::clone(&paused) };
        let waker = Rc::clone(&wake);
        let task = tokio::task::spawn_local(std::future::poll_fn(move |context| {
            waker.set(Some(context.waker().clone()));
            Pin::new(&mut replica).poll(context)
        }));
        Self { task, paused, wake, orders }
    }

    pub fn pause(&self, paused: bool) {
        self.paused.set(paused);
        // Whatever woke it meanwhile was not heard.
        if let (false, Some(waker)) = (paused, self.wake.take()) {
            waker.wake();
        }
    }

    /// Nothing of it goes on, and nobody is told.
    pub fn kill(self) {
        self.task.abort();
    }

    pub async fn stop(self) {
        self.pause(false);
        let _ended = self.orders.send(Order::Stop).await.is_err();
        self.task.await.expect("it ends by itself");
    }
}

/// What a replica of a fleet is started with. Each is a process of its own, so it has a run of its own.
pub fn of_fleet(shell: &Shell, queue: &str, number: usize) -> Settings {
    Settings {
        queue: Some(queue.parse().expect("a queue")),
        run: format!("01REPLICA{number}"),
        accounts_at_once: 8,
        ..settings(shell, true)
    }
}

pub fn queue(shell: &Shell) -> String {
    shell.world.make_queue(MANAGEMENT, "eu-west-1", "baseline.fifo", 50)
}

/// How many messages are in a queue.
pub fn messages(shell: &Shell, name: &str) -> usize {
    shell.world.region(MANAGEMENT, "eu-west-1", |region| region.sqs.queues[name].messages.len())
}

/// Every write that was sent to an account, by account: when, in whose session.
type Sent = BTreeMap<String, Vec<(Instant, String)>>;

#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Sent>>);

impl Writes {
    /// A front that never comes: it only sees everything.
    fn watched(&self) -> Front {
        let writes = Arc::clone(&self.0);
        Front::new(Trouble::Cut).at(move |attempt| {
            if attempt.writes && attempt.service == "guardduty" {
                let mut writes = writes.lock().expect("no poison");
                let seen = (Instant::now(), attempt.session.to_owned());
                writes.entry(attempt.account.to_owned()).or_default().push(seen);
            }
            false
        })
    }

    fn take(&self) -> Sent {
        std::mem::take(&mut *self.0.lock().expect("no poison"))
    }
}

/// Which replica each run was a turn of, by the audit record.
fn replicas(shell: &Shell) -> HashMap<String, String> {
    let runs = std::fs::read_dir(shell.dir().join(".audit/runs")).expect("listed");
    runs.map(|run| {
        let path = run.expect("listed").path();
        let intent: serde_json::Value = read(&path.join("intent.json"));
        assert!(intent["leaseUntil"].is_string(), "{intent:#}");
        let name = path.file_name().expect("named").to_string_lossy().into_owned();
        (name, intent["controller"].as_str().expect("of a controller").to_owned())
    })
    .collect()
}

#[tokio::test(start_paused = true)]
async fn replicas_share_the_accounts_and_each_has_one_turn_a_slot() {
    let shell = Shell::many(13);
    let queue = queue(&shell);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let fleet: Vec<_> =
                (0..4).map(|number| Replica::start(of_fleet(&shell, &queue, number))).collect();
            pass(10 * MINUTE).await;
            assert!((0..12).all(|account| is_synced(&conditions(&shell, &id(account)))));
            shell.world.forget_calls();
            pass(2 * HOUR).await;
            // Twelve accounts are looked at once in each of two slots, not once by each replica.
            let turns = looks(&shell.world);
            assert_eq!(turns, 12 * 2);
            let writes = shell.world.writes();
            assert!(writes.keys().all(|call| call.starts_with("sqs:")), "{writes:?}");
            assert_eq!(writes["sqs:SendMessage"], 4 * 2 * 12, "each replica asks for every account");
            let absorbed = shell
                .world
                .region(MANAGEMENT, "eu-west-1", |region| region.sqs.queues["baseline.fifo"].absorbed);
            assert!(absorbed > 0);
            for replica in fleet {
                replica.stop().await;
            }
            assert_eq!((messages(&shell, "baseline.fifo"), messages(&shell, "baseline-dead.fifo")), (0, 0));
        })
        .await;
}

/// The property of the fleet: replicas are killed and paused all the time, and drift comes all the time. The times of
/// what happens come from a sequence that is the same in every run.
#[tokio::test(start_paused = true)]
async fn killed_and_paused_replicas_lose_nothing_and_no_two_write_at_once() {
    for seed in 1..=2_u64 {
        storm(seed).await;
    }
}

async fn storm(seed: u64) {
    const ACCOUNTS: usize = 24;
    let shell = Shell::many(ACCOUNTS + 1);
    let queue = queue(&shell);
    let writes = Writes::default();
    // Slow enough that pauses and kills come in the midst of turns.
    shell.world.set_weather(Weather::fair().latency(Duration::from_millis(400)).with(writes.watched()));
    let mut state = seed;
    let mut chance = move |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let of = |number| Settings { interval: 5 * MINUTE, ..of_fleet(&shell, &queue, number) };
            let mut started = 4;
            let mut fleet: Vec<Replica> = (0..started).map(|number| Replica::start(of(number))).collect();
            for _ in 0..120 {
                pass(Duration::from_secs(2 + chance(6))).await;
                let one = usize::try_from(chance(4)).expect("small");
                match chance(4) {
                    0 => {
                        fleet.remove(one).kill();
                        fleet.push(Replica::start(of(started)));
                        started += 1;
                    }
                    1 => fleet[one].pause(true),
                    _ => fleet.iter().for_each(|replica| replica.pause(false)),
                }
                let account = id(usize::try_from(chance(ACCOUNTS as u64)).expect("small"));
                let is_there =
                    shell.world.region(&account, "eu-west-1", |region| region.guardduty.detector.is_some());
                if is_there {
                    switch(&shell.world, &account, false);
                }
            }
            fleet.iter().for_each(|replica| replica.pause(false));
            // What was in the hands of the dead comes back when it is not hidden any more; then two slots.
            pass(15 * MINUTE).await;
            for replica in fleet {
                replica.stop().await;
            }
        })
        .await;
    for account in 0..ACCOUNTS {
        let kept = conditions(&shell, &id(account));
        let contested =
            kept.controls.iter().any(|one| one.is(baseline::controller::condition::Type::Contested));
        assert!(
            contested || is_on(&shell.world, &id(account)),
            "seed {seed}: {} did not converge",
            id(account)
        );
    }
    assert_eq!(messages(&shell, "baseline-dead.fifo"), 0, "nothing that can be read is a dead letter");
    let detectors = shell.world.calls()["guardduty:CreateDetector"].landed;
    assert_eq!(detectors as usize, ACCOUNTS, "seed {seed}: nothing was doubled");

    // No two replicas write to an account in turns: once another one has begun, the first is silent for ever.
    let replica = replicas(&shell);
    for (account, writes) in writes.take() {
        let mut runs: Vec<&str> = Vec::new();
        for (_, run) in &writes {
            if runs.last() != Some(&run.as_str()) {
                assert!(
                    !runs.contains(&run.as_str()),
                    "seed {seed}: two wrote to {account} at once: {writes:?}"
                );
                runs.push(run);
            }
        }
        assert!(runs.iter().all(|run| replica.contains_key(*run)), "every write is on record");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_was_paused_longer_than_its_lease_writes_nothing_more() {
    let shell = Shell::many(2);
    let queue = queue(&shell);
    let writes = Writes::default();
    shell.world.set_weather(Weather::fair().latency(Duration::from_secs(2)).with(writes.watched()));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let first = Replica::start(of_fleet(&shell, &queue, 1));
            // In the midst of its turn: the intent is there, and nothing is written yet.
            while !shell.dir().join(".audit/runs").exists() {
                pass(Duration::from_millis(100)).await;
            }
            first.pause(true);
            let second = Replica::start(of_fleet(&shell, &queue, 2));
            pass(5 * MINUTE).await;
            assert!(is_on(&shell.world, &id(0)), "another one has taken it over");
            switch(&shell.world, &id(0), false);
            let before = writes.take();
            first.pause(false);
            pass(MINUTE).await;
            assert!(!is_on(&shell.world, &id(0)), "it is nobody's turn");
            assert!(writes.take().is_empty(), "the lease of the first one was over");
            assert!(
                before[&id(0)].iter().all(|(_, run)| replicas(&shell)[run] == "01REPLICA2"),
                "{before:?}"
            );
            second.stop().await;
            first.stop().await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_midst_of_a_step_hands_the_rest_to_another() {
    let shell = Shell::many(9);
    let queue = queue(&shell);
    shell.world.set_weather(Weather::fair().latency(Duration::from_millis(700)));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let first = Replica::start(of_fleet(&shell, &queue, 1));
            while !shell.dir().join(".audit/runs").exists() {
                pass(Duration::from_millis(100)).await;
            }
            let stopped = Instant::now();
            first.stop().await;
            assert!(stopped.elapsed() < MINUTE, "{:?}", stopped.elapsed());
            let made = (0..8).filter(|account| is_on(&shell.world, &id(*account))).count();
            assert!(made < 8, "not everything was begun");
            let second = Replica::start(of_fleet(&shell, &queue, 2));
            // At once, and not when a lease has run out.
            pass(MINUTE).await;
            assert!((0..8).all(|account| is_on(&shell.world, &id(account))));
            second.stop().await;
        })
        .await;
    for run in std::fs::read_dir(shell.dir().join(".audit/runs")).expect("listed") {
        let run = run.expect("listed").path();
        assert!(run.join("outcome.json").exists(), "{} has no outcome", run.display());
    }
    assert_eq!(shell.world.calls()["guardduty:CreateDetector"].landed, 8);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_is_asked_for_again_after_five_minutes_is_no_second_turn() {
    let shell = Shell::many(4);
    let queue = queue(&shell);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let first = Replica::start(of_fleet(&shell, &queue, 1));
            pass(10 * MINUTE).await;
            first.stop().await;
            shell.world.forget_calls();
            // Its memory is empty, and SQS's is so too.
            let second = Replica::start(of_fleet(&shell, &queue, 2));
            pass(MINUTE).await;
            second.stop().await;
            assert_eq!(looks(&shell.world), 0, "everybody had its turn in this slot");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_goes_to_the_dead_letters_and_holds_nobody_up() {
    let shell = Shell::many(3);
    let queue = shell.world.make_queue(MANAGEMENT, "eu-west-1", "baseline.fifo", 3);
    shell.world.put_message(&queue, "{\"account\": \"\u{1b}[31m\"}");
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let one = Replica::start(of_fleet(&shell, &queue, 1));
            pass(5 * MINUTE).await;
            assert!(is_synced(&conditions(&shell, &id(0))) && is_synced(&conditions(&shell, &id(1))));
            assert_eq!((messages(&shell, "baseline.fifo"), messages(&shell, "baseline-dead.fifo")), (0, 1));
            one.stop().await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn documents_that_one_replica_has_not_heard_of_are_left_to_those_that_have() {
    let shell = Shell::many(3);
    let queue = queue(&shell);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let quick = Replica::start(of_fleet(&shell, &queue, 1));
            let slow = Replica::start(Settings { poll: HOUR, ..of_fleet(&shell, &queue, 2) });
            pass(10 * MINUTE).await;
            shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
            pass(5 * MINUTE).await;
            for account in 0..2 {
                let often = shell.world.region(&id(account), "eu-west-1", |region| {
                    region.guardduty.detector.as_ref().expect("there").frequency.clone()
                });
                assert_eq!(often.as_str(), "ONE_HOUR", "{account}");
            }
            quick.stop().await;
            slow.stop().await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_cannot_be_used_is_told_at_the_start() {
    let shell = Shell::many(2);
    let standard = shell.world.make_queue(MANAGEMENT, "eu-west-1", "hints", 10);
    let fifo = queue(&shell);
    for (queue, hints, exit, says) in [
        (&standard, None, 1, "is not a FIFO queue"),
        (&fifo, Some(&fifo), 1, "use a standard one"),
        (&fifo.replace("baseline.fifo", "other.fifo"), None, 4, "cannot be reached"),
        (&fifo.replace("baseline.fifo", "baseline-dead.fifo"), None, 1, "has no dead-letter queue"),
        (&"sqs://baseline".to_owned(), None, 64, "write the queue's URL"),
    ] {
        let hints = hints.map_or(String::new(), |hints| format!(" --hints {hints}"));
        let command = format!("run --queue {queue}{hints}");
        std::thread::scope(|scope| {
            let shell = &shell;
            scope.spawn(move || shell.run(&command).exits(exit).says(says)).join().expect("it said so");
        });
    }
}
