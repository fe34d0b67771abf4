//! `specimen.export`: findings delivered with a key of another account. AWS takes its time to begin.

use std::fmt;

use aws_sdk_guardduty::types::{DestinationProperties, DestinationType, FindingPublishingFrequency};
use baseline::aws::{Reader, Writer, fault};
use baseline::control::{
    AwsWrite, Call, Change, Control, Facts, Fault, FaultKind, Field, Finding, Known, Meta, Need, Progress,
    Reach, Rule, Seat, Severity, Thing, Verdict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct Export;

/// Seconds until it counts as stalled.
pub const PATIENCE: u32 = 300;

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExportSpec {
    /// The alias of the archive's key.
    #[schemars(extend("x-fixed" = "another key is another export"))]
    pub key: Option<String>,
    /// How often findings are delivered.
    pub frequency: Option<Frequency>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Frequency {
    OneHour,
    SixHours,
}

impl Frequency {
    fn word(self) -> &'static str {
        match self {
            Self::OneHour => "ONE_HOUR",
            Self::SixHours => "SIX_HOURS",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Live {
    frequency: String,
    /// The key and the status.
    export: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Write {
    Export { bucket: String, key: Thing },
    Frequency(Frequency),
}

const CREATE: Call = Call::needing(
    "guardduty:CreatePublishingDestination",
    &["guardduty:CreatePublishingDestination", "guardduty:ListDetectors"],
);
const UPDATE: Call =
    Call::needing("guardduty:UpdateDetector", &["guardduty:UpdateDetector", "guardduty:ListDetectors"]);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Export { .. } => const { &CREATE },
            Self::Frequency(_) => const { &UPDATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Export { bucket, .. } => write!(f, "deliver to {bucket}"),
            Self::Frequency(frequency) => write!(f, "deliver {}", frequency.word()),
        }
    }
}

/// The archive's key of this alias.
fn key(facts: &Facts, alias: &str) -> Option<Thing> {
    let account = facts.organization.as_ref()?.seats.get(&Seat::LogArchive)?.clone();
    Some(Thing::Key { account, region: facts.home.clone(), alias: alias.to_owned() })
}

async fn detector(guardduty: &aws_sdk_guardduty::Client) -> Result<String, Fault> {
    const LIST: &str = "guardduty:ListDetectors";
    let ids = guardduty.list_detectors().send().await.map_err(fault(LIST))?.detector_ids;
    let none = || Fault::local(FaultKind::NotFound, LIST, "there is no detector");
    ids.unwrap_or_default().into_iter().next().ok_or_else(none)
}

impl Control for Export {
    const META: Meta = Meta {
        id: "specimen.export",
        title: "Findings are delivered",
        docs: "## What it checks\n\nThe export.\n\n## Why it matters\n\nIt takes time.\n\n## What apply does\n\n\
               It makes the export.\n\n## How to undo\n\nBy hand.\n",
        example: "key: alias/baseline/logs\nfrequency: ONE_HOUR\n",
        reach: Reach::ACCOUNT,
        rules: &[
            Rule { id: "export", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "frequency", severity: Severity::Low, frameworks: &[] },
        ],
        reads: &[
            Call::new("guardduty:ListDetectors"),
            Call::new("guardduty:GetDetector"),
            Call::new("guardduty:ListPublishingDestinations"),
            Call::new("guardduty:DescribePublishingDestination"),
        ],
        writes: &[CREATE, UPDATE],
        events: &[],
        undo: Some("an export is never deleted"),
        tags: false,
    };
    type Desired = ExportSpec;
    type Ask = ();
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, _: &ExportSpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Live, Fault> {
        let guardduty = aws.guardduty();
        let id = detector(&guardduty).await?;
        let answer = guardduty.get_detector().detector_id(&id).send().await;
        let frequency = answer.map_err(fault("guardduty:GetDetector"))?.finding_publishing_frequency;
        let listed = guardduty.list_publishing_destinations().detector_id(&id).send().await;
        let listed = listed.map_err(fault("guardduty:ListPublishingDestinations"))?.destinations;
        let first = listed.unwrap_or_default().into_iter().find_map(|destination| destination.destination_id);
        let export = match first {
            None => None,
            Some(destination) => {
                let call =
                    guardduty.describe_publishing_destination().detector_id(&id).destination_id(destination);
                let answer = call.send().await.map_err(fault("guardduty:DescribePublishingDestination"))?;
                let key = answer.destination_properties.and_then(|properties| properties.kms_key_arn);
                let status = answer.status.map(|status| status.as_str().to_owned());
                Some((key.unwrap_or_default(), status.unwrap_or_default()))
            }
        };
        let frequency = frequency.map(|frequency| frequency.as_str().to_owned()).unwrap_or_default();
        Ok(Live { frequency, export })
    }

    fn needs(&self, facts: &Facts, spec: &ExportSpec) -> Vec<Need> {
        spec.key.iter().filter_map(|alias| key(facts, alias)).map(Need::hard).collect()
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &ExportSpec, live: &Live) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        if let Some(alias) = &spec.key {
            findings.push(Finding::new("export", "export", export(facts, alias, live)));
        }
        if let Some(want) = spec.frequency {
            let verdict = if want.word() == live.frequency {
                Verdict::InSync
            } else {
                let field = Field::new("/frequency", live.frequency.as_str(), want.word());
                Verdict::Change(Change::update(vec![field], vec![Write::Frequency(want)]))
            };
            findings.push(Finding::new("export", "frequency", verdict));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, known: &Known, write: &Write) -> Result<(), Fault> {
        let guardduty = aws.guardduty();
        let id = detector(&guardduty).await?;
        match write {
            Write::Export { bucket, key } => {
                let missing =
                    || Fault::local(FaultKind::NotFound, CREATE.operation, format!("{key} is not there"));
                let properties = DestinationProperties::builder()
                    .destination_arn(format!("arn:{}:s3:::{bucket}", aws.scope.region.partition()))
                    .kms_key_arn(known.arn(key).ok_or_else(missing)?)
                    .build();
                let call = guardduty
                    .create_publishing_destination()
                    .detector_id(id)
                    .destination_type(DestinationType::S3)
                    .destination_properties(properties);
                call.send().await.map_err(fault(CREATE.operation))?;
            }
            Write::Frequency(frequency) => {
                let frequency = FindingPublishingFrequency::from(frequency.word());
                let call =
                    guardduty.update_detector().detector_id(id).finding_publishing_frequency(frequency);
                call.send().await.map_err(fault(UPDATE.operation))?;
            }
        }
        Ok(())
    }

    fn import(&self, _: &Facts, known: &Known, live: &Live) -> Option<ExportSpec> {
        let named = live.export.as_ref().and_then(|(arn, _)| known.name_of(arn));
        let key = named.and_then(|thing| match thing {
            Thing::Key { alias, .. } => Some(alias.clone()),
            _ => None,
        });
        let frequency =
            [Frequency::OneHour, Frequency::SixHours].into_iter().find(|f| f.word() == live.frequency);
        Some(ExportSpec { key, frequency })
    }
}

fn export(facts: &Facts, alias: &str, live: &Live) -> Verdict<Write> {
    let (Some(archive), Some(key)) = (facts.archive(), key(facts, alias)) else {
        let fault = Fault::local(FaultKind::Invalid, CREATE.operation, "there is no archive");
        return Verdict::Unknown { fault };
    };
    match &live.export {
        None => {
            let field = Field::new("/key", "none", alias);
            let step = Write::Export { bucket: archive.bucket.clone(), key };
            Verdict::Change(Change::create(vec![field], vec![step]))
        }
        Some((_, status)) if status == "PUBLISHING" => Verdict::InSync,
        Some((_, status)) if status == "PENDING_VERIFICATION" => Verdict::Progressing(Progress {
            what: "AWS is verifying it".into(),
            look_again: 10,
            patience: PATIENCE,
        }),
        Some((_, status)) => {
            let fault = Fault::local(FaultKind::Invalid, "guardduty:DescribePublishingDestination", status);
            Verdict::Unknown { fault }
        }
    }
}
