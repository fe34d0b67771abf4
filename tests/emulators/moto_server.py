"""moto's server as a separate process on the loopback, and an organisation of several accounts in it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, IO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

# moto's own account: the organisation is made in it, so it is the management account.
MANAGEMENT = "123456789012"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "moto-checks-no-signature"}
READY_SECONDS = 60
CORRECTED = Path(__file__).with_name("corrected_moto.py")


class MotoServer:
    """A running server, `with MotoServer() as moto:`; stopped at the end, whatever happens.

    `corrected`: with the gaps closed that corrected_moto.py closes.
    """

    def __init__(self, *, corrected: bool = False) -> None:
        beside = Path(sys.executable).with_name("moto_server")
        self._command = [sys.executable, str(CORRECTED)] if corrected else [str(beside)]
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] = tempfile.NamedTemporaryFile(prefix="moto-", suffix=".log", delete=False)

    def __enter__(self) -> MotoServer:
        self._process = subprocess.Popen(
            [*self._command, "-H", "127.0.0.1", "-p", str(self.port)],
            env=self.environment(MOTO_IAM_LOAD_MANAGED_POLICIES="true", MOTO_EC2_LOAD_DEFAULT_AMIS="false"),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._stop()
        if kind is not None:
            print(f"moto's log: {self._log.name}", file=sys.stderr)
        else:
            os.unlink(self._log.name)

    def environment(self, **more: str) -> dict[str, str]:
        """This process's environment without any AWS setting of its own, pointed at the server."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("AWS_")}
        for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            kept.pop(proxy, None)
            kept.pop(proxy.lower(), None)
        nowhere = os.devnull
        aws = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
            **CREDENTIALS,
        }
        return {**kept, **aws, **more}

    def client(self, service: str, account: str = MANAGEMENT, region: str = "eu-west-1") -> Any:
        """A boto3 client in an account: its own, or a member's as `OrganizationAccountAccessRole`.

        Made once for each place: boto3 takes a second to read a large service's model.
        """
        if (place := (service, account, region)) not in self._clients:
            self._clients[place] = self._new_client(service, account, region)
        return self._clients[place]

    def _new_client(self, service: str, account: str, region: str) -> Any:
        keys = (CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], None)
        if account != MANAGEMENT:
            role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
            given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="set-up")["Credentials"]
            keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        session = boto3.Session(*keys, region_name=region)
        # One attempt: moto answers what it lacks with a bare 500, which botocore would retry.
        config = Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=30)
        client = session.client(service, endpoint_url=self.url, config=config)
        # botocore puts the account's id before the host, also before one that is an address.
        client.meta.events.register("before-sign.s3-control", self._without_account)
        return client

    def _without_account(self, request: Any, **_: Any) -> None:
        parts = urllib.parse.urlsplit(request.url)
        request.url = f"{self.url}{parts.path}"

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"moto_server ended with {self._process.returncode}: see {self._log.name}")
            try:
                with direct.open(f"{self.url}/moto-api/", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(f"moto_server is not ready after {READY_SECONDS} s: see {self._log.name}")

    def _stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def code_of(call: Callable[[], Any]) -> str:
    """The error code of a call, or `answered`, or `not XML`: so a service of XML looks that lacks the operation."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except ResponseParserError:
        return "not XML"
    return "answered"


def make_organization(moto: MotoServer, names: list[str]) -> tuple[str, dict[str, str]]:
    """An organisation with an account for each name: its id, and the accounts' ids by name (moto makes both)."""
    organizations = moto.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    accounts = {}
    for name in names:
        status = organizations.create_account(AccountName=name, Email=f"{name}@acme.example")["CreateAccountStatus"]
        accounts[name] = status["AccountId"]
    return organization, accounts


def make_roles(moto: MotoServer, account: str, names: list[str]) -> None:
    """Roles that the management account may assume."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    for name in names:
        moto.client("iam", account).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
