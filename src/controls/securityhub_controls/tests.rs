use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::Client;
use serde_json::{Value, json};

use super::live::{Association, Control as LiveControl, Kind, Parameter, Parameters, Properties};
use super::*;
use crate::aws::canned;
use crate::aws::securityhub::read_enabled_standards;
use crate::control::{Change, Direction, Found, Seat, Sight, Standard, Thing, Verdict};
use crate::controls::tests::facts;

fn named(name: &str) -> Standard {
    name.parse().unwrap()
}

fn control(severity: &str, standards: &[(&str, bool, Option<&str>)]) -> LiveControl {
    let standards = standards.iter().map(|(name, enabled, reason)| {
        let association = Association { enabled: *enabled, reason: reason.map(str::to_owned) };
        (named(name), Sight::Seen(association))
    });
    LiveControl { severity: severity.into(), available: true, standards: standards.collect() }
}

fn live() -> Live {
    let both = |on| [("fsbp/1.0.0", on, None), ("cis/1.4.0", on, None)];
    Live {
        standards: BTreeMap::from([(named("fsbp/1.0.0"), true), (named("cis/1.4.0"), true)]),
        controls: BTreeMap::from([
            ("IAM.6".into(), control("CRITICAL", &both(true))),
            ("EC2.2".into(), control("HIGH", &both(true))),
            ("EC2.8".into(), control("HIGH", &[("fsbp/1.0.0", false, Some("old instances"))])),
            ("CloudTrail.5".into(), control("LOW", &both(true))),
        ]),
        ..Live::default()
    }
}

fn found(spec: Value, live: Option<Live>) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(json!({ "controls": spec })).unwrap();
    Controls.plan(&facts(), &Known::default(), &spec, &live)
}

fn change_of<'f>(found: &'f [Finding<Write>], resource: &str) -> &'f Change<Write> {
    let one = found.iter().find(|finding| finding.resource == resource).expect(resource);
    one.change().unwrap_or_else(|| panic!("{one:?}"))
}

fn paths(change: &Change<Write>) -> Vec<&str> {
    change.fields.iter().map(|field| field.path.as_str()).collect()
}

#[test]
fn a_control_is_turned_off_in_all_standards_with_its_reason() {
    let found = found(json!({"IAM.6": {"enabled": false, "reason": "no root credentials"}}), Some(live()));
    assert_eq!(found.len(), 1);
    let off = change_of(&found, "IAM.6");
    let fields = [
        Field::new("/controls/IAM.6/enabled", true, false),
        Field::new("/controls/IAM.6/reason", "none", "no root credentials"),
    ];
    assert_eq!(off.fields, fields);
    assert_eq!(off.direction, Direction::Weakens);
    assert!(off.evidence.as_ref().is_some_and(|what| what.contains("CRITICAL")));
    let standards = BTreeSet::from([named("fsbp/1.0.0"), named("cis/1.4.0")]);
    let reason = Some("no root credentials".to_owned());
    let step = Write::Associate { control: "IAM.6".into(), standards, enabled: false, reason };
    assert_eq!(step.to_string(), "turn IAM.6 off in fsbp/1.0.0, cis/1.4.0");
    assert_eq!(off.steps, [step]);
}

#[test]
fn wildcards_and_severities_are_many_controls_and_an_id_is_the_exception() {
    let spec = json!({
        "EC2.*": {"enabled": false, "reason": "no instances"},
        "EC2.8": {"enabled": true},
        "LOW": {"enabled": false, "reason": "by hand"},
    });
    let found = found(spec, Some(live()));
    let resources: Vec<&str> = found.iter().map(|finding| finding.resource.as_str()).collect();
    assert_eq!(resources, ["CloudTrail.5", "EC2.2", "EC2.8"]);
    let ec2 = ["/controls/EC2.*/enabled", "/controls/EC2.*/reason"];
    assert_eq!(paths(change_of(&found, "EC2.2")), ec2);
    let low = ["/controls/LOW/enabled", "/controls/LOW/reason"];
    assert_eq!(paths(change_of(&found, "CloudTrail.5")), low);
    let on = change_of(&found, "EC2.8");
    assert_eq!(paths(on), ["/controls/EC2.8/enabled", "/controls/EC2.8/reason"]);
    assert_eq!((on.direction, on.cost.is_some()), (Direction::Strengthens, true));
    // And back, with the reason that it had.
    let undo = Controls.inverse("EC2.8", &on.fields).unwrap();
    let undo = serde_json::to_value(undo).unwrap();
    assert_eq!(undo, json!({"controls": {"EC2.8": {"enabled": false, "reason": "old instances"}}}));
}

