use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::live::Pack;
use super::write::Made;
use super::*;
use crate::control::{Change, ChangeKind, Verdict};
use crate::controls::tests::facts;
use crate::controls::wire::reader;

const TEMPLATE: &str = "Resources: {A: {Type: AWS::Config::ConfigRule}}\n";

fn deployed() -> Pack {
    Pack {
        template: Some(plan::digest(TEMPLATE)),
        parameters: BTreeMap::from([("MaxAge".into(), "90".into()), ("Other".into(), "x".into())]),
        state: "CREATE_COMPLETE".into(),
        ..Pack::default()
    }
}

fn seen(pack: Pack) -> Observed {
    Observed { total: 1, packs: BTreeMap::from([("p".into(), pack)]) }
}

fn verdict(pack: Value, observed: &Observed) -> Verdict<Write> {
    let spec = serde_json::from_value(json!({"packs": {"p": pack}})).unwrap();
    let mut found = ConformancePacks.plan(&facts(), &Known::default(), &spec, observed);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn change(pack: Value, observed: &Observed) -> Change<Write> {
    match verdict(pack, observed) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pack_is_deployed_and_its_template_remembered() {
    let spec = json!({"template": TEMPLATE, "parameters": {"MaxAge": "90"}});
    let made = change(spec.clone(), &Observed::default());
    assert_eq!(made.kind, ChangeKind::Create);
    let mut tags = facts().tags;
    tags.insert("baseline:template".into(), plan::digest(TEMPLATE));
    let put = Write::PutPack {
        name: "p".into(),
        of: Made::Template(TEMPLATE.into()),
        parameters: BTreeMap::from([("MaxAge".into(), "90".into())]),
        tags,
    };
    assert_eq!(made.steps, [put], "one call, so that nothing is left undone between two");
    assert!(made.cost.is_some());
    assert_eq!(verdict(spec, &seen(deployed())), Verdict::InSync);
}

#[test]
fn a_template_that_nobody_knows_is_sent_again() {
    let unknown = Pack { template: None, ..deployed() };
    let changed = change(json!({"template": TEMPLATE}), &seen(unknown.clone()));
    assert_eq!(changed.fields, [Field::new("/packs/p/template", "not known", plan::digest(TEMPLATE))]);
    assert!(matches!(&changed.steps[..], [Write::PutPack { .. }, Write::Tag { .. }]));
    assert!(changed.carries.is_some_and(|carries| carries.contains("parameter Other x")));
    let Verdict::Unknown { fault } = verdict(json!({"parameters": {"MaxAge": "60"}}), &seen(unknown)) else {
        panic!()
    };
    assert!(fault.message.contains("say `template`"));
}

#[test]
fn what_aws_is_at_is_waited_for_and_what_failed_is_sent_again() {
    let spec = || json!({"template": TEMPLATE});
    for state in ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"] {
        let pack = Pack { state: state.into(), ..deployed() };
        assert!(matches!(verdict(spec(), &seen(pack)), Verdict::Progressing(_)), "{state}");
    }
    let strange = Pack { state: "DREAMING".into(), ..deployed() };
    assert!(matches!(verdict(spec(), &seen(strange)), Verdict::Unknown { .. }));
    let failed = Pack { state: "UPDATE_FAILED".into(), reason: Some("no".into()), ..deployed() };
    let again = change(spec(), &seen(failed));
    assert_eq!(again.fields, [Field::new("/packs/p", "UPDATE_FAILED", "deployed")]);
    assert!(again.evidence.is_some_and(|evidence| evidence.ends_with("could not deploy it: no")));
    let theirs = Pack { created_by: Some("controltower.amazonaws.com".into()), ..deployed() };
    assert!(matches!(verdict(spec(), &seen(theirs)), Verdict::Foreign { .. }));
}

#[test]
fn documents_are_told_by_aws() {
    let document = Pack { document: Some("doc".into()), template: None, ..deployed() };
    assert_eq!(verdict(json!({"document": "doc"}), &seen(document.clone())), Verdict::InSync);
    let versioned = change(json!({"document": "doc", "documentVersion": "2"}), &seen(document));
    let of = Made::Document { name: "doc".into(), version: Some("2".into()) };
    assert!(matches!(&versioned.steps[..], [Write::PutPack { of: sent, .. }] if *sent == of));
}

#[test]
fn what_aws_would_refuse_is_told_with_the_limit() {
    let rules = "Type: AWS::Config::ConfigRule\n".repeat(131);
    let parameters: BTreeMap<String, String> = (0..61).map(|n| (format!("p{n}"), String::new())).collect();
    for (pack, says) in [
        (json!({}), "there is no such pack"),
        (json!({"template": "x", "document": "y"}), "both"),
        (json!({"template": "x".repeat(51_201)}), "takes 51200"),
        (json!({"template": rules}), "takes 130"),
        (json!({"document": "x", "parameters": parameters}), "takes 60"),
        (json!({"document": "x", "parameters": {"p": "x".repeat(4097)}}), "takes 4096"),
    ] {
        let Verdict::Unknown { fault } = verdict(pack.clone(), &Observed::default()) else {
            panic!("{pack}")
        };
        assert!(fault.message.contains(says), "{says}: {}", fault.message);
    }
    let full = Observed { total: 50, packs: BTreeMap::new() };
    let Verdict::Unknown { fault } = verdict(json!({"document": "x"}), &full) else { panic!() };
    assert!(fault.message.contains("packs in the region: 51"), "{}", fault.message);
    let spec = serde_json::from_value(json!({"packs": {"2b": {"document": "x"}}})).unwrap();
    let found = ConformancePacks.plan(&facts(), &Known::default(), &spec, &Observed::default());
    assert!(
        matches!(&found[0].verdict, Verdict::Unknown { fault } if fault.message.contains("a letter first"))
    );
}

const ANSWERS: &[(&str, &str)] = &[
    (
        "DescribeConformancePacks",
        r#"{"ConformancePackDetails":[{"ConformancePackName":"p","ConformancePackId":"conformance-pack-a",
            "ConformancePackArn":"arn:aws:config:eu-west-1:111122223333:conformance-pack/p/conformance-pack-a",
            "DeliveryS3Bucket":"","ConformancePackInputParameters":[
              {"ParameterName":"MaxAge","ParameterValue":"90"},{"ParameterName":"Other","ParameterValue":"x"}],
            "TemplateSSMDocumentDetails":{"DocumentName":"doc","DocumentVersion":"2"}}]}"#,
    ),
    (
        "DescribeConformancePackStatus",
        r#"{"ConformancePackStatusDetails":[{"ConformancePackName":"p","ConformancePackId":"conformance-pack-a",
            "ConformancePackArn":"arn:aws:config:eu-west-1:111122223333:conformance-pack/p/conformance-pack-a",
            "ConformancePackState":"UPDATE_FAILED","ConformancePackStatusReason":"no",
            "LastUpdateRequestedTime":1.7e9}]}"#,
    ),
    ("ListTagsForResource", r#"{"Tags":[{"Key":"baseline:template","Value":"sha256-ab"}]}"#),
];

#[tokio::test]
async fn every_answer_is_read() {
    let aws = reader(const { &ConformancePacks::META }, ANSWERS).await;
    let observed = aws.run(ConformancePacks.observe(&aws, &vec!["p".to_owned()])).await;
    let pack = Pack {
        document: Some("doc".into()),
        document_version: Some("2".into()),
        template: Some("sha256-ab".into()),
        state: "UPDATE_FAILED".into(),
        reason: Some("no".into()),
        ..deployed()
    };
    assert_eq!(observed, Ok(seen(pack)));
}
