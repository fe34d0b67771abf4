use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::services::{Place, Service, Source};
use super::write::Ours;
use super::*;
use crate::control::{Change, ChangeKind, Direction, Risk, Thing, Verdict};
use crate::controls::tests::facts;
use crate::fault::FaultKind;
use crate::place::AccountId;

const ALIAS: &str = "alias/logs";
const AT: &str = "/keys/alias~1logs";

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn organization() -> Source {
    Source::Organization("o-a1b2c3d4e5".into())
}

fn accounts(ids: &[&str]) -> Source {
    Source::Accounts(ids.iter().map(|id| account(id)).collect())
}

/// The policy that lets these services in, and the account itself.
fn policy(services: &[(Service, Source)]) -> Value {
    let ours = Ours { services: services.iter().cloned().collect(), ..Ours::default() };
    ours.within(None, &facts().scope)
}

fn live() -> Key {
    Key {
        aliased: true,
        state: "Enabled".into(),
        deletion: None,
        description: "logs".into(),
        unrotated: None,
        rotation: Some(Sight::Seen(365)),
        policy: Sight::Seen(policy(&[(Service::Config, organization())])),
        tags: Some(Sight::Seen(BTreeMap::from([("stage".into(), "prod".into())]))),
    }
}

fn plan_with(facts: &Facts, spec: Value, live: Sight<Option<Key>>) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(json!({"keys": {ALIAS: spec}})).unwrap();
    Keys.plan(facts, &Known::default(), &spec, &BTreeMap::from([(ALIAS.into(), live)]))
}

fn plan(spec: Value, live: Key) -> Vec<Finding<Write>> {
    plan_with(&facts(), spec, Sight::Seen(Some(live)))
}

fn of(findings: &[Finding<Write>], rule: &str) -> Verdict<Write> {
    let found = findings.iter().find(|finding| finding.rule == rule);
    found.unwrap_or_else(|| panic!("no {rule} in {findings:?}")).verdict.clone()
}

fn change(findings: &[Finding<Write>], rule: &str) -> Change<Write> {
    match of(findings, rule) {
        Verdict::Change(change) => change,
        other => panic!("{rule}: {other:?}"),
    }
}

fn rules(findings: &[Finding<Write>]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}

fn calls(change: &Change<Write>) -> Vec<&'static str> {
    use crate::control::AwsWrite as _;
    change.steps.iter().map(|step| step.call().operation).collect()
}

#[test]
fn an_absent_key_is_made_whole_once_and_says_what_it_costs() {
    let spec = json!({"description": "logs", "rotationDays": 365, "usedBy": ["logs", "config"],
                      "from": "organization", "tags": {"stage": "prod"}});
    let findings = plan_with(&facts(), spec, Sight::Seen(None));
    assert_eq!(rules(&findings), ["key"]);
    let change = change(&findings, "key");
    assert_eq!(change.kind, ChangeKind::Create);
    assert_eq!(calls(&change), ["kms:CreateKey", "kms:CreateAlias", "kms:EnableKeyRotation"]);
    assert!(change.cost.is_some_and(|cost| cost.contains("a key is charged by the month")));
    let scope = facts().scope;
    let key = Thing::Key { account: scope.account.clone(), region: scope.region, alias: ALIAS.into() };
    assert_eq!(change.makes, [key]);
    let Write::Create { policy, tags, .. } = &change.steps[0] else { panic!("{:?}", change.steps) };
    assert_eq!(policy.services[&Service::Config], organization());
    assert_eq!(policy.services[&Service::Logs], Source::Accounts(BTreeSet::from([scope.account])));
    assert_eq!(tags["managed-by"], "baseline");
    let said = serde_json::to_string(&findings).unwrap();
    assert!(!said.contains("arn:"), "{said}");
}

#[test]
fn a_key_that_says_nothing_is_made_without_rotation() {
    let change = change(&plan_with(&facts(), json!({}), Sight::Seen(None)), "key");
    assert_eq!(calls(&change), ["kms:CreateKey", "kms:CreateAlias"]);
    assert_eq!(change.fields, [Field::new(AT, Value::Null, "Enabled")]);
}

#[test]
fn without_an_organization_services_call_for_this_account() {
    let mut alone = facts();
    alone.organization = None;
    let spec = json!({"usedBy": ["config"], "from": "organization"});
    let change = change(&plan_with(&alone, spec, Sight::Seen(None)), "key");
    let Write::Create { policy, .. } = &change.steps[0] else { panic!("{:?}", change.steps) };
    assert_eq!(policy.services[&Service::Config], accounts(&["111122223333"]));
    assert!(change.evidence.is_some_and(|text| text.contains("no organization id")));
}