#[test]
fn another_reason_is_a_change_and_not_a_weakening_one() {
    let found = found(json!({"EC2.8": {"enabled": false, "reason": "new words"}}), Some(live()));
    let other = change_of(&found, "EC2.8");
    assert_eq!(other.fields, [Field::new("/controls/EC2.8/reason", "old instances", "new words")]);
    assert_eq!(other.direction, Direction::Neutral);
    let same = self::found(json!({"EC2.8": {"enabled": false, "reason": "old instances"}}), Some(live()));
    assert_eq!(same[0].verdict, Verdict::InSync);
}

#[test]
fn a_control_that_is_off_in_one_standard_is_not_on() {
    let mut live = live();
    let partly = control("HIGH", &[("fsbp/1.0.0", true, None), ("cis/1.4.0", false, None)]);
    live.controls.insert("EC2.2".into(), partly);
    let found = found(json!({"EC2.2": {"enabled": true}}), Some(live));
    let on = change_of(&found, "EC2.2");
    assert_eq!(paths(on), ["/controls/EC2.2/enabled"]);
    let standards = BTreeSet::from([named("cis/1.4.0")]);
    assert_eq!(
        on.steps,
        [Write::Associate { control: "EC2.2".into(), standards, enabled: true, reason: None }]
    );
}

#[test]
fn what_is_not_there_and_what_is_not_known_are_not_in_sync() {
    let off = |key: &str| json!({ key: {"enabled": false, "reason": "why"} });
    assert!(matches!(found(off("IAM.99"), Some(live()))[0].verdict, Verdict::NotOffered { .. }));
    assert!(matches!(found(off("Macie.*"), Some(live()))[0].verdict, Verdict::NotOffered { .. }));
    assert!(matches!(found(off("IAM.6"), None)[0].verdict, Verdict::Progressing(_)));
    assert!(matches!(found(off("IAM.6"), Some(Live::default()))[0].verdict, Verdict::NotOffered { .. }));

    let mut pending = live();
    pending.standards.insert(named("cis/3.0.0"), false);
    let told = found(json!({"IAM.6": {"enabled": true}, "IAM.99": {"enabled": true}}), Some(pending));
    let words: Vec<(&str, &Verdict<Write>)> =
        told.iter().map(|finding| (finding.resource.as_str(), &finding.verdict)).collect();
    assert!(
        matches!(words[..], [("IAM.6", Verdict::InSync), ("cis/3.0.0", Verdict::Progressing(_))]),
        "{words:?}"
    );

    let mut unseen = live();
    let fault = Fault::local(crate::fault::FaultKind::Denied, "a:B", "no");
    let iam = unseen.controls.get_mut("IAM.6").unwrap();
    iam.standards.insert(named("cis/1.4.0"), Sight::Unseen(fault));
    assert!(matches!(
        found(json!({"IAM.6": {"enabled": true}}), Some(unseen))[0].verdict,
        Verdict::Unknown { .. }
    ));

    let mut elsewhere = live();
    elsewhere.controls.get_mut("EC2.2").unwrap().available = false;
    let told = found(json!({"EC2.2": {"enabled": true}}), Some(elsewhere.clone()));
    assert!(matches!(told[0].verdict, Verdict::NotOffered { .. }));
    let told = found(json!({"HIGH": {"enabled": true}}), Some(elsewhere));
    assert_eq!(told.len(), 1, "a severity says nothing of what is not there: {told:?}");
}

#[test]
fn a_configuration_policy_is_not_fought() {
    let mut facts = facts();
    if let Some(organization) = &mut facts.organization {
        organization.seats.insert(Seat::Security, "777766665555".parse().unwrap());
    }
    let held = Known::new([(Thing::own_security_hub(&facts).unwrap(), Found::Absent)]);
    let spec =
        json!({"controls": {"IAM.6": {"enabled": false, "reason": "why"}, "EC2.2": {"enabled": true}}});
    let spec = serde_json::from_value(spec).unwrap();
    let told = Controls.plan(&facts, &held, &spec, &Some(live()));
    assert_eq!(told[0].verdict, Verdict::InSync, "EC2.2 is right");
    let Verdict::Foreign { owner, evidence } = &told[1].verdict else { panic!("{told:?}") };
    assert!(owner.contains("777766665555") && evidence.contains("enabled is true"), "{owner} {evidence}");
}

