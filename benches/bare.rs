//! The same calls without an engine: SDK clients in a loop, on the same organisation in memory.

use anyhow::{Context as _, bail};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::region::Region;
use baseline::aws::bare_sdk_config;
use baseline::sandbox::sample::{EXTERNAL_ID, MANAGEMENT};
use baseline::sandbox::{Principal, World};

use crate::in_use::notices::{ALERTS, CHANGES, HUB_RULE};
use crate::in_use::{DESTINATION, DETECTOR, EBS_KEY, EBS_KEY_ID, GROUP, KEY_ID, ROLE, TRAIL, topic_arn};
use crate::sample::{BUCKET, REPOSITORIES};

/// Clients of one account in one region, made once: the cheapest way to use the SDK.
pub struct Bare {
    account: aws_sdk_account::Client,
    cloudtrail: aws_sdk_cloudtrail::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    config: aws_sdk_config::Client,
    ec2: aws_sdk_ec2::Client,
    ecr: aws_sdk_ecr::Client,
    events: aws_sdk_eventbridge::Client,
    guardduty: aws_sdk_guardduty::Client,
    iam: aws_sdk_iam::Client,
    kms: aws_sdk_kms::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    organizations: aws_sdk_organizations::Client,
    s3: aws_sdk_s3::Client,
    s3control: aws_sdk_s3control::Client,
    securityhub: aws_sdk_securityhub::Client,
    sns: aws_sdk_sns::Client,
    sts: aws_sdk_sts::Client,
    /// The ARNs of the topic that every region has, and of the one of the home region.
    topics: [String; 2],
}

macro_rules! client {
    ($sdk:ident, $world:expr, $region:expr, $credentials:expr) => {
        $sdk::Client::from_conf(
            $sdk::config::Builder::from(&bare_sdk_config($world.http_client()))
                .region(Region::new($region.to_owned()))
                .credentials_provider($credentials.clone())
                .interceptor($world.interceptor())
                .build(),
        )
    };
}

impl Bare {
    /// As a user of the management account.
    pub fn new(world: &World, region: &str) -> Self {
        let user = world.caller_credentials(MANAGEMENT, Principal::User("jo".to_owned()));
        Self::with(world, region, &user)
    }

    /// As the role that the engine reads with, so that requests are signed alike.
    pub async fn observing(world: &World, region: &str) -> anyhow::Result<Self> {
        let answer = Self::new(world, region).assume_role().send().await?;
        let given = answer.credentials.context("the answer holds no credentials")?;
        let token = Some(given.session_token);
        let role = Credentials::new(given.access_key_id, given.secret_access_key, token, None, "bench");
        let observing = Self::with(world, region, &role);
        Ok(Self { sts: Self::new(world, region).sts, ..observing })
    }

    fn with(world: &World, region: &str, credentials: &Credentials) -> Self {
        Self {
            account: client!(aws_sdk_account, world, "us-east-1", credentials),
            cloudtrail: client!(aws_sdk_cloudtrail, world, region, credentials),
            cloudwatch: client!(aws_sdk_cloudwatch, world, region, credentials),
            config: client!(aws_sdk_config, world, region, credentials),
            ec2: client!(aws_sdk_ec2, world, region, credentials),
            ecr: client!(aws_sdk_ecr, world, region, credentials),
            events: client!(aws_sdk_eventbridge, world, region, credentials),
            guardduty: client!(aws_sdk_guardduty, world, region, credentials),
            iam: client!(aws_sdk_iam, world, "us-east-1", credentials),
            kms: client!(aws_sdk_kms, world, region, credentials),
            logs: client!(aws_sdk_cloudwatchlogs, world, region, credentials),
            organizations: client!(aws_sdk_organizations, world, "us-east-1", credentials),
            s3: client!(aws_sdk_s3, world, region, credentials),
            s3control: client!(aws_sdk_s3control, world, region, credentials),
            securityhub: client!(aws_sdk_securityhub, world, region, credentials),
            sns: client!(aws_sdk_sns, world, region, credentials),
            sts: client!(aws_sdk_sts, world, region, credentials),
            topics: [CHANGES, ALERTS].map(|name| topic_arn(region, MANAGEMENT, name)),
        }
    }

    fn assume_role(&self) -> aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder {
        self.sts
            .assume_role()
            .role_arn(format!("arn:aws:iam::{MANAGEMENT}:role/baseline-observe"))
            .role_session_name("bench")
            .external_id(EXTERNAL_ID)
    }

