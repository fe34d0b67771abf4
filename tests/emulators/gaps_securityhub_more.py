"""Probes of gaps.py: what Security Hub's aggregation, automation and organisation do otherwise than AWS."""

from __future__ import annotations

from typing import Any

from moto_server import MotoServer, code_of


def hub(moto: MotoServer, region: str) -> Any:
    """A client of Security Hub, enabled in a region that no other probe uses."""
    client = moto.client("securityhub", region=region)
    client.enable_security_hub(EnableDefaultStandards=False)
    return client


def securityhub_finding_aggregators(moto: MotoServer) -> str | None:
    code = code_of(hub(moto, "eu-west-2").list_finding_aggregators)
    return None if code == "answered" else f"ListFindingAggregators: {code}"


def securityhub_automation_rules(moto: MotoServer) -> str | None:
    code = code_of(hub(moto, "eu-west-3").list_automation_rules)
    return None if code == "answered" else f"ListAutomationRules: {code}"


def securityhub_findings(moto: MotoServer) -> str | None:
    client = hub(moto, "ap-northeast-1")
    finding = {"Id": "x", "ProductArn": "arn:aws:securityhub:ap-northeast-1::product/aws/securityhub"}
    code = code_of(
        lambda: client.batch_update_findings(FindingIdentifiers=[finding], Workflow={"Status": "SUPPRESSED"})
    )
    return None if code == "answered" else f"BatchUpdateFindings: {code}"


def securityhub_list_administrators(moto: MotoServer) -> str | None:
    code = code_of(moto.client("securityhub", region="eu-north-1").list_organization_admin_accounts)
    return None if code == "answered" else f"ListOrganizationAdminAccounts: {code}"


def securityhub_who_is_no_administrator(moto: MotoServer) -> str | None:
    code = code_of(hub(moto, "eu-central-1").describe_organization_configuration)
    return None if code == "InvalidAccessException" else f"DescribeOrganizationConfiguration of anybody: {code}"


PROBES = (
    securityhub_finding_aggregators,
    securityhub_automation_rules,
    securityhub_findings,
    securityhub_list_administrators,
    securityhub_who_is_no_administrator,
)
