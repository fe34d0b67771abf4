use serde_json::json;

use super::lifecycle::{Expiry, Rules, Theirs};
use super::live::{AccessLogs, Bucket, Encrypted, ObjectLock, Versioning};
use super::policy::MOST_BYTES;
use super::write::What;
use super::*;
use crate::control::{AccountId, Change, ChangeKind, Direction, Found, Risk};
use crate::controls::tests::facts as member;
use crate::diff::policy::{Delivery, allows_service, with_statements};
use crate::fault::FaultKind;

const ARN: &str = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd";

/// The archive's own account.
fn facts() -> Facts {
    let mut facts = member();
    facts.scope.account = "444455556666".parse().unwrap();
    facts
}

fn known() -> Known {
    let key = Place::of(&facts(), &LogArchiveSpec::default()).unwrap().key();
    Known::new([(key, Found::Present { arn: ARN.into() })])
}

fn spec(spec: Value) -> LogArchiveSpec {
    serde_json::from_value(spec).unwrap()
}

fn live() -> Bucket {
    Bucket {
        versioning: Some(Versioning { enabled: true, mfa_delete: false }),
        encryption: Some(Encrypted { algorithm: "aws:kms".into(), key: Some(ARN.into()), bucket_key: true }),
        public_access: Some([true; 4]),
        ownership: Some("BucketOwnerEnforced".into()),
        policy: Some(json!({})),
        object_lock: Some(ObjectLock {
            enabled: true,
            mode: Some("GOVERNANCE".into()),
            days: Some(365),
            years: None,
        }),
        lifecycle: Some(Rules {
            ours: Expiry { current: Some(2557), noncurrent: Some(30), uploads: None },
            others: vec![],
        }),
        access_logs: Some(AccessLogs { bucket: Some("acme-access".into()), prefix: "archive/".into() }),
        unread: Vec::new(),
    }
}

fn findings(declared: Value, bucket: Option<Bucket>) -> Vec<Finding<Write>> {
    let observed = Observed { name: "acme-logs".into(), bucket };
    LogArchive.plan(&facts(), &known(), &spec(declared), &observed)
}

/// The verdict of the one rule that is declared, beside the bucket's own.
fn verdict(declared: Value, bucket: Bucket) -> Verdict<Write> {
    let mut found = findings(declared, Some(bucket));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].verdict, Verdict::InSync);
    found.remove(1).verdict
}

