//! Specimen plans for the tests of text and JSON: two accounts in three regions with one of everything, the
//! same in sync, and five hundred accounts.

mod exception;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::apply::{ApplyReport, ChangeReport, ChangeResult, Remaining};
use crate::control::{
    Change, Field, Finding, Found, Known, ManualTask, Need, Progress, Risk, Step, Thing, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Region, Scope};
use crate::plan::{AccountState, Item, Outcome, Plan, PlannedAccount, Position, SeverityWord, Totals};

use super::human::Context;

pub use exception::{LEGACY, legacy};

pub const ARCHIVE: &str = "444455556666";
pub const PAYMENTS: &str = "111122223333";
const REGIONS: [&str; 3] = ["eu-central-1", "eu-west-1", "us-east-1"];

pub fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

pub fn step(call: &str, title: &str, action: Value) -> Step {
    Step { call: call.into(), title: title.into(), action: action.into() }
}

/// A finding with an outcome that follows from its verdict. `region` empty: once in the account.
pub fn item(account_id: &str, region: &str, control: &str, resource: &str, verdict: Verdict<Step>) -> Item {
    let outcome = match &verdict {
        Verdict::InSync => Outcome::InSync,
        Verdict::Change(_) => Outcome::Change,
        Verdict::Manual(_) => Outcome::Manual,
        Verdict::Progressing(_) => Outcome::Progressing,
        Verdict::Foreign { .. } => Outcome::Foreign,
        Verdict::NotOffered { .. } => Outcome::NotOffered,
        Verdict::Unknown { .. } => Outcome::Unknown,
    };
    let region = (!region.is_empty()).then(|| Region::new(region));
    Item {
        scope: Scope {
            account: account(account_id),
            region: region.clone().unwrap_or_else(|| Region::new("eu-west-1")),
        },
        control: control.into(),
        region,
        severity: SeverityWord::High,
        frameworks: Arc::default(),
        finding: Finding::new(resource, "settings", verdict),
        outcome,
        needs: Arc::default(),
        exception_note: None,
        lapsed: None,
        reason: None,
        declared_at: Vec::new(),
        declared: None,
        selected: true,
    }
}

pub fn key() -> Thing {
    Thing::Key {
        account: account(ARCHIVE),
        region: Region::new("eu-west-1"),
        alias: "alias/baseline/logs".into(),
    }
}

pub fn delivery() -> Thing {
    Thing::Delivery {
        account: account(ARCHIVE),
        region: Region::new("eu-west-1"),
        bucket: "acme-logs-444455556666-eu-west-1-an".into(),
        service: "cloudtrail.amazonaws.com".into(),
        from: account(PAYMENTS),
    }
}

pub fn denied(region: &str, request: &str) -> Fault {
    Fault {
        kind: FaultKind::DeniedByOrganization,
        call: "ecr:DescribeRepositories".into(),
        code: "AccessDeniedException".into(),
        message: format!("an explicit deny in a service control policy for {region}"),
        request_id: Some(request.into()),
    }
}

fn archive_items() -> Vec<Item> {
    let mut key_change = Change::create(
        vec![
            Field::new("/description", Value::Null, "Everything that is logged"),
            Field::new("/rotationDays", Value::Null, 365),
            Field::new("/usedBy", Value::Null, json!(["cloudtrail", "config", "guardduty", "logs"])),
        ],
        ["kms:CreateKey", "kms:CreateAlias", "kms:EnableKeyRotation"]
            .map(|call| step(call, "make the key", json!({ "alias": "alias/baseline/logs" })))
            .into(),
    );
    key_change.cost = Some("a key is charged by the month".into());
    key_change.makes = vec![key()];

    let mut bucket = Change::create(
        vec![
            Field::new("/versioning", Value::Null, true),
            Field::new("/objectLock", Value::Null, json!({ "mode": "GOVERNANCE", "days": 365 })),
            Field::new("/expireAfterDays", Value::Null, 2557),
            Field::new("/services", Value::Null, json!(["cloudtrail", "config", "guardduty"])),
        ],
        [
            "s3:CreateBucket",
            "s3:PutBucketVersioning",
            "s3:PutObjectLockConfiguration",
            "s3:PutBucketPolicy",
            "s3:PutBucketLifecycleConfiguration",
        ]
        .map(|call| step(call, "make the bucket", json!({})))
        .into(),
    );
    bucket.makes = vec![delivery()];
    let bucket_name = "acme-logs-444455556666-eu-west-1-an";
    vec![
        item(ARCHIVE, "eu-west-1", "kms.keys", "alias/baseline/logs", Verdict::Change(key_change)),
        Item {
            needs: [Need::hard(key())].into(),
            ..item(ARCHIVE, "eu-west-1", "s3.log-archive", bucket_name, Verdict::Change(bucket))
        },
    ]
}

