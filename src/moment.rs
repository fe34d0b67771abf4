//! Times as people read them.

use jiff::Timestamp;

/// `2026-11-26 12:00 UTC`.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
