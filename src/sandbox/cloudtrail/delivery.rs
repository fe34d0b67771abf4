//! Whether CloudTrail can deliver: what bucket, key, log group and role say.

use jiff::Timestamp;

use super::super::iam::permits;
use super::super::operation::{Call, Refusal};
use super::super::policy::{self, Question, Who};
use super::super::state::State;
use super::{Seen, Trail, refuse};

const WHO: Who<'static> = Who::Service("cloudtrail.amazonaws.com");

/// The key's ARN from what a request names: a key or an alias by its ARN, or an alias of the caller's own
/// (CreateTrail, `KmsKeyId`).
pub(super) fn key_arn(call: &Call<'_>, given: &str) -> Result<String, Refusal> {
    let invalid = || refuse("InvalidKmsKeyIdException", format!("KmsKeyId {given} is invalid."));
    let full = if given.starts_with("arn:") { given.to_owned() } else { call.arn("kms", given) };
    let parts: Vec<&str> = full.splitn(6, ':').collect();
    let [_, _, "kms", region, owner, resource] = parts[..] else { return Err(invalid()) };
    if resource.starts_with("key/") {
        return Ok(full.clone());
    }
    if !resource.starts_with("alias/") {
        return Err(invalid());
    }
    let kms = call.state.accounts.get(owner).and_then(|account| account.regions.get(region)).map(|r| &r.kms);
    let id = kms.and_then(|kms| kms.aliases.get(resource)).ok_or_else(|| no_key(given))?;
    Ok(format!("arn:aws:kms:{region}:{owner}:key/{id}"))
}

fn no_key(key: &str) -> Refusal {
    refuse(
        "KmsKeyNotFoundException",
        format!("KMS key {key} does not exist, or is not in the region of the bucket."),
    )
}

/// User Guide, "Amazon S3 bucket policy for CloudTrail": CloudTrail reads the bucket's ACL and puts objects under
/// `AWSLogs/`, of the account and, for an organisation trail, of the organisation, handing them to the bucket's
/// owner. "Configure KMS key policies": it generates data keys for the trail and describes the key, which is
/// enabled and in the region of the bucket.
pub(super) fn storage(state: &State, home: &Seen, trail: &Trail) -> Result<(), Refusal> {
    let arn = home.arn();
    let member = state.organization.as_ref().filter(|organization| organization.has_member(&home.owner));
    let organization = member.map(|organization| organization.id.as_str());
    let mut context = vec![
        ("aws:sourceaccount", home.owner.as_str()),
        ("aws:sourcearn", arn.as_str()),
        ("s3:x-amz-acl", "bucket-owner-full-control"),
        ("kms:encryptioncontext:aws:cloudtrail:arn", arn.as_str()),
    ];
    context.extend(organization.map(|id| ("aws:sourceorgid", id)));
    let asks = |action, resource: &str, policy: &str| {
        policy::allows(policy, &Question { who: WHO, action, resource, context: &context })
    };

    let name = &trail.bucket;
    let bucket = state.buckets.get(name).ok_or_else(|| {
        refuse("S3BucketDoesNotExistException", format!("S3 bucket {name} does not exist!"))
    })?;
    let text = bucket.policy.as_deref().unwrap_or_default();
    let folder = trail.prefix.as_ref().map_or_else(String::new, |prefix| format!("{prefix}/"));
    let mut owners = vec![home.owner.clone()];
    owners.extend(organization.filter(|_| trail.organization).map(|id| format!("{id}/{}", home.owner)));
    let puts = owners.iter().all(|owner| {
        asks("s3:PutObject", &format!("arn:aws:s3:::{name}/{folder}AWSLogs/{owner}/CloudTrail/x"), text)
    });
    if !puts || !asks("s3:GetBucketAcl", &format!("arn:aws:s3:::{name}"), text) {
        return Err(refuse(
            "InsufficientS3BucketPolicyException",
            format!("Incorrect S3 bucket policy is detected for bucket: {name}"),
        ));
    }

    let Some(key_arn) = &trail.key_arn else { return Ok(()) };
    let parts: Vec<&str> = key_arn.splitn(6, ':').collect();
    let [_, _, _, region, owner, resource] = parts[..] else { return Err(no_key(key_arn)) };
    let id = resource.trim_start_matches("key/");
    let key = state
        .accounts
        .get(owner)
        .and_then(|account| account.regions.get(region))
        .and_then(|there| there.kms.keys.get(id))
        .filter(|_| region == bucket.region)
        .ok_or_else(|| no_key(key_arn))?;
    if !key.enabled {
        return Err(refuse("KmsKeyDisabledException", format!("KMS key {key_arn} is disabled.")));
    }
    let allowed = ["kms:GenerateDataKey", "kms:DescribeKey"];
    if allowed.into_iter().all(|action| asks(action, key_arn, &key.policy)) {
        Ok(())
    } else {
        Err(refuse(
            "InsufficientEncryptionPolicyException",
            format!("Insufficient permissions to access S3 bucket {name} or KMS key {key_arn}."),
        ))
    }
}

