//! A control's JSON Schema beside a spec: which schemas a leaf has, and the bounds that they set.
//!
//! serde refuses the wrong type; a number that AWS would refuse only shows in the schema.

use serde_json::Value;

use crate::desired::node::{Data, Node};
use crate::desired::read::Problems;
use crate::diagnostic::Diagnostic;

/// Refuses numbers outside the bounds of their schema.
pub fn check_bounds(spec: &Node, schema: &Value, problems: &mut Problems) {
    check_at(spec, schema, &[schema], problems);
}

fn check_at(node: &Node, root: &Value, schemas: &[&Value], problems: &mut Problems) {
    match &node.data {
        Data::Number(number) => {
            let bound = |word: &str| schemas.iter().find_map(|schema| schema[word].as_f64());
            let (least, most) = (bound("minimum"), bound("maximum"));
            let Some(value) = number.as_f64() else { return };
            let says = match (least, most) {
                (Some(least), Some(most)) if !(least..=most).contains(&value) => {
                    format!("expected a number from {least} to {most}")
                }
                (Some(least), None) if value < least => format!("expected a number of at least {least}"),
                (None, Some(most)) if value > most => format!("expected a number of at most {most}"),
                _ => return,
            };
            problems.push(Diagnostic::error(says).at(node.span));
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
        Data::Null | Data::Bool(_) | Data::Text(_) => {}
    }
}

/// A schema with its references and alternatives followed.
fn expand<'s>(root: &'s Value, schema: &'s Value, into: &mut Vec<&'s Value>) {
    if into.iter().any(|seen| std::ptr::eq(*seen, schema)) {
        return;
    }
    into.push(schema);
    let target = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    if let Some(target) = target.and_then(|pointer| root.pointer(pointer)) {
        expand(root, target, into);
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        for alternative in schema[word].as_array().into_iter().flatten() {
            expand(root, alternative, into);
        }
    }
}

fn followed<'s>(root: &'s Value, schemas: &[&'s Value]) -> Vec<&'s Value> {
    let mut all = Vec::new();
    for schema in schemas {
        expand(root, schema, &mut all);
    }
    all
}

/// The schemas that a list's members may have.
pub fn members<'s>(root: &'s Value, schemas: &[&'s Value]) -> Vec<&'s Value> {
    let items: Vec<&Value> =
        followed(root, schemas).iter().filter_map(|schema| schema.get("items")).collect();
    followed(root, &items)
}

/// The schemas that a field may have.
pub fn fields<'s>(root: &'s Value, schemas: &[&'s Value], key: &str) -> Vec<&'s Value> {
    let found: Vec<&Value> = followed(root, schemas)
        .iter()
        .filter_map(|schema| {
            schema.get("properties").and_then(|fields| fields.get(key)).or(schema.get("additionalProperties"))
        })
        .collect();
    followed(root, &found)
}