fn change(declared: Value, bucket: Bucket) -> Change<Write> {
    match verdict(declared, bucket) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn refusal(declared: Value, bucket: Bucket) -> String {
    match verdict(declared, bucket) {
        Verdict::Unknown { fault } => fault.message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_are_the_archives_in_its_account_and_known_beforehand_elsewhere() {
    let place = |facts: &Facts, declared| Place::of(facts, &spec(declared));
    let there = place(&facts(), json!({})).unwrap();
    assert_eq!((there.bucket.as_str(), there.key.as_str()), ("acme-logs", "alias/baseline/logs"));
    let elsewhere = place(&member(), json!({})).unwrap();
    assert_eq!(elsewhere.bucket, "baseline-logs-111122223333-eu-west-1-an");
    assert!(elsewhere.is_account_regional() && !there.is_account_regional());
    assert_eq!(place(&member(), json!({"bucket": "mine"})).unwrap().bucket, "mine");
    let other = place(&facts(), json!({"bucket": "mine"})).unwrap_err();
    assert!(other.message.contains("is not the archive's acme-logs"), "{other}");
    let mut moved = facts();
    moved.scope.region = crate::place::Region::new("eu-central-1");
    assert!(place(&moved, json!({})).unwrap_err().message.contains("the archive is in eu-west-1"));
}

#[test]
fn a_new_bucket_is_made_first_and_what_s3_makes_right_by_itself_is_not_written() {
    let found = findings(
        json!({
            "services": ["guardduty"], "from": "organization", "versioning": true, "encryption": "key",
            "blockPublicAccess": true, "ownership": "BucketOwnerEnforced", "tlsOnly": true,
            "objectLock": {"mode": "GOVERNANCE", "days": 365}, "expireAfterDays": 2557,
        }),
        None,
    );
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["bucket", "encryption", "policy", "object-lock", "lifecycle"]);
    for finding in &found {
        let change = finding.change().expect("a change");
        assert_eq!(change.kind, ChangeKind::Create, "{}", finding.rule);
        assert_eq!(change.risk, Risk::Safe, "{}", finding.rule);
        assert!(change.fields.iter().all(|field| field.before.is_null()), "{}", finding.rule);
    }
    let create = found[0].change().unwrap();
    let tags = facts().tags;
    let ownership = Some(Ownership::BucketOwnerEnforced);
    let what = What::Create { account_regional: false, object_lock: true, ownership, tags };
    assert_eq!(create.steps, [Write { bucket: "acme-logs".into(), what }]);
    let paths: Vec<&str> = create.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["/bucket", "/versioning", "/ownership"]);
    assert!(!serde_json::to_string(&found).unwrap().contains("arn:"));
}

#[test]
fn a_missing_key_holds_up_nothing_but_the_encryption() {
    let found = findings(json!({"encryption": "key", "versioning": true}), None);
    let stands_on = |rule: &str| {
        let finding = found.iter().find(|finding| finding.rule == rule).expect(rule);
        finding.change().unwrap().stands_on.clone().unwrap()
    };
    assert!(stands_on("bucket").is_empty() && stands_on("versioning").is_empty());
    assert_eq!(stands_on("encryption").len(), 1);
}

#[test]
fn encryption_is_with_the_key_by_its_name() {
    let declared = json!({"encryption": "key", "bucketKey": true});
    assert_eq!(verdict(declared.clone(), live()), Verdict::InSync);
    let with = |algorithm: &str, key: Option<&str>, bucket_key| {
        let key = key.map(str::to_owned);
        Bucket { encryption: Some(Encrypted { algorithm: algorithm.into(), key, bucket_key }), ..live() }
    };
    let by_s3 = change(declared.clone(), with("AES256", None, true));
    assert_eq!(by_s3.fields, [Field::new("/encryption", "aws-managed", "key")]);
    assert!(by_s3.cost.is_some());
    let other = change(declared.clone(), with("aws:kms", Some("arn:aws:kms:eu-west-1:1:key/x"), true));
    assert_eq!(other.fields, [Field::new("/key", "another key", "alias/baseline/logs")]);
    assert!(!serde_json::to_string(&other).unwrap().contains("arn:"));
    let slow = change(declared, with("aws:kms", Some(ARN), false));
    assert_eq!(slow.fields, [Field::new("/bucketKey", false, true)]);
    let weaker = change(json!({"encryption": "aws-managed"}), live());
    assert_eq!(weaker.direction, Direction::Weakens);
    assert!(weaker.carries.is_some_and(|carries| carries.contains("bucketKey true")));
}

#[test]
fn a_lock_that_nobody_can_undo_says_so_and_a_softer_or_shorter_one_weakens() {
    let lock = |mode: &str, days: u32| json!({"objectLock": {"mode": mode, "days": days}});
    assert_eq!(verdict(lock("GOVERNANCE", 365), live()), Verdict::InSync);
    let hard = change(lock("COMPLIANCE", 365), live());
    assert_eq!((hard.risk, hard.direction), (Risk::Irreversible, Direction::Strengthens));
    assert_eq!(hard.fields, [Field::new("/objectLock/mode", "GOVERNANCE", "COMPLIANCE")]);
    let shorter = change(lock("GOVERNANCE", 30), live());
    assert_eq!((shorter.risk, shorter.direction), (Risk::Safe, Direction::Weakens));
    let none = change(lock("none", 365), live());
    assert_eq!(none.direction, Direction::Weakens);
    let years = ObjectLock { mode: Some("GOVERNANCE".into()), years: Some(1), enabled: true, days: None };
    let in_years = change(lock("GOVERNANCE", 365), Bucket { object_lock: Some(years), ..live() });
    assert_eq!(in_years.fields, [Field::new("/objectLock/days", "1 years", 365)]);
    assert_eq!(in_years.direction, Direction::Strengthens);
    let longer = change(json!({"objectLock": {"days": 366}}), live());
    assert_eq!(longer.carries.as_deref(), Some("mode GOVERNANCE: not declared"));
    let unset = Bucket { object_lock: Some(ObjectLock::default()), ..live() };
    assert!(
        refusal(json!({"objectLock": {"mode": "GOVERNANCE"}}), unset).contains("needs `mode` and `days`")
    );
}

#[test]
fn what_cannot_be_together_is_told() {
    let rule = |declared: Value, rule: &str| {
        let found = findings(declared, Some(live()));
        let finding = found.into_iter().find(|finding| finding.rule == rule).expect(rule);
        match finding.verdict {
            Verdict::Unknown { fault } => fault.message,
            other => panic!("{rule}: {other:?}"),
        }
    };
    let locked = json!({"mode": "GOVERNANCE", "days": 365});
    let config = json!({"services": ["config"], "objectLock": locked});
    assert!(rule(config, "object-lock").contains("AWS Config does not deliver"));
    let unversioned = json!({"versioning": false, "objectLock": locked});
    assert!(rule(unversioned, "versioning").contains("cannot both be"));
    let short = json!({"expireAfterDays": 364, "objectLock": locked});
    assert!(rule(short, "lifecycle").contains("ends before `objectLock.days: 365`"));
    let itself = json!({"accessLogs": {"bucket": "acme-logs"}});
    assert!(rule(itself, "access-logs").contains("its own logging"));
    let deletes = json!({"mfaDelete": "required", "expireAfterDays": 400});
    assert!(rule(deletes, "mfa-delete").contains("MFA delete"));
}

#[test]
fn mfa_delete_is_a_task_that_needs_no_access_key() {
    assert_eq!(findings(json!({"mfaDelete": "unmanaged"}), Some(live())).len(), 1);
    let Verdict::Manual(task) = verdict(json!({"mfaDelete": "required"}), live()) else { panic!("no task") };
    let steps = task.steps.join("\n");
    assert!(steps.contains("CloudShell") && steps.contains("do not make one"), "{steps}");
    assert!(
        !steps.contains("create-access-key") && task.steps.iter().all(|step| step.len() <= 80),
        "{steps}"
    );
    let on = Bucket { versioning: Some(Versioning { enabled: true, mfa_delete: true }), ..live() };
    assert_eq!(verdict(json!({"mfaDelete": "required"}), on), Verdict::InSync);
}

#[test]
fn what_deletes_sooner_is_destructive_and_what_others_delete_is_by_hand() {
    let expire = |days: Value| json!({"expireAfterDays": days});
    assert_eq!(verdict(expire(json!(2557)), live()), Verdict::InSync);
    let sooner = change(expire(json!(400)), live());
    assert_eq!((sooner.risk, sooner.direction), (Risk::Destructive, Direction::Weakens));
    let later = change(expire(json!("never")), live());
    assert_eq!((later.risk, later.direction), (Risk::Safe, Direction::Strengthens));
    assert_eq!(later.fields, [Field::new("/expireAfterDays", 2557, "never")]);
    let empty = Bucket { lifecycle: Some(Rules::default()), ..live() };
    let first = change(expire(json!(2557)), empty);
    assert_eq!((first.risk, first.direction), (Risk::Destructive, Direction::Neutral));
    let theirs = |days| {
        let others = vec![Theirs { id: "clean-up".into(), days }];
        Bucket { lifecycle: Some(Rules { others, ..live().lifecycle.unwrap() }), ..live() }
    };
    assert!(
        matches!(verdict(expire(json!(2557)), theirs(1)), Verdict::Manual(task) if task.found[0].0 == "clean-up")
    );
    assert_eq!(verdict(expire(json!(2557)), theirs(3000)), Verdict::InSync);
}

fn policy_of(declared: &Value, live: Option<&Value>) -> Value {
    let wanted = policy::Wanted::of(&facts(), &spec(declared.clone()));
    with_statements(live, &wanted.statements("aws", "acme-logs", live))
}

fn lets(policy: &Value, service: &str, account: &str) -> bool {
    allows_service(
        &policy.to_string(),
        &Delivery {
            service,
            action: "s3:PutObject",
            resource: &format!("arn:aws:s3:::acme-logs/AWSLogs/{account}/x"),
            account,
            organization: Some("o-a1b2c3d4e5"),
        },
    )
}

const SERVICES: [&str; 4] = [
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "guardduty.amazonaws.com",
    "delivery.logs.amazonaws.com",
];

fn accounts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{:012}", 100_000_000_000_u64 + n as u64)).collect()
}

