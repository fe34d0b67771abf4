//! What the two roles and the caller must be allowed, from the calls that controls and the engine name.
//!
//! IAM actions are not operations: `s3:PutBucketEncryption` is allowed by `s3:PutEncryptionConfiguration`, and
//! `iam:PassRole` is never a call. [`Call::actions`] has them, and everything here is made of those.
//!
//! `Resource` is `*` for almost all of it: most of these actions know no other, and what is created has no name yet.
//! It is narrower, or a condition stands beside it, where AWS documents what the action is used on.

mod narrow;
mod policy;

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::edge::ENGINE_READS;
use crate::call::Call;
use crate::control::{Accounts, ErasedControl};
use crate::desired::Roles;
use crate::place::Seat;
use narrow::Place;

pub use narrow::Names;
pub use policy::{ATTACHED_AT_MOST, MOST_CHARACTERS, Policy, fill, policies, size};

/// One of the two roles in every account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Every read, of plan, drift and apply.
    Observe,
    /// Every write. It reads as well, where a call needs what only AWS knows: an ETag, a lock token, an id.
    Apply,
}

impl Duty {
    pub const ALL: [Self; 2] = [Self::Observe, Self::Apply];

    pub fn word(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Apply => "apply",
        }
    }

    /// The role's name as the documents have it, with its path: `baseline-observe`, `security/baseline-observe`.
    pub fn role(self, roles: &Roles) -> &str {
        match self {
            Self::Observe => &roles.observe,
            Self::Apply => &roles.apply,
        }
    }
}

/// What the roles are called where the documents name none.
pub fn usual_roles() -> Roles {
    Roles { observe: "baseline-observe".into(), apply: "baseline-apply".into(), external_id: None }
}

/// Actions that are allowed together, on the same resource and condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Letters and digits (IAM User Guide, "Sid").
    pub sid: String,
    /// Sorted, each once.
    pub actions: Vec<&'static str>,
    pub resources: Vec<String>,
    pub condition: Option<Condition>,
}

/// One condition. `{partition}` and `{account}` stand for the account's own, here and in resources: see [`fill`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    pub operator: &'static str,
    pub key: &'static str,
    pub values: BTreeSet<String>,
}

/// What a role must be allowed in every account, or in that of one seat only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `None`: in every account.
    pub seat: Option<Seat>,
    pub statements: Vec<Statement>,
}

/// What one of the roles needs for these controls. What only a seat's account needs stands in a grant of its own,
/// without what every account is granted anyway.
pub fn grants(duty: Duty, controls: &[&'static dyn ErasedControl], names: &Names) -> Vec<Grant> {
    let mut each = Wanted::default();
    let mut seats: BTreeMap<Seat, Wanted> = BTreeMap::new();
    for call in engine(duty) {
        let wanted =
            if is_managements(call) { seats.entry(Seat::Management).or_default() } else { &mut each };
        wanted.call(call, "", names);
    }
    for control in controls {
        let meta = control.meta();
        let wanted = match meta.reach.accounts {
            Accounts::Each => &mut each,
            Accounts::Seat(seat) => seats.entry(seat).or_default(),
        };
        let calls = match duty {
            Duty::Observe => meta.reads,
            Duty::Apply => meta.writes,
        };
        for call in calls {
            wanted.call(call, meta.id, names);
        }
    }
    let mut grants = vec![Grant { seat: None, statements: each.statements(duty) }];
    for (seat, mut wanted) in seats {
        wanted.without(&each);
        grants.push(Grant { seat: Some(seat), statements: wanted.statements(duty) });
    }
    grants.retain(|grant| !grant.statements.is_empty());
    grants
}

const DESCRIBE_ORGANIZATION: &str = "organizations:DescribeOrganization";

/// The engine's own calls with a role. Those that only the caller's credentials make belong to neither.
pub fn engine(duty: Duty) -> impl Iterator<Item = &'static Call> {
    let callers = ["sts:AssumeRole", "s3:GetObject", "s3:ListObjectsV2", "sqs:GetQueueAttributes"];
    ENGINE_READS.iter().filter(move |call| match duty {
        Duty::Observe => !callers.contains(&call.operation),
        // The right account is asserted with it too. GetCallerIdentity is allowed to everybody, always.
        Duty::Apply => call.operation == DESCRIBE_ORGANIZATION,
    })
}

/// AWS Organizations answers its management account, and those that it has delegated to (API reference).
fn is_managements(call: &Call) -> bool {
    call.operation.starts_with("organizations:") && call.operation != DESCRIBE_ORGANIZATION
}

/// What the caller's own credentials are for, besides assuming the roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers<'a> {
    /// `s3://bucket/prefix` or a folder: `spec.audit` of the Organization.
    pub audit: Option<&'a str>,
    /// AWS Organizations is asked with them, because no observe role of the management account is there to ask.
    pub asks_roster: bool,
    /// ARN of the key that saved plans are signed with.
    pub signing_key: Option<&'a str>,
    /// ARNs of the topics that people are told by.
    pub topics: Vec<String>,
    /// Whose they are, where that is known.
    pub principal: Option<&'a str>,
}

