//! Telling people: each thing once, whatever happens to who is told and to who tells.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use baseline::controller::notify::{Notifier, Pace, Tally, webhook};
use baseline::controller::{Clock, Settings};
use baseline::sandbox::Principal;
use baseline::sandbox::cloudtrail::Told;
use baseline::sandbox::sample::MANAGEMENT;
use baseline::sandbox::sns::{Published, Topic};
use serde_json::{Value, json};

use super::logs::{listening, of};
use super::stage::{HOUR, MINUTE, conditions, id, pass, patient, running, settings, switch};
use crate::cli::shell::Shell;

const ARN: &str = "arn:aws:sns:eu-west-1:999988887777:told";

/// A folder of documents that tells by these notifications, each a line of a list.
fn telling(accounts: usize, notifications: &str) -> Shell {
    let shell = Shell::many(accounts);
    shell.edit("organization.yaml", "  roles:", &format!("  notifications:\n{notifications}  roles:"));
    shell
}

/// With a topic in the caller's account.
fn with_topic(accounts: usize, more: &str) -> Shell {
    let shell = telling(accounts, &format!("  - {{name: ops, kind: sns, topic: \"{ARN}\"{more}}}\n"));
    shell.world.region(MANAGEMENT, "eu-west-1", |region| {
        region.sns.topics.insert("told".to_owned(), Topic::with_defaults(ARN, MANAGEMENT));
    });
    shell
}

/// What was published, oldest first.
fn published(shell: &Shell) -> Vec<Published> {
    shell.world.region(MANAGEMENT, "eu-west-1", |region| {
        region.sns.topics.get("told").map(|topic| topic.published.clone()).unwrap_or_default()
    })
}

fn texts(shell: &Shell) -> Vec<String> {
    published(shell).into_iter().map(|one| one.message).collect()
}

