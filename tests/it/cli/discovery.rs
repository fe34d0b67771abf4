//! Accounts that AWS Organizations lists, and baselines chosen by unit, tag, seat and name.

use baseline::sandbox::World;

use super::shell::{Shell, organization};

const LENGTH: &str = "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: detector}\nspec:\n  controls:\n    iam.password-policy: {minimumLength: 14}\n";

/// Baselines that each ask for another length, so that a plan shows which was chosen.
fn selecting(selector: &str) -> Shell {
    let shell = Shell::new(World::acme());
    let seats = ", security: \"777766665555\", logArchive: \"444455556666\"";
    let text = organization(seats, "  accounts: {discover: true}\n").replace(
        "baselines: [{use: detector}]",
        &format!("baselines:\n  - use: detector\n  - use: longer\n    where: {selector}"),
    );
    shell.write("organization.yaml", text);
    shell.write("a.yaml", LENGTH);
    shell.write(
        "b.yaml",
        LENGTH
            .replace("detector", "longer")
            .replace("spec:\n", "spec:\n  extends: [detector]\n")
            .replace("14", "30"),
    );
    shell
}

/// The accounts that the longer passwords are for.
fn chosen(shell: &Shell) -> Vec<String> {
    let plan = shell.run("plan --format jsonl").exits(0);
    let findings =
        plan.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let mut accounts: Vec<String> = findings
        .filter(|finding| {
            finding["change"]["fields"].as_array().is_some_and(|f| f.iter().any(|f| f["after"] == 30))
        })
        .map(|finding| {
            let account = finding["accounts"].get(0).unwrap_or(&finding["account"]);
            account.as_str().unwrap_or_else(|| panic!("{finding:#}")).to_owned()
        })
        .collect();
    accounts.sort();
    accounts
}

#[test]
fn baselines_are_chosen_by_unit_tag_seat_and_name() {
    for (selector, accounts) in [
        ("{ou: [/Workloads]}", vec!["111122223333", "222233337777"]),
        ("{ou: [/Security]}", vec!["444455556666", "777766665555"]),
        ("{ou: [/]}", vec!["111122223333", "222233337777", "444455556666", "777766665555", "999988887777"]),
        ("{tags: {team: [platform, payments]}}", vec!["111122223333", "444455556666"]),
        ("{tags: {team: [payments], env: [test]}}", vec![]),
        ("{names: [prod-*]}", vec!["111122223333"]),
        ("{seats: [security, management]}", vec!["777766665555", "999988887777"]),
        ("{accounts: [\"444455556666\"]}", vec!["444455556666"]),
        ("{ou: [/Security], seats: [logArchive]}", vec!["444455556666"]),
        ("{ou: [/Sec]}", vec![]),
    ] {
        assert_eq!(chosen(&selecting(selector)), accounts, "{selector}");
    }
}

#[test]
fn a_listing_of_many_pages_is_read_to_its_end() {
    let shell = Shell::new(World::many(57));
    shell.write("organization.yaml", organization("", "  accounts: {discover: true}\n"));
    shell.write("a.yaml", LENGTH);
    let plan = shell.run("plan").exits(0).says("57 accounts").fits();
    assert!(plan.out.contains("54 more"), "{}", plan.out);
    assert!(shell.world.calls()["organizations:ListAccounts"].asked >= 12);
}

#[test]
fn a_discovered_account_is_rendered_where_it_was_asked_for() {
    let shell = selecting("{ou: [/Workloads]}");
    shell.run("render prod-payments").exits(64).says("--discover");
    shell.run("render prod-payments --discover").exits(0).says("minimumLength: 30");
}

#[test]
fn a_document_needs_no_id_where_its_account_is_listed() {
    let shell = selecting("{ou: [/Workloads]}");
    shell.write(
        "c.yaml",
        "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: prod-payments}\nspec:\n  controls:\n    iam.password-policy: {minimumLength: 20, reason: old mainframe}\n",
    );
    shell.run("plan --account prod-payments").exits(0).says("8 → 20");
    shell.edit("c.yaml", "prod-payments", "prod-payment");
    shell.run("plan").exits(1).says("prod-payment");
}

#[test]
fn suspended_accounts_stay_in_the_list() {
    let shell = selecting("{ou: [/Workloads]}");
    shell.world.suspend("777766665555");
    shell.run("plan").exits(0).says("security").says("SUSPENDED").fits();
}
