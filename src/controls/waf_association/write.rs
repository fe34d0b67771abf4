//! The writes, and how they are sent.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::listing::{self, Services};
use super::spec::ResourceType;
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Known, Thing};
use crate::fault::{Fault, FaultKind};

/// One call: a resource gets a web ACL, or has none any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    /// `acl` is a [`Thing::WebAcl`].
    Associate {
        kind: ResourceType,
        resource: String,
        acl: Thing,
    },
    Disassociate {
        kind: ResourceType,
        resource: String,
    },
}

/// What AWS WAF does is allowed by the service that owns the resource, too (WAF Developer Guide, "Permissions for
/// AssociateWebACL"). It takes a few seconds to minutes until it is so everywhere (API reference).
pub const ASSOCIATE: Call = Call::needing(
    "wafv2:AssociateWebACL",
    &[
        "wafv2:AssociateWebACL",
        "wafv2:GetPermissionPolicy",
        "wafv2:PutPermissionPolicy",
        "elasticloadbalancing:CreateWebACLAssociation",
        "elasticloadbalancing:SetWebAcl",
        "apigateway:SetWebACL",
        "appsync:AssociateWebACL",
        "appsync:SetWebACL",
        "cognito-idp:AssociateWebACL",
        "apprunner:AssociateWebAcl",
        // The resource's ARN is looked up by the role that writes.
        "elasticloadbalancing:DescribeLoadBalancers",
        "apigateway:GET",
        "appsync:ListGraphqlApis",
        "cognito-idp:ListUserPools",
        "apprunner:ListServices",
    ],
)
.shows_within(300);

pub const DISASSOCIATE: Call = Call::needing(
    "wafv2:DisassociateWebACL",
    &[
        "wafv2:DisassociateWebACL",
        "wafv2:PutPermissionPolicy",
        "elasticloadbalancing:DeleteWebACLAssociation",
        "elasticloadbalancing:SetWebAcl",
        "apigateway:SetWebACL",
        "appsync:DisassociateWebACL",
        "appsync:SetWebACL",
        "cognito-idp:DisassociateWebACL",
        "apprunner:DisassociateWebAcl",
        // The resource's ARN is looked up by the role that writes.
        "elasticloadbalancing:DescribeLoadBalancers",
        "apigateway:GET",
        "appsync:ListGraphqlApis",
        "cognito-idp:ListUserPools",
        "apprunner:ListServices",
    ],
)
.shows_within(300);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Associate { .. } => const { &ASSOCIATE },
            Self::Disassociate { .. } => const { &DISASSOCIATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Associate { kind, resource, acl } => {
                write!(f, "associate {acl} with {}/{resource}", kind.rule())
            }
            Self::Disassociate { kind, resource } => {
                write!(f, "take the web ACL off {}/{resource}", kind.rule())
            }
        }
    }
}

impl Write {
    /// Sends it, with the ARNs that the names stand for now.
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        let (Self::Associate { kind, resource, .. } | Self::Disassociate { kind, resource }) = self;
        let missing = |what: String| Fault::local(FaultKind::NotFound, self.call().operation, what);
        let found = listing::arn_of(&Services::from(aws), *kind, resource).await?;
        let arn = found.ok_or_else(|| missing(format!("there is no {}/{resource}", kind.rule())))?;
        match self {
            Self::Associate { acl, .. } => {
                let acl_arn = known.arn(acl).ok_or_else(|| missing(format!("there is no {acl}")))?;
                let call = aws.waf().associate_web_acl().web_acl_arn(acl_arn).resource_arn(arn);
                call.send().await.map_err(fault(ASSOCIATE.operation))?;
            }
            Self::Disassociate { .. } => {
                let call = aws.waf().disassociate_web_acl().resource_arn(arn);
                call.send().await.map_err(fault(DISASSOCIATE.operation))?;
            }
        }
        Ok(())
    }
}
