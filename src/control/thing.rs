//! What changes stand on: things in AWS, by names known beforehand.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::place::{AccountId, Region};

/// Something in AWS that a change stands on, or makes. A closed list: one variant and one resolver (a
/// small read in the owning account, [`crate::observe::things`]) for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "thing", rename_all = "camelCase")]
pub enum Thing {
    /// A KMS key by its alias, `alias/baseline/logs`.
    Key {
        account: AccountId,
        region: Region,
        alias: String,
    },
    Bucket {
        account: AccountId,
        region: Region,
        name: String,
    },
    /// The bucket's policy lets this service principal deliver from this account.
    Delivery {
        account: AccountId,
        region: Region,
        bucket: String,
        service: String,
        from: AccountId,
    },
    /// The bucket's policy lets this service principal deliver from every account of the organisation. It is
    /// made, and makes each of those deliveries: who makes it need not know the accounts.
    OrganizationDelivery {
        account: AccountId,
        region: Region,
        bucket: String,
        service: String,
    },
    Role {
        account: AccountId,
        name: String,
    },
    /// A log group of CloudWatch Logs.
    LogGroup {
        account: AccountId,
        region: Region,
        name: String,
    },
    /// An SNS topic by its name.
    Topic {
        account: AccountId,
        region: Region,
        name: String,
    },
    /// A recorder of AWS Config that records.
    ConfigRecorder {
        account: AccountId,
        region: Region,
    },
    /// Security Hub, enabled.
    SecurityHub {
        account: AccountId,
        region: Region,
    },
    /// Security Hub of `member` is its own: no configuration policy of the administrator, `account`, holds it. Nobody
    /// makes it; without it a control leaves the member's settings alone.
    OwnSecurityHub {
        account: AccountId,
        region: Region,
        member: AccountId,
    },
    /// Security Hub's finding aggregator, which makes this region the home region of the account.
    FindingAggregator {
        account: AccountId,
        region: Region,
    },
    /// `admin` administers a service for the organisation whose management account is `account`. `service` is the
    /// service principal, `guardduty.amazonaws.com`.
    DelegatedAdmin {
        account: AccountId,
        service: String,
        admin: AccountId,
    },
    /// `admin` administers a service for the organisation in one region, as the service's own list says it:
    /// GuardDuty, Security Hub and Inspector take an administrator region by region.
    RegionalAdmin {
        account: AccountId,
        region: Region,
        service: String,
        admin: AccountId,
    },
    /// Trusted access: the organisation whose management account is `account` lets a service into its accounts.
    /// `service` is the service principal.
    ServiceAccess {
        account: AccountId,
        service: String,
    },
    /// GuardDuty's detector.
    Detector {
        account: AccountId,
        region: Region,
    },
    /// A web ACL of AWS WAF, by its name.
    WebAcl {
        account: AccountId,
        region: Region,
        name: String,
    },
}

impl Thing {
    /// The account that owns it, and so the one that is asked about it.
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Key { account, .. }
            | Self::Bucket { account, .. }
            | Self::Delivery { account, .. }
            | Self::OrganizationDelivery { account, .. }
            | Self::Role { account, .. }
            | Self::LogGroup { account, .. }
            | Self::Topic { account, .. }
            | Self::ConfigRecorder { account, .. }
            | Self::SecurityHub { account, .. }
            | Self::OwnSecurityHub { account, .. }
            | Self::FindingAggregator { account, .. }
            | Self::DelegatedAdmin { account, .. }
            | Self::RegionalAdmin { account, .. }
            | Self::ServiceAccess { account, .. }
            | Self::Detector { account, .. }
            | Self::WebAcl { account, .. } => account,
        }
    }

    /// The region that it is in; `None` for what an account has once.
    pub fn region(&self) -> Option<&Region> {
        match self {
            Self::Key { region, .. }
            | Self::Bucket { region, .. }
            | Self::Delivery { region, .. }
            | Self::OrganizationDelivery { region, .. }
            | Self::LogGroup { region, .. }
            | Self::Topic { region, .. }
            | Self::ConfigRecorder { region, .. }
            | Self::SecurityHub { region, .. }
            | Self::RegionalAdmin { region, .. }
            | Self::Detector { region, .. }
            | Self::OwnSecurityHub { region, .. }
            | Self::FindingAggregator { region, .. }
            | Self::WebAcl { region, .. } => Some(region),
            Self::Role { .. } | Self::DelegatedAdmin { .. } | Self::ServiceAccess { .. } => None,
        }
    }

    /// The thing that this one is a part of: whoever makes that makes this too.
    pub fn part_of(&self) -> Option<Self> {
        match self {
            Self::Delivery { account, region, bucket, service, from: _ } => {
                Some(Self::OrganizationDelivery {
                    account: account.clone(),
                    region: region.clone(),
                    bucket: bucket.clone(),
                    service: service.clone(),
                })
            }
            _ => None,
        }
    }
}

