//! What comes out of right documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::{ACCOUNT, ORGANIZATION, RECOMMENDED, TODAY, Tree, resolved};
use crate::control::{Fault, FaultKind, Sight, Tags};
use crate::desired::{
    AccountStanding, DesiredAccount, Exception, Managed, Mode, Roster, RosterAccount, Settings, Status,
    Subject, render, template,
};
use crate::place::{Region, Scope};

fn baseline(name: &str, rest: &str) -> String {
    format!("apiVersion: baseline/v1\nkind: Baseline\nmetadata: {{name: {name}}}\nspec:\n{rest}")
}

fn listed(id: &str, name: &str, ou: &str) -> RosterAccount {
    RosterAccount {
        id: id.parse().unwrap(),
        name: name.into(),
        ou: Some(ou.into()),
        tags: BTreeMap::from([("stage".into(), "prod".into())]),
        status: Status::Active,
    }
}

fn spec(account: &DesiredAccount, control: &str) -> serde_json::Value {
    (*account.controls[control].spec).clone()
}

#[test]
fn later_baselines_and_the_account_win_and_null_takes_out() {
    let organization = format!("{}  - use: more\n", ORGANIZATION.1);
    let more = baseline(
        "more",
        "  extends: [recommended]\n  controls:\n    iam.password-policy: {maxAgeDays: 90, minimumLength: 16}\n    guardduty.detector:\n      features: {S3_DATA_EVENTS: null}\n",
    );
    let account = format!(
        "{}  controls:\n    iam.password-policy: {{reason: audited, minimumLength: 20}}\n    guardduty.detector: {{mode: observe, reason: later}}\n",
        ACCOUNT.1
    );
    let (accounts, said) = resolved(
        &[("o.yaml", &organization), RECOMMENDED, ("more.yaml", &more), ("a.yaml", &account)],
        &Roster::default(),
    );
    assert_eq!(said, "");
    let [account] = &*accounts else { panic!("{accounts:?}") };
    assert_eq!(
        spec(account, "iam.password-policy"),
        json!({"minimumLength": 20, "reusePrevention": 24, "maxAgeDays": 90})
    );
    assert_eq!(spec(account, "guardduty.detector"), json!({"features": {"RUNTIME_MONITORING": false}}));
    assert_eq!(account.controls["guardduty.detector"].mode, Mode::Observe);
    let control = &account.controls["iam.password-policy"];
    assert_eq!(control.reason.as_deref(), Some("audited"));
    let origin = |pointer: &str| control.origins[pointer].to_string();
    assert!(origin("/minimumLength").ends_with("a.yaml:7:59"), "{}", origin("/minimumLength"));
    assert!(origin("/reusePrevention").ends_with("recommended.yaml:8:24"));
}

#[test]
fn unmanaged_takes_a_control_out() {
    let account =
        format!("{}  controls:\n    guardduty.detector: {{mode: unmanaged, reason: not ours}}\n", ACCOUNT.1);
    let (accounts, _) = resolved(&[ORGANIZATION, RECOMMENDED, ("a.yaml", &account)], &Roster::default());
    assert_eq!(accounts[0].controls.keys().collect::<Vec<_>>(), ["iam.password-policy"]);
}

#[test]
fn an_account_that_says_it_settles_a_disagreement() {
    let organization =
        format!("{}  - use: strict\n  - use: loose\n", ORGANIZATION.1.replace("  - use: recommended\n", ""));
    let strict = baseline("strict", "  controls: {iam.password-policy: {minimumLength: 20}}\n");
    let loose = baseline("loose", "  controls: {iam.password-policy: {minimumLength: 8}}\n");
    let account =
        format!("{}  controls: {{iam.password-policy: {{minimumLength: 12, reason: agreed}}}}\n", ACCOUNT.1);
    let files = [("o.yaml", &*organization), ("s.yaml", &strict), ("l.yaml", &loose), ("a.yaml", &account)];
    let (accounts, said) = resolved(&files, &Roster::default());
    assert_eq!(
        (said.as_str(), spec(&accounts[0], "iam.password-policy")),
        ("", json!({"minimumLength": 12}))
    );
}

