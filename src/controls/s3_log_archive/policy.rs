//! Our statements in the bucket's policy, each known by its `Sid`: no request without TLS, and for each service
//! what it needs to deliver.
//!
//! What services ask of a bucket: CloudTrail `GetBucketAcl` and `PutObject` (User Guide, "Amazon S3 bucket
//! policy for CloudTrail"); Config `GetBucketAcl`, `ListBucket` and `PutObject` (Developer Guide, "Permissions
//! for the Amazon S3 bucket"); GuardDuty `GetBucketLocation` and `PutObject` (User Guide, "Exporting
//! findings"); CloudWatch Logs `GetBucketAcl` and `PutObject` (User Guide, "Enabling logging from AWS
//! services"). That a bucket is there may be asked for anybody, as in Control Tower's own audit bucket: those
//! calls are not known to carry the organisation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::live::set;
use super::place::Place;
use super::plan::invalid;
use super::spec::{Everybody, From, LogArchiveSpec, Service};
use super::write::{PUT_POLICY, What, Write};
use crate::control::{Change, Direction, Facts, Field, ManualTask, Risk, Thing, Verdict, Verified};
use crate::diff::policy::{by_sid, lacking, with_statements};
use crate::place::AccountId;

/// Bytes of a bucket policy (S3 User Guide, "Bucket policies": 20 KB).
pub const MOST_BYTES: usize = 20 * 1024;

const TLS_ONLY: &str = "BaselineTlsOnly";

/// For whom the services deliver, by names that are known beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Senders {
    /// The organisation's id.
    Organization(String),
    Accounts(BTreeSet<AccountId>),
}

/// What is declared of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    pub tls_only: bool,
    pub services: BTreeSet<Service>,
    pub from: Senders,
}

impl Wanted {
    pub fn of(facts: &Facts, spec: &LogArchiveSpec) -> Self {
        let organization = facts.organization.as_ref().and_then(|organization| organization.id.clone());
        let own = || Senders::Accounts(BTreeSet::from([facts.scope.account.clone()]));
        let from = match &spec.from {
            Some(From::All(Everybody::Organization)) => organization.map_or_else(own, Senders::Organization),
            Some(From::Accounts(ids)) => Senders::Accounts(ids.iter().cloned().collect()),
            None => own(),
        };
        let services = spec.services.iter().flatten().copied().collect();
        Self { tls_only: spec.tls_only == Some(true), services, from }
    }

    /// Our statements beside a live policy, whose accounts they keep.
    pub fn statements(&self, partition: &str, bucket: &str, live: Option<&Value>) -> Vec<Value> {
        let arn = format!("arn:{partition}:s3:::{bucket}");
        let mut all = Vec::new();
        if self.tls_only {
            all.push(tls_only(&arn));
        }
        for service in &self.services {
            let mut from = self.from.clone();
            if let (Senders::Accounts(ids), Some(there)) = (&mut from, by_sid(live, &service.deliver())) {
                ids.extend(accounts_in(there));
            }
            all.push(json!({
                "Sid": service.check(),
                "Effect": "Allow",
                "Principal": {"Service": service.principal()},
                "Action": service.asks(),
                "Resource": arn,
            }));
            all.push(json!({
                "Sid": service.deliver(),
                "Effect": "Allow",
                "Principal": {"Service": service.principal()},
                "Action": "s3:PutObject",
                "Resource": format!("{arn}/AWSLogs/*"),
                "Condition": from.condition(*service, partition),
            }));
        }
        all
    }
}

fn tls_only(arn: &str) -> Value {
    json!({
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    })
}

impl Service {
    fn capital(self) -> &'static str {
        match self {
            Self::Cloudtrail => "CloudTrail",
            Self::Config => "Config",
            Self::Guardduty => "GuardDuty",
            Self::Logs => "Logs",
        }
    }

    fn check(self) -> String {
        format!("Baseline{}Check", self.capital())
    }

    pub fn deliver(self) -> String {
        format!("Baseline{}Delivery", self.capital())
    }

    /// What it asks of the bucket itself.
    fn asks(self) -> &'static [&'static str] {
        match self {
            Self::Cloudtrail | Self::Logs => &["s3:GetBucketAcl"],
            Self::Config => &["s3:GetBucketAcl", "s3:ListBucket"],
            Self::Guardduty => &["s3:GetBucketLocation"],
        }
    }
}

