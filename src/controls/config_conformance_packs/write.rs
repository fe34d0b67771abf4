//! The writes: the pack, and the tag that remembers its template.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_config::types::{ConformancePackInputParameter, Tag, TemplateSsmDocumentDetails};
use aws_smithy_types::error::operation::BuildError;
use serde::{Deserialize, Serialize};

use super::live;
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    PutPack {
        name: String,
        of: Made,
        parameters: BTreeMap<String, String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
    },
    Tag {
        name: String,
        digest: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Made {
    Template(String),
    Document {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
}

/// The first pack of an account makes AWS Config's service-linked role for them.
pub const PUT_PACK: Call = Call::needing(
    "config:PutConformancePack",
    &["config:PutConformancePack", "config:TagResource", "iam:CreateServiceLinkedRole", "ssm:GetDocument"],
);
/// The pack's ARN is looked up by the role that writes.
pub const TAG: Call =
    Call::needing("config:TagResource", &["config:TagResource", "config:DescribeConformancePacks"]);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::PutPack { .. } => const { &PUT_PACK },
            Self::Tag { .. } => const { &TAG },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PutPack { name, .. } => write!(f, "deploy the conformance pack {name}"),
            Self::Tag { name, .. } => write!(f, "note which template {name} was deployed from"),
        }
    }
}

fn built<T>(built: Result<T, BuildError>) -> Result<T, Fault> {
    built.map_err(|error| Fault::local(FaultKind::Invalid, PUT_PACK.operation, error.to_string()))
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let client = aws.config();
        match self {
            Self::PutPack { name, of, parameters, tags } => {
                let parameters = parameters.iter().map(|(name, value)| {
                    let one = ConformancePackInputParameter::builder();
                    built(one.parameter_name(name).parameter_value(value).build())
                });
                let parameters: Vec<_> = parameters.collect::<Result<_, _>>()?;
                let tags: Vec<_> = tags.iter().map(|(key, value)| tag(key, value)).collect();
                let call = client
                    .put_conformance_pack()
                    .conformance_pack_name(name)
                    .set_conformance_pack_input_parameters(Some(parameters).filter(|all| !all.is_empty()))
                    .set_tags(Some(tags).filter(|tags| !tags.is_empty()));
                let call = match of {
                    Made::Template(text) => call.template_body(text),
                    Made::Document { name, version } => {
                        let document = TemplateSsmDocumentDetails::builder()
                            .document_name(name)
                            .set_document_version(version.clone());
                        call.template_ssm_document_details(built(document.build())?)
                    }
                };
                call.send().await.map(drop).map_err(fault(PUT_PACK.operation))
            }
            Self::Tag { name, digest } => {
                let arn = live::arn(&client, name).await?.ok_or_else(|| {
                    let message = format!("the pack {name} is not there yet");
                    Fault::local(FaultKind::NotReady, TAG.operation, message)
                })?;
                let call = client.tag_resource().resource_arn(arn).tags(tag(live::TEMPLATE, digest));
                call.send().await.map(drop).map_err(fault(TAG.operation))
            }
        }
    }
}
