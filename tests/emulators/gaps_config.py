"""Probes of gaps.py: what AWS Config does otherwise than AWS."""

from __future__ import annotations

from typing import Any

from moto_server import MANAGEMENT, MotoServer, code_of

HOME = "eu-west-1"
ROLE = f"arn:aws:iam::{MANAGEMENT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


def recorder(moto: MotoServer, region: str, **more: Any) -> Any:
    """A client of AWS Config, with a new recorder in a region that no other probe uses."""
    config = moto.client("config", region=region)
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": ROLE, **more})
    return config


def config_recording_mode(moto: MotoServer) -> str | None:
    config = recorder(moto, "eu-west-2", recordingMode={"recordingFrequency": "DAILY"})
    told = config.describe_configuration_recorders()["ConfigurationRecorders"][0]
    return None if "recordingMode" in told else f"recordingMode DAILY comes back as {told.get('recordingMode')}"


def config_role_is_checked(moto: MotoServer) -> str | None:
    config = moto.client("config", region="eu-west-3")
    nobody = {"name": "default", "roleARN": f"arn:aws:iam::{MANAGEMENT}:role/nobody-made-this"}
    code = code_of(lambda: config.put_configuration_recorder(ConfigurationRecorder=nobody))
    return None if code == "InvalidRoleException" else f"a role that does not exist: {code}"


def config_delivery_is_checked(moto: MotoServer) -> str | None:
    config = recorder(moto, "eu-north-1")
    channel = {"name": "default", "s3BucketName": "nobody-made-this"}
    code = code_of(lambda: config.put_delivery_channel(DeliveryChannel=channel))
    wanted = ("NoSuchBucketException", "InsufficientDeliveryPolicyException")
    return None if code in wanted else f"a bucket that does not exist: {code}"


def config_recorder_starts(moto: MotoServer) -> str | None:
    config = recorder(moto, "us-west-1")
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "acme-config"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    told = {one["lastStatus"] for _ in range(3) for one in status(config)}
    return None if told - {"PENDING", "Pending"} else f"lastStatus stays {sorted(told)}"


def status(config: Any) -> list[dict[str, Any]]:
    return config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]


def config_delivery_channel_status(moto: MotoServer) -> str | None:
    return lacks(moto, "describe_delivery_channel_status")


def config_custom_rule_policy(moto: MotoServer) -> str | None:
    return lacks(moto, "get_custom_rule_policy", ConfigRuleName="x", wanted="NoSuchConfigRuleException")


def config_remediation_configurations(moto: MotoServer) -> str | None:
    return lacks(moto, "describe_remediation_configurations", ConfigRuleNames=["x"])


def config_remediation_exceptions(moto: MotoServer) -> str | None:
    return lacks(moto, "describe_remediation_exceptions", ConfigRuleName="x", wanted="NoSuchConfigRuleException")


def config_compliance_details(moto: MotoServer) -> str | None:
    config = moto.client("config", region="us-east-2")
    code = code_of(lambda: config.get_compliance_details_by_config_rule(ConfigRuleName="x"))
    return None if code == "NoSuchConfigRuleException" else f"of a rule that does not exist: {code}"


def config_conformance_packs(moto: MotoServer) -> str | None:
    return lacks(moto, "describe_conformance_packs")


def iam_service_linked_role_once(moto: MotoServer) -> str | None:
    iam = moto.client("iam")
    iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    code = code_of(lambda: iam.create_service_linked_role(AWSServiceName="config.amazonaws.com"))
    return None if code == "InvalidInput" else f"a second CreateServiceLinkedRole: {code}"


def lacks(moto: MotoServer, operation: str, wanted: str = "answered", **input: Any) -> str | None:
    config = moto.client("config", region="us-east-2")
    code = code_of(lambda: getattr(config, operation)(**input))
    return None if code == wanted else f"{operation}: {code}"


PROBES = (
    config_recording_mode,
    config_role_is_checked,
    config_delivery_is_checked,
    config_recorder_starts,
    config_delivery_channel_status,
    config_custom_rule_policy,
    config_remediation_configurations,
    config_remediation_exceptions,
    config_compliance_details,
    config_conformance_packs,
    iam_service_linked_role_once,
)
