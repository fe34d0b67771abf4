//! The services that use a key, and what each of them needs of its policy: a table.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::place::{AccountId, Region, Scope};

/// A service by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Service {
    Cloudtrail,
    Config,
    Guardduty,
    Logs,
    LogDelivery,
    S3,
    Sns,
    Events,
    Cloudwatch,
    Inspector,
    Macie,
}

/// How a service tells KMS for whom it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    /// `aws:SourceAccount`, and `aws:SourceOrgID`.
    Account,
    /// `aws:SourceArn` in this service's name, and `aws:SourceOrgID`.
    Arn(&'static str),
    /// The log group in the encryption context, and no organisation.
    LogGroup,
    /// The topic in the encryption context, and nothing of the caller.
    Topic,
}

struct Terms {
    word: &'static str,
    sid: &'static str,
    principal: &'static str,
    actions: &'static [&'static str],
    tells: Tells,
}

const ENCRYPTED_TOPIC: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey*"];

impl Service {
    pub const ALL: [Self; 11] = [
        Self::Cloudtrail,
        Self::Config,
        Self::Guardduty,
        Self::Logs,
        Self::LogDelivery,
        Self::S3,
        Self::Sns,
        Self::Events,
        Self::Cloudwatch,
        Self::Inspector,
        Self::Macie,
    ];

    fn terms(self) -> Terms {
        let terms = |word, sid, principal, actions, tells| Terms { word, sid, principal, actions, tells };
        match self {
            // CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail": `aws:SourceArn` rather
            // than the account; `kms:Decrypt` where the bucket has a bucket key.
            Self::Cloudtrail => terms(
                "cloudtrail",
                "BaselineCloudtrail",
                "cloudtrail.amazonaws.com",
                &["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"],
                Tells::Arn("cloudtrail"),
            ),
            // AWS Config Developer Guide, "Permissions for the KMS key for the delivery channel".
            Self::Config => terms(
                "config",
                "BaselineConfig",
                "config.amazonaws.com",
                &["kms:Decrypt", "kms:GenerateDataKey"],
                Tells::Account,
            ),
            // GuardDuty User Guide, "Exporting generated findings to Amazon S3".
            Self::Guardduty => terms(
                "guardduty",
                "BaselineGuardduty",
                "guardduty.amazonaws.com",
                &["kms:GenerateDataKey"],
                Tells::Account,
            ),
            // CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
            Self::Logs => terms(
                "logs",
                "BaselineLogs",
                "logs.{region}.amazonaws.com",
                &["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                Tells::LogGroup,
            ),
            // CloudWatch Logs User Guide, "Enable logging from AWS services", logs sent to Amazon S3.
            Self::LogDelivery => terms(
                "log-delivery",
                "BaselineLogDelivery",
                "delivery.logs.amazonaws.com",
                &["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                Tells::Account,
            ),
            // S3 User Guide, inventory reports and event notifications.
            Self::S3 => terms("s3", "BaselineS3", "s3.amazonaws.com", ENCRYPTED_TOPIC, Tells::Account),
            // SNS Developer Guide, "Key management", encrypted queues that subscribe.
            Self::Sns => terms("sns", "BaselineSns", "sns.amazonaws.com", ENCRYPTED_TOPIC, Tells::Account),
            // SNS Developer Guide, "Key management": "Adding the aws:SourceAccount, aws:SourceArn, and aws:SourceOrgID to
            // a KMS policy is not supported for EventBridge-to-encrypted topics": with one, every message is lost.
            Self::Events => {
                terms("events", "BaselineEvents", "events.amazonaws.com", ENCRYPTED_TOPIC, Tells::Topic)
            }
            // The same, event sources and encrypted topics.
            Self::Cloudwatch => terms(
                "cloudwatch",
                "BaselineCloudwatch",
                "cloudwatch.amazonaws.com",
                ENCRYPTED_TOPIC,
                Tells::Account,
            ),
            // Inspector User Guide, "Exporting findings reports".
            Self::Inspector => terms(
                "inspector",
                "BaselineInspector",
                "inspector2.amazonaws.com",
                &["kms:Decrypt", "kms:GenerateDataKey*"],
                Tells::Account,
            ),
            // Macie User Guide, "Storing sensitive data discovery results".
            Self::Macie => terms(
                "macie",
                "BaselineMacie",
                "macie.amazonaws.com",
                &["kms:Encrypt", "kms:GenerateDataKey"],
                Tells::Account,
            ),
        }
    }

    pub fn word(self) -> &'static str {
        self.terms().word
    }

    pub fn sid(self) -> &'static str {
        self.terms().sid
    }

    /// Does it tell KMS the organisation that it calls for?
    pub fn tells_organization(self) -> bool {
        matches!(self.terms().tells, Tells::Account | Tells::Arn(_))
    }

