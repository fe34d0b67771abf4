use proptest::prelude::*;
use serde_json::json;

use super::*;

fn policy(statement: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statement})
}

#[test]
fn different_ways_of_writing_the_same_are_the_same() {
    let plain = policy(json!([{
        "Sid": "One", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::b/*",
        "Condition": {"Bool": {"aws:SecureTransport": true}}
    }]));
    let other = policy(json!({
        "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:root"]},
        "Action": ["S3:putobject", "s3:getObject"], "Resource": ["arn:aws:s3:::b/*"],
        "Condition": {"Bool": {"AWS:securetransport": ["true"]}}
    }));
    assert!(same(&plain, &other));
    let everyone =
        |principal| policy(json!({"Effect": "Deny", "Principal": principal, "Action": "*", "Resource": "*"}));
    assert!(same(&everyone(json!("*")), &everyone(json!({"AWS": ["*"]}))));
    assert!(!same(&everyone(json!("*")), &everyone(json!({"Service": "*"}))));
}

#[test]
fn what_means_something_differs() {
    let base =
        json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "a", "Condition": {}});
    for (element, value) in [
        ("Effect", json!("Deny")),
        ("Principal", json!({"AWS": "111122223333"})),
        ("Action", json!("s3:Get*")),
        ("Resource", json!("A")),
        ("Condition", json!({"Bool": {"aws:SecureTransport": "false"}})),
    ] {
        let mut other = base.clone();
        other[element] = value;
        assert!(!same(&policy(base.clone()), &policy(other)), "{element}");
    }
    let mut negated = base.clone();
    negated["NotResource"] = negated["Resource"].take();
    negated.as_object_mut().unwrap().remove("Resource");
    assert!(!same(&policy(base.clone()), &policy(negated)));
    assert!(!same(&policy(base.clone()), &json!({"Statement": base})), "another version");
}

#[test]
fn what_is_no_policy_is_refused() {
    for text in ["", "[]", "{}", r#"{"Statement": 1}"#, r#"{"Statement": [{"Effect": "allow"}]}"#] {
        assert!(text.parse::<Policy>().is_err(), "{text}");
    }
    let both = json!({"Effect": "Allow", "Action": "a", "NotAction": "b"});
    assert!(Policy::try_from(&policy(both)).is_err());
}

fn delivery() -> Delivery<'static> {
    Delivery {
        service: "guardduty.amazonaws.com",
        action: "s3:PutObject",
        resource: "arn:aws:s3:::logs/*",
        account: "111122223333",
        organization: Some("o-a1b2c3d4e5"),
    }
}

fn allow(condition: Value) -> Value {
    json!({
        "Effect": "Allow", "Principal": {"Service": ["config.amazonaws.com", "guardduty.amazonaws.com"]},
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*", "Condition": condition
    })
}

fn allows(statements: Value) -> bool {
    allows_service(&policy(statements).to_string(), &delivery())
}

#[test]
fn a_service_may_deliver_where_every_condition_is_known_to_hold() {
    for (condition, expected) in [
        (json!({}), true),
        (json!({"StringEquals": {"aws:SourceAccount": ["999999999999", "111122223333"]}}), true),
        (json!({"StringEquals": {"aws:SourceAccount": "999999999999"}}), false),
        (json!({"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}), true),
        (json!({"StringEquals": {"aws:SourceOrgID": "o-somebodyelse"}}), false),
        (json!({"ArnLike": {"aws:SourceArn": "arn:aws:guardduty:*:111122223333:detector/*"}}), true),
        (json!({"ArnLike": {"aws:SourceArn": "arn:aws:guardduty:*:999999999999:detector/*"}}), false),
        (json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:111122223333:*"}}), false),
        (json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}), true),
        (json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), false),
        (json!({"NumericLessThan": {"aws:SourceAccount": "2"}}), false),
    ] {
        assert_eq!(allows(json!([allow(condition.clone())])), expected, "{condition}");
    }
}

#[test]
fn action_resource_and_principal_must_cover_the_delivery() {
    for (element, value, expected) in [
        ("Action", json!("S3:Put*"), true),
        ("Action", json!("s3:GetObject"), false),
        ("Resource", json!("*"), true),
        ("Resource", json!("arn:aws:s3:::logs/AWSLogs/*"), false),
        ("Resource", json!("arn:aws:s3:::logs"), false),
        ("Principal", json!({"Service": "cloudtrail.amazonaws.com"}), false),
        ("Principal", json!({"AWS": "111122223333"}), false),
    ] {
        let mut statement = allow(json!({}));
        statement[element] = value.clone();
        assert_eq!(allows(json!([statement])), expected, "{element} {value}");
    }
    assert!(!allows_service("not a policy", &delivery()));
}

#[test]
fn a_deny_that_is_known_to_match_wins() {
    let deny = |element: &str, value: Value| {
        let mut statement =
            json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*"});
        statement[element] = value;
        json!([allow(json!({})), statement])
    };
    assert!(!allows(deny("Sid", json!("all"))));
    assert!(!allows(deny("Resource", json!("arn:aws:s3:::logs/AWSLogs/*"))));
    assert!(allows(deny("Resource", json!("arn:aws:s3:::other/*"))));
    assert!(allows(deny("Action", json!("s3:GetObject"))));
    assert!(allows(deny("Condition", json!({"Bool": {"aws:SecureTransport": "false"}}))));
    assert!(!allows(deny("Condition", json!({"StringNotEquals": {"aws:SourceOrgID": "o-somebodyelse"}}))));
    // How the service encrypts is not known here; AWS checks it when the delivery is set up.
    assert!(allows(deny(
        "Condition",
        json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}})
    )));
}

/// A text, or a list of texts in some order.
fn listed(pattern: &'static str) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(pattern, 1..4)
}

fn statements() -> impl Strategy<Value = Value> {
    let principal = prop_oneof![
        Just(json!("*")),
        listed("[0-9]{12}|arn:aws:iam::[0-9]{12}:(root|role/a)|\\*").prop_map(|names| json!({"AWS": names})),
        listed("[a-c]\\.amazonaws\\.com").prop_map(|names| json!({"Service": names})),
    ];
    let condition = prop::collection::btree_map(
        "StringEquals|Bool",
        prop::collection::btree_map("aws:[A-B]", listed("[a-b]"), 0..3),
        0..2,
    );
    (any::<bool>(), principal, listed("s3:[A-Ba-b]"), listed("[a-b*]"), condition).prop_map(
        |(allow, principal, action, resource, condition)| {
            json!({
                "Effect": if allow { "Allow" } else { "Deny" }, "Principal": principal,
                "Action": action, "Resource": resource, "Condition": condition
            })
        },
    )
}

/// The same policy written otherwise: lists turned round, lists of one unpacked, actions in
/// capitals, accounts as ARNs.
fn rewritten(value: &Value) -> Value {
    match value {
        Value::Array(list) => match &list[..] {
            [one] => rewritten(one),
            _ => list.iter().rev().map(rewritten).collect(),
        },
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| {
                let inner = rewritten(inner);
                let inner = match key.as_str() {
                    "Action" => each(&inner, &str::to_uppercase),
                    "AWS" => each(&inner, &as_root),
                    _ => inner,
                };
                (key.clone(), inner)
            })
            .collect(),
        leaf => leaf.clone(),
    }
}

fn as_root(principal: &str) -> String {
    account_of(principal).map_or_else(|| principal.to_owned(), |id| format!("arn:aws:iam::{id}:root"))
}

/// A text, or each of a list of texts, in another form.
fn each(value: &Value, form: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => form(text).into(),
        Value::Array(list) => list.iter().map(|inner| each(inner, form)).collect(),
        leaf => leaf.clone(),
    }
}

proptest! {
    #[test]
    fn comparing_is_reflexive_symmetric_and_blind_to_form(
        one in prop::collection::vec(statements(), 1..4),
        other in prop::collection::vec(statements(), 1..4),
    ) {
        let (one, other) = (policy(json!(one)), policy(json!(other)));
        prop_assert!(same(&one, &one));
        prop_assert!(same(&one, &rewritten(&one)));
        prop_assert_eq!(same(&one, &other), same(&other, &one));
        prop_assert_eq!(same(&one, &other), same(&rewritten(&one), &other));
    }

    #[test]
    fn whether_a_delivery_is_allowed_does_not_hang_on_form(
        others in prop::collection::vec(statements(), 0..4),
    ) {
        let mut all = others;
        all.push(allow(json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})));
        let document = policy(json!(all));
        let turned = rewritten(&document);
        prop_assert_eq!(
            allows_service(&document.to_string(), &delivery()),
            allows_service(&turned.to_string(), &delivery())
        );
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        prop_assert!(!allows_service(&text, &delivery()));
    }
}
