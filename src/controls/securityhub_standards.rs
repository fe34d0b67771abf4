//! `securityhub.standards`: which standards of Security Hub are on in each region, and whether new controls of theirs
//! come on by themselves.
//!
//! One finding for each declared standard, because each is enabled by itself, takes its time and may fail for a reason
//! of its own. A change speaks of `fsbp/1.0.0`; the ARN is looked up in the region when the call is made.

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Thing};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::Live;
use spec::{StandardsSpec, declared};
use write::Write;

pub struct Standards;

/// What `newControls` is told of.
const HUB: &str = "hub";

impl Control for Standards {
    const META: Meta = Meta {
        id: "securityhub.standards",
        title: "The standards of Security Hub that were chosen are on in every region",
        docs: "\
## What it checks

In each region: whether each declared standard is on, and whether controls that AWS adds to a standard come on by
themselves (`newControls`). Standards that are not declared are left as they are.

A standard is declared by name and version, or by its ARN:

- `fsbp/1.0.0`: AWS Foundational Security Best Practices
- `cis/1.2.0`, `cis/1.4.0`, `cis/3.0.0`, `cis/5.0.0`: CIS AWS Foundations Benchmark
- `nist-800-53/5.0.0`, `nist-800-171/2.0.0`
- `pci-dss/3.2.1`, `pci-dss/4.0.1`
- `tagging/1.0.0`: AWS Resource Tagging Standard

Any other standard goes by the name that stands in its ARN. Which of them a region offers is asked there, never
assumed: one that it does not list is reported as not offered, with the versions that it has.

AWS enables and disables standards in its own time; until then they are reported as in progress. A standard that it
could not enable whole is `INCOMPLETE`, and the plan says why. A standard that another service manages (AWS Control
Tower) and an account that the administrator's configuration policy holds are left alone.

## Why it matters

Without a standard Security Hub checks nothing: it only collects what other services find.

## What apply does

`BatchEnableStandards` and `BatchDisableStandards`, one standard a call and one call a second, and then it looks
until AWS is done. Standards need a recorder of AWS Config that records; without one they are enabled and check
nothing (`INCOMPLETE`, no recorder), and AWS does not look again by itself. So a standard waits until the recorder
is there, and one that was enabled too early is enabled again. Each check is charged for. Where AWS keeps saying
`INCOMPLETE`, declare the standard `false`, apply, and declare it `true` again.

Disabling a standard ends its checks and forgets what was said of its single controls. It weakens, so apply asks for
`--allow weakening:STANDARD`.

## How to undo

The audit record of the run holds what was on: declare that, and apply. A standard that is enabled again has all its
controls on; `securityhub.controls` turns off again what it declares.
",
        example: "\
standards:
  fsbp/1.0.0: true
  cis/1.4.0: true
  cis/1.2.0: false
newControls: true
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "standard", severity: Severity::High, frameworks: &[] },
            Rule { id: "new-controls", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[
            Call::new("securityhub:DescribeHub"),
            Call::new("securityhub:DescribeStandards"),
            Call::new("securityhub:GetEnabledStandards"),
            Call::new("securityhub:GetAdministratorAccount"),
        ],
        writes: &[write::ENABLE, write::DISABLE, write::UPDATE],
        events: &["securityhub:UpdateStandardsControl"],
        undo: Some("what was said of single controls of a disabled standard is forgotten"),
        tags: false,
    };
    type Desired = StandardsSpec;
    type Ask = ();
    type Observed = Option<Live>;
    type Action = Write;

    fn ask(&self, _: &Facts, _: &StandardsSpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Option<Live>, Fault> {
        live::read(aws).await
    }

    fn needs(&self, facts: &Facts, spec: &StandardsSpec) -> Vec<Need> {
        let enables = declared(&spec.standards).any(|(_, on)| on);
        let stands_on = if enables { plan::stands_on(facts) } else { Vec::new() };
        let own = Thing::own_security_hub(facts).map(Need::soft);
        stands_on.into_iter().map(Need::hard).chain(own).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &StandardsSpec,
        observed: &Option<Live>,
    ) -> Vec<Finding<Write>> {
        let held = plan::holder(facts, known, observed.as_ref());
        let mut findings: Vec<Finding<Write>> = declared(&spec.standards)
            .map(|(key, want)| {
                let verdict = plan::standard(facts, key, want, observed.as_ref(), held.as_deref());
                Finding::new(key, "standard", verdict)
            })
            .collect();
        if let Some(want) = spec.new_controls {
            let verdict = plan::new_controls(want, observed.as_ref(), held.as_deref());
            findings.push(Finding::new(HUB, "new-controls", verdict));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(&aws.securityhub()).await
    }

    /// What is on; what is off is not worth a line for each standard that AWS has.
    fn import(&self, _: &Facts, _: &Known, observed: &Option<Live>) -> Option<StandardsSpec> {
        let live = observed.as_ref()?;
        let ours = |standard: &&crate::control::Standard| {
            live.offered.get(*standard).is_none_or(|offered| offered.managed_by.is_none())
        };
        let ready = live.on.iter().filter(|(_, one)| matches!(one.status.as_str(), "READY" | "PENDING"));
        Some(StandardsSpec {
            standards: ready
                .map(|(standard, _)| standard)
                .filter(ours)
                .map(|standard| (standard.to_string(), Some(true)))
                .collect(),
            new_controls: live.new_controls,
        })
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<StandardsSpec> {
        let mut spec = StandardsSpec::default();
        for field in fields {
            if field.path == "/newControls" {
                spec.new_controls = field.before.as_bool();
            } else if field.path.starts_with("/standards/") {
                // One that was incomplete was on.
                spec.standards.insert(resource.to_owned(), Some(field.before.as_bool().unwrap_or(true)));
            }
        }
        (spec != StandardsSpec::default()).then_some(spec)
    }
}
