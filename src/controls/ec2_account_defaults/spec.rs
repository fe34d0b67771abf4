//! What the YAML says of the defaults.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::control::Bounded;

/// EC2's defaults in each region. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DefaultsSpec {
    /// New EBS volumes are encrypted whoever makes them (CIS 2.2.1, FSBP EC2.7). Volumes that exist stay as they
    /// are.
    pub ebs_encryption: Option<bool>,
    /// The key that new volumes are encrypted with where nobody names one: an alias of a key in the same account
    /// and region, `alias/acme/ebs`, or `aws-managed`.
    #[schemars(extend("x-mutate" = ["aws-managed"]))]
    pub ebs_key: Option<EbsKey>,
    /// Sharing snapshots with everybody, in AWS's words. `block-all-sharing` (FSBP EC2.182) also hides those that
    /// are shared today.
    #[schemars(extend("x-mutate" = ["unblocked", "block-new-sharing"]))]
    pub snapshot_public_access: Option<SnapshotAccess>,
    /// Sharing images with everybody, in AWS's words. Images that are public today stay public.
    pub image_public_access: Option<ImageAccess>,
    /// What a new instance gets where neither its launch nor its image says otherwise. `no-preference` says that
    /// the account has no default.
    pub instance_metadata: MetadataSpec,
    /// The serial console of instances can be opened.
    pub serial_console: Option<bool>,
}

/// Defaults of the instance metadata service (IMDS).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MetadataSpec {
    /// `required` is IMDSv2 only (CIS 5.6, FSBP EC2.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// How many network hops a token may travel. A container on an instance needs 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [3, "no-preference"]))]
    pub hop_limit: Option<HopLimit>,
    /// Whether instances have a metadata service at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Switch>,
    /// Whether an instance's tags can be read from its metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_tags: Option<Switch>,
    /// `enabled`: an instance that does not require IMDSv2 cannot be launched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_enforced: Option<Switch>,
}

impl MetadataSpec {
    /// Is anything declared at all?
    pub fn declares(&self) -> bool {
        *self != Self::default()
    }
}

/// An enum of AWS's words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[schemars(inline)]
        pub enum $name {
            $(#[serde(rename = $word)] $variant,)+
        }

        impl $name {
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// `None` for a word that this build does not know.
            pub fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    )+};
}

words! {
    /// `SnapshotBlockPublicAccessState`, from open to closed.
    SnapshotAccess {
        Unblocked = "unblocked",
        BlockNewSharing = "block-new-sharing",
        BlockAllSharing = "block-all-sharing",
    }
    /// `ImageBlockPublicAccessState`, from open to closed.
    ImageAccess {
        Unblocked = "unblocked",
        BlockNewSharing = "block-new-sharing",
    }
    /// `MetadataDefaultHttpTokensState`, from open to closed: an account's `optional` wins over an image that asks
    /// for IMDSv2 (EC2 User Guide, "Order of precedence for instance metadata options").
    Tokens {
        Optional = "optional",
        NoPreference = "no-preference",
        Required = "required",
    }
    /// `DefaultInstanceMetadataEndpointState` and its like.
    Switch {
        Enabled = "enabled",
        Disabled = "disabled",
        NoPreference = "no-preference",
    }
}

/// Network hops of a metadata token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopLimit {
    NoPreference,
    Hops(Bounded<1, 64>),
}

impl HopLimit {
    /// What AWS says: absent, or -1, is no preference. `None` outside of what AWS takes.
    pub fn of(hops: Option<i32>) -> Option<Self> {
        match hops {
            None | Some(-1) => Some(Self::NoPreference),
            Some(hops) => u32::try_from(hops).ok().and_then(Bounded::new).map(Self::Hops),
        }
    }

    /// As AWS takes it: -1 for no preference.
    pub fn number(self) -> i32 {
        match self {
            Self::NoPreference => -1,
            Self::Hops(hops) => i32::try_from(hops.get()).unwrap_or(i32::MAX),
        }
    }
}

const NO_PREFERENCE: &str = "no-preference";

impl From<HopLimit> for serde_json::Value {
    fn from(limit: HopLimit) -> Self {
        match limit {
            HopLimit::NoPreference => NO_PREFERENCE.into(),
            HopLimit::Hops(hops) => hops.into(),
        }
    }
}