/// A detector that lacks `RDS_LOGIN_EVENTS`, and in `us-east-1` is switched off as well.
pub fn detector(account_id: &str, region: &str) -> Item {
    let mut fields = vec![Field::new("/features/RDS_LOGIN_EVENTS", false, true)];
    if region == "us-east-1" {
        fields.insert(0, Field::new("/enabled", false, true));
    }
    let update = step("guardduty:UpdateDetector", "update the detector", json!({ "features": {} }));
    let mut change = Change::update(fields, vec![update]);
    change.cost = Some("GuardDuty charges for RDS_LOGIN_EVENTS".into());
    let at = Position { file: "desired-state/baselines/recommended.yaml".into(), line: 44, column: 27 };
    let mut item = item(account_id, region, "guardduty.detector", "detector", Verdict::Change(change));
    item.finding.rule = "features".into();
    item.frameworks = ["fsbp/GuardDuty.9".into()].into();
    item.declared_at = vec![("/features/RDS_LOGIN_EVENTS".into(), at)];
    item
}

/// A repository that does not scan on push.
pub fn repository(account_id: &str, region: &str, name: &str) -> Item {
    let scan = step(
        "ecr:PutImageScanningConfiguration",
        &format!("scan {name} on push"),
        json!({ "repository": name, "scanOnPush": true }),
    );
    let change = Change::update(vec![Field::new("/rules/0/scanOnPush", false, true)], vec![scan]);
    item(account_id, region, "ecr.repositories", name, Verdict::Change(change))
}

fn trail() -> Item {
    let management = json!({ "Name": "Management events", "FieldSelectors": [
        { "Field": "eventCategory", "Equals": ["Management"] } ] });
    let objects = json!({ "Name": "S3 object writes", "FieldSelectors": [
        { "Field": "eventCategory", "Equals": ["Data"] },
        { "Field": "readOnly", "Equals": ["false"] },
        { "Field": "resources.type", "Equals": ["AWS::S3::Object"] } ] });
    let mut change = Change::update(
        vec![
            Field::new("/encrypt", false, true),
            Field::new("/events/s3", "none", "write-only"),
            Field::new("/events/selectors", json!([management]), json!([management, objects])),
        ],
        ["cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors"]
            .map(|call| step(call, "update the trail", json!({})))
            .into(),
    );
    change.adopts = Some("the multi-region trail of that name, rather than a second".into());
    change.cost = Some("CloudTrail charges for each S3 event".into());
    Item {
        needs: [Need::hard(key()), Need::hard(delivery())].into(),
        ..item(PAYMENTS, "eu-west-1", "cloudtrail.trail", "management-events", Verdict::Change(change))
    }
}

fn root_user() -> Item {
    let task = ManualTask {
        title: "give the root user an MFA device".into(),
        found: vec![("mfa".into(), "no device".into())],
        steps: vec![
            "Sign in to https://console.aws.amazon.com as the root user.".into(),
            "Open Security credentials, then Assign MFA device.".into(),
        ],
        verified: Verified::ByObservation,
    };
    Item {
        severity: SeverityWord::Critical,
        frameworks: ["cis-1.4.0/1.5".into(), "cis-3.0.0/1.5".into(), "fsbp/IAM.9".into()].into(),
        ..item(PAYMENTS, "", "iam.root-user", "root user", Verdict::Manual(task))
    }
}

