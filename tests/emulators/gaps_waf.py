"""Probes of gaps.py: what web ACLs do otherwise than AWS."""

from __future__ import annotations

from typing import Any

from moto_server import MotoServer, code_of

HOME = "eu-west-1"
GROUP = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet", "Scope": "REGIONAL"}


def visible(name: str) -> dict[str, Any]:
    return {"MetricName": name, "CloudWatchMetricsEnabled": True, "SampledRequestsEnabled": True}


def acl(name: str, **more: Any) -> dict[str, Any]:
    """What a web ACL is made with."""
    plain = {"DefaultAction": {"Allow": {}}, "VisibilityConfig": visible(name), "Rules": []}
    return {"Name": name, "Scope": "REGIONAL"} | plain | more


def wafv2_check_capacity(moto: MotoServer) -> str | None:
    waf = moto.client("wafv2", region=HOME)
    code = code_of(lambda: waf.check_capacity(Scope="REGIONAL", Rules=[]))
    return None if code == "answered" else f"CheckCapacity: {code}"


def wafv2_describe_managed_rule_group(moto: MotoServer) -> str | None:
    waf = moto.client("wafv2", region=HOME)
    code = code_of(lambda: waf.describe_managed_rule_group(**GROUP))
    return None if code == "answered" else f"DescribeManagedRuleGroup: {code}"


def wafv2_managed_rule_group_versions(moto: MotoServer) -> str | None:
    waf = moto.client("wafv2", region=HOME)
    code = code_of(lambda: waf.list_available_managed_rule_group_versions(**GROUP))
    return None if code == "answered" else f"ListAvailableManagedRuleGroupVersions: {code}"


def wafv2_duplicates(moto: MotoServer) -> str | None:
    waf = moto.client("wafv2", region=HOME)
    waf.create_web_acl(**acl("twice"))
    code = code_of(lambda: waf.create_web_acl(**acl("twice")))
    return None if code == "WAFDuplicateItemException" else f"a second CreateWebACL: {code}"


def wafv2_priorities_are_unique(moto: MotoServer) -> str | None:
    def rule(name: str) -> dict[str, Any]:
        geo = {"GeoMatchStatement": {"CountryCodes": ["AQ"]}}
        more = {"Statement": geo, "Action": {"Count": {}}, "VisibilityConfig": visible(name)}
        return {"Name": name, "Priority": 1} | more

    waf = moto.client("wafv2", region=HOME)
    code = code_of(lambda: waf.create_web_acl(**acl("one-place", Rules=[rule("a"), rule("b")])))
    return None if code == "WAFInvalidParameterException" else f"two rules of priority 1: {code}"


PROBES = (
    wafv2_check_capacity,
    wafv2_describe_managed_rule_group,
    wafv2_managed_rule_group_versions,
    wafv2_duplicates,
    wafv2_priorities_are_unique,
)
