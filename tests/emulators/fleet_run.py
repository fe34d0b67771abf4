#!/usr/bin/env python3
"""Four replicas of the real program on one queue, killed and paused all the time, while somebody disturbs accounts.

    fleet_run.py [--binary target/debug/baseline] [--accounts 40] [--seconds 180]

The queue is our own SQS (sqs_server.py), which remembers deduplication ids as AWS does; the accounts are moto's. At the
end every account is as wanted, and what the audit record and moto's list of writes say is compared: no write of one
replica came while another one had the account's lease.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto_server import MotoServer, make_organization
from program import Wrong, equal
from sqs_server import Server

REPLICAS = 4
LEASE_SECONDS = 120
POLICY = {
    "MinimumPasswordLength": 14,
    "RequireLowercaseCharacters": True,
    "RequireUppercaseCharacters": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "AllowUsersToChangePassword": True,
}


class WatchedMoto(MotoServer):
    """moto that writes down what is written."""

    def __init__(self, writes: Path) -> None:
        super().__init__()
        self._command = [sys.executable, str(Path(__file__).with_name("watched_moto.py"))]
        self._writes = writes

    def environment(self, **more: str) -> dict[str, str]:
        """With the name of that file."""
        return super().environment(WATCHED_WRITES=str(self._writes), **more)


class People:
    """Whoever else works in the accounts."""

    def __init__(self, moto: MotoServer) -> None:
        self._moto, self._session, self._clients = moto, boto3.Session(), {}

    def iam(self, account: str) -> Any:
        """A client in a member's account, as somebody who is not the program."""
        if account not in self._clients:
            arn = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
            given = self._moto.client("sts").assume_role(RoleArn=arn, RoleSessionName="jo")["Credentials"]
            self._clients[account] = self._session.client(
                "iam",
                region_name="us-east-1",
                endpoint_url=self._moto.url,
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given["SessionToken"],
                config=Config(proxies={}),
            )
        return self._clients[account]

    def disturb(self, account: str) -> None:
        """A password policy as weak as can be."""
        self.iam(account).update_account_password_policy(MinimumPasswordLength=6)

    def is_as_wanted(self, account: str) -> bool:
        """By AWS's word, not by the program's."""
        iam = self.iam(account)
        try:
            policy = iam.get_account_password_policy()["PasswordPolicy"]
        except iam.exceptions.NoSuchEntityException:
            return False
        return all(policy.get(name) == value for name, value in POLICY.items())


class Replica:
    """One process, and what becomes of it."""

    def __init__(self, number: int, command: list[str], environment: dict[str, str], logs: Path) -> None:
        self._log = (logs / f"replica-{number}.log").open("wb")
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self.paused_until = 0.0

    def send(self, what: signal.Signals) -> None:
        """A signal."""
        self.process.send_signal(what)

    def stop(self) -> int:
        """As a container engine stops it: SIGTERM, and two minutes."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        return self.process.wait(timeout=LEASE_SECONDS)

    def kill(self) -> None:
        """It knows nothing of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def desired_state(folder: Path, organization: str, accounts: dict[str, str], audit: Path) -> None:
    """One setting, in each of the accounts."""
    (folder / "accounts").mkdir(parents=True)
    (folder / "organization.yaml").write_text(
        f"""apiVersion: baseline/v1
kind: Organization
metadata: {{name: acme}}
spec:
  id: {organization}
  audit: {audit}
  regions: {{home: eu-west-1, managed: [eu-west-1]}}
  roles: {{observe: baseline-observe, apply: baseline-apply}}
  guards: {{accountsAtOnce: 100}}
---
apiVersion: baseline/v1
kind: Baseline
metadata: {{name: passwords}}
spec:
  controls:
    iam.password-policy:
      minimumLength: 14
      require: {{lowercase: true, uppercase: true, numbers: true, symbols: true}}
      usersMayChange: true
""",
        encoding="utf-8",
    )
    for name, account in accounts.items():
        (folder / "accounts" / f"{name}.yaml").write_text(
            f'apiVersion: baseline/v1\nkind: Account\nmetadata: {{name: {name}}}\nspec: {{id: "{account}", baselines: [passwords]}}\n',
            encoding="utf-8",
        )