/// What the caller's own credentials need, where the roles of `duties` are assumed.
pub fn caller(duties: &[Duty], roles: &Roles, of: &Callers<'_>) -> Vec<Statement> {
    let assumed = duties.iter().map(|duty| format!("arn:{{partition}}:iam::*:role/{}", duty.role(roles)));
    let one = |sid: &str, actions: &[&'static str], resources: Vec<String>| Statement {
        sid: sid.into(),
        actions: actions.to_vec(),
        resources,
        condition: None,
    };
    let mut all = vec![one("AssumeRoles", &["sts:AssumeRole"], assumed.collect())];
    if let Some((bucket, prefix)) = of.audit.and_then(audit_bucket) {
        let (bucket, objects) = audit_resources(bucket, prefix);
        let mut actions = vec!["s3:GetObject"];
        actions.extend(duties.contains(&Duty::Apply).then_some("s3:PutObject"));
        all.push(one("AuditRecords", &actions, vec![objects]));
        all.push(one("AuditBucket", &["s3:ListBucket"], vec![bucket]));
        // `doctor` asks with it whether records could be written, and writes none.
        all.push(one("Doctor", &[SIMULATE], vec![of.principal.unwrap_or("*").to_owned()]));
    }
    if of.asks_roster {
        let calls = ENGINE_READS.iter().filter(|call| call.operation.starts_with("organizations:"));
        let mut actions: Vec<_> = calls.flat_map(Call::allowed_by).collect();
        actions.sort_unstable();
        all.push(one("Roster", &actions, vec!["*".into()]));
    }
    if let Some(key) = of.signing_key {
        all.push(one("SignedPlans", &["kms:Sign", "kms:Verify"], vec![key.to_owned()]));
    }
    if !of.topics.is_empty() {
        all.push(one("Notifications", &["sns:Publish"], of.topics.clone()));
    }
    all
}

const SIMULATE: &str = "iam:SimulatePrincipalPolicy";

/// Bucket and prefix of an audit record that is in S3.
pub fn audit_bucket(place: &str) -> Option<(&str, &str)> {
    let place = place.strip_prefix("s3://")?;
    let path = place.split_once("?region=").map_or(place, |(path, _)| path);
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    Some((bucket, prefix.trim_matches('/')))
}

/// The bucket and the objects of the record as resources of a policy.
pub fn audit_resources(bucket: &str, prefix: &str) -> (String, String) {
    let arn = format!("arn:{{partition}}:s3:::{bucket}");
    let objects = if prefix.is_empty() { format!("{arn}/*") } else { format!("{arn}/{prefix}/*") };
    (arn, objects)
}

/// Actions in the making, each with where it is wanted.
#[derive(Default)]
struct Wanted(BTreeMap<&'static str, BTreeMap<Place, BTreeSet<String>>>);

/// What stands in one statement.
type Together<'a> = (&'a str, Place, &'a BTreeSet<String>);

impl Wanted {
    fn call(&mut self, call: &Call, control: &str, names: &Names) {
        for action in call.allowed_by() {
            let (place, values) = narrow::of(action, control, names);
            self.add(action, place, values);
        }
    }

    /// Where one control wants all of it, nothing narrower is left to say.
    fn add(&mut self, action: &'static str, place: Place, values: BTreeSet<String>) {
        let places = self.0.entry(action).or_default();
        if places.contains_key(&Place::Everything) {
            return;
        }
        if place == Place::Everything {
            places.clear();
        }
        places.entry(place).or_default().extend(values);
    }

    /// Takes out what is granted already.
    fn without(&mut self, granted: &Self) {
        self.0.retain(|action, places| {
            let Some(others) = granted.0.get(action) else { return true };
            let has = |(place, values): (&Place, &BTreeSet<String>)| {
                others.get(place).is_some_and(|granted| granted.is_superset(values))
            };
            !(others.contains_key(&Place::Everything) || places.iter().all(has))
        });
    }

    /// One statement a service, and one for each narrower place.
    fn statements(&self, duty: Duty) -> Vec<Statement> {
        let mut together: BTreeMap<Together<'_>, Vec<&'static str>> = BTreeMap::new();
        for (action, places) in &self.0 {
            let service = action.split_once(':').map_or(*action, |(service, _)| service);
            for (place, values) in places {
                together.entry((service, *place, values)).or_default().push(action);
            }
        }
        let mut sids: BTreeMap<String, usize> = BTreeMap::new();
        let mut all = Vec::new();
        for ((service, place, values), actions) in together {
            let mut sid = sid(duty, service, place.word());
            let times = sids.entry(sid.clone()).or_default();
            *times += 1;
            if *times > 1 {
                sid.push_str(&times.to_string());
            }
            let (resources, condition) = place.written(values);
            all.push(Statement { sid, actions, resources, condition });
        }
        all
    }
}

/// `ObserveAccessAnalyzer`: letters and digits only.
fn sid(duty: Duty, service: &str, more: &str) -> String {
    let words = [duty.word(), service, more];
    let words = words.iter().flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric()));
    let mut sid = String::new();
    for word in words {
        let mut letters = word.chars();
        sid.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        sid.extend(letters);
    }
    sid
}

#[cfg(test)]
mod tests;
