//! Diagnostics for people, in the manner of rustc.

use std::collections::BTreeSet;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Label, Severity, Source, Sources, printable};

/// Wider than a plan, because a line of YAML with its gutter should stay whole.
const WIDTH: usize = 120;

/// Beyond, nobody reads on, and a file of nonsense would fill the disk of a CI runner.
const MOST_SHOWN: usize = 200;

/// Every diagnostic with the lines it is about, and a line of totals; empty when there are none.
pub fn human(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(MOST_SHOWN) {
        out.push_str(&renderer.render(&[group(diagnostic, sources)]));
        out.push_str("\n\n");
    }
    if diagnostics.len() > MOST_SHOWN {
        out.push_str(&format!("… and {} more\n\n", diagnostics.len() - MOST_SHOWN));
    }
    out.push_str(&totals(diagnostics));
    out.push('\n');
    out
}

fn group<'a>(diagnostic: &Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(printable(&diagnostic.title)));
    let mut shown = BTreeSet::new();
    for label in &diagnostic.labels {
        let Some(source) = sources.get(label.span.file).filter(|_| shown.insert(label.span.file)) else {
            continue;
        };
        if source.text.is_empty() {
            group = group.element(Origin::path(printable(&source.name)).line(1).char_column(1));
        } else {
            let here = diagnostic.labels.iter().filter(|other| other.span.file == label.span.file);
            group = group.element(snippet(source, here));
        }
    }
    for help in &diagnostic.helps {
        group = group.element(Level::HELP.message(printable(help)));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    group
}

/// The lines from the first label to the last: the renderer need not look at the rest of the file.
fn snippet<'a, 'l>(
    source: &'a Source,
    labels: impl Iterator<Item = &'l Label> + Clone,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let first = labels.clone().map(|label| source.line_of(label.span.start as usize)).min().unwrap_or(0);
    let last = labels.clone().map(|label| source.line_of(label.span.start as usize)).max().unwrap_or(0);
    let window = source.line(first).start..source.line(last).end;
    let annotations = labels.map(|label| {
        let start = (label.span.start as usize).clamp(window.start, window.end);
        let end = (label.span.end as usize).clamp(start, window.end);
        let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(start - window.start..end - window.start);
        if label.text.is_empty() { annotation } else { annotation.label(printable(&label.text)) }
    });
    Snippet::source(source.text.get(window.clone()).unwrap_or_default())
        .line_start(first + 1)
        .path(printable(&source.name))
        .annotations(annotations)
}

fn totals(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let files: BTreeSet<u32> =
        diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels).map(|label| label.span.file).collect();
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(count(errors, "error"));
    }
    if warnings > 0 {
        parts.push(count(warnings, "warning"));
    }
    let mut line = parts.join(", ");
    if !files.is_empty() {
        line.push_str(&format!(" in {}", count(files.len(), "file")));
    }
    if errors > 0 {
        line.push_str("; nothing was observed");
    }
    line
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn span(file: u32, text: &str, word: &str) -> Span {
        let start = text.find(word).unwrap();
        Span { file, start: u32::try_from(start).unwrap(), end: u32::try_from(start + word.len()).unwrap() }
    }

    #[test]
    fn looks_like_rustc_and_ends_with_totals() {
        let one = "spec:\n  controls:\n    iam.password-policy:\n      minLength: 14\n";
        let two = "a: 1\nmode: \u{1b}[31mred\n";
        let mut sources = Sources::default();
        let first = sources.add("desired-state/baselines/recommended.yaml", one.into());
        let second = sources.add("desired-state/b.yaml", two.into());
        let text = human(
            &[
                Diagnostic::error("unknown field `minLength`")
                    .at(span(first, one, "minLength"))
                    .help("did you mean `minimumLength`?"),
                Diagnostic::warning("two \u{1b}[31m places")
                    .label(span(second, two, "mode"), "here")
                    .also(span(first, one, "controls"), "and there")
                    .note("why"),
            ],
            &sources,
            false,
        );
        insta::assert_snapshot!(text, @r"
        error: unknown field `minLength`
         --> desired-state/baselines/recommended.yaml:4:7
          |
        4 |       minLength: 14
          |       ^^^^^^^^^
          |
          = help: did you mean `minimumLength`?

        warning: two \u{1b}[31m places
         --> desired-state/b.yaml:2:1
          |
        2 | mode: ␛[31mred
          | ^^^^ here
          |
         ::: desired-state/baselines/recommended.yaml:2:3
          |
        2 |   controls:
          |   -------- and there
          |
          = note: why

        1 error, 1 warning in 2 files; nothing was observed
        ");
    }

    #[test]
    fn a_file_without_text_is_named_all_the_same() {
        let mut sources = Sources::default();
        let file = sources.add("big.yaml", String::new());
        let text =
            human(&[Diagnostic::error("too large").at(Span { file, start: 0, end: 0 })], &sources, false);
        insta::assert_snapshot!(text, @"
        error: too large
        --> big.yaml:1:1

        1 error in 1 file; nothing was observed
        ");
    }

    #[test]
    fn nothing_to_say_is_nothing() {
        assert_eq!(human(&[], &Sources::default(), true), "");
    }
}
