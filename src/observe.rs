//! Looking at accounts: reads only, everything independent at once, bounded. Faults are kept, never thrown.

pub mod things;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::OnceCell;
use tracing::Instrument as _;

use crate::aws::journal::Purpose;
use crate::aws::{Aws, InScope, NotOpened, Session, organization};
use crate::control::{Accounts, ErasedControl, Facts, Known, Misfit, Need, Regions, Sight, Thing};
use crate::desired::{AccountStanding, DesiredAccount, DesiredControl, DesiredState, Managed};
use crate::fault::{Fault, FaultKind};
use crate::inventory::{AccountState, AccountView, Observation, Seen, facts};
use crate::place::{AccountId, Region};
use crate::traces::TARGET;

/// Controls of one account that are observed at once: 17 regions × a handful, held by rates well before.
const CONTROLS_AT_ONCE: usize = 128;

/// The accounts of one desired state, with their sessions: what `plan`, `apply` and the controller look with.
pub struct Fleet {
    pub aws: Aws,
    pub desired: Arc<DesiredState>,
    pub controls: &'static [&'static dyn ErasedControl],
    /// When it is looked; absent: now, by the system's clock.
    at: Option<Timestamp>,
    shared: Arc<Shared>,
}

/// What is opened and found once in a run.
#[derive(Default)]
struct Shared {
    sessions: Mutex<HashMap<(AccountId, Purpose), Opening>>,
    things: Mutex<HashMap<Thing, Arc<OnceCell<crate::control::Found>>>>,
    /// Policies of buckets that accounts deliver to: one read answers for all of them.
    policies: Mutex<HashMap<(AccountId, String), things::PolicyRead>>,
    /// The regions that are enabled.
    enabled: Mutex<HashMap<AccountId, EnabledRegions>>,
}

type EnabledRegions = Arc<OnceCell<Result<Vec<Region>, Fault>>>;

type Opening = Arc<OnceCell<Result<Session, NotOpened>>>;

/// One control in one scope.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub account: &'a DesiredAccount,
    pub control: &'static dyn ErasedControl,
    pub declared: &'a DesiredControl,
}

/// One region of an account while it is observed.
struct Place {
    facts: Facts,
    here: InScope,
}

