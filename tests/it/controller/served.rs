//! What a running controller serves: probes, figures, pages; and to whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use baseline::controller::{Clock, Order, Pulse, Settings};
use baseline::sandbox::cloudtrail::Told;
use baseline::sandbox::{Front, Principal, Trouble, Weather};
use baseline::serve::{Served, Token, app};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::stage::{HOUR, MINUTE, conditions, id, is_on, pass, running, settings, switch};
use crate::cli::shell::{Shell, organization};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// An answer.
struct Said {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Said {
    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.text.contains(text), "`{text}` is not in\n{}", self.text);
        self
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }
}

async fn ask(app: &Router, request: Request<Body>) -> Said {
    let answer = app.clone().oneshot(request).await.expect("it never fails");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = to_bytes(answer.into_body(), 1 << 26).await.expect("a body");
    Said { status, headers, text: String::from_utf8(bytes.to_vec()).expect("UTF-8") }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost:8080");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).expect("a request")
}

async fn get(app: &Router, path: &str) -> Said {
    ask(app, request(Method::GET, path, &[], "")).await
}

fn served(settings: &Settings) -> Router {
    app(Arc::new(Served::new(Arc::clone(&settings.pulse), None)))
}

fn guarded() -> Router {
    let pulse = Arc::new(Pulse::new(Clock::System));
    app(Arc::new(Served::new(pulse, Some(Token::new(TOKEN).expect("a token")))))
}

/// jo switches GuardDuty off, and CloudTrail tells so.
fn switched_off_by_jo(shell: &Shell, account: &str) {
    switch(&shell.world, account, false);
    shell.world.tell(Told {
        account: account.into(),
        region: "eu-west-1".into(),
        call: "guardduty:UpdateDetector".into(),
        principal: Principal::User("jo".into()),
        address: "192.0.2.66".into(),
        parameters: json!({"enable": false}),
        error: None,
    });
}

#[tokio::test(start_paused = true)]
async fn probes_say_whether_it_lives_and_whether_it_is_ready() {
    let shell = Shell::many(3);
    let settings = settings(&shell, true);
    let app = served(&settings);
    get(&app, "/healthz").await.is(200);
    get(&app, "/readyz").await.is(503).says("no desired state has been loaded yet");
    running(&settings, async |orders| {
        pass(10 * MINUTE).await;
        get(&app, "/healthz").await.is(200).says("ok");
        get(&app, "/readyz").await.is(200).says("ok");
        shell.world.set_weather(Weather::fair().with(Front::new(Trouble::Cut).on("sts:GetCallerIdentity")));
        get(&app, "/readyz").await.is(200);
        pass(MINUTE).await;
        let said = get(&app, "/readyz").await.is(503).says("the credentials do not work");
        assert!(!said.text.contains("9998"), "a probe needs no token and says nothing of accounts");
        shell.world.set_weather(Weather::fair());
        pass(MINUTE).await;
        get(&app, "/readyz").await.is(200);
        orders.send(Order::Stop).await.expect("it runs");
        pass(MINUTE).await;
        get(&app, "/readyz").await.is(503).says("stopping");
        get(&app, "/healthz").await.is(200);
    })
    .await;
    pass(3 * HOUR).await;
    get(&app, "/healthz").await.is(503).says("the loop has not gone round since");
}

#[tokio::test(start_paused = true)]
async fn figures_count_turns_and_settings_and_name_no_account() {
    let shell = Shell::many(3);
    let settings = settings(&shell, true);
    let app = served(&settings);
    running(&settings, async |_| {
        pass(10 * MINUTE).await;
        switch(&shell.world, &id(0), false);
        pass(HOUR + MINUTE).await;
        let said = get(&app, "/metrics").await.is(200);
        assert!(said.header("content-type").starts_with("application/openmetrics-text"));
        for line in [
            "baseline_changes_total{result=\"held\"} 3",
            "baseline_drift_total 1",
            "baseline_accounts{synced=\"true\"} 2",
            "baseline_accounts{synced=\"unknown\"} 0",
            "baseline_account_conditions{type=\"Contested\"} 0",
            "baseline_settings{outcome=\"in_sync\"} 2",
            "baseline_accounts_overdue 0",
            "baseline_enforces 1",
            "baseline_desired_state_is_newest 1",
            "controller_runtime_reconcile_total{result=\"error\",controller=\"account\"} 0",
            "workqueue_depth{name=\"account\"} 0",
        ] {
            let has = said.text.lines().any(|one| sorted(one) == sorted(line) || one.starts_with(line));
            assert!(has, "{line} is not in\n{}", said.text);
        }
        assert!(said.text.ends_with("# EOF\n"));
        for name in [id(0), id(1), "account-01".to_owned(), "detector".to_owned()] {
            assert!(!said.text.contains(&name), "{name}");
        }
        shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
        pass(5 * MINUTE).await;
        get(&app, "/metrics").await.is(200).says("baseline_desired_state_is_newest 0");
    })
    .await;
}

