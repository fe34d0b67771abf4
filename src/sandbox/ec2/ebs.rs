//! Encryption by default of new volumes, and the key that it takes.

use aws_sdk_ec2::operation::disable_ebs_encryption_by_default::{
    DisableEbsEncryptionByDefaultInput, DisableEbsEncryptionByDefaultOutput,
};
use aws_sdk_ec2::operation::enable_ebs_encryption_by_default::{
    EnableEbsEncryptionByDefaultInput, EnableEbsEncryptionByDefaultOutput,
};
use aws_sdk_ec2::operation::get_ebs_default_kms_key_id::{
    GetEbsDefaultKmsKeyIdInput, GetEbsDefaultKmsKeyIdOutput,
};
use aws_sdk_ec2::operation::get_ebs_encryption_by_default::{
    GetEbsEncryptionByDefaultInput, GetEbsEncryptionByDefaultOutput,
};
use aws_sdk_ec2::operation::modify_ebs_default_kms_key_id::{
    ModifyEbsDefaultKmsKeyIdInput, ModifyEbsDefaultKmsKeyIdOutput,
};
use aws_sdk_ec2::operation::reset_ebs_default_kms_key_id::{
    ResetEbsDefaultKmsKeyIdInput, ResetEbsDefaultKmsKeyIdOutput,
};

use super::super::operation::{Call, Refusal};
use super::missing;

/// The alias of the key that AWS manages for EBS.
const MANAGED: &str = "alias/aws/ebs";

/// GetEbsEncryptionByDefault: of this account in this region.
pub(super) fn get_encryption(
    call: &mut Call<'_>,
    _: &GetEbsEncryptionByDefaultInput,
) -> Result<GetEbsEncryptionByDefaultOutput, Refusal> {
    let on = call.here().ec2.ebs_encryption;
    Ok(GetEbsEncryptionByDefaultOutput::builder().ebs_encryption_by_default(on).build())
}

/// EnableEbsEncryptionByDefault: again changes nothing.
pub(super) fn enable_encryption(
    call: &mut Call<'_>,
    _: &EnableEbsEncryptionByDefaultInput,
) -> Result<EnableEbsEncryptionByDefaultOutput, Refusal> {
    call.here().ec2.ebs_encryption = true;
    Ok(EnableEbsEncryptionByDefaultOutput::builder().ebs_encryption_by_default(true).build())
}

/// DisableEbsEncryptionByDefault: the key that was chosen stays chosen ("Disabling encryption by default does
/// not change the encryption status of your existing volumes").
pub(super) fn disable_encryption(
    call: &mut Call<'_>,
    _: &DisableEbsEncryptionByDefaultInput,
) -> Result<DisableEbsEncryptionByDefaultOutput, Refusal> {
    call.here().ec2.ebs_encryption = false;
    Ok(DisableEbsEncryptionByDefaultOutput::builder().ebs_encryption_by_default(false).build())
}

/// The default key as EC2 tells it: the bare alias of AWS's own key until that key is made, by its first use,
/// and a key ARN otherwise (turbot/steampipe-plugin-aws#1993 shows both in one account).
fn default_key(call: &mut Call<'_>) -> String {
    let here = call.here();
    let id = here.ec2.ebs_key.clone().or_else(|| here.kms.aliases.get(MANAGED).cloned());
    id.map_or_else(|| MANAGED.to_owned(), |id| call.arn("kms", format!("key/{id}")))
}

/// GetEbsDefaultKmsKeyId: also where encryption by default is off.
pub(super) fn get_key(
    call: &mut Call<'_>,
    _: &GetEbsDefaultKmsKeyIdInput,
) -> Result<GetEbsDefaultKmsKeyIdOutput, Refusal> {
    Ok(GetEbsDefaultKmsKeyIdOutput::builder().kms_key_id(default_key(call)).build())
}

/// ModifyEbsDefaultKmsKeyId: key id, alias, or the ARN of either. AWS "authenticates the KMS key asynchronously.
/// Therefore, if you specify an ID, alias, or ARN that is not valid, the action can appear to complete, but
/// eventually fails": a key that is not there, or not enabled, is answered like another and changes nothing.
pub(super) fn modify_key(
    call: &mut Call<'_>,
    input: &ModifyEbsDefaultKmsKeyIdInput,
) -> Result<ModifyEbsDefaultKmsKeyIdOutput, Refusal> {
    let given = input.kms_key_id().filter(|id| !id.is_empty()).ok_or_else(|| missing("KmsKeyId"))?;
    let own = call.arn("kms", "");
    let name = given.strip_prefix(&own).unwrap_or(given);
    let here = call.here();
    let id = match name.starts_with("alias/") {
        true => here.kms.aliases.get(name).map_or(name, String::as_str),
        false => name.strip_prefix("key/").unwrap_or(name),
    };
    if here.kms.keys.get(id).is_some_and(|key| key.enabled) {
        here.ec2.ebs_key = Some(id.to_owned());
    }
    Ok(ModifyEbsDefaultKmsKeyIdOutput::builder().kms_key_id(given).build())
}

/// ResetEbsDefaultKmsKeyId: to the key that AWS manages.
pub(super) fn reset_key(
    call: &mut Call<'_>,
    _: &ResetEbsDefaultKmsKeyIdInput,
) -> Result<ResetEbsDefaultKmsKeyIdOutput, Refusal> {
    call.here().ec2.ebs_key = None;
    Ok(ResetEbsDefaultKmsKeyIdOutput::builder().kms_key_id(default_key(call)).build())
}
