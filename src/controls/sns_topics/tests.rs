use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::live::{State, Topic, arn};
use super::policy::{LONGEST, default_policy};
use super::*;
use crate::control::{Change, ChangeKind, Direction, Found, Risk, Thing, Verdict};
use crate::controls::tests::facts;
use crate::fault::FaultKind;

const KEY_ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";

fn key() -> Thing {
    Thing::Key {
        account: facts().scope.account,
        region: facts().scope.region,
        alias: "alias/baseline/alerts".into(),
    }
}

fn topic() -> Topic {
    let scope = facts().scope;
    Topic {
        display_name: String::new(),
        key: None,
        policy: Sight::Seen(default_policy(&scope, &arn(&scope, "alerts"))),
        subscriptions: None,
        tags: Some(Sight::Seen(BTreeMap::new())),
    }
}

fn findings_of(spec: Value, live: Sight<Option<Topic>>) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(json!({"topics": {"alerts": spec}})).unwrap();
    let known = Known::new([(key(), Found::Present { arn: KEY_ARN.into() })]);
    Topics.plan(&facts(), &known, &spec, &BTreeMap::from([("alerts".to_owned(), live)]))
}

fn of_rule(spec: Value, live: Topic, rule: &str) -> Verdict<Write> {
    let found = findings_of(spec, Sight::Seen(Some(live)));
    let mut found: Vec<_> = found.into_iter().filter(|finding| finding.rule == rule).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn change(verdict: Verdict<Write>) -> Change<Write> {
    match verdict {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn paths(change: &Change<Write>) -> Vec<&str> {
    change.fields.iter().map(|field| field.path.as_str()).collect()
}

/// The topic after a policy was put.
fn with_policy(live: &Topic, change: &Change<Write>) -> Topic {
    let [Write::PutPolicy { policy, .. }] = &change.steps[..] else { panic!("{:?}", change.steps) };
    let Sight::Seen(before) = &live.policy else { panic!("unseen") };
    let scope = facts().scope;
    let whole = policy.within(before, &scope, &arn(&scope, "alerts"));
    Topic { policy: Sight::Seen(whole), ..live.clone() }
}

fn subscribed(state: State) -> Topic {
    let states = BTreeMap::from([("team".to_owned(), state)]);
    Topic { subscriptions: Some(Sight::Seen(states)), ..topic() }
}

fn team() -> Value {
    json!({"subscriptions": {"team": {"protocol": "email", "endpoint": "sec@acme.example"}}})
}

#[test]
fn a_new_topic_is_made_whole_and_waits_for_its_key_only() {
    let spec = json!({
        "key": "alias/baseline/alerts", "publishers": ["events"], "tags": {"data": "internal"},
        "subscriptions": {"team": {"protocol": "email", "endpoint": "sec@acme.example"}},
    });
    let mut found = findings_of(spec, Sight::Seen(None));
    assert_eq!(found.len(), 1);
    let made = change(found.remove(0).verdict);
    assert_eq!(made.kind, ChangeKind::Create);
    assert_eq!(made.stands_on, Some(vec![key()]));
    assert!(matches!(&made.makes[..], [Thing::Topic { name, .. }] if name == "alerts"));
    let [Write::Create { tags, .. }, Write::Subscribe { to, .. }] = &made.steps[..] else {
        panic!("{:?}", made.steps)
    };
    assert_eq!(tags.len(), 2, "those of everything, and its own");
    assert_eq!((to.protocol, to.endpoint.as_str()), (endpoint::Protocol::Email, "sec@acme.example"));
    assert!(made.evidence.is_some_and(|evidence| evidence.contains("confirmed")));
}

#[test]
fn a_topic_may_be_declared_without_saying_anything_of_it() {
    let made = change(findings_of(json!({}), Sight::Seen(None)).remove(0).verdict);
    assert_eq!(paths(&made), ["/topics/alerts"]);
    let found = findings_of(json!({}), Sight::Seen(Some(topic())));
    assert_eq!(found.iter().map(|f| f.rule.as_str()).collect::<Vec<_>>(), ["topic", "public"]);
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync));
}

#[test]
fn publishers_are_added_and_statements_of_others_stay() {
    let spec = json!({"publishers": ["cloudwatch", "events"]});
    let put = change(of_rule(spec.clone(), topic(), "policy"));
    assert_eq!(
        put.fields,
        [Field::new("/topics/alerts/publishers", json!([]), json!(["cloudwatch", "events"]))]
    );
    assert_eq!(put.carries.as_deref(), Some("1 statement of others"));
    let after = with_policy(&topic(), &put);
    let Sight::Seen(policy) = &after.policy else { panic!("unseen") };
    assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(3));
    assert_eq!(of_rule(spec, after.clone(), "policy"), Verdict::InSync);
    // Fewer declared: nothing is taken out.
    assert_eq!(of_rule(json!({"publishers": ["events"]}), after, "policy"), Verdict::InSync);
}

