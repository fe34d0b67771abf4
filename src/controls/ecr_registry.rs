//! `ecr.registry`: how the images of a whole registry are scanned.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer, fault};
use crate::control::{
    AwsWrite, Call, Change, Control, Direction, Facts, Field, Finding, Known, Meta, Reach, Rule, Severity,
    Verdict,
};
use crate::fault::{Fault, FaultKind};

mod live;
mod spec;

use live::{Frequency, Scanning};
use spec::{Filters, RegistrySpec, RulesSpec, ScanType, ScanningSpec};

pub struct Registry;

/// Type and rules, because the call replaces both.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct PutScanning(pub Scanning);

/// ECR turns Amazon Inspector's scanning of the registry on and off in the caller's name, and Inspector makes its
/// service-linked role (ECR User Guide, "IAM permissions required for enhanced scanning").
const PUT: Call = Call::needing(
    "ecr:PutRegistryScanningConfiguration",
    &[
        "ecr:PutRegistryScanningConfiguration",
        "iam:CreateServiceLinkedRole",
        "inspector2:Disable",
        "inspector2:Enable",
        "inspector2:ListAccountPermissions",
    ],
);

impl AwsWrite for PutScanning {
    fn call(&self) -> &'static Call {
        const { &PUT }
    }
}

impl fmt::Display for PutScanning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set {} scanning for the registry", self.0.scan_type.word())
    }
}

const RESOURCE: &str = "registry";
const RULE: &str = "scanning";
const TYPE: &str = "/scanning/type";

/// The rules that a spec can declare.
const FREQUENCIES: [Frequency; 2] = [Frequency::ContinuousScan, Frequency::ScanOnPush];

impl RegistrySpec {
    fn declared(&self, frequency: Frequency) -> Option<&BTreeSet<String>> {
        let rules = &self.scanning.rules;
        let filters = match frequency {
            Frequency::Manual => None,
            Frequency::ScanOnPush => rules.scan_on_push.as_ref(),
            Frequency::ContinuousScan => rules.continuous_scan.as_ref(),
        };
        filters.map(|filters| &filters.0)
    }

    /// What is live with what is declared put in; rules that the scan type does not take are left out.
    fn over(&self, live: &Scanning) -> Scanning {
        let scan_type = self.scanning.scan_type.unwrap_or(live.scan_type);
        let mut rules = live.rules.clone();
        for frequency in FREQUENCIES {
            if let Some(filters) = self.declared(frequency) {
                rules.insert(frequency, filters.clone());
            }
        }
        rules.retain(|frequency, filters| !filters.is_empty() && frequency.goes_with(scan_type));
        Scanning { scan_type, rules }
    }
}

fn fields(live: &Scanning, want: &Scanning) -> Vec<Field> {
    let mut fields = Vec::new();
    if live.scan_type != want.scan_type {
        fields.push(Field::new(TYPE, live.scan_type.word(), want.scan_type.word()));
    }
    for frequency in FREQUENCIES {
        let (before, after) = (live.filters(frequency), want.filters(frequency));
        if before != after {
            let list = |filters: BTreeSet<String>| filters.into_iter().collect::<Vec<_>>();
            let path = format!("/scanning/rules/{}", frequency.word());
            fields.push(Field::new(path, list(before), list(after)));
        }
    }
    fields
}

/// `rules.CONTINUOUS_SCAN prod/*`: what is sent without being declared.
fn carried(spec: &RegistrySpec, want: &Scanning) -> Option<String> {
    let mut kept = Vec::new();
    if spec.scanning.scan_type.is_none() {
        kept.push(format!("type {}", want.scan_type.word()));
    }
    for (frequency, filters) in &want.rules {
        if spec.declared(*frequency).is_none() {
            let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
            kept.push(format!("rules.{} {}", frequency.word(), filters.join(" ")));
        }
    }
    (!kept.is_empty()).then(|| format!("{}: not declared, but the call replaces all", kept.join(", ")))
}

fn change(spec: &RegistrySpec, live: &Scanning, want: Scanning, fields: Vec<Field>) -> Change<PutScanning> {
    let types = want.scan_type.cmp(&live.scan_type);
    let wider = !live.covers(&want);
    let toward = |stronger: bool, how| if stronger { how } else { Direction::Neutral };
    let direction = Direction::of([
        toward(types.is_lt() || !want.covers(live), Direction::Weakens),
        toward(types.is_gt() || wider, Direction::Strengthens),
    ]);
    let mut evidence = Vec::new();
    if types.is_gt() {
        evidence.push(
            "enhanced scanning needs Amazon Inspector: ECR turns it on for this registry. Declare `resourceTypes: \
             {ECR: true}` of `inspector.scanning` as well, or that may turn it off again",
        );
        evidence.push("repositories that no rule names are no longer scanned, not even by hand");
    }
    if types.is_lt() {
        evidence.push("Amazon Inspector stops scanning this registry");
    }
    if live.rules.contains_key(&Frequency::Manual) {
        evidence.push("the rule MANUAL ends: it says what holds without a rule");
    }
    let charged = want.scan_type == ScanType::Enhanced && (types.is_gt() || wider);
    Change {
        direction,
        cost: charged
            .then(|| "Amazon Inspector charges for each image, and for scanning it again".to_owned()),
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        carries: carried(spec, &want),
        ..Change::update(fields, vec![PutScanning(want)])
    }
}

