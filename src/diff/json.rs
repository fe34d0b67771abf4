//! Field deltas of two JSON values.

use serde_json::Value;

use crate::pointer;

/// One leaf that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta<'a> {
    /// JSON pointer (RFC 6901); empty for the whole value.
    pub pointer: String,
    /// `None` where it is not there.
    pub before: Option<&'a Value>,
    pub after: Option<&'a Value>,
}

/// The leaves in which two values differ, in the order of their pointers' keys. Objects are walked; a list
/// is a leaf, because a list is always replaced whole.
pub fn deltas<'a>(before: &'a Value, after: &'a Value) -> Vec<Delta<'a>> {
    let mut out = Vec::new();
    walk(String::new(), Some(before), Some(after), &mut out);
    out
}

fn walk<'a>(pointer: String, before: Option<&'a Value>, after: Option<&'a Value>, out: &mut Vec<Delta<'a>>) {
    if before == after {
        return;
    }
    let empty = serde_json::Map::new();
    let (old, new) = match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => (old, new),
        // An object that comes or goes does so leaf by leaf, unless it has none.
        (None, Some(Value::Object(new))) if !new.is_empty() => (&empty, new),
        (Some(Value::Object(old)), None) if !old.is_empty() => (old, &empty),
        _ => return out.push(Delta { pointer, before, after }),
    };
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let inner = format!("{pointer}/{}", pointer::escaped(key));
        // `old` and `new` may be the local empty map, which has no entry to lend.
        let side = |value: Option<&'a Value>| value.and_then(|value| value.get(key));
        walk(inner, side(before), side(after), out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u8>().prop_map(Value::from),
            "[a-z~/]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c~/]{1,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn leaves_are_named_by_pointer_and_lists_are_leaves() {
        let before = json!({"a": {"b/c": 1, "same": 0}, "list": [1, 2], "gone": true});
        let after = json!({"a": {"b/c": 2, "same": 0}, "list": [2, 1], "new": {"x": null, "y": {}}});
        let found = deltas(&before, &after);
        let pointers: Vec<&str> = found.iter().map(|delta| delta.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a/b~1c", "/gone", "/list", "/new/x", "/new/y"]);
        assert_eq!((found[1].before, found[1].after), (Some(&json!(true)), None));
        assert_eq!((found[3].before, found[3].after), (None, Some(&Value::Null)));
    }

    proptest! {
        #[test]
        fn a_value_does_not_differ_from_itself(value in values()) {
            prop_assert_eq!(deltas(&value, &value), vec![]);
        }

        #[test]
        fn what_differs_has_deltas_that_point_at_it(before in values(), after in values()) {
            let found = deltas(&before, &after);
            prop_assert_eq!(found.is_empty(), before == after);
            for delta in &found {
                prop_assert_eq!(before.pointer(&delta.pointer), delta.before);
                prop_assert_eq!(after.pointer(&delta.pointer), delta.after);
            }
            let turned = deltas(&after, &before);
            prop_assert_eq!(turned.len(), found.len());
            for (there, back) in found.iter().zip(&turned) {
                prop_assert_eq!((there.before, there.after), (back.after, back.before));
            }
        }
    }
}
