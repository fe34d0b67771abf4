//! The rules of a trail, whoever has it, and their ids in the frameworks.

use super::{DELIVERY, EVENTS, INSIGHTS, LOGGING, LOGS, TRAIL};
use crate::control::{Rule, Severity};

pub const OF_LOGS: Rule = Rule {
    id: LOGS,
    severity: Severity::Low,
    frameworks: &["cis-1.4.0/3.4", "fsbp/CloudTrail.5", "fsbp/CloudWatch.16"],
};
pub const OF_TRAIL: Rule = Rule {
    id: TRAIL,
    severity: Severity::High,
    frameworks: &[
        "cis-1.4.0/3.1",
        "cis-1.4.0/3.2",
        "cis-1.4.0/3.7",
        "cis-3.0.0/3.1",
        "cis-3.0.0/3.2",
        "cis-3.0.0/3.5",
        "cis-5.0.0/3.1",
        "cis-5.0.0/3.2",
        "cis-5.0.0/3.5",
        "fsbp/CloudTrail.1",
        "fsbp/CloudTrail.2",
        "fsbp/CloudTrail.4",
    ],
};
pub const OF_EVENTS: Rule = Rule {
    id: EVENTS,
    severity: Severity::Medium,
    frameworks: &[
        "cis-1.4.0/3.10",
        "cis-1.4.0/3.11",
        "cis-3.0.0/3.8",
        "cis-3.0.0/3.9",
        "cis-5.0.0/3.8",
        "cis-5.0.0/3.9",
        "fsbp/CloudTrail.1",
    ],
};
pub const OF_INSIGHTS: Rule = Rule { id: INSIGHTS, severity: Severity::Low, frameworks: &[] };
pub const OF_LOGGING: Rule = Rule {
    id: LOGGING,
    severity: Severity::High,
    frameworks: &["cis-1.4.0/3.1", "cis-3.0.0/3.1", "cis-5.0.0/3.1", "fsbp/CloudTrail.3"],
};
pub const OF_DELIVERY: Rule = Rule { id: DELIVERY, severity: Severity::High, frameworks: &[] };
