//! The stage: a small organisation in memory, a folder of YAML documents, and the real engine between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baseline::apply::{self, ApplyReport, Applying, ChangeResult};
use baseline::audit::Audit;
use baseline::aws::Aws;
use baseline::aws::journal::Entry;
use baseline::aws::limits::Limits;
use baseline::control::{Accounts, Call, ErasedControl};
use baseline::desired::{self, DesiredState, Roster};
use baseline::guard::{self, Allow, Guarded, Judging};
use baseline::observe::Fleet;
use baseline::place::{Region, Seat};
use baseline::plan::{Item, Outcome, Plan};
use baseline::sandbox::World;
use baseline::sandbox::sample::{EXTERNAL_ID, MANAGEMENT};
use baseline::survey::{self, Wish};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::bench;

/// The account that the control under test is declared for.
pub const MEMBER: &str = "100000000000";
/// The account that keeps the logs.
pub const ARCHIVE: &str = "100000000001";
/// The home region, and, but for hints, the only one that is managed.
pub const HOME: &str = "eu-west-1";
/// What [`World::many`] calls its organisation.
pub const ORGANIZATION: &str = "o-a1b2c3d4e5";

pub type Outcomes<T> = Result<T, String>;

/// One organisation, one set of documents. Every [`Stage::fleet`] is a new process.
pub struct Stage {
    pub world: World,
    pub documents: TempDir,
    audit: TempDir,
    pub controls: &'static [&'static dyn ErasedControl],
    /// Every call of every fleet so far.
    calls: Mutex<Vec<Entry>>,
}

/// A run of apply, and what it was asked to do.
pub struct Applied {
    pub plan: Plan,
    pub report: ApplyReport,
}

impl Applied {
    /// An error unless every change was seen to hold.
    pub fn held(self) -> Outcomes<Self> {
        let open: Vec<String> = self
            .report
            .changes
            .iter()
            .filter(|change| change.result != ChangeResult::Held)
            .map(|change| {
                format!("{} {}: {:?}", change.item.control, change.item.finding.resource, change.result)
            })
            .collect();
        if open.is_empty() { Ok(self) } else { Err(open.join("; ")) }
    }

    pub fn result(&self, control: &str) -> Option<&ChangeResult> {
        let of = |change: &&apply::ChangeReport| change.item.control == control;
        self.report.changes.iter().find(of).map(|change| &change.result)
    }
}

impl Stage {
    /// A world furnished for one control, with its example declared for the member account.
    pub async fn of(control: &'static dyn ErasedControl) -> Outcomes<Self> {
        let stage = Self::bare(Box::leak(Box::new([control])))?;
        bench::furnish(&stage.world, control.meta().id).await;
        stage.world.forget_calls();
        stage.declare(control, &example(control)?)?;
        Ok(stage)
    }

