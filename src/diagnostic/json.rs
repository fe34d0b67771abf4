//! Diagnostics for programs.

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Sources};

/// A list of objects: `severity`, `title`, `labels` (`file`, `line`, `column`, `endLine`, `endColumn`, `text`,
/// `primary`), `help` and `notes`. Lines and columns count from 1; the end is exclusive.
pub fn json(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    diagnostics.iter().map(|diagnostic| one(diagnostic, sources)).collect()
}

fn one(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let start = sources.position(label.span);
            let end = sources.position(crate::diagnostic::Span { start: label.span.end, ..label.span });
            json!({
                "file": &*start.file,
                "line": start.line,
                "column": start.column,
                "endLine": end.line,
                "endColumn": end.column,
                "text": label.text,
                "primary": label.primary,
            })
        })
        .collect();
    json!({
        "severity": diagnostic.severity,
        "title": diagnostic.title,
        "labels": labels,
        "help": diagnostic.helps,
        "notes": diagnostic.notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn says_where_in_lines_and_columns() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "a: 1\nbb: 2\n".into());
        let value = json(&[Diagnostic::error("no").at(Span { file, start: 5, end: 7 })], &sources);
        assert_eq!(value[0]["labels"][0]["line"], 2);
        assert_eq!(value[0]["labels"][0]["endColumn"], 3);
        assert_eq!(value[0]["severity"], "error");
    }
}
