//! Where things are: accounts, regions, and the pair of both that every call goes to.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A 12-digit AWS account id. Never a number: leading zeros count. Shared, because every call carries one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AccountId(Arc<str>);

impl AccountId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(format!("`{text}` is not an account id: 12 digits in quotes"))
        }
    }
}

impl std::str::FromStr for AccountId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

/// By hand: `serde_yaml` hands an unquoted number to a `String` field as text without a word, while any
/// step through an untyped value (merging) turns it into a number. Refused in both.
impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = AccountId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an account id: 12 digits in quotes")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AccountId, E> {
                text.parse().map_err(E::custom)
            }
        }
        d.deserialize_any(Text)
    }
}

impl JsonSchema for AccountId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AccountId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{12}$",
            "description": "A 12-digit account id, in quotes."
        })
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A region by its code. Not checked against a list in the binary: AWS opens regions faster than we release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Region(Arc<str>);

impl Region {
    pub fn new(code: impl Into<Arc<str>>) -> Self {
        Self(code.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that a region code belongs to, by its prefix (AWS General Reference, ARN partitions).
    pub fn partition(&self) -> &'static str {
        match self.as_str() {
            code if code.starts_with("cn-") => "aws-cn",
            code if code.starts_with("us-gov-") => "aws-us-gov",
            code if code.starts_with("us-iso-") => "aws-iso",
            code if code.starts_with("us-isob-") => "aws-iso-b",
            code if code.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        }
    }

    /// The region that hosts a partition's global services (CloudFront's web ACLs, IAM's events).
    pub fn global(partition: &str) -> Self {
        Self::new(match partition {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-iso" => "us-iso-east-1",
            "aws-iso-b" => "us-isob-east-1",
            "aws-eusc" => "eusc-de-east-1",
            _ => "us-east-1",
        })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where calls go: one account in one region. There is no other kind of scope; an account-wide or
/// organisation-wide control runs in exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    pub account: AccountId,
    pub region: Region,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// An account with a duty in the organisation, named once in the Organization document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Seat {
    /// The organisation's management account.
    Management,
    /// The account that keeps everybody's logs.
    LogArchive,
    /// The delegated administrator of the security services.
    Security,
}

impl Seat {
    pub const ALL: [Self; 3] = [Self::Management, Self::LogArchive, Self::Security];
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Management => "management",
            Self::LogArchive => "logArchive",
            Self::Security => "security",
        })
    }
}
