//! Key policies: what they must at least say, and how they are kept.

use aws_sdk_kms::operation::get_key_policy::{GetKeyPolicyInput, GetKeyPolicyOutput};
use aws_sdk_kms::operation::put_key_policy::{PutKeyPolicyInput, PutKeyPolicyOutput};
use serde_json::{Value, json};

use super::super::operation::{Call, Refusal};
use super::super::policy;
use super::{Names, invalid, key, missing};

/// KMS Developer Guide, "Quotas": the size of a key policy document in bytes.
const MOST: usize = 32768;

/// A policy that KMS takes, as it keeps it: well formed, of the characters and the size that PutKeyPolicy
/// lists, with principals that exist, and, unless the check is bypassed, one that allows "the calling
/// principal to make a subsequent PutKeyPolicy request".
pub(super) fn taken(call: &Call<'_>, text: &str, bypass: Option<bool>) -> Result<String, Refusal> {
    let malformed = |why: &str| Refusal::new(400, "MalformedPolicyDocumentException", why);
    if text.len() > MOST {
        return Err(Refusal::new(400, "LimitExceededException", "The key policy exceeds 32768 bytes."));
    }
    let printable = |c: char| matches!(c, '\u{9}' | '\u{a}' | '\u{d}' | '\u{20}'..='\u{ff}');
    if text.is_empty() || !text.chars().all(printable) || !policy::well_formed(text, true) {
        return Err(malformed("Policy contains invalid json or lacks required elements"));
    }
    let mut document: Value = serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
    let statements = match &mut document["Statement"] {
        Value::Array(list) => list.iter_mut().collect(),
        one => vec![one],
    };
    for statement in statements {
        if let Some(names) = statement.pointer_mut("/Principal/AWS") {
            kept_principals(call, names).ok_or_else(|| {
                malformed("Policy contains a statement with one or more invalid principals.")
            })?;
        }
    }
    let kept = document.to_string();
    let arn = call.caller.policy_arn();
    let question = policy::Question {
        who: policy::Who::Aws { account: &call.caller.account, arn: &arn },
        action: "kms:PutKeyPolicy",
        resource: "",
        context: &[("aws:principalarn", &arn)],
    };
    if bypass == Some(true) || policy::allows(&kept, &question) {
        Ok(kept)
    } else {
        Err(malformed("The new key policy will not allow you to update the key policy in the future."))
    }
}

/// Accounts must exist, and are kept as the ARN of their root (IAM User Guide, "AWS account principals").
fn kept_principals(call: &Call<'_>, names: &mut Value) -> Option<()> {
    let names = match names {
        Value::Array(list) => list.iter_mut().collect(),
        one => vec![one],
    };
    for name in names {
        let text = name.as_str()?.to_owned();
        let account = match text.as_str() {
            "*" => continue,
            arn if arn.starts_with("arn:aws:iam::") => arn.split(':').nth(4)?,
            id => id,
        };
        call.state.accounts.get(account)?;
        if text == account {
            *name = json!(format!("arn:aws:iam::{account}:root"));
        }
    }
    Some(())
}

/// KMS Developer Guide, "Default key policy".
pub(super) fn default(account: &str) -> String {
    json!({
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

/// GetKeyPolicy: key id or ARN; the only policy is called `default`.
pub(super) fn get_key_policy(
    call: &mut Call<'_>,
    input: &GetKeyPolicyInput,
) -> Result<GetKeyPolicyOutput, Refusal> {
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

/// PutKeyPolicy: replaces the policy, in every state.
pub(super) fn put_key_policy(
    call: &mut Call<'_>,
    input: &PutKeyPolicyInput,
) -> Result<PutKeyPolicyOutput, Refusal> {
    named_default(input.policy_name())?;
    let text = input.policy().ok_or_else(|| invalid("policy"))?;
    key(call, input.key_id(), Names::Key)?;
    let kept = taken(call, text, input.bypass_policy_lockout_safety_check())?;
    key(call, input.key_id(), Names::Key)?.policy = kept;
    Ok(PutKeyPolicyOutput::builder().build())
}
