//! A YAML document as a tree in which everything knows where it stands.

use serde_json::{Map, Number, Value};

use crate::diagnostic::Span;
use crate::pointer;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// A scalar's own text. A map or list in block style has no text of its own: the key it belongs to, or
    /// else its first member.
    pub span: Span,
    pub data: Data,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key, where it stands, and its value. Keys of one map are distinct.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub span: Span,
    pub value: Node,
}

impl Node {
    /// What kind of value this is, in the words of people who write YAML.
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "true or false",
            Data::Number(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value without its places. A `null` inside a map is left out where `nulls` is false: it says that
    /// an inherited value is not managed, which is no value.
    pub fn to_json(&self, nulls: bool) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(value) => Value::Number(value.clone()),
            Data::Text(value) => Value::String(value.clone()),
            Data::List(items) => items.iter().map(|item| item.to_json(nulls)).collect(),
            Data::Map(entries) => entries
                .iter()
                .filter(|entry| nulls || entry.value.data != Data::Null)
                .map(|entry| (entry.key.clone(), entry.value.to_json(nulls)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// The deepest node on the way of a JSON pointer that exists.
    pub fn locate(&self, pointer: &str) -> &Self {
        let mut at = self;
        for segment in segments(pointer) {
            match at.step(&segment) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    fn step(&self, segment: &str) -> Option<&Self> {
        match &self.data {
            Data::Map(_) => self.get(segment).map(|entry| &entry.value),
            Data::List(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Where the last key of a JSON pointer stands.
    pub fn locate_key(&self, pointer: &str) -> Option<Span> {
        let (parent, key) = pointer.rsplit_once('/')?;
        let at = segments(parent).try_fold(self, |at, segment| at.step(&segment))?;
        at.get(&pointer::unescaped(key)).map(|entry| entry.span)
    }
}

/// The parts of a JSON pointer (RFC 6901).
pub fn segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(pointer::unescaped)
}

/// One more part on a JSON pointer.
pub fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", pointer::escaped(key))
}