impl Serialize for HopLimit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NoPreference => to.serialize_str(NO_PREFERENCE),
            Self::Hops(hops) => hops.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for HopLimit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Limit;
        impl serde::de::Visitor<'_> for Limit {
            type Value = HopLimit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 1 to 64, or `{NO_PREFERENCE}`")
            }

            fn visit_i64<E: serde::de::Error>(self, hops: i64) -> Result<HopLimit, E> {
                let hops = u32::try_from(hops).ok().and_then(Bounded::new).map(HopLimit::Hops);
                hops.ok_or_else(|| E::custom(format_args!("must be between 1 and 64, or `{NO_PREFERENCE}`")))
            }

            fn visit_u64<E: serde::de::Error>(self, hops: u64) -> Result<HopLimit, E> {
                self.visit_i64(i64::try_from(hops).unwrap_or(i64::MAX))
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<HopLimit, E> {
                if word == NO_PREFERENCE {
                    return Ok(HopLimit::NoPreference);
                }
                Err(E::invalid_value(serde::de::Unexpected::Str(word), &self))
            }
        }
        from.deserialize_any(Limit)
    }
}

impl JsonSchema for HopLimit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HopLimit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 64}, {"const": NO_PREFERENCE}]
        })
    }
}

/// The default key of new volumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EbsKey {
    /// The key that AWS makes and manages for EBS.
    AwsManaged,
    /// An alias, `alias/acme/ebs`.
    Alias(String),
}

/// The word for the key that AWS manages.
pub const AWS_MANAGED: &str = "aws-managed";

/// The alias of the key that AWS manages.
pub const MANAGED_ALIAS: &str = "alias/aws/ebs";

impl TryFrom<String> for EbsKey {
    type Error = String;

    /// Letters, digits, `/`, `_` and `-` after `alias/` (KMS API Reference, CreateAlias).
    fn try_from(text: String) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
        match text.strip_prefix("alias/") {
            None if text == AWS_MANAGED => Ok(Self::AwsManaged),
            Some(name) if name.starts_with("aws/") => {
                Err(format!("`{text}` is a key of AWS's own: for the one of EBS write `{AWS_MANAGED}`"))
            }
            Some(name) if (1..=250).contains(&name.len()) && name.chars().all(fits) => Ok(Self::Alias(text)),
            _ => Err(format!("`{text}` is neither `{AWS_MANAGED}` nor an alias like `alias/acme/ebs`")),
        }
    }
}

impl From<EbsKey> for String {
    fn from(key: EbsKey) -> Self {
        match key {
            EbsKey::AwsManaged => AWS_MANAGED.to_owned(),
            EbsKey::Alias(alias) => alias,
        }
    }
}

impl JsonSchema for EbsKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EbsKey".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^(aws-managed|alias/[a-zA-Z0-9/_-]{1,250})$"})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(spec: Value) -> Result<DefaultsSpec, String> {
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    #[test]
    fn a_hop_limit_is_a_number_of_hops_or_no_preference() {
        for good in [json!(1), json!(64), json!("no-preference")] {
            let spec = read(json!({"instanceMetadata": {"hopLimit": good}})).unwrap();
            assert_eq!(serde_json::to_value(spec.instance_metadata.hop_limit).unwrap(), good);
        }
        for bad in [json!(0), json!(65), json!(-1), json!(u64::MAX), json!("none"), json!(1.5)] {
            let read = read(json!({"instanceMetadata": {"hopLimit": bad}}));
            assert!(read.is_err_and(|e| e.contains("64") && e.contains("no-preference")), "{bad}");
        }
        assert_eq!(HopLimit::of(Some(0)), None);
        assert_eq!(HopLimit::of(Some(64)).map(HopLimit::number), Some(64));
        assert_eq!(HopLimit::of(None).map(HopLimit::number), Some(-1));
    }

    #[test]
    fn a_key_is_an_alias_of_the_account_or_the_one_that_aws_manages() {
        for good in ["aws-managed", "alias/acme/ebs", "alias/A_b-9"] {
            assert!(read(json!({"ebsKey": good})).is_ok(), "{good}");
        }
        let own = read(json!({"ebsKey": "alias/aws/ebs"}));
        assert!(own.is_err_and(|error| error.contains("write `aws-managed`")));
        for bad in ["", "alias/", "acme/ebs", "arn:aws:kms:eu-west-1:111122223333:key/1", "alias/a b"] {
            assert!(
                read(json!({"ebsKey": bad})).is_err_and(|error| error.contains("alias/acme/ebs")),
                "{bad}"
            );
        }
    }

    #[test]
    fn words_are_those_of_aws_and_no_others() {
        assert!(read(json!({"snapshotPublicAccess": "block-all-sharing"})).is_ok());
        assert!(read(json!({"imagePublicAccess": "block-all-sharing"})).is_err());
        assert_eq!(Tokens::of("v2.0"), None);
        assert_eq!(Switch::of(Switch::Disabled.word()), Some(Switch::Disabled));
    }
}
