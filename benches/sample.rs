//! The organisation that is planned: accounts in memory, and the documents for them.
//!
//! The documents declare every control of the list as its own `META.example` says, so a new control is measured
//! as soon as it is listed.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use aws_sdk_guardduty::types::FindingPublishingFrequency;
use baseline::aws::Aws;
use baseline::aws::limits::Limits;
use baseline::controls::CONTROLS;
use baseline::desired::{self, DesiredState, Roster};
use baseline::observe::Fleet;
use baseline::place::Region;
use baseline::plan::{AccountState, Plan};
use baseline::sandbox::ecr::Repository;
use baseline::sandbox::guardduty::{Destination, Detector};
use baseline::sandbox::sample::{EXTERNAL_ID, MANAGEMENT};
use baseline::sandbox::{DEFAULT_REGIONS, World};
use baseline::survey::{self, Wish};

use crate::bare::Bare;

pub const HOME: &str = "eu-west-1";
pub const ORGANIZATION: &str = "o-a1b2c3d4e5";
pub const DETECTOR: &str = "8ac7a7f2b5e64d1c9f3e0d2b1a4c5d6e";
pub const DESTINATION: &str = "4e2f1a7c9b3d5e6f8a0b1c2d3e4f5a6b";
pub const BUCKET: &str = "bench-logs";
pub const KEY: &str = "alias/baseline/logs";
/// Repositories of a region that is in use.
pub const REPOSITORIES: [&str; 4] = ["payments/api", "payments/ledger", "payments/web", "platform/proxy"];

const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"description":"untagged images go after two weeks",
    "selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},
    "action":{"type":"expire"}}]}"#;

/// Which regions are managed.
#[derive(Clone, Copy)]
pub enum Regions {
    /// `all-enabled`: the 17 that every account has, which AWS is asked for.
    AllEnabled,
    Two,
}

/// Accounts in memory with documents for them.
pub struct Sample {
    pub world: World,
    documents: tempfile::TempDir,
}

/// A plan, and what it was made with.
pub struct Planned {
    pub plan: Plan,
    pub aws: Aws,
}

impl Sample {
    /// So many accounts, the management account first, which keeps the archive too. Nothing is set up in them.
    pub async fn new(accounts: usize, regions: Regions) -> anyhow::Result<Self> {
        let world = World::many(accounts);
        archive(&world).await.context("cannot set up the archive")?;
        let documents = tempfile::tempdir()?;
        write(documents.path(), accounts, regions)?;
        Ok(Self { world, documents })
    }

    /// The same accounts, in use: in each region a detector with an export, and four repositories, all as
    /// declared. Every read that the controls have is made for them.
    pub async fn in_use(accounts: usize, regions: Regions) -> anyhow::Result<Self> {
        let sample = Self::new(accounts, regions).await?;
        let now = sample.world.now();
        let Some(long_ago) = now.checked_sub(jiff::SignedDuration::from_hours(24)).ok() else {
            bail!("the world's clock is at its beginning");
        };
        let key = Bare::new(&sample.world, HOME).key_arn().await?;
        for account in (0..accounts).map(account_id) {
            for region in DEFAULT_REGIONS {
                sample.world.region(&account, region, |region| {
                    let mut detector = Detector::with_defaults(DETECTOR, now);
                    detector.frequency = FindingPublishingFrequency::FifteenMinutes;
                    let bucket = format!("arn:aws:s3:::{BUCKET}");
                    detector.destination = Some(Destination::new(DESTINATION, &bucket, &key, long_ago));
                    region.guardduty.detector = Some(detector);
                    for name in REPOSITORIES {
                        let mut repository = Repository::with_defaults(now);
                        repository.scan_on_push = true;
                        repository.lifecycle_policy = Some(LIFECYCLE.to_owned());
                        region.ecr.repositories.insert(name.to_owned(), repository);
                    }
                });
            }
        }
        Ok(sample)
    }

