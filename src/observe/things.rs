//! Looking for the things that changes stand on: one small read for each kind, in the account that owns it.

mod services;

use std::sync::{Arc, PoisonError};

use tokio::sync::OnceCell;

use super::{Fleet, unopened};
use crate::aws::journal::Purpose;
use crate::aws::{Reader, fault};
use crate::control::{Found, Thing};
use crate::diff::policy;
use crate::fault::Fault;
use crate::place::{AccountId, Region};

/// A bucket's policy as it was read, `None` where there is none.
pub(super) type PolicyRead = Arc<OnceCell<Result<Option<String>, Fault>>>;

/// Looks for one thing. A bucket's policy is read once in a run for all who deliver to it, unless `fresh`.
pub(super) async fn find(fleet: &Fleet, thing: &Thing, fresh: bool) -> Found {
    let session = match fleet.session(thing.account(), Purpose::Observe).await {
        Ok(session) => session,
        Err(why) => return Found::Unknown(unopened(why)),
    };
    let region = thing.region().unwrap_or(&fleet.desired.organization.home);
    let reader = fleet.aws.engine_reader(&session, region);
    let organization = fleet.desired.organization.id.as_deref();
    reader
        .run(async {
            match thing {
                Thing::Key { alias, .. } => key(&reader, alias).await,
                Thing::Bucket { account, name, .. } => bucket(&reader, account, name).await,
                Thing::Delivery { account, bucket, service, from, region } => {
                    let from = from.as_str();
                    let asked = Asked { account, bucket, service, from, organization, region };
                    delivery(fleet, &reader, &asked, fresh).await
                }
                Thing::OrganizationDelivery { account, bucket, service, region } => {
                    // `*` is no account that a policy names one by one.
                    let asked = Asked { account, bucket, service, from: "*", organization, region };
                    delivery(fleet, &reader, &asked, fresh).await
                }
                Thing::Role { name, .. } => role(&reader, name).await,
                Thing::LogGroup { name, .. } => services::log_group(&reader, name).await,
                Thing::Topic { account, name, .. } => services::topic(&reader, account, name).await,
                Thing::ConfigRecorder { .. } => services::recorder(&reader).await,
                Thing::SecurityHub { .. } => services::hub(&reader).await,
                Thing::OwnSecurityHub { member, .. } => services::own_hub(&reader, member).await,
                Thing::FindingAggregator { .. } => services::aggregator(&reader).await,
                Thing::DelegatedAdmin { service, admin, .. } => {
                    services::delegated_admin(&reader, service, admin).await
                }
                Thing::RegionalAdmin { service, admin, .. } => {
                    services::regional_admin(&reader, service, admin).await
                }
                Thing::ServiceAccess { service, .. } => services::service_access(&reader, service).await,
                Thing::Detector { .. } => services::detector(&reader).await,
                Thing::WebAcl { name, .. } => services::web_acl(&reader, name).await,
            }
        })
        .await
        .unwrap_or_else(Found::Unknown)
}

async fn key(aws: &Reader, alias: &str) -> Result<Found, Fault> {
    match aws.kms().describe_key().key_id(alias).send().await {
        Ok(answer) => Ok(answer
            .key_metadata
            .and_then(|key| key.arn)
            .map_or(Found::Absent, |arn| Found::Present { arn })),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found_exception()) => {
            Ok(Found::Absent)
        }
        Err(error) => Err(fault("kms:DescribeKey")(error)),
    }
}

/// A bucket of another owner answers 403, which is a fault and not an absence: names are global.
async fn bucket(aws: &Reader, owner: &AccountId, name: &str) -> Result<Found, Fault> {
    match aws.s3().head_bucket().bucket(name).expected_bucket_owner(owner.as_str()).send().await {
        Ok(_) => Ok(Found::Present { arn: bucket_arn(&aws.scope.region, name) }),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(Found::Absent),
        Err(error) => Err(fault("s3:HeadBucket")(error)),
    }
}

fn bucket_arn(region: &Region, name: &str) -> String {
    format!("arn:{}:s3:::{name}", region.partition())
}

struct Asked<'a> {
    account: &'a AccountId,
    bucket: &'a str,
    service: &'a str,
    from: &'a str,
    organization: Option<&'a str>,
    region: &'a Region,
}

/// Does the bucket's policy let the service deliver from that account? No bucket, no policy: no delivery.
async fn delivery(fleet: &Fleet, aws: &Reader, asked: &Asked<'_>, fresh: bool) -> Result<Found, Fault> {
    let read = if fresh {
        bucket_policy(aws, asked).await
    } else {
        let cell = {
            let mut policies = fleet.shared.policies.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (asked.account.clone(), asked.bucket.to_owned());
            PolicyRead::clone(policies.entry(key).or_default())
        };
        cell.get_or_init(|| bucket_policy(aws, asked)).await.clone()
    };
    let Some(policy) = read? else { return Ok(Found::Absent) };
    let arn = bucket_arn(asked.region, asked.bucket);
    let delivery = policy::Delivery {
        service: asked.service,
        action: "s3:PutObject",
        resource: &format!("{arn}/AWSLogs/{}/x", asked.from),
        account: asked.from,
        organization: asked.organization,
    };
    Ok(if policy::allows_service(&policy, &delivery) { Found::Present { arn } } else { Found::Absent })
}

async fn bucket_policy(aws: &Reader, asked: &Asked<'_>) -> Result<Option<String>, Fault> {
    let call =
        aws.s3().get_bucket_policy().bucket(asked.bucket).expected_bucket_owner(asked.account.as_str());
    match call.send().await {
        Ok(answer) => Ok(answer.policy),
        Err(error) => match fault("s3:GetBucketPolicy")(error) {
            fault if matches!(fault.code.as_str(), "NoSuchBucketPolicy" | "NoSuchBucket") => Ok(None),
            fault => Err(fault),
        },
    }
}

async fn role(aws: &Reader, name: &str) -> Result<Found, Fault> {
    let plain = name.rsplit('/').next().unwrap_or(name);
    match aws.iam().get_role().role_name(plain).send().await {
        Ok(answer) => Ok(answer.role.map_or(Found::Absent, |role| Found::Present { arn: role.arn })),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => {
            Ok(Found::Absent)
        }
        Err(error) => Err(fault("iam:GetRole")(error)),
    }
}
