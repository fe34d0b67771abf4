"""Probes of gaps.py: what Inspector does otherwise than AWS."""

from __future__ import annotations

from moto_server import MANAGEMENT, MotoServer, code_of


def inspector_status_of_a_new_account(moto: MotoServer) -> str | None:
    inspector = moto.client("inspector2", region="eu-west-2")
    accounts = inspector.batch_get_account_status(accountIds=[MANAGEMENT])["accounts"]
    words = [account["resourceState"]["ec2"]["status"] for account in accounts]
    return None if words == ["DISABLED"] else f"before Enable the accounts are {words}"


def inspector_takes_time(moto: MotoServer) -> str | None:
    inspector = moto.client("inspector2", region="eu-west-3")
    inspector.enable(accountIds=[MANAGEMENT], resourceTypes=["EC2"])
    accounts = inspector.batch_get_account_status(accountIds=[MANAGEMENT])["accounts"]
    words = [account["resourceState"]["ec2"]["status"] for account in accounts]
    return None if words == ["ENABLING"] else f"right after Enable it is {words}"


def inspector_settings(moto: MotoServer) -> str | None:
    code = code_of(moto.client("inspector2", region="eu-west-3").get_configuration)
    return None if code == "answered" else f"GetConfiguration: {code}"


def inspector_own_administrator(moto: MotoServer) -> str | None:
    code = code_of(moto.client("inspector2", region="eu-west-3").get_delegated_admin_account)
    return None if code in {"answered", "ResourceNotFoundException"} else f"GetDelegatedAdminAccount: {code}"


PROBES = (
    inspector_status_of_a_new_account,
    inspector_takes_time,
    inspector_settings,
    inspector_own_administrator,
)
