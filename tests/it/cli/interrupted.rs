//! The first Ctrl-C finishes the step in hand and leaves the rest: as a process, because a signal reaches all
//! of one.

#![expect(
    clippy::disallowed_methods,
    reason = "a real process is started, waited for and told through its environment"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use baseline::sandbox::Weather;

use super::shell::Shell;

/// Where the child says what came of it.
const REPORT: &str = "BASELINE_TEST_INTERRUPTED";

#[test]
fn an_interrupted_apply_finishes_its_step_keeps_its_outcome_and_exits_130() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report");
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "cli::interrupted::an_apply_for_another_process_to_interrupt", "--ignored"])
        .env(REPORT, &report)
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    let started = wait_for(&report.with_extension("started"));
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    let status = child.wait().expect("ended");
    assert!(started && signalled.success() && status.success(), "{status}");
    let said = std::fs::read_to_string(report).expect("reported");
    assert!(said.ends_with("--- exit 130\n"), "{said}");
    assert!(said.contains("interrupted; plan again to see what is left"), "{said}");
    assert!(said.contains("outcome kept"), "{said}");
}

fn wait_for(path: &Path) -> bool {
    let start = Instant::now();
    while !path.exists() {
        if start.elapsed() > Duration::from_secs(60) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

#[test]
#[ignore = "runs as a process of the test above"]
fn an_apply_for_another_process_to_interrupt() {
    let Some(report) = std::env::var_os(REPORT).map(PathBuf::from) else { return };
    // The clock is paused, so that only work takes time: enough of it that the signal comes before its end.
    let shell = Shell::many(30);
    shell.edit("organization.yaml", "  roles:", "  guards: {accountsAtOnce: 30}\n  roles:");
    shell.world.set_weather(Weather::fair().latency(Duration::from_millis(250)));
    let audit = shell.dir().join(".audit/runs");
    let started = report.with_extension("started");
    let watching = std::thread::spawn(move || {
        if wait_for(&audit) {
            std::fs::write(started, "").expect("written");
        }
    });
    let ran = shell.run("apply --auto-approve");
    watching.join().expect("seen");
    let run =
        std::fs::read_dir(shell.dir().join(".audit/runs")).expect("listed").flatten().next().expect("a run");
    let kept = if run.path().join("outcome.json").exists() { "outcome kept\n" } else { "no outcome\n" };
    std::fs::write(report, format!("{kept}{}", ran.said())).expect("written");
}
