//! Who we are to AWS.

use super::client::Clients;
use super::error::fault;
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Region};

/// What `sts:GetCallerIdentity` answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub account: AccountId,
    pub arn: String,
}

impl Identity {
    /// `aws`, `aws-cn`, `aws-us-gov`: the second part of an ARN.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }

    /// The principal without account and session: `role/admin`, `user/jo`, `root`.
    pub fn principal(&self) -> &str {
        let resource = self.arn.rsplit(':').next().unwrap_or_default();
        resource
            .strip_prefix("assumed-role/")
            .map_or(resource, |role| role.split_once('/').map_or(role, |(role, _)| role))
    }
}

/// `sts:GetCallerIdentity` in the current context.
pub(super) async fn identity(clients: &Clients, region: &Region) -> Result<Identity, Fault> {
    const CALL: &str = "sts:GetCallerIdentity";
    let answer = clients.sts(region).get_caller_identity().send().await.map_err(fault(CALL))?;
    let malformed = |what: &str| Fault::local(FaultKind::Invalid, CALL, format!("the answer has no {what}"));
    let account = answer.account.ok_or_else(|| malformed("account"))?;
    Ok(Identity {
        account: account.parse().map_err(|_| malformed("account id of 12 digits"))?,
        arn: answer.arn.ok_or_else(|| malformed("ARN"))?,
    })
}
