//! The desired state as the engine uses it: the organisation's settings, and what each account is to be.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::aws::Role;
use crate::aws::journal::Purpose;
use crate::aws::organization::Member;
use crate::control::{Archive, ErasedControl, Exempt, Facts, Networks, OrganizationFacts};
use crate::desired::exception::day;
use crate::desired::template::{self, Values};
use crate::desired::{
    ArchiveSpec, Attestation, DesiredAccount, DesiredControl, Documents, Exception, Guards, Limit, Mode,
    Notification, OnConflict, Resolved, Revision, Roles, Rollout,
};
use crate::diagnostic::Position;
use crate::digest;
use crate::place::{AccountId, Region, Scope, Seat};

/// Everything that a plan is made from besides AWS.
#[derive(Clone, Debug)]
pub struct DesiredState {
    pub organization: Settings,
    /// In the order of the rollout's waves; in each: log archive, security, management, then the rest by name.
    pub accounts: Vec<DesiredAccount>,
    pub exceptions: Vec<Exception>,
    pub attestations: Vec<Attestation>,
    /// Absent where the documents are not in git.
    pub revision: Option<Revision>,
    /// `sha256:…` over the documents' names and bytes.
    pub digest: String,
    /// What it was made of; nothing where nobody said.
    pub source: Arc<Source>,
    places: HashMap<AccountId, usize>,
}

/// All that a desired state is made of: the documents, and what AWS Organizations listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// By path below the folder of the desired state.
    pub documents: BTreeMap<String, String>,
    pub members: Vec<Member>,
}

impl Source {
    /// `sha256:…` over all of it.
    pub fn digest(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("texts by text keys are always JSON");
        format!("sha256:{}", digest::hex(&Sha256::digest(bytes)))
    }
}

/// The Organization document, without what only merging needs.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    /// `o-a1b2c3d4e5`.
    pub id: Option<String>,
    pub home: Region,
    pub seats: BTreeMap<Seat, AccountId>,
    pub roles: Option<Roles>,
    pub archive: Option<ArchiveSpec>,
    pub audit: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// Lists of networks by name.
    pub networks: Arc<Networks>,
    pub guards: Guards,
    pub rollout: Option<Rollout>,
    pub limits: BTreeMap<String, Limit>,
    pub notifications: Vec<Notification>,
    /// Those that name resources, select by their tags or suppress findings: what controls may have to know of.
    pub exceptions: Vec<Exception>,
}

impl Settings {
    pub fn of(documents: &Documents) -> Self {
        let organization = &documents.organization;
        let home = organization.regions.home.as_ref();
        Self {
            name: organization.metadata.name.value.clone(),
            id: organization.id.as_ref().map(|id| id.value.clone()),
            home: home.map_or_else(|| Region::new("us-east-1"), |home| home.value.clone()),
            seats: organization.seats.iter().map(|(seat, id)| (*seat, id.value.clone())).collect(),
            roles: organization.roles.clone(),
            archive: organization.archive.clone(),
            audit: organization.audit.clone(),
            tags: organization.tags.clone(),
            networks: Arc::clone(&organization.networks),
            guards: organization.guards.clone(),
            rollout: organization.rollout.clone(),
            limits: organization.limits.clone(),
            notifications: organization.notifications.clone(),
            exceptions: documents
                .exceptions
                .iter()
                .filter(|one| {
                    !(one.resources.is_empty() && one.resource_tags.is_empty() && one.suppresses.is_empty())
                })
                .cloned()
                .collect(),
        }
    }

    /// What is signed for in one scope at that time, of which controls may have to know.
    pub fn exempt(&self, account: &DesiredAccount, region: &Region, at: Timestamp) -> Vec<Exempt> {
        if self.exceptions.is_empty() {
            return Vec::new();
        }
        let day = day(at);
        let here = |exception: &&Exception| exception.holds_in(account, region, day);
        let exempt = |exception: &Exception| Exempt {
            name: exception.metadata.name.value.clone(),
            control: exception.control.clone(),
            rule: exception.rule.clone(),
            resources: exception.resources.clone(),
            resource_tags: exception.resource_tags.clone(),
            suppresses: exception.suppresses.clone(),
            reason: exception.reason.clone(),
            owner: exception.owner.clone(),
            approver: exception.approver.clone(),
            ticket: exception.ticket.clone(),
            expires: exception.expires.value,
        };
        self.exceptions.iter().filter(here).map(exempt).collect()
    }

