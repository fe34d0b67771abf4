//! Reading YAML: the only file that names `serde_yaml`.
//!
//! serde hands out values and forgets where they stood; `serde_yaml` says where a value stood only when a
//! visitor refuses it. So every scalar is refused on purpose: the visitor keeps the value, the refusal comes
//! back with line and column, and the walk goes on. One pass gives the whole tree with the place of
//! everything in it, in time and memory bounded by [`MOST_VALUES`].

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::desired::node::{Data, Entry, Node};
use crate::diagnostic::{Diagnostic, Span};

/// Values that one file may hold, aliases followed. `serde_yaml` stops an exponential bomb of aliases, not
/// a quadratic one: 56 kB of YAML became 6.5 GB before this stood here.
const MOST_VALUES: usize = 100_000;

/// Brackets open at once. Beyond, libyaml's bookkeeping of flow collections takes quadratic time; documents
/// that people write stay under ten. Counted over all text, strings and comments too, which errs by refusing.
const MOST_BRACKETS: usize = 1_000;

const TAGS: &str = "tags (`!name`) mean nothing here";
const NOT_FINITE: &str = "infinity and not-a-number mean nothing here";

/// The documents of one file, each `None` where there is nothing between two `---`, and everything that is
/// wrong with them as YAML. `text` is the file's, without a byte order mark.
pub fn parse(file: u32, text: &str) -> (Vec<Node>, Vec<Diagnostic>) {
    let walk = Walk {
        file,
        text,
        places: Places::new(text),
        values: Cell::new(0),
        problems: RefCell::new(Vec::new()),
    };
    let mut documents = Vec::new();
    if let Some(problem) = walk.refuse_brackets() {
        return (documents, vec![problem]);
    }
    for document in serde_yaml::Deserializer::from_str(text) {
        match (Seed { walk: &walk, key: None, outer: walk.span(0, 0) }).deserialize(document) {
            Ok(Node { data: Data::Null, .. }) => {}
            Ok(node) => documents.push(node),
            Err(error) => {
                let problem = walk.explain(&error);
                walk.problems.borrow_mut().push(problem);
                // What follows a syntax error is guesswork.
                break;
            }
        }
    }
    (documents, walk.problems.into_inner())
}

/// What one file's walk shares.
struct Walk<'t> {
    file: u32,
    text: &'t str,
    places: Places,
    values: Cell<usize>,
    problems: RefCell<Vec<Diagnostic>>,
}

