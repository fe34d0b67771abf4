//! Documents (policies, selectors) as a line diff of canonical JSON: only what changes, the braces round it,
//! and one object of context.

use serde_json::Value;
use similar::{Algorithm, ChangeTag, capture_diff_slices};

use super::super::style::Paint;
use super::super::text::Text;

/// Is every leaf a scalar or a list of scalars, so that lines of keys say it better than JSON does?
pub(super) fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_flat),
        Value::Array(items) => items.iter().all(|item| !item.is_array() && !item.is_object()),
        _ => true,
    }
}

/// Writes the diff; `before` is `None` where there was nothing before.
pub(super) fn write(text: &mut Text<'_>, indent: usize, before: Option<&Value>, after: &Value) {
    for row in compared(before, after, text.style().width() - indent - 2) {
        let (paint, sign) = match row.tag {
            ChangeTag::Equal => (Paint::Plain, ' '),
            ChangeTag::Insert => (Paint::Create, '+'),
            ChangeTag::Delete => (Paint::Alert, '-'),
        };
        text.verbatim(indent, paint, &format!("{sign} {}{}", "  ".repeat(row.line.depth), row.line.text));
    }
}

/// The lines that are shown of two documents, each at most `width` wide where it can be broken.
pub(in crate::report) fn compared(before: Option<&Value>, after: &Value, width: usize) -> Vec<Row> {
    let old = before.filter(|value| !value.is_null()).map(|value| lines(value, width)).unwrap_or_default();
    let new = lines(after, width);
    shown(&diff(&old, &new))
}

/// A line of canonical JSON. Without commas: a comma that comes or goes with a neighbour is no change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::report) struct Line {
    pub(in crate::report) depth: usize,
    pub(in crate::report) text: String,
}

#[derive(Clone)]
pub(in crate::report) struct Row {
    pub(in crate::report) tag: ChangeTag,
    pub(in crate::report) line: Line,
}

/// Keys sorted, two spaces a level, and whatever is small on one line.
fn lines(value: &Value, width: usize) -> Vec<Line> {
    let mut out = Vec::new();
    write_lines(value, "", 0, width, &mut out);
    out
}

fn write_lines(value: &Value, label: &str, depth: usize, width: usize, out: &mut Vec<Line>) {
    let inline = format!("{label}{}", inline(value));
    let (open, close) = match value {
        Value::Array(items) if !items.is_empty() => ('[', "]"),
        Value::Object(map) if !map.is_empty() => ('{', "}"),
        _ => return out.push(Line { depth, text: inline }),
    };
    if levels(value) <= 2 && depth > 0 && 2 * depth + inline.len() <= width {
        return out.push(Line { depth, text: inline });
    }
    out.push(Line { depth, text: format!("{label}{open}") });
    match value {
        Value::Array(items) => {
            for item in items {
                write_lines(item, "", depth + 1, width, out);
            }
        }
        Value::Object(map) => {
            for (key, value) in sorted(map) {
                write_lines(value, &format!("{}: ", quoted(key)), depth + 1, width, out);
            }
        }
        _ => {}
    }
    out.push(Line { depth, text: close.to_owned() });
}

fn sorted(map: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// `{ "Field": "readOnly", "Equals": ["false"] }`.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries: Vec<String> = sorted(map)
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), inline(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// How many containers stand in each other.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn diff(old: &[Line], new: &[Line]) -> Vec<Row> {
    capture_diff_slices(Algorithm::Patience, old, new)
        .iter()
        .flat_map(|op| {
            let deleted = match op.as_tag_tuple() {
                (similar::DiffTag::Equal, ..) => &[][..],
                (_, range, _) => &old[range],
            };
            let (tag, inserted) = match op.as_tag_tuple() {
                (similar::DiffTag::Equal, _, range) => (ChangeTag::Equal, &new[range]),
                (_, _, range) => (ChangeTag::Insert, &new[range]),
            };
            let deleted = deleted.iter().map(|line| Row { tag: ChangeTag::Delete, line: line.clone() });
            deleted.chain(inserted.iter().map(move |line| Row { tag, line: line.clone() }))
        })
        .collect()
}

