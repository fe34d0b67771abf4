//! Who vouches for a saved plan: its digest, signed by an asymmetric KMS key.
//!
//! The digest that a review shows tells one file from another. A signature tells who made it, where no review stands
//! between: the runner that plans may use the key to sign, the one that applies only to verify.

use aws_sdk_kms::operation::verify::VerifyError;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use aws_smithy_types::{Blob, base64};
use serde::{Deserialize, Serialize};

use crate::aws::{Aws, Reader, fault};
use crate::fault::{Fault, FaultKind};
use crate::place::Region;

/// A signature over the digest of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signature {
    /// The ARN of the key that signed. Told to people; which key is trusted is for whoever verifies to say.
    pub key: String,
    /// As KMS spells it: `ECDSA_SHA_256`.
    pub algorithm: String,
    /// Base64.
    pub value: String,
}

/// What is signed: nothing else that a key of ours may sign looks like it.
fn message(digest: &str) -> Blob {
    Blob::new(format!("baseline plan {digest}"))
}

/// Signs a digest with the caller's own credentials. `key` is what KMS takes: an id, an alias, or the ARN of one.
///
/// # Errors
///
/// When KMS refuses, or the key is not one that signs.
pub async fn sign(aws: &Aws, home: &Region, key: &str, digest: &str) -> Result<Signature, Fault> {
    let reader = at(aws, home, key);
    let kms = reader.kms();
    let signed = async {
        let described = kms.describe_key().key_id(key).send().await.map_err(fault("kms:DescribeKey"))?;
        let offered = described.key_metadata.and_then(|metadata| metadata.signing_algorithms);
        let algorithm = best(offered.unwrap_or_default()).ok_or_else(|| {
            Fault::local(FaultKind::Invalid, "kms:Sign", format!("{key} is not a key that signs"))
        })?;
        let call = kms
            .sign()
            .key_id(key)
            .message(message(digest))
            .message_type(MessageType::Raw)
            .signing_algorithm(algorithm.clone());
        let answer = call.send().await.map_err(fault("kms:Sign"))?;
        let missing = || Fault::local(FaultKind::Invalid, "kms:Sign", "the answer has no signature");
        Ok(Signature {
            key: answer.key_id.ok_or_else(missing)?,
            algorithm: algorithm.as_str().to_owned(),
            value: base64::encode(answer.signature.ok_or_else(missing)?),
        })
    };
    reader.run(signed).await
}

/// Whether `key` made this signature over this digest. `key` comes from whoever verifies, never from the file.
///
/// # Errors
///
/// When KMS cannot say so.
pub async fn verify(
    aws: &Aws,
    home: &Region,
    key: &str,
    digest: &str,
    signature: &Signature,
) -> Result<bool, Fault> {
    let Ok(value) = base64::decode(&signature.value) else { return Ok(false) };
    let reader = at(aws, home, key);
    let call = reader
        .kms()
        .verify()
        .key_id(key)
        .message(message(digest))
        .message_type(MessageType::Raw)
        .signing_algorithm(SigningAlgorithmSpec::from(signature.algorithm.as_str()))
        .signature(Blob::new(value));
    match reader.run(call.send()).await {
        Ok(answer) => Ok(answer.signature_valid),
        // A key that does not know the algorithm has not signed with it.
        Err(error) if error.as_service_error().is_some_and(is_no) => Ok(false),
        Err(error) => Err(fault("kms:Verify")(error)),
    }
}

fn is_no(error: &VerifyError) -> bool {
    error.is_kms_invalid_signature_exception() || error.is_invalid_key_usage_exception()
}

/// A key answers in its own region, which its ARN names.
fn at(aws: &Aws, home: &Region, key: &str) -> Reader {
    let named = key.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    aws.caller_reader(&named.map_or_else(|| home.clone(), Region::new))
}

/// KMS prefers PSS for RSA keys (KMS API Reference, `Sign`); keys of other kinds offer one algorithm each.
fn best(mut offered: Vec<SigningAlgorithmSpec>) -> Option<SigningAlgorithmSpec> {
    offered.sort_by_key(|algorithm| *algorithm != SigningAlgorithmSpec::RsassaPssSha256);
    offered.into_iter().next()
}
