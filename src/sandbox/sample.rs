//! Organisations ready to use.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::types::ImageTagMutability;
use aws_sdk_guardduty::types::FindingPublishingFrequency;
use jiff::Timestamp;

use super::World;
use super::cloudtrail::Trail;
use super::ecr::Repository;
use super::guardduty::Detector;
use super::iam::{Mfa, PasswordPolicy, Role};
use super::identity::Allows;
use super::organizations::{Member, Organization, Unit};
use super::s3::Bucket;
use super::s3::public::Block;
use super::state::{Account, State};

/// The management account of [`World::acme`] and [`World::many`].
pub const MANAGEMENT: &str = "999988887777";
/// Where [`World::acme`] keeps its logs.
pub const LOG_ARCHIVE: &str = "444455556666";
/// The security account of [`World::acme`].
pub const SECURITY: &str = "777766665555";
/// The workload account of [`World::acme`].
pub const PROD_PAYMENTS: &str = "111122223333";
/// An account of [`World::acme`] that people learn in.
pub const TRAINING: &str = "222233337777";
/// What the roles of these worlds want to hear.
pub const EXTERNAL_ID: &str = "acme-baseline";

const ROOT: &str = "r-acme";
const SECURITY_UNIT: &str = "ou-acme-security";
const WORKLOADS_UNIT: &str = "ou-acme-workload";

impl World {
    /// The sample organisation `o-a1b2c3d4e5`: [`MANAGEMENT`], [`LOG_ARCHIVE`], [`SECURITY`], [`TRAINING`] and
    /// [`PROD_PAYMENTS`], which was set up by hand: a weak password policy, a trail into a bucket of its own,
    /// GuardDuty half configured in eu-west-1 and off elsewhere, a public bucket and four repositories. Each account
    /// has the roles `baseline-observe` and `baseline-apply`.
    pub fn acme() -> Self {
        let world = Self::default();
        let now = world.now();
        world.found(now);
        world.join(LOG_ARCHIVE, "log-archive", SECURITY_UNIT, &[("team", "platform")], now);
        world.join(SECURITY, "security", SECURITY_UNIT, &[("team", "security")], now);
        world.join(
            PROD_PAYMENTS,
            "prod-payments",
            WORKLOADS_UNIT,
            &[("env", "prod"), ("team", "payments")],
            now,
        );
        world.join(TRAINING, "training-7", WORKLOADS_UNIT, &[("env", "training")], now);
        for id in [MANAGEMENT, LOG_ARCHIVE, SECURITY, TRAINING] {
            world.account(id, |account| {
                account.iam.root.mfa = Mfa::Hardware;
                account.public_access.block = Some(Block::ALL);
            });
        }
        world.account(PROD_PAYMENTS, |account| neglect(account, now));
        for (name, open) in [("payments-trail", false), ("payments-www", true)] {
            let mut bucket = Bucket::new(PROD_PAYMENTS, "eu-west-1");
            bucket.policy = (!open).then(|| delivery(name));
            if open {
                bucket.public_access = None;
                bucket.ownership = None;
                bucket.readers = vec!["AllUsers".to_owned()];
            }
            world.locked().buckets.insert(name.to_owned(), bucket);
        }
        world
    }

    /// A stand-alone account, in no organisation, with the two roles trusting it itself.
    pub fn one_account(id: &str) -> Self {
        let world = Self::default();
        let now = world.now();
        world.add_account(id);
        with_roles(&mut world.locked(), id, id, now);
        world
    }

    /// An organisation of `n` accounts, [`MANAGEMENT`] and then `100000000000`, `100000000001` and so on, each
    /// with the two roles and nothing else; what a region has is made when first touched.
    pub fn many(n: usize) -> Self {
        let world = Self::default();
        let now = world.now();
        world.found(now);
        for index in 1..n {
            let id = format!("{}", 100_000_000_000 + (index as u64 - 1));
            world.join(&id, &format!("account-{index:04}"), WORKLOADS_UNIT, &[], now);
        }
        world
    }

