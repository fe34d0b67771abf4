//! Whole numbers that a spec keeps within what AWS takes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A whole number from `MIN` to `MAX`, both included. Anything else is refused when the spec is decoded,
/// and the JSON schema says the same, so that a bad value never gets as far as a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Bounded<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// `None` outside the bounds.
    pub fn new(number: u32) -> Option<Self> {
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> From<Bounded<MIN, MAX>> for Value {
    fn from(number: Bounded<MIN, MAX>) -> Self {
        number.0.into()
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Number<const MIN: u32, const MAX: u32>;
        impl<const MIN: u32, const MAX: u32> serde::de::Visitor<'_> for Number<MIN, MAX> {
            type Value = Bounded<MIN, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from {MIN} to {MAX}")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                u32::try_from(number)
                    .ok()
                    .and_then(Bounded::new)
                    .ok_or_else(|| E::custom(format_args!("{number} must be between {MIN} and {MAX}")))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::custom(format_args!("{number} must be between {MIN} and {MAX}"))),
                }
            }
        }
        from.deserialize_any(Number::<MIN, MAX>)
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_outside_the_bounds_are_refused_with_the_bounds() {
        type Length = Bounded<6, 128>;
        let read = |value| serde_json::from_value::<Length>(value).map_err(|error| error.to_string());
        assert_eq!(read(json!(6)).map(Length::get), Ok(6));
        assert_eq!(read(json!(128)).map(Length::get), Ok(128));
        for bad in [json!(5), json!(129), json!(-1), json!(u64::MAX)] {
            assert!(read(bad.clone()).is_err_and(|e| e.contains("must be between 6 and 128")), "{bad}");
        }
        for bad in [json!(14.5), json!("14"), json!(true)] {
            assert!(read(bad.clone()).is_err_and(|e| e.contains("a whole number from 6 to 128")), "{bad}");
        }
    }
}
