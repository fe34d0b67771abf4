//! A role that EventBridge sends events with: whom it trusts, and its one inline policy of the same name.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::fault;
use crate::aws::iam::document;
use crate::control::{Call, Extent};
use crate::diff::policy;
use crate::fault::Fault;

pub const GET: &str = "iam:GetRole";
pub const GET_POLICY: &str = "iam:GetRolePolicy";

// One role for all regions, made and kept in the home region.
pub const CREATE_ROLE: Call =
    Call::needing("iam:CreateRole", &["iam:CreateRole", "iam:TagRole"]).reaching(Extent::Home);
pub const TRUST: Call =
    Call::needing("iam:UpdateAssumeRolePolicy", &["iam:UpdateAssumeRolePolicy", "iam:GetRole"])
        .reaching(Extent::Home);
pub const ALLOW_ROLE: Call =
    Call::needing("iam:PutRolePolicy", &["iam:PutRolePolicy", "iam:GetRolePolicy"]).reaching(Extent::Home);

/// A role that is there, as far as it is written here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub trust: Option<Value>,
    pub policy: Option<Value>,
}

/// The role of this name, and the policy of the same name.
pub async fn read(iam: &Client, name: &str) -> Result<Option<Role>, Fault> {
    let trust = match iam.get_role().role_name(name).send().await {
        Ok(answer) => document(answer.role.as_ref().and_then(|role| role.assume_role_policy_document())),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => {
            return Ok(None);
        }
        Err(error) => return Err(fault(GET)(error)),
    };
    Ok(Some(Role { trust, policy: policy_of(iam, name).await? }))
}

async fn policy_of(iam: &Client, name: &str) -> Result<Option<Value>, Fault> {
    match iam.get_role_policy().role_name(name).policy_name(name).send().await {
        Ok(answer) => Ok(document(Some(&answer.policy_document))),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => Ok(None),
        Err(error) => Err(fault(GET_POLICY)(error)),
    }
}

/// How a role is to be: statements of others stay.
pub struct ForwardingRole {
    pub name: &'static str,
    pub description: &'static str,
    pub trust: Value,
    pub allows: Vec<Value>,
}

impl ForwardingRole {
    /// Can EventBridge not take it?
    pub fn lacks_trust(&self, live: &Role) -> bool {
        !policy::lacking(live.trust.as_ref(), std::slice::from_ref(&self.trust)).is_empty()
    }

    /// Can EventBridge not do with it what it is for?
    pub fn lacks_policy(&self, live: &Role) -> bool {
        !policy::lacking(live.policy.as_ref(), &self.allows).is_empty()
    }

    fn trusting(&self, live: Option<&Value>) -> String {
        policy::with_statements(live, std::slice::from_ref(&self.trust)).to_string()
    }

    /// With whom it trusts, and nothing that it may do.
    pub async fn create(&self, iam: &Client, tags: &BTreeMap<String, String>) -> Result<(), Fault> {
        let tag = |(key, value): (&String, &String)| {
            aws_sdk_iam::types::Tag::builder().key(key).value(value).build().ok()
        };
        let tags: Vec<_> = tags.iter().filter_map(tag).collect();
        let call = iam
            .create_role()
            .role_name(self.name)
            .assume_role_policy_document(self.trusting(None))
            .description(self.description)
            .set_tags((!tags.is_empty()).then_some(tags));
        call.send().await.map(drop).map_err(fault(CREATE_ROLE.operation))
    }

    /// What is there is read again right before it is written.
    pub async fn trust(&self, iam: &Client) -> Result<(), Fault> {
        let live = read(iam, self.name).await?.and_then(|role| role.trust);
        let call = iam.update_assume_role_policy().role_name(self.name);
        let call = call.policy_document(self.trusting(live.as_ref()));
        call.send().await.map(drop).map_err(fault(TRUST.operation))
    }

    /// As above.
    pub async fn allow(&self, iam: &Client) -> Result<(), Fault> {
        let live = policy_of(iam, self.name).await?;
        let whole = policy::with_statements(live.as_ref(), &self.allows).to_string();
        let call = iam.put_role_policy().role_name(self.name).policy_name(self.name).policy_document(whole);
        call.send().await.map(drop).map_err(fault(ALLOW_ROLE.operation))
    }
}
