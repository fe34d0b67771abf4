#!/usr/bin/env python3
"""The emulators' gaps, tried: exits 1 when one of gaps.toml is a gap no longer, or has no probe, or the reverse.

Each probe does what AWS is documented to do, and returns what the emulator does instead, or `None` when it
does as AWS does: then the gap has closed.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gaps_inspector
import gaps_config
import gaps_alarms
import gaps_logs
import gaps_notices
import gaps_securityhub
import gaps_securityhub_more
import gaps_organization
import gaps_waf
import gaps_waf_association
from gaps_logs import OTHER_ACCOUNT
from moto_server import MANAGEMENT, MotoServer, code_of

Probe = Callable[[MotoServer], "str | None"]
LIST = Path(__file__).with_name("gaps.toml")


def detector(moto: MotoServer, region: str, **more: Any) -> tuple[Any, str]:
    """A client of GuardDuty, and a new detector in a region that no other probe uses."""
    guardduty = moto.client("guardduty", region=region)
    return guardduty, guardduty.create_detector(Enable=True, **more)["DetectorId"]


def features(guardduty: Any, detector_id: str) -> dict[str, str]:
    answer = guardduty.get_detector(DetectorId=detector_id)
    return {feature["Name"]: feature["Status"] for feature in answer["Features"]}


def guardduty_publishing_destinations(moto: MotoServer) -> str | None:
    guardduty, detector_id = detector(moto, "eu-west-2")
    code = code_of(lambda: guardduty.list_publishing_destinations(DetectorId=detector_id))
    return None if code == "answered" else f"ListPublishingDestinations: {code}"


def guardduty_update_merges_features(moto: MotoServer) -> str | None:
    before = [{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}]
    guardduty, detector_id = detector(moto, "eu-west-3", Features=before)
    guardduty.update_detector(DetectorId=detector_id, Features=[{"Name": "RDS_LOGIN_EVENTS", "Status": "ENABLED"}])
    after = features(guardduty, detector_id)
    return None if after.get("S3_DATA_EVENTS") == "ENABLED" else f"S3_DATA_EVENTS is gone: {after}"


def guardduty_lists_every_feature(moto: MotoServer) -> str | None:
    listed = features(*detector(moto, "eu-central-1"))
    return None if {"CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"} <= listed.keys() else f"lists {sorted(listed)}"


def guardduty_one_detector_a_region(moto: MotoServer) -> str | None:
    guardduty, _ = detector(moto, "eu-north-1")
    code = code_of(lambda: guardduty.create_detector(Enable=True))
    return None if code == "BadRequestException" else f"a second CreateDetector: {code}"


def account_list_regions(moto: MotoServer) -> str | None:
    code = code_of(moto.client("account").list_regions)
    return None if code == "answered" else f"ListRegions: {code}"


def iam_root_flags(moto: MotoServer) -> str | None:
    """The one way to give a root user MFA is to enable a device as that user: moto has no such caller.

    So what can be tried is whether two kinds of account, or an account with a device, ever differ.
    """
    flags = []
    for account in (MANAGEMENT, OTHER_ACCOUNT):
        iam = moto.client("iam", account)
        iam.create_virtual_mfa_device(VirtualMFADeviceName="root-account-mfa-device")
        summary = iam.get_account_summary()["SummaryMap"]
        flags.append((summary["AccountMFAEnabled"], summary["AccountAccessKeysPresent"]))
    return f"always {flags[0]}" if set(flags) == {(0, 0)} else None


def iam_simulate_principal_policy(moto: MotoServer) -> str | None:
    iam = moto.client("iam")
    user = iam.create_user(UserName="simulated")["User"]["Arn"]
    code = code_of(lambda: iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=["iam:GetRole"]))
    return None if code == "answered" else f"SimulatePrincipalPolicy: {code}"


def iam_absent_password_policy_fields(moto: MotoServer) -> str | None:
    iam = moto.client("iam")
    iam.update_account_password_policy(MinimumPasswordLength=14)
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    return f"MaxPasswordAge {policy['MaxPasswordAge']}" if "MaxPasswordAge" in policy else None


def ecr_pages(moto: MotoServer) -> str | None:
    ecr = moto.client("ecr", region="eu-west-2")
    for name in ("a", "b", "c"):
        ecr.create_repository(repositoryName=f"page/{name}")
    answer = ecr.describe_repositories(maxResults=2)
    shown, token = len(answer["repositories"]), answer.get("nextToken")
    return None if shown == 2 and token else f"maxResults=2 shows {shown}, nextToken {token}"


def ecr_registry_rules(moto: MotoServer) -> str | None:
    filters = [{"filter": "*", "filterType": "WILDCARD"}]
    rules = [{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": filters}]
    ecr = moto.client("ecr", region="eu-west-3")
    code = code_of(lambda: ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules))
    return None if code == "InvalidParameterException" else f"BASIC with CONTINUOUS_SCAN: {code}"


def ec2_ebs_default_key(moto: MotoServer) -> str | None:
    return ec2_lacks(moto, "get_ebs_default_kms_key_id")


def ec2_snapshot_public_access(moto: MotoServer) -> str | None:
    return ec2_lacks(moto, "get_snapshot_block_public_access_state")


def ec2_image_public_access(moto: MotoServer) -> str | None:
    return ec2_lacks(moto, "get_image_block_public_access_state")


def ec2_instance_metadata_defaults(moto: MotoServer) -> str | None:
    return ec2_lacks(moto, "get_instance_metadata_defaults")


def ec2_serial_console(moto: MotoServer) -> str | None:
    return ec2_lacks(moto, "get_serial_console_access_status")


def ec2_lacks(moto: MotoServer, operation: str) -> str | None:
    code = code_of(getattr(moto.client("ec2"), operation))
    return None if code == "answered" else f"{operation}: {code}"


def sts_role_must_exist(moto: MotoServer) -> str | None:
    role = f"arn:aws:iam::{OTHER_ACCOUNT}:role/nobody-made-this"
    code = code_of(lambda: moto.client("sts").assume_role(RoleArn=role, RoleSessionName="probe"))
    return None if code == "AccessDenied" else f"AssumeRole: {code}"


def throttling(moto: MotoServer) -> str | None:
    """Well above what the service quotas allow one account in a second or two."""
    guardduty = moto.client("guardduty", region="us-west-2")
    codes = {code_of(guardduty.list_detectors) for _ in range(100)}
    return "100 calls in a row: all answered" if codes == {"answered"} else None


PROBES: tuple[Probe, ...] = (
    guardduty_publishing_destinations,
    guardduty_update_merges_features,
    guardduty_lists_every_feature,
    guardduty_one_detector_a_region,
    account_list_regions,
    iam_root_flags,
    iam_simulate_principal_policy,
    iam_absent_password_policy_fields,
    ecr_pages,
    ecr_registry_rules,
    ec2_ebs_default_key,
    ec2_snapshot_public_access,
    ec2_image_public_access,
    ec2_instance_metadata_defaults,
    ec2_serial_console,
    sts_role_must_exist,
    throttling,
    *gaps_logs.PROBES,
    *gaps_notices.PROBES,
    *gaps_inspector.PROBES,
    *gaps_securityhub.PROBES,
    *gaps_securityhub_more.PROBES,
    *gaps_organization.PROBES,
    *gaps_waf.PROBES,
    *gaps_waf_association.PROBES,
    *gaps_config.PROBES,
    *gaps_alarms.PROBES,
)


def main() -> int:
    """Tries every gap; prints one line for each."""
    listed = {gap["probe"]: gap for gap in tomllib.loads(LIST.read_text(encoding="utf-8"))["gap"]}
    probes = {probe.__name__: probe for probe in PROBES}
    closed = 0
    with MotoServer() as moto:
        for name in sorted(listed.keys() | probes.keys()):
            if name not in listed or name not in probes:
                found = None
                missing = f"has no entry in {LIST.name}" if name in probes else "has no probe in gaps.py"
            else:
                found = probes[name](moto)
                missing = f"is a gap no longer: take it out of {LIST.name} and try {listed[name]['behaviour']}"
            closed += found is None
            print(f"FAILED {name} {missing}" if found is None else f"gap    {name}: {found}")
    print(f"{len(listed)} gaps listed, {closed} failures")
    return 1 if closed else 0


if __name__ == "__main__":
    sys.exit(main())