    /// Makes the organisation with its management account and its units.
    fn found(&self, now: Timestamp) {
        let unit =
            |name: &str| Unit { name: name.to_owned(), parent: ROOT.to_owned(), tags: BTreeMap::new() };
        self.locked().organization = Some(Organization {
            id: "o-a1b2c3d4e5".to_owned(),
            management: MANAGEMENT.to_owned(),
            root: ROOT.to_owned(),
            members: BTreeMap::new(),
            units: BTreeMap::from([
                (SECURITY_UNIT.to_owned(), unit("Security")),
                (WORKLOADS_UNIT.to_owned(), unit("Workloads")),
            ]),
            trusted: BTreeMap::new(),
            delegated: BTreeMap::new(),
        });
        self.join(MANAGEMENT, "management", ROOT, &[], now);
    }

    /// Adds an account with the two roles to the organisation, where there is one. `parent` is the id of its
    /// root or of one of its units.
    pub fn join(&self, id: &str, name: &str, parent: &str, tags: &[(&str, &str)], now: Timestamp) {
        self.add_account(id);
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let member =
            Member { name: name.to_owned(), parent: parent.to_owned(), suspended: false, tags, joined: now };
        self.organization(|organization| organization.members.insert(id.to_owned(), member));
        with_roles(&mut self.locked(), id, MANAGEMENT, now);
    }

    /// Suspends an account, in the organisation and for calls: AWS closes an account by suspending it.
    ///
    /// # Panics
    ///
    /// When the world has no such account.
    pub fn suspend(&self, id: &str) {
        self.account(id, |account| account.suspended = true);
        self.organization(|organization| {
            if let Some(member) = organization.members.get_mut(id) {
                member.suspended = true;
            }
        });
    }
}

/// What CloudTrail needs of a bucket (CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail").
fn delivery(bucket: &str) -> String {
    let arn = format!("arn:aws:s3:::{bucket}");
    let service = serde_json::json!({ "Service": "cloudtrail.amazonaws.com" });
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:GetBucketAcl",
            "Resource": arn,
        }, {
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:PutObject",
            "Resource": format!("{arn}/AWSLogs/{PROD_PAYMENTS}/*"),
        }],
    })
    .to_string()
}

/// The roles `baseline-observe` (reads) and `baseline-apply` (everything), which trust one account and want the
/// external id.
fn with_roles(state: &mut State, account: &str, trusted: &str, now: Timestamp) {
    let trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{trusted}:root") },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": EXTERNAL_ID } },
        }],
    })
    .to_string();
    for (name, allows) in [("baseline-observe", Allows::Reading), ("baseline-apply", Allows::Everything)] {
        let role = Role {
            id: format!("AROA{}", state.identifier(17)),
            name: name.to_owned(),
            path: "/".to_owned(),
            trust: trust.clone(),
            description: None,
            tags: BTreeMap::new(),
            max_session: 3600,
            created: now,
            allows,
            denies: BTreeSet::new(),
        };
        if let Some(account) = state.accounts.get_mut(account) {
            account.iam.roles.insert(name.to_owned(), role);
        }
    }
}

/// An account as one finds it: set up once, by hand, and left.
fn neglect(account: &mut Account, now: Timestamp) {
    account.iam.password_policy = Some(PasswordPolicy {
        minimum_length: 8,
        lowercase: true,
        numbers: true,
        ..PasswordPolicy::default()
    });
    account.iam.root.access_keys = true;
    let region = account.region("eu-west-1");
    let mut detector = Detector::with_defaults("8ac7a7f2b5e64d1c9f3e0d2b1a4c5d6e", now);
    detector.frequency = FindingPublishingFrequency::SixHours;
    detector.set_feature("S3_DATA_EVENTS", false);
    detector.set_feature("EBS_MALWARE_PROTECTION", false);
    region.guardduty.detector = Some(detector);
    region
        .cloudtrail
        .trails
        .insert("payments".to_owned(), Trail { multi_region: true, ..Trail::logging_to("payments-trail") });
    for (name, scan_on_push, immutable) in [
        ("payments/api", true, true),
        ("payments/ledger", false, true),
        ("payments/web", false, false),
        ("sandbox/spike", false, false),
    ] {
        let mut repository = Repository::with_defaults(now);
        repository.scan_on_push = scan_on_push;
        if immutable {
            repository.mutability = ImageTagMutability::Immutable;
        }
        region.ecr.repositories.insert(name.to_owned(), repository);
    }
}