def story(binary: Path, folder: Path, accounts_wanted: int, seconds: int) -> None:
    """The whole run; raises `Wrong` where something was lost or done twice."""
    audit, writes, documents = folder / "audit", folder / "writes.jsonl", folder / "desired-state"
    random.seed(6)
    with ExitStack() as ended, WatchedMoto(writes) as moto, Server() as sqs:
        names = [f"account-{number:03}" for number in range(accounts_wanted)]
        organization, accounts = make_organization(moto, names)
        desired_state(documents, organization, accounts, audit)
        url, people = sqs.make("baseline.fifo"), People(moto)
        command = [str(binary), "run", "-f", str(documents), "--enforce", "--interval", "1m", "--queue", url]
        environment = moto.environment(AWS_ENDPOINT_URL_SQS=sqs.url)
        started = 0

        def start() -> Replica:
            nonlocal started
            started += 1
            return Replica(started, [*command, "--log-format", "json"], environment, folder)

        print(f"{REPLICAS} replicas, {accounts_wanted} accounts, {seconds} s of kills and pauses")
        fleet: list[Replica] = []
        ended.callback(lambda: [replica.kill() for replica in fleet])
        fleet.extend(start() for _ in range(REPLICAS))
        # One sleeps through its lease, whatever it has in hand then.
        time.sleep(8)
        fleet[0].send(signal.SIGSTOP)
        begun, kills, pauses, disturbed = time.monotonic(), 0, 1, defaultdict(int)
        fleet[0].paused_until = begun + LEASE_SECONDS + 20
        while time.monotonic() < begun + seconds:
            time.sleep(random.uniform(1, 3))
            now = time.monotonic()
            for replica in fleet:
                if 0 < replica.paused_until <= now:
                    replica.send(signal.SIGCONT)
                    replica.paused_until = 0.0
            one = random.randrange(1, REPLICAS)
            if random.random() < 0.25:
                fleet[one].kill()
                fleet[one] = start()
                kills += 1
            elif random.random() < 0.6 and not fleet[one].paused_until:
                fleet[one].send(signal.SIGSTOP)
                fleet[one].paused_until = now + random.uniform(1, 20)
                pauses += 1
            account = accounts[random.choice(names)]
            # A fourth time within a day would be a fight, which is left alone.
            if disturbed[account] < 2 and people.is_as_wanted(account):
                people.disturb(account)
                disturbed[account] += 1
            if sqs.queues["baseline.fifo"].sent:
                old = random.choice(sqs.queues["baseline.fifo"].sent)
                sqs.put("baseline.fifo", old, json.loads(old)["account"])
        for replica in fleet:
            replica.send(signal.SIGCONT)
        print(f"  {kills} killed, {pauses} paused, {sum(disturbed.values())} disturbances")

        print("every account converges")
        end = time.monotonic() + LEASE_SECONDS + 180
        left = set(accounts.values())
        while left and time.monotonic() < end:
            left = {account for account in left if not people.is_as_wanted(account)}
            time.sleep(1)
        equal("accounts that are not as wanted", left, set())

        print("a stop is clean")
        equal("exit codes", [replica.stop() for replica in fleet], [0] * REPLICAS)
        equal("dead letters", sqs.queues["baseline-dead.fifo"].messages, [])
        absorbed = sqs.queues["baseline.fifo"].absorbed

    print("no replica wrote while another one had the lease")
    told = judge(audit, [json.loads(line) for line in writes.read_text().splitlines()])
    print(f"  {told}; {absorbed} messages absorbed by their ids")


def judge(audit: Path, writes: list[dict[str, Any]]) -> str:
    """Compares the audit record with what moto was told to write."""
    runs: dict[str, dict[str, Any]] = {}
    for intent in audit.glob("runs/*/intent.json"):
        begun = json.loads(intent.read_text())
        outcome = intent.with_name("outcome.json")
        until = seconds(begun["leaseUntil"])
        runs[begun["run"]] = {
            "replica": begun["controller"],
            "account": begun["changes"][0]["scope"]["account"],
            "from": seconds(begun["at"]),
            # Its lease is over when it has said so, or when it runs out.
            "until": min(until, outcome.stat().st_mtime) if outcome.exists() else until,
        }
    ours = [write for write in writes if write["session"] != "jo" and write["account"]]
    strangers = [write for write in ours if write["session"] not in runs]
    equal("writes without a record", strangers, [])
    clashes = [
        (write, run)
        for write in ours
        for name, run in runs.items()
        if run["account"] == write["account"]
        and run["replica"] != runs[write["session"]]["replica"]
        and run["from"] <= write["at"] <= run["until"]
    ]
    equal("writes within another replica's lease", clashes, [])
    replicas = {run["replica"] for run in runs.values()}
    if len(replicas) < REPLICAS:
        raise Wrong(f"only {len(replicas)} replicas wrote anything")
    unfinished = sum(not (audit / "runs" / name / "outcome.json").exists() for name in runs)
    return f"{len(ours)} writes in {len(runs)} runs of {len(replicas)} processes, {unfinished} of them cut off"


def seconds(text: str) -> float:
    """A time of the record, in seconds since 1970."""
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()


def main() -> int:
    """Exits 0 when the whole story went as it should."""
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--binary", type=Path, default=Path(target) / "debug" / "baseline", metavar="FILE")
    arguments.add_argument("--accounts", type=int, default=40)
    arguments.add_argument("--seconds", type=int, default=180)
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="baseline-fleet-"))
    try:
        story(given.binary.resolve(strict=True), folder, given.accounts, given.seconds)
    except Wrong as wrong:
        print(f"FAILED {wrong}\nlogs and records: {folder}", file=sys.stderr)
        return 1
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    print("nothing was lost, and nothing was done by two")
    return 0


if __name__ == "__main__":
    sys.exit(main())