/// 20 KiB is all that a bucket policy has.
#[test]
fn a_hundred_and_fifty_accounts_fit_both_ways() {
    let ids = accounts(150);
    for from in [json!("organization"), json!(ids)] {
        let declared =
            json!({"tlsOnly": true, "services": ["cloudtrail", "config", "guardduty", "logs"], "from": from});
        let policy = policy_of(&declared, None);
        let bytes = policy.to_string().len();
        assert!(bytes <= MOST_BYTES, "{bytes}");
        for service in SERVICES {
            assert!(ids.iter().all(|id| lets(&policy, service, id)), "{service}");
            assert_eq!(lets(&policy, service, "999999999999"), from == "organization", "{service}");
        }
        let observed = Bucket { policy: Some(policy), ..live() };
        assert_eq!(verdict(declared, observed), Verdict::InSync);
    }
    let many = json!({"services": ["cloudtrail", "config", "guardduty", "logs"], "from": accounts(400)});
    assert!(refusal(many, live()).contains("`from: organization`"));
}

#[test]
fn the_list_only_grows_and_statements_of_others_stay() {
    let theirs = json!({"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-logs/partner/*"});
    let before = json!({"Version": "2012-10-17", "Statement": [theirs]});
    let of = |ids: &[&str]| json!({"services": ["cloudtrail", "config"], "from": ids});
    let one = policy_of(&of(&["100000000001"]), Some(&before));
    let two = policy_of(&of(&["100000000002"]), Some(&one));
    for service in &SERVICES[..2] {
        assert!(lets(&two, service, "100000000001") && lets(&two, service, "100000000002"), "{service}");
        assert!(!lets(&two, service, "100000000003"), "{service}");
    }
    assert_eq!(two["Statement"][0], theirs);
    let grown = change(of(&["100000000002"]), Bucket { policy: Some(one), ..live() });
    let field = Field::new("/from", json!(["100000000001"]), json!(["100000000002"]));
    assert_eq!(grown.fields, [field]);
    assert_eq!(grown.carries.as_deref(), Some("1 statement of others stays"));
    assert_eq!(verdict(of(&["100000000002"]), Bucket { policy: Some(two), ..live() }), Verdict::InSync);
}

