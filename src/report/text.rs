//! Lines that fit: everything that is printed passes here, so that nothing is printed unescaped or too wide.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::escape::escape;
use super::style::{Paint, Style};

/// A value longer than this many lines is cut off: it is hostile, or nobody reads it.
const LONGEST: usize = 40;

/// A space at which no line is broken: U+00A0, printed as a plain one.
const UNBROKEN: char = '\u{a0}';

/// Words that stay on one line, where one can hold them: `97 reads in 3.4 s`.
pub(super) fn unbroken(words: &str) -> String {
    words.replace(' ', "\u{a0}")
}

/// Text in the making.
pub(super) struct Text<'a> {
    style: &'a Style,
    out: String,
}

impl<'a> Text<'a> {
    pub(super) fn new(style: &'a Style) -> Self {
        Self { style, out: String::new() }
    }

    pub(super) fn style(&self) -> &'a Style {
        self.style
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Text that was made by another one.
    pub(super) fn append(&mut self, finished: &str) {
        self.out.push_str(finished);
    }

    /// An empty line; never two, and never first.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A paragraph, indented as a whole.
    pub(super) fn paragraph(&mut self, indent: usize, paint: Paint, text: &str) {
        for line in wrap(&self.clean(text), self.style.width() - indent) {
            self.put(indent, &self.style.paint(paint, &line));
        }
    }

    /// A line to be copied: it is not broken, however wide.
    pub(super) fn unbroken(&mut self, indent: usize, paint: Paint, text: &str) {
        let text = self.clean(text);
        self.put(indent, &self.style.paint(paint, &text));
    }

    /// A label, and text that stands at `column` however many lines it takes. A label that reaches the
    /// column pushes only the first line.
    pub(super) fn labelled(&mut self, indent: usize, paint: Paint, label: &str, column: usize, text: &str) {
        let label = self.clean(label);
        let text = self.clean(text);
        let width = self.style.width();
        let end = indent + label.width();
        if end >= width.saturating_sub(20) {
            let label = self.truncate(&label, width - indent);
            self.put(indent, &self.style.paint(paint, &label));
            for line in wrap(&text, width - column).into_iter().filter(|line| !line.is_empty()) {
                self.put(column, &line);
            }
            return;
        }
        let start = column.max(end + 1);
        let mut lines = wrap_from(&text, width - start, width - column).into_iter();
        let first = lines.next().unwrap_or_default();
        let painted = self.style.paint(paint, &label);
        if first.is_empty() {
            self.put(indent, &painted);
        } else {
            self.put(indent, &format!("{painted}{}{first}", " ".repeat(start - end)));
        }
        for line in lines {
            self.put(column, &line);
        }
    }

    /// `  ~ control resource            where`, with `where` at the right edge; on a line of its own where
    /// both do not fit in one.
    pub(super) fn head(&mut self, paint: Paint, sign: &str, subject: &str, place: &str) {
        let sign = self.clean(sign);
        let subject = self.clean(subject);
        let place = self.clean(place);
        // Two columns stay free at the right, as two do at the left.
        let edge = self.style.width() - 2;
        let start = 3 + sign.width();
        let painted = self.style.paint(paint, &sign);
        if start + subject.width() + 2 + place.width() <= edge {
            let gap = if place.is_empty() { 0 } else { edge - start - subject.width() - place.width() };
            self.put(2, &format!("{painted} {subject}{}{place}", " ".repeat(gap)));
            return;
        }
        self.put(2, &format!("{painted} {}", self.truncate(&subject, edge - start)));
        if !place.is_empty() {
            let place = self.truncate(&place, edge - 2);
            self.put(edge - place.width(), &place);
        }
    }

