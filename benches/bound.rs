//! What no engine could be faster than: the longest chain of calls that wait for each other's answers, and the
//! rates at which AWS takes calls.
//!
//! Which call needs which is said in [`AFTER`], from the operations' own inputs, and not read off the order of
//! a run: an engine that asked everything one by one would look as quick as can be. The journal has its say as
//! well: a step of the chain counts only where the one call had ended before the other began, so that a wrong
//! line in the table cannot make the chain longer than it was.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use baseline::aws::journal::Entry;
use baseline::aws::limits::published_rate;

/// For every operation that a plan calls, those whose answer it cannot be asked without: an id in its input, or
/// the promise that a session is asserted (account, partition, organisation) before its first other call.
const AFTER: &[(&str, &[&str])] = &[
    // A session, of the caller first.
    ("sts:GetCallerIdentity", &["sts:AssumeRole"]),
    ("sts:AssumeRole", &["sts:GetCallerIdentity"]),
    ("organizations:DescribeOrganization", &["sts:GetCallerIdentity"]),
    // `managed: all-enabled`.
    ("account:ListRegions", SESSION),
    // The archive, in its account: the bucket goes by its name, the key by its alias and then by its id.
    ("kms:DescribeKey", SESSION),
    ("kms:GetKeyPolicy", KEY),
    ("kms:GetKeyRotationStatus", KEY),
    ("kms:ListResourceTags", KEY),
    ("s3:HeadBucket", SESSION),
    ("s3:GetBucketEncryption", SESSION),
    ("s3:GetBucketLifecycleConfiguration", SESSION),
    ("s3:GetBucketLogging", SESSION),
    ("s3:GetBucketOwnershipControls", SESSION),
    ("s3:GetBucketPolicy", SESSION),
    ("s3:GetBucketVersioning", SESSION),
    ("s3:GetObjectLockConfiguration", SESSION),
    ("s3:GetPublicAccessBlock", SESSION),
    // One for an account.
    ("iam:GetAccountPasswordPolicy", SESSION),
    ("iam:GetAccountSummary", SESSION),
    ("iam:ListVirtualMFADevices", SESSION),
    // Twice with a pause between, which is a habit: AWS would answer once.
    ("s3control:GetPublicAccessBlock", SESSION),
    // In the home region. A log group and a role go by the names that are declared.
    ("cloudtrail:DescribeTrails", SESSION),
    ("cloudtrail:GetTrailStatus", TRAILS),
    ("cloudtrail:GetEventSelectors", TRAILS),
    ("cloudtrail:GetInsightSelectors", TRAILS),
    ("logs:DescribeLogGroups", SESSION),
    ("iam:GetRole", SESSION),
    ("iam:GetRolePolicy", SESSION),
    // Filters go by the log group's name; alarms are listed, all of them, whatever the filters are.
    ("logs:DescribeMetricFilters", SESSION),
    ("cloudwatch:DescribeAlarms", SESSION),
    // A topic's ARN is made of its name, so nothing has to be found first.
    ("sns:ListSubscriptionsByTopic", SESSION),
    ("sns:ListTagsForResource", SESSION),
    // In each region.
    ("config:DescribeConfigurationRecorders", REGION),
    ("config:DescribeConfigurationRecorderStatus", REGION),
    ("config:DescribeDeliveryChannels", REGION),
    ("config:DescribeDeliveryChannelStatus", REGION),
    ("config:DescribeRetentionConfigurations", REGION),
    ("sns:GetTopicAttributes", REGION),
    // Rules go by their names, and so do their targets.
    ("events:DescribeRule", REGION),
    ("events:ListTargetsByRule", REGION),
    // Where Security Hub is off all of these say so: none needs another's answer.
    ("securityhub:DescribeHub", REGION),
    ("securityhub:GetAdministratorAccount", REGION),
    ("securityhub:DescribeStandards", REGION),
    ("securityhub:GetEnabledStandards", REGION),
    ("guardduty:ListDetectors", REGION),
    ("guardduty:GetDetector", &["guardduty:ListDetectors"]),
    ("guardduty:GetAdministratorAccount", &["guardduty:ListDetectors"]),
    ("guardduty:ListPublishingDestinations", &["guardduty:ListDetectors"]),
    ("guardduty:DescribePublishingDestination", &["guardduty:ListPublishingDestinations"]),
    ("ec2:GetEbsDefaultKmsKeyId", REGION),
    ("ec2:GetEbsEncryptionByDefault", REGION),
    ("ec2:GetImageBlockPublicAccessState", REGION),
    ("ec2:GetInstanceMetadataDefaults", REGION),
    ("ec2:GetSerialConsoleAccessStatus", REGION),
    ("ec2:GetSnapshotBlockPublicAccessState", REGION),
    ("kms:ListAliases", &["ec2:GetEbsDefaultKmsKeyId"]),
    ("ecr:GetRegistryScanningConfiguration", REGION),
    ("ecr:DescribeRepositories", REGION),
    ("ecr:GetLifecyclePolicy", &["ecr:DescribeRepositories"]),
];

