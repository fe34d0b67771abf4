//! Documents as lines that people read: what changes, and one object of context.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// A line of a document's diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub sign: Sign,
    /// Indented by two spaces for each level, counted from the outermost line that is shown.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Same,
    Added,
    Removed,
    /// Lines that do not differ and are not shown.
    Skipped,
}

/// A document in one form only: keys sorted, two spaces for each level, and whatever fits on one line of
/// [`WIDTH`] columns on one line.
pub fn canonical(document: &Value) -> Vec<String> {
    let mut lines = vec![String::new()];
    write(document, 0, &mut lines);
    lines
}

/// Columns of a canonical line. With the indentation of a plan it stays within 80.
pub const WIDTH: usize = 64;

fn write(value: &Value, level: usize, lines: &mut Vec<String>) {
    let inline = inline(value);
    let used = lines.last().map_or(0, |line| line.chars().count());
    let is_empty =
        value.as_object().is_none_or(|map| map.is_empty()) && value.as_array().is_none_or(Vec::is_empty);
    // One column is kept for the comma that may follow.
    if is_empty || used + inline.chars().count() < WIDTH {
        return append(lines, &inline);
    }
    let indent = "  ".repeat(level + 1);
    let (open, close) = if value.is_object() { ("{", "}") } else { ("[", "]") };
    append(lines, open);
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, inner)| (format!("{}: ", quoted(key)), inner)).collect(),
        Value::Array(list) => list.iter().map(|inner| (String::new(), inner)).collect(),
        _ => Vec::new(),
    };
    for (index, (key, inner)) in entries.iter().enumerate() {
        lines.push(format!("{indent}{key}"));
        write(inner, level + 1, lines);
        if index + 1 < entries.len() {
            append(lines, ",");
        }
    }
    lines.push(format!("{}{close}", "  ".repeat(level)));
}

fn append(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// `{ "Field": "eventCategory", "Equals": ["Management"] }`
fn inline(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "{}".into(),
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, inner)| format!("{}: {}", quoted(key), self::inline(inner))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        leaf => leaf.to_string(),
    }
}

/// What changes between two documents, each place with the object before it and the line that closes it.
/// Nothing where they are equal.
pub fn lines(before: &Value, after: &Value) -> Vec<Line> {
    if before == after {
        return Vec::new();
    }
    let (old, new) = (canonical(before), canonical(after));
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
    let all: Vec<Line> = TextDiff::from_slices(&old, &new)
        .iter_all_changes()
        .map(|change| Line {
            sign: match change.tag() {
                ChangeTag::Equal => Sign::Same,
                ChangeTag::Insert => Sign::Added,
                ChangeTag::Delete => Sign::Removed,
            },
            text: (*change.value()).to_owned(),
        })
        .collect();
    fold(&all)
}

fn indent(line: &Line) -> usize {
    line.text.len() - line.text.trim_start_matches(' ').len()
}

/// Keeps what changes and its context, and takes the common indentation off.
fn fold(all: &[Line]) -> Vec<Line> {
    let mut shown = vec![false; all.len()];
    let mut at = 0;
    while let Some(start) = (at..all.len()).find(|index| all[*index].sign != Sign::Same) {
        let end = (start..all.len()).find(|index| all[*index].sign == Sign::Same).unwrap_or(all.len());
        let level = all[start..end].iter().map(indent).min().unwrap_or(0);
        // Up to where the object before begins, or the one around; down to where this one is closed.
        let first = (0..start).rev().find(|index| indent(&all[*index]) <= level).unwrap_or(start);
        let last = (end..all.len()).find(|index| indent(&all[*index]) <= level).unwrap_or(end);
        for line in shown.iter_mut().take(last + 1).skip(first) {
            *line = true;
        }
        at = end;
    }
    let kept = || all.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(line, _)| line);
    let margin = kept().map(indent).min().unwrap_or(0);
    let mut out: Vec<Line> = Vec::new();
    for (line, shown) in all.iter().zip(&shown) {
        if *shown {
            out.push(Line { sign: line.sign, text: line.text[margin..].to_owned() });
        } else if out.last().is_some_and(|last| last.sign != Sign::Skipped) {
            out.push(Line { sign: Sign::Skipped, text: String::new() });
        }
    }
    out.truncate(out.iter().rposition(|line| line.sign != Sign::Skipped).map_or(0, |last| last + 1));
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn shown(before: &Value, after: &Value) -> String {
        let line = |line: &Line| match line.sign {
            Sign::Same => format!("  {}", line.text),
            Sign::Added => format!("+ {}", line.text),
            Sign::Removed => format!("- {}", line.text),
            Sign::Skipped => "  …".into(),
        };
        lines(before, after).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn selector(name: &str, fields: &[&str]) -> Value {
        let fields: Vec<Value> =
            fields.iter().map(|field| json!({"Equals": ["x"], "Field": field})).collect();
        json!({"FieldSelectors": fields, "Name": name})
    }

    #[test]
    fn a_list_that_grows_shows_the_object_before() {
        let management = selector("Management events", &["eventCategory"]);
        let other = selector("Something else that comes first", &["readOnly", "resources.type"]);
        let data = selector("S3 object writes", &["eventCategory", "readOnly", "resources.type"]);
        let expected = [
            r#"  {"#,
            r#"    "FieldSelectors": ["#,
            r#"      { "Equals": ["x"], "Field": "eventCategory" }"#,
            r#"    ],"#,
            r#"    "Name": "Management events""#,
            r#"+ },"#,
            r#"+ {"#,
            r#"+   "FieldSelectors": ["#,
            r#"+     { "Equals": ["x"], "Field": "eventCategory" },"#,
            r#"+     { "Equals": ["x"], "Field": "readOnly" },"#,
            r#"+     { "Equals": ["x"], "Field": "resources.type" }"#,
            r#"+   ],"#,
            r#"+   "Name": "S3 object writes""#,
            r#"  }"#,
        ];
        assert_eq!(
            shown(&json!([other, management]), &json!([other, management, data])),
            expected.join("\n")
        );
    }

    #[test]
    fn small_documents_are_one_line_and_equal_ones_none() {
        let (old, new) = (json!({"days": 7}), json!({"days": 30}));
        assert_eq!(shown(&old, &new), "- { \"days\": 7 }\n+ { \"days\": 30 }");
        assert_eq!(lines(&old, &old), []);
        assert_eq!(canonical(&json!({"b": [], "a": {}})), ["{ \"a\": {}, \"b\": [] }"]);
    }

    #[test]
    fn lines_stay_within_the_width_where_a_leaf_does() {
        let wide = json!({"list": vec!["twelve chars"; 9], "map": {"a": {"b": vec![1; 40]}}});
        assert!(canonical(&wide).iter().all(|line| line.chars().count() <= WIDTH), "{:#?}", canonical(&wide));
        let text = canonical(&wide).join("\n");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), wide);
    }

    proptest! {
        #[test]
        fn canonical_text_is_the_document(keys in prop::collection::btree_map("\\PC{0,20}", any::<u32>(), 0..9)) {
            let document = json!({"inner": keys, "list": [keys]});
            let text = canonical(&document).join("\n");
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
        }

        #[test]
        fn every_change_is_shown(a in prop::collection::vec(0u8..4, 0..40), b in prop::collection::vec(0u8..4, 0..40)) {
            let found = lines(&json!(a), &json!(b));
            let changed = found.iter().any(|line| matches!(line.sign, Sign::Added | Sign::Removed));
            prop_assert_eq!(changed, a != b);
        }
    }
}
