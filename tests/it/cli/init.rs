//! `init`: from nothing to a plan.

use baseline::sandbox::{Front, Trouble, Weather, World};

use super::shell::{Shell, steadily};

const ID: &str = "111122223333";

#[test]
fn the_caller_is_asked_who_it_is_and_a_plan_works_at_once() {
    let shell = Shell::new(World::one_account(ID));
    let init = shell.run("init @desired-state --region eu-west-1").exits(0);
    steadily(|| insta::assert_snapshot!("init", init.said()));
    shell.run("validate").exits(0).says("nothing wrong");
    shell.run("plan").exits(0).says("my-account 111122223333").says("17 regions").fits();
    shell.run("apply --auto-approve").exits(0).fits();
    shell.run("plan").exits(0).fits();
}

#[test]
fn an_account_id_makes_it_work_without_aws() {
    let shell = Shell::new(World::default());
    shell.run(&format!("init @desired-state --account-id {ID} --name audit")).exits(0);
    assert!(shell.world.calls().is_empty());
    shell.run("validate").exits(0);
    shell.run("render audit").exits(0).says("minimumLength: 14");
}

#[test]
fn nothing_is_written_over_what_is_there() {
    let shell = Shell::new(World::one_account(ID));
    shell.write("baselines/recommended.yaml", "mine");
    shell
        .run(&format!("init @desired-state --account-id {ID}"))
        .exits(1)
        .says("exist already, and nothing was written")
        .says("baselines/recommended.yaml");
    assert!(!shell.dir().join("organization.yaml").exists());
    assert_eq!(
        std::fs::read_to_string(shell.dir().join("baselines/recommended.yaml")).expect("there"),
        "mine"
    );
}

#[test]
fn names_may_hold_what_people_write() {
    let shell = Shell::new(World::one_account(ID));
    for (n, name) in ["a: b", "\"quoted\"", "- x", "{account}", "Zürich & Söhne", "#1", "yes", "0123"]
        .into_iter()
        .enumerate()
    {
        let dir = shell.path(&format!("d{n}")).display().to_string();
        let name_flag = format!("--name={name}");
        let words = ["init", &dir, "--account-id", ID, &name_flag].map(String::from);
        shell.typed("", words.to_vec()).exits(0);
        shell.typed("", ["validate", "-f", &dir].map(String::from).to_vec()).exits(0);
        shell.typed("", ["render", "-f", &dir, "--", name].map(String::from).to_vec()).exits(0);
    }
}

#[test]
fn who_cannot_be_asked_is_told_what_else_works() {
    let shell = Shell::new(World::one_account(ID));
    shell.world.set_weather(Weather::fair().with(Front::new(Trouble::Cut)));
    let init = shell.run("init @desired-state").exits(4).says("baseline init --account-id");
    assert_eq!(init.out, "");
    assert!(!shell.dir().exists());
}