const SELECTING: &str = "apiVersion: baseline/v1
kind: Organization
metadata: {name: acme}
spec:
  seats: {security: \"777766665555\"}
  regions: {home: eu-west-1, managed: [eu-west-1], except: {me-central-1: closed}}
  accounts:
    discover: true
    except: {\"333333333333\": closes soon}
  baselines:
  - use: recommended
  - use: strict
    where: {ou: [/Workloads], tags: {stage: [prod]}}
  controls:
    guardduty.organization: {newMembers: ALL}
";

#[test]
fn discovered_accounts_are_selected_by_unit_and_tag() {
    let strict = baseline(
        "strict",
        "  extends: [recommended]\n  controls: {iam.password-policy: {minimumLength: 20}}\n",
    );
    let document = "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: prod-1}\nspec: {regions: {managed: all-enabled, except: {ap-south-2: guardrail}}}\n";
    let mut suspended = listed("444444444444", "old", "/Workloads");
    suspended.status = Status::Suspended("SUSPENDED".into());
    let roster = Roster {
        accounts: vec![
            listed("111111111111", "prod-1", "/Workloads/Prod"),
            listed("222222222222", "dev-1", "/Sandbox"),
            listed("333333333333", "dev-2", "/Sandbox"),
            suspended,
            listed("777766665555", "security", "/Core"),
        ],
    };
    let files = [("o.yaml", SELECTING), RECOMMENDED, ("s.yaml", &*strict), ("a.yaml", document)];
    let (accounts, said) = resolved(&files, &roster);
    assert_eq!(said, "");
    let names: Vec<&str> = accounts.iter().map(|account| &*account.name).collect();
    assert_eq!(names, ["dev-1", "dev-2", "old", "prod-1", "security"]);
    let [dev_1, dev_2, old, prod, security] = &*accounts else { panic!() };
    assert_eq!(dev_1.state, AccountStanding::Managed);
    assert_eq!(dev_2.state, AccountStanding::NotTried { why: "closes soon".into() });
    assert_eq!(old.state, AccountStanding::NotTried { why: "SUSPENDED".into() });
    assert_eq!(spec(prod, "iam.password-policy")["minimumLength"], 20);
    assert_eq!(spec(dev_1, "iam.password-policy")["minimumLength"], 14);
    assert_eq!(prod.managed, Managed::AllEnabled);
    assert_eq!(prod.except.keys().collect::<Vec<_>>(), ["ap-south-2", "me-central-1"]);
    assert_eq!(dev_1.managed, Managed::Listed(vec![Region::new("eu-west-1")]));
    assert!(security.controls.contains_key("guardduty.organization"));
    assert!(!prod.controls.contains_key("guardduty.organization"));
    assert!(Arc::ptr_eq(&dev_1.controls, &dev_2.controls), "equal accounts share one copy");
}

#[test]
fn without_a_roster_units_decide_nothing() {
    let strict = baseline("strict", "  controls: {}\n");
    let tree = Tree::new(&[("o.yaml", SELECTING), RECOMMENDED, ("s.yaml", &strict)]);
    let mut unit = tree.documents().resolve(&Roster::default());
    assert!(unit.accounts.is_empty());
    tree.write("a.yaml", ACCOUNT.1.as_bytes());
    unit = tree.documents().resolve(&Roster::default());
    assert_eq!(unit.undecided.into_iter().collect::<Vec<_>>(), ["strict"]);
}

#[test]
fn a_name_that_no_account_has_is_an_error() {
    let strict = baseline("strict", "  controls: {}\n");
    let document = "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: prd-1}\nspec: {}\n";
    let roster = Roster {
        accounts: vec![listed("111111111111", "prod-1", "/"), listed("777766665555", "security", "/")],
    };
    let (_, said) =
        resolved(&[("o.yaml", SELECTING), RECOMMENDED, ("s.yaml", &strict), ("a.yaml", document)], &roster);
    insta::assert_snapshot!(said, @"
    error: no account is called `prd-1` in AWS Organizations
     --> dir/a.yaml:3:18
      |
    3 | metadata: {name: prd-1}
      |                  ^^^^^
      |
      = help: did you mean `prod-1`?
      = help: `spec.id` says which one is meant

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn an_exception_holds_on_its_last_day_and_not_after() {
    let exception = "apiVersion: baseline/v1\nkind: Exception\nmetadata: {name: e}\nspec:\n  control: ecr.repositories\n  rule: scan-on-push\n  accounts: [prod*]\n  regions: [eu-west-1]\n  resources: [\"legacy-*\"]\n  reason: r\n  owner: o\n  approver: a\n  expires: 2026-11-23\n";
    let documents = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT, ("e.yaml", exception)]).documents();
    let [exception] = &*documents.exceptions else { panic!() };
    let account = documents.resolve(&Roster::default()).accounts.remove(0);
    let dev = DesiredAccount { name: "dev".into(), ..account.clone() };
    let is_about = |account, region: &str, rule, resource| {
        let region = Region::new(region);
        let control = "ecr.repositories";
        exception.is_about(&Subject { account, region: &region, control, rule, resource, tags: None })
    };
    assert_eq!(is_about(&account, "eu-west-1", "scan-on-push", "legacy-api"), Some(true));
    assert_eq!(is_about(&dev, "eu-west-1", "scan-on-push", "legacy-api"), Some(false));
    assert_eq!(is_about(&account, "us-east-1", "scan-on-push", "legacy-api"), Some(false));
    assert_eq!(is_about(&account, "eu-west-1", "immutable-tags", "legacy-api"), Some(false));
    assert_eq!(is_about(&account, "eu-west-1", "scan-on-push", "api"), Some(false));
    let here = Region::new("eu-west-1");
    assert!(exception.holds_in(&account, &here, TODAY));
    assert!(!exception.holds_in(&account, &here, TODAY.tomorrow().unwrap()));
}

/// Whoever it means is told by the words of a baseline's `where`, and by the tags of the resource.
#[test]
fn an_exception_means_accounts_by_where_and_resources_by_their_tags() {
    let exception = "apiVersion: baseline/v1\nkind: Exception\nmetadata: {name: e}\nspec:\n  control: ecr.repositories\n  where:\n    tags: {stage: [prod]}\n    ou: [/Workloads]\n  reason: r\n  owner: o\n  approver: a\n  expires: 2026-11-23\n";
    let documents = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT, ("e.yaml", exception)]).documents();
    let account = documents.resolve(&Roster::default()).accounts.remove(0);
    let listed = |ou: &str, stage: &str| DesiredAccount {
        listed: Some(RosterAccount {
            id: account.id.clone(),
            name: "prod".into(),
            ou: Some(ou.into()),
            tags: [("stage".to_owned(), stage.to_owned())].into(),
            status: Status::Active,
        }),
        labels: Default::default(),
        ..account.clone()
    };
    let [exception] = &*documents.exceptions else { panic!() };
    assert!(exception.means(&listed("/Workloads/Prod", "prod")));
    assert!(!exception.means(&listed("/Workloads/Prod", "test")));
    assert!(!exception.means(&listed("/Other", "prod")));
    assert!(!exception.means(&DesiredAccount { listed: None, ..listed("/", "") }), "nobody asked");

    let tagged =
        Exception { resource_tags: [("stage".into(), vec!["legacy".into()])].into(), ..exception.clone() };
    let account = listed("/Workloads", "prod");
    let is_about = |tags: Option<&Tags>| {
        let region = Region::new("eu-west-1");
        let (control, rule, resource) = ("ecr.repositories", "scan-on-push", "api");
        tagged.is_about(&Subject { account: &account, region: &region, control, rule, resource, tags })
    };
    let tags = |stage: &str| Sight::Seen([("stage".to_owned(), stage.to_owned())].into());
    assert_eq!(is_about(Some(&tags("legacy"))), Some(true));
    assert_eq!(is_about(Some(&tags("new"))), Some(false));
    assert_eq!(is_about(None), Some(false), "it has none, or is not there yet");
    let unseen = Sight::Unseen(Fault::local(FaultKind::Denied, "a:B", "no"));
    assert_eq!(is_about(Some(&unseen)), None);
}

