//! `securityhub.hub`: Security Hub CSPM itself, in each region.
//!
//! Which standards are on, and whether new controls come on by themselves, is said in `securityhub.standards`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_sdk_securityhub::types::ControlFindingGenerator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::{Reader, Writer, fault, securityhub};
use crate::control::{
    AwsWrite, Call, Change, Control, Facts, Field, Finding, Known, ManualTask, Meta, Need, Reach, Risk, Rule,
    Severity, Thing, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};

#[cfg(test)]
mod tests;

pub struct Hub;

/// Security Hub CSPM in each region. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HubSpec {
    /// Security Hub is enabled in this region, without the standards that AWS would enable along with it. `false`
    /// is put right by hand.
    #[schemars(extend("x-fixed" = "it is never disabled here: that deletes what Security Hub holds"))]
    pub enabled: Option<bool>,
    /// One finding for a failed check, however many standards ask for it (`SECURITY_CONTROL`). `false`: one for each
    /// standard (`STANDARD_CONTROL`). A member account has what its administrator has.
    pub consolidated_findings: Option<bool>,
}

impl HubSpec {
    /// Is anything declared that there must be a hub for?
    fn wants_hub(&self) -> bool {
        self.enabled == Some(true) || (self.enabled.is_none() && self.consolidated_findings.is_some())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// `ControlFindingGenerator`, as AWS says it.
    pub generator: String,
    /// The account that administers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Enable { consolidated: bool, tags: BTreeMap<String, String> },
    Findings { consolidated: bool },
}

/// The first hub of an account makes Security Hub's service-linked role.
const ENABLE: Call = Call::needing(
    "securityhub:EnableSecurityHub",
    &["securityhub:EnableSecurityHub", "securityhub:TagResource", "iam:CreateServiceLinkedRole"],
);
const UPDATE: Call = Call::new("securityhub:UpdateSecurityHubConfiguration");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Enable { .. } => const { &ENABLE },
            Self::Findings { .. } => const { &UPDATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enable { .. } => "enable Security Hub without standards",
            Self::Findings { consolidated: true } => "make one finding for each check",
            Self::Findings { consolidated: false } => "make one finding for each check and standard",
        })
    }
}

const RESOURCE: &str = "hub";
const CONSOLIDATED: &str = "SECURITY_CONTROL";

fn generator(consolidated: bool) -> ControlFindingGenerator {
    if consolidated {
        ControlFindingGenerator::SecurityControl
    } else {
        ControlFindingGenerator::StandardControl
    }
}

/// Does a configuration policy of the administrator hold this account? Not known is no: AWS then refuses the call.
fn is_held(facts: &Facts, known: &Known) -> bool {
    Thing::own_security_hub(facts).is_some_and(|own| known.is_absent(&own))
}

/// There is no hub: one call enables it as it is to be.
fn absent(facts: &Facts, known: &Known, spec: &HubSpec) -> Verdict<Write> {
    if !spec.wants_hub() {
        return Verdict::InSync;
    }
    if is_held(facts, known) {
        return Verdict::Foreign {
            owner: "the Security Hub administrator of the organisation".into(),
            evidence: "its configuration policy holds this account and keeps Security Hub off".into(),
        };
    }
    let mut fields = vec![Field::new("/enabled", Value::Null, true)];
    let mut carries = Vec::new();
    if spec.enabled.is_none() {
        carries.push("enabled true: what is declared needs it");
    }
    match spec.consolidated_findings {
        Some(consolidated) => {
            fields.push(Field::new("/consolidatedFindings", Value::Null, consolidated));
        }
        None => carries.push("consolidatedFindings true: not declared, and what AWS gives new accounts"),
    }
    let consolidated = spec.consolidated_findings.unwrap_or(true);
    let steps = vec![Write::Enable { consolidated, tags: facts.tags.clone() }];
    Verdict::Change(Change {
        cost: Some("Security Hub charges for findings that are sent to it, beyond the free ones".into()),
        carries: (!carries.is_empty()).then(|| carries.join("; ")),
        makes: vec![Thing::SecurityHub {
            account: facts.scope.account.clone(),
            region: facts.scope.region.clone(),
        }],
        stands_on: Some(Vec::new()),
        ..Change::create(fields, steps)
    })
}

fn enabled(want: bool) -> Verdict<Write> {
    if want {
        return Verdict::InSync;
    }
    Verdict::Manual(ManualTask {
        title: "Disable Security Hub".into(),
        found: vec![("enabled".into(), "true, and false is declared".into())],
        steps: vec![
            "baseline deletes nothing, and disabling deletes what was set up: standards, settings".into(),
            "of controls, insights; findings are kept for 90 days. Export what is needed, then:".into(),
            "aws securityhub disable-security-hub".into(),
        ],
        verified: Verified::ByObservation,
    })
}

