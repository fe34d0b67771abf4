//! Old values as documents say them. A map is merged by key there, `null` takes a key out, and a list is replaced whole.

use serde_json::{Map, Value};

use super::specs::{SELECT, is_rule};
use crate::control::{Field, Select};

/// The leaves of a spec that are declared otherwise, and all its rules.
pub(super) fn differing(spec: &Value, declared: &Value) -> Option<Value> {
    match spec {
        Value::Object(spec) => {
            let leaf = |(key, value): (&String, &Value)| {
                let declared = declared.get(key).unwrap_or(&Value::Null);
                Some((key.clone(), differing(value, declared)?))
            };
            let map: Map<String, Value> = spec.iter().filter_map(leaf).collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        // No rules are nothing that is said.
        Value::Array(spec) if spec.is_empty() && is_rules(declared) => None,
        spec => (spec != declared).then(|| spec.clone()),
    }
}

/// A field that is a map was written whole, and a document merges maps: what is declared in it beside its old value is
/// taken out.
pub(super) fn whole(mut spec: Value, field: &Field, declared: &Value) -> Value {
    fn take_out(said: &mut Value, declared: &Value) {
        let (Value::Object(said), Value::Object(declared)) = (said, declared) else { return };
        for (key, value) in declared {
            match said.get_mut(key) {
                Some(said) => take_out(said, value),
                None => drop(said.insert(key.clone(), Value::Null)),
            }
        }
    }
    if field.before.is_object()
        && let (Some(said), Some(declared)) = (spec.pointer_mut(&field.path), declared.pointer(&field.path))
    {
        take_out(said, declared);
    }
    spec
}

/// The same leaves and rules, that say nothing: they are not managed.
pub(super) fn taken_out(said: &Value) -> Value {
    match said {
        Value::Object(map) => {
            let leaf = |(key, value): (&String, &Value)| {
                let is_selector = key == SELECT && is_rule(said);
                (key.clone(), if is_selector { value.clone() } else { taken_out(value) })
            };
            map.iter().map(leaf).collect::<Map<_, _>>().into()
        }
        rules if is_rules(rules) => rules.as_array().into_iter().flatten().map(taken_out).collect(),
        _ => Value::Null,
    }
}

/// A list is replaced whole. So the declared rules are said again, after the new ones: the first that selects a
/// resource governs it. With `all`, what the rule that governed a resource declares beside what is said holds on.
pub(super) fn with_rest(said: &Value, declared: &Value, all: bool) -> Value {
    match said {
        Value::Object(map) if !is_rule(said) => {
            let rest = |(key, value): (&String, &Value)| {
                (key.clone(), with_rest(value, declared.get(key).unwrap_or(&Value::Null), all))
            };
            map.iter().map(rest).collect::<Map<_, _>>().into()
        }
        Value::Array(rules) if is_rules(said) => {
            let declared: Vec<&Value> = declared.as_array().into_iter().flatten().collect();
            let new = rules.iter().map(|rule| match governing(rule, &declared) {
                Some(below) if all => without_nulls(over(below, rule)),
                _ => without_nulls(rule.clone()),
            });
            let rest = declared.iter().filter(|rule| !rules.iter().any(|one| one[SELECT] == rule[SELECT]));
            new.chain(rest.map(|rule| (*rule).clone())).collect()
        }
        said => said.clone(),
    }
}

/// The declared rule that governs the one resource which `rule` names.
fn governing<'d>(rule: &Value, declared: &[&'d Value]) -> Option<&'d Value> {
    let select = |rule: &Value| serde_json::from_value::<Select>(rule[SELECT].clone()).ok();
    let names = select(rule)?.names;
    let [name] = names.as_slice() else { return None };
    declared.iter().copied().find(|rule| select(rule).is_some_and(|select| select.matches(name)))
}

fn over(below: &Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            let mut all = below.clone();
            all.extend(above.iter().map(|(key, value)| (key.clone(), value.clone())));
            Value::Object(all)
        }
        (_, above) => above.clone(),
    }
}

/// In a list `null` takes nothing out, so it is left out.
fn without_nulls(mut rule: Value) -> Value {
    if let Value::Object(map) = &mut rule {
        map.retain(|_, value| !value.is_null());
    }
    rule
}