impl Senders {
    /// CloudTrail documents `aws:SourceArn` and no `aws:SourceAccount`.
    fn condition(&self, service: Service, partition: &str) -> Value {
        match (self, service) {
            (Self::Organization(id), _) => json!({"StringEquals": {"aws:SourceOrgID": id}}),
            (Self::Accounts(ids), Service::Cloudtrail) => {
                let trail = |id: &AccountId| format!("arn:{partition}:cloudtrail:*:{}:trail/*", id.as_str());
                json!({"ArnLike": {"aws:SourceArn": ids.iter().map(trail).collect::<Vec<_>>()}})
            }
            (Self::Accounts(ids), _) => json!({"StringEquals": {"aws:SourceAccount": ids}}),
        }
    }

    fn words(&self) -> Value {
        match self {
            Self::Organization(_) => json!("organization"),
            Self::Accounts(ids) => json!(ids),
        }
    }
}

/// The accounts that a statement of ours names.
fn accounts_in(statement: &Value) -> BTreeSet<AccountId> {
    let values = |operator: &str, key: &str| match &statement["Condition"][operator][key] {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    };
    let arns = values("ArnLike", "aws:SourceArn");
    let from_arns = arns.iter().filter_map(|arn| arn.split(':').nth(4).map(str::to_owned));
    let accounts = values("StringEquals", "aws:SourceAccount").into_iter().chain(from_arns);
    accounts.filter_map(|id| id.parse().ok()).collect()
}

/// For whom a statement of ours lets deliver, in the spec's words; `None` where it is not in one of our forms.
fn senders(statement: &Value) -> Option<Senders> {
    let accounts = accounts_in(statement);
    match statement["Condition"]["StringEquals"]["aws:SourceOrgID"].as_str() {
        Some(id) => Some(Senders::Organization(id.to_owned())),
        None => (!accounts.is_empty()).then_some(Senders::Accounts(accounts)),
    }
}

/// Is it the same but for whom it lets deliver?
fn differs_in_senders(live: &Value, wanted: &Value) -> bool {
    let mut with_ours = live.clone();
    with_ours["Condition"] = wanted["Condition"].clone();
    let policy = json!({"Version": "2012-10-17", "Statement": [with_ours]});
    senders(live).is_some() && lacking(Some(&policy), std::slice::from_ref(wanted)).is_empty()
}

/// Declared beside live: one finding, because one call writes the policy whole.
pub fn plan(facts: &Facts, place: &Place, spec: &LogArchiveSpec, live: &Value) -> Verdict<Write> {
    let live = set(live);
    if spec.tls_only == Some(false) && by_sid(live, TLS_ONLY).is_some() {
        return allows_plain(place);
    }
    let wanted = Wanted::of(facts, spec);
    let statements = wanted.statements(&facts.partition, &place.bucket, live);
    let missing: BTreeSet<&str> =
        lacking(live, &statements).into_iter().filter_map(|statement| statement["Sid"].as_str()).collect();
    if missing.is_empty() {
        return Verdict::InSync;
    }
    let merged = with_statements(live, &statements);
    let bytes = merged.to_string().len();
    if bytes > MOST_BYTES {
        return invalid(
            PUT_POLICY.operation,
            format!(
                "the policy would have {bytes} bytes, and a bucket policy has {MOST_BYTES} at most: \
                 `from: organization` names one id instead of every account"
            ),
        );
    }
    let mut fields = Vec::new();
    if missing.contains(TLS_ONLY) {
        fields.push(Field::new("/tlsOnly", false, true));
    }
    fields.extend(delivery_fields(&wanted, &statements, &missing, live));
    let direction = if missing.contains(TLS_ONLY) { Direction::Strengthens } else { Direction::Neutral };
    let theirs = merged["Statement"].as_array().map_or(0, |all| {
        let ours = |one: &Value| statements.iter().any(|statement| statement["Sid"] == one["Sid"]);
        all.iter().filter(|one| !ours(one)).count()
    });
    let refuses = missing.contains(TLS_ONLY).then(|| "requests without TLS are refused from then on".into());
    Verdict::Change(Change {
        risk: if missing.contains(TLS_ONLY) { Risk::Disruptive } else { Risk::Safe },
        direction,
        evidence: refuses,
        carries: match theirs {
            0 => None,
            1 => Some("1 statement of others stays".into()),
            many => Some(format!("{many} statements of others stay")),
        },
        makes: deliveries(&wanted, place),
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![place.write(What::Policy(wanted))])
    })
}