fn ports() -> Live {
    let parameter = |kind, custom, value| Parameter { kind, custom, value };
    let values = BTreeMap::from([
        (
            "authorizedTcpPorts".to_owned(),
            parameter(Kind::IntegerList, false, Some(Setting::Wholes(vec![80, 443]))),
        ),
        (
            "authorizedUdpPorts".to_owned(),
            parameter(Kind::IntegerList, true, Some(Setting::Wholes(vec![53]))),
        ),
    ]);
    let seen = Properties::Seen(Parameters { values });
    Live { parameters: BTreeMap::from([("EC2.18".into(), seen)]), ..live() }
}

fn tcp(value: Value) -> Value {
    json!({"EC2.18": {"parameters": {"authorizedTcpPorts": value}}})
}

#[test]
fn a_parameter_is_set_and_the_others_go_along() {
    let found = found(tcp(json!([443])), Some(ports()));
    let set = change_of(&found, "EC2.18");
    let field = Field::new("/controls/EC2.18/parameters/authorizedTcpPorts", "default", json!([443]));
    assert_eq!(set.fields, [field]);
    assert!(set.carries.as_ref().is_some_and(|carries| carries.contains("authorizedUdpPorts [53]")));
    let Write::Parameters { parameters, .. } = &set.steps[0] else { panic!("{set:?}") };
    assert_eq!(parameters.len(), 2);
    let undo = serde_json::to_value(Controls.inverse("EC2.18", &set.fields).unwrap()).unwrap();
    assert_eq!(undo["controls"], tcp(json!("default")));
}

#[test]
fn a_parameter_holds_by_value_and_default_is_a_word() {
    for same in [json!([443, 80]), json!("default")] {
        assert_eq!(found(tcp(same), Some(ports()))[0].verdict, Verdict::InSync);
    }
    let udp = json!({"EC2.18": {"parameters": {"authorizedUdpPorts": "default"}}});
    let found = found(udp, Some(ports()));
    let back = change_of(&found, "EC2.18");
    assert_eq!(back.fields[0].before, json!([53]));
    let Write::Parameters { parameters, .. } = &back.steps[0] else { panic!("{back:?}") };
    assert_eq!(parameters["authorizedUdpPorts"].setting, None);
    assert!(!parameters.contains_key("authorizedTcpPorts"), "what is AWS's stays AWS's");
}

#[test]
fn a_parameter_that_does_not_fit_is_said_before_it_is_sent() {
    let told = |spec| found(spec, Some(ports())).remove(0).verdict;
    let Verdict::Unknown { fault } = told(tcp(json!("https"))) else { panic!("it is a word") };
    assert!(fault.message.contains("takes a list of whole numbers"), "{fault}");
    let none = json!({"EC2.18": {"parameters": {"ports": [1]}}});
    let Verdict::NotOffered { source } = told(none) else { panic!("there is none") };
    assert!(source.ends_with("authorizedTcpPorts, authorizedUdpPorts"), "{source}");
}

const ENABLED: canned::Answer = (
    "/standards/get",
    200,
    r#"{"StandardsSubscriptions":[
        {"StandardsArn":"arn:aws:securityhub:eu-west-1::standards/nist-800-53/v/5.0.0","StandardsInput":{},
         "StandardsStatus":"READY","StandardsControlsUpdatable":"READY_FOR_UPDATES","StandardsSubscriptionArn":"x"},
        {"StandardsArn":"arn:aws:securityhub:eu-west-1::standards/pci-dss/v/4.0.1","StandardsInput":{},
         "StandardsStatus":"PENDING","StandardsControlsUpdatable":"NOT_READY_FOR_UPDATES",
         "StandardsSubscriptionArn":"y"}]}"#,
);

