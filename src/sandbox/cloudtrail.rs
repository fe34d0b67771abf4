//! AWS CloudTrail: the trails of each account, and their shadows in other regions and accounts.
//!
//! Sources: AWS CloudTrail API Reference, the operation named at each handler, and the User Guide where a rule
//! names it.

mod delivery;
mod history;
mod logging;
mod selectors;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudtrail::operation::describe_trails::{DescribeTrailsInput, DescribeTrailsOutput};
use aws_sdk_cloudtrail::types::InsightSelector;
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service};
use super::state::State;
pub(super) use history::History;
pub use history::Told;
pub use selectors::Selectors;

static SERVICE: Service = Service {
    id: "CloudTrail",
    prefix: "cloudtrail",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("DescribeTrails", describe_trails)
        .on("CreateTrail", settings::create)
        .on("UpdateTrail", settings::update)
        .on("GetTrailStatus", logging::status)
        .on("StartLogging", logging::start)
        .on("StopLogging", logging::stop)
        .on("GetEventSelectors", selectors::get_events)
        .on("PutEventSelectors", selectors::put_events)
        .on("GetInsightSelectors", selectors::get_insights)
        .on("PutInsightSelectors", selectors::put_insights)
        .on("LookupEvents", history::look_up)
}

/// CloudTrail of one account in one region: the trails that are at home there.
#[derive(Clone, Debug, Default)]
pub struct CloudTrail {
    /// By name.
    pub trails: BTreeMap<String, Trail>,
    /// SNS topics, by name, that exist and let CloudTrail publish: this world has no SNS.
    pub topics: BTreeSet<String>,
}

impl CloudTrail {
    /// Changes a trail as somebody else would; one that is not there is not changed.
    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut Trail)) {
        if let Some(trail) = self.trails.get_mut(name) {
            change(trail);
        }
    }
}

/// A trail.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    pub bucket: String,
    pub prefix: Option<String>,
    pub topic_arn: Option<String>,
    pub global_events: bool,
    pub multi_region: bool,
    pub log_file_validation: bool,
    pub key_arn: Option<String>,
    pub group_arn: Option<String>,
    pub role_arn: Option<String>,
    pub organization: bool,
    pub tags: BTreeMap<String, String>,
    pub logging: bool,
    pub started: Option<Timestamp>,
    pub stopped: Option<Timestamp>,
    pub selectors: Selectors,
    pub insights: Vec<InsightSelector>,
    /// An error that S3 answers beside those that follow from the policies.
    pub delivery_error: Option<String>,
}

impl Trail {
    /// As CreateTrail makes one that is told only where to deliver to, and then started.
    pub fn logging_to(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), global_events: true, logging: true, ..Self::default() }
    }
}

/// A trail as one account sees it in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    owner: String,
    home: String,
    name: String,
}

impl Seen {
    fn arn(&self) -> String {
        format!("arn:aws:cloudtrail:{}:{}:trail/{}", self.home, self.owner, self.name)
    }

    fn trail<'s>(&self, state: &'s State) -> Result<&'s Trail, Refusal> {
        let region = state.accounts.get(&self.owner).and_then(|account| account.regions.get(&self.home));
        region.and_then(|region| region.cloudtrail.trails.get(&self.name)).ok_or_else(|| unknown(&self.name))
    }

    fn trail_mut<'s>(&self, state: &'s mut State) -> Result<&'s mut Trail, Refusal> {
        let account = state.accounts.get_mut(&self.owner).ok_or_else(|| unknown(&self.name))?;
        let region = account.region(&self.home);
        region.cloudtrail.trails.get_mut(&self.name).ok_or_else(|| unknown(&self.name))
    }
}

fn refuse(code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::new(400, code, message)
}

fn unknown(name: &str) -> Refusal {
    refuse("TrailNotFoundException", format!("Unknown trail: {name}"))
}

/// All trails that record `region` of `account`: those at home there, shadows of multi-region trails, and shadows
/// of organisation trails of the accounts that may have those (DescribeTrails, `includeShadowTrails`).
fn seen(state: &State, account: &str, region: &str) -> Vec<Seen> {
    let organization = state.organization.as_ref().filter(|organization| organization.has_member(account));
    let others = organization.into_iter().flat_map(|organization| {
        std::iter::once(organization.management.as_str())
            .chain(organization.administrators_of("cloudtrail.amazonaws.com"))
    });
    let others = others.filter(|id| *id != account);
    let mut all = Vec::new();
    for owner in std::iter::once(account).chain(others) {
        let Some(of) = state.accounts.get(owner) else { continue };
        for (home, there) in &of.regions {
            for (name, trail) in &there.cloudtrail.trails {
                if (owner == account || trail.organization) && (home == region || trail.multi_region) {
                    all.push(Seen { owner: owner.to_owned(), home: home.clone(), name: name.clone() });
                }
            }
        }
    }
    all
}