#[tokio::test(start_paused = true)]
async fn drift_that_is_only_observed_is_told_once_and_in_one_message() {
    let shell = with_topic(4, "");
    running(&settings(&shell, false), async |_| {
        pass(3 * HOUR).await;
        let told = published(&shell);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(told[0].subject.as_deref(), Some("baseline many: 3 drift in 3 accounts"));
        assert_eq!(told[0].attributes["events"], "[\"drift\"]");
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!("told_drift", told[0].message);
        });
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn drift_that_comes_back_is_told_again() {
    let shell = with_topic(3, ", events: [drift]");
    running(&settings(&shell, true), async |_| pass(10 * MINUTE).await).await;
    assert!(published(&shell).is_empty(), "it was put right");
    running(&settings(&shell, false), async |_| {
        for times in 1..=2 {
            switch(&shell.world, &id(0), false);
            pass(3 * HOUR).await;
            let told = texts(&shell);
            assert_eq!(told.len(), times, "{told:#?}");
            assert!(told[times - 1].contains("] account-01: guardduty.detector"), "{told:#?}");
            assert!(told[times - 1].contains("detector: enabled false → true"), "{told:#?}");
            switch(&shell.world, &id(0), true);
            pass(HOUR + MINUTE).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_did_it_is_told_as_far_as_cloudtrail_shows_it() {
    let shell = with_topic(3, ", events: [drift]");
    running(&settings(&shell, true), async |_| pass(10 * MINUTE).await).await;
    running(&settings(&shell, false), async |_| {
        // Just after a look: CloudTrail shows a call some minutes later, and the next look is in an hour.
        let first = conditions(&shell, &id(0)).last_look;
        while conditions(&shell, &id(0)).last_look == first {
            pass(MINUTE).await;
        }
        switch(&shell.world, &id(0), false);
        shell.world.tell(Told {
            account: id(0),
            region: "eu-west-1".into(),
            call: "guardduty:UpdateDetector".into(),
            principal: Principal::User("kim".into()),
            address: "198.51.100.23".into(),
            parameters: json!({ "enable": false }),
            error: None,
        });
        pass(2 * HOUR).await;
        let told = texts(&shell);
        assert_eq!(told.len(), 1, "{told:#?}");
        let by = "; by user/kim from 198.51.100.23: guardduty:UpdateDetector at 20";
        assert!(told[0].contains(by), "{told:#?}");
        assert!(shell.world.calls().contains_key("cloudtrail:LookupEvents"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_put_right_and_what_is_contested_are_told() {
    let shell = with_topic(3, ", events: [put-right, contested]");
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        for _ in 0..6 {
            switch(&shell.world, &id(0), false);
            pass(HOUR + MINUTE).await;
        }
        let told = texts(&shell);
        assert!(told[0].contains("2 put-right in 2 accounts"), "{told:#?}");
        let contested: Vec<&String> = told.iter().filter(|text| text.contains("[contested]")).collect();
        assert_eq!(contested.len(), 1, "{told:#?}");
        assert!(contested[0].contains("`enabled` was put right 3 times since"), "{}", contested[0]);
        assert_eq!(
            told.iter().filter(|text| text.contains("[put-right] account-01")).count(),
            3,
            "{told:#?}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_told_when_it_does_not() {
    let shell = with_topic(3, "");
    shell.world.account(&id(0), |account| {
        account.iam.roles.remove("baseline-observe");
    });
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        let told = texts(&shell);
        let unknown: Vec<&String> = told.iter().filter(|text| text.contains("[unknown]")).collect();
        assert_eq!(unknown.len(), 1, "{told:#?}");
        assert!(unknown[0].contains("sts:AssumeRole"), "{}", unknown[0]);
        pass(12 * HOUR).await;
        let told = texts(&shell);
        assert_eq!(told.iter().filter(|text| text.contains("[unknown]")).count(), 1, "{told:#?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_desired_state_that_is_not_taken_and_an_exception_that_ends_are_told() {
    let shell = with_topic(3, ", events: [stalled, exception-ending]");
    let today = shell.world.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let ends = today.checked_add(jiff::Span::new().days(10)).expect("a day");
    shell.write(
        "exceptions/later.yaml",
        format!(
            "apiVersion: baseline/v1\nkind: Exception\nmetadata: {{name: later}}\nspec:\n  control: guardduty.detector\n  \
             accounts: [account-01]\n  reason: the pilot\n  owner: jo@acme.example\n  approver: ciso@acme.example\n  \
             expires: {ends}\n"
        ),
    );
    running(&settings(&shell, true), async |_| {
        pass(5 * MINUTE).await;
        shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
        pass(10 * MINUTE).await;
        shell.edit("baselines/detector.yaml", "enabld: true", "enabled: true");
        pass(3 * HOUR).await;
    })
    .await;
    let told = texts(&shell).join("\n");
    assert!(
        told.contains(&format!(
            "[exception-ending] guardduty.detector: exception later ends in 10 days, on {ends}"
        )),
        "{told}"
    );
    assert!(told.contains("jo@acme.example"), "{told}");
    assert!(
        told.contains("[stalled] a new desired state is not taken")
            && told.contains("unknown field `enabld`"),
        "{told}"
    );
    assert_eq!(told.matches("[exception-ending]").count(), 1, "{told}");
    assert_eq!(told.matches("[stalled]").count(), 1, "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_is_kept_over_a_restart_and_told_then() {
    let shell = with_topic(3, "");
    let topic = shell.world.region(MANAGEMENT, "eu-west-1", |region| region.sns.topics.remove("told"));
    {
        let (log, _guard) = listening();
        let settings = settings(&shell, false);
        running(&settings, async |_| pass(10 * MINUTE).await).await;
        let lines = log.lines();
        let failed = of(&lines, "not told: it is kept, and tried again");
        assert!(failed.len() >= 2, "{lines:#?}");
        assert_eq!(failed[0]["level"], "ERROR", "nothing but a person brings a topic back");
        assert!(failed[0]["why"].as_str().is_some_and(|why| why.contains("NotFound")), "{failed:#?}");
        let tally = settings.notifier.tallies()["ops"];
        assert_eq!((tally.sent, tally.waiting, tally.lost), (0, 2, 0));
        assert!(tally.failed >= 2);
    }
    let kept = shell.dir().join(".audit/notifications").join(format!("{}.json", id(0)));
    let text = std::fs::read_to_string(&kept).expect("kept");
    assert!(text.contains("\"pending\""), "{text}");
    shell.world.region(MANAGEMENT, "eu-west-1", |region| {
        region.sns.topics.insert("told".to_owned(), topic.expect("it was there"));
    });
    // It is not yet time for the accounts' turns: what is kept is told without.
    running(&settings(&shell, false), async |_| {
        pass(2 * MINUTE).await;
        let told = texts(&shell);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains("2 drift in 2 accounts"), "{told:#?}");
        pass(4 * HOUR).await;
        assert_eq!(texts(&shell).len(), 1);
    })
    .await;
    let text = std::fs::read_to_string(&kept).expect("kept");
    assert!(!text.contains("\"pending\"") && text.contains("\"open\""), "{text}");
}

#[tokio::test(start_paused = true)]
async fn only_those_are_told_whose_accounts_and_events_they_are() {
    let shell = with_topic(
        4,
        ", where: {names: [account-02]}, template: \"{account}|{region}|{control}|{what}|{reason}\"",
    );
    running(&settings(&shell, false), async |_| {
        pass(10 * MINUTE).await;
        let told = texts(&shell);
        assert_eq!(told.len(), 1, "{told:#?}");
        let line = told[0].lines().nth(2).unwrap_or_default();
        assert_eq!(
            line,
            "account-02|eu-west-1|guardduty.detector|detector: enabled not set → true|ObserveOnly"
        );
        assert_eq!(told[0].lines().count(), 3, "{}", told[0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_and_nothing_is_asked_where_nobody_is_told() {
    let shell = Shell::many(3);
    running(&settings(&shell, false), async |_| pass(2 * HOUR).await).await;
    assert!(!shell.dir().join(".audit/notifications").exists());
    assert!(!shell.world.calls().contains_key("cloudtrail:LookupEvents"));
}

/// A server that takes messages, or does not.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Inbox>>);

#[derive(Default)]
struct Inbox {
    /// Answers before it takes any: status, `Retry-After`, and how long it thinks.
    moods: Vec<(u16, Option<u64>, Duration)>,
    asked: usize,
    taken: Vec<(HeaderMap, Vec<u8>)>,
}

impl Receiver {
    fn in_mood(moods: &[(u16, Option<u64>, Duration)]) -> Self {
        let receiver = Self::default();
        receiver.0.lock().expect("no poison").moods = moods.iter().rev().copied().collect();
        receiver
    }

    async fn listen(&self) -> SocketAddr {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        let service = axum::Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(socket, service).await });
        address
    }

    fn asked(&self) -> usize {
        self.0.lock().expect("no poison").asked
    }

    fn bodies(&self) -> Vec<Value> {
        let inbox = self.0.lock().expect("no poison");
        inbox.taken.iter().map(|(_, body)| serde_json::from_slice(body).expect("JSON")).collect()
    }

    fn first(&self) -> (HeaderMap, Vec<u8>) {
        self.0.lock().expect("no poison").taken.first().cloned().expect("one")
    }
}

async fn answer(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let mood = {
        let mut inbox = receiver.0.lock().expect("no poison");
        inbox.asked += 1;
        inbox.moods.pop()
    };
    let Some((status, retry_after, thinks)) = mood else {
        receiver.0.lock().expect("no poison").taken.push((headers, body.to_vec()));
        return (StatusCode::OK, HeaderMap::new(), "ok");
    };
    tokio::time::sleep(thinks).await;
    let mut headers = HeaderMap::new();
    if let Some(seconds) = retry_after {
        headers.insert("retry-after", seconds.into());
    }
    headers.insert("location", "http://127.0.0.1:1/elsewhere".parse().expect("a header"));
    (StatusCode::from_u16(status).expect("a status"), headers, "not now")
}

/// In true time: what comes over a socket does not wait for a paused clock.
fn at_once(shell: &Shell, secrets: BTreeMap<&'static str, String>) -> Settings {
    let pace = Pace {
        gathers: Duration::from_millis(100),
        burst: 100,
        every: Duration::from_millis(100),
        again: Duration::from_millis(50),
    };
    let environment = Box::new(move |name: &str| secrets.get(name).cloned());
    let notifier = Notifier::new(Clock::System, environment, true).at_pace(pace);
    Settings { notifier, clock: Clock::System, ..settings(shell, false) }
}

/// Waits until it is so, for half a minute at most.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come about that {what}");
}

const WEBHOOK: &str = "  - {name: siem, kind: webhook, urlFrom: {env: BASELINE_SIEM_URL}, secretFrom: {env: \
                       BASELINE_SIEM_SECRET}}\n";

#[tokio::test]
async fn a_webhook_that_fails_is_slow_and_is_busy_gets_everything_once_and_signed() {
    let short = Duration::from_millis(20);
    let receiver = Receiver::in_mood(&[(500, None, short), (429, Some(1), short), (302, None, short)]);
    let address = receiver.listen().await;
    let shell = telling(3, WEBHOOK);
    let secrets = BTreeMap::from([
        ("BASELINE_SIEM_URL", format!("http://{address}/hook/verysecret")),
        ("BASELINE_SIEM_SECRET", "hunter2hunter2".to_owned()),
    ]);
    let (log, _guard) = listening();
    let settings = at_once(&shell, secrets);
    let start = std::time::Instant::now();
    running(&settings, async |_| {
        until("two events are taken", || {
            receiver.bodies().iter().flat_map(|body| body["events"].as_array().cloned()).flatten().count()
                == 2
        })
        .await;
    })
    .await;
    assert!(
        start.elapsed() >= Duration::from_secs(2),
        "Retry-After, and a pause after what somebody has to mend"
    );
    assert!(receiver.asked() >= 4);
    let ids: Vec<Value> = receiver
        .bodies()
        .iter()
        .flat_map(|body| body["events"].as_array().cloned())
        .flatten()
        .map(|event| event["id"].clone())
        .collect();
    assert_ne!(ids[0], ids[1]);
    let tally: Tally = settings.notifier.tallies()["siem"];
    assert_eq!((tally.failed, tally.waiting, tally.lost), (3, 0, 0));

    let (headers, body) = receiver.first();
    let payload: Value = serde_json::from_slice(&body).expect("JSON");
    let schema: Value = serde_json::from_str(
        &std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/notification.json"))
            .expect("read"),
    )
    .expect("JSON");
    let valid = jsonschema::draft202012::new(&schema).expect("a schema");
    valid.validate(&payload).unwrap_or_else(|error| panic!("{error} in {payload:#}"));
    assert_eq!((&payload["formatVersion"], &payload["notification"]), (&1.into(), &"siem".into()));
    assert_eq!(payload["events"][0]["event"], "drift");
    assert_eq!(headers[webhook::ID], payload["id"].as_str().expect("an id"));
    let signature = headers[webhook::SIGNATURE].to_str().expect("text").to_owned();
    let (at, hex) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("two parts");
    assert_eq!(hex, hmac(b"hunter2hunter2", &[at.as_bytes(), b".", &body].concat()));

    for line in log.lines() {
        let line = line.to_string();
        assert!(!line.contains("verysecret") && !line.contains("hunter2"), "{line}");
    }
    let lines = log.lines();
    let failed = of(&lines, "not told: it is kept, and tried again");
    let reasons: Vec<&str> = failed.iter().filter_map(|line| line["why"].as_str()).collect();
    assert_eq!(
        reasons,
        [
            "it answers 500: not now",
            "it answers 429: not now",
            "it answers 302, a redirect, and those are not followed"
        ]
    );
}

/// HMAC (RFC 2104), written out: what the program signs is checked by something else.
fn hmac(key: &[u8], text: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let padded = |with: u8| -> Vec<u8> {
        let mut block = [0_u8; 64];
        block[..key.len()].copy_from_slice(key);
        block.iter().map(|byte| byte ^ with).collect()
    };
    let inner = Sha256::digest([padded(0x36), text.to_vec()].concat());
    let outer = Sha256::digest([padded(0x5c), inner.to_vec()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn slack_gets_text_and_a_secret_that_is_missing_is_told_in_the_log_only() {
    let receiver = Receiver::default();
    let address = receiver.listen().await;
    let list = "  - {name: team, kind: slack, urlFrom: {env: BASELINE_TEAM_URL}}\n  - {name: gone, kind: slack, urlFrom: \
                {env: BASELINE_GONE_URL}}\n";
    let shell = telling(2, list);
    let secrets =
        BTreeMap::from([("BASELINE_TEAM_URL", format!("http://{address}/services/T0/B0/verysecret"))]);
    let (log, _guard) = listening();
    let settings = at_once(&shell, secrets);
    running(&settings, async |_| until("it is told", || !receiver.bodies().is_empty()).await).await;
    let body = receiver.bodies().remove(0);
    assert_eq!(body["mrkdwn"], false);
    let text = body["text"].as_str().expect("text");
    assert!(text.contains("[drift] account-01: guardduty.detector in eu-west-1"), "{text}");
    let lines = log.lines();
    let failed = of(&lines, "not told: it is kept, and tried again");
    assert_eq!(failed[0]["notification"], "gone");
    assert_eq!(failed[0]["why"], "the environment variable BASELINE_GONE_URL is not set");
    assert_eq!(settings.notifier.tallies()["gone"].waiting, 1);
}

#[test]
fn one_message_can_be_sent_to_try_it() {
    let shell = with_topic(2, "");
    shell.edit(
        "organization.yaml",
        "  roles:",
        "  - {name: team, kind: slack, urlFrom: {file: /nonexistent/url}}\n  roles:",
    );
    let f = shell.dir().display().to_string();
    let ran = shell.run(&format!("notifications test --name ops -f {f}")).exits(0).fits();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "ops (sns): told\n"));
    let told = published(&shell);
    assert_eq!(told[0].subject.as_deref(), Some("baseline many: a test, nothing has happened"));
    assert!(
        told[0].message.contains("[contested] sample-account: sample.control in us-east-1"),
        "{}",
        told[0].message
    );
    shell
        .run(&format!("notifications test -f {f}"))
        .exits(1)
        .says("team (slack): not told: the file /nonexistent/url cannot be read: entity not found");
    shell.run(&format!("notifications test --name opps -f {f}")).exits(64).says("did you mean `ops`?");
    let nobody = Shell::many(2);
    let f = nobody.dir().display().to_string();
    nobody.run(&format!("notifications test -f {f}")).exits(1).says("declares no notifications");
    let help = shell.run("notifications test --help").exits(0).fits();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("notifications_test_help", help.out);
    });
}