#[test]
fn a_key_without_its_alias_is_made_whole_in_one_change() {
    let half = Key { aliased: false, rotation: Some(Sight::Seen(0)), ..live() };
    let spec =
        json!({"description": "logs", "rotationDays": 365, "usedBy": ["config"], "from": "organization"});
    let findings = plan(spec, half);
    let change = change(&findings, "key");
    assert_eq!(calls(&change), ["kms:CreateAlias", "kms:EnableKeyRotation"]);
    assert_eq!(change.kind, ChangeKind::Update);
    assert!(change.adopts.is_some() && !change.makes.is_empty());
    assert!(!rules(&findings).contains(&"rotation"), "{findings:?}");
    assert_eq!(of(&findings, "policy"), Verdict::InSync);
}

#[test]
fn what_is_as_declared_is_in_sync() {
    let spec = json!({"description": "logs", "rotationDays": 365, "usedBy": ["config"], "from": "organization",
                      "tags": {"stage": "prod"}});
    let findings = plan(spec, live());
    let all = ["pending-deletion", "enabled", "key", "policy", "rotation", "description", "tags", "public"];
    assert_eq!(rules(&findings), all);
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::InSync), "{findings:?}");
}

#[test]
fn a_key_pending_deletion_shows_its_last_day_and_the_way_back() {
    let going = Key { state: "PendingDeletion".into(), deletion: Some("2026-12-24".into()), ..live() };
    let findings = plan(json!({"rotationDays": 90}), going);
    let change = change(&findings, "pending-deletion");
    assert_eq!(calls(&change), ["kms:CancelKeyDeletion", "kms:EnableKey"]);
    assert!(change.evidence.is_some_and(|text| text.contains("2026-12-24")));
    assert!(!rules(&findings).contains(&"rotation"), "KMS hides it: {findings:?}");
    let rule = Keys::META.rule("pending-deletion").unwrap();
    assert_eq!((rule.severity, rule.frameworks), (Severity::Critical, &["fsbp/KMS.3"][..]));
}

#[test]
fn each_state_has_its_verdict() {
    let at = |state: &str| of(&plan(json!({}), Key { state: state.into(), ..live() }), "enabled");
    assert_eq!(at("Enabled"), Verdict::InSync);
    assert!(matches!(at("Disabled"), Verdict::Change(change) if calls(&change) == ["kms:EnableKey"]));
    assert!(matches!(at("Creating"), Verdict::Progressing(_)));
    assert!(matches!(at("Updating"), Verdict::Progressing(_)));
    assert!(matches!(at("PendingImport"), Verdict::Manual(_)));
    assert!(matches!(at("Unavailable"), Verdict::Manual(_)));
    assert!(matches!(at("Molten"), Verdict::Unknown { fault } if fault.kind == FaultKind::Invalid));
}

#[test]
fn rotating_less_often_weakens() {
    for (live_days, want, direction, call) in [
        (0, 365, Direction::Strengthens, "kms:EnableKeyRotation"),
        (365, 90, Direction::Strengthens, "kms:EnableKeyRotation"),
        (365, 400, Direction::Weakens, "kms:EnableKeyRotation"),
        (365, 0, Direction::Weakens, "kms:DisableKeyRotation"),
    ] {
        let key = Key { rotation: Some(Sight::Seen(live_days)), ..live() };
        let change = change(&plan(json!({"rotationDays": want}), key), "rotation");
        assert_eq!((change.direction, calls(&change)), (direction, vec![call]), "{live_days} {want}");
        assert_eq!(change.fields, [Field::new(format!("{AT}/rotationDays"), live_days, want)]);
    }
}

#[test]
fn a_key_that_kms_does_not_rotate_is_not_offered_rotation() {
    let imported = Key { unrotated: Some("the key's material is imported".into()), rotation: None, ..live() };
    let verdict = |days| of(&plan(json!({"rotationDays": days}), imported.clone()), "rotation");
    assert_eq!(verdict(365), Verdict::NotOffered { source: "the key's material is imported".into() });
    assert_eq!(verdict(0), Verdict::InSync);
}