/// `services` where a service may not deliver yet, `from` where it may, for others.
fn delivery_fields(
    wanted: &Wanted,
    statements: &[Value],
    missing: &BTreeSet<&str>,
    live: Option<&Value>,
) -> Vec<Field> {
    let statement = |sid: &str| statements.iter().find(|one| one["Sid"] == sid);
    let mut there = Vec::new();
    let mut before = None;
    for service in &wanted.services {
        let (check, deliver) = (service.check(), service.deliver());
        let lacks = missing.contains(check.as_str()) || missing.contains(deliver.as_str());
        let of_others = by_sid(live, &deliver).zip(statement(&deliver));
        let of_others = of_others
            .filter(|(live, wanted)| !missing.contains(check.as_str()) && differs_in_senders(live, wanted));
        match of_others {
            Some((live, _)) if lacks => before = before.or_else(|| senders(live)),
            _ if lacks => continue,
            _ => {}
        }
        there.push(service.word());
    }
    let mut fields = Vec::new();
    let all: Vec<&str> = wanted.services.iter().map(|service| service.word()).collect();
    if there != all {
        fields.push(Field::new("/services", json!(there), json!(all)));
    }
    if let Some(before) = before {
        fields.push(Field::new("/from", before.words(), wanted.from.words()));
    }
    fields
}

/// What a policy with these statements lets happen.
fn deliveries(wanted: &Wanted, place: &Place) -> Vec<Thing> {
    let of = |service: &Service| {
        let (account, region) = (place.account.clone(), place.region.clone());
        let (bucket, service) = (place.bucket.clone(), service.principal().to_owned());
        match &wanted.from {
            Senders::Organization(_) => {
                vec![Thing::OrganizationDelivery { account, region, bucket, service }]
            }
            Senders::Accounts(ids) => ids
                .iter()
                .map(|from| Thing::Delivery {
                    account: account.clone(),
                    region: region.clone(),
                    bucket: bucket.clone(),
                    service: service.clone(),
                    from: from.clone(),
                })
                .collect(),
        }
    };
    wanted.services.iter().flat_map(of).collect()
}

fn allows_plain(place: &Place) -> Verdict<Write> {
    Verdict::Manual(ManualTask {
        title: format!("Take {TLS_ONLY} out of the policy of {}", place.bucket),
        found: vec![("tlsOnly".into(), "true, and false is declared".into())],
        steps: vec![
            "baseline takes no statement away. Leave `tlsOnly` out, or take the statement out by hand:"
                .into(),
            format!("aws s3api get-bucket-policy --bucket {} --query Policy --output text", place.bucket),
        ],
        verified: Verified::ByObservation,
    })
}

/// What is live, in the spec's words.
pub fn import(facts: &Facts, bucket: &str, live: &Value, spec: &mut LogArchiveSpec) {
    let live = set(live);
    let arn = format!("arn:{}:s3:::{bucket}", facts.partition);
    spec.tls_only = lacking(live, &[tls_only(&arn)]).is_empty().then_some(true);
    let ours = |service: &Service| by_sid(live, &service.deliver()).and_then(senders);
    let there: Vec<Service> = Service::ALL.into_iter().filter(|service| ours(service).is_some()).collect();
    let Some(from) = there.iter().find_map(ours) else { return };
    spec.from = Some(match from {
        Senders::Organization(_) => From::All(Everybody::Organization),
        Senders::Accounts(ids) => From::Accounts(ids.into_iter().collect()),
    });
    spec.services = Some(there);
}