    /// Reads the documents and merges them.
    pub fn desired(&self) -> anyhow::Result<DesiredState> {
        let today = jiff::ZonedDateTime::now().date();
        let loaded = desired::load(self.documents.path(), CONTROLS, today);
        let Some(documents) = &loaded.documents else {
            bail!("{}", baseline::diagnostic::human(&loaded.diagnostics, &loaded.sources, false));
        };
        let resolved = documents.resolve(&Roster::default());
        let digest = desired::digest(&loaded);
        Ok(DesiredState::new(documents, resolved, None, digest))
    }

    /// What `baseline plan` does between reading the documents and printing.
    pub async fn plan(&self, desired: DesiredState) -> anyhow::Result<Planned> {
        let connection = self.world.connection(&Region::new(HOME));
        let aws = Aws::connect(connection, Limits::default(), "bench").await?;
        let fleet = Fleet::new(aws, Arc::new(desired), CONTROLS);
        let plan = survey::plan(&fleet, &Wish::default(), &|_| ()).await;
        Ok(Planned { plan, aws: fleet.aws })
    }
}

impl Planned {
    /// A plan that did not see everything is quick and says nothing.
    pub fn is_complete(&self) -> anyhow::Result<()> {
        let unreached = self.plan.accounts.iter().find(|account| account.state != AccountState::Reached);
        if let Some(account) = unreached {
            bail!("account {} was not reached: {:?}", account.id, account.state);
        }
        ensure!(self.plan.totals.unknown == 0, "{} settings are unknown", self.plan.totals.unknown);
        Ok(())
    }
}

/// As `cli` has it.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// The ids that [`World::many`] gives.
pub fn account_id(index: usize) -> String {
    match index {
        0 => MANAGEMENT.to_owned(),
        _ => (100_000_000_000 + index as u64 - 1).to_string(),
    }
}

/// The bucket and the key of the archive, open to GuardDuty for the whole organisation.
async fn archive(world: &World) -> anyhow::Result<()> {
    let deliver = |actions: &str, resources: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"guardduty.amazonaws.com"}},"Action":{actions},
                "Resource":{resources},"Condition":{{"StringEquals":{{"aws:SourceOrgID":"{ORGANIZATION}"}}}}}}"#
        )
    };
    let bucket = deliver(
        r#"["s3:GetBucketLocation","s3:PutObject"]"#,
        &format!(r#"["arn:aws:s3:::{BUCKET}","arn:aws:s3:::{BUCKET}/*"]"#),
    );
    let owner = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{MANAGEMENT}:root"}},"Action":"kms:*",
            "Resource":"*"}}"#
    );
    let key = format!("{owner},{}", deliver(r#""kms:GenerateDataKey*""#, r#""*""#));
    let policy = |statements: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Bare::new(world, HOME).archive(&policy(&bucket), &policy(&key)).await
}

fn write(dir: &Path, accounts: usize, regions: Regions) -> anyhow::Result<()> {
    let managed = match regions {
        Regions::AllEnabled => "all-enabled",
        Regions::Two => "[eu-west-1, eu-central-1]",
    };
    let mut text = format!(
        "apiVersion: baseline/v1
kind: Organization
metadata: {{name: bench}}
spec:
  id: {ORGANIZATION}
  seats: {{logArchive: \"{MANAGEMENT}\"}}
  roles: {{observe: baseline-observe, apply: baseline-apply, externalId: {EXTERNAL_ID}}}
  regions: {{home: {HOME}, managed: {managed}}}
  archive: {{seat: logArchive, bucket: {BUCKET}, key: {KEY}}}
  baselines: [{{use: everything}}]
---
apiVersion: baseline/v1
kind: Baseline
metadata: {{name: everything}}
spec:
  controls:
"
    );
    for control in CONTROLS {
        let meta = control.meta();
        writeln!(text, "    {}:", meta.id)?;
        for line in meta.example.lines() {
            writeln!(text, "      {line}")?;
        }
    }
    std::fs::write(dir.join("organization.yaml"), text)?;
    for index in 0..accounts {
        let id = account_id(index);
        let text = format!(
            "apiVersion: baseline/v1\nkind: Account\nmetadata: {{name: account-{index:04}}}\nspec: {{id: \"{id}\"}}\n"
        );
        std::fs::write(dir.join(format!("account-{index:04}.yaml")), text)?;
    }
    Ok(())
}
