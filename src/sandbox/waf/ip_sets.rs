//! IP sets.

use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_wafv2::operation::create_ip_set::{CreateIpSetInput, CreateIpSetOutput};
use aws_sdk_wafv2::operation::get_ip_set::{GetIpSetInput, GetIpSetOutput};
use aws_sdk_wafv2::operation::list_ip_sets::{ListIpSetsInput, ListIpSetsOutput};
use aws_sdk_wafv2::operation::update_ip_set::{UpdateIpSetInput, UpdateIpSetOutput};
use aws_sdk_wafv2::types::{IpAddressVersion, IpSet, IpSetSummary};

use super::super::operation::{Call, Refusal, complete};
use super::{
    Addresses, arn, description, duplicate, entity_name, invalid, nonexistent, outdated, page_after, scope,
    tags,
};

/// How long after its making a set is not known everywhere (API reference, WAFUnavailableEntityException: "from a
/// few seconds to a number of minutes").
pub const PROPAGATION: Duration = Duration::from_secs(5);

/// API reference, ListIPSets.
pub(super) fn list(call: &mut Call<'_>, input: &ListIpSetsInput) -> Result<ListIpSetsOutput, Refusal> {
    let scope = scope(call, input.scope())?;
    let told: Vec<(String, IpSetSummary)> = call
        .here()
        .waf
        .sets(&scope)
        .iter()
        .map(|(name, one)| {
            let summary = IpSetSummary::builder()
                .name(name)
                .id(&one.set.id)
                .set_description(one.set.description.clone())
                .lock_token(&one.lock_token)
                .arn(&one.set.arn);
            (name.clone(), summary.build())
        })
        .collect();
    let (page, next) = page_after(&told, input.next_marker(), input.limit())?;
    Ok(ListIpSetsOutput::builder().set_ip_sets(Some(page)).set_next_marker(next).build())
}

/// API reference, GetIPSet: name and id together.
pub(super) fn get(call: &mut Call<'_>, input: &GetIpSetInput) -> Result<GetIpSetOutput, Refusal> {
    let scope = scope(call, input.scope())?;
    let name = entity_name(input.name(), "IP_SET")?;
    let found = call.here().waf.sets(&scope).get(name).filter(|one| Some(one.set.id.as_str()) == input.id());
    let one = found.ok_or_else(nonexistent)?;
    Ok(GetIpSetOutput::builder().ip_set(one.set.clone()).lock_token(&one.lock_token).build())
}

/// API reference, IPSet, `Addresses`: ranges in CIDR notation of the set's version, `/0` excepted, 10,000 at most
/// (AWS WAF quotas). WAF gives IPv6 back in full.
fn addresses(version: &IpAddressVersion, wanted: &[String]) -> Result<Vec<String>, Refusal> {
    if wanted.len() > 10_000 {
        return Err(Refusal::new(
            400,
            "WAFLimitsExceededException",
            "An IP set has 10,000 addresses at most.",
        ));
    }
    let one = |text: &String| {
        let bad = || invalid("IP_ADDRESS", text);
        let (address, bits) = text.split_once('/').ok_or_else(bad)?;
        let bits: u32 = bits.parse().map_err(|_| bad())?;
        match (address.parse::<IpAddr>(), version) {
            (Ok(IpAddr::V4(v4)), IpAddressVersion::Ipv4) if (1..=32).contains(&bits) => {
                // Host bits are refused here; the service takes some of them off.
                let host = u32::MAX.checked_shr(bits).unwrap_or(0);
                if u32::from(v4) & host != 0 { Err(bad()) } else { Ok(format!("{v4}/{bits}")) }
            }
            (Ok(IpAddr::V6(v6)), IpAddressVersion::Ipv6) if (1..=128).contains(&bits) => {
                let host = u128::MAX.checked_shr(bits).unwrap_or(0);
                if u128::from(v6) & host != 0 {
                    return Err(bad());
                }
                let parts: Vec<String> = v6.segments().iter().map(|part| format!("{part:04x}")).collect();
                Ok(format!("{}/{bits}", parts.join(":")))
            }
            _ => Err(bad()),
        }
    };
    wanted.iter().map(one).collect()
}

/// API reference, CreateIPSet: a name is free or taken in its scope.
pub(super) fn create(call: &mut Call<'_>, input: &CreateIpSetInput) -> Result<CreateIpSetOutput, Refusal> {
    let scope = scope(call, input.scope())?;
    let name = entity_name(input.name(), "IP_SET")?;
    description(input.description())?;
    let version = input.ip_address_version().ok_or_else(|| invalid("IP_ADDRESS_VERSION", "none"))?.clone();
    if !IpAddressVersion::values().contains(&version.as_str()) {
        return Err(invalid("IP_ADDRESS_VERSION", version.as_str()));
    }
    let wanted = input.addresses.as_ref().ok_or_else(|| invalid("IP_ADDRESS", "none"))?;
    let addresses = addresses(&version, wanted)?;
    let tags = tags(input.tags.as_deref())?;
    if call.here().waf.sets(&scope).contains_key(name) {
        return Err(duplicate());
    }
    let (id, lock_token) = (call.state.uuid(), call.state.uuid());
    let arn = arn(call, &scope, "ipset", name, &id);
    let set = complete(
        IpSet::builder()
            .name(name)
            .id(&id)
            .arn(&arn)
            .set_description(input.description.clone())
            .ip_address_version(version)
            .set_addresses(Some(addresses))
            .build(),
    )?;
    let summary = IpSetSummary::builder().name(name).id(&id).lock_token(&lock_token).arn(&arn).build();
    let usable = call.now + PROPAGATION;
    call.here().waf.sets(&scope).insert(name.to_owned(), Addresses { set, lock_token, tags, usable });
    Ok(CreateIpSetOutput::builder().summary(summary).build())
}

/// API reference, UpdateIPSet: replaces everything, for whoever shows the token of the last look.
pub(super) fn update(call: &mut Call<'_>, input: &UpdateIpSetInput) -> Result<UpdateIpSetOutput, Refusal> {
    let scope = scope(call, input.scope())?;
    let name = entity_name(input.name(), "IP_SET")?.to_owned();
    description(input.description())?;
    let next = call.state.uuid();
    let found = call.here().waf.sets(&scope).get_mut(&name);
    let one = found.filter(|one| Some(one.set.id.as_str()) == input.id()).ok_or_else(nonexistent)?;
    if input.lock_token() != Some(&one.lock_token) {
        return Err(outdated());
    }
    let wanted = input.addresses.as_ref().ok_or_else(|| invalid("IP_ADDRESS", "none"))?;
    one.set.addresses = addresses(&one.set.ip_address_version, wanted)?;
    one.set.description = input.description.clone();
    one.lock_token = next.clone();
    Ok(UpdateIpSetOutput::builder().next_lock_token(next).build())
}
