//! The command as a process: what it says when it starts, and what signals do.

#![expect(
    clippy::disallowed_methods,
    reason = "a real process is started, waited for and told through its environment"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use baseline::sandbox::{Front, Trouble, Weather};

use crate::cli::shell::{Shell, steadily};

/// Where the child works, and what it says when it has ended.
const FOLDER: &str = "BASELINE_TEST_RUN";

fn child(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "controller::process::a_run_for_another_process_to_end", "--ignored"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("started")
}

fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(done.success());
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_first_signal_ends_it_with_0_once_what_is_in_hand_is_finished() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = child(folder.path());
    wait_for(&folder.path().join("runs"));
    signal(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(100));
    assert!(child.try_wait().expect("asked").is_none(), "a hang-up does not end it");
    signal(&child, "-TERM");
    assert!(child.wait().expect("ended").success());
    let said = std::fs::read_to_string(folder.path().join("said")).expect("said");
    assert!(said.ends_with("--- exit 0\n"), "{said}");
    for run in std::fs::read_dir(folder.path().join("runs")).expect("listed") {
        let run = run.expect("listed").path();
        assert!(run.join("outcome.json").exists(), "{} has no outcome", run.display());
    }
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("slow"), "").expect("written");
    let mut child = child(folder.path());
    wait_for(&folder.path().join("runs"));
    signal(&child, "-TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().expect("asked").is_none(), "the step in hand takes seconds");
    let second = Instant::now();
    signal(&child, "-INT");
    let status = child.wait().expect("ended");
    assert_eq!(status.code(), Some(130));
    assert!(second.elapsed() < Duration::from_secs(5));
}

#[test]
#[ignore = "runs as a process of the tests above"]
fn a_run_for_another_process_to_end() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let shell = Shell::many(30);
    shell.edit("organization.yaml", "  roles:", &format!("  audit: {}\n  roles:", folder.display()));
    // The clock is paused, so that only work takes time: so much of it that the signals come before its end.
    let pause = Duration::from_millis(if folder.join("slow").exists() { 200 } else { 5 });
    let working = Front::new(Trouble::Cut).at(move |_| {
        std::thread::sleep(pause);
        false
    });
    shell.world.set_weather(Weather::fair().with(working));
    let ran = shell.run("run --enforce --interval 1m");
    std::fs::write(folder.join("said"), ran.said()).expect("written");
}

#[test]
fn help_says_what_it_does_and_does_not() {
    let shell = Shell::many(2);
    let help = shell.run("run --help").exits(0).fits();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("run_help", help.out);
    });
}

#[test]
fn what_it_cannot_begin_with_is_told_as_by_every_command() {
    let shell = Shell::many(2);
    shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
    let said = shell.run("run").exits(1).says("unknown field `enabld`").fits();
    steadily(|| insta::assert_snapshot!("run_with_wrong_documents", said.said()));
    shell.run("run --interval 5s").exits(64).says("from a minute to 7 days");
    shell.run("run --source https://acme.example").exits(64).says("git+https://");
    let words = ["run", "--source", "git+https://jo:hunter2@git.acme.example/aws.git"].map(String::from);
    let secret = shell.typed("", words.into()).exits(64);
    secret.says("a password does not belong into a URL").does_not_say("hunter2");
    shell.run("run --accounts-at-once 0").exits(64);
}
