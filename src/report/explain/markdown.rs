//! The little Markdown that controls document themselves in, as terminal text: headings, paragraphs, lists and
//! indented or fenced blocks.

use super::super::style::Paint;
use super::super::text::Text;

pub(super) fn write(text: &mut Text<'_>, markdown: &str) {
    let mut paragraph = String::new();
    let mut fenced = false;
    for line in markdown.trim_matches('\n').lines() {
        if line.trim_start().starts_with("```") {
            flush(text, &mut paragraph);
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") && paragraph.is_empty() {
            text.verbatim(2, Paint::Plain, line.trim_end());
        } else if line.trim().is_empty() {
            flush(text, &mut paragraph);
            text.gap();
        } else if line.starts_with('#') {
            flush(text, &mut paragraph);
            text.gap();
            text.paragraph(0, Paint::Strong, line.trim_start_matches('#').trim());
        } else {
            if is_item(line) {
                flush(text, &mut paragraph);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    flush(text, &mut paragraph);
}

/// Does the line begin a list item, `- ` or `1. `?
fn is_item(line: &str) -> bool {
    marker(line.trim_start()).is_some()
}

fn marker(line: &str) -> Option<&str> {
    let (marker, _) = line.split_once(' ')?;
    let numbered = marker.strip_suffix('.').is_some_and(|n| n.parse::<u32>().is_ok());
    (numbered || marker == "-" || marker == "*").then_some(marker)
}

fn flush(text: &mut Text<'_>, paragraph: &mut String) {
    if paragraph.is_empty() {
        return;
    }
    match marker(paragraph) {
        Some(marker) => {
            let rest = paragraph[marker.len()..].trim_start();
            text.labelled(2, Paint::Plain, marker, 2 + marker.len() + 1, rest);
        }
        None => text.paragraph(2, Paint::Plain, paragraph),
    }
    paragraph.clear();
}
