//! Lifecycle policies, compared by what they mean.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A repository's lifecycle policy, or the word that says there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Lifecycle {
    None,
    /// The document as AWS takes it. Its grammar is AWS's to check: it grows between our releases.
    Policy(Map<String, Value>),
}

impl TryFrom<Value> for Lifecycle {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::String(word) if word == "none" => Ok(Self::None),
            Value::Object(policy) if policy.get("rules").is_some_and(Value::is_array) => {
                Ok(Self::Policy(policy))
            }
            _ => Err("a lifecycle policy is a document with a list of `rules`, or the word `none`"),
        }
    }
}

impl From<Lifecycle> for Value {
    fn from(lifecycle: Lifecycle) -> Self {
        match lifecycle {
            Lifecycle::None => "none".into(),
            Lifecycle::Policy(policy) => policy.into(),
        }
    }
}

impl JsonSchema for Lifecycle {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Lifecycle".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                {"const": "none"},
                {"type": "object", "required": ["rules"], "properties": {"rules": {"type": "array"}}}
            ]
        })
    }
}

impl Lifecycle {
    /// Do both do the same? ECR applies rules by `rulePriority`, wherever they stand, and tag lists are sets
    /// (ECR User Guide, "Lifecycle policy properties").
    pub fn means(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }

    fn canonical(&self) -> Value {
        let mut policy = Value::from(self.clone());
        let Some(rules) = policy.get_mut("rules").and_then(Value::as_array_mut) else { return policy };
        for rule in rules.iter_mut() {
            for list in ["tagPrefixList", "tagPatternList"] {
                let tags = rule.pointer_mut(&format!("/selection/{list}")).and_then(Value::as_array_mut);
                if let Some(tags) = tags {
                    tags.sort_by_key(Value::to_string);
                    tags.dedup();
                }
            }
        }
        rules.sort_by_key(|rule| rule.get("rulePriority").and_then(Value::as_i64));
        policy
    }
}

/// Two policies that differ, for whoever needs another valid value of the field.
pub(super) fn samples() -> Value {
    let days = |days| {
        json!({"rules": [{
            "rulePriority": 1,
            "selection": {
                "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days
            },
            "action": {"type": "expire"}
        }]})
    };
    json!([days(7), days(30)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(priority: u32, tags: &[&str]) -> Value {
        json!({
            "rulePriority": priority,
            "selection": {"tagStatus": "tagged", "tagPrefixList": tags, "countType": "imageCountMoreThan", "countNumber": 9},
            "action": {"type": "expire"}
        })
    }

    fn policy(rules: &[Value]) -> Lifecycle {
        Lifecycle::try_from(json!({"rules": rules})).unwrap()
    }

    #[test]
    fn order_of_rules_and_tags_means_nothing() {
        let one = policy(&[rule(1, &["a", "b"]), rule(2, &["c"])]);
        assert!(one.means(&policy(&[rule(2, &["c"]), rule(1, &["b", "a"])])));
        assert!(!one.means(&policy(&[rule(1, &["a"]), rule(2, &["c"])])));
        assert!(!one.means(&policy(&[rule(1, &["c"]), rule(2, &["a", "b"])])));
        assert!(!one.means(&Lifecycle::None));
        assert!(Lifecycle::None.means(&Lifecycle::None));
    }

    #[test]
    fn other_words_and_documents_are_refused() {
        for bad in [json!("never"), json!({}), json!({"rules": "all"}), json!([]), json!(1), json!(true)] {
            assert!(Lifecycle::try_from(bad.clone()).is_err(), "{bad}");
        }
    }
}
