//! `securityhub.suppressions`: findings that an exception is about are suppressed while it holds, and open again after.
//!
//! What is to be suppressed comes from the Exception documents (`suppressFindings`) rather than from the spec. A
//! finding here is one exception; which of Security Hub's findings it means is told by the control and the resource.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Reach, Rule, SUPPRESSIONS, Severity,
};
use crate::fault::Fault;

mod live;
mod plan;
#[cfg(test)]
mod tests;
mod write;

use live::Live;
use write::Write;

pub struct Suppressions;

/// What becomes of findings that exceptions are about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SuppressionsSpec {
    /// The workflow status of findings that an exception with `suppressFindings` is about. `SUPPRESSED`: as long as
    /// one holds, and open again once none does. `NEW`: whatever was suppressed here is open again.
    pub excepted: Option<Excepted>,
}

/// As Security Hub names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Excepted {
    Suppressed,
    New,
}

impl Excepted {
    fn word(self) -> &'static str {
        match self {
            Self::Suppressed => "SUPPRESSED",
            Self::New => "NEW",
        }
    }
}

/// The controls of Security Hub whose open findings have to be looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    pub controls: BTreeSet<String>,
}

impl Control for Suppressions {
    const META: Meta = Meta {
        id: SUPPRESSIONS,
        title: "Findings that are excepted are suppressed, and open again when the exception ends",
        docs: "\
## What it checks

In each region, the findings of Security Hub about this account that an Exception document with `suppressFindings`
is about: active, of the controls that it names, with a resource that it means. While the exception holds they are
to be suppressed. Findings that were suppressed here and that no exception is about any more, because it has ended
or was taken out, are to be open.

`suppressFindings: true` stands for the controls of AWS Foundational Security Best Practices that the exception's
rule looks at the same as (each control's page lists them as `fsbp/ECR.1`); a list names them one by one. An
exception's `resources` are compared with the resource of the finding, by what stands behind the account in its
ARN, with and without the type in front: `repository/legacy-billing` and `legacy-billing`. Findings about the
account as a whole are meant where `resources` is not said. `resourceTags` are compared with the tags that
Security Hub tells of the resource.

Findings that somebody else has suppressed are left alone: ours are known by their note, which `baseline` updated.

## Why it matters

A finding that somebody has signed for stands among those that nobody has looked at, for as long as the exception
holds. Whoever suppresses it by hand forgets to open it again, and then it stays hidden for ever.

## What apply does

`BatchUpdateFindings`, for up to 100 findings at a time: the workflow status, and a note that names the exception,
its ticket, its last day, its reason and who signed for it, within Security Hub's 512 characters. Where the exception
says something else by now (it was renewed), the note of what it suppresses is written anew. Suppressing
weakens, so apply asks for `--allow weakening:EXCEPTION`; the reason is the exception's own. Opening strengthens:
the status becomes `NEW`. Security Hub shows a change after a while, so it is looked for up to five minutes.

The end of an exception is seen at the next apply, or by the controller at the next turn of the account.

## How to undo

`excepted: NEW` opens whatever was suppressed here. Findings that were opened are not suppressed again without an
exception that holds.
",
        example: "\
excepted: SUPPRESSED
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "suppressed", severity: Severity::Low, frameworks: &[] },
            Rule { id: "noted", severity: Severity::Low, frameworks: &[] },
            Rule { id: "reopened", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[Call::new(live::GET)],
        writes: &[write::UPDATE],
        events: &[],
        undo: Some("findings that were opened are not suppressed again without an exception"),
        tags: false,
    };
    type Desired = SuppressionsSpec;
    type Ask = Ask;
    type Observed = Live;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &SuppressionsSpec) -> Ask {
        if spec.excepted != Some(Excepted::Suppressed) {
            return Ask::default();
        }
        Ask { controls: facts.exempt.iter().flat_map(|exempt| exempt.suppresses.iter().cloned()).collect() }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
        live::read(&aws.securityhub(), &aws.scope, ask).await
    }

    fn plan(
        &self,
        facts: &Facts,
        _: &Known,
        spec: &SuppressionsSpec,
        observed: &Live,
    ) -> Vec<Finding<Write>> {
        match spec.excepted {
            Some(wanted) => plan::plan(facts, wanted, observed),
            None => Vec::new(),
        }
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(&aws.securityhub(), &aws.scope).await
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Live) -> Option<SuppressionsSpec> {
        let ours = observed.findings.iter().any(|finding| finding.exception.is_some());
        ours.then_some(SuppressionsSpec { excepted: Some(Excepted::Suppressed) })
    }

    /// What was suppressed before is so again only where an exception holds for it.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<SuppressionsSpec> {
        let before = &fields.first()?.before;
        Some(SuppressionsSpec { excepted: Some(Excepted::deserialize(before).ok()?) })
    }
}
