//! What a controller keeps beside the records of its runs: small objects that are replaced, each by whoever read it
//! last.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Audit, AuditError, Memory, When};
use crate::place::AccountId;

/// That a controller looks after these accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControllerRecord {
    /// When it last said so: at each new revision, and once an interval.
    pub at: Timestamp,
    /// The run of the controller itself. Every look has one of its own.
    pub run: String,
    /// Does it put right what differs?
    pub enforces: bool,
    /// Seconds between two looks at an account.
    pub interval: u64,
}

/// The version of an object that was read; it is replaced only while it is still that one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag(Option<String>);

impl Memory {
    /// The conditions under that name, and their version. An object that this build cannot read counts as none: what
    /// is in it is found out again.
    ///
    /// # Errors
    ///
    /// When the records cannot be reached.
    pub async fn conditions<T: DeserializeOwned>(&self, name: &str) -> Result<(Option<T>, Tag), AuditError> {
        self.replaceable(key(name)).await
    }

    /// What is kept under that name until it was told; as with conditions.
    ///
    /// # Errors
    ///
    /// When the records cannot be reached.
    pub async fn notifications<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<(Option<T>, Tag), AuditError> {
        self.replaceable(told_key(name)).await
    }

    async fn replaceable<T: DeserializeOwned>(&self, key: String) -> Result<(Option<T>, Tag), AuditError> {
        let Some((value, tag)) = self.get::<Value>(&key).await? else { return Ok((None, Tag(None))) };
        match serde_json::from_value(value) {
            Ok(found) => Ok((Some(found), Tag(tag))),
            Err(error) => {
                tracing::warn!(%key, %error, "what another version wrote is replaced");
                Ok((None, Tag(tag)))
            }
        }
    }
}

impl Audit {
    /// Replaces what was read as `tag`.
    ///
    /// # Errors
    ///
    /// [`AuditError::Raced`] where somebody else was quicker.
    pub async fn keep_notifications(
        &self,
        name: &str,
        kept: &impl Serialize,
        tag: Tag,
    ) -> Result<(), AuditError> {
        self.put(&told_key(name), kept, &When::Unchanged(tag.0)).await
    }

    /// Replaces what was read as `tag`.
    ///
    /// # Errors
    ///
    /// [`AuditError::Raced`] where somebody else was quicker.
    pub async fn keep_conditions(
        &self,
        name: &str,
        conditions: &impl Serialize,
        tag: Tag,
    ) -> Result<(), AuditError> {
        self.put(&key(name), conditions, &When::Unchanged(tag.0)).await
    }

    /// Keeps what is open in an account, in the place of what was.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or another one wrote at the same time.
    pub async fn keep_look(&self, account: &AccountId, look: &impl Serialize) -> Result<(), AuditError> {
        self.replace(&look_key(account), look).await
    }

    /// Says that a controller runs.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or another one wrote at the same time.
    pub async fn controller_runs(&self, record: &ControllerRecord) -> Result<(), AuditError> {
        self.replace("controller.json", record).await
    }
}

impl Memory {
    /// What is open in an account, where that was kept. One that this build cannot read counts as none: it is found out
    /// again.
    ///
    /// # Errors
    ///
    /// When the records cannot be reached.
    pub async fn look<T: DeserializeOwned>(&self, account: &AccountId) -> Result<Option<T>, AuditError> {
        let found = self.get::<Value>(&look_key(account)).await?;
        Ok(found.and_then(|(value, _)| serde_json::from_value(value).ok()))
    }

    /// The controller that last said it runs.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub async fn controller(&self) -> Result<Option<ControllerRecord>, AuditError> {
        Ok(self.get("controller.json").await?.map(|(record, _)| record))
    }
}

impl ControllerRecord {
    /// Does it put right what differs, at that time? One that has said nothing for two intervals is gone.
    pub fn enforces_at(&self, now: Timestamp) -> bool {
        let silent = now.duration_since(self.at).as_secs();
        // Clocks differ: what was said in the future was said now.
        self.enforces && u64::try_from(silent).unwrap_or_default() <= self.interval.saturating_mul(2)
    }
}

fn look_key(account: &AccountId) -> String {
    format!("looks/{account}.json")
}

fn told_key(name: &str) -> String {
    format!("notifications/{name}.json")
}

fn key(name: &str) -> String {
    format!("conditions/{name}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_that_is_not_heard_of_any_more_does_not_enforce() {
        let record = |enforces| ControllerRecord {
            at: Timestamp::from_second(10_000).expect("a time"),
            run: "01".into(),
            enforces,
            interval: 3_600,
        };
        let later = |seconds: i64| Timestamp::from_second(10_000 + seconds).expect("a time");
        assert!(record(true).enforces_at(later(7_200)));
        assert!(!record(true).enforces_at(later(7_201)));
        assert!(!record(false).enforces_at(later(0)));
        // Clocks differ: what was said in the future was said now.
        assert!(record(true).enforces_at(later(-60)));
    }
}