#[tokio::test]
async fn answers_are_read_as_aws_writes_them() {
    let answers: [canned::Answer; 5] = [
        ENABLED,
        (
            "/securityControls/definitions",
            200,
            r#"{"SecurityControlDefinitions":[
                {"SecurityControlId":"ACM.1","Title":"t","Description":"d","RemediationUrl":"https://x",
                 "SeverityRating":"MEDIUM","CurrentRegionAvailability":"AVAILABLE","CustomizableProperties":["Parameters"]},
                {"SecurityControlId":"S3.5","Title":"t","Description":"d","RemediationUrl":"https://x",
                 "SeverityRating":"MEDIUM","CurrentRegionAvailability":"UNAVAILABLE","CustomizableProperties":[]},
                {"SecurityControlId":"S3.8","Title":"t","Description":"d","RemediationUrl":"https://x",
                 "SeverityRating":"HIGH","CurrentRegionAvailability":"AVAILABLE","CustomizableProperties":[]}]}"#,
        ),
        (
            "/associations/batchGet",
            200,
            r#"{"StandardsControlAssociationDetails":[
                {"StandardsArn":"arn:aws:securityhub:eu-west-1::standards/nist-800-53/v/5.0.0",
                 "SecurityControlId":"ACM.1","SecurityControlArn":"arn:x","AssociationStatus":"DISABLED",
                 "RelatedRequirements":["NIST.800-53.r5 SC-28(3)"],"UpdatedAt":"2022-11-09T17:39:10.123Z",
                 "UpdatedReason":"not relevant"}],
                "UnprocessedAssociations":[{"StandardsControlAssociationId":{"SecurityControlId":"S3.5",
                 "StandardsArn":"arn:aws:securityhub:eu-west-1::standards/nist-800-53/v/5.0.0"},
                 "ErrorCode":"ACCESS_DENIED","ErrorReason":"no"}]}"#,
        ),
        (
            "/securityControls/batchGet",
            200,
            r#"{"SecurityControls":[{"SecurityControlId":"ACM.1","SecurityControlArn":"arn:x","Title":"t",
                "Description":"d","RemediationUrl":"https://x","SeverityRating":"MEDIUM",
                "SecurityControlStatus":"ENABLED","UpdateStatus":"UPDATING",
                "Parameters":{"daysToExpiration":{"ValueType":"CUSTOM","Value":{"Integer":15}}}}],
                "UnprocessedIds":[{"SecurityControlId":"X.1","ErrorCode":"RESOURCE_NOT_FOUND","ErrorReason":"no"}]}"#,
        ),
        (
            "/securityControl/definition",
            200,
            r#"{"SecurityControlDefinition":{"SecurityControlId":"ACM.1","Title":"t","Description":"d",
                "RemediationUrl":"https://x","SeverityRating":"MEDIUM","CurrentRegionAvailability":"AVAILABLE",
                "CustomizableProperties":["Parameters"],"ParameterDefinitions":{"daysToExpiration":{
                "Description":"d","ConfigurationOptions":{"Integer":{"DefaultValue":30,"Min":14,"Max":365}}}}}}"#,
        ),
    ];
    let ask = Ask {
        selectors: ["MEDIUM".to_owned()].into(),
        parameters: ["ACM.1".to_owned(), "X.1".to_owned()].into(),
    };
    let client = Client::new(&canned::sdk(&answers));
    let told = read_enabled_standards(&client).await.unwrap().unwrap_or_default();
    let read = read::read_controls(&client, read::on(&told), &ask).await.unwrap();
    let standards = BTreeMap::from([(named("nist-800-53/5.0.0"), true), (named("pci-dss/4.0.1"), false)]);
    assert_eq!(read.standards, standards);
    assert_eq!(read.controls.keys().collect::<Vec<_>>(), ["ACM.1", "S3.5"], "S3.8 is HIGH");
    assert_eq!(read.controls["ACM.1"].is_enabled(), Some(false));
    assert_eq!(read.controls["ACM.1"].reason(), Some("not relevant"));
    assert_eq!((read.controls["S3.5"].is_enabled(), read.controls["S3.5"].available), (None, false));
    assert_eq!(read.parameters["X.1"], Properties::NoControl);
    let acm = read.parameters["ACM.1"].seen().unwrap();
    let days = Parameter { kind: Kind::Integer, custom: true, value: Some(Setting::Whole(15)) };
    assert_eq!(acm.values["daysToExpiration"], days);
}

#[tokio::test]
async fn what_aws_leaves_unprocessed_is_an_error() {
    let update = Write::Associate {
        control: "ACM.1".into(),
        standards: BTreeSet::from([named("nist-800-53/5.0.0")]),
        enabled: false,
        reason: Some("why".into()),
    };
    let answers = [
        ENABLED,
        (
            "/associations",
            200,
            r#"{"UnprocessedAssociationUpdates":[{"StandardsControlAssociationUpdate":{"StandardsArn":
                "arn:aws:securityhub:eu-west-1::standards/nist-800-53/v/5.0.0","SecurityControlId":"ACM.1",
                "AssociationStatus":"DISABLED","UpdatedReason":"why"},"ErrorCode":"INVALID_INPUT","ErrorReason":"no"}]}"#,
        ),
    ];
    let fault = update.send(&Client::new(&canned::sdk(&answers))).await.unwrap_err();
    assert_eq!((fault.code.as_str(), fault.call.as_str()), ("INVALID_INPUT", write::ASSOCIATE.operation));
    assert_eq!(fault.message, "ACM.1 in nist-800-53/5.0.0: no");
    let answers = [ENABLED, ("/associations", 200, "{}")];
    assert_eq!(update.send(&Client::new(&canned::sdk(&answers))).await, Ok(()));
}