impl Walk<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: fit(start), end: fit(end) }
    }

    fn refuse_brackets(&self) -> Option<Diagnostic> {
        let mut open = 0_usize;
        for (at, byte) in self.text.bytes().enumerate() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > MOST_BRACKETS {
                return Some(
                    Diagnostic::error(format!("more than {MOST_BRACKETS} brackets are open at once"))
                        .at(self.span(at, at + 1))
                        .help("close them; a document needs fewer than ten"),
                );
            }
        }
        None
    }

    /// The text of a scalar that starts at a byte, as far as it stands on its first line. Looks no further than
    /// the scalar: it may be one of many on a long line.
    fn scalar(&self, start: usize, data: &Data) -> Span {
        let rest = self.text.get(start..).unwrap_or_default();
        let until = |stop: fn(char) -> bool| rest.find(stop).unwrap_or(rest.len());
        let len = match (rest.chars().next(), data) {
            (Some(quote @ ('"' | '\'')), _) => quoted(rest, quote),
            (_, Data::Text(text)) if rest.starts_with(text.as_str()) => text.trim_end().len(),
            (_, Data::Text(_)) => rest[..until(|c| matches!(c, '\n' | '\r'))].trim_end().len(),
            (_, Data::Null) if rest.starts_with('~') => 1,
            (_, Data::Null) if rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("null")) => 4,
            (_, Data::Null) => 0,
            _ => until(|c| c.is_whitespace() || ",]}:".contains(c)),
        };
        self.span(start, start + len)
    }

    /// One more value; too many are refused by the error that this returns.
    fn count(&self) -> Result<(), String> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values in one file"));
        }
        Ok(())
    }

    /// What `serde_yaml` or the walk refused, in our words where they are clearer.
    fn explain(&self, error: &serde_yaml::Error) -> Diagnostic {
        let text = error.to_string();
        let mut start = 0;
        if let Some(location) = error.location() {
            start = self.places.byte(location.line() - 1, location.column() - 1);
        }
        // What is missing at the end of the file is missing after its last word.
        let start = start.min(self.text.trim_end().len());
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let end = (line_start + line.trim_end().len()).max(start);
        let end = self
            .text
            .get(start..end)
            .map_or(start, |rest| start + rest.chars().next().map_or(0, char::len_utf8));
        let here = self.span(start, end);
        let indent = &line[..line.len() - line.trim_start().len()];
        if let Some(tab) = indent.find('\t') {
            return Diagnostic::error("a tab where YAML wants spaces")
                .at(self.span(line_start + tab, line_start + tab + 1))
                .help("indent with spaces; most editors can be told to");
        }
        if text.contains("more than ") && text.contains("values in one file") {
            return Diagnostic::error(format!("more than {MOST_VALUES} values in one file"))
                .at(here)
                .help("write it without so many aliases, or in several files");
        }
        if text.contains("repetition limit exceeded") {
            return Diagnostic::error("aliases that repeat too much").at(here).help("write the values out");
        }
        if text.contains("recursion limit exceeded") {
            return Diagnostic::error("nested too deeply")
                .at(here)
                .help("a document needs fewer than ten levels; is a bracket not closed, or an alias inside its own anchor?");
        }
        if let Some(own) = [TAGS, NOT_FINITE].into_iter().find(|own| text.contains(own)) {
            return Diagnostic::error(own)
                .at(here)
                .help("write the value as text, a number, a list or a map");
        }
        // libyaml says what it met, and then in the middle of what: `A at line 2 column 1, B at line 1 column 4`.
        let (met, middle) = text.split_once(", while ").unwrap_or((&text, ""));
        let problem = Diagnostic::error(format!("not YAML: {}", unplaced(met))).at(here);
        if !middle.contains(" at line ") {
            return problem;
        }
        let (line, column) = place(middle);
        let start = self.places.byte(line, column);
        problem.also(self.span(start, start), format!("while {}", unplaced(middle)))
    }
}

/// Length of a quoted scalar, as far as it stands on its first line.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\n' {
            return text[..at].trim_end().len();
        }
        if c == '\\' && quote == '"' {
            chars.next_if(|(_, escaped)| *escaped != '\n');
        } else if c == quote {
            if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') {
                chars.next();
            } else {
                return at + 1;
            }
        }
    }
    text.len()
}

/// The way from lines and columns to bytes, both as libyaml counts them: columns in characters, and lines that
/// also end where only Unicode says so. A table, because a file may be one long line.
struct Places {
    /// The byte at which each character starts, and the end of the text.
    bytes: Vec<u32>,
    /// The character at which each line starts.
    lines: Vec<usize>,
}

impl Places {
    fn new(text: &str) -> Self {
        let (mut bytes, mut lines) = (Vec::with_capacity(text.len() + 1), vec![0]);
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            bytes.push(fit(at));
            let crlf = c == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n');
            if matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}') && !crlf {
                lines.push(bytes.len());
            }
        }
        bytes.push(fit(text.len()));
        Self { bytes, lines }
    }

    /// The byte at a line and column that count from 0.
    fn byte(&self, line: usize, column: usize) -> usize {
        let end = self.bytes.len() - 1;
        let at = self.lines.get(line).map_or(end, |start| start.saturating_add(column).min(end));
        self.bytes[at] as usize
    }
}

