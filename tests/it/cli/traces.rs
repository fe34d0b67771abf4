//! Traces as a collector gets them (feature `otlp`). `.ci/run otlp` runs these.

#![expect(
    clippy::disallowed_methods,
    reason = "a real process is started, waited for and told through its environment"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::serving::{Controller, one_account};

/// What was posted: the path and the type, and protobuf, in which texts stand as they are.
type Posted = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Takes what is posted; answers with this status, or never.
fn collector(status: Option<u16>) -> (String, Posted) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let posted = Posted::default();
    let kept = Arc::clone(&posted);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, kept) = (stream.expect("a connection"), Arc::clone(&kept));
            std::thread::spawn(move || {
                let Some(request) = request(&stream) else { return };
                kept.lock().expect("no poison").push(request);
                match status {
                    Some(status) => {
                        let answer =
                            format!("HTTP/1.1 {status} so\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                        // Who has gone needs no answer.
                        let _gone = stream.write_all(answer.as_bytes()).is_err();
                    }
                    None => std::thread::sleep(Duration::from_secs(60)),
                }
            });
        }
    });
    (address, posted)
}

fn request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if lower.starts_with("post ") || lower.starts_with("content-type:") {
            head.push_str(&lower);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// The whole story in memory, by a process that is told of a collector.
fn demo(endpoint: &str) -> Output {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_baseline"));
    let demo = demo.arg("demo").env_clear().stdin(Stdio::null());
    demo.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).output().expect("started")
}

fn has(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_plan_and_an_apply_are_spans_with_ids_and_nothing_else() {
    let (endpoint, posted) = collector(Some(200));
    let ran = demo(&endpoint);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let posted = posted.lock().expect("no poison");
    assert!(!posted.is_empty(), "nothing was sent: {said}");
    let body: Vec<u8> = posted.iter().flat_map(|(_, body)| body.clone()).collect();
    for (head, _) in posted.iter() {
        assert!(head.starts_with("post /v1/traces ") && head.contains("application/x-protobuf"), "{head}");
    }
    let account = baseline::sandbox::sample::PROD_PAYMENTS;
    for text in ["service.name", "baseline", "demo", "observe", "look", "change", "cloud.account.id", account]
    {
        assert!(has(&body, text), "`{text}` is not in what was sent");
    }
    assert!(has(&body, "guardduty.detector") && has(&body, "cloud.region") && has(&body, "eu-west-1"));
    for text in ["prod-payments", "arn:aws", "AKIA", "ASIA", "external", "baseline-apply"] {
        assert!(!has(&body, text), "`{text}` is in what was sent");
    }
}

#[test]
fn a_turn_of_a_controller_is_a_trace() {
    let (endpoint, posted) = collector(Some(200));
    let (_shell, folder) = one_account();
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_SERVICE_NAME", "keeper")];
    let mut controller = Controller::start_with(&folder, &[], &environment);
    let turn = controller.says("reconciled");
    assert!(turn.get("span").is_none() && turn.get("spans").is_none(), "the log is as it was: {turn}");
    assert_eq!(controller.ends(), Some(0));
    let body: Vec<u8> = posted.lock().expect("no poison").iter().flat_map(|(_, body)| body.clone()).collect();
    let run = turn["run"].as_str().expect("a run");
    for text in ["turn", "observe", "look", "baseline.run", run, "keeper", "111122223333"] {
        assert!(has(&body, text), "`{text}` is not in what was sent");
    }
}

/// A plan of one account whose GuardDuty is down, by a process that may be told of a collector.
fn plan(folder: &Path, endpoint: Option<&str>) -> (Output, Duration) {
    let start = Instant::now();
    let mut plan = Command::new(env!("CARGO_BIN_EXE_baseline"));
    plan.args(["plan", "-f"])
        .arg(folder)
        .env_clear()
        .env("HOME", folder)
        .env("AWS_ENDPOINT_URL", format!("http://{}", super::serving::endpoint()))
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    if let Some(endpoint) = endpoint {
        plan.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    }
    (plan.output().expect("started"), start.elapsed())
}

/// Nothing of what the program says or does is another, and it is not held up.
#[test]
fn a_collector_that_fails_is_told_of_once_and_stops_nothing() {
    let (_shell, folder) = one_account();
    let (alone, takes) = plan(&folder, None);
    assert_eq!(alone.status.code(), Some(4), "{}", String::from_utf8_lossy(&alone.stderr));
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let (refusing, hanging) = (collector(Some(401)).0, collector(None).0);
    for (endpoint, why) in [
        (format!("http://{nobody}"), "no connection"),
        (refusing, "the collector answers 401"),
        (hanging, "it does not answer in time"),
        ("not an address".to_owned(), "cannot be used"),
    ] {
        let (ran, took) = plan(&folder, Some(&endpoint));
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(4), "{said}");
        // What is told of took longer or shorter.
        let lines = |out: &[u8]| String::from_utf8_lossy(out).lines().count();
        assert_eq!(lines(&ran.stdout), lines(&alone.stdout), "{endpoint}");
        assert_eq!(lines(&ran.stderr), lines(&alone.stderr) + 1, "{said}");
        assert!(said.contains(why), "`{why}` is not in {said}");
        assert!(took < takes * 3 + Duration::from_secs(8), "{endpoint}: {took:?}, without it {takes:?}");
    }
}