impl Fleet {
    pub fn new(
        aws: Aws,
        desired: Arc<DesiredState>,
        controls: &'static [&'static dyn ErasedControl],
    ) -> Self {
        Self { aws, desired, controls, at: None, shared: Arc::default() }
    }

    /// The same accounts with another desired state: sessions, and what was found already, are shared.
    pub fn with(&self, desired: Arc<DesiredState>) -> Self {
        let (aws, shared) = (self.aws.clone(), Arc::clone(&self.shared));
        Self { aws, desired, controls: self.controls, at: self.at, shared }
    }

    /// The same with a time of its own.
    #[must_use]
    pub fn looking_at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }

    /// The time of a look: exceptions, attestations and suspensions are judged by it.
    pub fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(Timestamp::now)
    }

    pub fn control(&self, id: &str) -> Option<&'static dyn ErasedControl> {
        self.controls.iter().copied().find(|control| control.meta().id == id)
    }

    /// The role that writes, as the YAML names it, or the caller.
    pub fn writing_role(&self) -> String {
        match &self.desired.organization.roles {
            Some(roles) => roles.apply.clone(),
            None => self.aws.identity().principal().to_owned(),
        }
    }

    /// The role that reads, as the YAML names it, or the caller.
    pub fn reading_role(&self) -> String {
        match &self.desired.organization.roles {
            Some(roles) => roles.observe.clone(),
            None => self.aws.identity().principal().to_owned(),
        }
    }

    /// The session of one role in one account: opened once, and asserted to be that account.
    pub async fn session(&self, account: &AccountId, purpose: Purpose) -> Result<Session, NotOpened> {
        let cell = {
            let mut sessions = self.shared.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sessions.entry((account.clone(), purpose)).or_default())
        };
        cell.get_or_init(|| self.open(account, purpose)).await.clone()
    }

    async fn open(&self, account: &AccountId, purpose: Purpose) -> Result<Session, NotOpened> {
        let organization = &self.desired.organization;
        let role = organization.role(purpose);
        let home = self.desired.account(account).map_or(&organization.home, |account| &account.home);
        self.aws.open(account, &role, purpose, home, organization.id.as_deref()).await
    }

    /// Everything that the account's declared controls need to know.
    pub async fn observe_account(&self, account: &DesiredAccount) -> AccountView {
        // On the heap, as all that is as large: a command's stack holds every future that it waits for.
        let span = tracing::info_span!(target: TARGET, "observe", cloud.account.id = %account.id);
        Box::pin(self.observe_beside(account, None).instrument(span)).await
    }

    /// The same, but what `other` was asked in the same words is not asked again: the answers are taken over, and
    /// their time.
    pub async fn observe_beside(&self, account: &DesiredAccount, other: Option<&AccountView>) -> AccountView {
        if let AccountStanding::NotTried { why } = &account.state {
            return AccountView::closed(account, AccountState::NotTried { why: why.clone() });
        }
        let session = match self.session(&account.id, Purpose::Observe).await {
            Ok(session) => session,
            Err(NotOpened::Refused(why)) => {
                return AccountView::closed(account, AccountState::Refused { why });
            }
            Err(NotOpened::Unreachable(fault)) => {
                return AccountView::closed(account, AccountState::Unreachable { fault });
            }
        };
        let regions = match self.managed_regions(account, &session).await {
            Ok(regions) => regions,
            Err(fault) => return AccountView::closed(account, AccountState::Unreachable { fault }),
        };
        let observed_at = other.and_then(|other| other.seen.as_ref()).map(|seen| seen.observed_at);
        let observed_at = observed_at.unwrap_or_else(|| self.now());
        let seen = Seen { partition: account.home.partition().to_owned(), regions, observed_at };
        let targets = targets(self.controls, account, &seen.regions);
        let mut places: BTreeMap<&Region, Place> = BTreeMap::new();
        for (region, _) in &targets {
            places.entry(region).or_insert_with(|| Place {
                facts: facts(&self.desired.organization, account, &seen, region),
                here: InScope::new(),
            });
        }
        let looks = stream::iter(&targets)
            .map(|(region, target)| {
                let Place { facts, here } = &places[region];
                let session = &session;
                let before = other
                    .and_then(|other| other.scopes.get(region)?.get(target.control.meta().id))
                    .filter(|before| is_asked_alike(*target, facts, before));
                async move {
                    let seen = match before {
                        Some(before) => before.clone(),
                        None => self.observe_one(session, *target, facts, here).await,
                    };
                    (region.clone(), target, seen)
                }
            })
            .buffer_unordered(CONTROLS_AT_ONCE)
            .collect::<Vec<_>>();
        let needs = targets.iter().flat_map(|(region, target)| needs(*target, &places[region].facts));
        // What a control stands on does not wait for what it sees.
        let (looked, known) =
            futures::join!(looks, self.resolve(needs.map(|need| need.thing).collect(), false));

        let mut scopes: BTreeMap<Region, BTreeMap<String, Observation>> = BTreeMap::new();
        for (region, target, observation) in looked {
            scopes.entry(region).or_default().insert(target.control.meta().id.into(), observation);
        }
        self.aws.limits().forget_idle(&account.id);
        AccountView {
            id: account.id.clone(),
            name: Arc::clone(&account.name),
            state: AccountState::Reached,
            seen: Some(seen),
            scopes,
            known,
        }
    }

    /// Those that are listed, or all that are enabled for the account, without the excepted ones.
    pub(crate) async fn managed_regions(
        &self,
        account: &DesiredAccount,
        session: &Session,
    ) -> Result<Vec<Region>, Fault> {
        let regions = match &account.managed {
            Managed::Listed(regions) => regions.clone(),
            Managed::AllEnabled => {
                let cell = {
                    let mut enabled = self.shared.enabled.lock().unwrap_or_else(PoisonError::into_inner);
                    Arc::clone(enabled.entry(account.id.clone()).or_default())
                };
                let asked = async || {
                    // Account Management has one endpoint in a partition.
                    let region = Region::global(account.home.partition());
                    let reader = self.aws.engine_reader(session, &region);
                    reader.run(organization::enabled_regions(&reader)).await
                };
                cell.get_or_init(asked).await.clone()?
            }
        };
        Ok(regions.into_iter().filter(|region| !account.except.contains_key(region.as_str())).collect())
    }

    async fn observe_one(
        &self,
        session: &Session,
        target: Target<'_>,
        facts: &Facts,
        place: &InScope,
    ) -> Observation {
        let meta = target.control.meta();
        let spec = target.declared.spec_in(target.control, facts);
        let ask = match target.control.ask(facts, &spec) {
            Ok(ask) => ask,
            Err(misfit) => {
                return Observation {
                    ask: Value::Null,
                    sight: Sight::Unseen(misfit_fault(meta.id, &misfit)),
                };
            }
        };
        let reader = self.aws.reader(session, &facts.scope, meta, place);
        let (region, control) = (&facts.scope.region, meta.id);
        let span =
            tracing::info_span!(target: TARGET, "look", cloud.region = %region, baseline.control = control);
        let sight = match reader.run(target.control.observe(&reader, &ask)).instrument(span).await {
            Ok(Ok(observed)) => Sight::Seen(observed),
            Ok(Err(fault)) => Sight::Unseen(fault),
            Err(misfit) => Sight::Unseen(misfit_fault(meta.id, &misfit)),
        };
        Observation { ask, sight }
    }

    /// A fresh look at one control in one scope: what a change is judged by, before and after.
    pub async fn look(&self, target: Target<'_>, facts: &Facts) -> Result<Value, Fault> {
        let session = self.session(&facts.scope.account, Purpose::Observe).await.map_err(unopened)?;
        match self.observe_one(&session, target, facts, &InScope::new()).await.sight {
            Sight::Seen(observed) => Ok(observed),
            Sight::Unseen(fault) => Err(fault),
        }
    }

    /// Looks for things, each in the account that owns it. Asked once in a run, unless `fresh`.
    pub async fn resolve(&self, mut wanted: Vec<Thing>, fresh: bool) -> Known {
        wanted.sort();
        wanted.dedup();
        let found: Vec<_> = stream::iter(wanted)
            .map(|thing| async {
                let cell = {
                    let mut things = self.shared.things.lock().unwrap_or_else(PoisonError::into_inner);
                    if fresh {
                        things.remove(&thing);
                    }
                    Arc::clone(things.entry(thing.clone()).or_default())
                };
                let found = cell.get_or_init(|| things::find(self, &thing, fresh)).await.clone();
                (thing, found)
            })
            .buffer_unordered(CONTROLS_AT_ONCE)
            .collect()
            .await;
        Known::new(found)
    }
}

