//! What the YAML says of the bucket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::control::Bounded;
use crate::place::AccountId;

/// The bucket that logs are delivered to. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogArchiveSpec {
    /// The bucket's name. In the account of the Organization document's `archive` it is the name that stands
    /// there; elsewhere `baseline-logs-{account}-{region}-an` where nothing is said.
    #[schemars(extend("format" = "template", "x-fixed" = "names the bucket"))]
    pub bucket: Option<String>,
    /// The key that `encryption: key` means, by its alias, in the bucket's account and region: the archive's
    /// own, else `alias/baseline/logs` where nothing is said.
    #[schemars(extend("format" = "template", "x-fixed" = "names the key"))]
    pub key: Option<String>,
    /// Services that may deliver. One that is taken out of the list keeps its statement.
    #[schemars(extend("x-fixed" = "a statement is never taken out of a policy"))]
    pub services: Option<Vec<Service>>,
    /// For whom they deliver: `organization`, by its id, or a list of account ids, which only grows. Without
    /// it, and where the Organization document has no id, for this account alone.
    #[schemars(extend("x-fixed" = "an account is never taken out of a policy"))]
    pub from: Option<From>,
    /// Old versions of objects are kept (Security Hub S3.14).
    #[schemars(extend("x-fixed" = "object lock does not let it be suspended"))]
    pub versioning: Option<bool>,
    /// What objects are encrypted with that say nothing themselves: `key`, or `aws-managed` for the key that
    /// S3 keeps (Security Hub S3.17).
    pub encryption: Option<Encryption>,
    /// S3 derives keys of its own from the key for a while, so that not every object costs a call of KMS.
    pub bucket_key: Option<bool>,
    /// All four of S3's blocks of public access (FSBP S3.8, CIS 3.3).
    pub block_public_access: Option<bool>,
    /// Who owns what is delivered, in AWS's words; `BucketOwnerEnforced` turns access control lists off
    /// (FSBP S3.12).
    pub ownership: Option<Ownership>,
    /// Requests without TLS are refused (FSBP S3.5).
    #[schemars(extend("x-fixed" = "a statement is never taken out of a policy"))]
    pub tls_only: Option<bool>,
    /// How long nobody may delete a version (Security Hub S3.15).
    pub object_lock: ObjectLockSpec,
    /// Days after which S3 deletes what was delivered, or `never` (FSBP S3.13). Not fewer than
    /// `objectLock.days`. In a bucket with versions the old version stays: see `expireNoncurrentAfterDays`.
    #[schemars(extend("x-mutate" = [2557, 2558]))]
    pub expire_after_days: Option<Days>,
    /// Days after which S3 deletes a version that was deleted or overwritten, or `never`.
    #[schemars(extend("x-mutate" = [30, 31]))]
    pub expire_noncurrent_after_days: Option<Days>,
    /// Days after which S3 deletes the parts of an upload that was never finished, or `never`.
    #[schemars(extend("x-mutate" = [7, "never"]))]
    pub abort_uploads_after_days: Option<Days>,
    /// Where S3 writes down who read the logs (FSBP S3.9, CIS 3.4).
    pub access_logs: AccessLogsSpec,
    /// `required`: old versions can be deleted only with the root user's MFA device, which a person has to
    /// turn on by hand. It cannot stand beside rules that delete (Security Hub S3.20).
    #[schemars(extend("x-fixed" = "only a root user can change it"))]
    pub mfa_delete: Option<MfaDelete>,
}

/// S3 Object Lock: new objects get this retention.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ObjectLockSpec {
    /// `GOVERNANCE`: who has a special permission may delete all the same. `COMPLIANCE`: nobody may, AWS and
    /// the root user included, and nothing undoes it. `none`: new objects get no retention.
    pub mode: Option<LockMode>,
    /// How many days each new object is kept.
    pub days: Option<Length>,
}

/// Server access logs of the bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct AccessLogsSpec {
    /// Another bucket of this account and region, that lets `logging.s3.amazonaws.com` put objects; or `none`.
    #[schemars(extend("format" = "template", "x-mutate" = ["acme-access-{account}-{region}-an", "acme-access-too"]))]
    pub bucket: Option<String>,
    /// What the keys of the logs begin with.
    #[schemars(extend("x-mutate" = ["archive/", "logs/"]))]
    pub prefix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Service {
    Cloudtrail,
    Config,
    Guardduty,
    /// Flow logs and other logs that CloudWatch Logs delivers.
    Logs,
}

