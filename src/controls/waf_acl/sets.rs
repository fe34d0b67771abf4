//! Lists of networks as IP sets: one for each list and version of IP, `baseline-office-ipv4`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::types::{GeoMatchStatement, IpSetReferenceStatement, Statement};
use aws_smithy_types::error::operation::BuildError;
use serde::{Deserialize, Serialize};

use crate::control::{Facts, Network};

/// A version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Ip {
    IpV4,
    IpV6,
}

impl Ip {
    /// As AWS spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::IpV4 => "IPV4",
            Self::IpV6 => "IPV6",
        }
    }
}

/// What an IP set of ours is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub list: String,
    pub version: Ip,
    pub addresses: BTreeSet<String>,
}

/// The names of the IP sets that each list becomes.
pub type Lists = BTreeMap<String, BTreeSet<String>>;

/// The IP sets that these lists become here, by name.
pub fn wanted<'a>(facts: &Facts, lists: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Wanted> {
    let mut all = BTreeMap::new();
    for list in lists {
        let Some(networks) = facts.networks.get(list) else { continue };
        for version in [Ip::IpV4, Ip::IpV6] {
            let of = |network: &&Network| network.is_v4() == (version == Ip::IpV4);
            let addresses: BTreeSet<String> = networks.iter().filter(of).map(ToString::to_string).collect();
            if !addresses.is_empty() {
                all.insert(name_of(list, version), Wanted { list: list.to_owned(), version, addresses });
            }
        }
    }
    all
}

/// The names of the IP sets of all lists of the Organization.
pub fn all_names(facts: &Facts) -> Lists {
    let names = |(list, networks): (&String, &BTreeSet<Network>)| {
        let has = |version: &Ip| networks.iter().any(|one| one.is_v4() == (*version == Ip::IpV4));
        let sets = [Ip::IpV4, Ip::IpV6].into_iter().filter(has).map(|version| name_of(list, version));
        (list.clone(), sets.collect())
    };
    facts.networks.iter().map(names).collect()
}

fn name_of(list: &str, version: Ip) -> String {
    format!("baseline-{list}-{}", version.word().to_lowercase())
}

/// The names alone.
pub fn names_of(wanted: &BTreeMap<String, Wanted>) -> Lists {
    let mut lists = Lists::new();
    for (name, one) in wanted {
        lists.entry(one.list.clone()).or_default().insert(name.clone());
    }
    lists
}

/// Why a statement cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("there is no IP set `{0}` yet")]
    Set(String),
    #[error("{0}")]
    Statement(String),
}

impl From<BuildError> for Missing {
    fn from(error: BuildError) -> Self {
        Self::Statement(error.to_string())
    }
}

/// What stands for lists of networks in rules.
pub trait Sets {
    /// The IP sets that each list becomes.
    fn lists(&self) -> &Lists;

    /// One statement for each IP set of these lists.
    fn statements(&self, lists: &BTreeSet<String>) -> Result<Vec<Statement>, Missing>;
}

/// References to the IP sets of the account.
pub struct References<'a> {
    pub lists: &'a Lists,
    /// ARNs by name.
    pub arns: &'a BTreeMap<String, String>,
}

impl Sets for References<'_> {
    fn lists(&self) -> &Lists {
        self.lists
    }

    fn statements(&self, lists: &BTreeSet<String>) -> Result<Vec<Statement>, Missing> {
        let reference = |name: &String| {
            let arn = self.arns.get(name).ok_or_else(|| Missing::Set(name.clone()))?;
            let reference = IpSetReferenceStatement::builder().arn(arn).build()?;
            Ok(Statement::builder().ip_set_reference_statement(reference).build())
        };
        sets_of(lists, self.lists).iter().map(reference).collect()
    }
}

/// Statements that use as much of a web ACL's capacity as references do, for asking before the sets are there: a
/// country and an IP set each use 1 (AWS WAF Developer Guide, "Geographic match", "IP set match").
pub struct Stand<'a> {
    pub lists: &'a Lists,
}

impl Sets for Stand<'_> {
    fn lists(&self) -> &Lists {
        self.lists
    }

    fn statements(&self, lists: &BTreeSet<String>) -> Result<Vec<Statement>, Missing> {
        let geo = GeoMatchStatement::builder().country_codes("AQ".into()).build();
        let one = Statement::builder().geo_match_statement(geo).build();
        Ok(sets_of(lists, self.lists).iter().map(|_| one.clone()).collect())
    }
}

/// The names of the IP sets behind lists; those that stand for themselves are carried along as they are.
pub fn sets_of(lists: &BTreeSet<String>, known: &Lists) -> BTreeSet<String> {
    let of = |list: &String| match list.strip_prefix(STRANGE) {
        Some(set) => BTreeSet::from([set.to_owned()]),
        None => known.get(list).cloned().unwrap_or_default(),
    };
    lists.iter().flat_map(of).collect()
}

/// The names of the IP sets that these statements refer to; `None` where one refers to something else.
pub fn names(statements: &[&Statement]) -> Option<BTreeSet<String>> {
    let name = |statement: &&Statement| {
        let reference = statement.ip_set_reference_statement.as_ref()?;
        let plain = reference.ip_set_forwarded_ip_config.is_none();
        // arn:aws:wafv2:REGION:ACCOUNT:regional/ipset/NAME/ID
        reference.arn.split('/').nth(2).filter(|_| plain).map(str::to_owned)
    };
    statements.iter().map(name).collect()
}

/// What stands before the name of an IP set that is no list's, so that nobody takes it for one.
const STRANGE: &str = "IP set ";

/// The lists that live IP sets make up. Those that are left over are told by their own names.
pub fn lists_of(sets: &BTreeSet<String>, lists: &Lists) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = sets.clone();
    for (list, of) in lists.iter().filter(|(_, of)| of.is_subset(sets)) {
        found.insert(list.clone());
        left.retain(|name| !of.contains(name));
    }
    found.extend(left.into_iter().map(|name| format!("{STRANGE}{name}")));
    found
}

/// The list that an IP set which stands for itself is one half of: the other version of IP is new in the list, or
/// gone from it.
pub fn half_of(list: &str) -> Option<&str> {
    let name = list.strip_prefix(STRANGE)?.strip_prefix("baseline-")?;
    name.strip_suffix("-ipv4").or_else(|| name.strip_suffix("-ipv6"))
}

/// Is this no list's name, but that of an IP set?
pub fn is_strange(list: &str) -> bool {
    list.starts_with(STRANGE)
}