    /// The role that a session of this purpose assumes; without roles, the caller's own credentials.
    pub fn role(&self, purpose: Purpose) -> Role {
        let Some(roles) = &self.roles else { return Role::Caller };
        let name = if purpose == Purpose::Apply { &roles.apply } else { &roles.observe };
        Role::Assumed { name: name.clone(), external_id: roles.external_id.clone() }
    }

    /// What controls may know of the organisation; the archive's names are filled in for its own account.
    pub fn facts(&self) -> Option<OrganizationFacts> {
        let archive = self.archive.as_ref().and_then(|archive| {
            let scope = Scope { account: self.seats.get(&archive.seat)?.clone(), region: self.home.clone() };
            let values = Values { scope: &scope, organization: self.id.as_deref() };
            Some(Archive {
                bucket: template::fill_text(&archive.bucket, values),
                key: template::fill_text(&archive.key, values),
                account: scope.account.clone(),
                region: scope.region.clone(),
            })
        });
        let known = self.id.is_some() || !self.seats.is_empty() || archive.is_some();
        known.then(|| OrganizationFacts { id: self.id.clone(), seats: self.seats.clone(), archive })
    }
}

impl DesiredState {
    pub fn new(
        documents: &Documents,
        resolved: Resolved,
        revision: Option<Revision>,
        digest: String,
    ) -> Self {
        let mut accounts = resolved.accounts;
        accounts.sort_by(|a, b| (seat(a), &a.name, &a.id).cmp(&(seat(b), &b.name, &b.id)));
        if let Some(rollout) = &documents.organization.rollout {
            rollout.number_the_rest(&mut accounts);
            accounts.sort_by_key(|account| account.wave);
        }
        let places =
            accounts.iter().enumerate().map(|(place, account)| (account.id.clone(), place)).collect();
        Self {
            organization: Settings::of(documents),
            accounts,
            exceptions: documents.exceptions.clone(),
            attestations: documents.attestations.clone(),
            revision,
            digest,
            source: Arc::default(),
            places,
        }
    }

    /// The same, knowing what it was made of: what an apply keeps, so that drift can be told later.
    #[must_use]
    pub fn made_of(self, source: Source) -> Self {
        Self { source: Arc::new(source), ..self }
    }

    /// The same for other accounts, or for the same ones with other controls, in this order.
    #[must_use]
    pub fn with_accounts(&self, accounts: Vec<DesiredAccount>) -> Self {
        let places = accounts.iter().enumerate().map(|(place, account)| (account.id.clone(), place));
        Self { places: places.collect(), accounts, ..self.clone() }
    }

    pub fn account(&self, id: &AccountId) -> Option<&DesiredAccount> {
        self.places.get(id).map(|&place| &self.accounts[place])
    }
}

/// What others stand on comes first.
fn seat(account: &DesiredAccount) -> usize {
    let order = [Seat::LogArchive, Seat::Security, Seat::Management];
    order.iter().position(|seat| account.seats.contains(seat)).unwrap_or(order.len())
}

impl DesiredControl {
    /// A spec that is said whole, by nobody's document.
    pub fn fixed(spec: Arc<Value>) -> Self {
        Self {
            spec,
            has_templates: false,
            mode: Mode::Enforce,
            on_conflict: OnConflict::Adopt,
            regions: None,
            reason: None,
            origins: BTreeMap::new(),
            word_origins: BTreeMap::new(),
        }
    }

    /// The spec in one scope, templates filled in. Where there are none, all scopes share it.
    pub fn spec_in(&self, control: &dyn ErasedControl, facts: &Facts) -> Arc<Value> {
        if !self.has_templates {
            return Arc::clone(&self.spec);
        }
        let organization = facts.organization.as_ref().and_then(|organization| organization.id.as_deref());
        let values = Values { scope: &facts.scope, organization };
        Arc::new(template::fill(&self.spec, &control.schema(), values))
    }

    /// Where a field was said: at its own path, or at the nearest one above it.
    pub fn position(&self, path: &str) -> Option<&Position> {
        let mut at: Cow<'_, str> = path.into();
        loop {
            if let Some(position) = self.origins.get(&*at) {
                return Some(position);
            }
            let end = at.rfind('/')?;
            at = at[..end].to_owned().into();
        }
    }
}

/// Could a placeholder stand in it anywhere?
pub(super) fn has_templates(spec: &Value) -> bool {
    match spec {
        Value::String(text) => text.contains('{'),
        Value::Array(items) => items.iter().any(has_templates),
        Value::Object(map) => map.values().any(has_templates),
        _ => false,
    }
}
