//! Resource policies: whether a trust, bucket or key policy lets somebody do something.
//!
//! The logic is that of the IAM User Guide, "Policy evaluation logic", for one document: an explicit deny
//! wins, otherwise one statement must allow. What this file does not know (a condition operator or key) never
//! allows and always denies, so it errs on the strict side.

use serde_json::Value;
use wildmatch::WildMatch;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    /// An AWS service: `guardduty.amazonaws.com`.
    Service(&'a str),
    /// An identity: its account and the ARN that policies name.
    Aws { account: &'a str, arn: &'a str },
}

/// What is asked. `context` holds condition keys in lower case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub who: Who<'a>,
    pub action: &'a str,
    /// Empty for trust policies, which name no resource.
    pub resource: &'a str,
    pub context: &'a [(&'a str, &'a str)],
}

/// Whether `policy` allows it. A text that is not a policy allows nothing.
pub(super) fn allows(policy: &str, question: &Question<'_>) -> bool {
    says(policy, "Allow", question) && !denies(policy, question)
}

/// Whether `policy` denies it outright. A text that is not a policy denies nothing.
pub(super) fn denies(policy: &str, question: &Question<'_>) -> bool {
    says(policy, "Deny", question)
}

fn says(policy: &str, effect: &str, question: &Question<'_>) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(policy) else { return false };
    let statements = list(&document["Statement"]);
    statements.iter().any(|s| s["Effect"] == effect && concerns(s, question, effect == "Deny"))
}

/// The text of a policy that AWS would take: a JSON object with statements, each with an effect, and, where
/// `with_principal`, a principal (IAM JSON policy reference, "Grammar").
pub(super) fn well_formed(policy: &str, with_principal: bool) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(policy) else { return false };
    let statements = list(&document["Statement"]);
    let version = &document["Version"];
    (version.is_null() || version == "2012-10-17" || version == "2008-10-17")
        && !statements.is_empty()
        && statements.iter().all(|s| {
            (s["Effect"] == "Allow" || s["Effect"] == "Deny")
                && (s.get("Action").is_some() || s.get("NotAction").is_some())
                && (!with_principal || s.get("Principal").is_some() || s.get("NotPrincipal").is_some())
        })
}

fn concerns(statement: &Value, question: &Question<'_>, denies: bool) -> bool {
    // The negated elements are beyond this evaluator.
    if ["NotAction", "NotResource", "NotPrincipal"].iter().any(|name| statement.get(name).is_some()) {
        return denies;
    }
    let resource = &statement["Resource"];
    names(&statement["Principal"], question.who)
        && list(&statement["Action"]).iter().any(|a| {
            a.as_str()
                .is_some_and(|a| WildMatch::new(&a.to_lowercase()).matches(&question.action.to_lowercase()))
        })
        && (question.resource.is_empty()
            || list(resource)
                .iter()
                .any(|r| r.as_str().is_some_and(|r| WildMatch::new(r).matches(question.resource))))
        && holds(&statement["Condition"], question.context, denies)
}

fn names(principal: &Value, who: Who<'_>) -> bool {
    if principal == "*" {
        return true;
    }
    match who {
        Who::Service(service) => list(&principal["Service"]).iter().any(|p| *p == service),
        Who::Aws { account, arn } => list(&principal["AWS"])
            .iter()
            .filter_map(|p| p.as_str())
            .any(|p| p == "*" || p == account || p == arn || p == format!("arn:aws:iam::{account}:root")),
    }
}

fn holds(condition: &Value, context: &[(&str, &str)], denies: bool) -> bool {
    let Some(operators) = condition.as_object() else { return true };
    operators.iter().all(|(operator, keys)| {
        let Some(keys) = keys.as_object() else { return denies };
        keys.iter().all(|(key, wanted)| {
            let given = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, v)| *v);
            let wanted = list(wanted);
            let mut wanted = wanted.iter().filter_map(|w| w.as_str());
            match (operator.as_str(), given) {
                ("StringEquals" | "ArnEquals", Some(given)) => wanted.any(|w| w == given),
                ("StringLike" | "ArnLike", Some(given)) => wanted.any(|w| WildMatch::new(w).matches(given)),
                ("StringEquals" | "ArnEquals" | "StringLike" | "ArnLike", None) => false,
                ("StringNotEquals" | "ArnNotEquals", given) => !wanted.any(|w| Some(w) == given),
                ("StringNotLike" | "ArnNotLike", given) => {
                    !wanted.any(|w| given.is_some_and(|given| WildMatch::new(w).matches(given)))
                }
                ("Bool", _) if key.eq_ignore_ascii_case("aws:SecureTransport") => wanted.any(|w| w == "true"),
                _ => denies,
            }
        })
    })
}

/// A value or a list of values, as policies allow both everywhere.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks<'a>(service: &'a str, context: &'a [(&'a str, &'a str)]) -> Question<'a> {
        Question {
            who: Who::Service(service),
            action: "s3:PutObject",
            resource: "arn:aws:s3:::logs/AWSLogs/x",
            context,
        }
    }

    #[test]
    fn allows_what_one_statement_allows_and_none_denies() {
        let allow = r#"{"Effect":"Allow","Principal":{"Service":"guardduty.amazonaws.com"},
            "Action":"s3:Put*","Resource":"arn:aws:s3:::logs/*",
            "Condition":{"StringEquals":{"aws:SourceAccount":["111122223333"]}}}"#;
        let deny = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
        let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{allow},{deny}]}}"#);
        let here = [("aws:sourceaccount", "111122223333")];
        let there = [("aws:sourceaccount", "999988887777")];
        assert!(allows(&policy, &asks("guardduty.amazonaws.com", &here)));
        assert!(!allows(&policy, &asks("guardduty.amazonaws.com", &there)));
        assert!(!allows(&policy, &asks("config.amazonaws.com", &here)));
    }

    #[test]
    fn conditions_it_does_not_know_never_allow_and_always_deny() {
        let strange = r#"{"Effect":"EFFECT","Principal":"*","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"x"}}}"#;
        let open = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
        let allowing = format!(r#"{{"Statement":{}}}"#, strange.replace("EFFECT", "Allow"));
        let denying = format!(r#"{{"Statement":[{open},{}]}}"#, strange.replace("EFFECT", "Deny"));
        assert!(!allows(&allowing, &asks("x", &[])));
        assert!(!allows(&denying, &asks("x", &[])));
    }
}
