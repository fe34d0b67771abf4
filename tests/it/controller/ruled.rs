//! Hints that come by the rules that `events.hints` makes: from a call that CloudTrail logs to a setting that is right
//! again, with nothing put into the queue by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_eventbridge::types::RuleState;
use baseline::controller::Settings;
use baseline::sandbox::cloudtrail::Trail;
use baseline::sandbox::{Principal, World};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::fleet::{MANAGEMENT, messages};
use super::stage::{HOUR, MINUTE, id, is_on, looks, pass, read, running, settings};
use crate::cli::shell::Shell;

const HOME: &str = "eu-west-1";
const OTHER: &str = "us-east-1";
const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/999988887777/baseline-hints";
const HINTS: &str = "  controls:
    guardduty.detector: {enabled: true}
    events.hints:
      queue: https://sqs.eu-west-1.amazonaws.com/999988887777/baseline-hints
      enabled: true
";

/// Accounts in two regions that declare detectors and hints, a trail in each, and the queue.
fn stage(accounts: usize) -> Shell {
    let shell = Shell::many(accounts + 1);
    shell.edit("organization.yaml", "managed: [eu-west-1]", "managed: [eu-west-1, us-east-1]");
    shell.edit("baselines/detector.yaml", "  controls:\n    guardduty.detector: {enabled: true}\n", HINTS);
    assert_eq!(shell.world.make_queue(MANAGEMENT, HOME, "baseline-hints", 10), QUEUE);
    for account in 0..accounts {
        let trail = Trail { multi_region: true, ..Trail::logging_to("elsewhere") };
        shell.world.region(&id(account), HOME, |region| {
            region.cloudtrail.trails.insert("all".to_owned(), trail);
        });
    }
    shell
}

fn hinted(shell: &Shell) -> Settings {
    Settings { hints: Some(QUEUE.parse().expect("a queue")), ..settings(shell, true) }
}

/// jo's client of EventBridge in an account.
fn events(world: &World, account: &str, region: &str) -> aws_sdk_eventbridge::Client {
    let sdk = world.sdk_config(account, Principal::User("jo".into()), region);
    let config = aws_sdk_eventbridge::config::Builder::from(&sdk).interceptor(world.interceptor()).build();
    aws_sdk_eventbridge::Client::from_conf(config)
}

/// jo switches GuardDuty off by the API.
async fn switch_off(world: &World, account: &str, region: &str) {
    let sdk = world.sdk_config(account, Principal::User("jo".into()), region);
    let config = aws_sdk_guardduty::config::Builder::from(&sdk).interceptor(world.interceptor()).build();
    let guardduty = aws_sdk_guardduty::Client::from_conf(config);
    let listed = guardduty.list_detectors().send().await.expect("listed");
    let id = listed.detector_ids().first().expect("one").clone();
    guardduty.update_detector().detector_id(id).enable(false).send().await.expect("suspended");
}

/// How long it takes until something holds.
#[track_caller]
fn within(start: Instant, most: Duration, what: &str) {
    assert!(start.elapsed() < most, "{what} is not put right in {most:?}");
}