fn payments_items() -> Vec<Item> {
    let mut password = Change::update(
        vec![Field::new("/minimumLength", 8, 14), Field::new("/reusePrevention", 0, 24)],
        vec![step("iam:UpdateAccountPasswordPolicy", "replace the policy", json!({}))],
    );
    password.carries = Some("maxAgeDays 90: not declared, but the call replaces all".into());
    let mut public = Change::update(
        vec![Field::new("/block", "none", "all")],
        vec![step("s3:PutPublicAccessBlock", "block public access", json!({}))],
    );
    public.risk = Risk::Disruptive;
    public.evidence = Some("2 buckets are public today: www-assets, partner-drop".into());
    let standard = Progress { what: "AWS is enabling it".into(), look_again: 60, patience: 1800 };
    let mut items = vec![item(PAYMENTS, "", "iam.password-policy", "account", Verdict::Change(password))];
    items.extend(REGIONS.map(|region| detector(PAYMENTS, region)));
    items.push(trail());
    items.extend(["api", "web", "worker"].map(|name| repository(PAYMENTS, "eu-west-1", name)));
    items.push(item(
        PAYMENTS,
        "eu-central-1",
        "securityhub.standards",
        "cis/1.4.0",
        Verdict::Progressing(standard),
    ));
    items.push(root_user());
    let fault = denied("us-east-1", "8d1f0c52-6a0e-4d57-9a3e-0b4f4f5d2c11");
    items.push(item(PAYMENTS, "us-east-1", "ecr.repositories", "*", Verdict::Unknown { fault }));
    items.push(Item {
        outcome: Outcome::ObserveOnly,
        ..item(PAYMENTS, "", "s3.account-public-access", "account", Verdict::Change(public))
    });
    for name in ["legacy-billing", "legacy-tax"] {
        items.push(Item {
            outcome: Outcome::Excepted { exception: "legacy-images".into() },
            exception_note: Some(LEGACY.into()),
            ..repository(PAYMENTS, "eu-west-1", name)
        });
    }
    for region in REGIONS {
        let foreign = Verdict::Foreign {
            owner: "Control Tower".into(),
            evidence: "aws-controltower-BaselineConfigRecorder".into(),
        };
        items.push(item(PAYMENTS, region, "config.recorder", "recorder", foreign));
    }
    items
}

pub fn planned(id: &str, name: &str) -> PlannedAccount {
    PlannedAccount {
        id: account(id),
        name: name.into(),
        state: AccountState::Reached,
        regions: REGIONS.map(Region::new).into(),
        controls: 10,
        in_sync: BTreeMap::new(),
        wave: None,
    }
}

/// A plan of these accounts and findings, with totals that count `in_sync` more.
pub fn plan(accounts: Vec<PlannedAccount>, items: Vec<Item>, in_sync: usize) -> Plan {
    let mut totals = Totals { in_sync, ..Totals::default() };
    items.iter().for_each(|item| totals.count(&item.outcome));
    for account in &accounts {
        if matches!(account.state, AccountState::Unreachable { .. } | AccountState::Refused { .. }) {
            totals.count(&Outcome::Unknown);
        }
    }
    let excepted = items.iter().filter(|item| matches!(item.outcome, Outcome::Excepted { .. })).count();
    Plan {
        exceptions: if excepted > 0 { vec![legacy(excepted)] } else { Vec::new() },
        organization: "acme".into(),
        organization_id: Some("o-a1b2c3d4e5".into()),
        revision: Some("4f1c9e2".into()),
        digest: "sha256:9b1e8f3a6c2d".into(),
        caller: "baseline-observe".into(),
        accounts,
        items,
        totals,
        specs: BTreeMap::new(),
        known: Known::new([(key(), Found::Absent), (delivery(), Found::Absent)]),
        regions: 3,
        controls: 10,
    }
}