#[test]
fn from_moves_whom_the_services_publish_for() {
    let ours = json!({"publishers": ["config"], "from": "account"});
    let account = with_policy(&topic(), &change(of_rule(ours, topic(), "policy")));
    let all = json!({"from": "organization"});
    let widened = change(of_rule(all.clone(), account.clone(), "policy"));
    assert_eq!(widened.fields, [Field::new("/topics/alerts/from", "account", "organization")]);
    assert_eq!(widened.risk, Risk::Safe);
    let organization = with_policy(&account, &widened);
    assert_eq!(of_rule(all, organization.clone(), "policy"), Verdict::InSync);
    let narrowed = change(of_rule(json!({"from": "account"}), organization, "policy"));
    assert_eq!(narrowed.risk, Risk::Disruptive);
}

#[test]
fn from_says_nothing_of_eventbridge() {
    let spec = json!({"publishers": ["events"], "from": "account"});
    let live = with_policy(&topic(), &change(of_rule(spec, topic(), "policy")));
    assert_eq!(
        of_rule(json!({"publishers": ["events"], "from": "organization"}), live, "policy"),
        Verdict::InSync
    );
}

#[test]
fn tls_is_asked_for_and_never_given_up() {
    let put = change(of_rule(json!({"tlsOnly": true}), topic(), "policy"));
    assert_eq!((put.direction, put.risk), (Direction::Strengthens, Risk::Disruptive));
    let after = with_policy(&topic(), &put);
    assert_eq!(of_rule(json!({"tlsOnly": true}), after.clone(), "policy"), Verdict::InSync);
    assert!(matches!(of_rule(json!({"tlsOnly": false}), after, "policy"), Verdict::Manual(_)));
    assert_eq!(of_rule(json!({"tlsOnly": false}), topic(), "policy"), Verdict::InSync);
}

#[test]
fn a_policy_that_is_too_long_is_shortened_by_hand() {
    let mut live = topic();
    if let Sight::Seen(policy) = &mut live.policy {
        policy["Id"] = json!("x".repeat(LONGEST));
    }
    assert!(matches!(of_rule(json!({"publishers": ["s3"]}), live, "policy"), Verdict::Manual(_)));
}

#[test]
fn a_topic_for_everyone_is_told_and_that_of_sns_is_not() {
    assert_eq!(of_rule(json!({}), topic(), "public"), Verdict::InSync);
    let mut live = topic();
    if let Sight::Seen(policy) = &mut live.policy {
        policy["Statement"][0]["Condition"] = json!({});
    }
    let Verdict::Manual(task) = of_rule(json!({}), live, "public") else { panic!("not told") };
    assert_eq!(task.found[0].1, "__default_statement_ID for everyone");
}

#[test]
fn a_key_is_the_same_by_alias_arn_and_id() {
    let spec = || json!({"key": "alias/baseline/alerts"});
    let with = |key: &str| of_rule(spec(), Topic { key: Some(key.into()), ..topic() }, "encryption");
    for same in [
        "alias/baseline/alerts",
        "arn:aws:kms:eu-west-1:111122223333:alias/baseline/alerts",
        KEY_ARN,
        "1234abcd",
    ] {
        assert_eq!(with(same), Verdict::InSync, "{same}");
    }
    assert_eq!(change(with("alias/other")).fields[0].before, "alias/other");
    assert_eq!(change(with("5678abcd")).fields[0].before, "another key");
    assert_eq!(change(of_rule(spec(), topic(), "encryption")).direction, Direction::Strengthens);
    let encrypted = Topic { key: Some(KEY_ARN.into()), ..topic() };
    assert_eq!(
        change(of_rule(json!({"key": "none"}), encrypted, "encryption")).direction,
        Direction::Weakens
    );
}