/// Was that seen when exactly this was asked?
fn is_asked_alike(target: Target<'_>, facts: &Facts, before: &Observation) -> bool {
    let spec = target.declared.spec_in(target.control, facts);
    target.control.ask(facts, &spec).is_ok_and(|ask| ask == before.ask)
}

/// A fleet that observes and can do nothing else: its sessions are of the observe role, and no call that writes is
/// sent with them. What `drift` looks with.
pub struct Observer(Fleet);

impl Observer {
    /// What sessions the fleet had opened is forgotten with it.
    pub fn of(fleet: Fleet) -> Self {
        Self(Fleet::new(fleet.aws.observing(), fleet.desired, fleet.controls))
    }

    pub fn fleet(&self) -> &Fleet {
        &self.0
    }
}

/// Which controls run in which regions of an account, in the order of the one list.
pub fn targets<'a>(
    controls: &[&'static dyn ErasedControl],
    account: &'a DesiredAccount,
    regions: &[Region],
) -> Vec<(Region, Target<'a>)> {
    let mut targets = Vec::new();
    for &control in controls {
        let meta = control.meta();
        let Some(declared) = account.controls.get(meta.id) else { continue };
        if let Accounts::Seat(seat) = meta.reach.accounts
            && !account.seats.contains(&seat)
        {
            continue;
        }
        let target = Target { account, control, declared };
        match meta.reach.regions {
            Regions::Home => targets.push((account.home.clone(), target)),
            Regions::Global => targets.push((Region::global(account.home.partition()), target)),
            Regions::Each => targets.extend(
                regions
                    .iter()
                    .filter(|region| declared.covers(region, &account.home))
                    .map(|region| (region.clone(), target)),
            ),
        }
    }
    targets
}

/// What a target stands on. A spec that does not decode has been refused before.
pub fn needs(target: Target<'_>, facts: &Facts) -> Vec<Need> {
    let spec = target.declared.spec_in(target.control, facts);
    target.control.needs(facts, &spec).unwrap_or_default()
}

impl DesiredControl {
    /// Does the shared word `regions` let the control run in this region?
    fn covers(&self, region: &Region, home: &Region) -> bool {
        self.regions.as_ref().is_none_or(|words| words.iter().any(|word| word.means(region, home)))
    }
}

/// Our own types do not fit each other: a saved value from another build, never an answer from AWS.
pub(crate) fn misfit_fault(control: &str, misfit: &Misfit) -> Fault {
    let place = if misfit.path.is_empty() { String::new() } else { format!(" at {}", misfit.path) };
    Fault::local(FaultKind::Invalid, control, format!("{misfit}{place}"))
}

/// A session that was not opened, as a fault of one resource.
pub(crate) fn unopened(why: NotOpened) -> Fault {
    match why {
        NotOpened::Unreachable(fault) => fault,
        NotOpened::Refused(why) => Fault::local(FaultKind::Denied, "sts:GetCallerIdentity", why),
    }
}
