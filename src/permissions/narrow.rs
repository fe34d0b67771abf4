//! Where an action is used on something that AWS documents, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Condition;

/// Names that the documents give to what is made or written, so that an action is allowed on that and on nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Roles by the control that makes them.
    roles: BTreeMap<String, BTreeSet<String>>,
    /// Buckets for logs, `{partition}` and `{account}` still in them; none: any bucket.
    buckets: BTreeSet<String>,
}

impl Names {
    /// From the specs of controls, by their ids, and the bucket of the Organization's archive.
    pub fn of<'s>(specs: impl IntoIterator<Item = (&'s str, &'s Value)>, archive: Option<&str>) -> Self {
        let mut names = Self::default();
        for (control, spec) in specs {
            if MADE_ROLES.iter().any(|(of, _)| *of == control) {
                let said = [spec.get("role"), spec.pointer("/cloudWatchLogs/role")];
                let roles = said.into_iter().flatten().filter_map(Value::as_str).filter(|role| is_role(role));
                names.roles.entry(control.to_owned()).or_default().extend(roles.map(str::to_owned));
            } else if control == LOG_ARCHIVE {
                names.buckets.extend(spec["bucket"].as_str().map(bucket));
            }
        }
        names.buckets.extend(archive.map(bucket));
        names
    }

    fn roles(&self, control: &str) -> Option<BTreeSet<String>> {
        let (_, usual) = MADE_ROLES.iter().find(|(of, _)| *of == control)?;
        let declared = self.roles.get(control).into_iter().flatten().map(String::as_str);
        Some(
            declared
                .chain([*usual])
                .map(|name| format!("arn:{{partition}}:iam::{{account}}:role/{name}"))
                .collect(),
        )
    }

    fn buckets(&self) -> Option<BTreeSet<String>> {
        (!self.buckets.is_empty())
            .then(|| self.buckets.iter().map(|name| format!("arn:{{partition}}:s3:::{name}")).collect())
    }
}

/// The characters of a role's name (IAM API reference, CreateRole), which are no wildcards either.
fn is_role(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name != NONE
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
}

/// A role that is declared not to be there.
const NONE: &str = "none";

/// A bucket's name as a resource: the account is that of the policy, and what differs between regions is a wildcard.
fn bucket(template: &str) -> String {
    template.replace("{region}", "*").replace("{organization}", "*")
}

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
    /// On these ARNs, and `iam:PolicyARN`: the one policy that an aggregator reads with.
    AggregatorsPolicy,
}

impl Place {
    /// In a Sid.
    pub fn word(self) -> &'static str {
        match self {
            Self::Everything => "",
            Self::Resources => "Named",
            Self::ServiceLinkedRoles => "ServiceLinkedRoles",
            Self::PassedTo => "PassRole",
            Self::AggregatorsPolicy => "AttachPolicy",
        }
    }

    /// Resources and condition of a statement.
    pub fn written(self, values: &BTreeSet<String>) -> (Vec<String>, Option<Condition>) {
        let one = |resource: &str| vec![resource.to_owned()];
        let condition = |operator, key, values: &BTreeSet<String>| {
            Some(Condition { operator, key, values: values.clone() })
        };
        match self {
            Self::Everything => (one("*"), None),
            Self::Resources => (values.iter().cloned().collect(), None),
            Self::ServiceLinkedRoles => (
                one("arn:{partition}:iam::{account}:role/aws-service-role/*"),
                condition("StringEquals", "iam:AWSServiceName", values),
            ),
            Self::PassedTo => (one("*"), condition("StringEquals", "iam:PassedToService", values)),
            Self::AggregatorsPolicy => (
                values.iter().cloned().collect(),
                condition("ArnEquals", "iam:PolicyARN", &BTreeSet::from([AGGREGATORS_POLICY.to_owned()])),
            ),
        }
    }
}

const LOG_ARCHIVE: &str = "s3.log-archive";

/// The roles that controls make where the documents name none, by the control.
const MADE_ROLES: &[(&str, &str)] = &[
    ("cloudtrail.organization-trail", "baseline-cloudtrail"),
    ("cloudtrail.trail", "baseline-cloudtrail"),
    ("config.aggregator", "baseline-config-aggregator"),
    ("events.finding-rules", "baseline-events-forwarding"),
    ("events.hints", "baseline-hints"),
];

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

/// Where `action` is wanted by a control. What nobody has looked up is wanted everywhere, because a policy that is too
/// narrow fails in the middle of an apply.
pub fn of(action: &str, control: &str, names: &Names) -> (Place, BTreeSet<String>) {
    let service = control.split('.').next().unwrap_or_default();
    let listed = |table: &[(&str, &[&str])]| {
        let found = table.iter().find(|(of, _)| *of == service);
        found.map(|(_, values)| values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>())
    };
    let narrowed = match (action, control) {
        ("iam:CreateServiceLinkedRole", _) => {
            listed(SERVICE_LINKED).map(|names| (Place::ServiceLinkedRoles, names))
        }
        ("iam:PassRole", _) => listed(PASSED_TO).map(|names| (Place::PassedTo, names)),
        ("iam:DeleteRolePolicy" | "iam:PutRolePolicy", "guardduty.lists") => {
            Some((Place::Resources, BTreeSet::from([GUARDDUTYS_ROLE.to_owned()])))
        }
        ("iam:AttachRolePolicy", _) => names.roles(control).map(|roles| (Place::AggregatorsPolicy, roles)),
        ("iam:CreateRole" | "iam:PutRolePolicy" | "iam:TagRole" | "iam:UpdateAssumeRolePolicy", _) => {
            names.roles(control).map(|roles| (Place::Resources, roles))
        }
        (action, LOG_ARCHIVE) if writes_bucket(action) => {
            names.buckets().map(|buckets| (Place::Resources, buckets))
        }
        _ => None,
    };
    narrowed.unwrap_or((Place::Everything, BTreeSet::new()))
}

/// Does it change one bucket? (Service Authorization Reference, "Actions defined by Amazon S3": resource type bucket.)
fn writes_bucket(action: &str) -> bool {
    let name = action.strip_prefix("s3:").unwrap_or_default();
    ["Create", "Put", "Tag"].iter().any(|verb| name.starts_with(verb)) && !name.contains("Account")
}
