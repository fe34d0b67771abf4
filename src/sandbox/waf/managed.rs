//! Managed rule groups of AWS: their rules, capacity and versions.
//!
//! Source: AWS WAF Developer Guide, "AWS Managed Rules rule groups list"; a few of the rules of each.

use aws_sdk_wafv2::operation::describe_managed_rule_group::{
    DescribeManagedRuleGroupInput, DescribeManagedRuleGroupOutput,
};
use aws_sdk_wafv2::operation::list_available_managed_rule_group_versions::{
    ListAvailableManagedRuleGroupVersionsInput, ListAvailableManagedRuleGroupVersionsOutput,
};
use aws_sdk_wafv2::types::{
    BlockAction, CountAction, ManagedRuleGroupStatement, ManagedRuleGroupVersion, RuleAction, RuleSummary,
};

use super::super::operation::{Call, Refusal, date_time};
use super::{Waf, invalid, nonexistent, page_after, scope};

/// A managed rule group of AWS.
pub(super) struct Group {
    pub name: &'static str,
    pub capacity: i64,
    rules: &'static [&'static str],
    /// The last is the default. Empty: it has none, and follows AWS.
    versions: &'static [&'static str],
}

const GROUPS: &[Group] = &[
    Group {
        name: "AWSManagedRulesCommonRuleSet",
        capacity: 700,
        rules: &[
            "NoUserAgent_HEADER",
            "SizeRestrictions_BODY",
            "SizeRestrictions_QUERYSTRING",
            "GenericLFI_URIPATH",
            "CrossSiteScripting_BODY",
        ],
        versions: &["Version_1.9", "Version_1.10", "Version_1.14", "Version_1.18"],
    },
    Group {
        name: "AWSManagedRulesKnownBadInputsRuleSet",
        capacity: 200,
        rules: &["JavaDeserializationRCE_BODY", "Host_localhost_HEADER", "Log4JRCE_HEADER"],
        versions: &["Version_1.17", "Version_1.22"],
    },
    Group {
        name: "AWSManagedRulesSQLiRuleSet",
        capacity: 200,
        rules: &["SQLi_QUERYARGUMENTS", "SQLi_BODY", "SQLi_COOKIE"],
        versions: &["Version_1.1", "Version_2.0"],
    },
    Group {
        name: "AWSManagedRulesLinuxRuleSet",
        capacity: 200,
        rules: &["LFI_URIPATH", "LFI_QUERYSTRING"],
        versions: &["Version_2.2"],
    },
    Group {
        name: "AWSManagedRulesAmazonIpReputationList",
        capacity: 25,
        rules: &["AWSManagedIPReputationList", "AWSManagedReconnaissanceList"],
        versions: &[],
    },
    Group {
        name: "AWSManagedRulesAnonymousIpList",
        capacity: 50,
        rules: &["AnonymousIPList", "HostingProviderIPList"],
        versions: &[],
    },
    Group {
        name: "AWSManagedRulesBotControlRuleSet",
        capacity: 50,
        rules: &["CategoryAdvertising", "SignalNonBrowserUserAgent"],
        versions: &["Version_3.0"],
    },
    // Larger than any group of AWS: the marketplace has such.
    Group { name: "AWSManagedRulesHugeRuleSet", capacity: 4900, rules: &["Everything"], versions: &[] },
];

/// A group of vendor AWS; another vendor's need a subscription.
fn find(vendor: &str, name: &str) -> Result<&'static Group, Refusal> {
    if vendor != "AWS" {
        return Err(Refusal::new(
            400,
            "WAFSubscriptionNotFoundException",
            "You tried to use a managed rule group that's available by subscription, but you aren't subscribed to \
             it yet.",
        ));
    }
    GROUPS.iter().find(|group| group.name == name).ok_or_else(nonexistent)
}

/// The group with this version; without one, with its default.
fn versioned(waf: &Waf, vendor: &str, name: &str, version: Option<&str>) -> Result<&'static Group, Refusal> {
    let group = find(vendor, name)?;
    let Some(version) = version else { return Ok(group) };
    if waf.expired.contains(&format!("{name}/{version}")) {
        return Err(Refusal::new(
            400,
            "WAFExpiredManagedRuleGroupVersionException",
            "The operation failed because the specified version for the managed rule group has expired.",
        ));
    }
    if group.versions.contains(&version) { Ok(group) } else { Err(nonexistent()) }
}

/// What a rule with this statement uses (API reference, ManagedRuleGroupStatement).
pub(super) fn of_statement(
    waf: &Waf,
    statement: &ManagedRuleGroupStatement,
) -> Result<&'static Group, Refusal> {
    versioned(waf, statement.vendor_name(), statement.name(), statement.version())
}

/// API reference, DescribeManagedRuleGroup: without a version, the default's.
pub(super) fn describe(
    call: &mut Call<'_>,
    input: &DescribeManagedRuleGroupInput,
) -> Result<DescribeManagedRuleGroupOutput, Refusal> {
    scope(call, input.scope())?;
    let (vendor, name) = (input.vendor_name().unwrap_or_default(), input.name().unwrap_or_default());
    let group = versioned(&call.here().waf, vendor, name, input.version_name())?;
    let version = input.version_name().or(group.versions.last().copied());
    let block = RuleAction::builder().block(BlockAction::builder().build()).build();
    let count = RuleAction::builder().count(CountAction::builder().build()).build();
    let rules = group.rules.iter().map(|rule| {
        // AWS counts hosting providers and non-browsers by default in some groups.
        let action = if *rule == "HostingProviderIPList" { count.clone() } else { block.clone() };
        RuleSummary::builder().name(*rule).action(action).build()
    });
    Ok(DescribeManagedRuleGroupOutput::builder()
        .set_version_name(version.map(str::to_owned))
        .capacity(group.capacity)
        .set_rules(Some(rules.collect()))
        .label_namespace(format!("awswaf:managed:aws:{}:", name.to_lowercase()))
        .build())
}

/// API reference, ListAvailableManagedRuleGroupVersions: those that are scheduled for expiration are not listed.
pub(super) fn versions(
    call: &mut Call<'_>,
    input: &ListAvailableManagedRuleGroupVersionsInput,
) -> Result<ListAvailableManagedRuleGroupVersionsOutput, Refusal> {
    scope(call, input.scope())?;
    let (vendor, name) = (input.vendor_name().unwrap_or_default(), input.name().unwrap_or_default());
    let group = find(vendor, name)?;
    let now = date_time(call.now);
    let waf = &call.here().waf;
    let mut all: Vec<(String, ManagedRuleGroupVersion)> = group
        .versions
        .iter()
        .filter(|version| !waf.expired.contains(&format!("{name}/{version}")))
        .map(|version| {
            let told = ManagedRuleGroupVersion::builder().name(*version).last_update_timestamp(now);
            ((*version).to_owned(), told.build())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    if input.next_marker().is_some_and(str::is_empty) {
        return Err(invalid("ENTITY_LIMIT", "NextMarker"));
    }
    let (page, next) = page_after(&all, input.next_marker(), input.limit())?;
    Ok(ListAvailableManagedRuleGroupVersionsOutput::builder()
        .set_versions(Some(page))
        .set_next_marker(next)
        .set_current_default_version(group.versions.last().map(|version| (*version).to_owned()))
        .build())
}
