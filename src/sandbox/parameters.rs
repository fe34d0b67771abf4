//! A request's parameters as CloudTrail writes them, from the Debug text of the SDK's typed input.
//!
//! Names become camelCase, what was not said is left out, and enums stand as the SDK calls their variants.

use serde_json::{Map, Value};

/// `Input { repository_name: Some("web") }` as `{"repositoryName": "web"}`; `null` where the text has another form.
pub(super) fn of(text: &str) -> Value {
    let mut reader = Reader { left: text };
    reader.value(0).filter(|_| reader.left.is_empty()).unwrap_or(Value::Null)
}

/// Deeper than any input; more is not read.
const DEEPEST: usize = 64;

struct Reader<'t> {
    left: &'t str,
}

impl<'t> Reader<'t> {
    fn take(&mut self, token: &str) -> bool {
        match self.left.strip_prefix(token) {
            Some(rest) => {
                self.left = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// Letters, digits, and what stands inside numbers and paths.
    fn word(&mut self) -> &'t str {
        let end = self.left.find(|c: char| !(c.is_alphanumeric() || "_.-+:".contains(c)));
        let (word, rest) = self.left.split_at(end.unwrap_or(self.left.len()));
        // The colon after a field's name is not of it.
        let (word, rest) = match word.strip_suffix(':') {
            Some(name) => (name, &self.left[name.len()..]),
            None => (word, rest),
        };
        self.left = rest.trim_start();
        word
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        if self.left.starts_with('"') {
            return self.text().map(Value::String);
        }
        if self.take("[") {
            return self.list("]", depth);
        }
        if self.take("{") {
            return self.map(depth);
        }
        let name = self.word();
        if self.take("(") {
            let Value::Array(mut inside) = self.list(")", depth)? else { return None };
            return Some(if inside.len() == 1 { inside.remove(0) } else { Value::Array(inside) });
        }
        if self.take("{") {
            return self.map(depth);
        }
        Some(match name {
            "" => return None,
            "None" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            other => other.parse::<i64>().map_or_else(|_| Value::String(other.to_owned()), Value::from),
        })
    }

    fn list(&mut self, end: &str, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.value(depth + 1)?);
            if !self.take(",") && !self.left.starts_with(end) {
                return None;
            }
        }
        Some(Value::Array(items))
    }

    /// Fields of a struct, or entries of a map.
    fn map(&mut self, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        while !self.take("}") {
            if self.take("..") {
                continue;
            }
            let key = if self.left.starts_with('"') { self.text()? } else { camel(self.word()) };
            if !self.take(":") {
                return None;
            }
            let value = self.value(depth + 1)?;
            if !value.is_null() {
                map.insert(key, value);
            }
            if !self.take(",") && !self.left.starts_with('}') {
                return None;
            }
        }
        Some(Value::Object(map))
    }

    /// A quoted text, with the escapes that Debug writes.
    fn text(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.left.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.left = self.left[at + 1..].trim_start();
                    return Some(out);
                }
                '\\' => match chars.next()?.1 {
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    '0' => out.push('\0'),
                    'u' => {
                        let hex: String =
                            chars.by_ref().map(|(_, c)| c).skip(1).take_while(|c| *c != '}').collect();
                        out.push(u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)?);
                    }
                    other => out.push(other),
                },
                other => out.push(other),
            }
        }
        None
    }
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_debug_text_of_an_input_becomes_json() {
        let text = r#"PutInput { registry_id: None, repository_name: Some("payments/web"), tags: Some([Tag { key: "a \"b\"", value: Some("x\ny\u{7}") }]), image_scanning: Some(Scanning { scan_on_push: false, depth: 3 }), kind: Some(Enhanced), map: {"a": 1} }"#;
        assert_eq!(
            of(text),
            json!({
                "repositoryName": "payments/web",
                "tags": [{ "key": "a \"b\"", "value": "x\ny\u{7}" }],
                "imageScanning": { "scanOnPush": false, "depth": 3 },
                "kind": "Enhanced",
                "map": { "a": 1 },
            })
        );
        assert_eq!(of("Empty"), json!("Empty"));
        assert_eq!(of("Input { broken: "), Value::Null);
        assert_eq!(of(""), Value::Null);
    }

    #[test]
    fn what_the_sdk_hides_stays_hidden() {
        let text = r#"Input { secret: "*** Sensitive Data Redacted ***" }"#;
        assert_eq!(of(text), json!({ "secret": "*** Sensitive Data Redacted ***" }));
    }
}
