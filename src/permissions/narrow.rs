//! Where an action is used on something that AWS documents, and nothing else.

use std::collections::BTreeSet;

use super::Condition;

/// Where an action is wanted, apart from the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Everything,
    /// On these ARNs only.
    Resources,
    /// `iam:AWSServiceName`: service-linked roles of these services.
    ServiceLinkedRoles,
    /// `iam:PassedToService`: roles passed to these services.
    PassedTo,
    /// `iam:PolicyARN`: these policies of AWS.
    Policies,
}

impl Place {
    /// In a Sid.
    pub fn word(self) -> &'static str {
        match self {
            Self::Everything => "",
            Self::Resources => "Named",
            Self::ServiceLinkedRoles => "ServiceLinkedRoles",
            Self::PassedTo => "PassRole",
            Self::Policies => "Policies",
        }
    }

    /// Resources and condition of a statement.
    pub fn written(self, values: &BTreeSet<String>) -> (Vec<String>, Option<Condition>) {
        let everything = || vec!["*".to_owned()];
        let condition = |operator, key| Some(Condition { operator, key, values: values.clone() });
        match self {
            Self::Everything => (everything(), None),
            Self::Resources => (values.iter().cloned().collect(), None),
            Self::ServiceLinkedRoles => (everything(), condition("StringEquals", "iam:AWSServiceName")),
            Self::PassedTo => (everything(), condition("StringEquals", "iam:PassedToService")),
            Self::Policies => (everything(), condition("ArnEquals", "iam:PolicyARN")),
        }
    }
}

/// The service-linked roles that AWS makes for whoever switches on what a control's service is about, by the first
/// word of the control's id (each service's guide, "Using service-linked roles").
const SERVICE_LINKED: &[(&str, &[&str])] = &[
    ("cloudtrail", &["cloudtrail.amazonaws.com"]),
    ("config", &["config.amazonaws.com", "config-conforms.amazonaws.com"]),
    // Enhanced scanning is Inspector's.
    ("ecr", &["inspector2.amazonaws.com", "agentless.inspector2.amazonaws.com"]),
    ("guardduty", &["guardduty.amazonaws.com", "malware-protection.guardduty.amazonaws.com"]),
    ("inspector", &["inspector2.amazonaws.com", "agentless.inspector2.amazonaws.com"]),
    ("securityhub", &["securityhub.amazonaws.com"]),
    // Of logging, to Firehose and by way of CloudWatch Logs.
    ("waf", &["wafv2.amazonaws.com", "delivery.logs.amazonaws.com"]),
];

/// The services that a control's service passes roles to, by the first word of the control's id.
const PASSED_TO: &[(&str, &[&str])] = &[
    ("cloudtrail", &["cloudtrail.amazonaws.com"]),
    // Remediation is run by Systems Manager.
    ("config", &["config.amazonaws.com", "ssm.amazonaws.com"]),
    ("events", &["events.amazonaws.com"]),
];

/// GuardDuty User Guide, "Setting up required permissions for entity lists and IP address lists".
const GUARDDUTYS_ROLE: &str = "arn:{partition}:iam::{account}:role/aws-service-role/guardduty.amazonaws.com/\
                               AWSServiceRoleForAmazonGuardDuty";

/// What an aggregator of the organisation reads the list of accounts with.
const AGGREGATORS_POLICY: &str = "arn:{partition}:iam::aws:policy/service-role/AWSConfigRoleForOrganizations";

/// Where `action` is wanted by the controls of a service: `guardduty`, of `guardduty.detector`. What nobody has
/// looked up is wanted everywhere, because a policy that is too narrow fails in the middle of an apply.
pub fn of(action: &str, service: &str) -> (Place, BTreeSet<String>) {
    let listed = |table: &[(&str, &[&str])]| {
        let found = table.iter().find(|(of, _)| *of == service);
        found.map(|(_, values)| values.iter().map(|value| (*value).to_owned()).collect())
    };
    let one = |value: &str| BTreeSet::from([value.to_owned()]);
    let narrowed = match (action, service) {
        ("iam:CreateServiceLinkedRole", _) => {
            listed(SERVICE_LINKED).map(|names| (Place::ServiceLinkedRoles, names))
        }
        ("iam:PassRole", _) => listed(PASSED_TO).map(|names| (Place::PassedTo, names)),
        ("iam:DeleteRolePolicy" | "iam:PutRolePolicy", "guardduty") => {
            Some((Place::Resources, one(GUARDDUTYS_ROLE)))
        }
        ("iam:AttachRolePolicy", "config") => Some((Place::Policies, one(AGGREGATORS_POLICY))),
        _ => None,
    };
    narrowed.unwrap_or((Place::Everything, BTreeSet::new()))
}
