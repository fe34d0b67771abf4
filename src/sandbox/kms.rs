//! AWS KMS: customer managed keys and their aliases.
//!
//! Source: AWS KMS API Reference, the operation named at each handler.

mod tags;

use std::collections::BTreeMap;

use aws_sdk_kms::operation::create_alias::{CreateAliasInput, CreateAliasOutput};
use aws_sdk_kms::operation::create_key::{CreateKeyInput, CreateKeyOutput};
use aws_sdk_kms::operation::describe_key::{DescribeKeyInput, DescribeKeyOutput};
use aws_sdk_kms::operation::enable_key_rotation::{EnableKeyRotationInput, EnableKeyRotationOutput};
use aws_sdk_kms::operation::get_key_policy::{GetKeyPolicyInput, GetKeyPolicyOutput};
use aws_sdk_kms::operation::get_key_rotation_status::{
    GetKeyRotationStatusInput, GetKeyRotationStatusOutput,
};
use aws_sdk_kms::operation::list_aliases::{ListAliasesInput, ListAliasesOutput};
use aws_sdk_kms::operation::list_keys::{ListKeysInput, ListKeysOutput};
use aws_sdk_kms::operation::put_key_policy::{PutKeyPolicyInput, PutKeyPolicyOutput};
use aws_sdk_kms::types::{
    AliasListEntry, EncryptionAlgorithmSpec, KeyListEntry, KeyManagerType, KeyMetadata, KeySpec, KeyState,
    KeyUsageType, OriginType, Tag,
};
use jiff::Timestamp;

use super::operation::{
    Call, Operations, Protocol, Refusal, Service, complete, date_time, length_within, page,
};
use super::policy;

static SERVICE: Service = Service {
    id: "KMS",
    prefix: "kms",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("KMSInternalException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("CreateKey", create_key)
        .on("CreateAlias", create_alias)
        .on("DescribeKey", describe_key)
        .on("ListAliases", list_aliases)
        .on("ListKeys", list_keys)
        .on("GetKeyPolicy", get_key_policy)
        .on("PutKeyPolicy", put_key_policy)
        .on("EnableKeyRotation", enable_key_rotation)
        .on("GetKeyRotationStatus", get_key_rotation_status)
        .on("TagResource", tags::tag_resource)
        .on("ListResourceTags", tags::list_resource_tags)
}

/// The keys of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Kms {
    /// By key id.
    pub keys: BTreeMap<String, Key>,
    /// Alias (`alias/…`) to key id.
    pub aliases: BTreeMap<String, String>,
}

/// A symmetric key made by KMS, the only kind here.
#[derive(Clone, Debug)]
pub struct Key {
    pub description: String,
    pub enabled: bool,
    pub policy: String,
    /// Days between rotations, where rotation is on.
    pub rotation: Option<i32>,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(
        400,
        "ValidationException",
        format!("1 validation error detected: Value at '{what}' failed to satisfy constraint"),
    )
}

fn missing(what: &str) -> Refusal {
    Refusal::new(400, "NotFoundException", format!("{what} is not found."))
}

/// Which names of a key an operation takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Key id or key ARN.
    Key,
    /// An alias or its ARN too.
    KeyOrAlias,
}

/// The key that a request names. A key of another account or region is not found: nothing here is shared.
fn key_id(call: &mut Call<'_>, given: Option<&str>, names: Names) -> Result<String, Refusal> {
    let given = given.filter(|id| length_within(id, 1, 2048)).ok_or_else(|| invalid("keyId"))?.to_owned();
    let own = call.arn("kms", "");
    if given.starts_with("arn:") && !given.starts_with(&own) {
        return Err(missing(&format!("Key '{given}'")));
    }
    let name = given.strip_prefix(&own).unwrap_or(&given);
    if name.starts_with("alias/") && names == Names::Key {
        return Err(Refusal::new(400, "InvalidArnException", format!("Invalid keyId '{given}'")));
    }
    let kms = &call.here().kms;
    let id = match name.starts_with("alias/") {
        true => kms.aliases.get(name).cloned(),
        false => Some(name.strip_prefix("key/").unwrap_or(name).to_owned()),
    };
    id.filter(|id| kms.keys.contains_key(id)).ok_or_else(|| {
        let kind = if name.starts_with("alias/") { "Alias" } else { "Key" };
        missing(&format!(
            "{kind} '{}'",
            if given.starts_with("arn:") { given.clone() } else { format!("{own}{name}") }
        ))
    })
}

