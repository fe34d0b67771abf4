//! What the world is made of: accounts, their regions, and what is shared by all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::apigateway::ApiGateway;
use super::apprunner::AppRunner;
use super::appsync::AppSync;
use super::cloudtrail::CloudTrail;
use super::cloudwatch::CloudWatch;
use super::cognito::Cognito;
use super::config::Config;
use super::ec2::Ec2;
use super::ecr::Registry;
use super::elb::LoadBalancers;
use super::events::EventBridge;
use super::guardduty::GuardDuty;
use super::iam::Iam;
use super::identity::{Caller, Deny};
use super::inspector::Inspector;
use super::kms::Kms;
use super::logs::Logs;
use super::organizations::Organization;
use super::s3::Bucket;
use super::s3control::PublicAccess;
use super::securityhub::SecurityHub;
use super::sns::Sns;
use super::sqs::Sqs;
use super::waf::Waf;
use super::weather::Sky;

/// The regions that are on in every account since before March 2019 (Account Management reference guide,
/// "Enable or disable AWS Regions in your account").
pub const DEFAULT_REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The regions that an account must opt in to (same source).
pub const OPT_IN_REGIONS: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// One account. Services keep their own state in their own files.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub suspended: bool,
    /// Regions opted in to, beside [`DEFAULT_REGIONS`].
    pub opted_in: BTreeSet<String>,
    /// What every principal of this account is denied; service control policies stand here.
    pub denies: BTreeSet<Deny>,
    pub iam: Iam,
    pub public_access: PublicAccess,
    /// Made when first touched.
    pub(super) regions: BTreeMap<String, RegionState>,
}

impl Account {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            suspended: false,
            opted_in: BTreeSet::new(),
            denies: BTreeSet::new(),
            iam: Iam::default(),
            public_access: PublicAccess::default(),
            regions: BTreeMap::new(),
        }
    }

    /// What this account has in one region, made when first asked for.
    pub fn region(&mut self, region: &str) -> &mut RegionState {
        if !self.regions.contains_key(region) {
            self.regions.insert(region.to_owned(), RegionState::default());
        }
        self.regions.get_mut(region).expect("inserted above")
    }

    /// Whether calls signed for `region` are taken.
    pub(super) fn has_region(&self, region: &str) -> bool {
        DEFAULT_REGIONS.contains(&region) || self.opted_in.contains(region)
    }
}

/// The regional services of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct RegionState {
    pub guardduty: GuardDuty,
    pub ec2: Ec2,
    pub cloudtrail: CloudTrail,
    pub logs: Logs,
    pub ecr: Registry,
    pub kms: Kms,
    pub apigateway: ApiGateway,
    pub apprunner: AppRunner,
    pub appsync: AppSync,
    pub cloudwatch: CloudWatch,
    pub cognito: Cognito,
    pub config: Config,
    pub elb: LoadBalancers,
    pub events: EventBridge,
    pub inspector: Inspector,
    pub securityhub: SecurityHub,
    pub sns: Sns,
    pub sqs: Sqs,
    pub waf: Waf,
}

/// Everything, behind one lock.
#[derive(Debug, Default)]
pub(super) struct State {
    pub organization: Option<Organization>,
    pub accounts: HashMap<String, Account>,
    /// By access key id.
    pub keys: HashMap<String, Arc<Caller>>,
    /// One namespace for all accounts.
    pub buckets: BTreeMap<String, Bucket>,
    pub sky: Sky,
    /// How often each operation was asked and landed, by `service:Operation`.
    pub tally: HashMap<(&'static str, &'static str), super::Tally>,
    pub recording: Option<super::record::Recording>,
    /// What CloudTrail keeps of the writes that landed.
    pub history: super::cloudtrail::History,
    /// Whoever waits for a message looks again.
    pub queues_moved: Arc<tokio::sync::Notify>,
    /// Counts everything that needs an identifier.
    serial: u64,
}

impl State {
    /// The next number of a sequence that looks like chance and is the same in every run (splitmix64).
    fn next(&mut self) -> u64 {
        self.serial += 1;
        let mut z = self.serial.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn draw(&mut self, alphabet: &[u8], length: usize) -> String {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let mut bits = self.next();
            for _ in 0..8.min(length - text.len()) {
                text.push(char::from(alphabet[(bits & 0xff) as usize % alphabet.len()]));
                bits >>= 8;
            }
        }
        text
    }

    /// Lower-case hexadecimal digits, as detector ids have them.
    pub fn hex(&mut self, length: usize) -> String {
        self.draw(b"0123456789abcdef", length)
    }

    /// Upper-case letters and digits, as IAM identifiers have them.
    pub fn identifier(&mut self, length: usize) -> String {
        self.draw(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length)
    }

    /// A UUID, as key ids and request ids are.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}
