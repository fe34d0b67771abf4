//! Roles with their policies and trust, as people set them up: JSON, a CloudFormation template, Terraform.

mod cloudformation;
mod terraform;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::control::ErasedControl;
use crate::desired::Roles;
use crate::permissions::{
    self, ATTACHED_AT_MOST, Callers, Duty, Names, Policy, Statement, fill, grants, policies, size,
};
use crate::place::{AccountId, Seat};

pub use cloudformation::cloudformation;
pub use terraform::terraform;

/// Seconds: what a session lasts at most. Role chaining allows no more (STS API reference, AssumeRole).
const SESSION: u32 = 3_600;

/// Everything that is written of both roles, or of the one that observes.
#[derive(Clone, Debug)]
pub struct Permissions {
    roles: Vec<Role>,
    external_id: Option<String>,
    /// The ARN of whoever runs `baseline`; `None`: it stays a parameter.
    principal: Option<String>,
    seats: BTreeMap<Seat, AccountId>,
    partition: &'static str,
    /// What the caller's own credentials need.
    caller: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Role {
    duty: Duty,
    /// `/` or `/security/`.
    path: String,
    name: String,
    policies: Vec<Policy>,
}

/// Of whom, besides the controls, permissions are written.
#[derive(Clone, Debug)]
pub struct Of<'a> {
    pub duties: &'a [Duty],
    pub roles: &'a Roles,
    pub seats: BTreeMap<Seat, AccountId>,
    pub partition: &'static str,
    pub principal: Option<String>,
    /// What the documents say of roles and buckets.
    pub names: Names,
    /// `spec.audit` of the Organization.
    pub audit: Option<&'a str>,
    /// AWS Organizations is asked with the caller's own credentials.
    pub asks_roster: bool,
    /// ARN of the key that saved plans are signed with.
    pub signing_key: Option<&'a str>,
    /// ARNs of the topics that people are told by.
    pub topics: Vec<String>,
}

impl Permissions {
    pub fn new(controls: &[&'static dyn ErasedControl], of: Of<'_>) -> Self {
        let role = |duty: &Duty| {
            let whole = duty.role(of.roles);
            let (path, name) = match whole.rsplit_once('/') {
                Some((path, name)) => (format!("/{path}/"), name),
                None => ("/".to_owned(), whole),
            };
            let policies = policies(name, &grants(*duty, controls, &of.names));
            Role { duty: *duty, path, name: name.to_owned(), policies }
        };
        let callers = Callers {
            audit: of.audit,
            asks_roster: of.asks_roster,
            signing_key: of.signing_key,
            topics: of.topics,
            principal: of.principal.as_deref(),
        };
        Self {
            roles: of.duties.iter().map(role).collect(),
            external_id: of.roles.external_id.clone(),
            caller: permissions::caller(of.duties, of.roles, &callers),
            principal: of.principal,
            seats: of.seats,
            partition: of.partition,
        }
    }

    /// What somebody should know before using them: a quota that has to be raised.
    pub fn warnings(&self) -> Vec<String> {
        let too_many = self.roles.iter().filter(|role| role.policies.len() > ATTACHED_AT_MOST);
        let told = |role: &Role| {
            let (name, n) = (&role.name, role.policies.len());
            format!(
                "{name} has {n} managed policies, and a role takes {ATTACHED_AT_MOST} unless AWS raises the quota \
                 `Managed policies attached to an IAM role`"
            )
        };
        too_many.map(told).collect()
    }

    /// Policies and trust of each role, and what the caller needs. Without a principal the trust policy names
    /// [`NOBODY`], which IAM refuses.
    pub fn json(&self) -> Value {
        let roles: Vec<Value> = self
            .roles
            .iter()
            .map(|role| {
                json!({
                    "duty": role.duty.word(),
                    "name": role.name,
                    "path": role.path,
                    "maxSessionDuration": SESSION,
                    "trustPolicy": self.trust(),
                    "policies": role.policies.iter().map(|one| self.filled(one)).collect::<Vec<_>>(),
                })
            })
            .collect();
        let caller = Policy { name: "baseline-caller".into(), seat: None, statements: self.caller.clone() };
        json!({ "formatVersion": 1, "roles": roles, "caller": { "policies": [self.filled(&caller)] } })
    }

    fn filled(&self, policy: &Policy) -> Value {
        let account = policy.seat.and_then(|seat| self.seats.get(&seat));
        let document = policy.template();
        let mut told = json!({
            "name": policy.name,
            "characters": size(&document),
            "document": fill(&document, self.partition, account.map_or("*", AccountId::as_str)),
        });
        if let Some(seat) = policy.seat {
            told["onlyIn"] = json!({ "seat": seat, "account": account });
        }
        told
    }

    fn trust(&self) -> Value {
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": { "AWS": self.principal.as_deref().unwrap_or(NOBODY) },
            "Action": "sts:AssumeRole",
        });
        if let Some(id) = &self.external_id {
            statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": id } });
        }
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    }

    /// The seats that have policies of their own.
    fn seats(&self) -> impl Iterator<Item = Seat> {
        let all = self.roles.iter().flat_map(|role| &role.policies);
        let has = move |seat: &Seat| all.clone().any(|policy| policy.seat == Some(*seat));
        Seat::ALL.into_iter().filter(has)
    }
}

/// Whom a trust policy names where nobody is said: no ARN, so that IAM refuses it rather than trusts a stranger.
pub const NOBODY: &str = "SAY --trusted-principal ARN";

/// `ObservePolicy1`, `ApplyPolicyManagement`: letters and digits.
fn logical_id(role: &Role, policy: &Policy) -> String {
    let rest = policy.name.strip_prefix(&role.name).unwrap_or(&policy.name);
    let words = rest.split(|c: char| !c.is_ascii_alphanumeric()).map(capital);
    format!("{}Policy{}", capital(role.duty.word()), words.collect::<String>())
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// What a role is for, in its description.
fn purpose(duty: Duty) -> &'static str {
    match duty {
        Duty::Observe => "baseline reads with it: plan, drift, and the looks of apply",
        Duty::Apply => "baseline writes with it: apply, and nothing else",
    }
}

/// The fields of a map as people write policies and templates: what it is first, what it holds last.
fn in_order(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    const FIRST: [&str; 14] = [
        "Type",
        "Description",
        "Default",
        "Version",
        "Sid",
        "Effect",
        "Principal",
        "Action",
        "RoleName",
        "ManagedPolicyName",
        "Path",
        "MaxSessionDuration",
        "Roles",
        "Resource",
    ];
    let mut fields: Vec<_> = map.iter().collect();
    fields.sort_by_key(|(key, _)| FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()));
    fields
}
