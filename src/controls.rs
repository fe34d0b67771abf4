//! The controls, one file each, and the one list of them.
//!
//! Adding one: a file, a `mod` line and a line in [`CONTROLS`]. `CONTRIBUTING.md` walks through it.

mod cloudtrail_trail;
mod cloudwatch_cis_alarms;
mod config_aggregator;
mod config_conformance_packs;
mod config_recorder;
mod config_rules;
mod ec2_account_defaults;
mod ecr_registry;
mod ecr_repositories;
mod events_finding_rules;
pub mod events_hints;
mod events_rule;
mod guardduty_administrator;
mod guardduty_detector;
mod guardduty_filters;
mod guardduty_lists;
mod guardduty_malware_scan;
mod guardduty_organization;
mod iam_password_policy;
mod iam_root_user;
mod inspector_administrator;
mod inspector_organization;
mod inspector_scanning;
mod kms_keys;
mod logs_groups;
mod s3_account_public_access;
mod s3_log_archive;
mod securityhub_administrator;
mod securityhub_aggregation;
mod securityhub_automation;
mod securityhub_controls;
mod securityhub_hub;
mod securityhub_organization;
mod securityhub_standards;
mod securityhub_suppressions;
mod sns_topics;
mod waf_acl;
mod waf_association;
#[cfg(test)]
mod wire;

use crate::control::ErasedControl;

/// Every control, in the order in which plans, `explain` and the docs list them.
pub static CONTROLS: &[&dyn ErasedControl] = &[
    &iam_password_policy::PasswordPolicy,
    &iam_root_user::RootUser,
    &kms_keys::Keys,
    &s3_log_archive::LogArchive,
    &cloudtrail_trail::CloudTrail,
    &cloudtrail_trail::OrganizationTrail,
    &config_recorder::ConfigRecorder,
    &config_rules::ConfigRules,
    &config_conformance_packs::ConformancePacks,
    &config_aggregator::Aggregator,
    &guardduty_detector::GuardDutyDetector,
    &guardduty_filters::Filters,
    &guardduty_lists::Lists,
    &guardduty_malware_scan::MalwareScan,
    &guardduty_administrator::Administrator,
    &guardduty_organization::Organization,
    &securityhub_hub::Hub,
    &securityhub_standards::Standards,
    &securityhub_controls::Controls,
    &securityhub_aggregation::Aggregation,
    &securityhub_automation::Automation,
    &securityhub_suppressions::Suppressions,
    &securityhub_administrator::Administrator,
    &securityhub_organization::Organization,
    &inspector_scanning::InspectorScanning,
    &inspector_administrator::Administrator,
    &inspector_organization::Organization,
    &sns_topics::Topics,
    &events_finding_rules::FindingRules,
    &events_hints::Hints,
    &logs_groups::Groups,
    &cloudwatch_cis_alarms::CisAlarms,
    &waf_acl::WebAcls::<false>,
    &waf_acl::WebAcls::<true>,
    &waf_association::WebAclAssociation,
    &ec2_account_defaults::AccountDefaults,
    &s3_account_public_access::AccountPublicAccess,
    &ecr_registry::Registry,
    &ecr_repositories::Repositories,
];

/// The control with this id.
pub fn find(id: &str) -> Option<&'static dyn ErasedControl> {
    CONTROLS.iter().copied().find(|control| control.meta().id == id)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::control::{Archive, Facts, OrganizationFacts, Region, Scope, Seat};

    /// A member account in `eu-west-1` whose organisation keeps an archive in another account.
    pub(crate) fn facts() -> Facts {
        let region = Region::new("eu-west-1");
        let archive = Archive {
            account: "444455556666".parse().unwrap(),
            region: region.clone(),
            bucket: "acme-logs".into(),
            key: "alias/baseline/logs".into(),
        };
        Facts {
            scope: Scope { account: "111122223333".parse().unwrap(), region: region.clone() },
            partition: "aws".into(),
            home: region.clone(),
            managed: vec![region],
            organization: Some(OrganizationFacts {
                id: Some("o-a1b2c3d4e5".into()),
                seats: BTreeMap::from([(Seat::LogArchive, archive.account.clone())]),
                archive: Some(archive),
            }),
            tags: BTreeMap::from([("managed-by".into(), "baseline".into())]),
            networks: std::sync::Arc::default(),
            exempt: Vec::new(),
            observed_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn ids_are_unique_and_have_one_dot() {
        let mut seen = std::collections::BTreeSet::new();
        for control in CONTROLS {
            let id = control.meta().id;
            assert_eq!(id.matches('.').count(), 1, "{id}");
            assert!(seen.insert(id), "{id} twice");
            assert_eq!(find(id).map(|found| found.meta().id), Some(id));
        }
    }

    #[test]
    fn docs_have_their_headings_and_rules_their_ids() {
        for control in CONTROLS {
            let meta = control.meta();
            let headings: Vec<&str> = meta.docs.lines().filter(|line| line.starts_with('#')).collect();
            let wanted = ["## What it checks", "## Why it matters", "## What apply does", "## How to undo"];
            assert_eq!(headings, wanted, "{}", meta.id);
            assert!(!meta.rules.is_empty() && !meta.reads.is_empty(), "{}", meta.id);
            for id in meta.rules.iter().flat_map(|rule| rule.frameworks) {
                let (framework, number) = id.split_once('/').expect(id);
                let known = ["cis-1.4.0", "cis-3.0.0", "cis-5.0.0", "fsbp"].contains(&framework);
                assert!(known && !number.is_empty(), "{}: {id}", meta.id);
            }
        }
    }

    #[test]
    fn examples_fit_their_specs() {
        for control in CONTROLS {
            let spec: Value = serde_yaml::from_str(control.meta().example).unwrap();
            control.check(&spec).unwrap();
            let schema = control.schema().to_value();
            assert!(jsonschema::is_valid(&schema, &spec), "{}", control.meta().id);
        }
    }

    /// A leaf can be disturbed from its schema alone (boolean, enum, bounded integer), or says how
    /// (`x-mutate`) or why not (`x-fixed`); and it says what it is.
    #[test]
    fn every_leaf_can_be_disturbed_or_says_why_not() {
        for control in CONTROLS {
            let schema = control.schema().to_value();
            let mut wrong = Vec::new();
            leaves(&schema, &schema["$defs"], "", &mut wrong);
            assert!(wrong.is_empty(), "{}: {wrong:?}", control.meta().id);
        }
    }

    fn leaves(schema: &Value, defs: &Value, path: &str, wrong: &mut Vec<String>) {
        if path.rsplit('/').next() != Some("*") && !path.is_empty() && schema.get("description").is_none() {
            wrong.push(format!("{path} has no description"));
        }
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            Some(to) => &defs[to.rsplit('/').next().unwrap()],
            None => schema,
        };
        if schema.get("x-fixed").is_some() || schema.get("x-mutate").is_some() {
            return;
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, inner) in properties {
                leaves(inner, defs, &format!("{path}/{name}"), wrong);
            }
            return;
        }
        if let Some(inner) = schema.get("items").or(schema.get("additionalProperties")) {
            return leaves(inner, defs, &format!("{path}/*"), wrong);
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        let derivable = schema.get("enum").is_some()
            || kinds.contains(&"boolean")
            || (kinds.contains(&"integer")
                && schema.get("minimum").is_some()
                && schema.get("maximum").is_some());
        if !derivable {
            wrong.push(format!("{path} cannot be disturbed"));
        }
    }
}