/// Two accounts, three regions, one of everything.
pub fn two_accounts() -> Plan {
    let mut items = archive_items();
    items.extend(payments_items());
    plan(vec![planned(ARCHIVE, "log-archive"), planned(PAYMENTS, "prod-payments")], items, 19)
}

/// The same, once everything is put right.
pub fn in_sync() -> Plan {
    let mut plan = two_accounts();
    plan.items.retain(|item| matches!(item.outcome, Outcome::Excepted { .. } | Outcome::Foreign));
    self::plan(plan.accounts, plan.items, 33)
}

/// 412 accounts with the same drift in 17 regions, and one without a role.
pub fn five_hundred() -> Plan {
    let regions: Vec<String> = (1..=17).map(|n| format!("eu-test-{n}")).collect();
    let names = ["prod-ledger", "prod-orders", "prod-payments"];
    let mut accounts = Vec::new();
    let mut items = Vec::new();
    for n in 0..412 {
        let id = format!("{:012}", 100_000_000_000_u64 + n);
        let name = usize::try_from(n)
            .ok()
            .and_then(|n| names.get(n))
            .map_or_else(|| format!("prod-{n}"), |n| (*n).into());
        items.extend(regions.iter().map(|region| detector(&id, region)));
        accounts.push(planned(&id, &name));
    }
    let fault = Fault {
        kind: FaultKind::Denied,
        call: "sts:AssumeRole".into(),
        code: "AccessDenied".into(),
        message: "for baseline-observe".into(),
        request_id: None,
    };
    accounts.push(PlannedAccount {
        state: AccountState::Unreachable { fault },
        regions: regions.iter().map(|code| Region::new(code.as_str())).collect(),
        controls: 12,
        ..planned("777788889999", "training-7")
    });
    let suspended = AccountState::NotTried { why: "suspended".into() };
    accounts.push(PlannedAccount { state: suspended, ..planned("123412341234", "closing-1") });
    Plan { regions: 17, controls: 12, ..plan(accounts, items, 0) }
}

/// An apply of [`two_accounts`] in which one detector had moved.
pub fn applied() -> ApplyReport {
    let plan = two_accounts();
    let millis = [1900, 2800, 400, 500, 500, 0, 14_200, 200, 200, 300];
    let changes = plan
        .changes()
        .zip(millis)
        .map(|((_, item), millis)| {
            let moved = item.control == "guardduty.detector" && item.scope.region.as_str() == "us-east-1";
            let what = "enabled was false when planned and is true now".into();
            let trail = item.control == "cloudtrail.trail";
            ChangeReport {
                item: item.clone(),
                calls: if moved { 0 } else { item.finding.change().map_or(0, |change| change.steps.len()) },
                elapsed: Duration::from_millis(millis),
                retried: trail
                    .then(|| "retried for 12 s: InsufficientEncryptionPolicyException (new key)".into()),
                result: if moved { ChangeResult::Moved { what, who: None } } else { ChangeResult::Held },
            }
        })
        .collect();
    ApplyReport {
        run: "01JDB4N3W0".into(),
        audit: "s3://acme-baseline-audit/runs/01JDB4N3W0".into(),
        role: "baseline-apply".into(),
        changes,
        interrupted: false,
        held_back: Vec::new(),
        remaining: Remaining { manual: 1, progressing: 1, blocked: 0, unknown: 1 },
    }
}

pub fn context() -> Context<'static> {
    Context {
        command: "plan",
        reads: 97,
        elapsed: Duration::from_millis(3_400),
        show_in_sync: false,
        detailed_exitcode: false,
        next: Some("baseline apply"),
        selectors: None,
        exit: (4, "one control could not be observed"),
        saved: None,
        controls: &[],
    }
}
