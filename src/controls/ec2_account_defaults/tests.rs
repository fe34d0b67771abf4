use serde_json::{Value, json};

use super::live::{Metadata, SerialConsole, Sharing};
use super::spec::{HopLimit, Switch, Tokens};
use super::*;
use crate::control::{AwsWrite as _, Bounded, Change, Direction, Field, Found, Risk, Thing};
use crate::controls::tests::facts;
use crate::fault::FaultKind;

fn metadata() -> Metadata {
    Metadata {
        tokens: Tokens::NoPreference,
        hop_limit: HopLimit::NoPreference,
        endpoint: Switch::NoPreference,
        instance_tags: Switch::NoPreference,
        tokens_enforced: Switch::NoPreference,
        owner: None,
        policy_says: None,
    }
}

/// A new account.
fn live() -> Defaults {
    let images = Sharing { access: ImageAccess::BlockNewSharing, owner: None, public: None };
    let snapshots = Sharing { access: SnapshotAccess::Unblocked, owner: None, public: Some(2) };
    Defaults {
        ebs_encryption: Some(Sight::Seen(false)),
        ebs_key: Some(Sight::Seen(Key::AwsManaged)),
        snapshots: Some(Sight::Seen(snapshots)),
        images: Some(Sight::Seen(images)),
        metadata: Some(Sight::Seen(metadata())),
        serial_console: Some(Sight::Seen(SerialConsole { open: false, owner: None })),
    }
}

fn findings(spec: Value, live: &Defaults) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(spec).unwrap();
    AccountDefaults.plan(&facts(), &Known::default(), &spec, live)
}

