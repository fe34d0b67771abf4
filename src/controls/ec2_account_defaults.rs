//! `ec2.account-defaults`: what EC2 does in each region where nobody says otherwise.
//!
//! Each setting is a rule and a finding of its own, because each has its own framework ids, its own risk and its
//! own reasons for an exception. The two rules of instance metadata are findings of one resource: one call writes
//! both, and two at once would race.

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Finding, Known, Meta, Need, Reach, Rule, Severity, Sight, Verdict,
};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Defaults, Key};
use spec::{DefaultsSpec, EbsKey, ImageAccess, MetadataSpec, SnapshotAccess};
use write::Write;

pub struct AccountDefaults;

/// Only what is declared is asked for. What is public is counted where the declared state closes more than the
/// live one does, so these two carry the declared state.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    ebs_encryption: bool,
    ebs_key: bool,
    snapshots: Option<SnapshotAccess>,
    images: Option<ImageAccess>,
    metadata: bool,
    serial_console: bool,
}

impl Control for AccountDefaults {
    const META: Meta = Meta {
        id: "ec2.account-defaults",
        title: "EC2 starts out safe in every region",
        docs: "\
## What it checks

In each region, what EC2 does where nobody says otherwise: whether new EBS volumes are encrypted and with which
key, whether snapshots and images can be shared with everybody, what a new instance's metadata service asks for,
and whether the serial console can be opened. Each is a rule of its own.

- `ebs-encryption`: CIS 2.2.1 (5.1.1 in 5.0), FSBP EC2.7
- `snapshot-public-access`: FSBP EC2.182, which passes only with `block-all-sharing`; FSBP EC2.1 looks at each
  snapshot, and either way of blocking keeps new ones from failing it
- `instance-metadata`: CIS 5.6 (5.7 in 5.0) and FSBP EC2.8 look at each instance; the default keeps new ones from
  failing them

What a declarative policy of the organisation sets, the account cannot change. Where it differs, the plan names
the policy and leaves it alone. Encryption and its key know no such policy.

## Why it matters

A snapshot or an image that is shared with everybody gives its data to everybody, and one careless call is enough.
The first version of the metadata service gives the credentials of an instance's role to whoever makes the
instance fetch a URL. The serial console is a way into an instance past the network. Defaults hold in the regions
that nobody looks at.

## What apply does

One call for each setting that differs. Volumes, snapshots, images and instances that exist are not touched:
encryption, key and metadata hold for new ones. Once volumes are encrypted by default, instance types that cannot
have encrypted volumes can no longer be launched. `block-all-sharing` also hides snapshots that are public today;
the plan counts them and calls that disruptive. `ebsKey` is an alias of a key in the same account and region; its
key policy must let everybody use it who launches instances, Auto Scaling's service-linked role too.
`tokensEnforced: enabled` makes launches fail that do not ask for IMDSv2. AWS takes up to ten minutes to block
sharing of images, and apply waits for it.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Turning a setting back
weakens, so apply asks for `--allow weakening:` with the name of the setting. Volumes that were encrypted meanwhile
stay encrypted.
",
        example: "\
ebsEncryption: true
ebsKey: alias/acme/ebs
snapshotPublicAccess: block-all-sharing
imagePublicAccess: block-new-sharing
instanceMetadata:
  tokens: required
  hopLimit: 2
  endpoint: enabled
  instanceTags: disabled
  tokensEnforced: enabled
serialConsole: false
",
        reach: Reach::REGION,
        rules: &[
            Rule {
                id: "ebs-encryption",
                severity: Severity::Medium,
                frameworks: &["cis-1.4.0/2.2.1", "cis-3.0.0/2.2.1", "cis-5.0.0/5.1.1", "fsbp/EC2.7"],
            },
            Rule { id: "ebs-key", severity: Severity::Low, frameworks: &[] },
            Rule {
                id: "snapshot-public-access",
                severity: Severity::Critical,
                frameworks: &["fsbp/EC2.1", "fsbp/EC2.182"],
            },
            Rule { id: "image-public-access", severity: Severity::High, frameworks: &[] },
            Rule {
                id: "instance-metadata",
                severity: Severity::High,
                frameworks: &["cis-3.0.0/5.6", "cis-5.0.0/5.7", "fsbp/EC2.8"],
            },
            Rule { id: "instance-metadata-enforcement", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "serial-console", severity: Severity::Low, frameworks: &[] },
        ],
        reads: &[
            Call::new("ec2:GetEbsEncryptionByDefault"),
            Call::new("ec2:GetEbsDefaultKmsKeyId"),
            Call::new("ec2:GetSnapshotBlockPublicAccessState"),
            Call::new("ec2:GetImageBlockPublicAccessState"),
            Call::new("ec2:GetInstanceMetadataDefaults"),
            Call::new("ec2:GetSerialConsoleAccessStatus"),
            Call::new("ec2:DescribeSnapshots"),
            Call::new("ec2:DescribeImages"),
            Call::new("kms:ListAliases"),
        ],
        writes: &[
            write::ENABLE_ENCRYPTION,
            write::DISABLE_ENCRYPTION,
            write::MODIFY_KEY,
            write::RESET_KEY,
            write::ENABLE_SNAPSHOTS,
            write::DISABLE_SNAPSHOTS,
            write::ENABLE_IMAGES,
            write::DISABLE_IMAGES,
            write::MODIFY_METADATA,
            write::ENABLE_CONSOLE,
            write::DISABLE_CONSOLE,
        ],
        events: &[],
        undo: Some("volumes that were encrypted meanwhile stay encrypted"),
        tags: false,
    };
    type Desired = DefaultsSpec;
    type Ask = Ask;
    type Observed = Defaults;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &DefaultsSpec) -> Ask {
        Ask {
            ebs_encryption: spec.ebs_encryption.is_some(),
            ebs_key: spec.ebs_key.is_some(),
            snapshots: spec.snapshot_public_access,
            images: spec.image_public_access,
            metadata: spec.instance_metadata.declares(),
            serial_console: spec.serial_console.is_some(),
        }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Defaults, Fault> {
        Ok(live::read(aws, ask).await)
    }

    fn needs(&self, facts: &Facts, spec: &DefaultsSpec) -> Vec<Need> {
        spec.ebs_key.iter().filter_map(|key| plan::key(&facts.scope, key)).map(Need::hard).collect()
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &DefaultsSpec, live: &Defaults) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        // Only the key stands on anything.
        let mut say = |resource: &str, rule: &str, mut verdict: Verdict<Write>| {
            if let Verdict::Change(change) = &mut verdict {
                change.stands_on.get_or_insert_default();
            }
            findings.push(Finding::new(resource, rule, verdict));
        };
        if let Some(want) = spec.ebs_encryption {
            let verdict = plan::judge(live.ebs_encryption.as_ref(), |on| plan::ebs_encryption(want, *on));
            say("ebs-encryption", "ebs-encryption", verdict);
        }
        if let Some(want) = &spec.ebs_key {
            let verdict = plan::judge(live.ebs_key.as_ref(), |key| plan::ebs_key(&facts.scope, want, key));
            say("ebs-key", "ebs-key", verdict);
        }
        if let Some(want) = spec.snapshot_public_access {
            let verdict = plan::judge(live.snapshots.as_ref(), |live| plan::snapshots(want, live));
            say("snapshots", "snapshot-public-access", verdict);
        }
        if let Some(want) = spec.image_public_access {
            let verdict = plan::judge(live.images.as_ref(), |live| plan::images(want, live));
            say("images", "image-public-access", verdict);
        }
        let metadata = &spec.instance_metadata;
        if (MetadataSpec { tokens_enforced: None, ..metadata.clone() }).declares() {
            let verdict = plan::judge(live.metadata.as_ref(), |live| plan::metadata(metadata, live));
            say("instance-metadata", "instance-metadata", verdict);
        }
        if let Some(want) = metadata.tokens_enforced {
            let verdict = plan::judge(live.metadata.as_ref(), |live| plan::enforcement(want, live));
            say("instance-metadata", "instance-metadata-enforcement", verdict);
        }
        if let Some(want) = spec.serial_console {
            let verdict = plan::judge(live.serial_console.as_ref(), |live| plan::serial_console(want, live));
            say("serial-console", "serial-console", verdict);
        }
        findings
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    /// What was not asked or not seen is left out, and so is a key that has no name.
    fn import(&self, _: &Facts, _: &Known, live: &Defaults) -> Option<DefaultsSpec> {
        let metadata = seen(live.metadata.as_ref()).map(|live| MetadataSpec {
            tokens: Some(live.tokens),
            hop_limit: Some(live.hop_limit),
            endpoint: Some(live.endpoint),
            instance_tags: Some(live.instance_tags),
            tokens_enforced: Some(live.tokens_enforced),
        });
        let key = seen(live.ebs_key.as_ref()).and_then(|key| match key {
            Key::AwsManaged => Some(EbsKey::AwsManaged),
            Key::Own { aliases } => aliases.first().cloned().and_then(|alias| EbsKey::try_from(alias).ok()),
            Key::Elsewhere { .. } => None,
        });
        Some(DefaultsSpec {
            ebs_encryption: seen(live.ebs_encryption.as_ref()).copied(),
            ebs_key: key,
            snapshot_public_access: seen(live.snapshots.as_ref()).map(|live| live.access),
            image_public_access: seen(live.images.as_ref()).map(|live| live.access),
            instance_metadata: metadata.unwrap_or_default(),
            serial_console: seen(live.serial_console.as_ref()).map(|live| live.open),
        })
    }
}

fn seen<T>(sight: Option<&Sight<T>>) -> Option<&T> {
    match sight {
        Some(Sight::Seen(live)) => Some(live),
        _ => None,
    }
}
