//! EventBridge as SDK clients meet it.

use aws_sdk_eventbridge::types::{RuleState, Tag, Target};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
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