/// Is it a list of rules? An empty list is any list.
fn is_rules(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is_rule))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(name: &str, rest: Value) -> Value {
        let mut rule = json!({"select": {"names": [name]}});
        rule.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        rule
    }

    #[test]
    fn only_what_is_declared_otherwise_is_said() {
        let declared = json!({"bucket": "logs", "versioning": true, "lock": {"days": 365}});
        let spec = json!({"bucket": "logs", "versioning": false, "lock": {"days": 365}});
        assert_eq!(differing(&spec, &declared), Some(json!({"versioning": false})));
        assert_eq!(differing(&json!({"bucket": "logs"}), &declared), None);
    }

    #[test]
    fn an_empty_list_is_a_value_and_not_a_list_of_no_rules() {
        let declared = json!({"events": {"excluded": ["kms"]}, "rules": [rule("*", json!({"scan": true}))]});
        let spec = json!({"events": {"excluded": []}, "rules": []});
        let said = differing(&spec, &declared).unwrap();
        assert_eq!(said, json!({"events": {"excluded": []}}));
        assert_eq!(with_rest(&said, &declared, true), said);
        // Where regions had different lists, none is said.
        assert_eq!(taken_out(&said), json!({"events": {"excluded": null}}));
    }

    #[test]
    fn a_map_that_was_written_whole_loses_what_it_had_not() {
        let declared =
            json!({"rules": {"low": {"criteria": {"Severity": [1], "Type": {"a": 1, "b": 2}}, "order": 3}}});
        let spec = json!({"rules": {"low": {"criteria": {"Type": {"b": 4}, "Status": [2]}}}});
        let field =
            |before| Field::new("/rules/low/criteria", before, declared["rules"]["low"]["criteria"].clone());
        let said = whole(spec.clone(), &field(spec["rules"]["low"]["criteria"].clone()), &declared);
        let criteria = json!({"Type": {"a": null, "b": 4}, "Status": [2], "Severity": null});
        assert_eq!(said, json!({"rules": {"low": {"criteria": criteria}}}), "`order` is not of this field");
        assert_eq!(differing(&said, &declared), Some(said.clone()));
        // A leaf that is no map is replaced by itself, and a value that was not there takes nothing out.
        assert_eq!(whole(spec.clone(), &field(Value::Null), &declared), spec);
        let elsewhere = Field::new("/other/criteria", json!({}), 1);
        assert_eq!(whole(spec.clone(), &elsewhere, &declared), spec);
    }

    #[test]
    fn rules_come_before_those_that_are_declared() {
        let declared = json!({"rules": [rule("*", json!({"scan": true}))]});
        let said = json!({"rules": [rule("api", json!({"scan": false}))]});
        let whole = json!({"rules": [rule("api", json!({"scan": false})), rule("*", json!({"scan": true}))]});
        assert_eq!(with_rest(&said, &declared, true), whole);
        // The same selector again is the same rule.
        let same = json!({"rules": [rule("*", json!({"scan": false}))]});
        assert_eq!(with_rest(&same, &declared, true), same);
        assert_eq!(taken_out(&said), json!({"rules": [rule("api", json!({"scan": null}))]}));
        assert_eq!(taken_out(&json!({"a": {"b": 1}, "c": [1]})), json!({"a": {"b": null}, "c": null}));
    }

    #[test]
    fn what_a_rule_declares_beside_it_holds_on() {
        let team = rule("team/*", json!({"scan": true, "immutable": true, "lifecycle": {"rules": [1]}}));
        let rest = rule("*", json!({"scan": true}));
        let declared = json!({"rules": [team, rest]});
        let said =
            json!({"rules": [rule("team/api", json!({"scan": false})), rule("web", json!({"scan": false}))]});
        let api = rule("team/api", json!({"scan": false, "immutable": true, "lifecycle": {"rules": [1]}}));
        let web = rule("web", json!({"scan": false}));
        assert_eq!(with_rest(&said, &declared, true), json!({"rules": [api, web, team, rest]}));
        assert_eq!(with_rest(&said, &declared, false)["rules"][0], rule("team/api", json!({"scan": false})));
        // What is not the same in all regions is not managed, and the rest is.
        let none = with_rest(&taken_out(&said), &declared, true);
        let api = rule("team/api", json!({"immutable": true, "lifecycle": {"rules": [1]}}));
        assert_eq!((&none["rules"][0], &none["rules"][1]), (&api, &rule("web", json!({}))));
    }
}