#[test]
fn a_key_that_could_not_be_looked_at_is_unknown_where_it_counts() {
    let spec: TopicsSpec =
        serde_json::from_value(json!({"topics": {"alerts": {"key": "alias/baseline/alerts"}}})).unwrap();
    let denied = Fault::local(FaultKind::Denied, "kms:DescribeKey", "no");
    let known = Known::new([(key(), Found::Unknown(denied))]);
    let verdict = |key: Option<&str>| {
        let live = Topic { key: key.map(str::to_owned), ..topic() };
        let observed = BTreeMap::from([("alerts".to_owned(), Sight::Seen(Some(live)))]);
        let found = Topics.plan(&facts(), &known, &spec, &observed);
        found.into_iter().find(|finding| finding.rule == "encryption").unwrap().verdict
    };
    assert_eq!(verdict(Some("alias/baseline/alerts")), Verdict::InSync);
    assert!(matches!(verdict(Some(KEY_ARN)), Verdict::Unknown { .. }));
}

#[test]
fn a_subscription_is_made_confirmed_by_hand_and_then_in_sync() {
    let found = findings_of(team(), Sight::Seen(Some(subscribed(State::Absent))));
    let finding = found.into_iter().find(|finding| finding.rule == "subscription").unwrap();
    assert_eq!(finding.resource, "alerts/team");
    let made = change(finding.verdict);
    assert_eq!(
        paths(&made),
        ["/topics/alerts/subscriptions/team/protocol", "/topics/alerts/subscriptions/team/endpoint"]
    );
    let Verdict::Manual(task) = of_rule(team(), subscribed(State::Pending), "subscription") else {
        panic!("not by hand")
    };
    assert!(task.steps[0].contains("sec@acme.example"), "{task:?}");
    assert_eq!(of_rule(team(), subscribed(State::Confirmed), "subscription"), Verdict::InSync);
}

#[test]
fn what_could_not_be_read_is_unknown() {
    let fault = || Fault::local(FaultKind::Denied, "sns:ListSubscriptionsByTopic", "no");
    let live = Topic {
        policy: Sight::Unseen(fault()),
        subscriptions: Some(Sight::Unseen(fault())),
        tags: Some(Sight::Unseen(fault())),
        ..topic()
    };
    let mut spec = team();
    spec["publishers"] = json!(["s3"]);
    spec["tags"] = json!({"data": "internal"});
    for rule in ["policy", "public", "subscription", "tags"] {
        assert!(matches!(of_rule(spec.clone(), live.clone(), rule), Verdict::Unknown { .. }), "{rule}");
    }
    let unseen = findings_of(json!({}), Sight::Unseen(fault())).remove(0).verdict;
    assert!(matches!(unseen, Verdict::Unknown { .. }));
}

#[test]
fn nothing_in_a_plan_is_an_arn_or_the_path_of_a_web_address() {
    let spec = json!({
        "key": "alias/baseline/alerts", "publishers": ["events", "s3"], "tlsOnly": true,
        "subscriptions": {
            "hook": {"protocol": "https", "endpoint": "https://hooks.acme.example/T0/secret"},
            "queue": {"protocol": "sqs", "endpoint": "alerts"},
        },
    });
    let states = ["hook", "queue"].map(|label| (label.to_owned(), State::Pending));
    let live = Topic { subscriptions: Some(Sight::Seen(states.into())), ..topic() };
    for sight in [Sight::Seen(None), Sight::Seen(Some(live))] {
        for finding in findings_of(spec.clone(), sight) {
            let steps = match &finding.verdict {
                Verdict::Change(change) => {
                    change.steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
                }
                _ => String::new(),
            };
            let shown = format!("{:?} {steps}", finding.clone().map(|_| ()));
            assert!(!shown.contains("secret"), "{shown}");
            assert!(!serde_json::to_string(&finding).unwrap().contains("arn:"), "{finding:?}");
        }
    }
}

#[test]
fn what_is_imported_is_in_sync() {
    let spec = json!({"publishers": ["config", "events"], "from": "organization", "tlsOnly": true});
    let live = with_policy(&topic(), &change(of_rule(spec, topic(), "policy")));
    let live = Topic { display_name: "Alerts".into(), key: Some("alias/baseline/alerts".into()), ..live };
    let observed = BTreeMap::from([("alerts".to_owned(), Sight::Seen(Some(live.clone())))]);
    let imported = Topics.import(&facts(), &Known::default(), &observed).unwrap();
    let said = json!({
        "displayName": "Alerts", "key": "alias/baseline/alerts", "publishers": ["config", "events"],
        "from": "organization", "tlsOnly": true,
    });
    let wanted: TopicsSpec = serde_json::from_value(json!({"topics": {"alerts": said}})).unwrap();
    assert_eq!(imported, wanted);
    let spec = serde_json::to_value(&imported.topics["alerts"]).unwrap();
    let found = findings_of(spec, Sight::Seen(Some(live)));
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
}

