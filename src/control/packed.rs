//! JSON that is kept rather than worked with.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A JSON value as its text, keys in order. As a [`Value`] each object takes 632 bytes at least, and a plan of a thousand
/// accounts keeps a hundred thousand steps.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed(Box<str>);

impl Packed {
    pub fn value(&self) -> Value {
        // It was written from a value, so it can be read as one.
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The text, in one line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Value> for Packed {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Value::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_packed_comes_out_as_it_was() {
        let value =
            json!({"b": [1, 2.5, -3, u64::MAX], "a": {"text": "ü \"\n", "none": null, "flag": false}});
        let packed = Packed::from(value.clone());
        assert_eq!(packed.value(), value);
        assert_eq!(packed, serde_json::from_value(serde_json::to_value(&packed).unwrap()).unwrap());
        assert_eq!(packed, Packed::from(serde_json::from_str::<Value>(packed.as_str()).unwrap()));
    }
}