/// Labels in one order.
fn sorted(line: &str) -> (String, BTreeSet<String>, String) {
    let (name, rest) = line.split_once('{').unwrap_or((line, "}"));
    let (labels, value) = rest.split_once('}').unwrap_or((rest, ""));
    (name.to_owned(), labels.split(',').map(str::to_owned).collect(), value.to_owned())
}

/// The names in a PromQL expression that are figures: whatever else stands there is a word of PromQL, or a label.
fn names(promql: &str) -> BTreeSet<String> {
    promql
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| {
            ["baseline_", "controller_runtime_", "workqueue_", "process_"]
                .iter()
                .any(|start| word.starts_with(start))
        })
        .map(str::to_owned)
        .collect()
}

/// Every text under these keys, however deep.
fn texts<'v>(value: &'v Value, keys: &[&str], found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if keys.contains(&key.as_str()) => found.push(text),
                    other => texts(other, keys, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, keys, found)),
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_dashboard_and_the_alerts_ask_for_is_served() {
    let shell = Shell::many(2);
    let ops = "  notifications:\n  - {name: ops, kind: sns, topic: \"arn:aws:sns:eu-west-1:999988887777:gone\"}\n  roles:";
    shell.edit("organization.yaml", "  roles:", ops);
    let settings = settings(&shell, true);
    let app = served(&settings);
    let mut text = String::new();
    running(&settings, async |_| {
        pass(10 * MINUTE).await;
        text = get(&app, "/metrics").await.is(200).text;
    })
    .await;
    let is_served = |name: &str| {
        text.lines().any(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']) && !line.starts_with('#'))
        })
    };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/monitoring");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).expect("read");
    let dashboard: Value = serde_json::from_str(&read("grafana-dashboard.json")).expect("JSON");
    let mut expressions = Vec::new();
    texts(&dashboard, &["expr"], &mut expressions);
    let alerts = read("prometheus-rules.yaml");
    let rules: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(expressions.len() >= 8 && rules.len() >= 8, "{expressions:?} {rules:?}");
    for expression in expressions.iter().chain(&rules) {
        let names = names(expression);
        assert!(!names.is_empty(), "{expression} asks for nothing of ours");
        for name in names {
            assert!(is_served(&name), "{name}, of `{expression}`, is not in\n{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_shows_all_accounts_and_one_account_has_a_page_of_its_own() {
    let shell = Shell::many(4);
    shell.edit(
        "accounts/account-02.yaml",
        "  id:",
        "  controls:\n    iam.root-user: {accessKeys: none}\n  id:",
    );
    shell.world.account(&id(1), |account| account.iam.root.access_keys = true);
    let settings = settings(&shell, true);
    let app = served(&settings);
    get(&app, "/").await.is(503).says("has not loaded a desired state yet");
    running(&settings, async |_| {
        pass(10 * MINUTE).await;
        let page = get(&app, "/").await.is(200);
        assert!(page.text.starts_with("<!doctype html>\n<html lang=\"en\">"));
        for text in
            ["accounts/100000000001#iam.root-user", "by hand", "puts right what differs", "account-03"]
        {
            assert!(page.text.contains(text), "{text} is not in\n{}", page.text);
        }
        let account = get(&app, &format!("/accounts/{}", id(1))).await.is(200);
        for text in ["Drifted: ManualTask", "<li>", "By hand", "last looked at", "guardduty.detector"] {
            assert!(
                account.text.to_lowercase().contains(&text.to_lowercase()),
                "{text} is not in\n{}",
                account.text
            );
        }
        get(&app, "/accounts/555555555555").await.is(404).says("no account of this id");
        get(&app, "/accounts/..%2f..%2forganization").await.is(404);
        get(&app, "/nowhere").await.is(404);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_drift_is_told_with_who_did_it_when_and_what_became_of_it() {
    let shell = Shell::many(3);
    let settings = settings(&shell, true);
    let app = served(&settings);
    running(&settings, async |_| {
        pass(10 * MINUTE).await;
        assert!(conditions(&shell, &id(0)).drift.is_empty(), "what was made for the first time is none");
        switched_off_by_jo(&shell, &id(0));
        pass(HOUR + MINUTE).await;
        assert!(is_on(&shell.world, &id(0)));
        // Seen within minutes, it is not in CloudTrail's history yet, and is asked for once more at the next turn.
        pass(HOUR).await;
        let kept = conditions(&shell, &id(0));
        assert_eq!(kept.drift.len(), 1, "{:#?}", kept.drift);
        for path in ["/".to_owned(), format!("/accounts/{}", id(0))] {
            let page = get(&app, &path).await.is(200);
            for text in [
                "<code>true</code> → <code>false</code>",
                "user/jo from 192.0.2.66",
                "guardduty:UpdateDetector",
                "put right at",
            ] {
                assert!(page.text.contains(text), "{text} is not in\n{}", page.text);
            }
        }
        pass(HOUR).await;
        assert_eq!(conditions(&shell, &id(0)).drift.len(), 1, "it is told once");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_it_only_observes_a_drift_is_open_until_somebody_puts_it_right() {
    let shell = Shell::many(2);
    running(&settings(&shell, true), async |_| pass(10 * MINUTE).await).await;
    let settings = settings(&shell, false);
    let app = served(&settings);
    running(&settings, async |_| {
        pass(HOUR + MINUTE).await;
        switched_off_by_jo(&shell, &id(0));
        pass(2 * HOUR + MINUTE).await;
        get(&app, "/").await.is(200).says("it is still so").says("observes only").says("user/jo");
        pass(3 * HOUR).await;
        assert_eq!(conditions(&shell, &id(0)).drift.len(), 1, "it is told once");
        switch(&shell.world, &id(0), true);
        pass(HOUR + MINUTE).await;
        get(&app, "/").await.is(200).says("found as desired at").says("was not put right by us");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_the_same_is_not_sent_again() {
    let shell = Shell::many(3);
    let settings = settings(&shell, true);
    let app = served(&settings);
    running(&settings, async |_| {
        pass(10 * MINUTE).await;
        for path in ["/".to_owned(), format!("/accounts/{}", id(0))] {
            let first = get(&app, &path).await.is(200);
            let tag = first.header("etag").to_owned();
            let again = ask(&app, request(Method::GET, &path, &[("if-none-match", &tag)], "")).await.is(304);
            assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.as_str()));
            let head = ask(&app, request(Method::HEAD, &path, &[], "")).await.is(200);
            assert_eq!(head.text, "");
        }
        let tag = get(&app, "/").await.header("etag").to_owned();
        pass(2 * MINUTE).await;
        ask(&app, request(Method::GET, "/", &[("if-none-match", &tag)], "")).await.is(304);
        switched_off_by_jo(&shell, &id(0));
        pass(HOUR).await;
        ask(&app, request(Method::GET, "/", &[("if-none-match", &tag)], "")).await.is(200);
    })
    .await;
}

/// Both keep their records in one bucket, and only one has had turns of the accounts lately.
#[tokio::test(start_paused = true)]
async fn another_replica_shows_what_this_one_has_seen() {
    let shell = Shell::many(4);
    shell.write("organization.yaml", organization("", "  audit: s3://acme-audit/x\n"));
    shell.world.put_bucket(
        "acme-audit",
        baseline::sandbox::s3::Bucket::new(baseline::sandbox::sample::MANAGEMENT, "eu-west-1"),
    );
    let one = settings(&shell, true);
    let other = Settings { interval: 7 * 24 * HOUR, ..settings(&shell, true) };
    let app = served(&other);
    running(&one, async |_| {
        pass(10 * MINUTE).await;
        running(&other, async |_| {
            pass(MINUTE).await;
            get(&app, "/").await.is(200).says("3</b> in sync");
            switched_off_by_jo(&shell, &id(2));
            pass(2 * HOUR + MINUTE).await;
            get(&app, "/").await.is(200);
            pass(2 * MINUTE).await;
            get(&app, "/").await.is(200).says("user/jo");
            get(&app, &format!("/accounts/{}", id(2))).await.is(200).says("user/jo");
        })
        .await;
    })
    .await;
    let written =
        shell.world.bucket("acme-audit", |bucket| bucket.objects.contains_key("x/conditions/index.json"));
    assert_eq!(written, Some(true));
}

#[tokio::test(start_paused = true)]
async fn the_run_of_a_turn_is_the_session_that_cloudtrail_shows() {
    let shell = Shell::many(2);
    running(&settings(&shell, true), async |_| pass(30 * MINUTE).await).await;
    let runs = std::fs::read_dir(shell.dir().join(".audit/runs")).expect("listed");
    let runs: Vec<String> =
        runs.map(|run| run.expect("listed").file_name().into_string().expect("UTF-8")).collect();
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    let sdk = shell.world.sdk_config(&id(0), Principal::User("auditor".into()), "eu-west-1");
    let config =
        aws_sdk_cloudtrail::config::Builder::from(&sdk).interceptor(shell.world.interceptor()).build();
    let call = aws_sdk_cloudtrail::Client::from_conf(config).lookup_events().lookup_attributes(
        aws_sdk_cloudtrail::types::LookupAttribute::builder()
            .attribute_key(aws_sdk_cloudtrail::types::LookupAttributeKey::EventName)
            .attribute_value("CreateDetector")
            .build()
            .expect("whole"),
    );
    let events = call.send().await.expect("answered").events.unwrap_or_default();
    assert_eq!(events.len(), 1);
    let event: Value = serde_json::from_str(events[0].cloud_trail_event().expect("told")).expect("JSON");
    let arn = event["userIdentity"]["arn"].as_str().expect("a principal");
    assert_eq!(arn, format!("arn:aws:sts::{}:assumed-role/baseline-apply/{run}", id(0)));
}

#[tokio::test]
async fn it_can_only_be_read() {
    let app = served(&settings(&Shell::many(2), false));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE] {
        for path in ["/", "/metrics", "/healthz", "/accounts/100000000000", "/login"] {
            let said = ask(&app, request(method.clone(), path, &[], "x")).await.is(405);
            assert_eq!(said.header("allow"), "GET, HEAD");
        }
    }
    let long = format!("/accounts/{}", "1".repeat(2000));
    get(&app, &long).await.is(414);
    ask(&app, request(Method::GET, "/", &[("cookie", &"x".repeat(20_000))], "")).await.is(431);
}

#[tokio::test]
async fn on_the_loopback_interface_it_answers_to_names_of_this_machine_only() {
    let app = served(&settings(&Shell::many(2), false));
    for host in [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.7",
        "",
    ] {
        for path in ["/", "/metrics", "/accounts/100000000000"] {
            ask(&app, request(Method::GET, path, &[("host", host)], "")).await.is(421).says("loopback");
        }
        ask(&app, request(Method::GET, "/healthz", &[("host", host)], "")).await.is(200);
    }
    for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.8.8.8", "[::1]:8080"] {
        ask(&app, request(Method::GET, "/metrics", &[("host", host)], "")).await.is(200);
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_a_token_only_whoever_has_it_reads() {
    let app = guarded();
    let header = format!("Bearer {TOKEN}");
    let with = |name: &'static str, value: String| request(Method::GET, "/metrics", &[(name, &value)], "");
    get(&app, "/healthz").await.is(200);
    get(&app, "/metrics").await.is(401).says("Authorization: Bearer");
    ask(&app, with("authorization", header.clone())).await.is(200);
    ask(
        &app,
        request(Method::GET, "/metrics", &[("authorization", &header), ("host", "baseline.example")], ""),
    )
    .await
    .is(200);
    for wrong in ["Bearer ", "Bearer x", "Basic eDp5", TOKEN, &header[..header.len() - 1]] {
        let said = ask(&app, with("authorization", wrong.to_owned())).await.is(401);
        assert_eq!(said.header("www-authenticate"), "Bearer");
        assert!(!said.text.contains(TOKEN));
    }
    // A person is asked in a form, and gets a cookie that is not the token.
    let form = ask(&app, request(Method::GET, "/", &[("accept", "text/html")], "")).await.is(401);
    assert!(form.text.contains("<form method=\"post\" action=\"/login\">"), "{}", form.text);
    let wrong =
        ask(&app, request(Method::POST, "/login", &[], "token=wrong-wrong-wrong-wrong")).await.is(401);
    assert!(wrong.text.contains("That is not the token") && wrong.header("set-cookie").is_empty());
    let right = ask(
        &app,
        request(Method::POST, "/login", &[("x-forwarded-proto", "https")], &format!("token={TOKEN}")),
    )
    .await
    .is(303);
    let cookie = right.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Secure", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{part} is not in {cookie}");
    }
    assert!(!cookie.contains(TOKEN));
    let value = cookie.split(';').next().expect("a value").to_owned();
    ask(&app, with("cookie", format!("other=1; {value}"))).await.is(200);
    ask(&app, with("cookie", format!("{value}0"))).await.is(401);
    ask(&app, request(Method::POST, "/login", &[], &format!("token={}", "x".repeat(5000)))).await.is(413);
    ask(&app, request(Method::GET, "/login", &[], "")).await.is(303);
}

#[tokio::test]
async fn every_answer_carries_a_strict_policy() {
    for (app, path) in
        [(served(&settings(&Shell::many(2), false)), "/"), (guarded(), "/"), (guarded(), "/healthz")]
    {
        let said = get(&app, path).await;
        let policy = said.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        for part in [
            "script-src 'sha256-",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{part} is not in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(said.header(name), value, "{path}");
        }
        assert_eq!(said.header("cache-control"), "no-store");
    }
}
