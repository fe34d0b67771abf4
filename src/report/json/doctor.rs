//! What `baseline doctor` found, for programs.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::{Identity, NotOpened};
use crate::desired::Settings;
use crate::doctor::{
    AccountHealth, Assumed, Health, Lack, Place, PlaceKind, RegionHealth, RegionState, RoleHealth, Verdict,
    Why, policy_named,
};
use crate::fault::Fault;
use crate::place::{AccountId, Region};

use super::{FORMAT_VERSION, document};

/// What was found, as `baseline doctor --format json` prints it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Doctor")]
pub struct DoctorOutput<'a> {
    /// Always 1. Fields may be added; a change of meaning is another version.
    format_version: u32,
    /// The organisation's id, or its name in the YAML where that gives no id.
    organization: &'a str,
    /// ARN of whoever asked.
    caller: &'a str,
    /// Why AWS Organizations did not list the accounts; then only those with an id in the documents are here.
    #[serde(skip_serializing_if = "Option::is_none")]
    roster: Option<Unlisted<'a>>,
    places: Vec<PlaceOutput<'a>>,
    accounts: Vec<AccountOutput<'a>>,
    exit_code: u8,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Unlisted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
}

/// The audit record, or the archive's bucket or key.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DoctorPlace")]
struct PlaceOutput<'a> {
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a AccountId>,
    verdict: Verdict,
    found: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DoctorAccount")]
struct AccountOutput<'a> {
    id: &'a AccountId,
    name: &'a str,
    /// The worst of all that was found.
    verdict: Verdict,
    /// Why it is not looked after.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_tried: Option<&'a str>,
    observe: RoleOutput<'a>,
    apply: RoleOutput<'a>,
    regions: Vec<RegionOutput<'a>>,
    /// Why the enabled regions are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    regions_fault: Option<&'a Fault>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DoctorRole")]
struct RoleOutput<'a> {
    name: &'a str,
    assumed: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a Fault>,
    /// What the session answers for, where that is not what the documents name.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    allowed: Verdict,
    /// Why it is not known what the role is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_fault: Option<&'a Fault>,
    /// By IAM action.
    lacking: BTreeMap<&'a str, LackOutput<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DoctorLack")]
struct LackOutput<'a> {
    verdict: Verdict,
    /// `notAllowed`, `denied`, `boundary`, `organization`, `depends` or `notKnown`.
    why: &'static str,
    /// The policies that deny it, the condition keys that it depends on, or what the simulator answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by: Vec<&'a str>,
    /// The controls that need it; `baseline` where it is needed whatever is declared.
    controls: &'a BTreeSet<&'static str>,
    /// ARNs or values of a condition that it was asked for, where that is not everything.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    on: &'a BTreeSet<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DoctorRegion")]
struct RegionOutput<'a> {
    region: &'a Region,
    verdict: Verdict,
    /// `open`, `partly`, `off`, `closed` or `unknown`.
    state: &'static str,
    /// ARN of the organisation's policy, where AWS's message names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    faults: &'a [Fault],
}

/// One object.
pub fn doctor(health: &Health, settings: &Settings, caller: &Identity, exit_code: u8) -> String {
    document(&DoctorOutput {
        format_version: FORMAT_VERSION,
        organization: settings.id.as_deref().unwrap_or(&settings.name),
        caller: &caller.arn,
        roster: health.roster.as_ref().map(|why| match why {
            NotOpened::Unreachable(fault) => Unlisted { fault: Some(fault), refused: None },
            NotOpened::Refused(why) => Unlisted { fault: None, refused: Some(why) },
        }),
        places: health.places.iter().map(place).collect(),
        accounts: health.accounts.iter().map(account).collect(),
        exit_code,
    })
}

fn place(place: &Place) -> PlaceOutput<'_> {
    PlaceOutput {
        kind: match place.kind {
            PlaceKind::Audit => "audit",
            PlaceKind::ArchiveBucket => "archiveBucket",
            PlaceKind::ArchiveKey => "archiveKey",
        },
        name: &place.name,
        account: place.account.as_ref(),
        verdict: place.verdict,
        found: &place.said,
        remedy: place.remedy.as_deref(),
    }
}

fn account(account: &AccountHealth) -> AccountOutput<'_> {
    AccountOutput {
        id: &account.id,
        name: &account.name,
        verdict: account.verdict(),
        not_tried: account.not_tried.as_deref(),
        observe: role(&account.observe),
        apply: role(&account.apply),
        regions: account.regions.iter().map(region).collect(),
        regions_fault: account.regions_fault.as_ref(),
    }
}

fn role(role: &RoleHealth) -> RoleOutput<'_> {
    let (fault, refused) = match &role.assumed {
        Assumed::Yes | Assumed::NotAsked => (None, None),
        Assumed::No(fault) => (Some(fault), None),
        Assumed::Refused(why) => (None, Some(why.as_str())),
    };
    let lacking = role.lacking.iter().flatten().map(|(action, lack)| (*action, self::lack(lack)));
    RoleOutput {
        name: &role.name,
        assumed: role.assumed(),
        fault,
        refused,
        allowed: role.allowed(),
        allowed_fault: role.lacking.as_ref().err(),
        lacking: lacking.collect(),
    }
}

fn lack(lack: &Lack) -> LackOutput<'_> {
    let (why, by): (&'static str, Vec<&str>) = match &lack.why {
        Why::NotAllowed => ("notAllowed", Vec::new()),
        Why::Denied(policies) => ("denied", policies.iter().map(String::as_str).collect()),
        Why::Boundary => ("boundary", Vec::new()),
        Why::Organization => ("organization", Vec::new()),
        Why::Depends(keys) => ("depends", keys.iter().map(String::as_str).collect()),
        Why::NotKnown(why) => ("notKnown", vec![why]),
    };
    LackOutput { verdict: lack.why.verdict(), why, by, controls: &lack.controls, on: &lack.on }
}

fn region(one: &RegionHealth) -> RegionOutput<'_> {
    let faults = one.state.faults();
    RegionOutput {
        region: &one.region,
        verdict: one.state.verdict(),
        state: match one.state {
            RegionState::Open => "open",
            RegionState::Partly(_) => "partly",
            RegionState::Off(_) => "off",
            RegionState::Closed(_) => "closed",
            RegionState::Unknown(_) => "unknown",
        },
        policy: faults.iter().find_map(|fault| policy_named(&fault.message)),
        faults,
    }
}
