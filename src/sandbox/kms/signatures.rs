//! Sign and Verify: asymmetric keys, which are put here behind the API. A signature is a hash over key, algorithm and
//! message: nobody but this world takes it for one.

use aws_sdk_kms::operation::sign::{SignInput, SignOutput};
use aws_sdk_kms::operation::verify::{VerifyInput, VerifyOutput};
use aws_sdk_kms::types::{KeySpec, MessageType, SigningAlgorithmSpec};
use aws_smithy_types::Blob;
use sha2::{Digest as _, Sha256};

use super::super::operation::{Call, Refusal};
use super::{Names, invalid, key, key_id};

/// What a key of this kind signs with (KMS Developer Guide, "Key spec reference").
pub(super) fn algorithms(spec: &KeySpec) -> Vec<SigningAlgorithmSpec> {
    match spec {
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => vec![
            SigningAlgorithmSpec::RsassaPkcs1V15Sha256,
            SigningAlgorithmSpec::RsassaPkcs1V15Sha384,
            SigningAlgorithmSpec::RsassaPkcs1V15Sha512,
            SigningAlgorithmSpec::RsassaPssSha256,
            SigningAlgorithmSpec::RsassaPssSha384,
            SigningAlgorithmSpec::RsassaPssSha512,
        ],
        KeySpec::EccNistP256 | KeySpec::EccSecgP256K1 => vec![SigningAlgorithmSpec::EcdsaSha256],
        KeySpec::EccNistP384 => vec![SigningAlgorithmSpec::EcdsaSha384],
        KeySpec::EccNistP521 => vec![SigningAlgorithmSpec::EcdsaSha512],
        _ => Vec::new(),
    }
}

/// The key's ARN, and the signature that it gives.
fn signature(
    call: &mut Call<'_>,
    given: Option<&str>,
    message: Option<&Blob>,
    kind: Option<&MessageType>,
    algorithm: Option<&SigningAlgorithmSpec>,
) -> Result<(String, Blob), Refusal> {
    let message = message.map(Blob::as_ref).unwrap_or_default();
    if !(1..=4096).contains(&message.len()) {
        return Err(invalid("message"));
    }
    let algorithm = algorithm.ok_or_else(|| invalid("signingAlgorithm"))?;
    let id = key_id(call, given, Names::KeyOrAlias)?;
    let arn = call.arn("kms", format!("key/{id}"));
    let key = key(call, Some(&id), Names::Key)?;
    key.not_pending_deletion()?;
    if !key.enabled {
        return Err(Refusal::new(400, "DisabledException", format!("{arn} is disabled.")));
    }
    if !algorithms(&key.spec).contains(algorithm) {
        let message = format!("{arn} key usage or signing algorithm is not valid for this operation.");
        return Err(Refusal::new(400, "InvalidKeyUsageException", message));
    }
    if kind.is_some_and(|kind| *kind != MessageType::Raw) {
        return Err(Refusal::new(
            400,
            "UnsupportedOperationException",
            "This world signs raw messages only.",
        ));
    }
    let mut hash = Sha256::new();
    for part in [id.as_bytes(), algorithm.as_str().as_bytes(), message] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    Ok((arn, Blob::new(hash.finalize().to_vec())))
}

/// Sign: by id, ARN, alias or alias ARN; the key must be enabled, and for signing.
pub(super) fn sign(call: &mut Call<'_>, input: &SignInput) -> Result<SignOutput, Refusal> {
    let algorithm = input.signing_algorithm();
    let (arn, made) = signature(call, input.key_id(), input.message(), input.message_type(), algorithm)?;
    Ok(SignOutput::builder()
        .key_id(arn)
        .signature(made)
        .set_signing_algorithm(input.signing_algorithm.clone())
        .build())
}

/// Verify: a signature that is not one is an error, never `SignatureValid: false`.
pub(super) fn verify(call: &mut Call<'_>, input: &VerifyInput) -> Result<VerifyOutput, Refusal> {
    let algorithm = input.signing_algorithm();
    let given = input.signature().map(Blob::as_ref).filter(|bytes| (1..=6144).contains(&bytes.len()));
    let given = given.ok_or_else(|| invalid("signature"))?;
    let (arn, made) = signature(call, input.key_id(), input.message(), input.message_type(), algorithm)?;
    if made.as_ref() != given {
        return Err(Refusal::new(400, "KMSInvalidSignatureException", "The signature is not valid."));
    }
    Ok(VerifyOutput::builder()
        .key_id(arn)
        .signature_valid(true)
        .set_signing_algorithm(input.signing_algorithm.clone())
        .build())
}
