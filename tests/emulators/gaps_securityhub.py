"""Probes of gaps.py: what Security Hub lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto_server import MotoServer, code_of

HOME = "eu-west-1"


def enabled(moto: MotoServer) -> Any:
    """A client of Security Hub in a region where it is enabled, the first time or not."""
    hub = moto.client("securityhub", region=HOME)
    code_of(lambda: hub.enable_security_hub(EnableDefaultStandards=False))
    return hub


def told(what: str, call: Callable[[], Any]) -> str | None:
    """What the emulator answers to an operation that AWS answers."""
    code = code_of(call)
    return None if code == "answered" else f"{what}: {code}"


def securityhub_enabled_once(moto: MotoServer) -> str | None:
    hub = enabled(moto)
    code = code_of(hub.enable_security_hub)
    return None if code == "ResourceConflictException" else f"a second EnableSecurityHub: {code}"


def securityhub_configuration(moto: MotoServer) -> str | None:
    hub = enabled(moto)
    return told(
        "UpdateSecurityHubConfiguration", lambda: hub.update_security_hub_configuration(AutoEnableControls=False)
    )


def securityhub_standards(moto: MotoServer) -> str | None:
    return told("DescribeStandards", enabled(moto).describe_standards)


def securityhub_enabled_standards(moto: MotoServer) -> str | None:
    return told("GetEnabledStandards", enabled(moto).get_enabled_standards)


def securityhub_controls(moto: MotoServer) -> str | None:
    return told("ListSecurityControlDefinitions", enabled(moto).list_security_control_definitions)


def securityhub_associations(moto: MotoServer) -> str | None:
    hub = enabled(moto)
    pair = {
        "SecurityControlId": "IAM.6",
        "StandardsArn": f"arn:aws:securityhub:{HOME}::standards/nist-800-53/v/5.0.0",
    }
    return told(
        "BatchGetStandardsControlAssociations",
        lambda: hub.batch_get_standards_control_associations(StandardsControlAssociationIds=[pair]),
    )


def securityhub_policy_association(moto: MotoServer) -> str | None:
    hub = enabled(moto)
    return told(
        "GetConfigurationPolicyAssociation",
        lambda: hub.get_configuration_policy_association(Target={"AccountId": "111122223333"}),
    )


PROBES = (
    securityhub_enabled_once,
    securityhub_configuration,
    securityhub_standards,
    securityhub_enabled_standards,
    securityhub_controls,
    securityhub_associations,
    securityhub_policy_association,
)
