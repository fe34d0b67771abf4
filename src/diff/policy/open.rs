//! Statements that open a resource to everyone.

use serde_json::Value;

use super::merge::statements;

/// Conditions that a caller cannot choose to meet: whose it is, where it is, what it calls for (IAM User
/// Guide, "AWS global condition context keys"; KMS Developer Guide, "Condition keys for AWS KMS"; SNS Developer
/// Guide, "aws:SourceAccount versus aws:SourceOwner").
const OF_THE_CALLER: [&str; 12] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "kms:calleraccount",
];

/// The `Sid`s of the statements that allow something to everyone (FSBP KMS.5, SNS.4).
pub fn open_to_everyone(policy: &Value) -> Vec<String> {
    let open = statements(Some(policy)).into_iter().enumerate().filter(|(_, one)| is_open(one));
    open.map(|(index, one)| match one["Sid"].as_str() {
        Some(sid) => sid.to_owned(),
        None => format!("number {}", index + 1),
    })
    .collect()
}

/// Does the statement allow something to everyone?
pub fn is_open(statement: &Value) -> bool {
    statement["Effect"] == "Allow" && is_everyone(statement) && !is_narrowed(&statement["Condition"])
}

fn is_everyone(statement: &Value) -> bool {
    // Everybody but some is everybody.
    if statement.get("NotPrincipal").is_some() {
        return true;
    }
    match &statement["Principal"] {
        Value::Object(kinds) => kinds.values().any(|names| texts(names).any(|name| name == "*")),
        one => one == "*",
    }
}

/// Does some condition hold for certain callers only? `…IfExists` and `ForAllValues:…` hold where the key is
/// absent, and the negative operators name whom they keep out.
fn is_narrowed(condition: &Value) -> bool {
    let Some(operators) = condition.as_object() else { return false };
    operators.iter().any(|(operator, keys)| {
        let plain = operator.trim_start_matches("ForAnyValue:");
        let names = ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"];
        names.contains(&plain)
            && keys.as_object().is_some_and(|keys| {
                keys.iter().any(|(key, values)| {
                    let mut values = texts(values).peekable();
                    OF_THE_CALLER.contains(&key.to_lowercase().as_str())
                        && values.peek().is_some()
                        && values.all(is_certain)
                })
            })
    })
}

/// Does a value name somebody? An ARN does by its account, or, as a bucket's, by its name.
fn is_certain(value: &str) -> bool {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, _, _, "", resource] => !resource.starts_with(['*', '?']),
        ["arn", _, _, _, account, _] => !account.contains(['*', '?']),
        _ => !value.starts_with(['*', '?']),
    }
}

/// A text, or a list of them.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Value::Array(list) => (None, Some(list)),
        one => (Some(one), None),
    };
    one.into_iter().chain(many.into_iter().flatten()).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn everyone(condition: Value) -> Value {
        json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*",
               "Condition": condition})
    }

    #[test]
    fn everyone_is_everyone_however_it_is_written() {
        for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["111122223333", "*"]})] {
            let mut one = everyone(json!({}));
            one["Principal"] = principal.clone();
            assert!(is_open(&one), "{principal}");
            one["Effect"] = json!("Deny");
            assert!(!is_open(&one), "{principal}");
        }
        let but_some = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "kms:*",
                              "Resource": "*"});
        assert!(is_open(&but_some));
        let mut somebody = everyone(json!({}));
        somebody["Principal"] = json!({"AWS": "111122223333"});
        assert!(!is_open(&somebody));
    }

    #[test]
    fn a_condition_narrows_where_it_names_the_caller() {
        for (condition, open) in [
            (json!({"StringEquals": {"kms:CallerAccount": "111122223333"}}), false),
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), false),
            (json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}), false),
            (json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::logs"}}), false),
            (json!({"StringEquals": {"AWS:SourceOwner": "111122223333"}}), false),
            (json!({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}), true),
            (json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}), true),
            (json!({"StringLike": {"aws:PrincipalOrgID": "*"}}), true),
            (json!({"StringLike": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "*"]}}), true),
            (json!({"StringEqualsIfExists": {"kms:CallerAccount": "111122223333"}}), true),
            (json!({"StringNotEquals": {"kms:CallerAccount": "111122223333"}}), true),
            (json!({"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-b/"}}), true),
            (json!({"StringEquals": {"kms:CallerAccount": []}}), true),
            (json!({"Bool": {"aws:SecureTransport": "true"}}), true),
        ] {
            assert_eq!(is_open(&everyone(condition.clone())), open, "{condition}");
        }
    }

    #[test]
    fn open_statements_are_told_by_name() {
        let mut named = everyone(json!({}));
        named["Sid"] = json!("Partners");
        let policy = json!({"Statement": [everyone(json!({})), named]});
        assert_eq!(open_to_everyone(&policy), ["number 1", "Partners"]);
    }
}