/// Files are far smaller than 4 GiB; a larger place is shown at the last one.
fn fit(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// An error's text without the place that `serde_yaml` puts at its end.
fn unplaced(text: &str) -> &str {
    text.rfind(" at line ").map_or(text, |at| &text[..at])
}

/// Line and column, from 0, that `serde_yaml` put at the end of a refusal; the first byte of a file has none.
fn place(refusal: &str) -> (usize, usize) {
    fn read(refusal: &str) -> Option<(usize, usize)> {
        let (_, tail) = refusal.rsplit_once(" at line ")?;
        let (line, column) = tail.split_once(" column ")?;
        Some((line.parse::<usize>().ok()?.checked_sub(1)?, column.parse::<usize>().ok()?.checked_sub(1)?))
    }
    read(refusal).unwrap_or((0, 0))
}

/// Builds the node of one value. A collection has no text of its own and is shown at its key, or else at its
/// first member, or else at what holds it.
#[derive(Clone, Copy)]
struct Seed<'w, 't> {
    walk: &'w Walk<'t>,
    key: Option<Span>,
    outer: Span,
}

impl Seed<'_, '_> {
    fn inside(self) -> Self {
        Self { key: None, outer: self.key.unwrap_or(self.outer), ..self }
    }

    fn collection(self, first: Option<Span>) -> Span {
        self.key.or(first).unwrap_or(self.outer)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        self.walk.count().map_err(D::Error::custom)?;
        let kept = Cell::new(None);
        match from.deserialize_any(Keep { seed: self, kept: &kept }) {
            Ok(node) => Ok(node),
            Err(refusal) => {
                let Some(data) = kept.into_inner() else { return Err(refusal) };
                let (line, column) = place(&refusal.to_string());
                Ok(Node { span: self.walk.scalar(self.walk.places.byte(line, column), &data), data })
            }
        }
    }
}

/// Keeps a scalar and refuses it, so that it gets a place; builds maps and lists.
struct Keep<'k, 'w, 't> {
    seed: Seed<'w, 't>,
    kept: &'k Cell<Option<Data>>,
}

impl Keep<'_, '_, '_> {
    fn keep<E: serde::de::Error>(self, data: Data) -> Result<Node, E> {
        self.kept.set(Some(data));
        Err(E::custom("kept"))
    }
}

impl<'de> Visitor<'de> for Keep<'_, '_, '_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, true or false, a list or a map")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        self.keep(Data::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Node, E> {
        self.keep(Data::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        self.keep(Data::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        self.keep(Data::Number(value.into()))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Node, E> {
        self.keep(Data::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        match Number::from_f64(value) {
            Some(number) => self.keep(Data::Number(number)),
            None => Err(E::custom(NOT_FINITE)),
        }
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Node, E> {
        self.keep(Data::Text(value.to_owned()))
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(A::Error::custom(TAGS))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(self.seed.inside())? {
            items.push(item);
        }
        let span = self.seed.collection(items.first().map(|item: &Node| item.span));
        Ok(Node { span, data: Data::List(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let walk = self.seed.walk;
        let mut entries: Vec<Entry> = Vec::new();
        let mut known = std::collections::HashMap::new();
        while let Some(key) = from.next_key_seed(self.seed.inside())? {
            let span = key.span;
            let value = from.next_value_seed(Seed { walk, key: Some(span), outer: span })?;
            match (&key.data, key_text(&key, walk.text)) {
                (Data::Text(text), _) if text == "<<" => walk.problems.borrow_mut().push(
                    Diagnostic::error("`<<` is not merged here")
                        .at(span)
                        .help("`extends` names another baseline; its controls are merged"),
                ),
                (_, Err(problem)) => walk.problems.borrow_mut().push(*problem),
                (_, Ok(text)) => match known.get(&text) {
                    Some(first) => walk.problems.borrow_mut().push(
                        Diagnostic::error(format!("`{text}` is said twice"))
                            .label(span, "here again")
                            .also(*first, "first here")
                            .help("keep one of them"),
                    ),
                    None => {
                        known.insert(text.clone(), span);
                        entries.push(Entry { key: text, span, value });
                    }
                },
            }
        }
        let span = self.seed.collection(entries.first().map(|entry| entry.span));
        Ok(Node { span, data: Data::Map(entries) })
    }
}

/// A key's text. Anything but text is refused: an account id without quotes would lose its leading zeros.
fn key_text(key: &Node, source: &str) -> Result<String, Box<Diagnostic>> {
    match &key.data {
        Data::Text(text) => Ok(text.clone()),
        Data::List(_) | Data::Map(_) => Err(Box::new(
            Diagnostic::error("a key is text, not a list or a map").at(key.span).help("give it a name"),
        )),
        Data::Null | Data::Bool(_) | Data::Number(_) => {
            let written = source.get(key.span.start as usize..key.span.end as usize).unwrap_or_default();
            Err(Box::new(
                Diagnostic::error(format!("a key is text, not {}", key.kind()))
                    .at(key.span)
                    .help(format!("write it in quotes: \"{written}\"")),
            ))
        }
    }
}
