//! The recording: every exchange as one JSON line, to be checked against the services' own API models.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::operation::{Operation, Refusal};

/// A file that exchanges are appended to.
#[derive(Debug)]
pub(super) struct Recording(File);

impl Recording {
    /// Opens `path` for appending, and makes it where it is not.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    /// Appends one exchange. Inputs and outputs are told as Rust's Debug text of the SDK's types. A line that
    /// cannot be written is said once and lost: what is recorded is evidence for a check, never state.
    pub fn append(&self, operation: &Operation, input: &str, answer: Result<String, &Refusal>) {
        let (output, error) = match answer {
            Ok(output) => (Some(output), None),
            Err(refusal) => {
                (None, Some(serde_json::json!({ "code": refusal.code, "message": refusal.message })))
            }
        };
        let line = serde_json::json!({
            "service": operation.service.prefix,
            "operation": operation.name,
            "input": input,
            "output": output,
            "error": error,
        });
        // One write for the whole line, so that processes appending to the same file do not mix theirs.
        if let Err(error) = (&self.0).write_all(format!("{line}\n").as_bytes()) {
            tracing::warn!(%error, "an exchange was not recorded");
        }
    }
}
