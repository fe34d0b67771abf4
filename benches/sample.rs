//! The organisation that is planned: accounts in memory, and the documents for them.
//!
//! The documents declare the controls of the baselines that are shipped, each as its own `META.example` says: a control
//! is measured as soon as one of them declares it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use baseline::aws::Aws;
use baseline::aws::journal::Entry;
use baseline::aws::limits::Limits;
use baseline::control::Meta;
use baseline::controls::{self, CONTROLS};
use baseline::desired::{self, DesiredState, Roster};
use baseline::observe::Fleet;
use baseline::place::Region;
use baseline::plan::{AccountState, Plan};
use baseline::sandbox::World;
use baseline::sandbox::sample::{EXTERNAL_ID, MANAGEMENT};
use baseline::survey::{self, Wish};
use serde_json::Value;

use crate::bare::Bare;
use crate::in_use;

pub const HOME: &str = "eu-west-1";
pub const ORGANIZATION: &str = "o-a1b2c3d4e5";
/// What the example of `s3.log-archive` calls it, in the archive's account.
pub const BUCKET: &str = "acme-logs-999988887777-eu-west-1-an";
pub const KEY: &str = "alias/baseline/logs";
/// Repositories of a region that is in use.
pub const REPOSITORIES: [&str; 4] = ["payments/api", "payments/ledger", "payments/web", "platform/proxy"];

/// What is shipped to begin with, and so what people run; by the names that the bench's own documents have. The other
/// controls are for some accounts, or need something that few have (an organisation's seat, a web ACL, a list): with
/// all of them in every account the figures would be nobody's.
const SHIPPED: [(&str, &str); 2] = [
    ("everywhere", include_str!("../desired-state/baselines/recommended.yaml")),
    ("archive", include_str!("../desired-state/baselines/log-archive.yaml")),
];

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

    /// The same accounts, in use: see [`in_use`].
    pub async fn in_use(accounts: usize, regions: Regions) -> anyhow::Result<Self> {
        let sample = Self::new(accounts, regions).await?;
        let since = long_ago(&sample.world)?;
        let watched = in_use::alarms::Watched::of_the_control(since)?;
        for id in (0..accounts).map(account_id) {
            sample.world.account(&id, |account| in_use::account(account, &watched, since))?;
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

/// A plan that did not ask all that its controls can ask is quicker than one of an account that is in use.
pub fn asked_everything(journal: &[Entry]) -> anyhow::Result<()> {
    let asked: BTreeSet<&str> = journal.iter().map(Entry::operation).collect();
    for (_, text) in SHIPPED {
        for (id, _) in declared(text)? {
            let reads = known(&id)?.reads.iter().map(|call| call.operation);
            let missing: Vec<&str> =
                reads.filter(|read| !asked.contains(read) && !in_use::NOT_MADE.contains(read)).collect();
            ensure!(missing.is_empty(), "`{id}` did not ask {missing:?}: benches/in_use.rs lacks something");
        }
    }
    Ok(())
}

/// The controls that a shipped baseline declares, each with its `regions` where it says them.
fn declared(baseline: &str) -> anyhow::Result<Vec<(String, Option<Value>)>> {
    let document: Value = serde_yaml::from_str(baseline)?;
    let controls = document["spec"]["controls"].as_object().context("a baseline without `spec.controls`")?;
    ensure!(!controls.is_empty(), "a baseline that declares nothing");
    Ok(controls.iter().map(|(id, spec)| (id.clone(), spec.get("regions").cloned())).collect())
}

fn known(id: &str) -> anyhow::Result<&'static Meta> {
    Ok(controls::find(id).with_context(|| format!("a baseline declares `{id}`, which is no control"))?.meta())
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

/// The bucket and the key of the archive.
async fn archive(world: &World) -> anyhow::Result<()> {
    let since = long_ago(world)?;
    world.region(MANAGEMENT, HOME, |region| in_use::archive_key(region, since));
    Bare::new(world, HOME).make_bucket().await?;
    let policy = in_use::archive_policy();
    world.bucket(BUCKET, |bucket| bucket.policy = Some(policy)).context("the bucket was not made")
}

/// Long enough for what takes a while to be done.
fn long_ago(world: &World) -> anyhow::Result<jiff::Timestamp> {
    let now = world.now();
    now.checked_sub(jiff::SignedDuration::from_hours(24)).context("the world's clock is at its beginning")
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
  baselines:
  - use: everywhere
  - use: archive
    where: {{seats: [logArchive]}}
"
    );
    for (name, baseline) in SHIPPED {
        write!(
            text,
            "---\napiVersion: baseline/v1\nkind: Baseline\nmetadata: {{name: {name}}}\nspec:\n  controls:\n"
        )?;
        for (id, regions) in declared(baseline)? {
            writeln!(text, "    {id}:")?;
            if let Some(regions) = regions {
                writeln!(text, "      regions: {regions}")?;
            }
            for line in known(&id)?.example.lines() {
                writeln!(text, "      {line}")?;
            }
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
