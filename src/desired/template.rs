//! `{account}`, `{region}`, `{partition}` and `{organization}`: names that differ by place. Filled only in
//! leaves whose schema says `format: template`; no functions, no nesting.

use serde_json::Value;

use crate::desired::node::{Data, Node};
use crate::desired::read::Problems;
use crate::desired::shape::{fields, members};
use crate::diagnostic::{Diagnostic, Span};
use crate::place::Scope;

const PLACEHOLDERS: [&str; 4] = ["account", "region", "partition", "organization"];

/// What placeholders stand for in one scope.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    pub scope: &'a Scope,
    /// The organisation's id. `{organization}` stays as it is without one; loading refuses such documents.
    pub organization: Option<&'a str>,
}

/// The spec with every template leaf filled in. `schema` is the control's.
pub fn fill(spec: &Value, schema: &schemars::Schema, values: Values<'_>) -> Value {
    let root = schema.as_value();
    fill_at(spec, root, &[root], values)
}

/// Does the spec name the organisation, which not every desired state has?
pub fn names_organization(spec: &Value, schema: &schemars::Schema) -> bool {
    fn search(value: &Value, root: &Value, schemas: &[&Value]) -> bool {
        match value {
            Value::String(text) => is_template(schemas) && text.contains("{organization}"),
            Value::Array(items) => {
                let inner = members(root, schemas);
                items.iter().any(|item| search(item, root, &inner))
            }
            Value::Object(map) => {
                map.iter().any(|(key, value)| search(value, root, &fields(root, schemas, key)))
            }
            _ => false,
        }
    }
    let root = schema.as_value();
    search(spec, root, &[root])
}

/// One text filled in.
pub fn fill_text(text: &str, values: Values<'_>) -> String {
    let mut out = text
        .replace("{account}", values.scope.account.as_str())
        .replace("{region}", values.scope.region.as_str())
        .replace("{partition}", values.scope.region.partition());
    if let Some(organization) = values.organization {
        out = out.replace("{organization}", organization);
    }
    out
}

fn fill_at(value: &Value, root: &Value, schemas: &[&Value], values: Values<'_>) -> Value {
    match value {
        Value::String(text) if is_template(schemas) => Value::String(fill_text(text, values)),
        Value::Array(items) => {
            let inner = members(root, schemas);
            items.iter().map(|item| fill_at(item, root, &inner, values)).collect()
        }
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), fill_at(value, root, &fields(root, schemas, key), values)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Refuses placeholders that do not exist, and those in leaves where nothing is filled in.
pub fn check_spec(spec: &Node, schema: &Value, problems: &mut Problems) {
    check_at(spec, schema, &[schema], problems);
}

fn check_at(node: &Node, root: &Value, schemas: &[&Value], problems: &mut Problems) {
    match &node.data {
        Data::Text(text) if is_template(schemas) => check(text, node.span, problems),
        Data::Text(text) => {
            if let Some(name) = placeholders(text).find(|name| PLACEHOLDERS.contains(name)) {
                problems.push(
                    Diagnostic::warning(format!("`{{{name}}}` is not filled in here"))
                        .at(node.span)
                        .note("only fields that `baseline explain` calls a template are"),
                );
            }
        }
        Data::List(items) => {
            let inner = members(root, schemas);
            for item in items {
                check_at(item, root, &inner, problems);
            }
        }
        Data::Map(entries) => {
            for entry in entries {
                check_at(&entry.value, root, &fields(root, schemas, &entry.key), problems);
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) => {}
    }
}

/// Refuses placeholders that do not exist.
pub fn check(text: &str, span: Span, problems: &mut Problems) {
    for name in placeholders(text).filter(|name| !PLACEHOLDERS.contains(name)) {
        problems.push(
            Diagnostic::error(format!("unknown placeholder `{{{name}}}`"))
                .at(span)
                .suggest(name, PLACEHOLDERS)
                .help("there are `{account}`, `{region}`, `{partition}` and `{organization}`"),
        );
    }
}

/// What stands between braces.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn is_template(schemas: &[&Value]) -> bool {
    schemas.iter().any(|schema| schema["format"] == "template")
}
