//! EventBridge as SDK clients meet it.

use aws_sdk_eventbridge::types::{RuleState, Tag, Target};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::{PROD_PAYMENTS, SECURITY};
use super::super::tests::client;

const REGION: &str = "eu-west-1";
const PATTERN: &str = r#"{"source":["aws.guardduty"]}"#;

fn code<T, E: ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>) -> String {
    let error = answer.err().expect("refused");
    error.code().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn putting_a_rule_again_keeps_its_targets_and_nothing_else() {
    let world = World::acme();
    let events = client!(aws_sdk_eventbridge, world, PROD_PAYMENTS, REGION);
    let sns = client!(aws_sdk_sns, world, PROD_PAYMENTS, REGION);
    let topic = sns.create_topic().name("alerts").send().await.expect("made").topic_arn.expect("an arn");
    assert_eq!(code(events.describe_rule().name("r").send().await), "ResourceNotFoundException");
    let tag = Tag::builder().key("team").value("x").build().expect("whole");
    let put = events.put_rule().name("r").event_pattern(PATTERN);
    put.clone().description("mine").tags(tag.clone()).send().await.expect("made");
    let target = Target::builder().id("one").arn(&topic).build().expect("whole");
    events.put_targets().rule("r").targets(target).send().await.expect("put");
    assert_eq!(code(put.clone().tags(tag).send().await), "ValidationException");
    put.state(RuleState::Disabled).send().await.expect("put again");
    let told = events.describe_rule().name("r").send().await.expect("there");
    assert_eq!((told.state, told.description), (Some(RuleState::Disabled), None));
    let listed = events.list_targets_by_rule().rule("r").send().await.expect("targets");
    assert_eq!(listed.targets()[0].arn(), topic);
}

#[tokio::test(start_paused = true)]
async fn names_and_patterns_are_those_of_the_model() {
    let world = World::acme();
    let events = client!(aws_sdk_eventbridge, world, PROD_PAYMENTS, REGION);
    let put = |name: &str, pattern: &str| events.put_rule().name(name).event_pattern(pattern).send();
    assert_eq!(code(put("a b", PATTERN).await), "ValidationException");
    for bad in ["[]", r#"{"source": "aws.guardduty"}"#, "{", "{}", r#"{"source": []}"#] {
        assert_eq!(code(put("r", bad).await), "InvalidEventPatternException", "{bad}");
    }
    assert_eq!(code(events.put_rule().name("r").send().await), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_cannot_be_is_told_in_an_answer_of_200() {
    let world = World::acme();
    let events = client!(aws_sdk_eventbridge, world, PROD_PAYMENTS, REGION);
    events.put_rule().name("r").event_pattern(PATTERN).send().await.expect("made");
    let put = |arn: String| {
        let target = Target::builder().id("one").arn(arn).build().expect("whole");
        events.put_targets().rule("r").targets(target).send()
    };
    for arn in [
        format!("arn:aws:sns:{REGION}:{PROD_PAYMENTS}:none"),
        format!("arn:aws:sns:us-east-1:{PROD_PAYMENTS}:alerts"),
        format!("arn:aws:events:us-east-1:{PROD_PAYMENTS}:event-bus/default"),
        "x".to_owned(),
    ] {
        let answer = put(arn).await.expect("an answer");
        assert_eq!(answer.failed_entry_count(), 1);
        assert_eq!(answer.failed_entries()[0].target_id(), Some("one"));
    }
    let listed = events.list_targets_by_rule().rule("r").send().await.expect("an answer");
    assert!(listed.targets().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rules_are_listed_by_their_prefix_in_pages() {
    let world = World::acme();
    let events = client!(aws_sdk_eventbridge, world, PROD_PAYMENTS, REGION);
    for name in ["a-1", "a-2", "a-3", "b"] {
        events.put_rule().name(name).event_pattern(PATTERN).send().await.expect("made");
    }
    let page = events.list_rules().name_prefix("a-").send().await.expect("listed");
    let names = |page: &[aws_sdk_eventbridge::types::Rule]| -> Vec<String> {
        page.iter().filter_map(|rule| rule.name.clone()).collect()
    };
    assert_eq!(names(page.rules()), ["a-1", "a-2"]);
    let rest =
        events.list_rules().name_prefix("a-").set_next_token(page.next_token).send().await.expect("listed");
    assert_eq!((names(rest.rules()), rest.next_token), (vec!["a-3".to_owned()], None));
    assert_eq!(rest.rules.unwrap_or_default()[0].event_pattern(), Some(PATTERN));
    let none = events.list_rules().name_prefix("c").send().await.expect("listed");
    assert_eq!(none.rules(), []);
    assert_eq!(code(events.list_rules().name_prefix("a b").send().await), "ValidationException");
    assert_eq!(code(events.list_rules().next_token("x").send().await), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_of_this_region_and_anothers_needs_a_role() {
    let world = World::acme();
    let events = client!(aws_sdk_eventbridge, world, PROD_PAYMENTS, REGION);
    events.put_rule().name("r").event_pattern(PATTERN).send().await.expect("made");
    let put = async |region: &str, owner: &str, role: Option<&str>| {
        let target = Target::builder()
            .id("one")
            .arn(format!("arn:aws:sqs:{region}:{owner}:q"))
            .set_role_arn(role.map(|role| format!("arn:aws:iam::{PROD_PAYMENTS}:role/{role}")))
            .build()
            .expect("whole");
        let told = events.put_targets().rule("r").targets(target).send().await.expect("an answer");
        told.failed_entry_count() == 0
    };
    assert!(put(REGION, PROD_PAYMENTS, None).await);
    assert!(put(REGION, SECURITY, Some("baseline-apply")).await);
    assert!(!put(REGION, SECURITY, None).await);
    assert!(!put(REGION, SECURITY, Some("nobody")).await);
    assert!(!put("us-east-1", PROD_PAYMENTS, None).await);
}
