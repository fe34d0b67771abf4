//! `inspector.scanning`: what Amazon Inspector looks at in each region, and how long and how deep.
//!
//! Three rules of one resource: what is scanned, in one call; for how long images are scanned again; how instances are
//! scanned. The last two have settings to compare only once Inspector is on, and come after the first.

use crate::aws::{Reader, Writer};
use crate::control::{Control, Facts, Finding, Known, Meta, Reach, Rule, Severity};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Ask, Scanning};
use spec::ScanningSpec;
use write::Write;

pub struct InspectorScanning;

const RESOURCE: &str = "scanning";

impl Control for InspectorScanning {
    const META: Meta = Meta {
        id: "inspector.scanning",
        title: "Amazon Inspector looks for known vulnerabilities in what runs",
        docs: "\
## What it checks

In each region: which resource types Inspector scans in this account, for how long it scans an image again whenever a
new vulnerability is known, and how it looks at instances. A type that Inspector does not list in a region is reported
there as not offered.

FSBP asks for four of the types, each under an id of its own:

- `EC2`: Inspector.1
- `ECR`: Inspector.2
- `LAMBDA_CODE`: Inspector.3
- `LAMBDA`: Inspector.4

What a member of an organisation scans is decided by its Inspector administrator: where it differs, the plan names the
administrator and leaves it alone. `inspector.organization` is where that is declared.

## Why it matters

Software that was without a known fault when it was installed has one a month later. Inspector compares what runs and
what lies in registries with new advisories every day, without anybody asking it to.

## What apply does

One call turns on all types that are to be on, and another turns off those that are not. AWS takes minutes, sometimes
an hour, to get there: the plan says that it is under way, and that is neither drift nor an error. Each type starts a
charge, and the plan names it. Inspector makes its service-linked roles when the first type is turned on.

`ECR` and `ecr.registry` are two sides of one switch: with it the registry scans by enhanced rules, and without it by
basic ones. Declare both alike: `resourceTypes: {ECR: true}` here, and `type: ENHANCED` there, with rules that say which
repositories are scanned when.

Code of functions is not scanned without their dependencies, so `LAMBDA_CODE` brings `LAMBDA` along, and `LAMBDA: false`
ends both. The two durations for images are written together: the one that is not declared is sent as it is.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Turning a type off, or
scanning for a shorter time, weakens, so apply asks for `--allow weakening:scanning`. Findings of a type that is turned
off are gone with it; turning it on again finds them anew.
",
        example: "\
resourceTypes:
  EC2: true
  ECR: true
  LAMBDA: true
  CODE_REPOSITORY: false
ecr:
  rescanDuration: DAYS_90
  pullDateRescanDuration: DAYS_30
ec2:
  scanMode: EC2_HYBRID
",
        reach: Reach::REGION,
        rules: &[
            Rule {
                id: "resource-types",
                severity: Severity::High,
                frameworks: &[
                    "fsbp/Inspector.1",
                    "fsbp/Inspector.2",
                    "fsbp/Inspector.3",
                    "fsbp/Inspector.4",
                ],
            },
            Rule { id: "ecr-rescan", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "ec2-scan-mode", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: live::READS,
        writes: &[write::ENABLE, write::DISABLE, write::UPDATE],
        events: &[],
        undo: Some("findings of a type that was turned off are made anew"),
        tags: false,
    };
    type Desired = ScanningSpec;
    type Ask = Ask;
    type Observed = Scanning;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &ScanningSpec) -> Ask {
        Ask {
            types: spec.types().map(|(name, on)| (name.to_owned(), on)).collect(),
            push: spec.ecr.rescan_duration.map(|word| word.word().to_owned()),
            pull: spec.ecr.pull_date_rescan_duration.map(|word| word.word().to_owned()),
            scan_mode: spec.ec2.scan_mode.map(|word| word.word().to_owned()),
        }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Scanning, Fault> {
        live::read(aws, ask).await
    }

    fn plan(&self, _: &Facts, _: &Known, spec: &ScanningSpec, live: &Scanning) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        let mut say = |rule, verdict| findings.push(Finding::new(RESOURCE, rule, verdict));
        if spec.types().next().is_some() {
            say("resource-types", plan::types(spec, live));
        }
        if spec.declares_ecr() {
            say("ecr-rescan", plan::rescan(spec, live));
        }
        if let Some(want) = spec.ec2.scan_mode {
            say("ec2-scan-mode", plan::scan_mode(spec, want, live));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, _: &Facts, _: &Known, live: &Scanning) -> Option<ScanningSpec> {
        Some(plan::import(live))
    }
}