    /// Makes the call that the engine's journal names, with an input like the engine's.
    ///
    /// # Errors
    ///
    /// When the call fails, or is not known here: a new control's reads are added below.
    pub async fn call(&self, operation: &str) -> anyhow::Result<()> {
        let Self {
            account,
            cloudtrail,
            cloudwatch,
            config,
            ec2,
            ecr,
            events,
            guardduty,
            iam,
            kms,
            logs,
            organizations,
            s3,
            s3control,
            securityhub,
            sns,
            sts,
            topics: [changes, alerts],
        } = self;
        macro_rules! bucket {
            ($read:ident) => {
                answered(s3.$read().bucket(BUCKET).expected_bucket_owner(MANAGEMENT).send().await)
            };
        }
        match operation {
            "account:ListRegions" => {
                use aws_sdk_account::types::RegionOptStatus::{Enabled, EnabledByDefault};
                let call = account.list_regions().region_opt_status_contains(Enabled);
                answered(call.region_opt_status_contains(EnabledByDefault).send().await)
            }
            "cloudtrail:DescribeTrails" => {
                answered(cloudtrail.describe_trails().include_shadow_trails(true).send().await)
            }
            "cloudtrail:GetEventSelectors" => {
                answered(cloudtrail.get_event_selectors().trail_name(TRAIL).send().await)
            }
            "cloudtrail:GetInsightSelectors" => {
                answered(cloudtrail.get_insight_selectors().trail_name(TRAIL).send().await)
            }
            "cloudtrail:GetTrailStatus" => answered(cloudtrail.get_trail_status().name(TRAIL).send().await),
            "cloudwatch:DescribeAlarms" => {
                answered(cloudwatch.describe_alarms().max_records(100).send().await)
            }
            "config:DescribeConfigurationRecorders" => {
                answered(config.describe_configuration_recorders().send().await)
            }
            "config:DescribeConfigurationRecorderStatus" => {
                answered(config.describe_configuration_recorder_status().send().await)
            }
            "config:DescribeDeliveryChannels" => answered(config.describe_delivery_channels().send().await),
            "config:DescribeDeliveryChannelStatus" => {
                answered(config.describe_delivery_channel_status().send().await)
            }
            "config:DescribeRetentionConfigurations" => {
                answered(config.describe_retention_configurations().send().await)
            }
            "ec2:GetEbsDefaultKmsKeyId" => answered(ec2.get_ebs_default_kms_key_id().send().await),
            "ec2:GetEbsEncryptionByDefault" => answered(ec2.get_ebs_encryption_by_default().send().await),
            "ec2:GetImageBlockPublicAccessState" => {
                answered(ec2.get_image_block_public_access_state().send().await)
            }
            "ec2:GetInstanceMetadataDefaults" => answered(ec2.get_instance_metadata_defaults().send().await),
            "ec2:GetSerialConsoleAccessStatus" => {
                answered(ec2.get_serial_console_access_status().send().await)
            }
            "ec2:GetSnapshotBlockPublicAccessState" => {
                answered(ec2.get_snapshot_block_public_access_state().send().await)
            }
            "ecr:DescribeRepositories" => answered(ecr.describe_repositories().send().await),
            "ecr:GetLifecyclePolicy" => {
                answered(ecr.get_lifecycle_policy().repository_name(REPOSITORIES[0]).send().await)
            }
            "ecr:GetRegistryScanningConfiguration" => {
                answered(ecr.get_registry_scanning_configuration().send().await)
            }
            "events:DescribeRule" => answered(events.describe_rule().name(HUB_RULE).send().await),
            "events:ListTargetsByRule" => answered(events.list_targets_by_rule().rule(HUB_RULE).send().await),
            "guardduty:DescribePublishingDestination" => {
                let call = guardduty.describe_publishing_destination().detector_id(DETECTOR);
                answered(call.destination_id(DESTINATION).send().await)
            }
            "guardduty:GetAdministratorAccount" => {
                answered(guardduty.get_administrator_account().detector_id(DETECTOR).send().await)
            }
            "guardduty:GetDetector" => answered(guardduty.get_detector().detector_id(DETECTOR).send().await),
            "guardduty:ListDetectors" => answered(guardduty.list_detectors().send().await),
            "guardduty:ListPublishingDestinations" => {
                answered(guardduty.list_publishing_destinations().detector_id(DETECTOR).send().await)
            }
            "iam:GetAccountPasswordPolicy" => answered(iam.get_account_password_policy().send().await),
            "iam:GetAccountSummary" => answered(iam.get_account_summary().send().await),
            "iam:GetRole" => answered(iam.get_role().role_name(ROLE).send().await),
            "iam:GetRolePolicy" => {
                answered(iam.get_role_policy().role_name(ROLE).policy_name(ROLE).send().await)
            }
            "iam:ListVirtualMFADevices" => answered(iam.list_virtual_mfa_devices().send().await),
            "kms:DescribeKey" => answered(kms.describe_key().key_id(EBS_KEY).send().await),
            "kms:GetKeyPolicy" => answered(kms.get_key_policy().key_id(KEY_ID).send().await),
            "kms:GetKeyRotationStatus" => answered(kms.get_key_rotation_status().key_id(KEY_ID).send().await),
            "kms:ListAliases" => answered(kms.list_aliases().key_id(EBS_KEY_ID).send().await),
            "kms:ListResourceTags" => answered(kms.list_resource_tags().key_id(KEY_ID).send().await),
            "logs:DescribeLogGroups" => {
                answered(logs.describe_log_groups().log_group_name_prefix(GROUP).send().await)
            }
            "logs:DescribeMetricFilters" => {
                answered(logs.describe_metric_filters().log_group_name(GROUP).send().await)
            }
            "organizations:DescribeOrganization" => {
                answered(organizations.describe_organization().send().await)
            }
            "s3:GetBucketEncryption" => bucket!(get_bucket_encryption),
            "s3:GetBucketLifecycleConfiguration" => bucket!(get_bucket_lifecycle_configuration),
            "s3:GetBucketLogging" => bucket!(get_bucket_logging),
            "s3:GetBucketOwnershipControls" => bucket!(get_bucket_ownership_controls),
            "s3:GetBucketPolicy" => bucket!(get_bucket_policy),
            "s3:GetBucketVersioning" => bucket!(get_bucket_versioning),
            "s3:GetObjectLockConfiguration" => bucket!(get_object_lock_configuration),
            "s3:GetPublicAccessBlock" => bucket!(get_public_access_block),
            "s3:HeadBucket" => bucket!(head_bucket),
            "s3control:GetPublicAccessBlock" => {
                answered(s3control.get_public_access_block().account_id(MANAGEMENT).send().await)
            }
            "securityhub:DescribeHub" => answered(securityhub.describe_hub().send().await),
            "securityhub:DescribeStandards" => answered(securityhub.describe_standards().send().await),
            "securityhub:GetAdministratorAccount" => {
                answered(securityhub.get_administrator_account().send().await)
            }
            "securityhub:GetEnabledStandards" => answered(securityhub.get_enabled_standards().send().await),
            // The engine asks in every region for the one; the control in the home region for the other.
            "sns:GetTopicAttributes" => answered(sns.get_topic_attributes().topic_arn(changes).send().await),
            "sns:ListSubscriptionsByTopic" => {
                answered(sns.list_subscriptions_by_topic().topic_arn(alerts).send().await)
            }
            "sns:ListTagsForResource" => {
                answered(sns.list_tags_for_resource().resource_arn(alerts).send().await)
            }
            "sts:AssumeRole" => answered(self.assume_role().send().await),
            "sts:GetCallerIdentity" => answered(sts.get_caller_identity().send().await),
            unknown => bail!("`{unknown}` is not in benches/bare.rs: add it"),
        }
    }

    /// Makes the archive's bucket, whose name only its account can take.
    pub async fn make_bucket(&self) -> anyhow::Result<()> {
        use aws_sdk_s3::types::{BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration};
        let place = BucketLocationConstraint::EuWest1;
        let place = CreateBucketConfiguration::builder().location_constraint(place).build();
        let call = self.s3.create_bucket().bucket(BUCKET).bucket_namespace(BucketNamespace::AccountRegional);
        call.create_bucket_configuration(place).send().await?;
        Ok(())
    }
}

/// Errors that say that nothing is set.
const NOTHING_SET: [&str; 3] =
    ["InsightNotEnabledException", "NoSuchLifecycleConfiguration", "ObjectLockConfigurationNotFoundError"];

fn answered<O, E, R>(answer: Result<O, SdkError<E, R>>) -> anyhow::Result<()>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match answer {
        Err(error) if !error.code().is_some_and(|code| NOTHING_SET.contains(&code)) => Err(error.into()),
        _ => Ok(()),
    }
}