    /// The statement that lets the service use a key in this place for these callers.
    pub fn statement(self, source: &Source, at: &Place<'_>) -> Value {
        let terms = self.terms();
        let Place { partition, region } = at;
        let patterns = |service: &str, region: &str, of: &BTreeSet<AccountId>| -> Value {
            of.iter().map(|account| format!("arn:{partition}:{service}:{region}:{account}:*")).collect()
        };
        let condition = match (source, terms.tells) {
            (Source::Organization(id), _) => json!({"StringEquals": {"aws:SourceOrgID": id}}),
            (Source::Accounts(all), Tells::Account) => {
                json!({"StringEquals": {"aws:SourceAccount": all}})
            }
            (Source::Accounts(all), Tells::Arn(service)) => {
                json!({"ArnLike": {"aws:SourceArn": patterns(service, "*", all)}})
            }
            (Source::Accounts(all), Tells::LogGroup) => {
                let groups = patterns("logs", region.as_str(), all);
                json!({"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}})
            }
            (Source::Accounts(all), Tells::Topic) => {
                let topics = patterns("sns", region.as_str(), all);
                json!({"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}})
            }
        };
        json!({
            "Sid": terms.sid,
            "Effect": "Allow",
            "Principal": {"Service": terms.principal.replace("{region}", region.as_str())},
            "Action": terms.actions,
            "Resource": "*",
            "Condition": condition,
        })
    }

    /// For whom the policy lets the service use the key, if it does as [`Service::statement`] would.
    pub fn granted(self, live: &Value, at: &Place<'_>) -> Option<Source> {
        super::statement::all_of(live).into_iter().find_map(|one| {
            let source = Source::of(one)?;
            super::statement::same(one, &self.statement(&source, at)).then_some(source)
        })
    }
}

/// Where a key is, as far as its policy says it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub partition: &'a str,
    pub region: &'a Region,
}

impl<'a> From<&'a Scope> for Place<'a> {
    fn from(scope: &'a Scope) -> Self {
        Self { partition: scope.region.partition(), region: &scope.region }
    }
}

/// For whom a service may use the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The id of an organisation.
    Organization(String),
    Accounts(BTreeSet<AccountId>),
}

impl Source {
    /// What the condition of a statement says.
    fn of(statement: &Value) -> Option<Self> {
        let mut accounts = BTreeSet::new();
        for keys in statement.get("Condition")?.as_object()?.values() {
            for (key, values) in keys.as_object()? {
                for text in super::statement::texts(values) {
                    let account = match key.to_lowercase().as_str() {
                        "aws:sourceorgid" => return Some(Self::Organization(text.to_owned())),
                        "aws:sourceaccount" => text,
                        "aws:sourcearn"
                        | "kms:encryptioncontext:aws:logs:arn"
                        | "kms:encryptioncontext:aws:sns:topicarn" => text.split(':').nth(4)?,
                        _ => return None,
                    };
                    accounts.insert(account.parse().ok()?);
                }
            }
        }
        (!accounts.is_empty()).then_some(Self::Accounts(accounts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::policy;

    const REGION: &str = "eu-west-1";

    fn accounts(ids: &[&str]) -> Source {
        Source::Accounts(ids.iter().map(|id| id.parse().unwrap()).collect())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let region = Region::new(REGION);
        let at = Place { partition: "aws", region: &region };
        for service in Service::ALL {
            for source in
                [Source::Organization("o-a1b2c3d4e5".into()), accounts(&["111122223333", "444455556666"])]
            {
                let live = json!({"Statement": [service.statement(&source, &at)]});
                assert_eq!(service.granted(&live, &at), Some(source.clone()), "{}", service.word());
                let mut less = live;
                less["Statement"][0]["Action"] = json!("kms:Describe");
                assert_eq!(service.granted(&less, &at), None, "{}", service.word());
            }
            assert_eq!(serde_json::to_value(service).unwrap(), json!(service.word()));
        }
    }

    #[test]
    fn eventbridge_is_known_by_the_topic_and_by_nothing_else() {
        let region = Region::new(REGION);
        let at = Place { partition: "aws", region: &region };
        let statement = Service::Events.statement(&accounts(&["111122223333"]), &at);
        let topics = json!(["arn:aws:sns:eu-west-1:111122223333:*"]);
        assert_eq!(
            statement["Condition"],
            json!({"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}})
        );
        assert!(!Service::Events.tells_organization());
    }

    /// The engine's own view of who may deliver, and so that of everything that stands on the key.
    #[test]
    fn services_may_use_the_key_for_those_callers_and_no_others() {
        let region = Region::new(REGION);
        let at = Place { partition: "aws", region: &region };
        let asks = |source: &Source, service: Service, account, organization| {
            let principal = service.terms().principal;
            let live = json!({"Version": "2012-10-17", "Statement": [service.statement(source, &at)]});
            let delivery = policy::Delivery {
                service: principal,
                action: "kms:GenerateDataKey",
                resource: "arn:aws:kms:eu-west-1:444455556666:key/k",
                account,
                organization,
            };
            policy::allows_service(&live.to_string(), &delivery)
        };
        for service in Service::ALL.into_iter().filter(|service| service.tells_organization()) {
            let ours = Source::Organization("o-ours".into());
            assert!(asks(&ours, service, "111122223333", Some("o-ours")), "{}", service.word());
            assert!(!asks(&ours, service, "111122223333", Some("o-theirs")), "{}", service.word());
            let two = accounts(&["111122223333", "444455556666"]);
            assert!(asks(&two, service, "111122223333", None), "{}", service.word());
            assert!(!asks(&two, service, "999999999999", None), "{}", service.word());
        }
    }
}
