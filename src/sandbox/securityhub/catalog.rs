//! What AWS offers: standards, and some controls of each kind.
//!
//! Sources: the User Guide's "Standards reference" and "Control reference" for ids, severities, standards and
//! parameters; `DescribeStandards` of us-east-1 as hashicorp/terraform-provider-aws#28540 quotes it for ARNs.

use aws_sdk_securityhub::types::{
    BooleanConfigurationOptions, ConfigurationOptions, IntegerConfigurationOptions,
    IntegerListConfigurationOptions, ParameterValue, SeverityRating,
};

/// A standard as `DescribeStandards` tells it.
#[derive(Clone, Debug)]
pub struct Offered {
    /// `cis-aws-foundations-benchmark/v/1.4.0`.
    pub path: &'static str,
    pub arn: String,
    pub name: &'static str,
    /// AWS Control Tower manages it.
    pub control_tower: bool,
}

const FSBP: &str = "aws-foundational-security-best-practices/v/1.0.0";
const CIS_12: &str = "cis-aws-foundations-benchmark/v/1.2.0";
const CIS_14: &str = "cis-aws-foundations-benchmark/v/1.4.0";
const CIS_30: &str = "cis-aws-foundations-benchmark/v/3.0.0";
const CIS_50: &str = "cis-aws-foundations-benchmark/v/5.0.0";
const NIST: &str = "nist-800-53/v/5.0.0";
const PCI: &str = "pci-dss/v/4.0.1";
const TAGGING: &str = "aws-resource-tagging-standard/v/1.0.0";
const CONTROL_TOWER: &str = "service-managed-aws-control-tower/v/1.0.0";

/// EnableSecurityHub: "CIS AWS Foundations Benchmark v1.2.0" and FSBP.
pub const DEFAULTS: [&str; 2] = [CIS_12, FSBP];

const STANDARDS: &[(&str, &str)] = &[
    (FSBP, "AWS Foundational Security Best Practices v1.0.0"),
    (TAGGING, "AWS Resource Tagging Standard v1.0.0"),
    (CIS_12, "CIS AWS Foundations Benchmark v1.2.0"),
    (CIS_14, "CIS AWS Foundations Benchmark v1.4.0"),
    (CIS_30, "CIS AWS Foundations Benchmark v3.0.0"),
    (CIS_50, "CIS AWS Foundations Benchmark v5.0.0"),
    (NIST, "NIST Special Publication 800-53 Revision 5"),
    ("nist-800-171/v/2.0.0", "NIST Special Publication 800-171 Revision 2"),
    ("pci-dss/v/3.2.1", "PCI DSS v3.2.1"),
    (PCI, "PCI DSS v4.0.1"),
];

/// The ARN of a standard: CIS v1.2.0 alone is a ruleset, without a region.
pub fn arn(path: &str, region: &str) -> String {
    if path == CIS_12 {
        format!("arn:aws:securityhub:::ruleset/{path}")
    } else {
        format!("arn:aws:securityhub:{region}::standards/{path}")
    }
}

/// What stands behind `standards/` or `ruleset/` in an ARN.
pub fn path(arn: &str) -> &str {
    arn.split_once('/').map_or(arn, |(_, path)| path)
}

/// The standards of a region. Asia Pacific (Osaka) is without the tagging standard here, so that not every region
/// offers the same.
pub fn offered(region: &str, control_tower: bool) -> Vec<Offered> {
    let offered = |&(path, name): &(&'static str, &'static str)| Offered {
        path,
        arn: arn(path, region),
        name,
        control_tower: path == CONTROL_TOWER,
    };
    let missing = |path: &str| region == "ap-northeast-3" && path == TAGGING;
    let managed = (CONTROL_TOWER, "Service-Managed Standard: AWS Control Tower");
    STANDARDS
        .iter()
        .filter(|(path, _)| !missing(path))
        .chain(control_tower.then_some(&managed))
        .map(offered)
        .collect()
}

/// A security control.
#[derive(Debug)]
pub struct Control {
    pub id: &'static str,
    pub title: &'static str,
    pub severity: Severity,
    /// The standards that hold it, by path.
    pub standards: &'static [&'static str],
    pub parameters: &'static [(&'static str, Parameter)],
    /// Whether this control exists in the region (`CurrentRegionAvailability`).
    pub available: bool,
}

/// The severities, as a constant can hold them.
#[derive(Clone, Copy, Debug)]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl From<Severity> for SeverityRating {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

/// A parameter: its type, its default and its bounds.
#[derive(Clone, Copy, Debug)]
pub enum Parameter {
    Integer {
        default: i32,
        min: i32,
        max: i32,
    },
    /// Ports; some have no default.
    Ports {
        default: &'static [i32],
    },
    Boolean {
        default: bool,
    },
}

