//! What a control promises.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::aws::{Reader, Writer};
use crate::control::{Call, Facts, Field, Finding, Known, Meta, Need, Tags};
use crate::fault::Fault;
use crate::pointer;

/// A write with its parameters, in names rather than ids; what AWS alone knows (key ids, ETags, lock
/// tokens) is looked up when the step runs. It goes into the plan file, so apply has nothing left to choose.
///
/// `Display` is one line for people: `update the detector`.
pub trait AwsWrite: Serialize + DeserializeOwned + PartialEq + fmt::Display + Send + Sync {
    fn call(&self) -> &'static Call;
}

/// One security setting, or one family of like resources, that can be observed, compared and put right.
pub trait Control: Send + Sync + 'static {
    const META: Meta;
    /// What the YAML says. Every leaf optional: not said is not managed.
    type Desired: Serialize + DeserializeOwned + JsonSchema + Send + Sync;
    /// What must be looked at: the part of the spec that observing depends on, `()` for most. Saved beside
    /// the observation; an inventory answers a changed spec exactly when the ask is still the same.
    type Ask: Serialize + DeserializeOwned + PartialEq + Send + Sync;
    /// What AWS says, cut down to what this control compares or writes back.
    type Observed: Serialize + DeserializeOwned + Send + Sync;
    type Action: AwsWrite;

    /// Pure.
    fn ask(&self, facts: &Facts, desired: &Self::Desired) -> Self::Ask;

    /// Reads only. `Err` when nothing can be said at all; one unreadable resource of many is
    /// [`crate::control::Sight::Unseen`].
    fn observe(
        &self,
        aws: &Reader,
        ask: &Self::Ask,
    ) -> impl Future<Output = Result<Self::Observed, Fault>> + Send;

    /// Pure. What this spec stands on here, in whichever account that lives.
    fn needs(&self, _facts: &Facts, _desired: &Self::Desired) -> Vec<Need> {
        Vec::new()
    }

    /// Pure: no clock but `facts.observed_at`, no network, no environment, no other control.
    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        desired: &Self::Desired,
        observed: &Self::Observed,
    ) -> Vec<Finding<Self::Action>>;

    /// One write. Its answer is not trusted: the engine observes again and that decides.
    fn apply(
        &self,
        aws: &Writer,
        known: &Known,
        action: &Self::Action,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Pure. The spec that describes what is live, for adoption; `None` where there is nothing to describe.
    fn import(&self, facts: &Facts, known: &Known, observed: &Self::Observed) -> Option<Self::Desired>;

    /// Pure. The tags of the resources that findings name, for exceptions that select by them: only where
    /// `META.tags` says so. They are no part of a finding: a tag that changes makes no plan stale.
    fn tags(&self, _observed: &Self::Observed) -> BTreeMap<String, Tags> {
        BTreeMap::new()
    }

    /// Pure. The spec that says what `fields` were before, and nothing else: what undo plans with. The
    /// default puts the old values at their own paths; a control with selectors names the one resource.
    fn inverse(&self, _resource: &str, fields: &[Field]) -> Option<Self::Desired> {
        before(fields)
    }
}

/// The spec with the old values at their fields' own paths. A value that has no word in the spec (`another way`) is left
/// out; `None` where none has.
fn before<Spec: DeserializeOwned>(fields: &[Field]) -> Option<Spec> {
    let said = |fields: &[&Field]| {
        let mut spec = Value::Object(Map::new());
        for field in fields {
            put(&mut spec, &field.path, field.before.clone());
        }
        serde_json::from_value(spec).ok()
    };
    let mut fitting: Vec<&Field> = fields.iter().collect();
    if let Some(all) = said(&fitting) {
        return Some(all);
    }
    fitting.clear();
    for field in fields {
        fitting.push(field);
        if said(&fitting).is_none() {
            fitting.pop();
        }
    }
    if fitting.is_empty() { None } else { said(&fitting) }
}

/// Writes `value` at a JSON pointer, making the objects on the way. A pointer through anything else is
/// not followed.
fn put(into: &mut Value, pointer: &str, value: Value) {
    let mut at = into;
    for key in pointer.trim_start_matches('/').split('/') {
        let key = pointer::unescaped(key);
        let Value::Object(map) = at else { return };
        at = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
    }
    *at = value;
}

/// The action of a control that writes nothing: a value of it cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Nothing {}

impl fmt::Display for Nothing {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl AwsWrite for Nothing {
    fn call(&self) -> &'static Call {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Spec {
        length: Option<u8>,
        lock: BTreeMap<String, Option<bool>>,
    }

    #[test]
    fn old_values_stand_at_their_own_paths_where_they_have_a_word() {
        let said = |fields: &[(&str, Value)]| {
            let fields: Vec<Field> =
                fields.iter().map(|(path, old)| Field::new(*path, old.clone(), "new")).collect();
            before::<Spec>(&fields)
        };
        let lock = |name: &str, on| BTreeMap::from([(name.to_owned(), on)]);
        let both = said(&[("/length", json!(8)), ("/lock/a~1b", json!(false))]);
        assert_eq!(both, Some(Spec { length: Some(8), lock: lock("a/b", Some(false)) }));
        // One that has no word does not take the others with it, wherever it stands.
        let other = said(&[("/length", json!("another way")), ("/lock/c", json!(true)), ("/who", json!(1))]);
        assert_eq!(other, Some(Spec { length: None, lock: lock("c", Some(true)) }));
        assert_eq!(said(&[("/length", Value::Null)]), Some(Spec::default()));
        assert_eq!(said(&[("/length", json!("another way"))]), None);
    }
}