fn key<'c>(call: &'c mut Call<'_>, given: Option<&str>, names: Names) -> Result<&'c mut Key, Refusal> {
    let id = key_id(call, given, names)?;
    let kms = &mut call.here().kms;
    kms.keys.get_mut(&id).ok_or_else(|| missing(&format!("Key '{id}'")))
}

fn metadata(call: &mut Call<'_>, id: &str) -> Result<KeyMetadata, Refusal> {
    let account = call.caller.account.clone();
    let arn = call.arn("kms", format!("key/{id}"));
    let key = key(call, Some(id), Names::Key)?;
    let built = KeyMetadata::builder()
        .aws_account_id(account)
        .key_id(id)
        .arn(arn)
        .creation_date(date_time(key.created))
        .enabled(key.enabled)
        .description(&key.description)
        .key_usage(KeyUsageType::EncryptDecrypt)
        .key_state(if key.enabled { KeyState::Enabled } else { KeyState::Disabled })
        .origin(OriginType::AwsKms)
        .key_manager(KeyManagerType::Customer)
        .key_spec(KeySpec::SymmetricDefault)
        .encryption_algorithms(EncryptionAlgorithmSpec::SymmetricDefault)
        .multi_region(false);
    complete(built.build())
}

/// What a key's policy must at least be: a policy that still lets the account itself manage it, unless the
/// check is bypassed ("the key policy must allow the calling principal to make a subsequent PutKeyPolicy
/// request").
fn key_policy(call: &Call<'_>, text: &str, bypass: bool) -> Result<(), Refusal> {
    let malformed = |why: &str| Refusal::new(400, "MalformedPolicyDocumentException", why);
    if !length_within(text, 1, 32768) || !policy::well_formed(text, true) {
        return Err(malformed("Policy contains invalid json or lacks required elements"));
    }
    let arn = call.caller.policy_arn();
    let question = policy::Question {
        who: policy::Who::Aws { account: &call.caller.account, arn: &arn },
        action: "kms:PutKeyPolicy",
        resource: "",
        context: &[],
    };
    if bypass || policy::allows(text, &question) {
        Ok(())
    } else {
        Err(malformed("The new key policy will not allow you to update the key policy in the future."))
    }
}

fn tags_of(wanted: &[Tag]) -> Result<BTreeMap<String, String>, Refusal> {
    let fits = |tag: &Tag| {
        length_within(tag.tag_key(), 1, 128)
            && length_within(tag.tag_value(), 0, 256)
            && !tag.tag_key().starts_with("aws:")
    };
    if wanted.len() > 50 || !wanted.iter().all(fits) {
        return Err(Refusal::new(400, "TagException", "One or more tags are not valid."));
    }
    Ok(wanted.iter().map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())).collect())
}