#[test]
fn a_policy_makes_the_deliveries_that_others_need() {
    let declared = json!({"services": ["guardduty"], "from": "organization"});
    let made = change(declared, live()).makes;
    let (account, region): (AccountId, _) = (facts().scope.account, facts().scope.region);
    let (bucket, service) = ("acme-logs".to_owned(), "guardduty.amazonaws.com".to_owned());
    let needed = Thing::Delivery {
        account: account.clone(),
        region: region.clone(),
        bucket: bucket.clone(),
        service: service.clone(),
        from: "111122223333".parse().unwrap(),
    };
    assert_eq!(made, [needed.part_of().unwrap()]);
    let listed = change(json!({"services": ["guardduty"], "from": ["111122223333"]}), live()).makes;
    assert_eq!(listed, [needed]);
    let own = change(json!({"services": ["guardduty"]}), live()).makes;
    assert!(matches!(&own[..], [Thing::Delivery { from, .. }] if *from == facts().scope.account));
}

#[test]
fn a_service_that_is_missing_is_named_and_the_policy_says_what_it_refuses() {
    let one = policy_of(&json!({"services": ["cloudtrail"], "from": "organization"}), None);
    let declared = json!({"tlsOnly": true, "services": ["cloudtrail", "guardduty"], "from": "organization"});
    let added = change(declared, Bucket { policy: Some(one), ..live() });
    let services = Field::new("/services", json!(["cloudtrail"]), json!(["cloudtrail", "guardduty"]));
    assert_eq!(added.fields, [Field::new("/tlsOnly", false, true), services]);
    assert_eq!((added.risk, added.direction), (Risk::Disruptive, Direction::Strengthens));
    let with_tls = policy_of(&json!({"tlsOnly": true}), None);
    let off = verdict(json!({"tlsOnly": false}), Bucket { policy: Some(with_tls), ..live() });
    assert!(matches!(off, Verdict::Manual(_)), "{off:?}");
    assert_eq!(verdict(json!({"tlsOnly": false}), live()), Verdict::InSync);
}

