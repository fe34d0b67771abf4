//! Names that were chosen to steer a terminal.

use baseline::sandbox::ecr::Repository;
use baseline::sandbox::sample::PROD_PAYMENTS;

use super::shell::{Ran, Shell};

const STEERING: [&str; 8] =
    ["\u{1b}", "\u{202e}", "\u{2066}", "\u{200b}", "\u{7}", "\r", "\u{9b}", "\u{2028}"];

#[track_caller]
fn harmless(ran: Ran) -> Ran {
    let said = ran.said();
    for steering in STEERING {
        assert!(!said.contains(steering), "{steering:?} is in {said:?}");
    }
    ran
}

#[test]
fn names_from_aws_do_not_steer_the_terminal() {
    let shell = Shell::acme();
    // ECR takes no such names: what is tried is that nothing depends on that.
    shell.world.stop_recording();
    let now = shell.world.now();
    let long = format!("team/{}", "very-long-".repeat(25));
    shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        for name in [
            "\u{1b}[2J\u{1b}[H",
            "evil\u{202e}txt",
            "line\r\nbreak",
            "zero\u{200b}width",
            "tab\tand\u{7}",
            &long,
        ] {
            region.ecr.repositories.insert(name.to_owned(), Repository::with_defaults(now));
        }
    });
    harmless(shell.run("plan")).exits(0).fits();
    harmless(shell.run("plan --show in-sync")).exits(0).fits();
    let json = harmless(shell.run("plan --format json")).exits(0).json();
    assert!(json.to_string().contains("evil\u{202e}txt"), "JSON says the name as it is, escaped");
    harmless(shell.run("plan --format jsonl")).exits(0);
}

#[test]
fn names_from_the_roster_do_not_steer_the_terminal() {
    let shell = Shell::acme();
    shell.edit("organization.yaml", "\n  tags:   ", "\n  accounts: {discover: true}\n  tags:   ");
    let now = shell.world.now();
    let long = "long name ".repeat(5);
    for (id, name) in [
        ("222233334444", "\u{1b}]0;pwned\u{7}"),
        ("222233334445", "\u{202e}drowssap"),
        ("222233334446", long.trim()),
    ] {
        shell.world.join(id, name, "r-acme", &[], now);
    }
    harmless(shell.run("plan")).exits(0).fits();
    harmless(shell.run("plan --account nobody")).exits(64);
    harmless(shell.run("apply --auto-approve --account 222233334445")).exits(0).fits();
    harmless(shell.run("observe --out @inventory.json")).exits(0);
    harmless(shell.run("plan --offline @inventory.json")).exits(0);
    harmless(shell.run("render 222233334444 --discover --origin")).exits(0);
    shell.world.account("222233334445", |account| account.iam.roles.clear());
    harmless(shell.run("plan")).exits(4).fits();
    harmless(shell.run("observe --out @inventory.json")).exits(4);
}

#[test]
fn words_in_the_documents_do_not_steer_the_terminal() {
    let shell = Shell::acme();
    shell.edit("exceptions/legacy-images.yaml", "[\"legacy-*\"]", "[\"*\"]");
    shell.edit("exceptions/legacy-images.yaml", "ticket: SEC-412", "ticket: \"\\e[31m\\u202EX\"");
    shell.edit("organization.yaml", "name: acme", "name: \"ac\\u202Eme\\e[2J\"");
    harmless(shell.run("plan")).exits(0).fits();
    harmless(shell.run("apply --auto-approve")).exits(0).fits();
    shell.write("bad\u{1b}[2J.yaml", "kind: \"\\e[2J\u{202e}\"\n");
    harmless(shell.run("validate")).exits(1);
    harmless(shell.run("validate --format json")).exits(1);
}

#[test]
fn words_on_the_command_line_do_not_steer_the_terminal() {
    let shell = Shell::acme();
    for words in [
        vec!["plan", "--account", "\u{1b}[2J\u{202e}"],
        vec!["plan", "--region", "\u{1b}[2J\u{202e}"],
        vec!["plan", "--\u{1b}[2J"],
        vec!["render", "\u{1b}[2J\u{202e}"],
        vec!["validate", "-f", "\u{1b}[2J\u{202e}"],
        vec!["plan", "--offline", "\u{1b}[2J\u{202e}"],
        vec!["apply", "--allow", "\u{1b}[2J\u{202e}"],
    ] {
        let mut words: Vec<String> = words.into_iter().map(String::from).collect();
        if words[0] == "plan" || words[0] == "render" {
            words.extend(["-f".to_owned(), shell.dir().display().to_string()]);
        }
        let ran = harmless(shell.typed("", words));
        assert!(ran.exit == 64 || ran.exit == 1, "{}", ran.said());
    }
}