fn findings(facts: &Facts, known: &Known, want: bool, live: &Live) -> Verdict<Write> {
    if live.generator == generator(want).as_str() {
        return Verdict::InSync;
    }
    if ![CONSOLIDATED, generator(false).as_str()].contains(&live.generator.as_str()) {
        let message = format!("`{}` is not a generator of findings that this build knows", live.generator);
        let fault = Fault::local(FaultKind::Invalid, "securityhub:DescribeHub", message);
        return Verdict::Unknown { fault };
    }
    if let Some(administrator) = &live.administrator {
        return Verdict::Foreign {
            owner: format!("the Security Hub administrator, account {administrator}"),
            evidence: format!("a member has its administrator's; consolidatedFindings is {}", !want),
        };
    }
    if is_held(facts, known) {
        return Verdict::Foreign {
            owner: "the Security Hub administrator of the organisation".into(),
            evidence: format!(
                "its configuration policy holds this account; consolidatedFindings is {}",
                !want
            ),
        };
    }
    let field = Field::new("/consolidatedFindings", !want, want);
    Verdict::Change(Change {
        risk: Risk::Disruptive,
        direction: crate::control::Direction::Neutral,
        evidence: Some(
            "findings get other ids and titles within a day: rules and filters that match the old ones end"
                .into(),
        ),
        stands_on: Some(Vec::new()),
        ..Change::update(vec![field], vec![Write::Findings { consolidated: want }])
    })
}

impl Control for Hub {
    const META: Meta = Meta {
        id: "securityhub.hub",
        title: "Security Hub is enabled in every region",
        docs: "\
## What it checks

In each region: whether Security Hub CSPM is enabled, and whether it makes one finding for a failed check
(`consolidatedFindings: true`) or one for each standard that asks for the check. Standards and controls are
declared in `securityhub.standards` and `securityhub.controls`.

A member account has the findings of its administrator: where they differ, the plan names the administrator and
leaves it alone. An account that the administrator's configuration policy holds is left alone as a whole.

## Why it matters

Security Hub is where the findings of GuardDuty, Inspector, Macie, Access Analyzer and of its own standards come
together. A region without it has no standards, and its findings reach nobody.

## What apply does

`EnableSecurityHub`, always without the standards that AWS would enable along with it: CIS 1.2.0, which is years
old, and FSBP, whether it was asked for or not. A hub that exists is kept, and only what is declared is changed.
Switching between consolidated and separate findings gives all findings other ids within a day, so rules, filters
and suppressions that match the old ones end: the plan marks it as disruptive.

## How to undo

`consolidatedFindings` is set back by declaring the other value. Security Hub itself is not disabled: that deletes
its settings, and `enabled: false` says how to do it by hand.
",
        example: "\
enabled: true
consolidatedFindings: true
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "hub", severity: Severity::High, frameworks: &["cis-3.0.0/4.16"] },
            Rule { id: "findings", severity: Severity::Low, frameworks: &[] },
        ],
        reads: &[Call::new("securityhub:DescribeHub"), Call::new("securityhub:GetAdministratorAccount")],
        writes: &[ENABLE, UPDATE],
        events: &["securityhub:DisableSecurityHub"],
        undo: Some("baseline never disables Security Hub"),
        tags: false,
    };
    type Desired = HubSpec;
    type Ask = ();
    type Observed = Option<Live>;
    type Action = Write;

    fn ask(&self, _: &Facts, _: &HubSpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Option<Live>, Fault> {
        let Some(hub) = (*securityhub::hub(aws).await?).clone() else { return Ok(None) };
        let administrator = (*securityhub::administrator(aws).await?).clone();
        Ok(Some(Live { generator: hub.generator, administrator }))
    }

    fn needs(&self, facts: &Facts, _: &HubSpec) -> Vec<Need> {
        Thing::own_security_hub(facts).map(Need::soft).into_iter().collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &HubSpec,
        observed: &Option<Live>,
    ) -> Vec<Finding<Write>> {
        let mut told = Vec::new();
        let mut say = |rule, verdict| told.push(Finding::new(RESOURCE, rule, verdict));
        let declared = spec.enabled.is_some() || spec.consolidated_findings.is_some();
        match observed {
            None if declared => say("hub", absent(facts, known, spec)),
            None => {}
            Some(live) => {
                if let Some(want) = spec.enabled {
                    say("hub", enabled(want));
                }
                if let Some(want) = spec.consolidated_findings {
                    say("findings", findings(facts, known, want, live));
                }
            }
        }
        told
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        let client = aws.securityhub();
        match action {
            Write::Enable { consolidated, tags } => {
                let tags: HashMap<String, String> = tags.clone().into_iter().collect();
                client
                    .enable_security_hub()
                    .enable_default_standards(false)
                    .control_finding_generator(generator(*consolidated))
                    .set_tags((!tags.is_empty()).then_some(tags))
                    .send()
                    .await
                    .map_err(fault(ENABLE.operation))?;
            }
            Write::Findings { consolidated } => {
                client
                    .update_security_hub_configuration()
                    .control_finding_generator(generator(*consolidated))
                    .send()
                    .await
                    .map_err(fault(UPDATE.operation))?;
            }
        }
        Ok(())
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Option<Live>) -> Option<HubSpec> {
        let live = observed.as_ref()?;
        let consolidated = match live.generator.as_str() {
            CONSOLIDATED => Some(true),
            "STANDARD_CONTROL" => Some(false),
            _ => None,
        };
        Some(HubSpec { enabled: Some(true), consolidated_findings: consolidated })
    }

    /// A hub that did not exist is one that is disabled, by hand.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<HubSpec> {
        let mut spec = HubSpec::default();
        for field in fields {
            match field.path.as_str() {
                "/enabled" => spec.enabled = Some(field.before.as_bool().unwrap_or(false)),
                "/consolidatedFindings" => spec.consolidated_findings = field.before.as_bool(),
                _ => {}
            }
        }
        (spec != HubSpec::default()).then_some(spec)
    }
}