/// Does some trail log what is written in `region` of `account`?
pub(super) fn logs_writes(state: &State, account: &str, region: &str) -> bool {
    let all = seen(state, account, region);
    all.iter()
        .filter_map(|one| one.trail(state).ok())
        .any(|trail| trail.logging && trail.selectors.management().1)
}

/// Trail names: 3–128 letters, digits, `.`, `_`, `-`, beginning and ending with a letter or digit, no two marks
/// together, no IP address (CreateTrail).
fn trail_name(name: Option<&str>) -> Result<&str, Refusal> {
    let name = name.unwrap_or_default();
    let mark = |c: char| "._-".contains(c);
    let fits = (3..=128).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || mark(c))
        && !name.starts_with(mark)
        && !name.ends_with(mark)
        && !name.as_bytes().windows(2).any(|two| two.iter().all(|c| mark(char::from(*c))))
        && name.parse::<std::net::Ipv4Addr>().is_err();
    if fits {
        Ok(name)
    } else {
        Err(refuse("InvalidTrailNameException", format!("Trail name {name} is invalid.")))
    }
}

/// The trail that a request names. A shadow trail goes by its ARN only (GetTrailStatus: "if you are
/// replicating a trail … you must specify the trail ARN"; taken for every operation here).
fn named(call: &Call<'_>, given: Option<&str>) -> Result<Seen, Refusal> {
    let given = given.unwrap_or_default();
    let by_arn = given.starts_with("arn:");
    if !by_arn {
        trail_name(Some(given))?;
    }
    let all = seen(call.state, &call.caller.account, call.region);
    let fits = |one: &&Seen| {
        if by_arn {
            one.arn() == given
        } else {
            one.name == given && one.owner == call.caller.account && one.home == call.region
        }
    };
    all.iter().find(fits).cloned().ok_or_else(|| unknown(given))
}

/// The trail that a request writes: only where it is at home, and only in the account that owns it.
fn written(call: &Call<'_>, given: Option<&str>) -> Result<Seen, Refusal> {
    let all = seen(call.state, &call.caller.account, call.region);
    let shadow = all.iter().find(|one| {
        (Some(one.name.as_str()) == given || Some(one.arn().as_str()) == given)
            && (one.home != call.region || one.owner != call.caller.account)
    });
    match (named(call, given), shadow) {
        (Ok(found), _) if found.owner != call.caller.account => Err(refuse(
            "NotOrganizationMasterAccountException",
            "The request could not be processed because your account is not the management account.",
        )),
        (Ok(found), _) if found.home == call.region => Ok(found),
        (_, Some(_)) => Err(refuse(
            "InvalidHomeRegionException",
            format!(
                "The operation must be called from the home region of trail {}.",
                given.unwrap_or_default()
            ),
        )),
        (Err(refusal), _) => Err(refusal),
        (Ok(found), None) => Err(unknown(&found.name)),
    }
}

/// DescribeTrails: shadow trails unless they are not wanted. There are no pages. A name that is not found is
/// left out.
fn describe_trails(
    call: &mut Call<'_>,
    input: &DescribeTrailsInput,
) -> Result<DescribeTrailsOutput, Refusal> {
    let shadows = input.include_shadow_trails() != Some(false);
    let wanted = input.trail_name_list();
    let mut list = Vec::new();
    for one in seen(call.state, &call.caller.account, call.region) {
        let at_home = one.home == call.region && one.owner == call.caller.account;
        let meant = wanted.is_empty() || wanted.iter().any(|name| *name == one.name || *name == one.arn());
        if meant && (at_home || shadows) {
            list.push(told(&one, one.trail(call.state)?));
        }
    }
    Ok(DescribeTrailsOutput::builder().set_trail_list(Some(list)).build())
}

fn told(seen: &Seen, trail: &Trail) -> aws_sdk_cloudtrail::types::Trail {
    aws_sdk_cloudtrail::types::Trail::builder()
        .name(&seen.name)
        .trail_arn(seen.arn())
        .home_region(&seen.home)
        .s3_bucket_name(&trail.bucket)
        .set_s3_key_prefix(trail.prefix.clone())
        .set_sns_topic_arn(trail.topic_arn.clone())
        .include_global_service_events(trail.global_events)
        .is_multi_region_trail(trail.multi_region)
        .log_file_validation_enabled(trail.log_file_validation)
        .set_kms_key_id(trail.key_arn.clone())
        .set_cloud_watch_logs_log_group_arn(trail.group_arn.clone())
        .set_cloud_watch_logs_role_arn(trail.role_arn.clone())
        .is_organization_trail(trail.organization)
        .has_custom_event_selectors(trail.selectors.custom())
        .has_insight_selectors(!trail.insights.is_empty())
        .build()
}

#[cfg(test)]
mod tests;
