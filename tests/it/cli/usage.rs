//! Help, versions and wrong usage.

use baseline::sandbox::World;

use super::shell::{Shell, steadily};

const COMMANDS: [&str; 11] = [
    "init", "validate", "render", "observe", "plan", "apply", "drift", "doctor", "explain", "generate",
    "demo",
];

#[test]
fn help_fits_80_columns_and_tells_the_exit_codes() {
    let shell = Shell::new(World::default());
    let help = shell.run("--help").exits(0).fits();
    steadily(|| insta::assert_snapshot!("help", help.out));
    for code in ["0", "1", "2", "3", "4", "5", "64", "130"] {
        assert!(help.out.contains(&format!(" {code:>3}  ")), "{code} is not in\n{}", help.out);
    }
    for command in COMMANDS {
        let help = shell.run(&format!("{command} --help")).exits(0).fits();
        steadily(|| insta::assert_snapshot!(format!("help_{command}"), help.out));
        shell.run(&format!("{command} -h")).exits(0).fits();
    }
}

#[test]
fn every_command_tells_its_exit_codes() {
    let shell = Shell::new(World::default());
    for command in COMMANDS {
        shell.run(&format!("{command} --help")).exits(0).says("Exit codes:");
    }
}

#[test]
fn the_version_is_the_package_s() {
    let shell = Shell::new(World::default());
    let version = format!("baseline {}\n", env!("CARGO_PKG_VERSION"));
    for flag in ["--version", "-V"] {
        assert_eq!(shell.run(flag).exits(0).out, version);
    }
}

#[test]
fn wrong_usage_is_64_and_asks_nothing_of_aws() {
    let shell = Shell::acme();
    for wrong in [
        "",
        "paln",
        "plan --nothing",
        "plan --format xml",
        "plan --show everything",
        "plan extra",
        "render",
        "observe",
        "drift extra",
        "drift --format sarif",
        "drift --since yesterday",
        "apply --allow everything",
        "apply --allow weakening",
        "apply --allow shrink:now",
        "apply --auto-approve=yes",
        "init --account-id 1234",
        "generate",
        "generate poem",
        "generate schema poem",
        "generate permissions --control nothing.here",
        "explain nothing.here",
        "--color sometimes plan",
    ] {
        let ran = shell.run(wrong).exits(64);
        assert_eq!(ran.out, "", "{wrong}");
        assert!(ran.err.contains("error:") || ran.err.contains("Usage:"), "{wrong}: {}", ran.err);
    }
    assert!(shell.world.calls().is_empty());
}

#[test]
fn what_cannot_be_utf_8_is_wrong_usage_and_no_panic() {
    use std::os::unix::ffi::OsStringExt as _;
    let mut io = baseline::cli::Io::of_streams(std::io::sink(), std::io::sink(), "");
    let words =
        [b"baseline".to_vec(), b"render".to_vec(), vec![0xff, 0xfe]].map(std::ffi::OsString::from_vec);
    let exit = baseline::cli::run(words, &mut io, baseline::cli::Reach::Sandbox(World::default()));
    assert_eq!(exit.code(), 64);
}