#[tokio::test(start_paused = true)]
async fn what_jo_does_comes_by_the_rules_and_is_put_right_within_seconds() {
    let shell = stage(2);
    let (world, account) = (&shell.world, id(0));
    running(&hinted(&shell), async |_| {
        pass(20 * MINUTE).await;
        // Its own first writes were told too, and left alone.
        assert_eq!(messages(&shell, "baseline-hints"), 0);

        switch_off(world, &account, HOME).await;
        let start = Instant::now();
        while !is_on(world, &account) {
            pass(Duration::from_millis(100)).await;
            within(start, 15 * Duration::from_secs(1), "a detector at home");
        }
        pass(5 * MINUTE).await;

        // By way of the home region's bus, which knows nothing of detectors elsewhere.
        switch_off(world, &account, OTHER).await;
        let start = Instant::now();
        let is_on_there = || {
            world.region(&account, OTHER, |region| {
                region.guardduty.detector.as_ref().is_some_and(|detector| detector.enabled)
            })
        };
        while !is_on_there() {
            pass(Duration::from_millis(100)).await;
            within(start, 15 * Duration::from_secs(1), "a detector elsewhere");
        }
        pass(5 * MINUTE).await;

        // The rules look after themselves.
        let heart = "baseline-hints-heartbeat";
        let put =
            events(world, &account, HOME).put_rule().name(heart).schedule_expression("rate(15 minutes)");
        put.state(RuleState::Disabled).send().await.expect("put");
        let start = Instant::now();
        let beats =
            || world.region(&account, HOME, |region| region.events.rules[heart].state == RuleState::Enabled);
        while !beats() {
            pass(Duration::from_millis(100)).await;
            within(start, 15 * Duration::from_secs(1), "the heartbeat");
        }
        pass(5 * MINUTE).await;
    })
    .await;
    assert_eq!((messages(&shell, "baseline-hints"), messages(&shell, "baseline-hints-dead")), (0, 0));
}

