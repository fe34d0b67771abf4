//! Event patterns, compared by what they match.

use serde_json::Value;

/// Do two patterns match the same? The values of a field have no order; what stands within a comparison has.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            let within = |all: &[Value], value: &Value| all.iter().any(|other| equal(value, other));
            one.iter().all(|value| within(other, value)) && other.iter().all(|value| within(one, value))
        }
        _ => equal(one, other),
    }
}

/// Numbers by their value: 7 is 7.0.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => one == other,
    }
}

/// Does a pattern match all that the other does? What it asks for beside the other's fields only narrows it. Comparisons
/// are the same or none: that `prefix` covers a word is not looked into.
pub fn covers(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.iter().all(|(name, value)| other.get(name).is_some_and(|other| covers(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            other.iter().all(|value| one.iter().any(|one| equal(one, value)))
        }
        _ => equal(one, other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_asks_for_less_covers() {
        let narrow = json!({"source": ["a"], "detail": {"name": ["x", {"prefix": "y"}], "n": [{"numeric": [">", 7]}]}});
        for wide in [
            json!({"source": ["b", "a"]}),
            json!({"detail": {"name": [{"prefix": "y"}, "z", "x"]}}),
            json!({"detail": {"n": [{"numeric": [">", 7.0]}]}}),
            json!({}),
        ] {
            assert!(covers(&wide, &narrow), "{wide}");
        }
        for other in [
            json!({"source": ["b"]}),
            json!({"source": ["a"], "account": ["111122223333"]}),
            json!({"detail": {"name": ["x"]}}),
            json!({"detail": ["x"]}),
            json!({"$or": [{"source": ["a"]}]}),
            json!("a"),
        ] {
            assert!(!covers(&other, &narrow), "{other}");
        }
    }

    #[test]
    fn order_is_nothing_and_numbers_are_numbers() {
        assert!(same(&json!({"a": ["x", "y"], "b": [7]}), &json!({"b": [7.0], "a": ["y", "x"]})));
        assert!(!same(&json!({"a": ["x"]}), &json!({"a": ["x", "y"]})));
        assert!(!same(&json!({"a": ["x"]}), &json!({"a": ["x"], "b": ["y"]})));
    }
}
