//! How long CloudWatch Logs keeps events: a word of more than one control.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The days that CloudWatch Logs takes (API reference, PutRetentionPolicy).
const DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const NEVER: &str = "never";

/// Days that a log group keeps its events, one of those that CloudWatch Logs takes, or `never` for never deleting
/// them. The longer one is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retention {
    Days(u32),
    Never,
}

impl Retention {
    /// What a log group says of itself; nothing said is never.
    pub fn of(days: Option<u32>) -> Self {
        days.map_or(Self::Never, Self::Days)
    }
}

impl From<Retention> for Value {
    fn from(retention: Retention) -> Self {
        match retention {
            Retention::Days(days) => days.into(),
            Retention::Never => NEVER.into(),
        }
    }
}

impl Serialize for Retention {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Value::from(*self).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Retention {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let days = value.as_u64().and_then(|days| u32::try_from(days).ok());
        match days.filter(|days| DAYS.contains(days)) {
            Some(days) => Ok(Self::Days(days)),
            None if value == NEVER => Ok(Self::Never),
            None => {
                let all = DAYS.map(|days| days.to_string()).join(", ");
                Err(D::Error::custom(format_args!("{value} must be `never` or one of {all}")))
            }
        }
    }
}

impl JsonSchema for Retention {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Retention".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words = DAYS.map(Value::from).into_iter().chain([NEVER.into()]);
        schemars::json_schema!({"enum": words.collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_one_of_the_days_that_aws_takes_or_never() {
        let read = |value| serde_json::from_value::<Retention>(value).map_err(|error| error.to_string());
        assert_eq!(read(json!(365)), Ok(Retention::Days(365)));
        assert_eq!(read(json!("never")), Ok(Retention::Never));
        for bad in
            [json!(0), json!(364), json!("365"), json!("always"), json!(true), json!(4_294_967_661_u64)]
        {
            assert!(read(bad.clone()).is_err_and(|error| error.contains("`never` or one of 1, 3")), "{bad}");
        }
    }

    #[test]
    fn longer_is_greater_and_never_is_longest() {
        assert!(Retention::Never > Retention::Days(3653) && Retention::Days(90) > Retention::Days(60));
        assert_eq!(Retention::of(None), Retention::Never);
    }
}
