//! Telling a program: JSON of `docs/schema/notification.json`, signed where there is a secret.

use jiff::Timestamp;

use super::line::Failed;
use super::message::Payload;
use crate::aws::web::{Address, Answer};
use crate::digest;
use crate::report::escape::{escape, escape_json};

/// The header with the message's id.
pub const ID: &str = "baseline-message-id";
/// The header with the signature.
pub const SIGNATURE: &str = "baseline-signature";

/// As much of an answer as is told.
const TOLD: usize = 200;

pub(super) fn body(payload: &Payload) -> Result<Vec<u8>, Failed> {
    let text = serde_json::to_string(payload);
    let text = text.map_err(|error| Failed { why: error.to_string(), lasting: true, retry_after: None })?;
    Ok(escape_json(&text).into_owned().into_bytes())
}

/// `t=1764151200,v1=…`: HMAC-SHA256 of `t`, a full stop and the body, in hexadecimal. The time is in it so that a message
/// that was caught cannot be sent again later.
pub(super) fn signature(secret: &[u8], at: Timestamp, body: &[u8]) -> String {
    let at = at.as_second();
    let signed = digest::hmac(secret, &[format!("{at}.").as_bytes(), body].concat());
    format!("t={at},v1={}", digest::hex(&signed))
}

/// Was the message taken?
pub(super) fn judge(answer: &Answer, address: &Address) -> Result<(), Failed> {
    let status = answer.status;
    let body = answer.body.trim();
    let said = if body.is_empty() || address.is_hinted_at(body) {
        String::new()
    } else {
        let first: String = body.chars().take(TOLD).collect();
        format!(": {}", escape(&first))
    };
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(Failed {
            why: format!("it answers {status}, a redirect, and those are not followed"),
            lasting: true,
            retry_after: None,
        }),
        408 | 425 | 429 | 500.. => Err(Failed {
            why: format!("it answers {status}{said}"),
            lasting: false,
            retry_after: answer.retry_after,
        }),
        _ => Err(Failed {
            why: format!("it answers {status}{said}"),
            lasting: true,
            retry_after: answer.retry_after,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_others_compute() {
        // printf '1764151200.{}' | openssl dgst -sha256 -hmac secret
        let at = Timestamp::from_second(1_764_151_200).expect("a time");
        let signed = signature(b"secret", at, b"{}");
        assert_eq!(
            signed,
            "t=1764151200,v1=fc7cfa90b235ddb534ee9ee2daf16de3dd8ca7e3508bf39e77f91d632292a99a"
        );
    }

    #[test]
    fn what_is_not_taken_says_why_and_not_where() {
        let address =
            Address::parse("https://hooks.acme.example/services/T012/B345/verysecret", false).expect("good");
        let answer = |status: u16, body: &str| Answer { status, retry_after: None, body: body.to_owned() };
        assert_eq!(judge(&answer(204, ""), &address), Ok(()));
        let gone = judge(&answer(404, "no_service\n"), &address).expect_err("gone");
        assert_eq!((gone.why.as_str(), gone.lasting), ("it answers 404: no_service", true));
        let busy = judge(&answer(503, "try <later>\u{1b}[2J"), &address).expect_err("busy");
        assert_eq!((busy.why.as_str(), busy.lasting), ("it answers 503: try <later>\\x1b[2J", false));
        let echo = judge(&answer(400, "POST /services/T012/B345/verysecret"), &address).expect_err("echo");
        assert_eq!(echo.why, "it answers 400");
        assert!(judge(&answer(302, ""), &address).expect_err("moved").why.contains("not followed"));
    }
}
