//! Messages about the YAML: what is wrong, where, and what to do about it.
//!
//! Whoever finds something wrong makes a [`Diagnostic`] with [`Span`]s; only the renderers know how it
//! looks. Nothing is printed here.

mod human;
mod json;
mod source;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use human::human;
pub use json::json;
pub use source::{Source, Sources, Span, printable};

/// Where a value was said in the YAML; lines and columns (of characters) count from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    pub file: Arc<str>,
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// An error stops the run before anything is observed; a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// A stretch of a file, underlined, with a few words or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
    /// The place where it has to be put right, underlined with `^`; others get `-`.
    pub primary: bool,
}

/// Characters of a title: it may quote a name that is as long as its file.
const LONGEST_TITLE: usize = 300;

/// One thing that is wrong with the YAML.
#[must_use = "a diagnostic that nobody shows helps nobody"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// A lowercase fragment: ``unknown field `minLength` ``.
    pub title: String,
    pub labels: Vec<Label>,
    /// What to do.
    pub helps: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

impl Diagnostic {
    pub fn error(title: impl Into<String>) -> Self {
        Self::new(Severity::Error, title)
    }

    pub fn warning(title: impl Into<String>) -> Self {
        Self::new(Severity::Warning, title)
    }

    fn new(severity: Severity, title: impl Into<String>) -> Self {
        let mut title = title.into();
        if let Some((end, _)) = title.char_indices().nth(LONGEST_TITLE) {
            title.truncate(end);
            title.push('…');
        }
        Self { severity, title, labels: Vec::new(), helps: Vec::new(), notes: Vec::new() }
    }

    /// Underlines the place that is wrong.
    pub fn at(self, span: Span) -> Self {
        self.label(span, "")
    }

    /// Underlines the place that is wrong and says something beside it.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: true });
        self
    }

    /// Underlines a second place, which explains the first.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// `did you mean …`, where `candidates` hold anything close to what was written.
    pub fn suggest<'a>(self, written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(written, candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Where it has to be put right.
    pub fn primary(&self) -> Option<&Label> {
        self.labels.iter().find(|label| label.primary).or(self.labels.first())
    }
}

/// The candidate most like `written`, if any is like it at all.
///
/// Jaro-Winkler favours a common beginning, which is where people are surest of a name.
fn closest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let lower = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_closest_name_and_nothing_far_away() {
        let names = ["minimumLength", "reusePrevention", "maxAgeDays"];
        assert_eq!(closest("minLength", names), Some("minimumLength"));
        assert_eq!(closest("maxAge", names), Some("maxAgeDays"));
        assert_eq!(closest("colour", names), None);
    }
}
