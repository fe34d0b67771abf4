//! What `run --listen` needs before it begins, and what a process serves.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a real process is started, waited for and told through its environment"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::shell::{Shell, steadily};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ACCOUNT: &str = "111122223333";

#[test]
fn an_address_that_others_reach_needs_a_token() {
    let shell = Shell::many(2);
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let refused = shell.run(&format!("run --listen {listen}")).exits(64).says("there is no token");
        assert_eq!(refused.out, "", "{listen}");
    }
    let refused = shell.run("run --listen 0.0.0.0:8080").exits(64);
    steadily(|| insta::assert_snapshot!("run_listen_without_a_token", refused.err));
    shell.run("run --listen example.org:80").exits(64).says("write a port");
}

#[test]
fn a_port_that_somebody_has_is_told() {
    let shell = Shell::many(2);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let said = shell.run(&format!("run --listen {address}")).exits(1);
    let said = said.says(&format!("error: cannot listen at {address}")).says("Address already in use");
    assert_eq!(said.out, "");
    assert!(shell.world.calls().is_empty(), "nothing is looked at where nobody could see it");
}

#[test]
fn a_file_that_holds_no_token_is_told_without_what_it_holds() {
    let shell = Shell::many(2);
    let file = shell.path("token");
    let run = || shell.run(&format!("run --listen 0.0.0.0:0 --token-file {}", file.display())).exits(1);
    run().says("cannot read the token file");
    for (text, why) in
        [("hunter2", "too short"), ("two words of a token, no", "not one word"), ("", "too short")]
    {
        std::fs::write(&file, text).expect("written");
        let said = run().says(why);
        assert!(text.is_empty() || !said.said().contains(text), "{}", said.said());
    }
}

/// AWS as far as a caller's own identity: anything else is refused as by a service that is down.
pub fn endpoint() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || answer(&mut stream));
        }
    });
    address
}

/// One request, and the end of the connection.
fn answer(stream: &mut TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let is_identity = String::from_utf8_lossy(&body).contains("Action=GetCallerIdentity");
    let (status, text) = if is_identity {
        (
            "200 OK",
            format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{ACCOUNT}:user/jo</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
            ),
        )
    } else {
        ("503 Service Unavailable", String::new())
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    // A caller that has gone needs no answer.
    let _gone = stream.write_all(format!("{head}{text}").as_bytes()).is_err();
}

/// A controller as a process.
pub struct Controller {
    child: Child,
    log: Receiver<Value>,
    said: Vec<Value>,
    address: String,
}

impl Controller {
    pub fn start(folder: &Path, more: &[&str]) -> Self {
        Self::start_with(folder, more, &[])
    }

    /// The same with more of an environment.
    pub fn start_with(folder: &Path, more: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_baseline"))
            .args(["run", "--log-format=json", "--listen=127.0.0.1:0", "-f"])
            .arg(folder)
            .args(more)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("AWS_ENDPOINT_URL", format!("http://{}", endpoint()))
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (told, log) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        let mut controller = Self { child, log, said: Vec::new(), address: String::new() };
        let serving = controller.says("serving");
        controller.address = serving["address"].as_str().expect("an address").to_owned();
        controller
    }

    /// Waits for a line of the log.
    pub fn says(&mut self, message: &str) -> Value {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(60));
            let line = line.unwrap_or_else(|error| panic!("`{message}`: {error}: {:#?}", self.said));
            self.said.push(line.clone());
            if line["message"] == message {
                return line;
            }
        }
    }

    /// Status and text.
    fn get(&self, path: &str, headers: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n", self.address);
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer)
    }

    /// Waits until it answers so.
    fn until(&self, path: &str, status: u16) -> String {
        let start = Instant::now();
        loop {
            let (said, text) = self.get(path, "");
            if said == status {
                return text;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{path} answers {said}: {text}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn signal(&self, name: &str) {
        let done =
            Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(done.success());
    }

    pub fn ends(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().expect("ended").code()
    }
}

/// The folder of a test that failed goes, and so does its process.
impl Drop for Controller {
    fn drop(&mut self) {
        let _ended = self.child.kill().is_err();
        let _gone = self.child.wait().is_err();
    }
}

/// One account, whose GuardDuty is down.
pub fn one_account() -> (Shell, PathBuf) {
    let shell = Shell::new(baseline::sandbox::World::default());
    shell.write("organization.yaml", "apiVersion: baseline/v1\nkind: Organization\nmetadata: {name: one}\nspec:\n  regions: {home: eu-west-1, managed: [eu-west-1]}\n");
    shell.write("account.yaml", format!("apiVersion: baseline/v1\nkind: Account\nmetadata: {{name: one}}\nspec:\n  id: \"{ACCOUNT}\"\n  controls:\n    guardduty.detector: {{enabled: true}}\n"));
    let folder = shell.dir();
    (shell, folder)
}

#[test]
fn a_process_serves_probes_metrics_and_the_page_to_this_machine() {
    let (_shell, folder) = one_account();
    let mut controller = Controller::start(&folder, &[]);
    controller.until("/healthz", 200);
    controller.until("/readyz", 200);
    let turn = controller.says("reconciled");
    assert_eq!((&turn["account"], &turn["unknown"]), (&ACCOUNT.into(), &1.into()), "{turn}");
    let (status, metrics) = controller.get("/metrics", "");
    assert_eq!(status, 200, "{metrics}");
    for line in ["controller_runtime_reconcile_total{", "baseline_accounts{synced=\"unknown\"} 1", "# EOF"] {
        assert!(metrics.contains(line), "`{line}` is not in\n{metrics}");
    }
    let (status, page) = controller.get("/", "");
    assert!(status == 200 && page.contains(ACCOUNT), "{page}");
    let rebound = controller.get("/metrics", "x-forwarded-for: 192.0.2.1\r\n");
    assert_eq!(rebound.0, 200);
    assert!(!controller.said.iter().any(|line| line.to_string().contains("may read the token")));
    assert_eq!(controller.ends(), Some(0));
}

#[test]
fn a_process_with_a_token_serves_probes_only_to_who_has_none() {
    let (shell, folder) = one_account();
    let token = shell.path("token");
    std::fs::write(&token, format!("{TOKEN}\n")).expect("written");
    let file = token.display().to_string();
    for (mode, told) in [(0o644, true), (0o640, false)] {
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(mode)).expect("set");
        let controller = Controller::start(&folder, &["--token-file", &file]);
        let warned = |line: &&Value| line["level"] == "WARN" && line["file"] == *file;
        assert_eq!(controller.said.iter().find(warned).is_some(), told, "{mode:o}: {:#?}", controller.said);
        assert!(!controller.said.iter().any(|line| line.to_string().contains(TOKEN)));
        controller.until("/readyz", 200);
        assert_eq!(controller.get("/metrics", "").0, 401);
        assert_eq!(controller.get("/", "authorization: Bearer 0123456789abcdefx\r\n").0, 401);
        let (status, metrics) = controller.get("/metrics", &format!("authorization: Bearer {TOKEN}\r\n"));
        assert_eq!(status, 200, "{metrics}");
        assert_eq!(controller.ends(), Some(0));
    }
}
