//! Lists of addresses: trusted ones (IP sets) and those of attackers (threat intelligence sets).
//!
//! Source: Amazon GuardDuty API Reference; User Guide, "Quotas" and "Customizing threat detection with entity lists and
//! IP address lists". How long GuardDuty takes to read a list is written nowhere; here a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_guardduty::operation::create_ip_set::{CreateIpSetInput, CreateIpSetOutput};
use aws_sdk_guardduty::operation::create_threat_intel_set::{
    CreateThreatIntelSetInput, CreateThreatIntelSetOutput,
};
use aws_sdk_guardduty::operation::get_ip_set::{GetIpSetInput, GetIpSetOutput};
use aws_sdk_guardduty::operation::get_threat_intel_set::{GetThreatIntelSetInput, GetThreatIntelSetOutput};
use aws_sdk_guardduty::operation::list_ip_sets::{ListIpSetsInput, ListIpSetsOutput};
use aws_sdk_guardduty::operation::list_threat_intel_sets::{
    ListThreatIntelSetsInput, ListThreatIntelSetsOutput,
};
use aws_sdk_guardduty::operation::update_ip_set::{UpdateIpSetInput, UpdateIpSetOutput};
use aws_sdk_guardduty::operation::update_threat_intel_set::{
    UpdateThreatIntelSetInput, UpdateThreatIntelSetOutput,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, length_within, page};
use super::{bad, detector, invalid, page_size, tags};

/// How long GuardDuty takes to read a list, or to forget it.
pub const READING: Duration = Duration::from_secs(60);

const FORMATS: [&str; 6] = ["TXT", "STIX", "OTX_CSV", "ALIEN_VAULT", "PROOF_POINT", "FIRE_EYE"];

/// How many ids a page has; the model allows 1–50.
const A_PAGE: usize = 2;

/// A list of addresses.
#[derive(Clone, Debug)]
pub struct List {
    pub name: String,
    pub format: String,
    pub location: String,
    pub active: bool,
    /// When GuardDuty is done with what it was told last.
    pub settled: Timestamp,
    /// GuardDuty cannot read the file.
    pub unreadable: bool,
    pub tags: BTreeMap<String, String>,
}

impl List {
    fn status(&self, now: Timestamp) -> &'static str {
        match (self.active, now < self.settled) {
            (true, true) => "ACTIVATING",
            (false, true) => "DEACTIVATING",
            (true, false) if self.unreadable => "ERROR",
            (true, false) => "ACTIVE",
            (false, false) => "INACTIVE",
        }
    }

    fn update(
        &mut self,
        name: Option<&str>,
        to: Option<&str>,
        activate: Option<bool>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if let Some(wanted) = name {
            self.name = named(Some(wanted))?;
        }
        if let Some(to) = to {
            self.location = location(Some(to))?;
            self.unreadable = false;
            // Another file is read when the list is made active.
            self.active = false;
        }
        if let Some(activate) = activate.filter(|activate| *activate != self.active || self.unreadable) {
            self.active = activate;
            self.unreadable = false;
            self.settled = now + READING;
        }
        Ok(())
    }
}

/// Lists of one kind, by id.
type Lists = BTreeMap<String, List>;

fn named(name: Option<&str>) -> Result<String, Refusal> {
    let fits = |name: &&str| {
        length_within(name, 1, 300)
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "-_".contains(c))
    };
    name.filter(fits).map(str::to_owned).ok_or_else(|| invalid("name"))
}

/// "The format of the Location URL must be a valid Amazon S3 URL format."
fn location(location: Option<&str>) -> Result<String, Refusal> {
    let fits = |text: &&str| {
        length_within(text, 1, 300) && (text.starts_with("s3://") || text.starts_with("https://"))
    };
    location.filter(fits).map(str::to_owned).ok_or_else(|| invalid("location"))
}

/// "Only users from the administrator account can use this operation."
fn no_member(call: &mut Call<'_>) -> Result<(), Refusal> {
    match call.here().guardduty.administrator {
        None => Ok(()),
        Some(_) => Err(bad("The request is rejected because member accounts cannot manage lists.")),
    }
}

fn ids(
    lists: &Lists,
    max: Option<i32>,
    token: Option<&str>,
) -> Result<(Vec<String>, Option<String>), Refusal> {
    page_size(max)?;
    let ids: Vec<String> = lists.keys().cloned().collect();
    page(&ids, token.filter(|token| !token.is_empty()), A_PAGE).ok_or_else(|| invalid("nextToken"))
}

struct Wanted<'i> {
    name: Option<&'i str>,
    format: Option<&'i str>,
    location: Option<&'i str>,
    activate: Option<bool>,
    tags: Option<&'i std::collections::HashMap<String, String>>,
}

/// A new list, of which there are so many at most, each of another name.
fn add(
    lists: &mut Lists,
    most: usize,
    id: String,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let name = named(wanted.name)?;
    let format = wanted.format.filter(|format| FORMATS.contains(format)).ok_or_else(|| invalid("format"))?;
    let active = wanted.activate.ok_or_else(|| invalid("activate"))?;
    if lists.len() >= most {
        return Err(bad("The request is rejected because the maximum number of lists is reached."));
    }
    if lists.values().any(|list| list.name == name) {
        return Err(bad("The request is rejected because a list with the given name already exists."));
    }
    let list = List {
        name,
        format: format.to_owned(),
        location: location(wanted.location)?,
        active,
        settled: if active { now + READING } else { now },
        unreadable: false,
        tags: tags(wanted.tags)?,
    };
    lists.insert(id, list);
    Ok(())
}

