//! Reading web ACLs, IP sets, managed groups and logging.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::Client;
use aws_sdk_wafv2::types::{Rule, Scope};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::join_all;
use serde::{Deserialize, Serialize};

use super::compare::{completed, differs};
use super::live::{Group, Live, LiveLogging, LiveSet, Observed, Seen};
use super::logging::LoggingSpec;
use super::rules::{action_of, merged};
use super::sets::{Lists, Stand};
use super::spec::{AclSpec, ManagedSpec};
use crate::aws::{Reader, fault};
use crate::control::{Network, Sight};
use crate::fault::{Fault, FaultKind};

/// What is looked at: the declared rules, because WAF is asked what they would use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// Without what is declared of logging.
    pub acls: BTreeMap<String, AclSpec>,
    /// Web ACLs whose logging is declared.
    pub logged: Vec<String>,
    /// The IP sets that rules refer to.
    pub sets: BTreeSet<String>,
    /// All lists of networks: a live rule may refer to one that no rule is declared with.
    pub lists: Lists,
}

/// Everything of one name, id and ARN.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
    pub arn: String,
}

/// All web ACLs of a scope by name. ListWebACLs has no paginator: it goes on with `NextMarker` until there is none.
pub async fn acls(waf: &Client, scope: &Scope) -> Result<BTreeMap<String, Entry>, Fault> {
    let (mut all, mut marker) = (BTreeMap::new(), None);
    loop {
        let call = waf.list_web_acls().scope(scope.clone()).limit(100).set_next_marker(marker);
        let page = call.send().await.map_err(fault("wafv2:ListWebACLs"))?;
        for one in page.web_acls.unwrap_or_default() {
            if let (Some(name), Some(id), Some(arn)) = (one.name, one.id, one.arn) {
                all.insert(name, Entry { id, arn });
            }
        }
        marker = page.next_marker.filter(|next| !next.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// All IP sets of a scope by name.
pub async fn sets(waf: &Client, scope: &Scope) -> Result<BTreeMap<String, Entry>, Fault> {
    let (mut all, mut marker) = (BTreeMap::new(), None);
    loop {
        let call = waf.list_ip_sets().scope(scope.clone()).limit(100).set_next_marker(marker);
        let page = call.send().await.map_err(fault("wafv2:ListIPSets"))?;
        for one in page.ip_sets.unwrap_or_default() {
            if let (Some(name), Some(id), Some(arn)) = (one.name, one.id, one.arn) {
                all.insert(name, Entry { id, arn });
            }
        }
        marker = page.next_marker.filter(|next| !next.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// The web ACL and its lock token.
pub async fn acl(
    waf: &Client,
    scope: &Scope,
    name: &str,
    id: &str,
) -> Result<(aws_sdk_wafv2::types::WebAcl, String), Fault> {
    const CALL: &str = "wafv2:GetWebACL";
    let answer =
        waf.get_web_acl().name(name).scope(scope.clone()).id(id).send().await.map_err(fault(CALL))?;
    let token = answer.lock_token.unwrap_or_default();
    let acl =
        answer.web_acl.ok_or_else(|| Fault::local(FaultKind::Invalid, CALL, "the answer has no web ACL"))?;
    Ok((acl, token))
}

pub async fn read(aws: &Reader, scope: &Scope, ask: &Ask) -> Result<Observed, Fault> {
    let waf = aws.waf();
    let there = acls(&waf, scope).await?;
    let reads = ask.acls.iter().map(|(name, spec)| {
        let (waf, there) = (&waf, there.get(name));
        async move {
            let logged = ask.logged.contains(name);
            let seen = seen(waf, scope, name, there, spec, &ask.lists, logged).await;
            (name.clone(), seen.map_or_else(Sight::Unseen, Sight::Seen))
        }
    });
    let acls = join_all(reads).await.into_iter().collect();
    Ok(Observed { acls, sets: wanted_sets(&waf, scope, &ask.sets).await })
}

async fn seen(
    waf: &Client,
    scope: &Scope,
    name: &str,
    there: Option<&Entry>,
    spec: &AclSpec,
    lists: &Lists,
    logged: bool,
) -> Result<Seen, Fault> {
    let (mut live, mut rules) = (None, Vec::new());
    if let Some(entry) = there {
        let (found, _) = acl(waf, scope, name, &entry.id).await?;
        live = Some(Live::of(&found, lists));
        rules = found.rules.unwrap_or_default();
    }
    let logging = match there.filter(|_| logged) {
        Some(entry) => Some(sight(logging_of(waf, &entry.arn).await)),
        None => None,
    };
    if live.as_ref().is_some_and(|live| live.firewall_manager) {
        return Ok(Seen { live, groups: BTreeMap::new(), capacity: None, logging });
    }
    let groups = join_all(spec.managed.iter().map(|(group, spec)| async move {
        (group.clone(), sight(described(waf, scope, group, spec).await))
    }));
    let groups: BTreeMap<_, _> = groups.await.into_iter().collect();
    let offered = groups.values().all(|one| matches!(one, Sight::Seen(Group::Offered { .. })));
    let capacity = if offered && differs(spec, live.as_ref()) {
        used(waf, scope, &rules, &completed(spec, live.as_ref()), lists).await.map(sight)
    } else {
        None
    };
    Ok(Seen { live, groups, capacity, logging })
}

fn sight<T>(read: Result<T, Fault>) -> Sight<T> {
    read.map_or_else(Sight::Unseen, Sight::Seen)
}

/// What all rules would use; `None` where they cannot be written down yet, which the plan tells.
pub async fn used(
    waf: &Client,
    scope: &Scope,
    live: &[Rule],
    spec: &AclSpec,
    lists: &Lists,
) -> Option<Result<u32, Fault>> {
    let rules = merged(live, spec, &Stand { lists }).ok()?;
    if rules.is_empty() {
        return Some(Ok(0));
    }
    let answer = waf.check_capacity().scope(scope.clone()).set_rules(Some(rules)).send().await;
    let answer = answer.map_err(fault("wafv2:CheckCapacity"));
    Some(answer.map(|answer| u32::try_from(answer.capacity).unwrap_or(u32::MAX)))
}

/// A managed group with the version that is declared, or with its default.
pub async fn described(waf: &Client, scope: &Scope, group: &str, spec: &ManagedSpec) -> Result<Group, Fault> {
    const CALL: &str = "wafv2:DescribeManagedRuleGroup";
    let vendor = spec.vendor.as_deref().unwrap_or("AWS");
    let pinned = spec.version.as_ref().and_then(|version| version.pinned());
    if let Some(version) = pinned {
        let available = match versions(waf, scope, vendor, group).await? {
            Ok(available) => available,
            Err(why) => return Ok(Group::NotOffered { why }),
        };
        if !available.iter().any(|one| one == version) {
            return Ok(Group::NoSuchVersion { available });
        }
    }
    let call = waf.describe_managed_rule_group().vendor_name(vendor).name(group).scope(scope.clone());
    let answer = match call.set_version_name(pinned.map(str::to_owned)).send().await {
        Ok(answer) => answer,
        Err(error) if is_not_offered(error.code()) => {
            return Ok(Group::NotOffered { why: fault(CALL)(error).to_string() });
        }
        Err(error) => return Err(fault(CALL)(error)),
    };
    let rules = answer.rules.unwrap_or_default().into_iter();
    let rules = rules.filter_map(|rule| Some((rule.name?, rule.action.as_ref().and_then(action_of))));
    Ok(Group::Offered { rules: rules.collect() })
}

/// WAF has no group of that name, or not for this account.
fn is_not_offered(code: Option<&str>) -> bool {
    const CODES: [&str; 4] = [
        "WAFNonexistentItemException",
        "WAFInvalidResourceException",
        "WAFInvalidParameterException",
        "WAFSubscriptionNotFoundException",
    ];
    code.is_some_and(|code| CODES.contains(&code))
}

/// The versions that may be used, without those that are about to expire; or why there is no such group.
async fn versions(
    waf: &Client,
    scope: &Scope,
    vendor: &str,
    group: &str,
) -> Result<Result<Vec<String>, String>, Fault> {
    const CALL: &str = "wafv2:ListAvailableManagedRuleGroupVersions";
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let call = waf.list_available_managed_rule_group_versions().vendor_name(vendor).name(group);
        let call = call.scope(scope.clone()).limit(100).set_next_marker(marker);
        let page = match call.send().await {
            Ok(page) => page,
            Err(error) if is_not_offered(error.code()) => return Ok(Err(fault(CALL)(error).to_string())),
            Err(error) => return Err(fault(CALL)(error)),
        };
        all.extend(page.versions.unwrap_or_default().into_iter().filter_map(|version| version.name));
        marker = page.next_marker.filter(|next| !next.is_empty());
        if marker.is_none() {
            all.sort();
            return Ok(Ok(all));
        }
    }
}

/// As it is; `None` where nothing is logged.
pub async fn logging_configuration(
    waf: &Client,
    arn: &str,
) -> Result<Option<aws_sdk_wafv2::types::LoggingConfiguration>, Fault> {
    match waf.get_logging_configuration().resource_arn(arn).send().await {
        Ok(answer) => Ok(answer.logging_configuration),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_waf_nonexistent_item_exception()) => {
            Ok(None)
        }
        Err(error) => Err(fault("wafv2:GetLoggingConfiguration")(error)),
    }
}

async fn logging_of(waf: &Client, arn: &str) -> Result<Option<LiveLogging>, Fault> {
    let live = logging_configuration(waf, arn).await?;
    Ok(live.map(|live| LiveLogging {
        spec: LoggingSpec::of(&live),
        firewall_manager: live.managed_by_firewall_manager,
    }))
}

async fn wanted_sets(
    waf: &Client,
    scope: &Scope,
    names: &BTreeSet<String>,
) -> BTreeMap<String, Sight<Option<LiveSet>>> {
    if names.is_empty() {
        return BTreeMap::new();
    }
    let there = match sets(waf, scope).await {
        Ok(there) => there,
        Err(fault) => {
            return names.iter().map(|name| (name.clone(), Sight::Unseen(fault.clone()))).collect();
        }
    };
    let reads = names.iter().map(|name| {
        let entry = there.get(name);
        async move {
            let read = match entry {
                Some(entry) => set(waf, scope, name, &entry.id).await.map(Some),
                None => Ok(None),
            };
            (name.clone(), sight(read))
        }
    });
    join_all(reads).await.into_iter().collect()
}

/// WAF tells IPv6 in full: addresses are compared in one spelling.
pub async fn set(waf: &Client, scope: &Scope, name: &str, id: &str) -> Result<LiveSet, Fault> {
    const CALL: &str = "wafv2:GetIPSet";
    let answer = waf.get_ip_set().name(name).scope(scope.clone()).id(id).send().await.map_err(fault(CALL))?;
    let set =
        answer.ip_set.ok_or_else(|| Fault::local(FaultKind::Invalid, CALL, "the answer has no IP set"))?;
    let one = |text: String| text.parse::<Network>().map_or(text, |network| network.to_string());
    Ok(LiveSet {
        version: set.ip_address_version.as_str().to_owned(),
        addresses: set.addresses.into_iter().map(one).collect(),
    })
}
