//! `baseline generate permissions`

use std::path::PathBuf;

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub struct Permissions {
    /// Only what the documents in this folder declare, with their names, seats and external id; without it, what
    /// all controls need
    #[arg(short = 'f', long = "desired-state", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Only the role that reads: what plan and drift need
    #[arg(long)]
    pub read_only: bool,
    /// Only what these controls need (repeatable)
    #[arg(long = "control", value_name = "CONTROL")]
    pub controls: Vec<String>,
    /// Whom the roles trust: the role or user that runs baseline
    #[arg(long, value_name = "ARN", value_parser = principal)]
    pub trusted_principal: Option<String>,
    /// The KMS key that plans are signed with, `plan --sign`: the caller's policy allows it
    #[arg(long, value_name = "ARN", value_parser = key)]
    pub signing_key: Option<String>,
    /// How to write them
    #[arg(long, default_value = "json")]
    pub format: PermissionsFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PermissionsFormat {
    /// Managed policies and trust policy of each role, and the policy of the caller
    Json,
    /// A template of both roles, for a StackSet in all accounts or a stack in one
    Cloudformation,
    /// Both roles of one account
    Terraform,
}

/// `arn:aws:iam::111122223333:role/NAME`, `…:user/NAME` or `…:root`: what a trust policy may name (IAM User Guide,
/// "AWS JSON policy elements: Principal").
fn principal(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, who] = parts.as_slice() else { return Err(how()) };
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@/-".contains(c);
    let named =
        |kind: &str| who.strip_prefix(kind).is_some_and(|name| !name.is_empty() && name.chars().all(fits));
    let is = *arn == "arn"
        && partition.starts_with("aws")
        && partition.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        && *service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (*who == "root" || named("role/") || named("user/"));
    if is { Ok(text.to_owned()) } else { Err(how()) }
}

/// `arn:aws:kms:eu-west-1:111122223333:key/ID`: a policy takes no alias for it (Service Authorization Reference,
/// "Actions defined by AWS KMS").
fn key(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, key] = parts.as_slice() else { return Err(how_key()) };
    let is = *arn == "arn"
        && partition.starts_with("aws")
        && *service == "kms"
        && [*partition, *region].iter().all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        })
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && key
            .strip_prefix("key/")
            .is_some_and(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    if is { Ok(text.to_owned()) } else { Err(how_key()) }
}

fn how_key() -> String {
    "write it as `arn:aws:kms:eu-west-1:111122223333:key/ID`, not as an alias".to_owned()
}

fn how() -> String {
    "write it as `arn:aws:iam::111122223333:role/NAME`, or with `user/NAME` or `root`".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_that_a_policy_takes() {
        for good in [
            "arn:aws:kms:eu-west-1:111122223333:key/mrk-0a1b",
            "arn:aws-cn:kms:cn-north-1:111122223333:key/0-a",
        ] {
            assert_eq!(key(good).as_deref(), Ok(good));
        }
        for wrong in
            ["", "alias/x", "arn:aws:kms:eu-west-1:111122223333:alias/x", "arn:aws:kms:*:111122223333:key/*"]
        {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_principal_is_one_that_iam_takes() {
        for good in [
            "arn:aws:iam::111122223333:role/baseline-runner",
            "arn:aws-us-gov:iam::111122223333:role/ci/baseline+1",
            "arn:aws:iam::111122223333:user/jo",
            "arn:aws:iam::111122223333:root",
        ] {
            assert_eq!(principal(good).as_deref(), Ok(good));
        }
        for wrong in [
            "",
            "*",
            "111122223333",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::1111:role/x",
            "arn:aws:sts::111122223333:assumed-role/x/y",
            "arn:aws:iam::111122223333:role/${x}",
            "arn:aws:iam::111122223333:role/a\"b",
            "arn:aws:iam::111122223333:group/x",
        ] {
            assert!(principal(wrong).is_err(), "{wrong}");
        }
    }
}
