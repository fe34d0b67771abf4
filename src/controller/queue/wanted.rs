//! What stands in a message: a look at an account that is not older than something.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::place::AccountId;

/// The version that this build writes, and the only one that it reads.
const FORMAT: u32 = 1;

/// A look at an account that begins at a time or later. One that has begun since then is enough: so a message that
/// comes twice, minutes or days apart, is no second turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub account: AccountId,
    pub since: Timestamp,
    pub why: Why,
}

/// Why it is asked for: what tells two messages apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "camelCase")]
pub enum Why {
    /// Its turn, which begins at `since`: all replicas agree when.
    Slot,
    /// Something failed, moves or is to be seen again: the replica that saw it asks.
    Again,
    /// Other documents, by their digest. Whoever has not heard of them leaves the message to others.
    Documents { digest: String },
    /// An event of that id.
    Hint { id: String },
    /// A person, a signal, or the end of a wave that it waited for.
    Now { id: String },
}

impl Why {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::Again => "again",
            Self::Documents { .. } => "documents",
            Self::Hint { .. } => "hint",
            Self::Now { .. } => "now",
        }
    }
}

/// A message as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    format_version: u32,
    account: AccountId,
    since: Timestamp,
    #[serde(flatten)]
    why: Why,
}

impl Wanted {
    pub fn body(&self) -> String {
        let Self { account, since, why } = self.clone();
        let written = Written { format_version: FORMAT, account, since, why };
        serde_json::json!(written).to_string()
    }

    /// # Errors
    ///
    /// What is wrong with it, in a few words.
    pub fn of(body: &str) -> Result<Self, String> {
        let written: Written = serde_json::from_str(body).map_err(|error| error.to_string())?;
        if written.format_version != FORMAT {
            return Err(format!("format {} is not one that this build reads", written.format_version));
        }
        let Written { account, since, why, .. } = written;
        Ok(Self { account, since, why })
    }

    /// The deduplication id: account and slot, or what else makes it the same as another. SQS takes 128 letters,
    /// digits and punctuation.
    pub fn id(&self) -> String {
        let Self { account, since, why } = self;
        let at = since.as_millisecond();
        let plain = |text: &str| {
            let plain = text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c));
            plain.take(80).collect::<String>()
        };
        match why {
            Why::Slot | Why::Again => format!("{account}-{}-{at}", why.word()),
            Why::Documents { digest: own } | Why::Hint { id: own } | Why::Now { id: own } => {
                format!("{account}-{}-{}", why.word(), plain(own))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(why: Why) -> Wanted {
        let account = "111122223333".parse().expect("an id");
        Wanted { account, since: "2026-11-26T12:00:00.5Z".parse().expect("a time"), why }
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let hint = Why::Hint { id: "7e4c…/../x".repeat(40) };
        for why in [Why::Slot, Why::Again, Why::Documents { digest: "sha256:ab".into() }, hint] {
            let wanted = wanted(why);
            assert_eq!(Wanted::of(&wanted.body()), Ok(wanted.clone()));
            let id = wanted.id();
            assert!((1..=128).contains(&id.len()) && id.chars().all(|c| c.is_ascii_graphic()), "{id}");
        }
        // Replicas of another version must agree on it.
        let slot = wanted(Why::Slot);
        assert_eq!(
            slot.body(),
            r#"{"account":"111122223333","formatVersion":1,"since":"2026-11-26T12:00:00.5Z","why":"slot"}"#
        );
        assert_eq!(slot.id(), "111122223333-slot-1795694400500");
    }

    #[test]
    fn what_is_no_message_is_told() {
        for (body, says) in [
            ("", "EOF"),
            ("[]", "invalid"),
            (
                r#"{"formatVersion":2,"account":"111122223333","since":"2026-11-26T12:00:00Z","why":"slot"}"#,
                "format 2",
            ),
            (r#"{"formatVersion":1,"account":"1","since":"2026-11-26T12:00:00Z","why":"slot"}"#, "account"),
            (
                r#"{"formatVersion":1,"account":"111122223333","since":"2026-11-26T12:00:00Z","why":"dance"}"#,
                "dance",
            ),
        ] {
            let error = Wanted::of(body).expect_err(body);
            assert!(error.contains(says), "{body}: {error}");
        }
    }
}