/// CreateKey: symmetric keys only. There is no client token: the same request twice makes two keys. Without a
/// policy the key gets the default one, which lets the account's IAM policies decide.
fn create_key(call: &mut Call<'_>, input: &CreateKeyInput) -> Result<CreateKeyOutput, Refusal> {
    let symmetric = input.key_spec().is_none_or(|spec| *spec == KeySpec::SymmetricDefault)
        && input.key_usage().is_none_or(|usage| *usage == KeyUsageType::EncryptDecrypt)
        && input.origin().is_none_or(|origin| *origin == OriginType::AwsKms)
        && input.multi_region() != Some(true)
        && input.custom_key_store_id().is_none();
    if !symmetric {
        return Err(Refusal::new(
            400,
            "UnsupportedOperationException",
            "This world has symmetric keys of one region, made by KMS, and no others.",
        ));
    }
    if input.description().is_some_and(|text| !length_within(text, 0, 8192)) {
        return Err(invalid("description"));
    }
    if let Some(text) = input.policy() {
        key_policy(call, text, input.bypass_policy_lockout_safety_check() == Some(true))?;
    }
    let made = Key {
        description: input.description().unwrap_or_default().to_owned(),
        enabled: true,
        policy: input.policy().map_or_else(|| default_policy(&call.caller.account), str::to_owned),
        rotation: None,
        tags: tags_of(input.tags())?,
        created: call.now,
    };
    let id = call.state.uuid();
    call.here().kms.keys.insert(id.clone(), made);
    Ok(CreateKeyOutput::builder().key_metadata(metadata(call, &id)?).build())
}

/// KMS Developer Guide, "Default key policy".
fn default_policy(account: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    .to_string()
}

/// CreateAlias: `alias/` and letters, digits, `/`, `_`, `-`; not `alias/aws/`; unique in account and region;
/// the target is a key of the same account and region, not an alias.
fn create_alias(call: &mut Call<'_>, input: &CreateAliasInput) -> Result<CreateAliasOutput, Refusal> {
    let name =
        input.alias_name().filter(|name| length_within(name, 1, 256)).ok_or_else(|| invalid("aliasName"))?;
    let rest = name.strip_prefix("alias/").unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
    if rest.is_empty() || rest.starts_with("aws/") || !rest.chars().all(fits) {
        return Err(Refusal::new(400, "InvalidAliasNameException", "The alias name is not valid."));
    }
    let id = key_id(call, input.target_key_id(), Names::Key)?;
    let arn = call.arn("kms", name);
    let kms = &mut call.here().kms;
    if kms.aliases.contains_key(name) {
        return Err(Refusal::new(
            400,
            "AlreadyExistsException",
            format!("An alias with the name {arn} already exists"),
        ));
    }
    kms.aliases.insert(name.to_owned(), id);
    Ok(CreateAliasOutput::builder().build())
}

/// DescribeKey: by id, ARN, alias or alias ARN.
fn describe_key(call: &mut Call<'_>, input: &DescribeKeyInput) -> Result<DescribeKeyOutput, Refusal> {
    let id = key_id(call, input.key_id(), Names::KeyOrAlias)?;
    Ok(DescribeKeyOutput::builder().key_metadata(metadata(call, &id)?).build())
}

/// How many aliases a page has; AWS gives 50 when nobody says how many.
const ALIASES_A_PAGE: usize = 3;