impl Control for Registry {
    const META: Meta = Meta {
        id: "ecr.registry",
        title: "The image registry scans what is pushed to it",
        docs: "\
## What it checks

How the private registry of each region scans images for known vulnerabilities: by ECR itself (`BASIC`) or by Amazon
Inspector (`ENHANCED`), and which repositories when. Filters are compared without their order. A repository that no
rule names is scanned by hand only, and with `ENHANCED` not at all. Where rules overlap, the more frequent one holds.
Once a registry has rules, they decide, and `scanOnPush` of a repository does not. Replication is not looked at.

## Why it matters

An image that nobody scanned carries its vulnerabilities into production. Said for the registry, it holds for every
repository that somebody will make tomorrow (FSBP ECR.1).

## What apply does

One call, `ecr:PutRegistryScanningConfiguration`. It replaces type and rules, so what is not declared is read first
and sent back unchanged; the plan names it. Rules that the scan type does not take (`CONTINUOUS_SCAN` with `BASIC`)
end with it, and the plan shows them. `ENHANCED` needs Amazon Inspector: with that call ECR turns Inspector's
scanning of the registry on, which makes Inspector's service-linked role and starts its charges. The two are one switch:
`inspector.scanning` declares its other side, `resourceTypes: {ECR: true}`, and either may be applied first. In an
organisation whose Inspector is run by a delegated administrator, or by an organisation policy, AWS may refuse that to
a member.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Scanning less weakens, so
apply asks for `--allow weakening:registry`.
",
        example: "\
scanning:
  type: BASIC
  rules:
    SCAN_ON_PUSH: [\"*\"]
",
        reach: Reach::REGION,
        rules: &[Rule { id: RULE, severity: Severity::High, frameworks: &["fsbp/ECR.1"] }],
        reads: &[live::GET],
        writes: &[PUT],
        events: &[],
        undo: Some("baseline never deletes the service-linked role that Inspector made"),
        tags: false,
    };
    type Desired = RegistrySpec;
    type Ask = ();
    type Observed = Scanning;
    type Action = PutScanning;

    fn ask(&self, _: &Facts, _: &RegistrySpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Scanning, Fault> {
        live::read(aws).await
    }

    fn plan(&self, _: &Facts, _: &Known, spec: &RegistrySpec, live: &Scanning) -> Vec<Finding<PutScanning>> {
        let rules = FREQUENCIES.iter().any(|frequency| spec.declared(*frequency).is_some());
        if spec.scanning.scan_type.is_none() && !rules {
            return Vec::new();
        }
        let want = spec.over(live);
        let continuous = spec.declared(Frequency::ContinuousScan);
        let verdict = if continuous.is_some_and(|filters| *filters != want.filters(Frequency::ContinuousScan))
        {
            let message = "`CONTINUOUS_SCAN` needs enhanced scanning, and the registry's is `BASIC`: declare \
                           `type: ENHANCED` as well";
            Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, PUT.operation, message) }
        } else {
            let fields = fields(live, &want);
            if fields.is_empty() {
                Verdict::InSync
            } else {
                Verdict::Change(change(spec, live, want, fields))
            }
        };
        vec![Finding::new(RESOURCE, RULE, verdict)]
    }

    async fn apply(&self, aws: &Writer, _: &Known, PutScanning(scanning): &PutScanning) -> Result<(), Fault> {
        aws.ecr()
            .put_registry_scanning_configuration()
            .scan_type(scanning.scan_type.word().into())
            .set_rules(Some(live::rules(scanning)?))
            .send()
            .await
            .map_err(fault(PUT.operation))?;
        Ok(())
    }

    fn import(&self, _: &Facts, _: &Known, live: &Scanning) -> Option<RegistrySpec> {
        let filters = |frequency| Some(Filters(live.filters(frequency)));
        let enhanced = live.scan_type == ScanType::Enhanced;
        let rules = RulesSpec {
            scan_on_push: filters(Frequency::ScanOnPush),
            continuous_scan: filters(Frequency::ContinuousScan).filter(|_| enhanced),
        };
        Some(RegistrySpec { scanning: ScanningSpec { scan_type: Some(live.scan_type), rules } })
    }
}

#[cfg(test)]
mod tests;