/// `key alias/baseline/logs`: without the account, which a reader needs by name.
impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { alias, .. } => write!(f, "key {alias}"),
            Self::Bucket { name, .. } => write!(f, "bucket {name}"),
            Self::Delivery { bucket, service, from, .. } => {
                let service = service.trim_end_matches(".amazonaws.com");
                write!(f, "delivery from {service} of {from} to bucket {bucket}")
            }
            Self::OrganizationDelivery { bucket, service, .. } => {
                let service = service.trim_end_matches(".amazonaws.com");
                write!(f, "delivery from {service} of the organisation to bucket {bucket}")
            }
            Self::Role { name, .. } => write!(f, "role {name}"),
            Self::LogGroup { name, .. } => write!(f, "log group {name}"),
            Self::Topic { name, .. } => write!(f, "topic {name}"),
            Self::ConfigRecorder { .. } => f.write_str("recorder of AWS Config"),
            Self::SecurityHub { .. } => f.write_str("Security Hub"),
            Self::OwnSecurityHub { member, .. } => write!(f, "Security Hub of {member}, its own"),
            Self::FindingAggregator { .. } => f.write_str("finding aggregator of Security Hub"),
            Self::DelegatedAdmin { service, admin, .. } => {
                let service = service.trim_end_matches(".amazonaws.com");
                write!(f, "{admin} as administrator of {service}")
            }
            Self::RegionalAdmin { service, admin, .. } => {
                let service = service.trim_end_matches(".amazonaws.com");
                write!(f, "{admin} as administrator of {service} there")
            }
            Self::ServiceAccess { service, .. } => {
                write!(f, "trusted access of {}", service.trim_end_matches(".amazonaws.com"))
            }
            Self::Detector { .. } => f.write_str("detector of GuardDuty"),
            Self::WebAcl { name, .. } => write!(f, "web ACL {name}"),
        }
    }
}

/// What the engine found when it looked for a thing, in the account that owns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Found {
    Present { arn: String },
    Absent,
    Unknown(Fault),
}

/// What a control stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    pub thing: Thing,
    /// Hard: the change is blocked without it. Soft: only the order matters.
    pub hard: bool,
}

impl Need {
    pub fn hard(thing: Thing) -> Self {
        Self { thing, hard: true }
    }

    pub fn soft(thing: Thing) -> Self {
        Self { thing, hard: false }
    }
}

/// The resolved needs of one control in one scope. Asked again just before a step runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(Thing, Found)>", into = "Vec<(Thing, Found)>")]
pub struct Known(BTreeMap<Thing, Found>);

impl From<Vec<(Thing, Found)>> for Known {
    fn from(found: Vec<(Thing, Found)>) -> Self {
        Self::new(found)
    }
}

impl From<Known> for Vec<(Thing, Found)> {
    fn from(known: Known) -> Self {
        known.0.into_iter().collect()
    }
}

impl Known {
    pub fn new(found: impl IntoIterator<Item = (Thing, Found)>) -> Self {
        Self(found.into_iter().collect())
    }

    pub fn get(&self, thing: &Thing) -> Option<&Found> {
        self.0.get(thing)
    }

    pub fn arn(&self, thing: &Thing) -> Option<&str> {
        match self.0.get(thing)? {
            Found::Present { arn } => Some(arn),
            Found::Absent | Found::Unknown(_) => None,
        }
    }

    /// Why it is not known whether the thing is there, where it could not be looked at.
    pub fn fault(&self, thing: &Thing) -> Option<&Fault> {
        match self.0.get(thing)? {
            Found::Unknown(fault) => Some(fault),
            Found::Present { .. } | Found::Absent => None,
        }
    }

    /// The name that a live ARN goes by, so that plans speak in names: `alias/baseline/logs`, not a key id.
    pub fn name_of(&self, arn: &str) -> Option<&Thing> {
        self.0.iter().find_map(|(thing, found)| match found {
            Found::Present { arn: live } if live == arn => Some(thing),
            _ => None,
        })
    }

    pub fn is_missing(&self, thing: &Thing) -> bool {
        !matches!(self.0.get(thing), Some(Found::Present { .. }))
    }
}