#[test]
fn a_service_that_lacks_its_statement_is_let_in_and_others_stay() {
    let mut policy = policy(&[(Service::Config, organization())]);
    let partner = json!({"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "444455556666"},
                         "Action": "kms:Decrypt", "Resource": "*"});
    policy["Statement"].as_array_mut().unwrap().push(partner.clone());
    let findings = plan(
        json!({"usedBy": ["cloudtrail", "config"], "from": "organization"}),
        Key { policy: Sight::Seen(policy.clone()), ..live() },
    );
    let change = change(&findings, "policy");
    let field = Field::new(format!("{AT}/usedBy"), json!(["config"]), json!(["cloudtrail", "config"]));
    assert_eq!(change.fields, [field]);
    assert_eq!(change.carries.as_deref(), Some("1 statement of others"));
    assert_eq!(change.direction, Direction::Neutral);
    let [Write::PutPolicy { policy: ours, .. }] = &change.steps[..] else { panic!("{:?}", change.steps) };
    let whole = ours.within(Some(&policy), &facts().scope);
    assert_eq!(whole["Statement"].as_array().unwrap()[..3], policy["Statement"].as_array().unwrap()[..]);
    assert_eq!(whole["Statement"].as_array().unwrap().len(), 4);
}

#[test]
fn a_service_that_is_no_longer_declared_keeps_its_statement() {
    let policy = policy(&[(Service::Config, organization()), (Service::Sns, organization())]);
    let findings = plan(
        json!({"usedBy": ["config"], "from": "organization"}),
        Key { policy: Sight::Seen(policy), ..live() },
    );
    assert_eq!(of(&findings, "policy"), Verdict::InSync);
}

#[test]
fn a_list_of_accounts_is_only_added_to() {
    let live =
        Key { policy: Sight::Seen(policy(&[(Service::Config, accounts(&["111122223333"]))])), ..live() };
    let spec = |ids: &[&str]| json!({"usedBy": ["config"], "from": ids});
    assert_eq!(of(&plan(spec(&["111122223333"]), live.clone()), "policy"), Verdict::InSync);
    let change = change(&plan(spec(&["444455556666"]), live), "policy");
    let both = json!(["111122223333", "444455556666"]);
    assert_eq!(change.fields, [Field::new(format!("{AT}/from"), json!(["111122223333"]), both)]);
    assert_eq!(change.risk, Risk::Safe);
    assert!(change.carries.is_some_and(|text| text.contains("111122223333")));
}

#[test]
fn a_list_instead_of_the_organization_may_break_what_runs() {
    let spec = json!({"usedBy": ["config"], "from": ["444455556666"]});
    let change = change(&plan(spec, live()), "policy");
    let field = Field::new(format!("{AT}/from"), "organization", json!(["444455556666"]));
    assert_eq!((change.fields, change.risk), (vec![field], Risk::Disruptive));
}

#[test]
fn callers_that_are_not_said_are_left_as_they_are() {
    let elsewhere = Source::Organization("o-elsewhere".into());
    let key = Key { policy: Sight::Seen(policy(&[(Service::Config, elsewhere)])), ..live() };
    assert_eq!(of(&plan(json!({"usedBy": ["config"]}), key), "policy"), Verdict::InSync);
}

#[test]
fn the_account_itself_is_never_left_out() {
    let live_policy = json!({"Version": "2012-10-17", "Statement": [
        Service::Config.statement(&organization(), &Place::from(&facts().scope)),
    ]});
    let key = Key { policy: Sight::Seen(live_policy.clone()), ..live() };
    let change = change(&plan(json!({"usedBy": ["config"], "from": "organization"}), key), "policy");
    assert_eq!(change.fields[0].path, format!("{AT}/statements/Enable IAM User Permissions"));
    assert!(change.evidence.is_some_and(|text| text.contains("IAM policies of this account")));
    let [Write::PutPolicy { policy, .. }] = &change.steps[..] else { panic!("{:?}", change.steps) };
    let whole = policy.within(Some(&live_policy), &facts().scope);
    assert!(statement::keeps_owner(&whole, "aws", &facts().scope.account));
}

#[test]
fn a_declared_statement_is_compared_by_meaning() {
    let deny =
        |actions: Value| json!({"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": "*"});
    let mut policy = policy(&[]);
    let mut there = deny(json!("KMS:schedulekeydeletion"));
    there["Sid"] = json!("SomebodyElses");
    there["Principal"] = json!({"AWS": ["*"]});
    policy["Statement"].as_array_mut().unwrap().push(there);
    let key = Key { policy: Sight::Seen(policy), ..live() };
    let spec = |actions| json!({"statements": {"NobodyDeletes": deny(actions)}});
    assert_eq!(of(&plan(spec(json!(["kms:ScheduleKeyDeletion"])), key.clone()), "policy"), Verdict::InSync);
    let change = change(&plan(spec(json!(["kms:DisableKey"])), key), "policy");
    assert_eq!(change.direction, Direction::Strengthens);
    assert_eq!(change.fields[0].path, format!("{AT}/statements/NobodyDeletes"));
}