    /// `  ~ control resource      region      1 call    0.5 s  ok`: the columns stand, the subject gives way: of its
    /// wordings the first that fits is taken, or the last is cut.
    pub(super) fn result(&mut self, paint: Paint, sign: &str, subjects: &[String], place: &str, work: &str) {
        /// The longest region code, `ap-northeast-1`, has 14.
        const PLACE: usize = 14;
        /// `3 calls   14.2 s  ok`.
        const WORK: usize = 20;
        let (sign, place, work) = (self.clean(sign), self.clean(place), self.clean(work));
        let width = self.style.width();
        let left = width - PLACE.max(place.width()) - WORK.max(work.width()) - 4;
        let room = left - 3 - sign.width();
        let subjects: Vec<String> = subjects.iter().map(|subject| self.clean(subject)).collect();
        let fitting = subjects.iter().find(|subject| subject.width() <= room).or(subjects.last());
        let subject = self.truncate(fitting.map_or("", String::as_str), room);
        let gap = " ".repeat(left + 1 - 3 - sign.width() - subject.width());
        let fill = " ".repeat(PLACE.saturating_sub(place.width()) + 1);
        let sign = self.style.paint(paint, &sign);
        self.put(2, &format!("{sign} {subject}{gap} {place}{fill}{work}"));
    }

    /// A line as it is, its own leading spaces too; broken only where it is too wide.
    pub(super) fn verbatim(&mut self, indent: usize, paint: Paint, text: &str) {
        let more = self.style.characters("…");
        for line in split_wide(&self.clean(text), self.style.width() - indent, &more) {
            self.put(indent, &self.style.paint(paint, &line));
        }
    }

    fn clean(&self, text: &str) -> String {
        self.style.characters(&escape(text)).into_owned()
    }

    /// At most `width` columns, the rest as `…`.
    fn truncate(&self, text: &str, width: usize) -> String {
        truncate(text, width, &self.style.characters("…"))
    }

    fn put(&mut self, indent: usize, line: &str) {
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.out.extend(line.chars().map(|c| if c == UNBROKEN { ' ' } else { c }));
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }
}

fn truncate(text: &str, width: usize, more: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = take(text, width.saturating_sub(more.width()));
    out.push_str(more);
    out
}

/// The longest beginning that fits.
fn take(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

/// Words in lines of at most `width` columns; a word that is wider is broken.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    wrap_from(text, width, width)
}

/// As [`wrap`], with another width for the first line.
fn wrap_from(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = if lines.is_empty() { first } else { rest };
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        }
        loop {
            let width = if lines.is_empty() { first } else { rest };
            if line.width() <= width {
                break;
            }
            let head = take(&line, width);
            line = line[head.len()..].to_owned();
            lines.push(head);
        }
        if lines.len() >= LONGEST {
            line = "...".to_owned();
            break;
        }
    }
    lines.push(line);
    lines
}

fn split_wide(text: &str, width: usize, more: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut left = text;
    while left.width() > width && lines.len() < LONGEST {
        let head = take(left, width);
        left = &left[head.len()..];
        lines.push(head);
    }
    lines.push(truncate(left, width, more));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_wide_ones_broken() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a abcdefghij b", 4), ["a", "abcd", "efgh", "ij b"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn wide_characters_count_for_two() {
        assert_eq!(wrap("本番本番", 4), ["本番", "本番"]);
        assert_eq!(truncate("本番本番", 5, "…"), "本番…");
    }

    #[test]
    fn a_place_that_does_not_fit_stands_below() {
        let style = Style::new(false, true, Some(60));
        let mut text = Text::new(&style);
        text.head(Paint::Plain, "~", &"x".repeat(50), "eu-west-1");
        assert_eq!(text.finish(), format!("  ~ {}\n{}eu-west-1\n", "x".repeat(50), " ".repeat(49)));
    }

    #[test]
    fn nothing_gets_through_unescaped() {
        let style = Style::plain();
        let mut text = Text::new(&style);
        text.head(Paint::Plain, "~", "a\u{1b}[2J", "b\nc");
        text.labelled(2, Paint::Plain, "k\u{7}", 8, "v\u{202e}");
        text.verbatim(2, Paint::Plain, "x\ty");
        let out = text.finish();
        assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
        assert!(!out.contains('\u{202e}'));
        assert_eq!(out.lines().count(), 3);
    }
}
