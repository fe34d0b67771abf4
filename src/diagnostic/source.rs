//! The files that diagnostics point into, and the way from bytes to lines and columns.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::Position;

/// Bytes `start..end` of one file of [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub file: u32,
    pub start: u32,
    pub end: u32,
}

/// One file as it was read, or as much of it as can be shown.
#[derive(Clone, Debug)]
pub struct Source {
    /// As people know it: relative to where they are.
    pub name: Arc<str>,
    pub text: String,
    /// Byte at which each line starts.
    lines: Vec<usize>,
}

impl Source {
    fn new(name: Arc<str>, text: String) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name, text, lines }
    }

    /// The line that holds a byte, counted from 0.
    pub fn line_of(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte) - 1
    }

    /// The bytes of a line, counted from 0, without its line feed.
    pub fn line(&self, line: usize) -> Range<usize> {
        let start = self.lines.get(line).copied().unwrap_or(self.text.len());
        let end = self.lines.get(line + 1).map_or(self.text.len(), |next| next - 1);
        start..end
    }
}

/// All files of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Takes a file in and says by which number spans name it.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: String) -> u32 {
        self.files.push(Source::new(name.into(), text));
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    pub fn files(&self) -> &[Source] {
        &self.files
    }

    pub fn get(&self, file: u32) -> Option<&Source> {
        self.files.get(file as usize)
    }

    /// Where a span starts, as people write it.
    pub fn position(&self, span: Span) -> Position {
        let Some(source) = self.get(span.file) else {
            return Position { file: "?".into(), line: 1, column: 1 };
        };
        let line = source.line_of(span.start as usize);
        let before = source.text.get(source.line(line).start..span.start as usize).unwrap_or_default();
        Position { file: Arc::clone(&source.name), line: line + 1, column: before.chars().count() + 1 }
    }
}

/// Text from YAML, AWS or a file name, made harmless for a terminal: control characters and those that turn
/// the direction of writing are shown by their code.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "ä: 1\nüü: x\n".into());
        let start = u32::try_from("ä: 1\nüü: ".len()).unwrap();
        let at = sources.position(Span { file, start, end: start + 1 });
        assert_eq!(at.to_string(), "a.yaml:2:5");
    }

    #[test]
    fn a_span_at_the_end_of_a_file_has_a_position() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "a\n".into());
        assert_eq!(sources.position(Span { file, start: 2, end: 2 }).to_string(), "a.yaml:2:1");
    }

    #[test]
    fn escapes_and_direction_marks_are_shown_by_code() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}b\n"), "a\\u{1b}[31m\\u{202e}b\\u{a}");
    }
}
