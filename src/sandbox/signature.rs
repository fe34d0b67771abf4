//! Who signed a request, and whether that key is good here.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::identity::Caller;
use super::operation::{Operation, Protocol, Refusal};
use super::state::State;

/// The parts of a Signature Version 4 that say who calls and where (IAM User Guide, "Elements of an AWS API
/// request signature"). Empty where the request is not signed.
#[derive(Default)]
pub(super) struct Signature<'a> {
    pub access_key: &'a str,
    pub region: &'a str,
    token: Option<&'a str>,
}

impl<'a> Signature<'a> {
    pub fn of(request: &'a HttpRequest) -> Self {
        let headers = request.headers();
        let scope = headers.get("authorization").and_then(|text| {
            let (_, rest) = text.strip_prefix("AWS4-HMAC-SHA256 ")?.split_once("Credential=")?;
            rest.split(',').next()
        });
        let mut parts = scope.unwrap_or_default().split('/');
        Self {
            access_key: parts.next().unwrap_or_default(),
            region: parts.nth(1).unwrap_or_default(),
            token: headers.get("x-amz-security-token"),
        }
    }
}

/// Refuses keys that this world did not issue, that have expired, that come with another token, and regions
/// that the account has not opted in to, each with the code of the service's protocol: AWS common errors
/// (`UnrecognizedClientException`, `InvalidClientTokenId`, `ExpiredToken…`), S3 "List of error codes", EC2 "Error
/// codes" (`AuthFailure`, `RequestExpired`).
pub(super) fn authenticate<'c>(
    state: &State,
    operation: &Operation,
    caller: Option<&'c Caller>,
    signature: &Signature<'_>,
    now: jiff::Timestamp,
) -> Result<&'c Caller, Refusal> {
    let protocol = operation.service.protocol;
    let invalid = || {
        let text = "The security token included in the request is invalid.";
        let unknown = "The AWS Access Key Id you provided does not exist in our records.";
        let not_validated = "AWS was not able to validate the provided access credentials";
        match protocol {
            Protocol::Json | Protocol::Cbor => Refusal::new(403, "UnrecognizedClientException", text),
            Protocol::Query => Refusal::new(403, "InvalidClientTokenId", text),
            Protocol::Ec2 => Refusal::new(401, "AuthFailure", not_validated),
            Protocol::Xml => Refusal::new(403, "InvalidAccessKeyId", unknown),
        }
    };
    let caller = caller.ok_or_else(invalid)?;
    if caller.token.as_deref() != signature.token {
        return Err(invalid());
    }
    if caller.expires.is_some_and(|at| at <= now) {
        let text = "The security token included in the request is expired";
        return Err(match protocol {
            Protocol::Json | Protocol::Cbor => Refusal::new(403, "ExpiredTokenException", text),
            Protocol::Query => Refusal::new(403, "ExpiredToken", text),
            Protocol::Ec2 => Refusal::new(400, "RequestExpired", "Request has expired."),
            Protocol::Xml => Refusal::new(400, "ExpiredToken", "The provided token has expired."),
        });
    }
    let account = state.accounts.get(&caller.account).ok_or_else(invalid)?;
    if account.has_region(signature.region) { Ok(caller) } else { Err(invalid()) }
}

/// What is said to somebody whose clock is slow by an hour (IAM User Guide, "Troubleshoot Signature Version 4 signing for
/// AWS API requests"; S3 "List of error codes", `RequestTimeTooSkewed`; EC2 "Error codes", `RequestExpired`).
pub(super) fn skewed(protocol: Protocol, now: jiff::Timestamp) -> Refusal {
    let signed = now - Duration::from_secs(3_600);
    let at = |time: jiff::Timestamp| time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let text = format!(
        "Signature expired: {} is now earlier than {} ({} - 5 min.)",
        at(signed),
        at(now - Duration::from_secs(300)),
        at(now)
    );
    match protocol {
        Protocol::Json | Protocol::Cbor => Refusal::new(403, "InvalidSignatureException", text),
        Protocol::Query => Refusal::new(403, "SignatureDoesNotMatch", text),
        Protocol::Ec2 => Refusal::new(400, "RequestExpired", "Request has expired."),
        Protocol::Xml => Refusal::new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the server's time is too large.",
        ),
    }
}
