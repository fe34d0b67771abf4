//! A thousand accounts in two regions, for an hour.

#![expect(clippy::disallowed_macros, reason = "it prints the figures of the documentation")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baseline::controller::schedule::Budget;
use baseline::sandbox::guardduty::Detector;
use baseline::sandbox::{Front, Trouble, Weather};

use super::stage::{HOUR, MINUTE, conditions, id, is_synced, pass, running, settings};
use crate::cli::shell::Shell;

/// Calls by account, and when each account's session was opened, in seconds.
#[derive(Default)]
struct Seen {
    calls: BTreeMap<String, u32>,
    opened: BTreeMap<String, Vec<u64>>,
}

/// `cargo test --test it controller::scale -- --nocapture` prints the figures of `docs/operations.md`. In a process of
/// its own: memory is the process's, and other tests of this one would be in it.
#[test]
fn a_thousand_accounts_in_two_regions_are_all_looked_at_every_interval() {
    let alone = std::process::Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "controller::scale::for_an_hour", "--ignored", "--nocapture"])
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&alone.stdout);
    println!("{said}");
    assert!(
        alone.status.success() && said.contains("looked at"),
        "{}",
        String::from_utf8_lossy(&alone.stderr)
    );
}

#[tokio::test(start_paused = true)]
#[ignore = "runs as a process of the test above"]
async fn for_an_hour() {
    const ACCOUNTS: usize = 1000;
    let shell = Shell::many(ACCOUNTS + 1);
    shell.edit("organization.yaml", "managed: [eu-west-1]", "managed: [eu-west-1, eu-central-1]");
    // Conditions are kept in a folder that need not outlive the test: memory, where there is such a thing.
    let records = tempfile::Builder::new().tempdir_in(fast()).expect("a folder");
    shell.edit(
        "organization.yaml",
        "  roles:",
        &format!("  audit: {}\n  guards: {{accountsAtOnce: 100}}\n  roles:", records.path().display()),
    );
    // As it is after months: everything is made.
    let now = shell.world.now();
    for account in 0..ACCOUNTS {
        for region in ["eu-west-1", "eu-central-1"] {
            shell.world.region(&id(account), region, |region| {
                region.guardduty.detector = Some(Detector::with_defaults(&format!("{account:032x}"), now));
            });
        }
    }
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let (counted, clock) = (Arc::clone(&seen), tokio::time::Instant::now());
    // A front that never comes: it only sees everything.
    let watching = Front::new(Trouble::Cut).at(move |attempt| {
        let mut seen = counted.lock().expect("no poison");
        *seen.calls.entry(attempt.account.to_owned()).or_default() += 1;
        if attempt.operation == "GetCallerIdentity" {
            seen.opened.entry(attempt.account.to_owned()).or_default().push(clock.elapsed().as_secs());
        }
        false
    });
    shell.world.set_weather(Weather::fair().latency(Duration::from_millis(30)).with(watching));
    let mut settings = settings(&shell, true);
    settings.poll = 10 * MINUTE;
    settings.budget = Budget { per_hour: 200 };
    running(&settings, async |_| {
        // The start is spread over a quarter of an hour.
        pass(30 * MINUTE).await;
        assert!((0..ACCOUNTS).all(|account| {
            let text = std::fs::read(records.path().join(format!("conditions/{}.json", id(account)))).expect("kept");
            is_synced(&serde_json::from_slice(&text).expect("read"))
        }));
        *seen.lock().expect("no poison") = Seen::default();
        shell.world.forget_calls();
        let (resident, started) = (resident(), std::time::Instant::now());
        pass(HOUR).await;
        let after = self::resident();

        let seen = std::mem::take(&mut *seen.lock().expect("no poison"));
        let members: Vec<u32> =
            (0..ACCOUNTS).map(|account| seen.calls.get(&id(account)).copied().unwrap_or_default()).collect();
        let (least, most) = (members.iter().min().expect("some"), members.iter().max().expect("some"));
        let all: u32 = seen.calls.values().sum();
        let not_seen: Vec<usize> =
            (0..ACCOUNTS).filter(|account| !seen.opened.contains_key(&id(*account))).collect();
        println!("accounts                        {ACCOUNTS} in 2 regions, 1 hour of simulated time");
        println!("looked at                       {} of {ACCOUNTS}", seen.opened.len().min(ACCOUNTS));
        println!("calls in an account             {least} to {most} (2 regions, 1 control)");
        println!("calls in all                    {all}");
        println!("writes                          {}", shell.world.writes().len());
        println!("took                            {:.1} s", started.elapsed().as_secs_f64());
        if let (Some(before), Some(after)) = (resident, after) {
            println!("memory before and after         {before} MiB, {after} MiB (the sandbox's organisation included)");
            assert!(after <= before + 64, "{before} MiB grew to {after} MiB");
        }
        assert_eq!(not_seen, Vec::<usize>::new(), "every account is looked at every interval");
        assert!(shell.world.writes().is_empty(), "nothing was wrong");
        assert!(*most <= 20, "{most} calls in an account-hour");

        // Spread: no minute has more than a few times its share.
        let mut minutes = [0_u32; 61];
        for second in seen.opened.values().flatten() {
            minutes[usize::try_from((second - 1_800) / 60).expect("small").min(60)] += 1;
        }
        assert!(minutes.iter().all(|looks| *looks < 60), "{minutes:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_budget_stretches_the_interval_and_nobody_is_forgotten() {
    let shell = Shell::many(4);
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let counted = Arc::clone(&seen);
    let watching = Front::new(Trouble::Cut).at(move |attempt| {
        *counted.lock().expect("no poison").calls.entry(attempt.account.to_owned()).or_default() += 1;
        false
    });
    shell.world.set_weather(Weather::fair().with(watching));
    let mut settings = settings(&shell, true);
    settings.interval = MINUTE;
    settings.budget = Budget { per_hour: 60 };
    running(&settings, async |_| {
        pass(HOUR).await;
        *seen.lock().expect("no poison") = Seen::default();
        pass(4 * HOUR).await;
        for account in 0..3 {
            let calls = seen.lock().expect("no poison").calls[&id(account)];
            // The call that assumes the role is made in the caller's account.
            assert!((120..=264).contains(&calls), "{calls} calls in four hours");
            assert!(is_synced(&conditions(&shell, &id(account))));
        }
    })
    .await;
}

/// A folder that fsync costs nothing in.
pub fn fast() -> &'static str {
    if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" }
}

/// Memory of this process, in MiB, where the system tells.
pub fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? / 1024)
}