fn not_there() -> Refusal {
    bad("The request is rejected because the input list id is not owned by the current account.")
}

/// TagMap holds one tag at least.
fn told(tags: &BTreeMap<String, String>) -> Option<std::collections::HashMap<String, String>> {
    (!tags.is_empty()).then(|| tags.clone().into_iter().collect())
}

/// ListIPSets.
pub(super) fn list_trusted(
    call: &mut Call<'_>,
    input: &ListIpSetsInput,
) -> Result<ListIpSetsOutput, Refusal> {
    let lists = &detector(call, input.detector_id())?.trusted;
    let (ids, next) = ids(lists, input.max_results(), input.next_token())?;
    Ok(ListIpSetsOutput::builder().set_ip_set_ids(Some(ids)).set_next_token(next).build())
}

/// ListThreatIntelSets.
pub(super) fn list_threats(
    call: &mut Call<'_>,
    input: &ListThreatIntelSetsInput,
) -> Result<ListThreatIntelSetsOutput, Refusal> {
    let lists = &detector(call, input.detector_id())?.threats;
    let (ids, next) = ids(lists, input.max_results(), input.next_token())?;
    Ok(ListThreatIntelSetsOutput::builder().set_threat_intel_set_ids(Some(ids)).set_next_token(next).build())
}

/// GetIPSet.
pub(super) fn get_trusted(call: &mut Call<'_>, input: &GetIpSetInput) -> Result<GetIpSetOutput, Refusal> {
    let now = call.now;
    let lists = &detector(call, input.detector_id())?.trusted;
    let list = lists.get(input.ip_set_id().unwrap_or_default()).ok_or_else(not_there)?;
    Ok(GetIpSetOutput::builder()
        .name(&list.name)
        .format(list.format.as_str().into())
        .location(&list.location)
        .status(list.status(now).into())
        .set_tags(told(&list.tags))
        .build())
}

/// GetThreatIntelSet.
pub(super) fn get_threat(
    call: &mut Call<'_>,
    input: &GetThreatIntelSetInput,
) -> Result<GetThreatIntelSetOutput, Refusal> {
    let now = call.now;
    let lists = &detector(call, input.detector_id())?.threats;
    let list = lists.get(input.threat_intel_set_id().unwrap_or_default()).ok_or_else(not_there)?;
    Ok(GetThreatIntelSetOutput::builder()
        .name(&list.name)
        .format(list.format.as_str().into())
        .location(&list.location)
        .status(list.status(now).into())
        .set_tags(told(&list.tags))
        .build())
}

/// CreateIPSet: one in an account and region.
pub(super) fn create_trusted(
    call: &mut Call<'_>,
    input: &CreateIpSetInput,
) -> Result<CreateIpSetOutput, Refusal> {
    no_member(call)?;
    let (now, id) = (call.now, call.state.hex(32));
    let wanted = Wanted {
        name: input.name(),
        format: input.format().map(|format| format.as_str()),
        location: input.location(),
        activate: input.activate(),
        tags: input.tags(),
    };
    add(&mut detector(call, input.detector_id())?.trusted, 1, id.clone(), &wanted, now)?;
    Ok(CreateIpSetOutput::builder().ip_set_id(id).build())
}

/// CreateThreatIntelSet: six in an account and region.
pub(super) fn create_threat(
    call: &mut Call<'_>,
    input: &CreateThreatIntelSetInput,
) -> Result<CreateThreatIntelSetOutput, Refusal> {
    no_member(call)?;
    let (now, id) = (call.now, call.state.hex(32));
    let wanted = Wanted {
        name: input.name(),
        format: input.format().map(|format| format.as_str()),
        location: input.location(),
        activate: input.activate(),
        tags: input.tags(),
    };
    add(&mut detector(call, input.detector_id())?.threats, 6, id.clone(), &wanted, now)?;
    Ok(CreateThreatIntelSetOutput::builder().threat_intel_set_id(id).build())
}

/// UpdateIPSet.
pub(super) fn update_trusted(
    call: &mut Call<'_>,
    input: &UpdateIpSetInput,
) -> Result<UpdateIpSetOutput, Refusal> {
    no_member(call)?;
    let now = call.now;
    let lists = &mut detector(call, input.detector_id())?.trusted;
    let list = lists.get_mut(input.ip_set_id().unwrap_or_default()).ok_or_else(not_there)?;
    list.update(input.name(), input.location(), input.activate(), now)?;
    Ok(UpdateIpSetOutput::builder().build())
}

/// UpdateThreatIntelSet.
pub(super) fn update_threat(
    call: &mut Call<'_>,
    input: &UpdateThreatIntelSetInput,
) -> Result<UpdateThreatIntelSetOutput, Refusal> {
    no_member(call)?;
    let now = call.now;
    let lists = &mut detector(call, input.detector_id())?.threats;
    let list = lists.get_mut(input.threat_intel_set_id().unwrap_or_default()).ok_or_else(not_there)?;
    list.update(input.name(), input.location(), input.activate(), now)?;
    Ok(UpdateThreatIntelSetOutput::builder().build())
}
