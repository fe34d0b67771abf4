//! Layers of controls put on top of each other.
//!
//! A map is merged by key, anything else is replaced whole, `null` takes out. Merging is associative: it
//! does not matter in which order layers are put together, only in which order they lie.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::desired::model::Declared;
use crate::desired::node::{self, Data, Node};
use crate::diagnostic::{Position, Sources, Span};

/// The layer that said something, by its place in the list of layers.
pub type Origin = usize;

/// What layers say together, of one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Merged {
    /// A scalar or a list, and the layer that said it last.
    Leaf { value: Arc<Node>, origin: Origin },
    /// `null`: not managed.
    Removed { span: Span, origin: Origin },
    Map {
        entries: BTreeMap<String, Merged>,
        /// Lies on a leaf or on a removal, and so on nothing below either.
        covers: bool,
    },
}

impl Default for Merged {
    fn default() -> Self {
        Self::Map { entries: BTreeMap::new(), covers: false }
    }
}

impl Merged {
    /// One layer's controls by id.
    pub fn layer(controls: &[Declared], origin: Origin) -> Self {
        let entries =
            controls.iter().map(|control| (control.id.clone(), Self::value(&control.node, origin))).collect();
        Self::Map { entries, covers: false }
    }

    /// One value of a layer.
    pub fn value(node: &Node, origin: Origin) -> Self {
        match &node.data {
            Data::Null => Self::Removed { span: node.span, origin },
            Data::Map(entries) => Self::Map {
                entries: entries
                    .iter()
                    .map(|entry| (entry.key.clone(), Self::value(&entry.value, origin)))
                    .collect(),
                covers: false,
            },
            _ => Self::Leaf { value: Arc::new(node.clone()), origin },
        }
    }

    /// This with `upper` on top.
    #[must_use]
    pub fn under(self, upper: Self) -> Self {
        match (self, upper) {
            (Self::Map { entries: mut lower, covers }, Self::Map { entries: upper, covers: false }) => {
                for (key, value) in upper {
                    let merged = match lower.remove(&key) {
                        Some(below) => below.under(value),
                        None => value,
                    };
                    lower.insert(key, merged);
                }
                Self::Map { entries: lower, covers }
            }
            (Self::Leaf { .. } | Self::Removed { .. }, Self::Map { entries, .. }) => {
                Self::Map { entries, covers: true }
            }
            (_, upper) => upper,
        }
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map { entries, .. } => entries.get(key),
            _ => None,
        }
    }

    /// The value as JSON, without what was removed.
    pub fn to_json(&self) -> Option<Value> {
        match self {
            Self::Leaf { value, .. } => Some(value.to_json(true)),
            Self::Removed { .. } => None,
            Self::Map { entries, .. } => Some(
                entries
                    .iter()
                    .filter_map(|(key, value)| Some((key.clone(), value.to_json()?)))
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
            ),
        }
    }

    /// Every leaf and removal with its JSON pointer.
    pub fn leaves<'m>(&'m self, pointer: &str, visit: &mut impl FnMut(&str, &'m Self)) {
        match self {
            Self::Leaf { .. } | Self::Removed { .. } => visit(pointer, self),
            Self::Map { entries, .. } => {
                for (key, value) in entries {
                    value.leaves(&node::child(pointer, key), visit);
                }
            }
        }
    }

    /// Where a leaf or removal was said, and in which layer.
    pub fn said(&self) -> Option<(Span, Origin)> {
        match self {
            Self::Leaf { value, origin } => Some((value.span, *origin)),
            Self::Removed { span, origin } => Some((*span, *origin)),
            Self::Map { .. } => None,
        }
    }

    /// Do two leaves say the same?
    pub fn same(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }

    /// The position of every leaf, and of everything inside lists, by JSON pointer.
    pub fn origins(&self, sources: &Sources) -> BTreeMap<String, Position> {
        let mut origins = BTreeMap::new();
        self.leaves("", &mut |pointer, leaf| {
            if let Self::Leaf { value, .. } = leaf {
                inside(value, pointer, sources, &mut origins);
            }
        });
        origins
    }
}

fn inside(node: &Node, pointer: &str, sources: &Sources, into: &mut BTreeMap<String, Position>) {
    into.insert(pointer.to_owned(), sources.position(node.span));
    match &node.data {
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(item, &node::child(pointer, &index.to_string()), sources, into);
            }
        }
        Data::Map(entries) => {
            for entry in entries {
                inside(&entry.value, &node::child(pointer, &entry.key), sources, into);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPAN: Span = Span { file: 0, start: 0, end: 0 };

    fn node(data: Data) -> Node {
        Node { span: SPAN, data }
    }

    /// Small trees over few keys, so that layers meet.
    fn tree() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            Just(node(Data::Null)),
            any::<bool>().prop_map(|value| node(Data::Bool(value))),
            (0_u64..4).prop_map(|value| node(Data::Number(value.into()))),
            Just(node(Data::List(vec![node(Data::Text("x".into()))]))),
        ];
        let inner = leaf.prop_recursive(3, 24, 3, map_of);
        map_of(inner)
    }

    fn map_of(inner: impl Strategy<Value = Node> + 'static) -> impl Strategy<Value = Node> {
        prop::collection::btree_map("[abc]", inner, 0..3).prop_map(|entries| {
            let entry = |(key, value)| crate::desired::node::Entry { key, span: SPAN, value };
            node(Data::Map(entries.into_iter().map(entry).collect()))
        })
    }

    proptest! {
        #[test]
        fn merging_is_associative(a in tree(), b in tree(), c in tree()) {
            let [a, b, c] = [(a, 0), (b, 1), (c, 2)].map(|(node, origin)| Merged::value(&node, origin));
            let left = a.clone().under(b.clone()).under(c.clone());
            let right = a.under(b.under(c));
            prop_assert_eq!(left, right);
        }

        #[test]
        fn merging_twice_changes_nothing(a in tree(), b in tree()) {
            let [a, b] = [a, b].map(|node| Merged::value(&node, 0));
            let once = a.under(b.clone());
            prop_assert_eq!(once.clone().under(b).to_json(), once.to_json());
        }

        #[test]
        fn what_the_upper_layer_says_stands(a in tree(), b in tree()) {
            let upper = Merged::value(&b, 1);
            let merged = Merged::value(&a, 0).under(upper.clone());
            let json = merged.to_json().unwrap();
            upper.leaves("", &mut |pointer, leaf| {
                assert_eq!(json.pointer(pointer).cloned(), leaf.to_json(), "{pointer}");
            });
        }
    }
}
