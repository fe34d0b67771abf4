//! SDK errors as [`Fault`]s: the one place that reads codes and messages.

use std::error::Error;
use std::iter;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::fault::{Fault, FaultKind};

/// What a failed call says, kept as data. `call` is `service:Operation`.
///
/// Use it as `.map_err(fault("guardduty:ListDetectors"))`.
pub fn fault<E>(call: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| {
        // Credentials are fetched on the way of another call, and their fault says more than its wrapping.
        if let Some(own) = causes(&error).find_map(|cause| cause.downcast_ref::<Fault>()) {
            return own.clone();
        }
        let status = error.raw_response().map(|response| response.status().as_u16());
        let request_id = error
            .raw_response()
            .and_then(|r| r.headers().get("x-amzn-requestid").or_else(|| r.headers().get("x-amz-request-id")))
            .map(str::to_owned);
        let code = error.code().map(str::to_owned);
        let message = error.message().map(str::to_owned);
        let kind = match &error {
            SdkError::ConstructionFailure(_) => FaultKind::Invalid,
            SdkError::ServiceError(_) => {
                kind_of(code.as_deref().unwrap_or_default(), message.as_deref().unwrap_or_default(), status)
            }
            _ => FaultKind::Unavailable,
        };
        Fault {
            kind,
            call: call.into(),
            code: code.unwrap_or_else(|| match &error {
                SdkError::ConstructionFailure(_) => "ConstructionFailure".into(),
                SdkError::TimeoutError(_) => "TimeoutError".into(),
                SdkError::DispatchFailure(_) => "DispatchFailure".into(),
                SdkError::ResponseError(_) => "ResponseError".into(),
                _ => format!("HTTP {}", status.unwrap_or_default()),
            }),
            message: message.unwrap_or_else(|| match &error {
                SdkError::ServiceError(_) if status.is_some_and(|status| status < 300) => {
                    "the answer could not be read".into()
                }
                SdkError::ServiceError(_) => "the answer names no reason".into(),
                other => in_words(other),
            }),
            request_id,
        }
    }
}

/// An error and what caused it, in one line.
pub(super) fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if words.last() != Some(&text) {
            words.push(text);
        }
    }
    words.join(": ")
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error| (*error).source())
}

/// What services say of what they do not see yet: CloudTrail and AWS Config of a bucket policy, key policy, role or log
/// group (API references, CreateTrail, PutDeliveryChannel, PutConfigurationRecorder). A wrong one is answered in the
/// same way, so waiting has to end.
const NOT_READY: &[&str] = &[
    "InsufficientDeliveryPolicyException",
    "InvalidRoleException",
    "InsufficientS3BucketPolicyException",
    "InsufficientEncryptionPolicyException",
    "InvalidCloudWatchLogsRoleArnException",
    "InvalidCloudWatchLogsLogGroupArnException",
    "CloudWatchLogsDeliveryUnavailableException",
    // WAF of a web ACL, an IP set or a resource that it does not see yet, and of a role that it has just used (API
    // reference).
    "WAFUnavailableEntityException",
    "WAFServiceLinkedRoleErrorException",
];

/// The kind of a modelled or generic error, by its code (AWS common errors of each protocol) and, where an
/// organisation's policy denies, by its message (IAM User Guide, "Access denied error messages").
fn kind_of(code: &str, message: &str, status: Option<u16>) -> FaultKind {
    let denied = [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "NotAuthorized",
    ];
    let throttled =
        ["Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "LimitExceededExceptionRate"];
    if denied.contains(&code) || (code.contains("AccessDenied") && status == Some(403)) {
        return if message.contains("service control policy") || message.contains("resource control policy") {
            FaultKind::DeniedByOrganization
        } else {
            FaultKind::Denied
        };
    }
    if throttled.iter().any(|word| code.contains(word)) || status == Some(429) {
        return FaultKind::Throttled;
    }
    if NOT_READY.contains(&code) {
        return FaultKind::NotReady;
    }
    match code {
        // ECR: an Inspector or ECR policy of the organisation holds what the call would change.
        "BlockedByOrganizationPolicyException" => FaultKind::DeniedByOrganization,
        "OptInRequired"
        | "SubscriptionRequiredException"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "AuthFailure" => FaultKind::Denied,
        // Keys that ran out, or a clock that is off: the next session has others, and clocks are set right.
        "RequestExpired" | "ExpiredToken" | "ExpiredTokenException" | "RequestTimeTooSkewed" => {
            FaultKind::Unavailable
        }
        // IAM User Guide, "Troubleshoot Signature Version 4 signing for AWS API requests".
        "SignatureDoesNotMatch" | "InvalidSignatureException"
            if message.starts_with("Signature expired")
                || message.starts_with("Signature not yet current") =>
        {
            FaultKind::Unavailable
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => FaultKind::Denied,
        _ if code.starts_with("NoSuch") || code.contains("NotFound") => FaultKind::NotFound,
        // Somebody else was there between the look and the change: the next look has another token.
        "WAFOptimisticLockException" => FaultKind::Conflict,
        _ if ["Conflict", "ConcurrentModification", "OperationAborted"]
            .iter()
            .any(|word| code.contains(word))
            || status == Some(409) =>
        {
            FaultKind::Conflict
        }
        _ if code.contains("ServiceUnavailable")
            || code.contains("InternalFailure")
            || code.contains("InternalServer") =>
        {
            FaultKind::Unavailable
        }
        _ if status.is_some_and(|s| s >= 500) => FaultKind::Unavailable,
        _ => FaultKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_the_organisation_is_told_from_the_accounts_own() {
        let denied = |code: &str, message: &str| kind_of(code, message, Some(403));
        let by = |policy: &str| format!("not authorized with an explicit deny in a {policy}");
        assert_eq!(denied("AccessDenied", &by("service control policy")), FaultKind::DeniedByOrganization);
        assert_eq!(denied("AccessDenied", &by("resource-based policy")), FaultKind::Denied);
        let blocked = kind_of("BlockedByOrganizationPolicyException", "", Some(400));
        assert_eq!(blocked, FaultKind::DeniedByOrganization);
    }
}