/// Changed lines, the brackets round them, and for each run of changes one object to know it by: the rest of
/// the object that it is in, or the one before it in a list.
fn shown(rows: &[Row]) -> Vec<Row> {
    let mut keep: Vec<bool> = rows.iter().map(|row| row.tag != ChangeTag::Equal).collect();
    for at in (0..rows.len()).filter(|at| rows[*at].tag != ChangeTag::Equal) {
        let depth = rows[at].line.depth;
        mark_round(rows, &mut keep, (0..at).rev(), depth);
        mark_round(rows, &mut keep, at + 1..rows.len(), depth);
        let same = |at: usize| rows[at].tag == ChangeTag::Equal;
        let open = (0..at).rev().find(|before| rows[*before].line.depth < depth);
        match open.filter(|open| rows[*open].line.text.ends_with('{')) {
            Some(open) if same(open) => mark_members(rows, &mut keep, open),
            None if at > 0 && same(at - 1) => mark_sibling(rows, &mut keep, at, depth),
            _ => {}
        }
    }
    rows.iter().zip(keep).filter(|(_, keep)| *keep).map(|(row, _)| row.clone()).collect()
}

/// Opening lines before, or closing lines after: whatever stands further out than all between.
fn mark_round(rows: &[Row], keep: &mut [bool], way: impl Iterator<Item = usize>, mut depth: usize) {
    for at in way {
        if rows[at].line.depth < depth {
            depth = rows[at].line.depth;
            keep[at] = true;
        }
    }
}

/// The members of the object that opens at `open` which take one line each.
fn mark_members(rows: &[Row], keep: &mut [bool], open: usize) {
    let depth = rows[open].line.depth;
    for at in (open + 1..rows.len()).take_while(|at| rows[*at].line.depth > depth) {
        let text = &rows[at].line.text;
        keep[at] |=
            rows[at].line.depth == depth + 1 && !text.ends_with(['{', '[']) && text != "}" && text != "]";
    }
}

/// The value that ends just before `at`, where it is at the same level.
fn mark_sibling(rows: &[Row], keep: &mut [bool], at: usize, depth: usize) {
    for before in (0..at).rev() {
        let line = &rows[before].line;
        if line.depth < depth || rows[before].tag != ChangeTag::Equal {
            return;
        }
        keep[before] = true;
        let closes = line.text == "]" || line.text == "}";
        if line.depth == depth && !closes {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::Style;

    fn diff_of(before: &Value, after: &Value) -> String {
        let style = Style::plain();
        let mut text = Text::new(&style);
        write(&mut text, 0, Some(before), after);
        text.finish()
    }

    #[test]
    fn only_what_changes_and_one_object_of_context() {
        let statement = |sid: &str, action: &str| {
            json!({ "Sid": sid, "Effect": "Allow", "Action": action,
                    "Condition": { "StringEquals": { "aws:SourceOrgID": ["o-a1b2c3d4e5"] } } })
        };
        let before = json!({ "Version": "2012-10-17", "Statement": [
            statement("one", "s3:GetObject"), statement("two", "s3:GetObject"), statement("three", "s3:GetObject") ] });
        let mut after = before.clone();
        after["Statement"][2]["Action"] = json!("s3:PutObject");
        insta::assert_snapshot!(diff_of(&before, &after), @r#"
          {
            "Statement": [
              {
        -       "Action": "s3:GetObject"
        +       "Action": "s3:PutObject"
                "Effect": "Allow"
                "Sid": "three"
              }
            ]
          }
        "#);
    }

    #[test]
    fn an_added_object_is_added_whole() {
        let management = json!({ "Name": "Management events",
            "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["Management"] }] });
        let objects = json!({ "Name": "S3 object writes", "FieldSelectors": [
            { "Field": "eventCategory", "Equals": ["Data"] },
            { "Field": "readOnly", "Equals": ["false"] },
            { "Field": "resources.type", "Equals": ["AWS::S3::Object"] } ] });
        insta::assert_snapshot!(diff_of(&json!([management]), &json!([management, objects])), @r#"
          [
            {
              "FieldSelectors": [
                { "Equals": ["Management"], "Field": "eventCategory" }
              ]
              "Name": "Management events"
            }
        +   {
        +     "FieldSelectors": [
        +       { "Equals": ["Data"], "Field": "eventCategory" }
        +       { "Equals": ["false"], "Field": "readOnly" }
        +       { "Equals": ["AWS::S3::Object"], "Field": "resources.type" }
        +     ]
        +     "Name": "S3 object writes"
        +   }
          ]
        "#);
    }

    #[test]
    fn the_order_of_keys_is_no_difference() {
        let one: Value = serde_json::from_str(r#"[{"a": 1, "b": {"c": [{}]}}]"#).unwrap();
        let two: Value = serde_json::from_str(r#"[{"b": {"c": [{}]}, "a": 1}]"#).unwrap();
        assert_eq!(diff_of(&one, &two), "");
    }
}