impl Service {
    pub const ALL: [Self; 4] = [Self::Cloudtrail, Self::Config, Self::Guardduty, Self::Logs];

    pub fn word(self) -> &'static str {
        match self {
            Self::Cloudtrail => "cloudtrail",
            Self::Config => "config",
            Self::Guardduty => "guardduty",
            Self::Logs => "logs",
        }
    }

    pub fn principal(self) -> &'static str {
        match self {
            Self::Cloudtrail => "cloudtrail.amazonaws.com",
            Self::Config => "config.amazonaws.com",
            Self::Guardduty => "guardduty.amazonaws.com",
            Self::Logs => "delivery.logs.amazonaws.com",
        }
    }
}

/// For whom the services deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum From {
    All(Everybody),
    /// By their ids.
    Accounts(Vec<AccountId>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Everybody {
    Organization,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Encryption {
    Key,
    AwsManaged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Ownership {
    BucketOwnerEnforced,
    BucketOwnerPreferred,
    ObjectWriter,
}

impl Ownership {
    pub fn word(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::BucketOwnerEnforced, Self::BucketOwnerPreferred, Self::ObjectWriter];
        all.into_iter().find(|known| known.word() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum LockMode {
    #[serde(rename = "GOVERNANCE")]
    Governance,
    #[serde(rename = "COMPLIANCE")]
    Compliance,
    #[serde(rename = "none")]
    None,
}

impl LockMode {
    pub fn word(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
            Self::None => "none",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Governance, Self::Compliance, Self::None].into_iter().find(|known| known.word() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum MfaDelete {
    Required,
    Unmanaged,
}

/// Up to a hundred years.
pub type Length = Bounded<1, 36500>;

/// A number of days, or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Days {
    After(Length),
    Word(Never),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Never {
    Never,
}

impl Days {
    pub const NEVER: Self = Self::Word(Never::Never);

    /// What AWS says: `None` where nothing is set.
    pub fn of(days: Option<u32>) -> Self {
        days.and_then(Bounded::new).map_or(Self::NEVER, Self::After)
    }

    /// `None` for `never`.
    pub fn number(self) -> Option<u32> {
        match self {
            Self::After(days) => Some(days.get()),
            Self::Word(Never::Never) => None,
        }
    }

    pub fn value(self) -> Value {
        self.number().map_or_else(|| json!("never"), Value::from)
    }
}

impl LogArchiveSpec {
    /// The retention that is declared, where it is one.
    pub fn locks(&self) -> bool {
        matches!(self.object_lock.mode, Some(LockMode::Governance | LockMode::Compliance))
    }

    pub fn declares_lock(&self) -> bool {
        self.object_lock.mode.is_some() || self.object_lock.days.is_some()
    }

    pub fn declares_lifecycle(&self) -> bool {
        self.expire_after_days.is_some()
            || self.expire_noncurrent_after_days.is_some()
            || self.abort_uploads_after_days.is_some()
    }

    pub fn declares_access_logs(&self) -> bool {
        self.access_logs.bucket.is_some() || self.access_logs.prefix.is_some()
    }

    pub fn declares_encryption(&self) -> bool {
        self.encryption.is_some() || self.bucket_key.is_some()
    }

    pub fn declares_policy(&self) -> bool {
        self.tls_only.is_some() || self.services.is_some()
    }

    pub fn wants(&self, service: Service) -> bool {
        self.services.as_ref().is_some_and(|services| services.contains(&service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spec: Value) -> Result<LogArchiveSpec, String> {
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    #[test]
    fn days_are_a_number_or_never() {
        let days = |value: Value| read(json!({"expireAfterDays": value})).map(|spec| spec.expire_after_days);
        assert_eq!(days(json!("never")), Ok(Some(Days::NEVER)));
        assert_eq!(days(json!(2557)).map(|days| days.and_then(Days::number)), Ok(Some(2557)));
        for bad in [json!(0), json!(36501), json!("soon"), json!(true)] {
            assert!(days(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn deliveries_come_from_the_organisation_or_from_a_list() {
        let from = |value: Value| read(json!({"from": value})).map(|spec| spec.from);
        assert_eq!(from(json!("organization")), Ok(Some(From::All(Everybody::Organization))));
        let list = vec!["111122223333".parse().unwrap()];
        assert_eq!(from(json!(["111122223333"])), Ok(Some(From::Accounts(list))));
        for bad in [json!("everybody"), json!([1]), json!(["111"])] {
            assert!(from(bad.clone()).is_err(), "{bad}");
        }
    }
}