#[test]
fn a_statement_for_everyone_weakens_and_stays_a_task_for_a_person() {
    let open = json!({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"});
    let change = change(&plan(json!({"statements": {"All": open}}), live()), "policy");
    assert_eq!(change.direction, Direction::Weakens);
    let mut policy = policy(&[]);
    let mut named = open;
    named["Sid"] = json!("All");
    policy["Statement"].as_array_mut().unwrap().push(named);
    let findings = plan(json!({}), Key { policy: Sight::Seen(policy), ..live() });
    let Verdict::Manual(task) = of(&findings, "public") else { panic!("{findings:?}") };
    assert!(task.found[0].1.contains("All"), "{task:?}");
}

#[test]
fn what_cannot_be_read_is_unknown_and_the_rest_is_not() {
    let fault = Fault::local(FaultKind::Denied, "kms:GetKeyPolicy", "no");
    let key = Key { policy: Sight::Unseen(fault.clone()), ..live() };
    let findings = plan(json!({"usedBy": ["config"], "rotationDays": 365}), key);
    for rule in ["policy", "public"] {
        assert_eq!(of(&findings, rule), Verdict::Unknown { fault: fault.clone() }, "{rule}");
    }
    assert_eq!(of(&findings, "rotation"), Verdict::InSync);
    let unseen = plan_with(&facts(), json!({}), Sight::Unseen(fault.clone()));
    assert_eq!(unseen, [Finding::new(ALIAS, "key", Verdict::Unknown { fault })]);
}

/// 150 accounts, and the services that an archive's key has.
#[test]
fn a_large_organization_fits_both_ways_and_what_does_not_fit_is_said() {
    let many: Vec<String> = (0..150).map(|number| format!("{:012}", 100_000_000_000_u64 + number)).collect();
    let archive = ["cloudtrail", "config", "guardduty", "logs", "log-delivery", "sns"];
    let all: Vec<&str> = Service::ALL.into_iter().map(Service::word).collect();
    let length = |spec: Value| match of(&plan_with(&facts(), spec, Sight::Seen(None)), "key") {
        Verdict::Change(change) => {
            let Write::Create { policy, .. } = &change.steps[0] else { panic!("{change:?}") };
            Ok(policy.within(None, &facts().scope).to_string().len())
        }
        Verdict::Manual(task) => Err(task.found[0].1.clone()),
        other => panic!("{other:?}"),
    };
    let whole = length(json!({"usedBy": all, "from": "organization"})).unwrap();
    assert!(whole < 4096, "{whole}");
    let listed = length(json!({"usedBy": archive, "from": many})).unwrap();
    assert!(listed > 16_384 && listed <= policy::LONGEST, "{listed}");
    let too_long = length(json!({"usedBy": all, "from": many})).unwrap_err();
    assert!(too_long.contains("KMS takes 32768"), "{too_long}");
}

#[test]
fn undo_says_what_was_there_and_takes_nothing_out() {
    let before = |leaf: &str, value: Value| Field::new(format!("{AT}/{leaf}"), value, Value::Null);
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"});
    let fields = [
        Field::new(AT, "Disabled", "Enabled"),
        before("description", json!("old")),
        before("rotationDays", json!(0)),
        before("from", json!("organization")),
        before("statements/Mine", deny.clone()),
        before("statements/New", Value::Null),
        before("statements/Enable IAM User Permissions", Value::Null),
        before("tags/a~1b", json!("x")),
        before("tags/new", Value::Null),
    ];
    let spec = serde_json::to_value(Keys.inverse(ALIAS, &fields).unwrap()).unwrap();
    let key = &spec["keys"][ALIAS];
    assert_eq!((&key["description"], &key["rotationDays"]), (&json!("old"), &json!(0)));
    assert_eq!((&key["from"], &key["usedBy"]), (&json!("organization"), &Value::Null));
    assert_eq!(key["statements"], json!({"Mine": deny}));
    assert_eq!(key["tags"], json!({"a/b": "x"}));
}
