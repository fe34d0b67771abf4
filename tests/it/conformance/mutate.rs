//! Other valid values of a spec's leaves, from the control's own JSON schema.

use serde_json::Value;

/// A declared leaf, and another value that it may have.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// JSON pointer (RFC 6901) into the spec.
    pub path: String,
    pub other: Value,
}

impl Leaf {
    /// The spec with this leaf's other value.
    pub fn disturb(&self, spec: &Value) -> Value {
        let mut spec = spec.clone();
        if let Some(at) = spec.pointer_mut(&self.path) {
            *at = self.other.clone();
        }
        spec
    }

    /// The spec without this leaf.
    pub fn leave_out(&self, spec: &Value) -> Value {
        let mut spec = spec.clone();
        if let Some((parent, name)) = self.path.rsplit_once('/')
            && let Some(Value::Object(map)) = spec.pointer_mut(parent)
        {
            map.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        spec
    }
}

/// Every declared leaf that is not fixed. A leaf is fixed by `x-fixed`, and has another value by being boolean,
/// an enumeration or a bounded integer, or by `x-mutate`.
pub fn leaves(schema: &Value, spec: &Value) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    walk(schema, schema, spec, String::new(), &mut leaves);
    leaves
}

fn walk(root: &Value, schema: &Value, value: &Value, path: String, leaves: &mut Vec<Leaf>) {
    let beside = schema;
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(to) => root.pointer(to.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    };
    let says = |word| beside.get(word).or_else(|| schema.get(word));
    if says("x-fixed").is_some() {
        return;
    }
    if let Some(Value::Array(samples)) = says("x-mutate") {
        let other = samples.iter().find(|sample| *sample != value).cloned();
        leaves.extend(other.map(|other| Leaf { path, other }));
        return;
    }
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                let found = schema.get("properties").and_then(|properties| properties.get(name));
                if let Some(found) = found.or_else(|| schema.get("additionalProperties")) {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    walk(root, found, inner, format!("{path}/{name}"), leaves);
                }
            }
        }
        Value::Array(list) => {
            let Some(items) = schema.get("items") else { return };
            for (index, inner) in list.iter().enumerate() {
                walk(root, items, inner, format!("{path}/{index}"), leaves);
            }
        }
        leaf => leaves.extend(another(schema, leaf).map(|other| Leaf { path, other })),
    }
}

fn another(schema: &Value, value: &Value) -> Option<Value> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().find(|word| *word != value && !word.is_null()).cloned();
    }
    if let Some(on) = value.as_bool() {
        return Some((!on).into());
    }
    let (number, least) = (value.as_u64()?, schema.get("minimum")?.as_u64()?);
    let most = schema.get("maximum")?.as_u64()?;
    Some(if number < most { (number + 1).into() } else { number.saturating_sub(1).max(least).into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_leaf_has_another_value() {
        let schema = json!({"properties": {
            "on": {"type": "boolean"},
            "word": {"enum": ["A", "B", null]},
            "number": {"type": "integer", "minimum": 1, "maximum": 9},
            "text": {"type": "string", "x-mutate": ["x", "y"]},
            "fixed": {"type": "string", "x-fixed": "why"},
            "map": {"additionalProperties": {"type": "boolean"}},
            "list": {"items": {"$ref": "#/$defs/One"}},
        }, "$defs": {"One": {"properties": {"on": {"type": "boolean"}}}}});
        let spec = json!({
            "on": true, "word": "A", "number": 9, "text": "x", "fixed": "z", "map": {"a/b": false}, "list": [{"on": true}],
        });
        let mut found: Vec<(String, Value)> =
            leaves(&schema, &spec).into_iter().map(|leaf| (leaf.path, leaf.other)).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let wanted = [
            ("/list/0/on", json!(false)),
            ("/map/a~1b", json!(true)),
            ("/number", json!(8)),
            ("/on", json!(false)),
            ("/text", json!("y")),
            ("/word", json!("B")),
        ];
        assert_eq!(found, wanted.map(|(path, value)| (path.to_owned(), value)));
    }

    #[test]
    fn a_leaf_is_disturbed_or_left_out_alone() {
        let leaf = Leaf { path: "/map/a~1b".into(), other: json!(true) };
        let spec = json!({"map": {"a/b": false, "c": false}});
        assert_eq!(leaf.disturb(&spec), json!({"map": {"a/b": true, "c": false}}));
        assert_eq!(leaf.leave_out(&spec), json!({"map": {"c": false}}));
    }
}
