//! Reading typed values out of a tree without stopping at the first mistake.
//!
//! Every reader says what is wrong and gives `None`; the caller goes on with the next field.

use std::collections::BTreeMap;

use crate::desired::node::{Data, Entry, Node};
use crate::diagnostic::{Diagnostic, Span};
use crate::place::AccountId;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }
}

/// What was found wrong so far.
pub type Problems = Vec<Diagnostic>;

/// A map's fields, asked for by name. What nobody asked for is unknown.
pub struct Fields<'n> {
    entries: &'n [Entry],
    span: Span,
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub fn of(node: &'n Node, problems: &mut Problems) -> Option<Self> {
        match &node.data {
            Data::Map(entries) => Some(Self { entries, span: node.span, asked: Vec::new() }),
            _ => {
                problems.push(wrong_type(node, "a map"));
                None
            }
        }
    }

    /// The field's value, unless it is missing or `null`.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (entry.value.data != Data::Null).then_some(&entry.value)
    }

    /// The field's value; missing is an error.
    pub fn require(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let entry = self.entries.iter().find(|entry| entry.key == key);
            let span = entry.map_or(self.span, |entry| entry.span);
            problems.push(Diagnostic::error(format!("`{key}` is missing")).at(span));
        }
        found
    }

    /// Reports every field that nobody asked for.
    pub fn done(self, problems: &mut Problems) {
        for entry in self.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())) {
            let mut problem = Diagnostic::error(format!("unknown field `{}`", entry.key))
                .at(entry.span)
                .suggest(&entry.key, self.asked.iter().copied());
            if problem.helps.is_empty() {
                problem = problem.help(format!("known here: {}", names(&self.asked)));
            }
            problems.push(problem);
        }
    }
}

/// `` `a`, `b`, `c` ``
pub fn names<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

pub fn wrong_type(node: &Node, wanted: &str) -> Diagnostic {
    let problem = Diagnostic::error(format!("expected {wanted}, found {}", node.kind())).at(node.span);
    match (&node.data, wanted) {
        (Data::Number(_) | Data::Bool(_), "text") => problem.help("write it in quotes"),
        (Data::Text(text), "true or false") if matches!(text.as_str(), "yes" | "on" | "no" | "off") => {
            problem.help("YAML 1.2 knows only `true` and `false`")
        }
        _ => problem,
    }
}

pub fn text(node: &Node, problems: &mut Problems) -> Option<Spanned<String>> {
    match &node.data {
        Data::Text(value) if value.trim().is_empty() => {
            problems.push(Diagnostic::error("expected text, found nothing but space").at(node.span));
            None
        }
        Data::Text(value) => Some(Spanned { value: value.clone(), span: node.span }),
        _ => {
            problems.push(wrong_type(node, "text"));
            None
        }
    }
}

pub fn flag(node: &Node, problems: &mut Problems) -> Option<bool> {
    match node.data {
        Data::Bool(value) => Some(value),
        _ => {
            problems.push(wrong_type(node, "true or false"));
            None
        }
    }
}

/// A whole number of at least 1 and at most `most`.
pub fn number(node: &Node, most: u32, problems: &mut Problems) -> Option<u32> {
    within(node, 1, most, problems)
}

/// A whole number of at most `most`; none is a number too.
pub fn count(node: &Node, most: u32, problems: &mut Problems) -> Option<u32> {
    within(node, 0, most, problems)
}

fn within(node: &Node, least: u32, most: u32, problems: &mut Problems) -> Option<u32> {
    let value = match &node.data {
        Data::Number(value) => value.as_u64().and_then(|value| u32::try_from(value).ok()),
        _ => {
            problems.push(wrong_type(node, "a number"));
            return None;
        }
    };
    let value = value.filter(|value| (least..=most).contains(value));
    if value.is_none() {
        let says = format!("expected a whole number from {least} to {most}");
        problems.push(Diagnostic::error(says).at(node.span));
    }
    value
}

/// A number above zero.
pub fn rate(node: &Node, problems: &mut Problems) -> Option<f64> {
    let Data::Number(value) = &node.data else {
        problems.push(wrong_type(node, "a number"));
        return None;
    };
    let value = value.as_f64().filter(|value| *value > 0.0);
    if value.is_none() {
        problems.push(Diagnostic::error("expected a number above zero").at(node.span));
    }
    value
}

pub fn account_id(node: &Node, problems: &mut Problems) -> Option<Spanned<AccountId>> {
    match &node.data {
        Data::Number(written) => {
            problems.push(
                Diagnostic::error("an account id is text")
                    .at(node.span)
                    .help(format!("write it in quotes: \"{written}\" (012345678901 would lose its zero)")),
            );
            None
        }
        _ => account_id_text(&text(node, problems)?, problems),
    }
}

pub fn account_id_text(written: &Spanned<String>, problems: &mut Problems) -> Option<Spanned<AccountId>> {
    match written.value.parse() {
        Ok(value) => Some(Spanned { value, span: written.span }),
        Err(_) => {
            problems.push(
                Diagnostic::error(format!("`{}` is not an account id", written.value))
                    .at(written.span)
                    .help("an account id is 12 digits, in quotes"),
            );
            None
        }
    }
}

/// One word of a few.
pub fn word<T: Copy>(
    node: &Node,
    words: &[(&'static str, T)],
    what: &str,
    problems: &mut Problems,
) -> Option<Spanned<T>> {
    let written = text(node, problems)?;
    match words.iter().find(|(word, _)| *word == written.value) {
        Some((_, value)) => Some(written.map(|_| *value)),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            problems.push(
                Diagnostic::error(format!("`{}` is not {what}", written.value))
                    .at(node.span)
                    .suggest(&written.value, known.iter().copied())
                    .help(format!("one of {}", names(&known))),
            );
            None
        }
    }
}

/// A list, without the members that could not be read.
pub fn list<T>(
    node: &Node,
    problems: &mut Problems,
    mut read: impl FnMut(&Node, &mut Problems) -> Option<T>,
) -> Option<Vec<T>> {
    match &node.data {
        Data::List(items) => Some(items.iter().filter_map(|item| read(item, problems)).collect()),
        _ => {
            problems.push(wrong_type(node, "a list"));
            None
        }
    }
}

/// A map of names to text.
pub fn texts(node: &Node, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    let Data::Map(entries) = &node.data else {
        problems.push(wrong_type(node, "a map"));
        return None;
    };
    let read = |entry: &Entry| Some((entry.key.clone(), text(&entry.value, problems)?.value));
    Some(entries.iter().filter_map(read).collect())
}
