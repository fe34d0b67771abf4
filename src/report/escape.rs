//! Strings from AWS and YAML are hostile: a repository or an account can be named so that a terminal
//! clears its screen, or shows the text backwards. What is not visible is written out.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Does a terminal act on this character, or a reader not see it?
///
/// Control characters (C0, DEL, C1), bidirectional controls (the "Trojan Source" ones, UAX #9), zero-width
/// and other invisible format characters, line and paragraph separators, and tag characters.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The text with hostile characters made visible: `\n`, `\x1b`, `\u{202e}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    rewrite(text, |c, out| match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if u32::from(c) < 0x100 => push(out, format_args!("\\x{:02x}", u32::from(c))),
        c => push(out, format_args!("{}", c.escape_unicode())),
    })
}

/// Serialised JSON with the hostile characters that JSON lets stand written as `\u202e`: the same document
/// to a program, and harmless to a terminal. Line breaks between values stay.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    rewrite(json, |c, out| match c {
        '\n' => out.push('\n'),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                push(out, format_args!("\\u{unit:04x}"));
            }
        }
    })
}

/// Text as it stands in Markdown, outside of code: hostile characters escaped, and nothing in it read as
/// markup, a mention or a cell's end.
pub fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            '@' => out.push_str("&#64;"),
            '<' => out.push_str("&lt;"),
            '|' => out.push_str("&#124;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    out
}

fn rewrite(text: &str, visible: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hostile(c) { visible(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Writing to a `String` cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_visible() {
        assert_eq!(escape("api\u{1b}[2Jweb\r\n"), "api\\x1b[2Jweb\\r\\n");
        assert_eq!(escape("prod\u{202e}dorp"), "prod\\u{202e}dorp");
        assert_eq!(escape("\u{9b}31m\u{7f}"), "\\x9b31m\\x7f");
        assert_eq!(escape("a\u{200b}b"), "a\\u{200b}b");
    }

    #[test]
    fn plain_text_of_any_script_is_left_alone() {
        assert!(matches!(escape("Müller → 本番 …"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_is_the_same_document_afterwards() {
        let value = serde_json::json!({ "name": "a\u{202e}b\u{9b}c\u{e0041}\u{1b}" });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let safe = escape_json(&text);
        assert!(!safe.chars().any(|c| c != '\n' && is_hostile(c)));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }

    #[test]
    fn markdown_gets_no_mention_no_tag_and_no_cell() {
        assert_eq!(escape_markdown("@ops <b> a|b `x`"), "&#64;ops &lt;b> a&#124;b &#96;x&#96;");
    }
}