/// ListAliases: pages of 1–100, and "KMS might return fewer". AWS lists its own aliases (`alias/aws/…`) even
/// where their keys have never been used; then without a target.
fn list_aliases(call: &mut Call<'_>, input: &ListAliasesInput) -> Result<ListAliasesOutput, Refusal> {
    let limit = match input.limit() {
        None => ALIASES_A_PAGE,
        Some(limit @ 1..=100) => usize::try_from(limit).unwrap_or(ALIASES_A_PAGE).min(ALIASES_A_PAGE),
        Some(_) => return Err(invalid("limit")),
    };
    let only = input.key_id().map(|id| key_id(call, Some(id), Names::Key)).transpose()?;
    let aliases = call.here().kms.aliases.clone();
    let own = ["alias/aws/s3", "alias/aws/ebs"].map(|name| (name.to_owned(), None));
    let mut all: Vec<(String, Option<String>)> =
        own.into_iter().chain(aliases.into_iter().map(|(name, id)| (name, Some(id)))).collect();
    all.retain(|(_, id)| only.is_none() || *id == only);
    all.sort();
    let (aliases, next) = page(&all, input.marker(), limit)
        .ok_or_else(|| Refusal::new(400, "InvalidMarkerException", "The marker is not valid."))?;
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

/// ListKeys: pages of 1–1000, and "KMS might return fewer".
fn list_keys(call: &mut Call<'_>, input: &ListKeysInput) -> Result<ListKeysOutput, Refusal> {
    let limit = match input.limit() {
        None => ALIASES_A_PAGE,
        Some(limit @ 1..=1000) => usize::try_from(limit).unwrap_or(ALIASES_A_PAGE).min(ALIASES_A_PAGE),
        Some(_) => return Err(invalid("limit")),
    };
    let ids: Vec<String> = call.here().kms.keys.keys().cloned().collect();
    let (ids, next) = page(&ids, input.marker(), limit)
        .ok_or_else(|| Refusal::new(400, "InvalidMarkerException", "The marker is not valid."))?;
    let entries = ids.into_iter().map(|id| {
        let arn = call.arn("kms", format!("key/{id}"));
        KeyListEntry::builder().key_id(id).key_arn(arn).build()
    });
    Ok(ListKeysOutput::builder()
        .set_keys(Some(entries.collect()))
        .truncated(next.is_some())
        .set_next_marker(next)
        .build())
}

/// GetKeyPolicy: key id or ARN; the only policy is called `default`.
fn get_key_policy(call: &mut Call<'_>, input: &GetKeyPolicyInput) -> Result<GetKeyPolicyOutput, Refusal> {
    named_default(input.policy_name())?;
    let policy = key(call, input.key_id(), Names::Key)?.policy.clone();
    Ok(GetKeyPolicyOutput::builder().policy(policy).policy_name("default").build())
}

fn named_default(name: Option<&str>) -> Result<(), Refusal> {
    match name {
        None | Some("default") => Ok(()),
        Some(_) => Err(missing("The policy")),
    }
}

/// PutKeyPolicy: replaces the policy.
fn put_key_policy(call: &mut Call<'_>, input: &PutKeyPolicyInput) -> Result<PutKeyPolicyOutput, Refusal> {
    named_default(input.policy_name())?;
    let text = input.policy().ok_or_else(|| invalid("policy"))?;
    key(call, input.key_id(), Names::Key)?;
    key_policy(call, text, input.bypass_policy_lockout_safety_check() == Some(true))?;
    key(call, input.key_id(), Names::Key)?.policy = text.to_owned();
    Ok(PutKeyPolicyOutput::builder().build())
}

/// EnableKeyRotation: 90–2560 days, 365 when not said; a disabled key is refused.
fn enable_key_rotation(
    call: &mut Call<'_>,
    input: &EnableKeyRotationInput,
) -> Result<EnableKeyRotationOutput, Refusal> {
    let days = input.rotation_period_in_days().unwrap_or(365);
    if !(90..=2560).contains(&days) {
        return Err(invalid("rotationPeriodInDays"));
    }
    let key = key(call, input.key_id(), Names::Key)?;
    if !key.enabled {
        return Err(Refusal::new(400, "DisabledException", "The key is disabled."));
    }
    key.rotation = Some(days);
    Ok(EnableKeyRotationOutput::builder().build())
}

/// GetKeyRotationStatus: the period stands there only where rotation is on.
fn get_key_rotation_status(
    call: &mut Call<'_>,
    input: &GetKeyRotationStatusInput,
) -> Result<GetKeyRotationStatusOutput, Refusal> {
    let id = key_id(call, input.key_id(), Names::Key)?;
    let rotation = key(call, Some(&id), Names::Key)?.rotation;
    Ok(GetKeyRotationStatusOutput::builder()
        .key_rotation_enabled(rotation.is_some())
        .set_rotation_period_in_days(rotation)
        .set_key_id(rotation.map(|_| id))
        .build())
}
