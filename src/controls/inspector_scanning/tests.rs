use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::live::{Configuration, Status};
use super::*;
use crate::control::{Change, Direction, Field, Sight, Verdict};
use crate::controls::tests::facts;
use crate::fault::FaultKind;

fn status(word: &str) -> Status {
    Status { word: word.into(), error: None }
}

fn live(types: &[(&str, &str)]) -> Scanning {
    Scanning {
        types: types.iter().map(|(name, word)| ((*name).to_owned(), status(word))).collect(),
        administrator: Some(Sight::Seen(None)),
        configuration: None,
    }
}

fn configured(configuration: Option<Configuration>) -> Scanning {
    Scanning { configuration: Some(Sight::Seen(configuration)), ..live(&[("EC2", "ENABLED")]) }
}

fn configuration() -> Configuration {
    Configuration {
        push: Some("DAYS_30".into()),
        pull: Some("DAYS_14".into()),
        pull_mode: Some("LAST_IN_USE_AT".into()),
        ecr_status: Some("SUCCESS".into()),
        scan_mode: Some("EC2_SSM_AGENT_BASED".into()),
        ec2_status: Some("SUCCESS".into()),
    }
}

fn verdict(spec: Value, live: &Scanning) -> Verdict<Write> {
    let spec = serde_json::from_value(spec).unwrap();
    let mut found = InspectorScanning.plan(&facts(), &Known::default(), &spec, live);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn change(verdict: Verdict<Write>) -> Change<Write> {
    match verdict {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn enable(types: &[&str]) -> Write {
    Write::Enable { types: types.iter().map(ToString::to_string).collect() }
}

fn disable(types: &[&str]) -> Write {
    Write::Disable { types: types.iter().map(ToString::to_string).collect() }
}

#[test]
fn what_differs_is_turned_on_and_off_in_two_calls() {
    let spec = json!({"resourceTypes": {"EC2": true, "ECR": true, "LAMBDA": false, "LAMBDA_CODE": null}});
    let now =
        live(&[("EC2", "DISABLED"), ("ECR", "DISABLED"), ("LAMBDA", "ENABLED"), ("LAMBDA_CODE", "DISABLED")]);
    let turned = change(verdict(spec, &now));
    assert_eq!(turned.steps, [enable(&["EC2", "ECR"]), disable(&["LAMBDA"])]);
    assert_eq!(turned.fields[0], Field::new("/resourceTypes/EC2", false, true));
    assert_eq!(turned.direction, Direction::Weakens, "one part that weakens");
    assert!(turned.cost.is_some_and(|cost| cost.contains("EC2, ECR")));
    assert!(turned.evidence.is_some_and(|evidence| evidence.contains("ENHANCED")));
}

#[test]
fn what_holds_and_what_is_not_declared_is_in_sync() {
    let now = live(&[("EC2", "ENABLED"), ("ECR", "DISABLED"), ("LAMBDA", "ENABLED")]);
    assert_eq!(verdict(json!({"resourceTypes": {"EC2": true, "ECR": false}}), &now), Verdict::InSync);
    // Off is off, also where it is not offered.
    assert_eq!(verdict(json!({"resourceTypes": {"CODE_REPOSITORY": false}}), &now), Verdict::InSync);
    let found = InspectorScanning.plan(&facts(), &Known::default(), &ScanningSpec::default(), &now);
    assert_eq!(found, []);
}

#[test]
fn code_goes_with_its_functions() {
    let off = live(&[("LAMBDA", "DISABLED"), ("LAMBDA_CODE", "DISABLED")]);
    let on = change(verdict(json!({"resourceTypes": {"LAMBDA_CODE": true}}), &off));
    assert_eq!(on.steps, [enable(&["LAMBDA_CODE", "LAMBDA"])]);
    assert!(on.carries.is_some_and(|carries| carries.contains("LAMBDA true")));
    let both = live(&[("LAMBDA", "ENABLED"), ("LAMBDA_CODE", "ENABLED")]);
    let off = change(verdict(json!({"resourceTypes": {"LAMBDA": false}}), &both));
    assert_eq!(off.steps, [disable(&["LAMBDA", "LAMBDA_CODE"])]);
    assert!(off.carries.is_some_and(|carries| carries.contains("LAMBDA_CODE false")));
}

#[test]
fn aws_takes_its_time_and_that_is_not_drift() {
    let spec = json!({"resourceTypes": {"EC2": true, "ECR": true}});
    for word in ["ENABLING", "DISABLING", "SUSPENDING"] {
        let now = live(&[("EC2", word), ("ECR", "DISABLED")]);
        assert!(matches!(verdict(spec.clone(), &now), Verdict::Progressing(_)), "{word}");
    }
    let other = live(&[("EC2", "ENABLED"), ("ECR", "ENABLED"), ("LAMBDA", "ENABLING")]);
    assert_eq!(verdict(spec, &other), Verdict::InSync, "nobody declared it");
}

#[test]
fn what_is_not_this_accounts_to_change_is_left_alone() {
    let spec = || json!({"resourceTypes": {"EC2": true}});
    let off = live(&[("EC2", "DISABLED")]);
    let member = Scanning { administrator: Some(Sight::Seen(Some("777766665555".into()))), ..off.clone() };
    assert!(
        matches!(verdict(spec(), &member), Verdict::Foreign { owner, .. } if owner.contains("777766665555"))
    );
    let on = Scanning { administrator: member.administrator.clone(), ..live(&[("EC2", "ENABLED")]) };
    assert_eq!(verdict(spec(), &on), Verdict::InSync);
    let mut blocked = off.clone();
    let error = Some("BLOCKED_BY_ORGANIZATION_POLICY".to_owned());
    blocked.types.insert("EC2".into(), Status { error, ..status("DISABLED") });
    assert!(matches!(verdict(spec(), &blocked), Verdict::Foreign { owner, .. } if owner.contains("policy")));
    assert!(matches!(verdict(spec(), &live(&[("EC2", "SUSPENDED")])), Verdict::Manual(_)));
    let fault = Fault::local(FaultKind::Denied, "inspector2:GetDelegatedAdminAccount", "no");
    let unseen = Scanning { administrator: Some(Sight::Unseen(fault)), ..off };
    assert!(matches!(verdict(spec(), &unseen), Verdict::Unknown { .. }));
}

#[test]
fn a_type_that_is_not_listed_is_not_offered_and_one_that_is_not_known_unknown() {
    let now = live(&[("EC2", "ENABLED")]);
    let spec = json!({"resourceTypes": {"EC2": true, "CODE_REPOSITORY": true}});
    assert!(
        matches!(verdict(spec, &now), Verdict::NotOffered { source } if source.contains("CODE_REPOSITORY"))
    );
    for on in [true, false] {
        let new = json!({"resourceTypes": {"SOMETHING_NEW": on}});
        assert!(matches!(verdict(new, &now), Verdict::Unknown { .. }));
    }
    let error = Some("SSM_THROTTLED".to_owned());
    let types = BTreeMap::from([("EC2".to_owned(), Status { error, ..status("DISABLED") })]);
    let turned = change(verdict(json!({"resourceTypes": {"EC2": true}}), &Scanning { types, ..now }));
    assert!(turned.evidence.is_some_and(|evidence| evidence.contains("SSM_THROTTLED")));
}

#[test]
fn the_two_durations_are_written_together() {
    let longer = change(verdict(
        json!({"ecr": {"pullDateRescanDuration": "DAYS_90"}}),
        &configured(Some(configuration())),
    ));
    assert_eq!(longer.fields, [Field::new("/ecr/pullDateRescanDuration", "DAYS_14", "DAYS_90")]);
    let step = Write::Rescan {
        push: "DAYS_30".into(),
        pull: Some("DAYS_90".into()),
        pull_mode: Some("LAST_IN_USE_AT".into()),
    };
    assert_eq!(longer.steps, [step]);
    assert!(longer.carries.is_some_and(|carries| carries.contains("rescanDuration DAYS_30")));
    assert_eq!(longer.direction, Direction::Strengthens);
    let shorter =
        change(verdict(json!({"ecr": {"rescanDuration": "DAYS_7"}}), &configured(Some(configuration()))));
    assert_eq!((shorter.direction, shorter.cost), (Direction::Weakens, None));
    let held = json!({"ecr": {"rescanDuration": "DAYS_30", "pullDateRescanDuration": "DAYS_14"}});
    assert_eq!(verdict(held, &configured(Some(configuration()))), Verdict::InSync);
}

#[test]
fn settings_that_aws_is_at_or_failed_at_are_not_in_sync() {
    let with =
        |status: &str| configured(Some(Configuration { ecr_status: Some(status.into()), ..configuration() }));
    let spec = json!({"ecr": {"rescanDuration": "DAYS_30"}});
    assert!(matches!(verdict(spec.clone(), &with("PENDING")), Verdict::Progressing(_)));
    let again = change(verdict(spec, &with("FAILED")));
    assert_eq!(again.fields, [Field::new("/ecr/rescanDuration", "DAYS_30, failed", "DAYS_30")]);
    let pending = configured(Some(Configuration { ec2_status: Some("PENDING".into()), ..configuration() }));
    let spec = json!({"ec2": {"scanMode": "EC2_SSM_AGENT_BASED"}});
    assert!(matches!(verdict(spec, &pending), Verdict::Progressing(_)));
}

#[test]
fn settings_come_after_inspector_itself() {
    let off = Scanning { configuration: Some(Sight::Seen(None)), ..live(&[("EC2", "DISABLED")]) };
    let alone = json!({"ec2": {"scanMode": "EC2_HYBRID"}});
    assert!(matches!(verdict(alone, &off), Verdict::NotOffered { .. }));
    let spec = json!({"resourceTypes": {"EC2": true}, "ec2": {"scanMode": "EC2_HYBRID"}});
    let spec = serde_json::from_value(spec).unwrap();
    let found = InspectorScanning.plan(&facts(), &Known::default(), &spec, &off);
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["resource-types", "ec2-scan-mode"]);
    let mode = change(found[1].verdict.clone());
    assert_eq!(mode.fields, [Field::new("/ec2/scanMode", Value::Null, "EC2_HYBRID")]);
    assert!(mode.cost.is_some());
}

#[test]
fn a_members_settings_are_its_administrators() {
    let member = Scanning {
        administrator: Some(Sight::Seen(Some("777766665555".into()))),
        ..configured(Some(configuration()))
    };
    for spec in [json!({"ec2": {"scanMode": "EC2_HYBRID"}}), json!({"ecr": {"rescanDuration": "LIFETIME"}})] {
        assert!(matches!(verdict(spec, &member), Verdict::Foreign { .. }));
    }
    assert_eq!(verdict(json!({"ec2": {"scanMode": "EC2_SSM_AGENT_BASED"}}), &member), Verdict::InSync);
}

#[test]
fn what_is_imported_is_in_sync() {
    let now = Scanning {
        types: live(&[("EC2", "ENABLED"), ("ECR", "DISABLED"), ("LAMBDA", "ENABLING")]).types,
        ..configured(Some(configuration()))
    };
    let imported = InspectorScanning.import(&facts(), &Known::default(), &now).unwrap();
    let said = json!({
        "resourceTypes": {"EC2": true, "ECR": false},
        "ecr": {"rescanDuration": "DAYS_30", "pullDateRescanDuration": "DAYS_14"},
        "ec2": {"scanMode": "EC2_SSM_AGENT_BASED"},
    });
    assert_eq!(imported, serde_json::from_value(said).unwrap());
    let found = InspectorScanning.plan(&facts(), &Known::default(), &imported, &now);
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
}

#[test]
fn the_inverse_says_what_was_before() {
    let fields = [
        Field::new("/resourceTypes/EC2", false, true),
        Field::new("/ecr/rescanDuration", "DAYS_14", "DAYS_90"),
        Field::new("/ec2/scanMode", Value::Null, "EC2_HYBRID"),
    ];
    let back = InspectorScanning.inverse(RESOURCE, &fields).unwrap();
    let said = json!({"resourceTypes": {"EC2": false}, "ecr": {"rescanDuration": "DAYS_14"}});
    assert_eq!(back, serde_json::from_value(said).unwrap());
}

/// Answers as the API reference writes them.
#[tokio::test]
async fn answers_of_inspector_are_read_as_aws_writes_them() {
    let answers = [
        (
            "/status/batch/get",
            200,
            r#"{"accounts": [{"accountId": "111122223333",
            "resourceState": {
                "ec2": {"errorCode": "ALREADY_ENABLED", "errorMessage": "x", "status": "ENABLED"},
                "ecr": {"errorCode": "ACCESS_DENIED", "errorMessage": "x", "status": "DISABLED"},
                "lambda": {"errorCode": "ENABLE_IN_PROGRESS", "errorMessage": "x", "status": "ENABLING"}},
            "state": {"errorCode": "ALREADY_ENABLED", "errorMessage": "x", "status": "ENABLED"}}],
            "failedAccounts": []}"#,
        ),
        (
            "/delegatedadminaccounts/get",
            200,
            r#"{"delegatedAdmin": {"accountId": "777766665555",
            "relationshipStatus": "ENABLED"}}"#,
        ),
        (
            "/configuration/get",
            200,
            r#"{"ecrConfiguration": {"rescanDurationState": {"rescanDuration": "DAYS_30",
            "pullDateRescanDuration": "DAYS_14", "pullDateRescanMode": "LAST_PULL_DATE", "status": "PENDING",
            "updatedAt": 1766620800.0}},
            "ec2Configuration": {"scanModeState": {"scanMode": "EC2_HYBRID", "scanModeStatus": "SUCCESS"}}}"#,
        ),
    ];
    let client = |answers| aws_sdk_inspector2::Client::new(&crate::aws::canned::sdk(answers));
    let ask = Ask {
        types: BTreeMap::from([("EC2".to_owned(), true)]),
        push: Some("DAYS_90".into()),
        ..Ask::default()
    };
    let read = live::look(&client(&answers), "111122223333", &ask).await.unwrap();
    let words: Vec<(&str, &str)> =
        read.types.iter().map(|(name, status)| (name.as_str(), status.word.as_str())).collect();
    assert_eq!(words, [("EC2", "ENABLED"), ("ECR", "DISABLED"), ("LAMBDA", "ENABLING")]);
    assert_eq!(read.types["ECR"].error.as_deref(), Some("ACCESS_DENIED"));
    assert_eq!(read.types["EC2"].error, None);
    assert_eq!(read.administrator, Some(Sight::Seen(Some("777766665555".into()))));
    let Some(Sight::Seen(Some(configuration))) = read.configuration else { panic!("no configuration") };
    assert_eq!(configuration.ecr_status.as_deref(), Some("PENDING"));
    assert_eq!(configuration.scan_mode.as_deref(), Some("EC2_HYBRID"));

    let none = r#"{"__type": "ResourceNotFoundException", "message": "none"}"#;
    let bare = [
        ("/status/batch/get", 200, r#"{"accounts": [], "failedAccounts": []}"#),
        ("/delegatedadminaccounts/get", 404, none),
        ("/configuration/get", 404, none),
    ];
    let read = live::look(&client(&bare), "111122223333", &ask).await.unwrap();
    assert!(read.types.values().all(|status| status.word == "DISABLED"), "{read:?}");
    assert_eq!(read.administrator, Some(Sight::Seen(None)));
    assert_eq!(read.configuration, Some(Sight::Seen(None)));
}

#[tokio::test]
async fn who_administers_matters_only_where_something_differs() {
    let status = r#"{"accounts": [{"accountId": "111122223333",
        "resourceState": {"ec2": {"errorCode": "ALREADY_ENABLED", "errorMessage": "x", "status": "ENABLED"},
            "ecr": {"errorCode": "ALREADY_ENABLED", "errorMessage": "x", "status": "DISABLED"}},
        "state": {"errorCode": "ALREADY_ENABLED", "errorMessage": "x", "status": "ENABLED"}}]}"#;
    let sdk = crate::aws::canned::sdk(&[("/status/batch/get", 200, status)]);
    let inspector = aws_sdk_inspector2::Client::new(&sdk);
    let ask = Ask { types: BTreeMap::from([("EC2".to_owned(), true)]), ..Ask::default() };
    let read = live::look(&inspector, "111122223333", &ask).await.unwrap();
    assert_eq!(read.administrator, None);
    assert_eq!(verdict(json!({"resourceTypes": {"EC2": true}}), &read), Verdict::InSync);
}
