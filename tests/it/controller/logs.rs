//! What it says while it runs.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baseline::controller::Order;
use baseline::controller::condition::Type;
use baseline::sandbox::Weather;
use baseline::sandbox::s3::Bucket;
use baseline::sandbox::sample::{EXTERNAL_ID, MANAGEMENT};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::stage::{HOUR, MINUTE, condition, conditions, id, is_on, pass, running, settings, switch};
use crate::cli::shell::{Shell, organization};

/// A log that can be read.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no poison").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().expect("no poison").clone()).expect("UTF-8");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }
}

/// Logs as the command does where there is no terminal.
pub fn listening() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("baseline=warn,baseline::controller=info"))
        .with_writer(move || writer.clone())
        .json()
        .flatten_event(true)
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

pub fn of<'l>(lines: &'l [Value], message: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}

#[tokio::test(start_paused = true)]
async fn every_look_is_one_line_with_what_changed_and_nothing_secret() {
    let (log, _guard) = listening();
    let shell = Shell::many(3);
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        switch(&shell.world, &id(0), false);
        pass(HOUR + MINUTE).await;
    })
    .await;
    let lines = log.lines();
    let started = of(&lines, "started");
    assert_eq!(started.len(), 1);
    assert_eq!(started[0]["accounts"], 2);
    // Three to open a session, and what the one control names.
    let a_look = started[0]["calls_per_look"].as_f64().expect("a number");
    assert!(a_look > 3.0, "{}", started[0]);
    assert_eq!(started[0]["calls_per_account_hour"], a_look);
    assert_eq!(started[0]["calls_per_hour"], a_look * 2.0);
    assert_eq!(started[0]["calls_are"], "named by the controls");

    let reconciled = of(&lines, "reconciled");
    assert!((4..=6).contains(&reconciled.len()), "{lines:#?}");
    let changed: Vec<&str> = reconciled
        .iter()
        .filter(|line| line["account"] == id(0))
        .map(|line| line["changed"].as_str().expect("text"))
        .collect();
    assert_eq!(
        changed[..2],
        ["guardduty.detector detector in eu-west-1", "guardduty.detector detector in eu-west-1"],
        "made, and put right"
    );
    for line in &reconciled {
        let run = line["run"].as_str().expect("text");
        assert_eq!(run.len(), 26, "the run of the look, as CloudTrail has it");
        let wrote = shell.dir().join(".audit/runs").join(run).join("intent.json").exists();
        assert_eq!(wrote, line["changed"] != "", "and as the audit record has it: {line}");
        assert!(line["calls"].as_u64().is_some_and(|calls| calls > 0), "{line}");
    }
    assert_eq!(of(&lines, "stopped").len(), 1);
    let text = format!("{lines:?}");
    for secret in ["ASIA", "AKIA", EXTERNAL_ID, "secret", "Token"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_desired_state_is_told_once_and_loudly_with_its_lines() {
    let (log, _guard) = listening();
    let shell = Shell::many(3);
    running(&settings(&shell, false), async |_| {
        pass(10 * MINUTE).await;
        shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
        pass(HOUR).await;
    })
    .await;
    let lines = log.lines();
    let told = of(&lines, "a new desired state is not taken: the last good one goes on");
    assert_eq!(told.len(), 1, "once");
    assert_eq!((&told[0]["level"], &told[0]["reason"]), (&Value::from("ERROR"), &Value::from("Invalid")));
    assert!(lines.iter().any(|line| line["message"] == "  = help: did you mean `enabled`?"), "{lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_hostile_name_cannot_write_a_line_of_its_own() {
    let (log, _guard) = listening();
    let shell = Shell::many(2);
    shell.edit("accounts/account-01.yaml", "name: account-01", "name: \"evil\\u202e\\n{}\"");
    running(&settings(&shell, false), async |_| pass(10 * MINUTE).await).await;
    let lines = log.lines();
    let reconciled = of(&lines, "reconciled");
    assert_eq!(reconciled[0]["name"], "evil\\u{202e}\\n{}");
}

#[tokio::test(start_paused = true)]
async fn turns_at_the_same_time_keep_their_records_in_one_bucket() {
    let (log, _guard) = listening();
    let shell = Shell::many(13);
    shell.write(
        "organization.yaml",
        organization("", "  audit: s3://acme-audit/x\n  guards: {accountsAtOnce: 50}\n"),
    );
    shell.world.put_bucket("acme-audit", Bucket::new(MANAGEMENT, "eu-west-1"));
    let slow = Duration::from_millis(90);
    shell.world.set_weather(Weather { jitter: slow, ..Weather::fair().latency(slow) });
    running(&settings(&shell, true), async |orders| {
        pass(30 * MINUTE).await;
        for account in 0..12 {
            switch(&shell.world, &id(account), false);
        }
        orders.send(Order::Reload).await.expect("it runs");
        pass(10 * MINUTE).await;
    })
    .await;
    let keys = shell.world.bucket("acme-audit", |bucket| bucket.objects.keys().cloned().collect::<Vec<_>>());
    let keys = keys.expect("a bucket");
    let count = |part: &str| keys.iter().filter(|key| key.contains(part)).count();
    assert_eq!((count("x/conditions/1"), count("outcome.json"), count("x/accounts/")), (12, 24, 12));
    let lines = log.lines();
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_exception_ends_at_midnight_of_utc_with_the_documents_that_said_it() {
    let (log, _guard) = listening();
    let shell = Shell::many(3);
    let settings = settings(&shell, true);
    let today = baseline::desired::day(settings.clock.now());
    shell.write(
        "exceptions/off.yaml",
        format!(
            "apiVersion: baseline/v1\nkind: Exception\nmetadata: {{name: off}}\nspec:\n  control: guardduty.detector\n  \
             accounts: [account-01]\n  reason: the migration\n  owner: team@acme.example\n  approver: \
             ciso@acme.example\n  ticket: SEC-1\n  expires: {today}\n"
        ),
    );
    shell.write(
        "attestations/root.yaml",
        format!(
            "apiVersion: baseline/v1\nkind: Attestation\nmetadata: {{name: root}}\nspec:\n  control: iam.root-user\n  \
             rule: root-mfa\n  accounts: [account-02]\n  by: kim@acme.example\n  expires: {today}\n"
        ),
    );
    let midnight = today.tomorrow().expect("a day").to_zoned_datetime(jiff::tz::TimeZone::UTC).expect("UTC");
    let left = std::time::Duration::try_from(midnight.timestamp().duration_since(settings.clock.now()));
    let left = left.expect("it is still today");
    running(&settings, async |_| {
        pass(left.saturating_sub(MINUTE)).await;
        assert!(!is_on(&shell.world, &id(0)), "it holds on its last day");
        if left > 2 * MINUTE {
            assert!(is_on(&shell.world, &id(1)));
            let kept = conditions(&shell, &id(0));
            assert_eq!(condition(&kept, "guardduty.detector", Type::Synced).reason, "Excepted");
        }
        // Within minutes, and not at the next turn.
        pass(4 * MINUTE).await;
        assert!(is_on(&shell.world, &id(0)));
        pass(26 * HOUR).await;
    })
    .await;
    let lines = log.lines();
    let soon = of(&lines, "an exception ends soon");
    assert_eq!(soon.len(), 1, "once");
    assert_eq!((&soon[0]["level"], &soon[0]["exception"]), (&"INFO".into(), &"off".into()));
    assert_eq!((&soon[0]["owner"], &soon[0]["ticket"]), (&"team@acme.example".into(), &"SEC-1".into()));
    let ended = of(&lines, "an exception has expired: it is no longer honoured");
    assert_eq!(ended.len(), 1, "once");
    assert_eq!((&ended[0]["level"], &ended[0]["expires"]), (&"WARN".into(), &today.to_string().into()));
    let soon = of(&lines, "an attestation ends soon");
    assert_eq!(soon.len(), 1, "once");
    assert_eq!((&soon[0]["attestation"], &soon[0]["by"]), (&"root".into(), &"kim@acme.example".into()));
    let ended = of(&lines, "an attestation has expired: it is a task by hand again");
    assert_eq!(ended.len(), 1, "once");
    assert_eq!((&ended[0]["level"], &ended[0]["expires"]), (&"WARN".into(), &today.to_string().into()));
}
