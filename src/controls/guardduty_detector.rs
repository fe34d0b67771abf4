//! `guardduty.detector`: threat detection in each region.
//!
//! Two rules. `detector` is everything that `UpdateDetector` writes, as one finding, because one call writes it.
//! FSBP's ids of the single features stand beside the field in the schema (`x-frameworks`), so a report can tell
//! them apart by the paths that differ. `publishing` is the export of findings, with a call of its own; it alone
//! stands on the archive. Both have one resource, so a new detector is made before its export.

use serde_json::Value;

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Thing, Verdict,
};
use crate::fault::Fault;
use crate::pointer;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::Detector;
use spec::{DeliverTo, DetectorSpec, EKS_RUNTIME, Frequency, RUNTIME};
use write::Write;

pub struct GuardDutyDetector;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ask {
    /// Destinations are listed only where one is declared.
    destinations: bool,
}

const RESOURCE: &str = "detector";

impl Control for GuardDutyDetector {
    const META: Meta = Meta {
        id: "guardduty.detector",
        title: "GuardDuty watches every region",
        docs: "\
## What it checks

In each region: whether there is a detector and whether it is enabled, how often it sends findings on, which
protection plans (features) are on, and where findings are exported to. Names of features are AWS's and are
not checked against a list: one that GuardDuty does not list in a region is reported there as not offered.
`CLOUD_TRAIL`, `DNS_LOGS` and `FLOW_LOGS` are always on and cannot be declared.

FSBP asks for six of the features, each under an id of its own:

- `EKS_AUDIT_LOGS`: GuardDuty.5
- `LAMBDA_NETWORK_LOGS`: GuardDuty.6
- `EBS_MALWARE_PROTECTION`: GuardDuty.8
- `RDS_LOGIN_EVENTS`: GuardDuty.9
- `S3_DATA_EVENTS`: GuardDuty.10
- `RUNTIME_MONITORING`: GuardDuty.11

The detector of a member account belongs to its GuardDuty administrator: where it differs, the plan names the
administrator and leaves it alone. The export of findings is the member's own.

## Why it matters

GuardDuty reads API calls, network flows and name lookups without an agent and reports stolen credentials,
coin mining and contacts with known attackers. A region without a detector is where nobody looks, so that is
where attackers go.

## What apply does

Where there is no detector, one is made with everything that is declared. AWS turns most features on in a new
detector; those that the YAML does not name are turned off in the same call, because each is charged for. A
detector that exists keeps whatever is not declared. Each feature that is turned on starts a charge, and the
plan names it. `deliverTo: archive` sets up the export to the archive's bucket with the archive's key; a
destination that exists is turned to the archive rather than doubled.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Turning something off
weakens, so apply asks for `--allow weakening:detector`. A detector that did not exist before is suspended by
`enabled: false`, which ends its charges and keeps its findings; it is not deleted, and neither is an export.
",
        example: "\
enabled: true
frequency: FIFTEEN_MINUTES
features:
  S3_DATA_EVENTS: true
  EKS_AUDIT_LOGS: true
  EBS_MALWARE_PROTECTION: true
  RDS_LOGIN_EVENTS: true
  LAMBDA_NETWORK_LOGS: true
  RUNTIME_MONITORING: true
runtimeAgents:
  EC2_AGENT_MANAGEMENT: true
  ECS_FARGATE_AGENT_MANAGEMENT: false
deliverTo: archive
",
        reach: Reach::REGION,
        rules: &[
            Rule {
                id: "detector",
                severity: Severity::High,
                frameworks: &[
                    "fsbp/GuardDuty.1",
                    "fsbp/GuardDuty.5",
                    "fsbp/GuardDuty.6",
                    "fsbp/GuardDuty.8",
                    "fsbp/GuardDuty.9",
                    "fsbp/GuardDuty.10",
                    "fsbp/GuardDuty.11",
                ],
            },
            Rule { id: "publishing", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[
            Call::new("guardduty:ListDetectors"),
            Call::new("guardduty:GetDetector"),
            Call::new("guardduty:GetAdministratorAccount"),
            Call::new("guardduty:ListPublishingDestinations"),
            Call::new("guardduty:DescribePublishingDestination"),
        ],
        writes: &[
            write::CREATE_DETECTOR,
            write::UPDATE_DETECTOR,
            write::CREATE_DESTINATION,
            write::UPDATE_DESTINATION,
        ],
        events: &["guardduty:DeleteDetector", "guardduty:DeletePublishingDestination"],
        undo: Some("baseline never deletes a detector or an export"),
        tags: false,
    };
    type Desired = DetectorSpec;
    type Ask = Ask;
    type Observed = Option<Detector>;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &DetectorSpec) -> Ask {
        Ask { destinations: spec.deliver_to.is_some() }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Option<Detector>, Fault> {
        live::read(aws, ask.destinations).await
    }

    fn needs(&self, facts: &Facts, spec: &DetectorSpec) -> Vec<Need> {
        let Some(archive) = facts.archive().filter(|_| spec.deliver_to.is_some()) else { return Vec::new() };
        let delivery = Thing::Delivery {
            account: archive.account.clone(),
            region: archive.region.clone(),
            bucket: archive.bucket.clone(),
            service: "guardduty.amazonaws.com".into(),
            from: facts.scope.account.clone(),
        };
        vec![Need::hard(plan::key(archive)), Need::hard(delivery)]
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &DetectorSpec,
        observed: &Option<Detector>,
    ) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        let mut say = |rule, verdict: Verdict<Write>| findings.push(Finding::new(RESOURCE, rule, verdict));
        match observed {
            None if spec.declares_detector() || spec.deliver_to.is_some() => {
                say("detector", plan::absent(facts, spec));
                if spec.deliver_to.is_some() && spec.wants_detector() {
                    say("publishing", plan::first_export(facts));
                }
            }
            None => {}
            Some(live) => {
                if spec.declares_detector() {
                    say("detector", plan::detector(spec, live));
                }
                if spec.deliver_to.is_some() {
                    say("publishing", plan::publishing(facts, known, live));
                }
            }
        }
        findings
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Option<Detector>) -> Option<DetectorSpec> {
        let live = observed.as_ref()?;
        // Both are listed, and only one of them can be declared.
        let legacy = live.features.get(EKS_RUNTIME).is_some_and(|feature| feature.on);
        let left_out = if legacy { RUNTIME } else { EKS_RUNTIME };
        let features = live.features.iter().filter(|(name, _)| *name != left_out);
        let agents = live.agents.iter().filter(|_| !legacy);
        let delivers = live.destinations.is_some()
            && facts.archive().is_some()
            && plan::publishing(facts, known, live) == Verdict::InSync;
        Some(DetectorSpec {
            enabled: Some(live.enabled),
            frequency: Frequency::of(&live.frequency),
            features: features.map(|(name, feature)| (name.clone(), Some(feature.on))).collect(),
            runtime_agents: agents.map(|(name, agent)| (name.clone(), Some(agent.on))).collect(),
            deliver_to: delivers.then_some(DeliverTo::Archive),
        })
    }

    /// A detector that did not exist is one that is off. An export stays: nothing is deleted.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<DetectorSpec> {
        let mut spec = DetectorSpec::default();
        for field in fields {
            let on = field.before.as_bool();
            match field.path.trim_start_matches('/').split_once('/') {
                None if field.path == "/enabled" => spec.enabled = Some(on.unwrap_or(false)),
                None if field.path == "/frequency" => {
                    spec.frequency = field.before.as_str().and_then(Frequency::of);
                }
                Some((_, _)) if field.before == Value::Null => {}
                Some(("features", key)) => drop(spec.features.insert(pointer::unescaped(key), on)),
                Some(("runtimeAgents", key)) => drop(spec.runtime_agents.insert(pointer::unescaped(key), on)),
                _ => {}
            }
        }
        spec.declares_detector().then_some(spec)
    }
}
