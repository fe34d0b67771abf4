//! Our statements in a policy that others write too.
//!
//! A statement of ours is known by its `Sid`. It is there when some statement means the same, whatever that
//! one is called; otherwise the one with its `Sid` is replaced, or it is added at the end. All others stay as
//! they are, character for character as JSON has them.

use serde_json::{Value, json};

use super::statement;

/// Those of `ours` that no statement of `live` means.
pub fn lacking<'a>(live: Option<&Value>, ours: &'a [Value]) -> Vec<&'a Value> {
    let there = statements(live);
    ours.iter().filter(|wanted| !there.iter().any(|one| means_the_same(one, wanted))).collect()
}

/// The policy `live` with `ours` in it.
pub fn with_statements(live: Option<&Value>, ours: &[Value]) -> Value {
    let mut all: Vec<Value> = statements(live).into_iter().cloned().collect();
    for wanted in lacking(live, ours) {
        match all.iter_mut().find(|one| one.get("Sid").is_some() && one.get("Sid") == wanted.get("Sid")) {
            Some(same) => *same = wanted.clone(),
            None => all.push(wanted.clone()),
        }
    }
    let mut policy = live.filter(|live| live.is_object()).cloned();
    let policy = policy.get_or_insert_with(|| json!({"Version": "2012-10-17"}));
    policy["Statement"] = Value::Array(all);
    std::mem::take(policy)
}

/// The statement that has this `Sid`.
pub fn by_sid<'a>(live: Option<&'a Value>, sid: &str) -> Option<&'a Value> {
    statements(live).into_iter().find(|one| one["Sid"] == sid)
}

/// The statements of a policy, of which one may stand without a list around it.
pub(super) fn statements(policy: Option<&Value>) -> Vec<&Value> {
    match policy.and_then(|policy| policy.get("Statement")) {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    }
}

fn means_the_same(one: &Value, other: &Value) -> bool {
    match (statement(one), statement(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Vec<Value> {
        vec![json!({
            "Sid": "BaselineTlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        })]
    }

    fn theirs() -> Value {
        json!({"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "111122223333"},
               "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/partner/*"})
    }

    #[test]
    fn no_policy_becomes_one() {
        let made = with_statements(None, &ours());
        assert_eq!(made, json!({"Version": "2012-10-17", "Statement": ours()}));
        assert!(lacking(Some(&made), &ours()).is_empty());
    }

    #[test]
    fn statements_of_others_stay_as_they_are() {
        let live = json!({"Version": "2008-10-17", "Id": "mine", "Statement": theirs()});
        let merged = with_statements(Some(&live), &ours());
        let both = vec![theirs(), ours().remove(0)];
        assert_eq!(merged, json!({"Version": "2008-10-17", "Id": "mine", "Statement": both}));
    }

    #[test]
    fn one_that_means_the_same_under_another_name_is_enough() {
        let mut same = ours().remove(0);
        same["Sid"] = json!("SomebodyElses");
        same["Principal"] = json!({"AWS": ["*"]});
        same["Condition"]["Bool"]["aws:SecureTransport"] = json!([false]);
        let live = json!({"Version": "2012-10-17", "Statement": [same]});
        assert!(lacking(Some(&live), &ours()).is_empty());
        assert_eq!(with_statements(Some(&live), &ours()), live);
    }

    #[test]
    fn one_of_ours_that_was_changed_is_put_back_in_its_place() {
        let mut changed = ours().remove(0);
        changed["Action"] = json!("s3:GetObject");
        let live = json!({"Version": "2012-10-17", "Statement": [changed, theirs()]});
        assert_eq!(lacking(Some(&live), &ours()).len(), 1);
        let merged = with_statements(Some(&live), &ours());
        assert_eq!(merged["Statement"], json!([ours()[0], theirs()]));
        assert_eq!(by_sid(Some(&merged), "BaselineTlsOnly"), Some(&ours()[0]));
    }
}