    /// An empty organisation without documents.
    pub fn bare(controls: &'static [&'static dyn ErasedControl]) -> Outcomes<Self> {
        let dir = || tempfile::tempdir().map_err(|error| error.to_string());
        let (documents, audit) = (dir()?, dir()?);
        Ok(Self { world: World::many(3), documents, audit, controls, calls: Mutex::default() })
    }

    /// Declares `spec` for the member account, or for the seat that the control runs in, and nothing else for
    /// anybody.
    pub fn declare(&self, control: &'static dyn ErasedControl, spec: &Value) -> Outcomes<()> {
        self.write(&[(MEMBER, control.meta().id, spec.clone())])
    }

    /// Writes the documents: which control is declared how for whom.
    pub fn write(&self, declared: &[(&str, &str, Value)]) -> Outcomes<()> {
        let of = |wanted: &dyn Fn(&str, &str) -> bool| -> serde_json::Map<String, Value> {
            declared
                .iter()
                .filter(|(account, control, _)| wanted(account, control))
                .map(|(_, control, spec)| ((*control).to_owned(), spec.clone()))
                .collect()
        };
        let organization = json!({
            "apiVersion": "baseline/v1",
            "kind": "Organization",
            "metadata": {"name": "stage"},
            "spec": {
                "id": ORGANIZATION,
                // The member sits in the security seat, so that a control of that seat runs there too.
                "seats": {"management": MANAGEMENT, "logArchive": ARCHIVE, "security": MEMBER},
                "roles": {"observe": "baseline-observe", "apply": "baseline-apply", "externalId": EXTERNAL_ID},
                "regions": {"home": HOME, "managed": self.managed()},
                "archive": {"seat": "logArchive", "bucket": bench::BUCKET, "key": bench::KEY},
                "tags": {"managed-by": "baseline"},
                "networks": {"office": ["192.0.2.0/24", "2001:db8::/32"], "denied": ["198.51.100.0/24"]},
                "guards": {"refuse": []},
                "controls": of(&|_, control| self.runs_in_a_seat(control)),
            }
        });
        self.put("organization.yaml", &organization)?;
        for control in self.controls {
            if let Some(exception) = bench::signed_off(control.meta().id) {
                self.put("exception.yaml", &exception)?;
            }
        }
        let management = self.controls.iter().any(|control| account_of(*control) == MANAGEMENT);
        let management = management.then_some(("management", MANAGEMENT));
        for (name, id) in [("member", MEMBER), ("archive", ARCHIVE)].into_iter().chain(management) {
            let controls = of(&|account, control| account == id && !self.runs_in_a_seat(control));
            let account = json!({
                "apiVersion": "baseline/v1",
                "kind": "Account",
                "metadata": {"name": name},
                "spec": {"id": id, "controls": controls},
            });
            self.put(&format!("{name}.yaml"), &account)?;
        }
        Ok(())
    }

    /// Hints of IAM come from the global region: that it is not managed would be a task by hand.
    fn managed(&self) -> Vec<&'static str> {
        let hints = self.controls.iter().any(|control| control.meta().id == "events.hints");
        [HOME].into_iter().chain(hints.then_some("us-east-1")).collect()
    }

    /// Manages these regions from now on, which the accounts have as well.
    pub fn manage(&self, regions: &[&str]) -> Outcomes<()> {
        let path = self.documents.path().join("organization.yaml");
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let mut organization: Value = serde_yaml::from_str(&text).map_err(|error| error.to_string())?;
        organization["spec"]["regions"]["managed"] = json!(regions);
        self.put("organization.yaml", &organization)
    }

    fn runs_in_a_seat(&self, id: &str) -> bool {
        let control = self.controls.iter().find(|control| control.meta().id == id);
        control.is_some_and(|control| matches!(control.meta().reach.accounts, Accounts::Seat(_)))
    }

    fn put(&self, name: &str, document: &Value) -> Outcomes<()> {
        let text = serde_yaml::to_string(document).map_err(|error| error.to_string())?;
        std::fs::write(self.documents.path().join(name), text).map_err(|error| error.to_string())
    }

    pub fn desired(&self) -> Outcomes<DesiredState> {
        let today = jiff::civil::date(2026, 7, 1);
        let loaded = desired::load(self.documents.path(), self.controls, today);
        let Some(documents) = &loaded.documents else {
            return Err(baseline::diagnostic::human(&loaded.diagnostics, &loaded.sources, false));
        };
        let resolved = documents.resolve(&Roster::default());
        Ok(DesiredState::new(documents, resolved, None, desired::digest(&loaded)))
    }

    /// A new process: its own sessions, clients and journal.
    pub async fn fleet(&self) -> Outcomes<Fleet> {
        let connection = self.world.connection(&Region::new(HOME));
        let aws = Aws::connect(connection, Limits::new([].into()), &Ulid::generate().to_string()).await;
        let aws = aws.map_err(|fault| fault.to_string())?;
        Ok(Fleet::new(aws, Arc::new(self.desired()?), self.controls))
    }

    /// Keeps a fleet's journal; at the end of each of its lives.
    pub fn keep(&self, fleet: &Fleet) {
        let mut calls = self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        calls.extend(fleet.aws.journal().drain());
    }

    /// Takes the calls of all fleets so far.
    pub fn calls(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The operations that a control called, over all fleets so far.
    pub fn operations(&self, control: &str) -> BTreeSet<String> {
        self.calls().iter().filter(|e| e.by == control).map(|e| e.operation().to_owned()).collect()
    }

    pub async fn plan(&self) -> Outcomes<Plan> {
        let fleet = self.fleet().await?;
        let plan = survey::plan(&fleet, &Wish { keep_in_sync: true, ..Wish::default() }, &|_| {}).await;
        self.keep(&fleet);
        Ok(plan)
    }

    /// Plans and applies in one process, with everything allowed.
    pub async fn apply(&self) -> Outcomes<Applied> {
        let fleet = self.fleet().await?;
        let plan = survey::plan(&fleet, &Wish::default(), &|_| {}).await;
        let applied = self.execute(&fleet, plan, &CancellationToken::new()).await;
        self.keep(&fleet);
        applied
    }

    /// Applies a plan that was made before.
    pub async fn execute(&self, fleet: &Fleet, plan: Plan, stop: &CancellationToken) -> Outcomes<Applied> {
        let kept = plan.clone();
        let guarded = self.guarded(fleet, plan)?;
        let place = self.audit.path().display().to_string();
        let home = Region::new(HOME);
        let audit = Audit::open(&place, &fleet.aws, &home, &[]).await.map_err(|error| error.to_string())?;
        let planned_at = jiff::Timestamp::now();
        let with = Applying { fleet, audit: &audit, reason: None, planned_at, stop, on: &|_| {} };
        let report = apply::apply(&with, &guarded).await.map_err(|error| error.to_string())?;
        Ok(Applied { plan: kept, report })
    }

    fn guarded(&self, fleet: &Fleet, plan: Plan) -> Outcomes<Guarded> {
        let organization = "organization:*".parse().expect("well formed");
        guard::check(plan, &judging(&fleet.desired, &[organization]), Vec::new())
            .map_err(|refusals| refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    /// As [`Stage::converged`], for whoever does not want the plan.
    pub async fn converge(&self) -> Outcomes<()> {
        self.converged().await.map(drop)
    }

    /// Plans and applies until nothing changes and nothing is in progress; the last plan.
    pub async fn converged(&self) -> Outcomes<Plan> {
        for _ in 0..6 {
            self.apply().await?;
            let plan = self.rested().await?;
            if plan.changes().next().is_none() {
                return Ok(plan);
            }
        }
        Err(format!("it does not converge: {}", open(&self.plan().await?)))
    }

    /// Waits until nothing is in progress any more, a quarter of an hour at most.
    pub async fn rested(&self) -> Outcomes<Plan> {
        for _ in 0..30 {
            let plan = self.plan().await?;
            if plan.totals.progressing == 0 {
                return Ok(plan);
            }
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
        Err(format!("it is still in progress: {}", open(&self.plan().await?)))
    }

    /// What the world landed since [`World::forget_calls`].
    pub fn writes(&self) -> BTreeMap<String, u64> {
        self.world.writes().into_iter().filter(|(call, _)| !call.starts_with("sts:")).collect()
    }
}

/// What a plan is judged by, at any time and for no reason.
pub fn judging<'a>(desired: &'a DesiredState, allowed: &'a [Allow]) -> Judging<'a> {
    let guards = &desired.organization.guards;
    Judging { guards, desired, allowed, reason: None, roles: &[], now: jiff::Timestamp::UNIX_EPOCH }
}

/// The account that a control runs in here.
pub fn account_of(control: &dyn ErasedControl) -> &'static str {
    match control.meta().reach.accounts {
        Accounts::Seat(Seat::Management) => MANAGEMENT,
        Accounts::Seat(Seat::LogArchive) => ARCHIVE,
        Accounts::Seat(Seat::Security) | Accounts::Each => MEMBER,
    }
}

/// The control's own example, read as YAML.
pub fn example(control: &dyn ErasedControl) -> Outcomes<Value> {
    serde_yaml::from_str(control.meta().example).map_err(|error| error.to_string())
}

/// The calls that are named in META.
pub fn named(calls: &'static [Call]) -> BTreeSet<String> {
    calls.iter().map(|call| call.operation.to_owned()).collect()
}

/// What is not in sync, for error messages.
pub fn open(plan: &Plan) -> String {
    let item = |item: &Item| format!("{} {} {:?}", item.control, item.finding.resource, item.finding.verdict);
    let open = plan.items.iter().filter(|item| item.outcome != Outcome::InSync);
    let accounts = plan.accounts.iter().filter(|one| one.state != baseline::plan::AccountState::Reached);
    let accounts = accounts.map(|one| format!("{} {:?}", one.id, one.state));
    open.map(item).chain(accounts).collect::<Vec<_>>().join("; ")
}

/// The paths of all fields that a plan would change.
pub fn changed(plan: &Plan) -> BTreeSet<String> {
    let changes = plan.changes().filter_map(|(_, item)| item.finding.change());
    changes.flat_map(|change| &change.fields).map(|field| field.path.clone()).collect()
}

/// `Ok` where the condition holds.
pub fn ensure(holds: bool, why: impl FnOnce() -> String) -> Outcomes<()> {
    if holds { Ok(()) } else { Err(why()) }
}