const SESSION: &[&str] = &["organizations:DescribeOrganization"];
const KEY: &[&str] = &["kms:DescribeKey"];
const TRAILS: &[&str] = &["cloudtrail:DescribeTrails"];
const REGION: &[&str] = &["account:ListRegions"];

/// Calls of these in one scope are pages, and each page needs the one before. What is listed for several in one scope
/// is not here, though it has pages: `events:ListTargetsByRule` for two rules, `logs:DescribeLogGroups` for two who ask.
/// Each of those fits on one page, and the second is nobody's next page.
const PAGED: &[&str] = &[
    "account:ListRegions",
    "cloudwatch:DescribeAlarms",
    "config:DescribeRetentionConfigurations",
    "ecr:DescribeRepositories",
    "guardduty:ListPublishingDestinations",
    "iam:ListVirtualMFADevices",
    "kms:ListAliases",
    "kms:ListResourceTags",
    "logs:DescribeMetricFilters",
    "securityhub:DescribeStandards",
    "securityhub:GetEnabledStandards",
    "sns:ListSubscriptionsByTopic",
];

/// Services whose answers hold for every region.
const GLOBAL: &[&str] = &["account", "organizations", "sts"];

pub struct Bound {
    /// The longest chain, from the first call to the last.
    pub chain: Vec<&'static str>,
    /// What the slowest bucket needs for its calls.
    pub rates: Duration,
}

impl Bound {
    /// Of the plan of one account.
    ///
    /// # Errors
    ///
    /// When [`AFTER`] does not know an operation.
    pub fn of(journal: &[Entry]) -> anyhow::Result<Self> {
        Ok(Self { chain: chain(journal)?, rates: rates(journal) })
    }

    pub fn at(&self, latency: Duration) -> Duration {
        self.rates.max(latency * self.chain.len() as u32)
    }
}

fn chain(journal: &[Entry]) -> anyhow::Result<Vec<&'static str>> {
    let mut calls: Vec<&Entry> = journal.iter().collect();
    calls.sort_by_key(|call| call.started);
    let mut chains: Vec<Vec<&'static str>> = Vec::with_capacity(calls.len());
    for (at, call) in calls.iter().enumerate() {
        let operation = call.operation();
        let (_, after) = AFTER
            .iter()
            .find(|(name, _)| *name == operation)
            .with_context(|| format!("benches/bound.rs does not say what `{operation}` needs"))?;
        let needed = |before: &Entry| {
            let named = after.contains(&before.operation())
                || (before.operation() == operation && PAGED.contains(&operation));
            let reaches = GLOBAL.contains(&service(before)) || before.scope == call.scope;
            named && reaches && before.started + before.took <= call.started
        };
        let longest = calls[..at]
            .iter()
            .zip(&chains)
            .filter(|(before, _)| needed(before))
            .map(|(_, chain)| chain)
            .max_by_key(|chain| chain.len());
        let mut chain = longest.cloned().unwrap_or_default();
        chain.push(operation);
        chains.push(chain);
    }
    Ok(chains.into_iter().max_by_key(Vec::len).unwrap_or_default())
}

/// Calls ÷ published rate, of the bucket that takes longest. What a full bucket lets through at once is taken
/// off first: the plainer division would be an easier bound.
fn rates(journal: &[Entry]) -> Duration {
    let mut buckets: BTreeMap<(&str, &str, String), (f64, f64, u32)> = BTreeMap::new();
    for call in journal {
        let (service, operation) = call.operation().split_once(':').unwrap_or(("", call.operation()));
        let rate = published_rate(service, operation, call.write);
        let scope = (call.scope.account.as_str(), call.scope.region.as_str());
        // Operations of one service that share a bucket have one rate.
        let key = (scope.0, scope.1, format!("{service} {rate:?}"));
        buckets.entry(key).or_insert((rate.per_second, rate.burst, 0)).2 += 1;
    }
    let slowest = buckets
        .into_values()
        .map(|(per_second, burst, calls)| (f64::from(calls) - burst).max(0.0) / per_second)
        .fold(0.0, f64::max);
    Duration::from_secs_f64(slowest)
}

fn service(call: &Entry) -> &'static str {
    call.operation().split_once(':').map_or("", |(service, _)| service)
}
