"""Probes of gaps.py: what GuardDuty and CloudTrail of an organisation do otherwise than AWS."""

from __future__ import annotations

from typing import Any

from gaps_logs import bucket
from moto_server import MANAGEMENT, MotoServer, code_of

REGION = "ca-central-1"
CRITERIA = {"Criterion": {"type": {"Equals": ["Recon:EC2/Portscan"]}}}


def detector(moto: MotoServer) -> tuple[Any, str]:
    """A client of GuardDuty, and the detector of a region that no other probe uses."""
    guardduty = moto.client("guardduty", region=REGION)
    there = guardduty.list_detectors()["DetectorIds"]
    return guardduty, there[0] if there else guardduty.create_detector(Enable=True)["DetectorId"]


def guardduty_organization_configuration(moto: MotoServer) -> str | None:
    guardduty, detector_id = detector(moto)
    code = code_of(lambda: guardduty.describe_organization_configuration(DetectorId=detector_id))
    return None if code in ("answered", "BadRequestException") else f"DescribeOrganizationConfiguration: {code}"


def guardduty_organization_statistics(moto: MotoServer) -> str | None:
    guardduty, _ = detector(moto)
    code = code_of(guardduty.get_organization_statistics)
    return None if code in ("answered", "BadRequestException") else f"GetOrganizationStatistics: {code}"


def guardduty_administrator_needs_trust(moto: MotoServer) -> str | None:
    guardduty = moto.client("guardduty", region="sa-east-1")
    code = code_of(lambda: guardduty.enable_organization_admin_account(AdminAccountId=MANAGEMENT))
    return None if code == "BadRequestException" else f"EnableOrganizationAdminAccount without trusted access: {code}"


def guardduty_filters(moto: MotoServer) -> str | None:
    guardduty, detector_id = detector(moto)
    guardduty.create_filter(DetectorId=detector_id, Name="probe", FindingCriteria=CRITERIA)
    code = code_of(lambda: guardduty.list_filters(DetectorId=detector_id))
    return None if code == "answered" else f"ListFilters: {code}"


def guardduty_lists(moto: MotoServer) -> str | None:
    guardduty, detector_id = detector(moto)
    reads = (guardduty.list_ip_sets, guardduty.list_threat_intel_sets)
    codes = [code_of(lambda: read(DetectorId=detector_id)) for read in reads]
    return None if codes == ["answered"] * 2 else f"ListIPSets, ListThreatIntelSets: {', '.join(codes)}"


def guardduty_malware_scan_settings(moto: MotoServer) -> str | None:
    guardduty, detector_id = detector(moto)
    code = code_of(lambda: guardduty.get_malware_scan_settings(DetectorId=detector_id))
    return None if code == "answered" else f"GetMalwareScanSettings: {code}"


def cloudtrail_organization_trail_needs_trust(moto: MotoServer) -> str | None:
    bucket(moto, "acme-organization-trail")
    cloudtrail = moto.client("cloudtrail", region="eu-west-1")
    wanted = {"S3BucketName": "acme-organization-trail", "IsOrganizationTrail": True, "IsMultiRegionTrail": True}
    code = code_of(lambda: cloudtrail.create_trail(Name="of-the-organization", **wanted))
    known = ("CloudTrailAccessNotEnabledException", "OrganizationsNotInUseException")
    return None if code in known else f"an organisation trail without trusted access: {code}"


PROBES = (
    guardduty_organization_configuration,
    guardduty_organization_statistics,
    guardduty_administrator_needs_trust,
    guardduty_filters,
    guardduty_lists,
    guardduty_malware_scan_settings,
    cloudtrail_organization_trail_needs_trust,
)
