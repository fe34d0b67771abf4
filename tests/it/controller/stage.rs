//! A controller on the organisation in memory, and somebody who does things to it meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use baseline::controller::condition::{AccountConditions, Condition, DesiredStateConditions, Status, Type};
use baseline::controller::notify::Notifier;
use baseline::controller::schedule::Budget;
use baseline::controller::source::{FolderSource, Source};
use baseline::controller::{Clock, NotTaken, Order, Pulse, Settings, run};
use baseline::sandbox::World;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{Instant, sleep};

use crate::cli::shell::Shell;

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);

/// As the command line would start it: every hour, sixteen accounts at once.
pub fn settings(shell: &Shell, enforce: bool) -> Settings {
    let world = shell.world.clone();
    let clock = Clock::Runtime { started: world.now(), since: Instant::now() };
    Settings {
        pulse: Arc::new(Pulse::new(clock)),
        notifier: Notifier::new(clock, Box::new(|_| None), true),
        source: Source::Folder(FolderSource { dir: shell.dir() }),
        enforce,
        interval: HOUR,
        interval_with_hints: 6 * HOUR,
        queue: None,
        hints: None,
        poll: MINUTE,
        accounts_at_once: 16,
        budget: Budget { per_hour: 5_000 },
        allow: Vec::new(),
        clock,
        run: "01CONTROLLER".to_owned(),
        connect: Box::new(move |home| {
            let connection = world.connection(&home);
            Box::pin(async move { Ok(connection) })
        }),
    }
}

/// The same over days in which no document changes: they are looked at once an hour.
pub fn patient(shell: &Shell) -> Settings {
    Settings { poll: HOUR, ..settings(shell, true) }
}

/// Runs a controller until `meanwhile` has ended, and then stops it.
pub async fn running(settings: &Settings, meanwhile: impl AsyncFnOnce(&Sender<Order>)) {
    tried(settings, meanwhile).await.expect("it begins");
}

/// The same where it may not begin.
pub async fn tried(settings: &Settings, meanwhile: impl AsyncFnOnce(&Sender<Order>)) -> Result<(), NotTaken> {
    let (orders, receiver) = channel(16);
    let acting = async {
        meanwhile(&orders).await;
        // It may have ended by itself.
        let _ended = orders.send(Order::Stop).await.is_err();
    };
    let (ended, ()) = tokio::join!(run(settings, receiver), acting);
    ended
}

/// Lets so much time pass.
pub async fn pass(time: Duration) {
    sleep(time).await;
}

pub fn id(index: usize) -> String {
    format!("{}", 100_000_000_000_u64 + index as u64)
}

/// What is kept of an account.
#[track_caller]
pub fn conditions(shell: &Shell, account: &str) -> AccountConditions {
    read(&shell.dir().join(".audit/conditions").join(format!("{account}.json")))
}

#[track_caller]
pub fn desired_state(shell: &Shell) -> DesiredStateConditions {
    read(&shell.dir().join(".audit/conditions/desired-state.json"))
}

#[track_caller]
pub fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One condition of one control, which must be there.
#[track_caller]
pub fn condition<'a>(of: &'a AccountConditions, control: &str, kind: Type) -> &'a Condition {
    let found = of.controls.iter().find(|one| one.control == control);
    let found = found.unwrap_or_else(|| panic!("no conditions of {control} in {of:#?}"));
    found.condition(kind).unwrap_or_else(|| panic!("no {kind:?} in {found:#?}"))
}

/// Is everything of the account known to be as desired?
pub fn is_synced(of: &AccountConditions) -> bool {
    of.condition(Type::Synced).is_some_and(|synced| synced.status == Status::True)
}

/// Is GuardDuty on?
pub fn is_on(world: &World, account: &str) -> bool {
    world.region(account, "eu-west-1", |region| {
        region.guardduty.detector.as_ref().is_some_and(|detector| detector.enabled)
    })
}

/// Somebody switches GuardDuty off, or on.
pub fn switch(world: &World, account: &str, enabled: bool) {
    world.region(account, "eu-west-1", |region| region.guardduty.switch(enabled));
}

/// How often a role was assumed: once for each look that got so far.
pub fn looks(world: &World) -> u64 {
    world.calls().get("sts:AssumeRole").map_or(0, |tally| tally.asked)
}
