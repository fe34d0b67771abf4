//! Rate limits: one token bucket for each account, region, service and class of operations.
//!
//! The wait happens where the SDK resolves the identity of an attempt: asynchronous, before signing, and
//! once for each attempt, retries included. (A `RetryStrategy` would be the SDK's own place for it, but its
//! clients offer no public way to set one; an interceptor cannot wait, and a connector waits after signing.)

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::place::{AccountId, Region};

/// Sustained calls a second, and how many may go at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    pub burst: f64,
}

/// The rates that calls are kept within. Where AWS publishes one, it is that one; elsewhere a rate that the
/// peers run with in production without being throttled.
///
/// | service | operations | per second, burst | source |
/// | --- | --- | --- | --- |
/// | securityhub | BatchEnableStandards | 1, 1 | Security Hub API reference |
/// | securityhub | UpdateStandardsControl | 1, 5 | Security Hub API reference |
/// | securityhub | GetFindings | 3, 6 | Security Hub API reference |
/// | securityhub | all others | 10, 30 | Security Hub API reference |
/// | organizations | all | 2, 4 | not published; listings throttle in practice |
/// | iam | reads | 10, 20 | not published; one bucket for the whole account |
/// | iam | writes | 2, 5 | not published |
/// | sts | all | 100, 200 | STS quotas: 600 a second for an account and region, left to others |
/// | account | all | 5, 10 | Account Management quotas: 10 a second for an account |
/// | cloudtrail | CreateTrail, UpdateTrail, PutEventSelectors and other writes | 1, 1 | CloudTrail quotas, transactions a second |
/// | cloudtrail | LookupEvents | 2, 2 | CloudTrail API reference: two a second for an account and region |
/// | cloudtrail | reads | 5, 5 | CloudTrail quotas: 10 a second, half left to others |
/// | config | writes | 2, 5 | not published; a region has few of each |
/// | config | reads | 5, 10 | not published; Describe operations throttle in practice |
/// | cloudwatch | PutMetricAlarm and other writes | 3, 3 | CloudWatch quotas: PutMetricAlarm 3 a second |
/// | cloudwatch | reads | 5, 5 | CloudWatch quotas: DescribeAlarms 9 a second, half left to others |
/// | ec2 | all | 10, 50 | EC2 request throttling: buckets of 50 to 100, refilled by 5 to 20 a second |
/// | logs | writes | 5, 5 | CloudWatch Logs quotas: PutRetentionPolicy, AssociateKmsKey and their like, 5 a second |
/// | logs | reads | 5, 10 | CloudWatch Logs quotas: DescribeLogGroups 10 a second, half left to others |
/// | s3control | all | 5, 10 | not published |
/// | ecr | PutLifecyclePolicy and other writes | 10, 20 | ECR service quotas, per-operation rates |
/// | ecr | reads | 20, 40 | ECR service quotas, per-operation rates |
/// | kms | all | 50, 100 | KMS request quotas, the lowest of the shared ones |
/// | apigateway | all | 5, 10 | API Gateway quotas: 10 a second for an account, half left to others |
/// | s3 | all | 100, 200 | S3 performance guidance: 3,500 writes a second for a prefix |
/// | sns | TagResource | 5, 5 | SNS quotas: tagging 10 a second, half left to others |
/// | sns | all others | 15, 30 | SNS quotas: 30 a second for the rarest, half left to others |
/// | sqs | all | 100, 200 | SQS quotas: 300 a second for each operation on a FIFO queue |
/// | wafv2 | AssociateWebACL, DisassociateWebACL | 0.5, 1 | AWS WAF quotas: one every two seconds |
/// | wafv2 | each Create, Put, Get and Update, and ListResourcesForWebACL | 1, 1 | AWS WAF quotas: 1 a second for each |
/// | wafv2 | all others | 5, 5 | AWS WAF quotas: 5 a second for each list action |
/// | any other | all | 10, 20 | |
const PUBLISHED: &[(&str, Class, Rate)] = &[
    ("securityhub", Class::Operation("BatchEnableStandards"), rate(1.0, 1.0)),
    ("securityhub", Class::Operation("UpdateStandardsControl"), rate(1.0, 5.0)),
    ("securityhub", Class::Operation("GetFindings"), rate(3.0, 6.0)),
    ("securityhub", Class::Any, rate(10.0, 30.0)),
    ("organizations", Class::Any, rate(2.0, 4.0)),
    ("iam", Class::Writes, rate(2.0, 5.0)),
    ("iam", Class::Any, rate(10.0, 20.0)),
    ("sts", Class::Any, rate(100.0, 200.0)),
    ("account", Class::Any, rate(5.0, 10.0)),
    ("cloudtrail", Class::Operation("LookupEvents"), rate(2.0, 2.0)),
    ("cloudtrail", Class::Writes, rate(1.0, 1.0)),
    ("cloudtrail", Class::Any, rate(5.0, 5.0)),
    ("config", Class::Writes, rate(2.0, 5.0)),
    ("config", Class::Any, rate(5.0, 10.0)),
    ("cloudwatch", Class::Writes, rate(3.0, 3.0)),
    ("cloudwatch", Class::Any, rate(5.0, 5.0)),
    ("ec2", Class::Any, rate(10.0, 50.0)),
    ("logs", Class::Writes, rate(5.0, 5.0)),
    ("logs", Class::Any, rate(5.0, 10.0)),
    ("s3control", Class::Any, rate(5.0, 10.0)),
    ("ecr", Class::Writes, rate(10.0, 20.0)),
    ("ecr", Class::Any, rate(20.0, 40.0)),
    ("kms", Class::Any, rate(50.0, 100.0)),
    ("apigateway", Class::Any, rate(5.0, 10.0)),
    ("s3", Class::Any, rate(100.0, 200.0)),
    ("sns", Class::Operation("TagResource"), rate(5.0, 5.0)),
    ("sns", Class::Any, rate(15.0, 30.0)),
    ("sqs", Class::Any, rate(100.0, 200.0)),
    ("wafv2", Class::Operation("AssociateWebACL"), rate(0.5, 1.0)),
    ("wafv2", Class::Operation("DisassociateWebACL"), rate(0.5, 1.0)),
    ("wafv2", Class::Operation("CreateIPSet"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("CreateWebACL"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("GetIPSet"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("GetLoggingConfiguration"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("GetWebACL"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("GetWebACLForResource"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("ListResourcesForWebACL"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("PutLoggingConfiguration"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("UpdateIPSet"), rate(1.0, 1.0)),
    ("wafv2", Class::Operation("UpdateWebACL"), rate(1.0, 1.0)),
    ("wafv2", Class::Any, rate(5.0, 5.0)),
];

const ELSEWHERE: Rate = rate(10.0, 20.0);

const fn rate(per_second: f64, burst: f64) -> Rate {
    Rate { per_second, burst }
}

/// Operations that share a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    Operation(&'static str),
    Writes,
    Any,
}

/// The class and rate of one operation.
fn published(service: &str, operation: &str, write: bool) -> (Class, Rate) {
    PUBLISHED
        .iter()
        .filter(|(name, ..)| *name == service)
        .find(|(_, class, _)| match class {
            Class::Operation(name) => *name == operation,
            Class::Writes => write,
            Class::Any => true,
        })
        .map_or((Class::Any, ELSEWHERE), |(_, class, rate)| (*class, *rate))
}

/// The sustained rate of an operation, for what a run cannot be faster than.
pub fn published_rate(service: &str, operation: &str, write: bool) -> Rate {
    published(service, operation, write).1
}

/// Services with one bucket for the whole account, whatever region is called.
fn is_global(service: &str) -> bool {
    matches!(service, "iam" | "organizations" | "account")
}

#[derive(Debug)]
struct Bucket {
    rate: Rate,
    /// When the bucket would be full again: tokens are reserved ahead of time, in the order of asking.
    full_at: Instant,
}

impl Bucket {
    /// Takes a token and says how long to wait for it.
    fn take(&mut self, now: Instant) -> Duration {
        let each = Duration::from_secs_f64(1.0 / self.rate.per_second);
        let full_at = self.full_at.max(now) + each;
        self.full_at = full_at;
        let allowance = each.mul_f64(self.rate.burst);
        (full_at - now).saturating_sub(allowance)
    }
}

type Key = (AccountId, Option<Region>, &'static str, Class);

/// All buckets of a process. They outlive sessions and clients.
#[derive(Debug, Default)]
pub struct Limits {
    buckets: Mutex<HashMap<Key, Arc<Mutex<Bucket>>>>,
    overrides: HashMap<String, Rate>,
}

impl Limits {
    /// With rates of the Organization document's `limits` in the place of the published ones.
    pub fn new(overrides: HashMap<String, Rate>) -> Self {
        Self { buckets: Mutex::default(), overrides }
    }

    /// Waits until one more call is within the rate.
    pub async fn wait(
        &self,
        account: &AccountId,
        region: &Region,
        service: &'static str,
        operation: &str,
        write: bool,
    ) {
        let delay = self.reserve(account, region, service, operation, write);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    fn reserve(
        &self,
        account: &AccountId,
        region: &Region,
        service: &'static str,
        operation: &str,
        write: bool,
    ) -> Duration {
        let (class, rate) = published(service, operation, write);
        let rate = self.overrides.get(service).copied().unwrap_or(rate);
        let key = (account.clone(), (!is_global(service)).then(|| region.clone()), service, class);
        let now = Instant::now();
        let bucket = {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.entry(key).or_insert_with(|| Arc::new(Mutex::new(Bucket { rate, full_at: now }))).clone()
        };
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(now)
    }

    /// Forgets the buckets of one account that are full: nothing is lost, they would start full again.
    pub fn forget_idle(&self, account: &AccountId) {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|(owner, ..), bucket| {
            owner != account || bucket.lock().unwrap_or_else(PoisonError::into_inner).full_at > now
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        "111122223333".parse().expect("12 digits")
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let limits = Limits::default();
        let (account, region) = (account(), Region::new("eu-west-1"));
        let start = Instant::now();
        for _ in 0..20 {
            limits.wait(&account, &region, "iam", "GetAccountSummary", false).await;
        }
        assert!(start.elapsed() < Duration::from_millis(5), "the burst waits for nothing");
        for _ in 0..10 {
            limits.wait(&account, &region, "iam", "GetAccountSummary", false).await;
        }
        let took = start.elapsed().as_millis();
        assert!((990..=1010).contains(&took), "10 more at 10 a second: {took} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn one_account_does_not_wait_for_another() {
        let limits = Limits::default();
        let region = Region::new("eu-west-1");
        let other: AccountId = "444455556666".parse().expect("12 digits");
        for _ in 0..25 {
            limits.reserve(&account(), &region, "iam", "GetAccountSummary", false);
        }
        assert!(limits.reserve(&other, &region, "iam", "GetAccountSummary", false).is_zero());
    }

    #[test]
    fn the_most_particular_class_is_taken() {
        assert_eq!(published("securityhub", "BatchEnableStandards", true).1, rate(1.0, 1.0));
        assert_eq!(published("securityhub", "DescribeHub", false).1, rate(10.0, 30.0));
        assert_eq!(published("iam", "UpdateAccountPasswordPolicy", true).1, rate(2.0, 5.0));
        assert_eq!(published("unheard-of", "X", false).1, ELSEWHERE);
    }
}
