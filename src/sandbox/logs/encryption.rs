//! Keys of log groups.

use aws_sdk_cloudwatchlogs::operation::associate_kms_key::{AssociateKmsKeyInput, AssociateKmsKeyOutput};
use aws_sdk_cloudwatchlogs::operation::disassociate_kms_key::{
    DisassociateKmsKeyInput, DisassociateKmsKeyOutput,
};
use aws_sdk_kms::types::KeySpec;

use super::super::operation::{Call, Refusal};
use super::super::policy::{self, Question, Who};
use super::{group, group_name, invalid};

/// CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS": the key is in the group's
/// region, symmetric and enabled, and its policy lets `logs.REGION.amazonaws.com` use it for that group. "If the KMS
/// key does not exist or the KMS key is disabled, you receive an InvalidParameterException" (AssociateKmsKey).
pub(super) fn usable(call: &Call<'_>, key_arn: &str, group: &str) -> Result<(), Refusal> {
    let refused = || {
        invalid(format!(
            "The specified KMS key '{key_arn}' does not exist or is not allowed to be used with '{group}'."
        ))
    };
    let parts: Vec<&str> = key_arn.splitn(6, ':').collect();
    let ["arn", "aws", "kms", region, owner, resource] = parts[..] else { return Err(refused()) };
    let id = resource.strip_prefix("key/").ok_or_else(refused)?;
    let key = call
        .state
        .accounts
        .get(owner)
        .and_then(|account| account.regions.get(region))
        .and_then(|there| there.kms.keys.get(id))
        .filter(|key| region == call.region && key.enabled && key.spec == KeySpec::SymmetricDefault)
        .ok_or_else(refused)?;
    let service = format!("logs.{region}.amazonaws.com");
    let of = call.arn("logs", format!("log-group:{group}"));
    let context = [("kms:encryptioncontext:aws:logs:arn", of.as_str())];
    let may = |action| {
        let question = Question { who: Who::Service(&service), action, resource: key_arn, context: &context };
        policy::allows(&key.policy, &question)
    };
    if ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"].into_iter().all(may) {
        Ok(())
    } else {
        Err(refused())
    }
}

/// The group that is named; query results, the other thing that keys are for, are not in this world.
fn named<'i>(name: Option<&'i str>, resource: Option<&str>) -> Result<&'i str, Refusal> {
    match resource {
        Some(_) => Err(invalid("This world encrypts log groups by name, and nothing else.")),
        None => group_name(name),
    }
}

/// AssociateKmsKey: overrides whatever key the group had.
pub(super) fn associate_kms_key(
    call: &mut Call<'_>,
    input: &AssociateKmsKeyInput,
) -> Result<AssociateKmsKeyOutput, Refusal> {
    let name = named(input.log_group_name(), input.resource_identifier())?;
    let key =
        input.kms_key_id().filter(|key| key.len() <= 256).ok_or_else(|| invalid("kmsKeyId is missing"))?;
    group(call, Some(name))?;
    usable(call, key, name)?;
    group(call, Some(name))?.key_arn = Some(key.to_owned());
    Ok(AssociateKmsKeyOutput::builder().build())
}

/// DisassociateKmsKey.
pub(super) fn disassociate_kms_key(
    call: &mut Call<'_>,
    input: &DisassociateKmsKeyInput,
) -> Result<DisassociateKmsKeyOutput, Refusal> {
    let name = named(input.log_group_name(), input.resource_identifier())?;
    group(call, Some(name))?.key_arn = None;
    Ok(DisassociateKmsKeyOutput::builder().build())
}