/// What controls may know of it, where AWS keeps exceptions itself.
#[test]
fn an_exception_that_names_resources_is_a_fact_of_its_scopes() {
    let exception = "apiVersion: baseline/v1\nkind: Exception\nmetadata: {name: e}\nspec:\n  control: ecr.repositories\n  accounts: [\"111122223333\"]\n  regions: [eu-west-1]\n  resources: [\"legacy-*\"]\n  reason: r\n  owner: o\n  approver: a\n  expires: 2026-11-23\n";
    let whole = exception.replace("{name: e}", "{name: whole}").replace("  resources: [\"legacy-*\"]\n", "");
    let files = [ORGANIZATION, RECOMMENDED, ACCOUNT, ("e.yaml", exception), ("w.yaml", &whole)];
    let documents = Tree::new(&files).documents();
    let accounts = documents.resolve(&Roster::default()).accounts;
    let settings = Settings::of(&documents);
    let exempt =
        |region: &str, at: &str| settings.exempt(&accounts[0], &Region::new(region), at.parse().unwrap());
    let held = exempt("eu-west-1", "2026-11-23T23:59:59Z");
    let [one] = &held[..] else { panic!("{held:?}") };
    assert_eq!(
        (one.name.as_str(), one.control.as_str(), one.reason.as_str()),
        ("e", "ecr.repositories", "r")
    );
    assert_eq!(
        (&one.resources[..], one.expires.to_string()),
        (&["legacy-*".to_owned()][..], "2026-11-23".into())
    );
    assert_eq!(exempt("eu-west-1", "2026-11-24T00:00:00Z"), []);
    assert_eq!(exempt("us-east-1", "2026-11-23T00:00:00Z"), []);
}

