use aws_sdk_securityhub::Client;
use serde_json::{Value, json};

use super::live::{Offered, Subscription};
use super::*;
use crate::aws::canned;
use crate::aws::securityhub::read_enabled_standards;
use crate::control::{Change, Direction, Found, Seat, Standard, Thing, Verdict};
use crate::controls::tests::facts;

fn named(name: &str) -> Standard {
    name.parse().unwrap()
}

fn live(on: &[(&str, &str, Option<&str>)]) -> Live {
    let offered = ["fsbp/1.0.0", "cis/1.2.0", "cis/1.4.0", "cis/3.0.0", "nist-800-53/5.0.0"];
    let subscription = |status: &str, reason: Option<&str>| Subscription {
        status: status.into(),
        reason: reason.map(str::to_owned),
    };
    Live {
        new_controls: Some(true),
        administrator: None,
        offered: offered.iter().map(|name| (named(name), Offered::default())).collect(),
        on: on.iter().map(|(name, status, why)| (named(name), subscription(status, *why))).collect(),
    }
}

fn seated() -> Facts {
    let mut facts = facts();
    if let Some(organization) = &mut facts.organization {
        organization.seats.insert(Seat::Security, "777766665555".parse().unwrap());
    }
    facts
}

fn verdict_for(facts: &Facts, known: &Known, spec: Value, live: Option<Live>) -> Verdict<Write> {
    let spec = serde_json::from_value(spec).unwrap();
    let mut found = Standards.plan(facts, known, &spec, &live);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn verdict(spec: Value, live: Option<Live>) -> Verdict<Write> {
    verdict_for(&facts(), &Known::default(), spec, live)
}

fn change(spec: Value, live: Option<Live>) -> Change<Write> {
    match verdict(spec, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn fsbp(on: bool) -> Value {
    json!({"standards": {"fsbp/1.0.0": on}})
}

#[test]
fn a_standard_is_enabled_where_there_is_a_hub_and_a_recorder() {
    let change = change(fsbp(true), Some(live(&[])));
    assert_eq!(change.fields, [Field::new("/standards/fsbp~11.0.0", false, true)]);
    assert_eq!(change.steps, [Write::Enable { standard: named("fsbp/1.0.0") }]);
    assert!(change.cost.is_some());
    let scope = facts().scope;
    let hub = Thing::SecurityHub { account: scope.account.clone(), region: scope.region.clone() };
    let recorder = Thing::ConfigRecorder { account: scope.account, region: scope.region };
    assert_eq!(change.stands_on, Some(vec![hub.clone(), recorder.clone()]));
    let spec = serde_json::from_value(fsbp(true)).unwrap();
    assert_eq!(Standards.needs(&facts(), &spec), [Need::hard(hub), Need::hard(recorder)]);
    let spec = serde_json::from_value(fsbp(false)).unwrap();
    assert_eq!(Standards.needs(&facts(), &spec), [], "disabling stands on nothing");
}

/// Otherwise a hub that is made in the same run would leave every planned standard behind as moved.
#[test]
fn what_is_planned_without_a_hub_is_what_is_planned_once_there_is_one() {
    for spec in [fsbp(true), fsbp(false)] {
        assert_eq!(verdict(spec.clone(), None), verdict(spec, Some(live(&[]))));
    }
    let spec = json!({"newControls": true});
    assert!(matches!(verdict(spec, None), Verdict::Progressing(_)));
}

#[test]
fn aws_takes_its_time() {
    let status = |status: &str| Some(live(&[("fsbp/1.0.0", status, None)]));
    assert_eq!(verdict(fsbp(true), status("READY")), Verdict::InSync);
    for (want, word) in [(true, "PENDING"), (true, "DELETING"), (false, "PENDING"), (false, "DELETING")] {
        let told = verdict(fsbp(want), status(word));
        assert!(matches!(told, Verdict::Progressing(_)), "{want} {word}: {told:?}");
    }
    let odd = verdict(fsbp(true), status("SOMETHING_NEW"));
    assert!(matches!(odd, Verdict::Unknown { .. }), "what is not known is not in sync");
    let odd = verdict(fsbp(false), status("SOMETHING_NEW"));
    assert!(matches!(odd, Verdict::Unknown { .. }));
}

#[test]
fn a_standard_that_was_enabled_before_the_recorder_is_enabled_again() {
    let status = |reason| Some(live(&[("fsbp/1.0.0", "INCOMPLETE", Some(reason))]));
    let again = change(fsbp(true), status("NO_AVAILABLE_CONFIGURATION_RECORDER"));
    assert_eq!(again.steps, [Write::Enable { standard: named("fsbp/1.0.0") }]);
    assert_eq!(again.fields[0].before, "INCOMPLETE, NO_AVAILABLE_CONFIGURATION_RECORDER");
    assert!(again.evidence.is_some_and(|why| why.contains("does not look again by itself")));
    assert!(
        again.stands_on.is_some_and(|on| on.iter().any(|one| matches!(one, Thing::ConfigRecorder { .. })))
    );

    assert!(matches!(verdict(fsbp(true), status("INTERNAL_ERROR")), Verdict::Change(_)));
    for by_hand in ["MAXIMUM_NUMBER_OF_CONFIG_RULES_EXCEEDED", "NO_AVAILABLE_MULTICLOUD_CONNECTOR"] {
        let Verdict::Manual(task) = verdict(fsbp(true), status(by_hand)) else { panic!("by hand") };
        assert_eq!(task.found, [("status".to_owned(), format!("INCOMPLETE, {by_hand}"))]);
    }
}

#[test]
fn what_a_region_does_not_list_is_not_offered_there() {
    let told = verdict(json!({"standards": {"cis/9.0.0": true}}), Some(live(&[])));
    let Verdict::NotOffered { source } = told else { panic!("{told:?}") };
    assert!(source.ends_with("cis/1.2.0, cis/1.4.0, cis/3.0.0"), "{source}");
    let told = verdict(json!({"standards": {"pci-dss/4.0.1": true}}), Some(live(&[])));
    let Verdict::NotOffered { source } = told else { panic!("{told:?}") };
    assert!(source.contains("fsbp/1.0.0"), "{source}");
    // An ARN of another region or partition is the same standard.
    let arn = "arn:aws-us-gov:securityhub:us-gov-west-1::standards/nist-800-53/v/5.0.0";
    assert!(matches!(verdict(json!({"standards": {arn: true}}), Some(live(&[]))), Verdict::Change(_)));
}

#[test]
fn disabling_weakens_and_says_what_is_lost() {
    let off = change(fsbp(false), Some(live(&[("fsbp/1.0.0", "READY", None)])));
    assert_eq!(off.direction, Direction::Weakens);
    assert_eq!(off.steps, [Write::Disable { standard: named("fsbp/1.0.0") }]);
    assert!(off.evidence.is_some_and(|what| what.contains("forgotten")));
    let off = change(json!({"newControls": false}), Some(live(&[])));
    assert_eq!(
        (off.direction, &off.steps[..]),
        (Direction::Weakens, &[Write::NewControls { enabled: false }][..])
    );
}

#[test]
fn what_others_manage_is_left_alone() {
    let mut tower = live(&[("control-tower/1.0.0", "READY", None)]);
    let managed = Offered { managed_by: Some("AWS Control Tower".into()) };
    tower.offered.insert(named("control-tower/1.0.0"), managed);
    let spec = json!({"standards": {"control-tower/1.0.0": false}});
    let Verdict::Foreign { owner, .. } = verdict(spec, Some(tower)) else { panic!("foreign") };
    assert_eq!(owner, "AWS Control Tower");

    let facts = seated();
    let held = Known::new([(Thing::own_security_hub(&facts).unwrap(), Found::Absent)]);
    let mut member = live(&[("cis/1.2.0", "READY", None)]);
    member.administrator = Some("777766665555".into());
    for spec in [fsbp(true), json!({"standards": {"cis/1.2.0": false}}), json!({"newControls": false})] {
        let told = verdict_for(&facts, &held, spec, Some(member.clone()));
        let Verdict::Foreign { owner, evidence } = &told else { panic!("{told:?}") };
        assert!(owner.contains("777766665555") && evidence.contains("configuration policy"), "{told:?}");
    }
    let right = verdict_for(&facts, &held, json!({"standards": {"cis/1.2.0": true}}), Some(member));
    assert_eq!(right, Verdict::InSync, "what is right is right, whoever did it");
}

#[test]
fn an_undo_names_what_was() {
    let fields = [Field::new("/standards/fsbp~11.0.0", false, true)];
    let spec = Standards.inverse("fsbp/1.0.0", &fields).unwrap();
    assert_eq!(serde_json::to_value(spec).unwrap()["standards"], json!({"fsbp/1.0.0": false}));
    let fields = [Field::new("/standards/fsbp~11.0.0", "INCOMPLETE, INTERNAL_ERROR", false)];
    let spec = Standards.inverse("fsbp/1.0.0", &fields).unwrap();
    assert_eq!(spec.standards["fsbp/1.0.0"], Some(true), "it was on");
}

#[tokio::test]
async fn answers_are_read_as_aws_writes_them() {
    let answers: [canned::Answer; 2] = [
        (
            "/standards",
            200,
            r#"{"Standards":[
                {"StandardsArn":"arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0",
                 "Name":"CIS AWS Foundations Benchmark v1.2.0","Description":"The CIS","EnabledByDefault":true,
                 "StandardsManagedBy":{"Company":"AWS","Product":"Security Hub"},"Provider":"AWS"},
                {"StandardsArn":"arn:aws:securityhub:eu-west-1::standards/service-managed-aws-control-tower/v/1.0.0",
                 "Name":"Service-Managed Standard","Description":"x","EnabledByDefault":false,
                 "StandardsManagedBy":{"Company":"AWS","Product":"Control Tower"}}]}"#,
        ),
        (
            "/standards/get",
            200,
            r#"{"StandardsSubscriptions":[{"StandardsArn":
                "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0","StandardsInput":{},
                "StandardsStatus":"INCOMPLETE","StandardsStatusReason":{"StatusReasonCode":"INTERNAL_ERROR"},
                "StandardsControlsUpdatable":"READY_FOR_UPDATES","StandardsSubscriptionArn":
                "arn:aws:securityhub:eu-west-1:111122223333:subscription/cis-aws-foundations-benchmark/v/1.2.0"}]}"#,
        ),
    ];
    let client = Client::new(&canned::sdk(&answers));
    let offered = live::read_offered(&client).await.unwrap();
    assert_eq!(offered[&named("cis/1.2.0")].managed_by, None);
    assert_eq!(offered[&named("control-tower/1.0.0")].managed_by.as_deref(), Some("Control Tower"));
    let on = read_enabled_standards(&client).await.unwrap().unwrap_or_default();
    let cis = &live::subscriptions(&on)[&named("cis/1.2.0")];
    assert_eq!((cis.status.as_str(), cis.reason.as_deref()), ("INCOMPLETE", Some("INTERNAL_ERROR")));
}
