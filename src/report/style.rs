//! How text may look where it is read: colour, characters and width.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style as Ansi};

/// What the reader's terminal can show. Text says the same without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub color: bool,
    /// Without it `→`, `…` and `·` are `->`, `..` and `-`, and other characters are escaped.
    pub unicode: bool,
    width: usize,
}

/// What a piece of text is, as far as colour goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    /// What the eye looks for first: account names.
    Strong,
    Create,
    Update,
    /// By hand, weaker than before, failed.
    Alert,
    Unknown,
    Hint,
    Dim,
}

impl Style {
    /// Columns of a terminal that does not say.
    pub const DEFAULT_WIDTH: usize = 80;
    /// Lines longer than this are hard to read, however wide the terminal is.
    const WIDEST: usize = 100;
    /// Narrower than this, the terminal's own wrapping does better than ours.
    const NARROWEST: usize = 60;

    /// `width` is the terminal's, in columns, where there is a terminal.
    pub fn new(color: bool, unicode: bool, width: Option<usize>) -> Self {
        let width = width.unwrap_or(Self::DEFAULT_WIDTH).clamp(Self::NARROWEST, Self::WIDEST);
        Self { color, unicode, width }
    }

    /// No colour, Unicode, 80 columns: what goes to a file.
    pub fn plain() -> Self {
        Self::new(false, true, None)
    }

    /// Columns that no line exceeds.
    pub fn width(&self) -> usize {
        self.width
    }

    pub(super) fn paint(&self, paint: Paint, text: &str) -> String {
        let ansi = match paint {
            _ if !self.color || text.is_empty() => return text.to_owned(),
            Paint::Plain => return text.to_owned(),
            Paint::Strong => Ansi::new().bold(),
            Paint::Create => AnsiColor::Green.on_default(),
            Paint::Update => AnsiColor::Yellow.on_default(),
            Paint::Alert | Paint::Unknown => AnsiColor::Red.on_default(),
            Paint::Hint => AnsiColor::Cyan.on_default(),
            Paint::Dim => Ansi::new().dimmed(),
        };
        format!("{ansi}{text}{ansi:#}")
    }

    /// The text in characters that the terminal has.
    pub(super) fn characters<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.unicode || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '→' => out.push_str("->"),
                '…' => out.push_str(".."),
                '·' => out.push('-'),
                '×' => out.push('x'),
                '≤' => out.push_str("<="),
                '≥' => out.push_str(">="),
                // No-break spaces become plain ones when the line is written.
                c if c.is_ascii() || c == '\u{a0}' => out.push(c),
                c => out.extend(c.escape_unicode()),
            }
        }
        Cow::Owned(out)
    }
}

impl Default for Style {
    fn default() -> Self {
        Self::plain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_is_not_utf8_gets_ascii() {
        let style = Style::new(false, false, None);
        assert_eq!(style.characters("8 → 14 … a · Ä"), "8 -> 14 .. a - \\u{c4}");
    }

    #[test]
    fn width_is_that_of_the_terminal_within_reason() {
        assert_eq!(Style::new(false, true, None).width(), 80);
        assert_eq!(Style::new(false, true, Some(300)).width(), 100);
        assert_eq!(Style::new(false, true, Some(10)).width(), 60);
    }

    #[test]
    fn colour_is_only_added_round_the_text() {
        let style = Style::new(true, true, None);
        assert_eq!(style.paint(Paint::Create, "+"), "\u{1b}[32m+\u{1b}[0m");
        assert_eq!(Style::plain().paint(Paint::Create, "+"), "+");
    }
}