/// User Guide, "Sending events to CloudWatch Logs": the log group is the account's own and in the home region; the
/// role trusts CloudTrail and may make streams and put events into them. With a time, a role that was changed
/// too lately is not seen yet.
pub(super) fn logs(state: &State, home: &Seen, trail: &Trail, at: Option<Timestamp>) -> Result<(), Refusal> {
    let (Some(group), Some(role)) = (&trail.group_arn, &trail.role_arn) else { return Ok(()) };
    let no_group = || {
        let code = "InvalidCloudWatchLogsLogGroupArnException";
        refuse(code, "CloudTrail cannot validate the specified log group ARN.")
    };
    let denied = || {
        let code = "InvalidCloudWatchLogsRoleArnException";
        refuse(code, "Access denied. Check the trust relationships for your role.")
    };
    let Seen { owner, home: region, .. } = home;
    let account = state.accounts.get(owner).ok_or_else(no_group)?;
    let name = group
        .strip_prefix(&format!("arn:aws:logs:{region}:{owner}:log-group:"))
        .and_then(|rest| rest.strip_suffix(":*"))
        .ok_or_else(no_group)?;
    let there = account.regions.get(region).map(|there| &there.logs);
    if !there.is_some_and(|logs| logs.groups.contains_key(name)) {
        return Err(no_group());
    }
    let found = account.iam.roles.values().find(|found| found.arn(owner) == *role).ok_or_else(denied)?;
    let propagated = |at: Timestamp| {
        let changed = account.iam.changed.get(&found.name);
        changed.is_none_or(|changed| at.duration_since(*changed).unsigned_abs() >= account.iam.propagation)
    };
    let arn = home.arn();
    let context = [("aws:sourceaccount", owner.as_str()), ("aws:sourcearn", arn.as_str())];
    let takes = Question { who: WHO, action: "sts:AssumeRole", resource: "", context: &context };
    if !at.is_none_or(propagated) || !policy::allows(&found.trust, &takes) {
        return Err(denied());
    }
    let group = group.trim_end_matches('*');
    let mut streams = vec![format!("{group}log-stream:{owner}_CloudTrail_{region}")];
    let organization = state.organization.as_ref().filter(|_| trail.organization);
    streams.extend(organization.map(|o| format!("{group}log-stream:{}_{owner}_CloudTrail_{region}", o.id)));
    let policies = account.iam.inline.get(&found.name);
    let may = |action: &str, stream: &String| {
        policies.is_some_and(|policies| permits(policies.values().map(String::as_str), action, stream))
    };
    let all = ["logs:CreateLogStream", "logs:PutLogEvents"];
    if all.iter().all(|action| streams.iter().all(|stream| may(action, stream))) {
        Ok(())
    } else {
        Err(refuse(
            "InvalidCloudWatchLogsRoleArnException",
            "Access denied. Verify in IAM that the role has adequate permissions.",
        ))
    }
}
