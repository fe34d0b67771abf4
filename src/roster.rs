//! The accounts that AWS Organizations lists, as the documents need them: who is asked, and what for.

use std::collections::HashMap;

use crate::aws::journal::Purpose;
use crate::aws::limits::{Limits, Rate};
use crate::aws::organization::{self, Member};
use crate::aws::{Aws, NotOpened};
use crate::desired::{Documents, Roster, RosterAccount, Settings, Status};
use crate::place::{Region, Seat};

/// Whether AWS Organizations has to be asked, and for units and tags as well: where there are accounts to discover or
/// without an id, or baselines, waves, notifications or exceptions selected by unit or tag.
pub fn asks(documents: &Documents) -> Option<(bool, bool)> {
    let organization = &documents.organization;
    let waves = || organization.rollout.iter().flat_map(|rollout| &rollout.waves);
    let told = || organization.notifications.iter().filter_map(|one| one.selector.as_ref());
    let excepted = || documents.exceptions.iter().filter_map(|one| one.selector.as_ref());
    let baselines = || organization.baselines.iter().filter_map(|one| one.selector.as_ref());
    let selectors = || baselines().chain(waves()).chain(told()).chain(excepted());
    let units = selectors().any(|selector| !selector.ou.is_empty());
    let tags = selectors().any(|selector| !selector.tags.is_empty());
    let nameless = documents.accounts.iter().any(|account| account.id.is_none());
    (organization.accounts.discover || units || tags || nameless).then_some((units, tags))
}

/// Asks AWS Organizations, only where the documents cannot be read without.
///
/// # Errors
///
/// When the account that is to be asked is not the one named, or does not answer.
pub async fn roster(documents: &Documents, settings: &Settings, aws: &Aws) -> Result<Vec<Member>, NotOpened> {
    let Some((units, tags)) = asks(documents) else { return Ok(Vec::new()) };
    // Listing needs the management account, or one that it has delegated to; the caller may be in it.
    let region = Region::global(settings.home.partition());
    let reader = match (settings.seats.get(&Seat::Management), &settings.roles) {
        (Some(management), Some(_)) => {
            let role = settings.role(Purpose::Observe);
            let id = settings.id.as_deref();
            let session = aws.open(management, &role, Purpose::Observe, &settings.home, id).await?;
            aws.engine_reader(&session, &region)
        }
        _ => aws.caller_reader(&region),
    };
    reader.run(organization::members(&reader, units, tags)).await.map_err(NotOpened::Unreachable)
}

/// What the documents are merged with.
pub fn roster_of(members: &[Member]) -> Roster {
    Roster { accounts: members.iter().map(listed).collect() }
}

fn listed(member: &Member) -> RosterAccount {
    RosterAccount {
        id: member.id.clone(),
        name: member.name.clone(),
        ou: Some(member.ou.clone()),
        tags: member.tags.clone(),
        status: member.inactive.clone().map_or(Status::Active, Status::Suspended),
    }
}

/// The rates of the Organization document in the place of the published ones.
pub fn limits(settings: &Settings) -> Limits {
    let rates = settings.limits.iter().map(|(service, limit)| {
        let burst = limit.burst.map_or(limit.per_second.max(1.0), f64::from);
        (service.clone(), Rate { per_second: limit.per_second, burst })
    });
    Limits::new(rates.collect::<HashMap<_, _>>())
}
