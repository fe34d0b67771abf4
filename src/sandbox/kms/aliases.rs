//! Aliases: other names of keys.

use aws_sdk_kms::operation::create_alias::{CreateAliasInput, CreateAliasOutput};
use aws_sdk_kms::operation::list_aliases::{ListAliasesInput, ListAliasesOutput};
use aws_sdk_kms::types::AliasListEntry;

use super::super::operation::{Call, Refusal, date_time, length_within, page};
use super::{Names, bad_marker, invalid, key, key_id, page_size};

/// KMS Developer Guide, "Quotas": aliases per key.
const MOST: usize = 50;

/// CreateAlias: `alias/` and letters, digits, `/`, `_`, `-`; not `alias/aws/`; unique in account and region;
/// the target is a key of the same account and region, not an alias, and not pending deletion.
pub(super) fn create_alias(
    call: &mut Call<'_>,
    input: &CreateAliasInput,
) -> Result<CreateAliasOutput, Refusal> {
    let name =
        input.alias_name().filter(|name| length_within(name, 1, 256)).ok_or_else(|| invalid("aliasName"))?;
    let rest = name.strip_prefix("alias/").unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
    if rest.is_empty() || rest.starts_with("aws/") || !rest.chars().all(fits) {
        return Err(Refusal::new(400, "InvalidAliasNameException", "The alias name is not valid."));
    }
    let id = key_id(call, input.target_key_id(), Names::Key)?;
    key(call, Some(&id), Names::Key)?.not_pending_deletion()?;
    let arn = call.arn("kms", name);
    let kms = &mut call.here().kms;
    if kms.aliases.contains_key(name) {
        return Err(Refusal::new(
            400,
            "AlreadyExistsException",
            format!("An alias with the name {arn} already exists"),
        ));
    }
    if kms.aliases.values().filter(|target| **target == id).count() >= MOST {
        return Err(Refusal::new(400, "LimitExceededException", "A key has at most 50 aliases."));
    }
    kms.aliases.insert(name.to_owned(), id);
    Ok(CreateAliasOutput::builder().build())
}

/// ListAliases: pages of 1–100. AWS lists its own aliases (`alias/aws/…`) even
/// where their keys have never been used; then without a target.
pub(super) fn list_aliases(
    call: &mut Call<'_>,
    input: &ListAliasesInput,
) -> Result<ListAliasesOutput, Refusal> {
    let limit = page_size(input.limit(), 100)?;
    let only = input.key_id().map(|id| key_id(call, Some(id), Names::Key)).transpose()?;
    let now = call.now;
    let kms = &mut call.here().kms;
    kms.expire(now);
    let aliases = kms.aliases.clone();
    let own = ["alias/aws/s3", "alias/aws/ebs"].map(|name| (name.to_owned(), None));
    let mut all: Vec<(String, Option<String>)> =
        own.into_iter().chain(aliases.into_iter().map(|(name, id)| (name, Some(id)))).collect();
    all.retain(|(_, id)| only.is_none() || *id == only);
    all.sort();
    let (aliases, next) = page(&all, input.marker(), limit).ok_or_else(bad_marker)?;
    let entries = aliases.into_iter().map(|(name, id)| {
        AliasListEntry::builder()
            .alias_arn(call.arn("kms", &name))
            .alias_name(name)
            .set_target_key_id(id)
            .creation_date(date_time(call.now))
            .build()
    });
    Ok(ListAliasesOutput::builder()
        .set_aliases(Some(entries.collect()))
        .truncated(next.is_some())
        .set_next_marker(next)
        .build())
}