fn change(spec: Value, live: &Defaults) -> Change<Write> {
    let mut found = findings(spec, live);
    assert_eq!(found.len(), 1, "{found:?}");
    match found.remove(0).verdict {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn key(live: Key) -> Defaults {
    Defaults { ebs_key: Some(Sight::Seen(live)), ..self::live() }
}

fn own(aliases: &[&str]) -> Key {
    Key::Own { aliases: aliases.iter().map(|&alias| alias.to_owned()).collect() }
}

fn hops(hops: u32) -> HopLimit {
    HopLimit::Hops(Bounded::new(hops).unwrap())
}

#[test]
fn nothing_declared_is_nothing_asked_and_nothing_said() {
    let spec = DefaultsSpec::default();
    assert_eq!(AccountDefaults.ask(&facts(), &spec), Ask::default());
    assert_eq!(findings(json!({"instanceMetadata": {}}), &live()), []);
}

#[test]
fn every_setting_is_a_finding_of_its_own_and_in_sync_says_so() {
    let spec = AccountDefaults.import(&facts(), &Known::default(), &live()).unwrap();
    let found = AccountDefaults.plan(&facts(), &Known::default(), &spec, &live());
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    let named: Vec<&str> = AccountDefaults::META.rules.iter().map(|rule| rule.id).collect();
    assert_eq!(rules, named);
}

#[test]
fn turning_a_setting_back_weakens() {
    let closed = Defaults {
        ebs_encryption: Some(Sight::Seen(true)),
        snapshots: Some(Sight::Seen(Sharing {
            access: SnapshotAccess::BlockAllSharing,
            owner: None,
            public: None,
        })),
        metadata: Some(Sight::Seen(Metadata {
            tokens: Tokens::Required,
            hop_limit: hops(1),
            endpoint: Switch::Disabled,
            tokens_enforced: Switch::Enabled,
            ..metadata()
        })),
        ..live()
    };
    for spec in [
        json!({"ebsEncryption": false}),
        json!({"snapshotPublicAccess": "block-new-sharing"}),
        json!({"snapshotPublicAccess": "unblocked"}),
        json!({"imagePublicAccess": "unblocked"}),
        json!({"instanceMetadata": {"tokens": "no-preference"}}),
        json!({"instanceMetadata": {"tokens": "optional"}}),
        json!({"instanceMetadata": {"hopLimit": 2}}),
        json!({"instanceMetadata": {"endpoint": "enabled"}}),
        json!({"instanceMetadata": {"tokensEnforced": "disabled"}}),
        json!({"serialConsole": true}),
    ] {
        assert_eq!(change(spec.clone(), &closed).direction, Direction::Weakens, "{spec}");
    }
    let shown = change(json!({"snapshotPublicAccess": "unblocked"}), &closed);
    assert!(shown.evidence.is_some_and(|text| text.contains("become public again")));
}

#[test]
fn a_metadata_default_that_is_not_declared_is_not_sent() {
    let before =
        Defaults { metadata: Some(Sight::Seen(Metadata { hop_limit: hops(5), ..metadata() })), ..live() };
    let change = change(json!({"instanceMetadata": {"tokens": "required", "hopLimit": 5}}), &before);
    let sent = MetadataSpec { tokens: Some(Tokens::Required), ..MetadataSpec::default() };
    assert_eq!(change.steps, [Write::InstanceMetadata(sent.clone())]);
    assert_eq!(serde_json::to_value(sent).unwrap(), json!({"tokens": "required"}));
    assert_eq!(change.fields, [Field::new("/instanceMetadata/tokens", "no-preference", "required")]);
    assert_eq!((change.risk, change.direction), (Risk::Safe, Direction::Strengthens));
}

#[test]
fn a_hop_limit_is_taken_out_by_its_word() {
    let before =
        Defaults { metadata: Some(Sight::Seen(Metadata { hop_limit: hops(5), ..metadata() })), ..live() };
    let change = change(json!({"instanceMetadata": {"hopLimit": "no-preference"}}), &before);
    assert_eq!(change.fields, [Field::new("/instanceMetadata/hopLimit", 5, "no-preference")]);
    assert_eq!(change.direction, Direction::Neutral);
}

#[test]
fn enforcement_has_a_risk_of_its_own() {
    let spec = json!({"instanceMetadata": {"tokens": "required", "tokensEnforced": "enabled"}});
    let risks: Vec<(String, Option<Risk>)> = findings(spec, &live())
        .into_iter()
        .map(|finding| (finding.rule.clone(), finding.change().map(|change| change.risk)))
        .collect();
    let wanted = [
        ("instance-metadata".to_owned(), Some(Risk::Safe)),
        ("instance-metadata-enforcement".to_owned(), Some(Risk::Disruptive)),
    ];
    assert_eq!(risks, wanted);
}

#[test]
fn instances_without_a_metadata_service_have_no_credentials() {
    let change = change(json!({"instanceMetadata": {"endpoint": "disabled"}}), &live());
    assert_eq!((change.risk, change.direction), (Risk::Disruptive, Direction::Strengthens));
    assert!(change.evidence.is_some_and(|text| text.contains("no credentials")));
}

#[test]
fn only_the_key_stands_on_the_key() {
    let alias = json!({"ebsKey": "alias/acme/ebs", "ebsEncryption": true});
    let spec: DefaultsSpec = serde_json::from_value(alias.clone()).unwrap();
    let needs = AccountDefaults.needs(&facts(), &spec);
    let scope = facts().scope;
    let thing = Thing::Key { account: scope.account, region: scope.region, alias: "alias/acme/ebs".into() };
    assert_eq!(needs, [Need::hard(thing.clone())]);
    let stands: Vec<Vec<Thing>> = findings(alias, &live())
        .iter()
        .filter_map(|finding| finding.change())
        .map(|change| change.needs(&needs).map(|need| need.thing.clone()).collect())
        .collect();
    assert_eq!(stands, [vec![], vec![thing]]);
    let managed: DefaultsSpec = serde_json::from_value(json!({"ebsKey": "aws-managed"})).unwrap();
    assert_eq!(AccountDefaults.needs(&facts(), &managed), []);
}

#[test]
fn the_live_key_is_told_by_a_name() {
    let elsewhere = Key::Elsewhere { account: "999988887777".into(), region: "eu-west-1".into() };
    for (live, before) in [
        (Key::AwsManaged, "aws-managed"),
        (own(&["alias/other", "alias/zzz"]), "alias/other"),
        (own(&[]), "a key without an alias"),
        (elsewhere, "a key of 999988887777 in eu-west-1"),
    ] {
        let change = change(json!({"ebsKey": "alias/acme/ebs"}), &key(live));
        assert_eq!(change.fields, [Field::new("/ebsKey", before, "alias/acme/ebs")]);
        assert_eq!(change.risk, Risk::Disruptive);
    }
    let named = findings(json!({"ebsKey": "alias/acme/ebs"}), &key(own(&["alias/a", "alias/acme/ebs"])));
    assert_eq!(named[0].verdict, Verdict::InSync);
    // A plan speaks in names even where the engine knows the ARN.
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd".to_owned();
    let spec: DefaultsSpec = serde_json::from_value(json!({"ebsKey": "alias/acme/ebs"})).unwrap();
    let need = AccountDefaults.needs(&facts(), &spec).remove(0).thing;
    let known = Known::new([(need, Found::Present { arn })]);
    let found = AccountDefaults.plan(&facts(), &known, &spec, &live());
    assert!(!serde_json::to_string(&found).unwrap().contains("arn:"));
}

#[test]
fn undo_declares_the_names_from_before_and_nothing_that_has_none() {
    let inverse =
        |before: &str| AccountDefaults.inverse("ebs-key", &[Field::new("/ebsKey", before, "alias/acme/ebs")]);
    let alias = inverse("alias/other").and_then(|spec| spec.ebs_key);
    assert_eq!(alias, Some(EbsKey::Alias("alias/other".into())));
    assert!(inverse("a key without an alias").is_none());
    let hops = [Field::new("/instanceMetadata/hopLimit", "no-preference", 2)];
    let spec = AccountDefaults.inverse("instance-metadata", &hops).unwrap();
    assert_eq!(spec.instance_metadata.hop_limit, Some(HopLimit::NoPreference));
}

#[test]
fn what_was_not_seen_is_unknown_and_the_rest_is_judged() {
    let fault = Fault::local(FaultKind::Denied, "ec2:GetSerialConsoleAccessStatus", "no");
    let before = Defaults { serial_console: Some(Sight::Unseen(fault.clone())), images: None, ..live() };
    let spec = json!({
        "ebsEncryption": false, "imagePublicAccess": "block-new-sharing", "serialConsole": false,
    });
    let found = findings(spec, &before);
    assert_eq!(found[0].verdict, Verdict::InSync);
    assert!(matches!(found[1].verdict, Verdict::Unknown { .. }), "{:?}", found[1]);
    assert_eq!(found[2].verdict, Verdict::Unknown { fault });
}

#[test]
fn blocking_images_is_given_the_minutes_that_aws_says() {
    assert_eq!(Write::ImageAccess(ImageAccess::BlockNewSharing).call().shows_within, Some(600));
    assert_eq!(Write::SerialConsole(false).call().shows_within, None);
}
