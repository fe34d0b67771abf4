//! Keys: made, described, listed, and brought back.

use aws_sdk_kms::operation::cancel_key_deletion::{CancelKeyDeletionInput, CancelKeyDeletionOutput};
use aws_sdk_kms::operation::create_key::{CreateKeyInput, CreateKeyOutput};
use aws_sdk_kms::operation::describe_key::{DescribeKeyInput, DescribeKeyOutput};
use aws_sdk_kms::operation::enable_key::{EnableKeyInput, EnableKeyOutput};
use aws_sdk_kms::operation::list_keys::{ListKeysInput, ListKeysOutput};
use aws_sdk_kms::operation::update_key_description::{UpdateKeyDescriptionInput, UpdateKeyDescriptionOutput};
use aws_sdk_kms::types::{
    EncryptionAlgorithmSpec, KeyListEntry, KeyManagerType, KeyMetadata, KeySpec, KeyUsageType, OriginType,
};

use super::super::operation::{Call, Refusal, complete, date_time, length_within, page};
use super::{Key, Names, bad_marker, invalid, key, key_id, key_policy, page_size, signatures, tags};

fn metadata(call: &mut Call<'_>, id: &str) -> Result<KeyMetadata, Refusal> {
    let account = call.caller.account.clone();
    let arn = call.arn("kms", format!("key/{id}"));
    let key = key(call, Some(id), Names::Key)?;
    let symmetric = key.spec == KeySpec::SymmetricDefault;
    let built = KeyMetadata::builder()
        .aws_account_id(account)
        .key_id(id)
        .arn(arn)
        .creation_date(date_time(key.created))
        .enabled(key.enabled)
        .description(&key.description)
        .key_usage(if symmetric { KeyUsageType::EncryptDecrypt } else { KeyUsageType::SignVerify })
        .key_state(key.state())
        .set_deletion_date(key.deletion.map(date_time))
        .origin(key.origin.clone())
        .key_manager(KeyManagerType::Customer)
        .key_spec(key.spec.clone())
        .set_signing_algorithms((!symmetric).then(|| signatures::algorithms(&key.spec)))
        .set_encryption_algorithms(symmetric.then(|| vec![EncryptionAlgorithmSpec::SymmetricDefault]))
        .multi_region(false);
    complete(built.build())
}

/// The length of a description in the model.
fn description(text: &str) -> Result<(), Refusal> {
    if length_within(text, 0, 8192) { Ok(()) } else { Err(invalid("description")) }
}

/// CreateKey: symmetric keys only. There is no client token: the same request twice makes two keys. Without a
/// policy the key gets the default one, which lets the account's IAM policies decide.
pub(super) fn create_key(call: &mut Call<'_>, input: &CreateKeyInput) -> Result<CreateKeyOutput, Refusal> {
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
    description(input.description().unwrap_or_default())?;
    let policy = match input.policy() {
        Some(text) => key_policy::taken(call, text, input.bypass_policy_lockout_safety_check())?,
        None => key_policy::default(&call.caller.account),
    };
    let made = Key {
        description: input.description().unwrap_or_default().to_owned(),
        enabled: true,
        deletion: None,
        policy,
        rotation: None,
        tags: tags::tags_of(input.tags())?,
        created: call.now,
        spec: KeySpec::SymmetricDefault,
        origin: OriginType::AwsKms,
    };
    let id = call.state.uuid();
    call.here().kms.keys.insert(id.clone(), made);
    Ok(CreateKeyOutput::builder().key_metadata(metadata(call, &id)?).build())
}

/// DescribeKey: by id, ARN, alias or alias ARN.
pub(super) fn describe_key(
    call: &mut Call<'_>,
    input: &DescribeKeyInput,
) -> Result<DescribeKeyOutput, Refusal> {
    let id = key_id(call, input.key_id(), Names::KeyOrAlias)?;
    Ok(DescribeKeyOutput::builder().key_metadata(metadata(call, &id)?).build())
}

/// ListKeys: pages of 1–1000.
pub(super) fn list_keys(call: &mut Call<'_>, input: &ListKeysInput) -> Result<ListKeysOutput, Refusal> {
    let limit = page_size(input.limit(), 1000)?;
    let now = call.now;
    let kms = &mut call.here().kms;
    kms.expire(now);
    let ids: Vec<String> = kms.keys.keys().cloned().collect();
    let (ids, next) = page(&ids, input.marker(), limit).ok_or_else(bad_marker)?;
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

/// EnableKey: not while the key is pending deletion.
pub(super) fn enable_key(call: &mut Call<'_>, input: &EnableKeyInput) -> Result<EnableKeyOutput, Refusal> {
    let key = key(call, input.key_id(), Names::Key)?;
    key.not_pending_deletion()?;
    key.enabled = true;
    Ok(EnableKeyOutput::builder().build())
}

/// CancelKeyDeletion: only while the key is pending deletion; it is disabled then.
pub(super) fn cancel_key_deletion(
    call: &mut Call<'_>,
    input: &CancelKeyDeletionInput,
) -> Result<CancelKeyDeletionOutput, Refusal> {
    let id = key_id(call, input.key_id(), Names::Key)?;
    let arn = call.arn("kms", format!("key/{id}"));
    let key = key(call, Some(&id), Names::Key)?;
    if key.deletion.take().is_none() {
        let message = format!("{arn} is not pending deletion.");
        return Err(Refusal::new(400, "KMSInvalidStateException", message));
    }
    Ok(CancelKeyDeletionOutput::builder().key_id(arn).build())
}

/// UpdateKeyDescription: not while the key is pending deletion.
pub(super) fn update_key_description(
    call: &mut Call<'_>,
    input: &UpdateKeyDescriptionInput,
) -> Result<UpdateKeyDescriptionOutput, Refusal> {
    let text = input.description().ok_or_else(|| invalid("description"))?;
    description(text)?;
    let key = key(call, input.key_id(), Names::Key)?;
    key.not_pending_deletion()?;
    key.description = text.to_owned();
    Ok(UpdateKeyDescriptionOutput::builder().build())
}
