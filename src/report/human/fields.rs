//! What differs, in the YAML's own paths and words.

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::control::{ChangeKind, Field};
use crate::pointer;

use super::super::style::Paint;
use super::super::text::Text;
use super::document;

/// Where fields and notes begin, and where what they say stands.
pub(super) const INDENT: usize = 6;
pub(super) const COLUMN: usize = 23;
/// A key that ends further right than this does not move the values of its siblings.
const LONGEST_KEY: usize = 40;

/// One line a field; leaves of a map stand indented under its key, documents as a diff of their lines.
pub(super) fn write(text: &mut Text<'_>, kind: ChangeKind, fields: &[Field]) {
    let rows: Vec<Row<'_>> = fields.iter().flat_map(|field| rows(kind, field)).collect();
    let mut open: &[String] = &[];
    for row in &rows {
        let shared = open.iter().zip(&row.parents).take_while(|(a, b)| a == b).count();
        for (depth, parent) in row.parents.iter().enumerate().skip(shared) {
            text.labelled(indent(depth), Paint::Plain, parent, COLUMN, "");
        }
        open = &row.parents;
        row.write(text, column(&rows, row));
    }
}

/// A leaf of the spec, or a document.
pub(in crate::report) struct Row<'a> {
    pub(in crate::report) parents: Vec<String>,
    pub(in crate::report) key: String,
    /// Absent where it is created.
    pub(in crate::report) before: Option<&'a Value>,
    pub(in crate::report) after: &'a Value,
}

/// Two columns a level; what lies deeper than eight stands as if it did not.
fn indent(depth: usize) -> usize {
    INDENT + 2 * depth.min(8)
}

/// Values stand under each other; keys too long for the usual column move it for their siblings.
fn column(rows: &[Row<'_>], row: &Row<'_>) -> usize {
    let longest = rows
        .iter()
        .filter(|other| other.parents == row.parents)
        .map(|other| indent(other.parents.len()) + other.key.width())
        .filter(|end| *end <= LONGEST_KEY)
        .max()
        .unwrap_or(0);
    if longest + 2 <= COLUMN { COLUMN } else { longest + 3 }
}

/// The rows of a field: one, or one for each leaf where a whole map is created.
pub(in crate::report) fn rows(kind: ChangeKind, field: &Field) -> Vec<Row<'_>> {
    let before = (kind == ChangeKind::Update).then_some(&field.before);
    let mut path: Vec<String> =
        field.path.trim_start_matches('/').split('/').map(pointer::unescaped).collect();
    // A path through a list has no map to stand under: `rules.0.scanOnPush`.
    if path.iter().any(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())) {
        path = vec![path.join(".")];
    }
    let mut rows = Vec::new();
    leaves(path, before, &field.after, &mut rows);
    rows
}

fn leaves<'a>(mut path: Vec<String>, before: Option<&'a Value>, after: &'a Value, rows: &mut Vec<Row<'a>>) {
    match after {
        Value::Object(map) if before.is_none() && !map.is_empty() && document::is_flat(after) => {
            for (key, value) in map {
                let mut path = path.clone();
                path.push(key.clone());
                leaves(path, None, value, rows);
            }
        }
        _ => {
            let key = path.pop().unwrap_or_default();
            rows.push(Row { parents: path, key, before, after });
        }
    }
}

impl Row<'_> {
    fn write(&self, text: &mut Text<'_>, column: usize) {
        let indent = indent(self.parents.len());
        let after = short(self.after);
        let before = self.before.map(short);
        match (before, after) {
            (None, Some(after)) => text.labelled(indent, Paint::Plain, &self.key, column, &after),
            (Some(Some(before)), Some(after)) => {
                text.labelled(indent, Paint::Plain, &self.key, column, &format!("{before} → {after}"));
            }
            _ => {
                text.labelled(indent, Paint::Plain, &self.key, column, "");
                document::write(text, indent + 2, self.before, self.after);
            }
        }
    }
}

/// A value in one line, as YAML says it; `None` for documents.
pub(in crate::report) fn short(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("not set".to_owned()),
        Value::String(text) if text.is_empty() => Some("\"\"".to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(items) if items.is_empty() => Some("[]".to_owned()),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            let items: Option<Vec<String>> = items.iter().map(short).collect();
            items.map(|items| items.join(", "))
        }
        Value::Object(map) if map.is_empty() => Some("{}".to_owned()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
