//! The fields of a spec, read from its JSON Schema.

use schemars::Schema;
use serde_json::{Map, Value};

/// Specs are shallow; a schema that refers to itself would go on for ever.
const DEEPEST: usize = 8;

/// One field of a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldDoc {
    /// `<name>` stands for any key of a map, `[]` for any member of a list.
    segments: Vec<String>,
    /// What can stand there: `true or false`, ``an integer from 6 to 128``.
    pub(super) values: String,
    pub(super) description: String,
}

impl FieldDoc {
    /// `features.<name>`, `rules[].scanOnPush`.
    pub(super) fn path(&self) -> String {
        self.segments.join(".").replace(".[]", "[]")
    }

    /// Does a path as people type it name this field? `features.RDS_LOGIN_EVENTS`, `rules.0.scanOnPush` and
    /// `rules.scanOnPush` do.
    pub(super) fn is(&self, typed: &str) -> bool {
        let typed = typed.replace("[]", "");
        let typed: Vec<&str> = typed.split('.').filter(|part| part.parse::<usize>().is_err()).collect();
        let own: Vec<&String> = self.segments.iter().filter(|segment| *segment != "[]").collect();
        let same = |(own, typed): (&&String, &&str)| *own == typed || own.as_str() == "<name>";
        own.len() == typed.len() && own.iter().zip(&typed).all(same)
    }

    pub(super) fn is_below(&self, other: &Self) -> bool {
        self.segments.len() > other.segments.len() && self.segments.starts_with(&other.segments)
    }

    /// Values and description in one line.
    pub(super) fn sentence(&self) -> String {
        let description = self.description.split_whitespace().collect::<Vec<_>>().join(" ");
        if description.is_empty() { self.values.clone() } else { format!("{}. {description}", self.values) }
    }
}

/// Every field, in the order in which the schema has them, a map's or list's before what is in it.
pub(super) fn of(schema: &Schema) -> Vec<FieldDoc> {
    let mut fields = Vec::new();
    Reader { root: schema.as_value() }.read(schema.as_value(), &mut Vec::new(), &mut fields);
    fields
}

struct Reader<'a> {
    root: &'a Value,
}

impl<'a> Reader<'a> {
    fn read(&self, node: &'a Value, path: &mut Vec<String>, fields: &mut Vec<FieldDoc>) {
        if path.len() >= DEEPEST {
            return;
        }
        let node = self.resolve(node);
        let properties = node.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            self.member(name, property, path, fields);
        }
        if let Some(values) = node.get("additionalProperties").filter(|values| values.is_object()) {
            self.member("<name>", values, path, fields);
        }
        if let Some(items) = node.get("items") {
            path.push("[]".to_owned());
            self.read(items, path, fields);
            path.pop();
        }
    }

    fn member(&self, name: &str, node: &'a Value, path: &mut Vec<String>, fields: &mut Vec<FieldDoc>) {
        path.push(name.to_owned());
        let description = description(node).or_else(|| description(self.resolve(node))).unwrap_or_default();
        fields.push(FieldDoc { segments: path.clone(), values: self.values(node), description });
        self.read(node, path, fields);
        path.pop();
    }

    /// Follows references, and takes the one real alternative of "this or null".
    fn resolve(&self, mut node: &'a Value) -> &'a Value {
        for _ in 0..DEEPEST {
            let reference = node.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
            if let Some(target) = reference.and_then(|pointer| self.root.pointer(pointer)) {
                node = target;
                continue;
            }
            let real: Vec<&Value> = alternatives(node).filter(|node| !is_null(node)).collect();
            match real.as_slice() {
                [one] => node = one,
                _ => break,
            }
        }
        node
    }

    /// What can stand there, in words.
    fn values(&self, node: &'a Value) -> String {
        let node = self.resolve(node);
        if let Some(words) = words(node) {
            return or(&words);
        }
        let mut kinds: Vec<String> =
            alternatives(node).filter(|node| !is_null(node)).map(|node| self.values(node)).collect();
        if kinds.is_empty() {
            kinds = types(node).into_iter().map(|kind| self.kind(kind, node)).collect();
        }
        kinds.dedup();
        if kinds.is_empty() { "any value".to_owned() } else { kinds.join(", or ") }
    }

    fn kind(&self, kind: &str, node: &'a Value) -> String {
        match kind {
            "boolean" => "true or false".to_owned(),
            "integer" | "number" => number(kind, node),
            "array" => match node.get("items").map(|items| self.resolve(items)) {
                Some(items) if items.get("properties").is_some() => "a list".to_owned(),
                Some(items) => format!("a list: {}", self.values(items)),
                None => "a list".to_owned(),
            },
            "object" => "a map".to_owned(),
            _ => match node.get("format").and_then(Value::as_str) {
                Some("template") => {
                    "text, with {account}, {region}, {partition} and {organization} filled in".to_owned()
                }
                _ => "text".to_owned(),
            },
        }
    }
}

/// The alternatives of `anyOf` or `oneOf`.
fn alternatives(node: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"].into_iter().filter_map(|key| node.get(key)?.as_array()).flatten()
}

fn is_null(node: &Value) -> bool {
    node.get("type").and_then(Value::as_str) == Some("null") || node.get("const") == Some(&Value::Null)
}

/// The types that a node names, without `null`.
fn types(node: &Value) -> Vec<&str> {
    match node.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).filter(|t| *t != "null").collect(),
        _ if node.get("properties").is_some() => vec!["object"],
        _ => Vec::new(),
    }
}

/// The words of an enumeration; variants with a description of their own are alternatives of one word each.
fn words(node: &Value) -> Option<Vec<String>> {
    if let Some(word) = node.get("const") {
        return Some(vec![word_of(word)]);
    }
    if let Some(words) = node.get("enum").and_then(Value::as_array) {
        return Some(words.iter().filter(|word| !word.is_null()).map(word_of).collect());
    }
    let variants: Vec<Vec<String>> =
        alternatives(node).filter(|node| !is_null(node)).map(words).collect::<Option<_>>()?;
    (!variants.is_empty()).then(|| variants.concat())
}

fn word_of(value: &Value) -> String {
    format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn or(words: &[String]) -> String {
    match words {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        words => words.concat(),
    }
}

fn number(kind: &str, node: &Value) -> String {
    let kind = if kind == "integer" { "an integer" } else { "a number" };
    match (node.get("minimum"), node.get("maximum")) {
        (Some(least), Some(most)) => format!("{kind} from {least} to {most}"),
        (Some(least), None) => format!("{kind} from {least}"),
        (None, Some(most)) => format!("{kind} up to {most}"),
        (None, None) => kind.to_owned(),
    }
}

fn description(node: &Value) -> Option<String> {
    let node: &Map<String, Value> = node.as_object()?;
    Some(node.get("description")?.as_str()?.to_owned())
}
