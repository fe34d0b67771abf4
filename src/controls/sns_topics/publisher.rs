//! The services that publish to a topic, and the statement that lets each: a table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::place::Scope;

/// A service by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Publisher {
    Budgets,
    Cloudtrail,
    Cloudwatch,
    Config,
    Costalerts,
    Events,
    S3,
}

/// For whom the services may publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Callers {
    Account,
    Organization,
}

impl Callers {
    pub fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Organization => "organization",
        }
    }
}

/// For whom, with the names that AWS knows them by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The topic's own account.
    Account,
    /// The organisation of this id.
    Organization(String),
}

impl Source {
    pub fn callers(&self) -> Callers {
        match self {
            Self::Account => Callers::Account,
            Self::Organization(_) => Callers::Organization,
        }
    }
}

impl Publisher {
    pub const ALL: [Self; 7] = [
        Self::Budgets,
        Self::Cloudtrail,
        Self::Cloudwatch,
        Self::Config,
        Self::Costalerts,
        Self::Events,
        Self::S3,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Budgets => "budgets",
            Self::Cloudtrail => "cloudtrail",
            Self::Cloudwatch => "cloudwatch",
            Self::Config => "config",
            Self::Costalerts => "costalerts",
            Self::Events => "events",
            Self::S3 => "s3",
        }
    }

    pub fn sid(self) -> &'static str {
        match self {
            Self::Budgets => "BaselineBudgets",
            Self::Cloudtrail => "BaselineCloudtrail",
            Self::Cloudwatch => "BaselineCloudwatch",
            Self::Config => "BaselineConfig",
            Self::Costalerts => "BaselineCostalerts",
            Self::Events => "BaselineEvents",
            Self::S3 => "BaselineS3",
        }
    }

    /// Does the service tell SNS for whom it publishes? "You can't use Condition blocks in Amazon SNS topic policies
    /// for EventBridge" (EventBridge User Guide, "Amazon SNS permissions"): with one, every message is lost without
    /// an error. Rules of other accounts need a role to reach a topic, and come as that role.
    pub fn tells_source(self) -> bool {
        self != Self::Events
    }

    /// The statement that lets the service publish to the topic of this ARN. Sources: the user guides of the services
    /// ("Configure CloudTrail to send SNS notifications", "Permissions for the Amazon SNS topic" of Config, "Creating an
    /// Amazon SNS topic for budget notifications", "Cost Anomaly Detection: creating an Amazon SNS topic") and the SNS
    /// Developer Guide, "Example cases for Amazon SNS access control", for CloudWatch and S3.
    pub fn statement(self, source: &Source, scope: &Scope, topic: &str) -> Value {
        let mut statement = json!({
            "Sid": self.sid(),
            "Effect": "Allow",
            "Principal": {"Service": format!("{}.amazonaws.com", self.word())},
            "Action": "sns:Publish",
            "Resource": topic,
        });
        if self.tells_source() {
            statement["Condition"] = match source {
                Source::Account => json!({"StringEquals": {"aws:SourceAccount": scope.account}}),
                Source::Organization(id) => json!({"StringEquals": {"aws:SourceOrgID": id}}),
            };
        }
        statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::policy;
    use crate::place::Region;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alerts";

    /// The engine's own view of what a policy lets a service do.
    #[test]
    fn services_may_publish_for_those_callers_and_no_others() {
        let scope = Scope { account: "111122223333".parse().unwrap(), region: Region::new("eu-west-1") };
        let may = |publisher: Publisher, source: &Source, account, organization| {
            let live =
                json!({"Version": "2012-10-17", "Statement": [publisher.statement(source, &scope, TOPIC)]});
            let service = format!("{}.amazonaws.com", publisher.word());
            let asked = policy::Delivery {
                service: &service,
                action: "sns:Publish",
                resource: TOPIC,
                account,
                organization,
            };
            policy::allows_service(&live.to_string(), &asked)
        };
        let ours = Source::Organization("o-ours".into());
        for publisher in Publisher::ALL {
            let word = publisher.word();
            assert_eq!(serde_json::to_value(publisher).unwrap(), json!(word));
            assert!(may(publisher, &Source::Account, "111122223333", None), "{word}");
            assert!(may(publisher, &ours, "444455556666", Some("o-ours")), "{word}");
            if publisher.tells_source() {
                assert!(!may(publisher, &Source::Account, "444455556666", Some("o-ours")), "{word}");
                assert!(!may(publisher, &ours, "444455556666", Some("o-theirs")), "{word}");
            }
        }
    }

    #[test]
    fn eventbridge_gets_no_condition() {
        let scope = Scope { account: "111122223333".parse().unwrap(), region: Region::new("eu-west-1") };
        let statement = Publisher::Events.statement(&Source::Account, &scope, TOPIC);
        assert_eq!(statement.get("Condition"), None);
    }
}
