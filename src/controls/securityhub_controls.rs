//! `securityhub.controls`: which controls of Security Hub check, and with which parameters.
//!
//! What is declared is a map from control ids, wildcards and severities; what is planned is one finding for each
//! control, so that each can be excepted, allowed and verified by itself. A control is on or off in each standard that
//! holds it; here it is on or off in all that are on.

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Thing};
use crate::fault::Fault;
use crate::pointer;

mod live;
mod parameters;
mod plan;
mod read;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Ask, Live};
use spec::{Choice, ControlsSpec, Setting};
use write::Write;

pub struct Controls;

impl Control for Controls {
    const META: Meta = Meta {
        id: "securityhub.controls",
        title: "Controls of Security Hub check what they are to, and are off only with a reason",
        docs: "\
## What it checks

In each region: whether each declared control is on or off in every standard that is on there, with which reason it
is off, and its parameters. What is declared goes by, in this order:

- a control id, `IAM.6`
- a wildcard, `EC2.*`: the longest that fits
- a severity, `LOW`, `MEDIUM`, `HIGH` or `CRITICAL`

Each leaf comes from the first of them that says it, so `EC2.*` may be off and `EC2.8` on. Parameters go by control
id alone; `default` gives one back to AWS.

Controls of a standard that AWS Control Tower manages, and accounts that the administrator's configuration policy
holds, are left alone. A control that no standard here holds is reported as not offered, and where no standard is on
yet nothing is said of its controls.

## Why it matters

A control that does not fit is noise that hides the others; a control that somebody turned off without a word is a
check that nobody misses. Turned off here, with the reason beside it, it is both out of the way and on record.

## What apply does

`BatchUpdateStandardsControlAssociations`, one call for each control and all its standards; what AWS leaves
unprocessed is an error. Turning a control off sends the reason along, archives its findings within days and weakens:
apply asks for `--allow weakening:CONTROL`. `UpdateSecurityControl` takes all parameters of a control at once, so
custom ones that are not declared are sent along and the plan names them.

AWS enables a standard in some minutes, with all its controls on. What is declared of them is set by the next apply
after that.

## How to undo

The audit record of the run holds what each control was, with its reason: declare that by control id, and apply.
Where a control was on in some standards only, that is set by hand.
",
        example: "\
controls:
  LOW: {enabled: false, reason: looked at by hand each quarter}
  Macie.*: {enabled: false, reason: Macie is not used here}
  IAM.6: {enabled: false, reason: member accounts have no root credentials}
  ACM.1:
    parameters: {daysToExpiration: 45}
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "enabled", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "parameters", severity: Severity::Low, frameworks: &[] },
        ],
        reads: &[
            Call::new("securityhub:GetEnabledStandards"),
            Call::new("securityhub:GetAdministratorAccount"),
            Call::new("securityhub:ListSecurityControlDefinitions"),
            read::GET_ASSOCIATIONS,
            read::GET_CONTROLS,
            read::GET_DEFINITION,
        ],
        writes: &[write::ASSOCIATE, write::UPDATE],
        events: &["securityhub:UpdateStandardsControl"],
        undo: Some("a control that was on in some standards only is set by hand"),
        tags: false,
    };
    type Desired = ControlsSpec;
    type Ask = Ask;
    type Observed = Option<Live>;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &ControlsSpec) -> Ask {
        let parameters = spec.controls.iter().filter(|(_, choice)| !choice.parameters.is_empty());
        let enabled = spec.controls.iter().filter(|(_, choice)| choice.enabled.is_some());
        Ask {
            selectors: enabled.map(|(key, _)| key.clone()).collect(),
            parameters: parameters.map(|(key, _)| key.clone()).collect(),
        }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Option<Live>, Fault> {
        read::read(aws, ask).await
    }

    fn needs(&self, facts: &Facts, _: &ControlsSpec) -> Vec<Need> {
        Thing::own_security_hub(facts).map(Need::soft).into_iter().collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &ControlsSpec,
        observed: &Option<Live>,
    ) -> Vec<Finding<Write>> {
        let held = plan::holder(facts, known, observed.as_ref());
        let mut findings = plan::enabled(spec, observed.as_ref(), held.as_deref());
        if let Some(live) = observed {
            findings.extend(parameters::findings(spec, live, held.as_deref()));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(&aws.securityhub()).await
    }

    /// What was asked for, control by control. One that is on in some standards only cannot be said in one word.
    fn import(&self, _: &Facts, _: &Known, observed: &Option<Live>) -> Option<ControlsSpec> {
        let live = observed.as_ref()?;
        let mut spec = ControlsSpec::default();
        for (id, control) in &live.controls {
            let Some(enabled) = control.is_enabled() else { continue };
            let reason = control.reason().unwrap_or("it was off before it was declared");
            let reason = (!enabled).then(|| reason.to_owned());
            spec.controls.insert(id.clone(), Choice { enabled: Some(enabled), reason, ..Choice::default() });
        }
        for (id, parameters) in live.parameters.iter().filter_map(|(id, one)| Some((id, one.seen()?))) {
            let custom = parameters.values.iter().map(|(name, one)| (name.clone(), one.setting()));
            spec.controls.entry(id.clone()).or_default().parameters = custom.collect();
        }
        (spec != ControlsSpec::default()).then_some(spec)
    }

    /// By control id, whatever selected it.
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<ControlsSpec> {
        let mut choice = Choice::default();
        for field in fields {
            let leaf = field.path.trim_start_matches("/controls/").splitn(3, '/').collect::<Vec<_>>();
            match leaf[..] {
                [_, "enabled"] => choice.enabled = field.before.as_bool(),
                [_, "reason"] => {
                    choice.reason =
                        field.before.as_str().filter(|word| *word != plan::NONE).map(str::to_owned);
                }
                [_, "parameters", name] => {
                    let setting: Setting = serde_json::from_value(field.before.clone()).ok()?;
                    choice.parameters.insert(pointer::unescaped(name), setting);
                }
                _ => {}
            }
        }
        // A reason alone belongs to a control that was off, and one that was off had one, or needs one now.
        if choice.reason.is_some() {
            choice.enabled = Some(false);
        } else if choice.enabled == Some(false) {
            choice.reason = Some("it was off before".into());
        }
        let controls = [(resource.to_owned(), choice)];
        Some(ControlsSpec { controls: controls.into() }).filter(|spec| *spec != ControlsSpec::default())
    }
}
