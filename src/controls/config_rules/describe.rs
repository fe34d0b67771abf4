//! The spec that describes what is live, and the one that says what was before.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::live::{Observed, Remediation, Rule, Source};
use super::remediation::{ROLE, role};
use super::rule::text;
use super::spec::{
    Attempts, Frequency, NONE, Percent, RemediationSpec, RuleSpec, RulesSpec, ScopeSpec, Seconds, Trigger,
};
use crate::control::{Facts, Field, Known};
use crate::pointer;

/// The rules that nobody else's service made.
pub fn import(facts: &Facts, known: &Known, observed: &Observed) -> Option<RulesSpec> {
    let own = observed.rules.iter().filter(|(_, rule)| rule.created_by.is_none());
    let rules: BTreeMap<String, Option<RuleSpec>> =
        own.filter_map(|(name, rule)| Some((name.clone(), Some(describe(facts, known, rule)?)))).collect();
    (!rules.is_empty()).then_some(RulesSpec { rules })
}

fn describe(facts: &Facts, known: &Known, rule: &Rule) -> Option<RuleSpec> {
    let mut spec = RuleSpec {
        description: (!rule.description.is_empty()).then(|| rule.description.clone()),
        parameters: rule.parameters.iter().map(|(name, value)| (name.clone(), Some(text(value)))).collect(),
        scope: ScopeSpec {
            types: (!rule.scope.types.is_empty()).then(|| rule.scope.types.clone()),
            resource: rule.scope.resource.clone(),
            tag_key: rule.scope.tag_key.clone(),
            tag_value: rule.scope.tag_value.clone(),
        },
        frequency: rule.frequency.as_deref().and_then(Frequency::of),
        ..RuleSpec::default()
    };
    match &rule.source {
        Source::Managed(id) => spec.managed = Some(id.clone()),
        Source::Lambda(arn) => spec.lambda = Some(arn.clone()),
        Source::Guard => {
            spec.guard = Some(rule.policy.clone()?);
            spec.debug_logs = Some(rule.debug_logs);
        }
        Source::Other(_) => return None,
    }
    if spec.managed.is_none() {
        spec.triggers = rule.triggers.iter().map(|word| Trigger::of(word)).collect();
    }
    if let Some(live) = &rule.remediation {
        spec.remediation = remediation(facts, known, live);
    }
    Some(spec)
}

fn remediation(facts: &Facts, known: &Known, live: &Remediation) -> RemediationSpec {
    let parameters = live.parameters.iter().filter(|(name, _)| *name != ROLE);
    let arn = live.parameters.get(ROLE).and_then(|values| values.first());
    let name = arn.and_then(|arn| arn.rsplit('/').next());
    // A role of another account, or one that nobody looked for, cannot be said by its name.
    let role = name.filter(|name| known.arn(&role(facts, name)) == arn.map(String::as_str));
    RemediationSpec {
        document: Some(live.document.clone()),
        version: Some(live.version.clone().unwrap_or_else(|| NONE.to_owned())),
        automatic: Some(live.automatic),
        attempts: live.attempts.and_then(Attempts::new),
        retry_seconds: live.retry_seconds.and_then(Seconds::new),
        role: role.map(str::to_owned),
        parameters: parameters.map(|(name, values)| (name.clone(), Some(values.clone()))).collect(),
        concurrency_percent: live.concurrency_percent.and_then(Percent::new),
        error_percent: live.error_percent.and_then(Percent::new),
    }
}

/// Puts the old values at their own paths. What was not there has no value to go back to, exceptions are not of the
/// spec, and a function or a role in another place cannot be said.
pub fn inverse(resource: &str, fields: &[Field]) -> Option<RulesSpec> {
    let mut rule = Map::new();
    let prefix = format!("/rules/{}/", pointer::escaped(resource));
    for field in fields.iter().filter(|field| field.before != Value::Null) {
        let Some(leaf) = field.path.strip_prefix(&prefix) else { continue };
        let unsayable = field.before.as_str().is_some_and(|text| text.contains(' ') && !is_text(leaf));
        if leaf.starts_with("exceptions/") || unsayable {
            continue;
        }
        let nothing = field.before == NONE && (leaf.contains("parameters/") || leaf.ends_with("role"));
        if !nothing {
            put(&mut rule, leaf, field.before.clone());
        }
    }
    if rule.is_empty() {
        return None;
    }
    let rule: RuleSpec = serde_json::from_value(Value::Object(rule)).ok()?;
    Some(RulesSpec { rules: BTreeMap::from([(resource.to_owned(), Some(rule))]) })
}

/// Leaves that hold any text.
fn is_text(leaf: &str) -> bool {
    leaf == "guard" || leaf == "description" || leaf.contains("parameters/") || leaf.starts_with("scope/")
}

fn put(into: &mut Map<String, Value>, leaf: &str, value: Value) {
    match leaf.split_once('/') {
        None => {
            into.insert(pointer::unescaped(leaf), value);
        }
        Some((head, rest)) => {
            let inner = into.entry(head).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