#[test]
fn without_the_role_or_a_trail_nothing_is_told() {
    let shell = stage(1);
    let (world, account) = (&shell.world, id(0));
    shell.run("apply --auto-approve").exits(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let told = || {
        let before = messages(&shell, "baseline-hints");
        runtime.block_on(switch_off(world, &account, HOME));
        world.run_schedules();
        messages(&shell, "baseline-hints") - before
    };
    assert_eq!(told(), 3, "the call, and two hearts");
    world.region(&account, HOME, |region| region.cloudtrail.change("all", |trail| trail.logging = false));
    assert_eq!(told(), 2, "EventBridge has no calls that no trail logs");
    world.account(&account, |account| account.iam.inline.remove("baseline-hints"));
    assert_eq!(told(), 0);
}

#[tokio::test(start_paused = true)]
async fn hearts_of_all_regions_arrive_and_the_account_is_left_alone_longer() {
    let shell = stage(1);
    let account = id(0);
    running(&hinted(&shell), async |_| {
        let beating = async |time: Duration| {
            let end = Instant::now() + time;
            while Instant::now() < end {
                shell.world.run_schedules();
                pass(15 * MINUTE).await;
            }
        };
        beating(7 * HOUR).await;
        let heard: Value = read(&shell.dir().join(".audit/conditions/hints.json"));
        let regions = heard[&account].as_object().unwrap_or_else(|| panic!("{heard}"));
        assert_eq!(regions.keys().collect::<Vec<_>>(), [HOME, OTHER], "{heard}");
        shell.world.forget_calls();
        beating(12 * HOUR).await;
        assert!(looks(&shell.world) <= 3, "{} turns in twelve hours", looks(&shell.world));
    })
    .await;
    assert_eq!(messages(&shell, "baseline-hints"), 0);
}

/// What CloudFormation makes of a value in an account and region.
fn resolved(value: &Value, account: &str, region: &str) -> Value {
    let again = |value: &Value| resolved(value, account, region);
    match value {
        Value::Object(map) => match map.iter().next().filter(|_| map.len() == 1) {
            Some((name, of)) if name == "Ref" => match of.as_str().expect("a name") {
                "AWS::Region" => json!(region),
                "AWS::AccountId" => json!(account),
                "HintsArn" => json!(format!("arn:aws:sqs:{HOME}:{MANAGEMENT}:baseline-hints")),
                other => panic!("a reference to {other}"),
            },
            Some((name, of)) if name == "Fn::Sub" => {
                let text = of.as_str().expect("a text");
                let known = [("AWS::Partition", "aws"), ("AWS::AccountId", account), ("HomeRegion", HOME)];
                let whole = known.iter().fold(text.to_owned(), |text, (name, value)| {
                    text.replace(&format!("${{{name}}}"), value)
                });
                assert!(!whole.contains("${"), "{whole}");
                json!(whole)
            }
            Some((name, of)) if name == "Fn::If" => {
                assert_eq!(of[0], "IsHome");
                again(&of[if region == HOME { 1 } else { 2 }])
            }
            _ => map.iter().map(|(name, value)| (name.clone(), again(value))).collect::<Map<_, _>>().into(),
        },
        Value::Array(all) => all.iter().map(again).collect(),
        other => other.clone(),
    }
}

/// Rules as CloudFormation would make them, by their names.
fn of_template(template: &Value, account: &str, region: &str) -> BTreeMap<String, Value> {
    let resources = template["Resources"].as_object().expect("resources").values();
    let here = resources.filter(|one| one["Type"] == "AWS::Events::Rule");
    let here = here.filter(|one| one.get("Condition").is_none_or(|only| only == "IsHome" && region == HOME));
    here.map(|one| {
        let mut rule = resolved(&one["Properties"], account, region);
        let name = rule.as_object_mut().expect("an object").remove("Name").expect("a name");
        (name.as_str().expect("a text").to_owned(), rule)
    })
    .collect()
}

/// The same of what is there.
fn of_world(world: &World, account: &str, region: &str) -> BTreeMap<String, Value> {
    world.region(account, region, |there| {
        let rules = there.events.rules.iter().map(|(name, rule)| {
            let targets: Vec<Value> = rule
                .targets
                .iter()
                .map(|one| json!({"Id": one.id(), "Arn": one.arn(), "RoleArn": one.role_arn()}))
                .collect();
            let mut told = json!({
                "Description": rule.description, "State": rule.state.as_str(), "Targets": targets,
            });
            if let Some(pattern) = &rule.pattern {
                told["EventPattern"] = serde_json::from_str(pattern).expect("JSON");
            }
            if let Some(schedule) = &rule.schedule {
                told["ScheduleExpression"] = json!(schedule);
            }
            (name.clone(), told)
        });
        rules.collect()
    })
}

#[test]
fn what_is_made_is_what_cloudformation_would_make() {
    let shell = stage(1);
    let account = id(0);
    shell.run("apply --auto-approve").exits(0);
    let template = shell.run("generate hints rules").exits(0).json();
    for (region, rules) in [(HOME, 4), (OTHER, 3)] {
        let made = of_world(&shell.world, &account, region);
        assert!(made.len() >= rules, "{:?}", made.keys());
        assert_eq!(made, of_template(&template, &account, region), "{region}");
    }
    let wanted = resolved(&template["Resources"]["Role"]["Properties"], &account, HOME);
    shell.world.account(&account, |account| {
        let role = &account.iam.roles["baseline-hints"];
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        assert_eq!(json(&role.trust), wanted["AssumeRolePolicyDocument"]);
        assert_eq!(role.description.as_deref(), wanted["Description"].as_str());
        let policies = &account.iam.inline["baseline-hints"];
        assert_eq!(json(&policies["baseline-hints"]), wanted["Policies"][0]["PolicyDocument"]);
        assert_eq!(policies.len(), 1);
    });
}

/// A stack set was there first: everything is in sync, and nothing is written.
#[test]
fn what_cloudformation_made_is_in_sync() {
    let shell = stage(1);
    shell.run("apply --auto-approve").exits(0);
    shell.world.account(&id(0), |account| {
        account.iam.roles.get_mut("baseline-hints").expect("made").tags.clear();
    });
    for region in [HOME, OTHER] {
        shell.world.region(&id(0), region, |region| {
            for rule in region.events.rules.values_mut() {
                rule.tags = BTreeMap::from([("aws:cloudformation:stack-id".to_owned(), "x".to_owned())]);
                // Some version of it may have written other words.
                rule.description = None;
            }
        });
    }
    shell.run("plan --detailed-exitcode").exits(0);
}
