//! A control that exists only here: one field of each shape that specs have.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, ErasedControl, Facts, Finding, Known, Meta, Nothing, Reach, Rule, Severity,
};
use crate::fault::Fault;

pub(in crate::report) static SPECIMEN: &dyn ErasedControl = &Specimen;

struct Specimen;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    /// Is it on at all?
    enabled: Option<bool>,
    /// How often findings are exported.
    frequency: Option<Frequency>,
    /// How many days they are kept.
    #[schemars(range(min = 1, max = 365))]
    days: Option<u16>,
    /// Paid features by AWS's names.
    features: Option<BTreeMap<String, bool>>,
    /// Rules by selector.
    rules: Option<Vec<SpecRule>>,
    /// Where to deliver.
    #[schemars(extend("format" = "template"))]
    bucket: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Frequency {
    FifteenMinutes,
    /// The default of AWS.
    SixHours,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SpecRule {
    /// Names with wildcards.
    names: Option<Vec<String>>,
    /// Scan images when they are pushed.
    scan_on_push: Option<bool>,
}

impl Control for Specimen {
    const META: Meta = Meta {
        id: "test.specimen",
        title: "the specimen is on in every region",
        docs: "
## What it checks

The specimen of each region: is it on, and does it export often
enough?

## Why it matters

- Without it nobody sees anything.
- With it somebody might, and this line is long enough to be wrapped by a terminal of eighty columns.

## What apply does

Updates the specimen:

    aws test update-specimen

## How to undo

1. Write the old values.
2. Apply.
",
        example: "
enabled: true
frequency: SIX_HOURS
features:
  RDS_LOGIN_EVENTS: true
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "enabled", severity: Severity::High, frameworks: &["fsbp/Test.1", "cis-3.0.0/4.1"] },
            Rule { id: "features", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[
            Call::new("test:ListSpecimens"),
            Call::needing("s3:GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
        ],
        writes: &[Call::needing("test:UpdateSpecimen", &["test:UpdateSpecimen", "iam:PassRole"])],
        events: &["test:DeleteSpecimen"],
        undo: Some("baseline never deletes a specimen"),
        tags: false,
    };
    type Desired = Spec;
    type Ask = ();
    type Observed = ();
    type Action = Nothing;

    fn ask(&self, _: &Facts, _: &Spec) {}

    async fn observe(&self, _: &Reader, (): &()) -> Result<(), Fault> {
        Ok(())
    }

    fn plan(&self, _: &Facts, _: &Known, _: &Spec, (): &()) -> Vec<Finding<Nothing>> {
        Vec::new()
    }

    async fn apply(&self, _: &Writer, _: &Known, action: &Nothing) -> Result<(), Fault> {
        match *action {}
    }

    fn import(&self, _: &Facts, _: &Known, (): &()) -> Option<Spec> {
        None
    }
}