impl Parameter {
    /// `None` where AWS has no default: the parameter is ignored until somebody sets it.
    pub fn default(self) -> Option<ParameterValue> {
        match self {
            Self::Integer { default, .. } => Some(ParameterValue::Integer(default)),
            Self::Ports { default: [] } => None,
            Self::Ports { default } => Some(ParameterValue::IntegerList(default.to_vec())),
            Self::Boolean { default } => Some(ParameterValue::Boolean(default)),
        }
    }

    /// Whether a value is of the type and within the bounds.
    pub fn takes(self, value: &ParameterValue) -> bool {
        match (self, value) {
            (Self::Integer { min, max, .. }, ParameterValue::Integer(value)) => (min..=max).contains(value),
            (Self::Ports { .. }, ParameterValue::IntegerList(ports)) => {
                !ports.is_empty() && ports.len() <= 32 && ports.iter().all(|port| (0..=65535).contains(port))
            }
            (Self::Boolean { .. }, ParameterValue::Boolean(_)) => true,
            _ => false,
        }
    }

    pub fn options(self) -> ConfigurationOptions {
        match self {
            Self::Integer { default, min, max } => ConfigurationOptions::Integer(
                IntegerConfigurationOptions::builder().default_value(default).min(min).max(max).build(),
            ),
            Self::Ports { default } => ConfigurationOptions::IntegerList(
                IntegerListConfigurationOptions::builder()
                    .set_default_value((!default.is_empty()).then(|| default.to_vec()))
                    .min(0)
                    .max(65535)
                    .max_items(32)
                    .build(),
            ),
            Self::Boolean { default } => ConfigurationOptions::Boolean(
                BooleanConfigurationOptions::builder().default_value(default).build(),
            ),
        }
    }
}

const fn control(
    id: &'static str,
    severity: Severity,
    standards: &'static [&'static str],
    title: &'static str,
) -> Control {
    Control { id, title, severity, standards, parameters: &[], available: true }
}

use Severity::{Critical, High, Low, Medium};

/// Some controls of every severity.
pub const CONTROLS: &[Control] = &[
    Control {
        parameters: &[("daysToExpiration", Parameter::Integer { default: 30, min: 14, max: 365 })],
        ..control(
            "ACM.1",
            Medium,
            &[FSBP, NIST, PCI],
            "Imported and ACM-issued certificates should be renewed after a specified time period",
        )
    },
    control(
        "CloudTrail.1",
        High,
        &[FSBP, CIS_12, CIS_14, CIS_30, CIS_50, NIST],
        "CloudTrail should be enabled",
    ),
    control("CloudTrail.5", Low, &[FSBP, CIS_12, CIS_14, NIST, PCI], "Trails go to CloudWatch Logs"),
    control("CloudTrail.7", Low, &[CIS_12, CIS_14, CIS_30, PCI], "The trail's bucket logs accesses"),
    control(
        "Config.1",
        Critical,
        &[FSBP, CIS_12, CIS_14, CIS_30, CIS_50, NIST, PCI],
        "AWS Config is enabled",
    ),
    control(
        "EC2.2",
        High,
        &[FSBP, CIS_12, CIS_14, CIS_30, CIS_50, NIST, PCI],
        "Default groups let nothing in",
    ),
    control("EC2.8", High, &[FSBP, CIS_30, CIS_50, NIST, PCI], "Instances use IMDSv2"),
    Control {
        parameters: &[
            ("authorizedTcpPorts", Parameter::Ports { default: &[80, 443] }),
            ("authorizedUdpPorts", Parameter::Ports { default: &[] }),
        ],
        ..control("EC2.18", High, &[FSBP, NIST], "Groups let everybody in on authorised ports only")
    },
    control("EC2.35", Low, &[TAGGING], "EC2 network interfaces should be tagged"),
    control("IAM.6", Critical, &[FSBP, CIS_12, CIS_14, CIS_30, CIS_50, NIST, PCI], "Root has hardware MFA"),
    Control {
        parameters: &[
            ("MinimumPasswordLength", Parameter::Integer { default: 8, min: 8, max: 128 }),
            ("RequireSymbols", Parameter::Boolean { default: true }),
        ],
        ..control("IAM.7", Medium, &[FSBP, NIST, PCI], "Password policies are strong")
    },
    control("Macie.1", Medium, &[FSBP, NIST], "Amazon Macie should be enabled"),
    control("Macie.2", High, &[FSBP, NIST], "Macie automated sensitive data discovery should be enabled"),
    Control { available: false, ..control("MSK.3", Medium, &[FSBP, PCI], "MSK Connect connectors encrypt") },
    control("S3.22", Medium, &[CIS_30, CIS_50, PCI], "Buckets log write events of objects"),
];

/// The control with this id.
pub fn find(id: &str) -> Option<&'static Control> {
    CONTROLS.iter().find(|control| control.id == id)
}

/// The controls of a standard, by its ARN.
pub fn of(standard: &str) -> impl Iterator<Item = &'static Control> {
    let path = path(standard).to_owned();
    CONTROLS.iter().filter(move |control| control.standards.contains(&path.as_str()))
}