#[test]
fn the_inverse_says_what_was_before() {
    let fields = [
        Field::new("/topics/alerts/displayName", "Old", "New"),
        Field::new("/topics/alerts/key", "none", "alias/a"),
        Field::new("/topics/alerts/from", "account", "organization"),
        Field::new("/topics/alerts/tags/a~1b", "x", "y"),
        Field::new("/topics/alerts/tags/new", Value::Null, "y"),
    ];
    let said = json!({"displayName": "Old", "key": "none", "from": "account", "tags": {"a/b": "x"}});
    let wanted: TopicsSpec = serde_json::from_value(json!({"topics": {"alerts": said}})).unwrap();
    assert_eq!(Topics.inverse("alerts", &fields), Some(wanted));
    assert!(Topics.inverse("alerts/team", &[]).is_some_and(|spec| spec.topics.contains_key("alerts")));
}

/// Answers as the API reference writes them.
#[tokio::test]
async fn answers_of_sns_are_read_as_aws_writes_them() {
    let answers = [
        (
            "/",
            200,
            "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
            <GetTopicAttributesResult><Attributes>\
            <entry><key>Owner</key><value>111122223333</value></entry>\
            <entry><key>Policy</key><value>{&quot;Version&quot;:&quot;2008-10-17&quot;,&quot;Statement&quot;:[]}</value></entry>\
            <entry><key>DisplayName</key><value>Alerts</value></entry>\
            <entry><key>KmsMasterKeyId</key><value>alias/baseline/logs</value></entry>\
            </Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>",
        ),
        (
            "/",
            200,
            "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
            <ListSubscriptionsByTopicResult><Subscriptions><member>\
            <TopicArn>arn:aws:sns:eu-west-1:111122223333:alerts</TopicArn><Protocol>email</Protocol>\
            <SubscriptionArn>PendingConfirmation</SubscriptionArn><Owner>111122223333</Owner>\
            <Endpoint>sec@acme.example</Endpoint></member></Subscriptions>\
            </ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>",
        ),
    ];
    let sns = aws_sdk_sns::Client::new(&crate::aws::canned::sdk(&answers));
    let to = Endpoint { protocol: endpoint::Protocol::Email, address: "sec@acme.example".into() };
    let wanted = Wanted { subscriptions: [("team".to_owned(), to)].into(), tags: false };
    let read = live::one(&sns, "arn:aws:sns:eu-west-1:111122223333:alerts", &wanted).await.unwrap().unwrap();
    assert_eq!((read.display_name.as_str(), read.key.as_deref()), ("Alerts", Some("alias/baseline/logs")));
    assert_eq!(read.policy, Sight::Seen(json!({"Version": "2008-10-17", "Statement": []})));
    assert_eq!(read.subscriptions, Some(Sight::Seen([("team".to_owned(), State::Pending)].into())));
}

#[tokio::test]
async fn tags_of_sns_and_its_not_found_are_read_as_aws_writes_them() {
    let attributes = "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes/>\
        </GetTopicAttributesResult></GetTopicAttributesResponse>";
    let tags = "<ListTagsForResourceResponse><ListTagsForResourceResult><Tags><member><Key>data</Key>\
        <Value>internal</Value></member></Tags></ListTagsForResourceResult></ListTagsForResourceResponse>";
    let sns = aws_sdk_sns::Client::new(&crate::aws::canned::sdk(&[("/", 200, attributes), ("/", 200, tags)]));
    let wanted = Wanted { tags: true, ..Wanted::default() };
    let read = live::one(&sns, "arn", &wanted).await.unwrap().unwrap();
    assert_eq!(read.tags, Some(Sight::Seen([("data".to_owned(), "internal".to_owned())].into())));
    assert!(matches!(read.policy, Sight::Unseen(_)), "an answer without a policy is no answer");

    let not_found = "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code>\
        <Message>Topic does not exist</Message></Error><RequestId>r</RequestId></ErrorResponse>";
    let sns = aws_sdk_sns::Client::new(&crate::aws::canned::sdk(&[("/", 404, not_found)]));
    assert_eq!(live::one(&sns, "arn", &Wanted::default()).await, Ok(None));
    let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code>\
        <Message>not authorized</Message></Error><RequestId>r</RequestId></ErrorResponse>";
    let sns = aws_sdk_sns::Client::new(&crate::aws::canned::sdk(&[("/", 403, denied)]));
    let fault = live::one(&sns, "arn", &Wanted::default()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied);
}
