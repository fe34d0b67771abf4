//! The same calls without an engine: SDK clients in a loop, on the same organisation in memory.

use anyhow::{Context as _, bail};
use aws_credential_types::Credentials;
use aws_types::region::Region;
use baseline::aws::bare_sdk_config;
use baseline::sandbox::sample::{EXTERNAL_ID, MANAGEMENT};
use baseline::sandbox::{Principal, World};

use crate::sample::{BUCKET, DESTINATION, DETECTOR, KEY, REPOSITORIES};

/// Clients of one account in one region, made once: the cheapest way to use the SDK.
pub struct Bare {
    account: aws_sdk_account::Client,
    ecr: aws_sdk_ecr::Client,
    guardduty: aws_sdk_guardduty::Client,
    iam: aws_sdk_iam::Client,
    kms: aws_sdk_kms::Client,
    organizations: aws_sdk_organizations::Client,
    s3: aws_sdk_s3::Client,
    sts: aws_sdk_sts::Client,
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
            ecr: client!(aws_sdk_ecr, world, region, credentials),
            guardduty: client!(aws_sdk_guardduty, world, region, credentials),
            iam: client!(aws_sdk_iam, world, "us-east-1", credentials),
            kms: client!(aws_sdk_kms, world, region, credentials),
            organizations: client!(aws_sdk_organizations, world, "us-east-1", credentials),
            s3: client!(aws_sdk_s3, world, region, credentials),
            sts: client!(aws_sdk_sts, world, region, credentials),
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
        let (iam, guardduty, ecr) = (&self.iam, &self.guardduty, &self.ecr);
        match operation {
            "account:ListRegions" => {
                use aws_sdk_account::types::RegionOptStatus::{Enabled, EnabledByDefault};
                let call = self.account.list_regions().region_opt_status_contains(Enabled);
                drop(call.region_opt_status_contains(EnabledByDefault).send().await?);
            }
            "ecr:DescribeRepositories" => drop(ecr.describe_repositories().send().await?),
            "ecr:GetLifecyclePolicy" => {
                drop(ecr.get_lifecycle_policy().repository_name(REPOSITORIES[0]).send().await?);
            }
            "guardduty:DescribePublishingDestination" => {
                let call = guardduty.describe_publishing_destination().detector_id(DETECTOR);
                drop(call.destination_id(DESTINATION).send().await?);
            }
            "guardduty:GetAdministratorAccount" => {
                drop(guardduty.get_administrator_account().detector_id(DETECTOR).send().await?);
            }
            "guardduty:GetDetector" => drop(guardduty.get_detector().detector_id(DETECTOR).send().await?),
            "guardduty:ListDetectors" => drop(guardduty.list_detectors().send().await?),
            "guardduty:ListPublishingDestinations" => {
                drop(guardduty.list_publishing_destinations().detector_id(DETECTOR).send().await?);
            }
            "iam:GetAccountPasswordPolicy" => {
                // A new account has none, and that is an error.
                let answer = iam.get_account_password_policy().send().await;
                let error = answer.err().and_then(|error| error.into_service_error().into());
                if let Some(error) = error
                    && !error.is_no_such_entity_exception()
                {
                    bail!(error);
                }
            }
            "iam:GetAccountSummary" => drop(iam.get_account_summary().send().await?),
            "iam:ListVirtualMFADevices" => drop(iam.list_virtual_mfa_devices().send().await?),
            "kms:DescribeKey" => drop(self.kms.describe_key().key_id(KEY).send().await?),
            "organizations:DescribeOrganization" => {
                drop(self.organizations.describe_organization().send().await?);
            }
            "s3:GetBucketPolicy" => {
                let call = self.s3.get_bucket_policy().bucket(BUCKET);
                drop(call.expected_bucket_owner(MANAGEMENT).send().await?);
            }
            "sts:AssumeRole" => drop(self.assume_role().send().await?),
            "sts:GetCallerIdentity" => drop(self.sts.get_caller_identity().send().await?),
            unknown => bail!("`{unknown}` is not in benches/bare.rs: add it"),
        }
        Ok(())
    }

    pub async fn key_arn(&self) -> anyhow::Result<String> {
        let answer = self.kms.describe_key().key_id(KEY).send().await?;
        answer.key_metadata.and_then(|key| key.arn).context("the key has no ARN")
    }

    /// Makes the archive's bucket and key.
    pub async fn archive(&self, bucket_policy: &str, key_policy: &str) -> anyhow::Result<()> {
        use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        let place = BucketLocationConstraint::EuWest1;
        let place = CreateBucketConfiguration::builder().location_constraint(place).build();
        self.s3.create_bucket().bucket(BUCKET).create_bucket_configuration(place).send().await?;
        self.s3.put_bucket_policy().bucket(BUCKET).policy(bucket_policy).send().await?;
        let key = self.kms.create_key().policy(key_policy).send().await?;
        let id = key.key_metadata.context("the answer holds no key")?.key_id;
        self.kms.create_alias().alias_name(KEY).target_key_id(id).send().await?;
        Ok(())
    }
}