#[test]
fn an_attestation_vouches_for_its_rule_alone() {
    let attestation = "apiVersion: baseline/v1\nkind: Attestation\nmetadata: {name: a}\nspec:\n  control: iam.root-user\n  rule: no-keys\n  accounts: [\"1111*\"]\n  by: jo\n  expires: 2027-01-01\n";
    let documents = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT, ("a.yaml", attestation)]).documents();
    let [attestation] = &*documents.attestations else { panic!() };
    let id = "111122223333".parse().unwrap();
    assert!(attestation.matches(&id, "prod", "iam.root-user", "no-keys", TODAY));
    assert!(!attestation.matches(&id, "prod", "iam.root-user", "mfa", TODAY));
    assert!(!attestation.matches(
        &"2".repeat(12).parse().unwrap(),
        "prod",
        "iam.root-user",
        "no-keys",
        TODAY
    ));
}

#[test]
fn guards_are_strict_unless_something_else_is_said() {
    let guards = Tree::new(&[ORGANIZATION, RECOMMENDED]).documents().organization.guards;
    assert_eq!((guards.accounts_at_once, guards.percent_of_resources), (5, None));
    assert_eq!(guards.refuse, ["destructive", "irreversible", "weakening"]);
    let said = format!(
        "{}  guards: {{accountsAtOnce: 25, refuse: []}}\n  limits: {{ec2: {{perSecond: 2.5}}}}\n",
        ORGANIZATION.1
    );
    let organization = Tree::new(&[("o.yaml", &said), RECOMMENDED]).documents().organization;
    assert_eq!((organization.guards.accounts_at_once, organization.guards.refuse.len()), (25, 0));
    assert_eq!(organization.limits["ec2"].per_second.to_string(), "2.5");
}

#[test]
fn rendered_documents_can_be_read_back() {
    let account = format!(
        "{}  controls:\n    ecr.repositories:\n      regions: [home, us-east-1]\n      rules:\n      - select: {{names: [\"*\", 'a: b']}}\n        lifecycle: \"line\\nbreak \\u202e\"\n      - select: {{names: []}}\n",
        ACCOUNT.1
    );
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ("account.yaml", &account)]);
    let accounts = tree.documents().resolve(&Roster::default()).accounts;
    let name = tree.path().to_string_lossy().into_owned();
    insta::assert_snapshot!(render(&accounts[0], true).replace(&name, "dir"), @r#"
    # prod (111122223333)
    apiVersion: baseline/v1
    kind: Account
    metadata:
      name: prod
    spec:
      id: "111122223333"
      regions:
        home: eu-west-1
        managed: all-enabled
      controls:
        ecr.repositories:
          regions: [home, us-east-1] # dir/account.yaml:8:7
          rules: # dir/account.yaml:9:7
          - lifecycle: "line\nbreak \u202e" # dir/account.yaml:11:20
            select: # dir/account.yaml:10:9
              names: ["*", "a: b"] # dir/account.yaml:10:18
          - select: # dir/account.yaml:12:9
              names: [] # dir/account.yaml:12:18
        guardduty.detector:
          features:
            RUNTIME_MONITORING: false # dir/recommended.yaml:12:29
            S3_DATA_EVENTS: true # dir/recommended.yaml:11:25
        iam.password-policy:
          minimumLength: 14 # dir/recommended.yaml:7:22
          reusePrevention: 24 # dir/recommended.yaml:8:24
    "#);
    let again = Tree::new(&[
        ("o.yaml", &ORGANIZATION.1.replace("  baselines:\n  - use: recommended\n", "")),
        ("a.yaml", &render(&accounts[0], false)),
    ]);
    let read = again.documents().resolve(&Roster::default()).accounts;
    assert_eq!(render(&read[0], false), render(&accounts[0], false));
}

#[test]
fn templates_are_filled_where_the_schema_says_so() {
    let detector = crate::desired::specimens::CONTROLS[2];
    let spec =
        json!({"publish": {"bucket": "l-{account}-{region}-{partition}-{organization}", "key": "{account}"}});
    let scope = Scope { account: "111122223333".parse().unwrap(), region: Region::new("cn-north-1") };
    let values = template::Values { scope: &scope, organization: Some("o-1") };
    let filled = template::fill(&spec, &detector.schema(), values);
    assert_eq!(
        filled,
        json!({"publish": {"bucket": "l-111122223333-cn-north-1-aws-cn-o-1", "key": "{account}"}})
    );
}
