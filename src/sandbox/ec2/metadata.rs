//! Defaults of the instance metadata service.

use aws_sdk_ec2::operation::get_instance_metadata_defaults::{
    GetInstanceMetadataDefaultsInput, GetInstanceMetadataDefaultsOutput,
};
use aws_sdk_ec2::operation::modify_instance_metadata_defaults::{
    ModifyInstanceMetadataDefaultsInput, ModifyInstanceMetadataDefaultsOutput,
};
use aws_sdk_ec2::types::{
    HttpTokensEnforcedState, HttpTokensState, InstanceMetadataDefaultsResponse,
    InstanceMetadataEndpointState, InstanceMetadataTagsState,
};

use super::super::operation::{Call, Refusal};
use super::{Attribute, invalid};

/// What new instances get where neither launch nor image says otherwise; `None` is no preference.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    pub tokens: Option<HttpTokensState>,
    pub hop_limit: Option<i32>,
    pub endpoint: Option<InstanceMetadataEndpointState>,
    pub tags: Option<InstanceMetadataTagsState>,
    pub tokens_enforced: Option<HttpTokensEnforcedState>,
    /// What a declarative policy says to whoever is refused.
    pub exception_message: Option<String>,
}

/// GetInstanceMetadataDefaults: what has no preference is left out.
pub(super) fn get(
    call: &mut Call<'_>,
    _: &GetInstanceMetadataDefaultsInput,
) -> Result<GetInstanceMetadataDefaultsOutput, Refusal> {
    let ec2 = &call.here().ec2;
    let managed_by = ec2.managed_by(Attribute::InstanceMetadata);
    let live = ec2.metadata.clone();
    let level = InstanceMetadataDefaultsResponse::builder()
        .set_http_tokens(live.tokens)
        .set_http_put_response_hop_limit(live.hop_limit)
        .set_http_endpoint(live.endpoint)
        .set_instance_metadata_tags(live.tags)
        .set_http_tokens_enforced(live.tokens_enforced)
        .set_managed_exception_message(live.exception_message)
        .managed_by(managed_by)
        .build();
    Ok(GetInstanceMetadataDefaultsOutput::builder().account_level(level).build())
}

/// A word of the request put in the place of what was there; `no-preference` takes it out.
fn put<T: for<'w> From<&'w str>>(
    live: &mut Option<T>,
    word: Option<&str>,
    known: &[&str],
    parameter: &str,
) -> Result<(), Refusal> {
    match word {
        None => {}
        Some("no-preference") => *live = None,
        Some(word) if known.contains(&word) => *live = Some(T::from(word)),
        Some(word) => return Err(invalid(word, parameter)),
    }
    Ok(())
}

/// ModifyInstanceMetadataDefaults: what is left out stays ("To remove a parameter's account-level default
/// setting, specify no-preference"); hops from 1 to 64, and -1 for no preference. A request that is wrong in one
/// part changes nothing.
pub(super) fn modify(
    call: &mut Call<'_>,
    input: &ModifyInstanceMetadataDefaultsInput,
) -> Result<ModifyInstanceMetadataDefaultsOutput, Refusal> {
    let ec2 = &mut call.here().ec2;
    ec2.modifiable(Attribute::InstanceMetadata)?;
    let mut next = ec2.metadata.clone();
    let switch = ["enabled", "disabled"];
    let tokens = input.http_tokens().map(|word| word.as_str());
    put(&mut next.tokens, tokens, &["optional", "required"], "HttpTokens")?;
    let endpoint = input.http_endpoint().map(|word| word.as_str());
    put(&mut next.endpoint, endpoint, &switch, "HttpEndpoint")?;
    let tags = input.instance_metadata_tags().map(|word| word.as_str());
    put(&mut next.tags, tags, &switch, "InstanceMetadataTags")?;
    let enforced = input.http_tokens_enforced().map(|word| word.as_str());
    put(&mut next.tokens_enforced, enforced, &switch, "HttpTokensEnforced")?;
    match input.http_put_response_hop_limit() {
        None => {}
        Some(-1) => next.hop_limit = None,
        Some(hops @ 1..=64) => next.hop_limit = Some(hops),
        Some(hops) => return Err(invalid(&hops.to_string(), "HttpPutResponseHopLimit")),
    }
    ec2.metadata = next;
    Ok(ModifyInstanceMetadataDefaultsOutput::builder().r#return(true).build())
}