#[test]
fn undo_says_what_was_before_of_this_bucket_alone() {
    let hard = change(json!({"objectLock": {"mode": "COMPLIANCE", "days": 366}}), live());
    let inverse = LogArchive.inverse("acme-logs", &hard.fields).unwrap();
    let wanted = spec(json!({"bucket": "acme-logs", "objectLock": {"mode": "GOVERNANCE", "days": 365}}));
    assert_eq!(inverse, wanted);
    assert_eq!(LogArchive.inverse("acme-logs", &[Field::new("/encryption", "another key", "key")]), None);
    let named = LogArchive.inverse("acme-logs", &[Field::new("/key", "alias/a", "alias/b")]).unwrap();
    assert_eq!(named, spec(json!({"bucket": "acme-logs", "key": "alias/a", "encryption": "key"})));
}

/// What is not set is an answer, and stays one when the observation is saved.
#[test]
fn an_observation_is_the_same_when_it_is_read_back() {
    let none = Bucket {
        versioning: Some(Versioning::default()),
        encryption: Some(Encrypted::default()),
        public_access: Some([false; 4]),
        ownership: Some(String::new()),
        policy: Some(json!({})),
        object_lock: Some(ObjectLock::default()),
        lifecycle: Some(Rules::default()),
        access_logs: Some(AccessLogs::default()),
        unread: Vec::new(),
    };
    for bucket in [none, live(), Bucket::default()] {
        let text = serde_json::to_string(&bucket).unwrap();
        assert_eq!(serde_json::from_str::<Bucket>(&text).unwrap(), bucket);
    }
}

#[test]
fn access_logs_can_be_turned_off_and_their_prefix_goes_along() {
    let off = change(json!({"accessLogs": {"bucket": "none", "prefix": "archive/"}}), live());
    assert_eq!(off.direction, Direction::Weakens);
    assert_eq!(off.steps[0].what, What::AccessLogs { bucket: None, prefix: String::new() });
    let kept = change(json!({"accessLogs": {"bucket": "acme-other"}}), live());
    let what = What::AccessLogs { bucket: Some("acme-other".into()), prefix: "archive/".into() };
    assert_eq!(kept.steps[0].what, what);
    assert_eq!(kept.stands_on.unwrap().len(), 1);
    assert_eq!(verdict(json!({"accessLogs": {"prefix": "archive/"}}), live()), Verdict::InSync);
}

#[test]
fn one_read_that_failed_makes_one_rule_unknown_and_names_the_bucket() {
    let denied = Fault::local(FaultKind::Denied, "s3:GetBucketPolicy", "not authorized");
    let bucket = Bucket { policy: None, unread: vec![denied.clone()], ..live() };
    let found = findings(json!({"versioning": true, "tlsOnly": true}), Some(bucket));
    let of = |rule: &str| &found.iter().find(|finding| finding.rule == rule).unwrap().verdict;
    assert_eq!((of("bucket"), of("versioning")), (&Verdict::InSync, &Verdict::InSync));
    assert_eq!(of("policy"), &Verdict::Unknown { fault: denied });
    assert!(found.iter().all(|finding| finding.resource == "acme-logs"));
}
