#!/usr/bin/env python3
"""The real program against moto's server, over the wire: two accounts, two regions, four controls.

    moto_run.py [--binary target/debug/baseline]

plan shows what is wrong → apply → plan has nothing to change, and AWS really is so → somebody disturbs three
settings → plan shows these three and no other → apply → as wanted again. Then what must be refused: another
organisation than the YAML names, and an AWS that does not answer.

moto's root users never have MFA (gaps.toml), so one manual task an account stays throughout and
`--detailed-exitcode` is 2 even when all is as wanted; what is asserted is the findings themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from moto_server import MotoServer, make_organization, make_roles

HOME, OTHER = "eu-west-1", "us-east-1"
FEATURES = ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS")
PATIENCE_SECONDS = 300


class Finding(NamedTuple):
    """One finding, unfolded; `region` is empty for what is set once in an account."""

    control: str
    rule: str
    account: str
    region: str
    resource: str
    outcome: str


class Wrong(AssertionError):
    """The program did something else than it should; the message says what was expected."""


class Program:
    """The binary, its desired state and its environment."""

    def __init__(self, binary: Path, desired_state: Path, environment: dict[str, str]) -> None:
        self.binary = binary
        self.desired_state = desired_state
        self.environment = environment

    def run(self, *arguments: str, exits: int) -> str:
        """What it prints. Raises `Wrong`, with all output, when it exits with anything but `exits`."""
        command = [str(self.binary), arguments[0], "-f", str(self.desired_state), *arguments[1:]]
        start = time.monotonic()
        done = subprocess.run(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        took = time.monotonic() - start
        print(f"  baseline {' '.join(arguments)}: exit {done.returncode} in {took:.1f} s", flush=True)
        if done.returncode != exits:
            raise Wrong(f"expected exit {exits}, not {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def plan(self, exits: int) -> tuple[set[Finding], dict[str, int]]:
        """The findings that are not in sync, and the totals by outcome."""
        document = json.loads(self.run("plan", "--format", "json", "--detailed-exitcode", exits=exits))
        if document["exitCode"] != exits:
            raise Wrong(f"the plan's own exitCode is {document['exitCode']}, not {exits}")
        return {one for folded in document["findings"] for one in unfold(folded)}, document["totals"]


def unfold(folded: dict[str, Any]) -> set[Finding]:
    """The findings that a folded one stands for: it holds for each account, region and resource in it."""
    places = product(folded["accounts"], folded.get("regions") or [""], folded["resources"])
    return {
        Finding(folded["control"], folded["rule"], account, region, resource, folded["outcome"])
        for account, region, resource in places
    }


def same(found: set[Finding], expected: set[Finding]) -> None:
    """Exactly these findings, no fewer and no more."""
    lines = [f"  missing  {' '.join(one)}" for one in sorted(expected - found)]
    lines += [f"  surplus  {' '.join(one)}" for one in sorted(found - expected)]
    if lines:
        raise Wrong("\n".join(["the plan shows other findings than expected:", *lines]))


class World:
    """The organisation in moto: what is in it at first, how it is disturbed, and what it is like."""

    def __init__(self, moto: MotoServer) -> None:
        self.moto = moto
        self.organization, accounts = make_organization(moto, ["prod", "dev"])
        self.prod, self.dev = accounts["prod"], accounts["dev"]
        for account in (self.prod, self.dev):
            make_roles(moto, account, ["baseline-observe", "baseline-apply"])
        moto.client("iam", self.prod).update_account_password_policy(MinimumPasswordLength=8)
        moto.client("guardduty", self.prod, OTHER).create_detector(
            Enable=False,
            FindingPublishingFrequency="SIX_HOURS",
            Features=[{"Name": name, "Status": "DISABLED"} for name in FEATURES],
        )
        self.repository(self.prod, HOME, "api", scanned=False)
        self.repository(self.prod, HOME, "web", scanned=False)
        self.repository(self.prod, OTHER, "worker", scanned=True)
        self.repository(self.dev, HOME, "tool", scanned=False)

    def repository(self, account: str, region: str, name: str, *, scanned: bool) -> None:
        ecr = self.moto.client("ecr", account, region)
        ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": scanned})

    def by_hand(self) -> set[Finding]:
        """What no apply can put right."""
        accounts = (self.prod, self.dev)
        return {Finding("iam.root-user", "root-mfa", account, "", "root user", "manual") for account in accounts}

    def wrong_at_first(self) -> set[Finding]:
        accounts = (self.prod, self.dev)
        return {
            *(
                self.changed("iam.password-policy", "password-policy", account, "", "password-policy")
                for account in accounts
            ),
            *(
                self.changed("guardduty.detector", "detector", account, region, "detector")
                for account, region in product(accounts, (HOME, OTHER))
            ),
            self.changed("ecr.repositories", "scan-on-push", self.prod, HOME, "api"),
            self.changed("ecr.repositories", "scan-on-push", self.prod, HOME, "web"),
            self.changed("ecr.repositories", "scan-on-push", self.dev, HOME, "tool"),
        }

    def disturb(self) -> set[Finding]:
        """Undoes one setting of each control, each somewhere else; returns what a plan must show."""
        guardduty = self.moto.client("guardduty", self.prod, OTHER)
        [detector] = guardduty.list_detectors()["DetectorIds"]
        guardduty.update_detector(DetectorId=detector, FindingPublishingFrequency="SIX_HOURS")
        self.moto.client("iam", self.dev).delete_account_password_policy()
        ecr = self.moto.client("ecr", self.prod, HOME)
        ecr.put_image_scanning_configuration(repositoryName="api", imageScanningConfiguration={"scanOnPush": False})
        return {
            self.changed("guardduty.detector", "detector", self.prod, OTHER, "detector"),
            self.changed("iam.password-policy", "password-policy", self.dev, "", "password-policy"),
            self.changed("ecr.repositories", "scan-on-push", self.prod, HOME, "api"),
        }

    @staticmethod
    def changed(control: str, rule: str, account: str, region: str, resource: str) -> Finding:
        return Finding(control, rule, account, region, resource, "change")

    def is_as_wanted(self) -> None:
        """Asks AWS itself, past the program: raises `Wrong` at the first setting that is not as the YAML says."""
        for account in (self.prod, self.dev):
            policy = self.moto.client("iam", account).get_account_password_policy()["PasswordPolicy"]
            wanted = {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24, "RequireSymbols": True}
            wanted |= {"RequireNumbers": True, "RequireLowercaseCharacters": True, "RequireUppercaseCharacters": True}
            self.equal(f"password policy of {account}", {name: policy.get(name) for name in wanted}, wanted)
            for region in (HOME, OTHER):
                self.detector_is_as_wanted(account, region)
                for repository in self.moto.client("ecr", account, region).describe_repositories()["repositories"]:
                    scanned = repository["imageScanningConfiguration"]["scanOnPush"]
                    self.equal(f"scanOnPush of {repository['repositoryArn']}", scanned, True)

    def detector_is_as_wanted(self, account: str, region: str) -> None:
        guardduty = self.moto.client("guardduty", account, region)
        detectors = guardduty.list_detectors()["DetectorIds"]
        self.equal(f"number of detectors in {account} {region}", len(detectors), 1)
        detector = guardduty.get_detector(DetectorId=detectors[0])
        seen = (detector["Status"], detector["FindingPublishingFrequency"])
        self.equal(f"detector of {account} {region}", seen, ("ENABLED", "FIFTEEN_MINUTES"))
        enabled = {feature["Name"] for feature in detector["Features"] if feature["Status"] == "ENABLED"}
        self.equal(f"features of {account} {region}", enabled, set(FEATURES))

    @staticmethod
    def equal(what: str, seen: object, wanted: object) -> None:
        if seen != wanted:
            raise Wrong(f"{what} is {seen}, not {wanted}")

    def desired_state(self, audit: Path, organization: str | None = None) -> str:
        """The YAML, in one file; `organization` puts a wrong id in."""
        return f"""\
apiVersion: baseline/v1
kind: Organization
metadata:
  name: acme
spec:
  id: {organization or self.organization}
  roles:
    observe: baseline-observe
    apply: baseline-apply
  regions:
    home: {HOME}
    managed: [{HOME}, {OTHER}]
  audit: {audit}
  baselines:
  - use: recommended
---
apiVersion: baseline/v1
kind: Baseline
metadata:
  name: recommended
spec:
  controls:
    iam.password-policy:
      minimumLength: 14
      reusePrevention: 24
      require: {{lowercase: true, uppercase: true, numbers: true, symbols: true}}
      usersMayChange: true
    iam.root-user:
      accessKeys: none
      mfa: required
    guardduty.detector:
      enabled: true
      frequency: FIFTEEN_MINUTES
      features:
        S3_DATA_EVENTS: true
        RDS_LOGIN_EVENTS: true
    ecr.repositories:
      rules:
      - select: {{names: ["*"]}}
        scanOnPush: true
---
apiVersion: baseline/v1
kind: Account
metadata:
  name: prod
spec:
  id: "{self.prod}"
---
apiVersion: baseline/v1
kind: Account
metadata:
  name: dev
spec:
  id: "{self.dev}"
"""


def story(binary: Path, folder: Path) -> None:
    """The whole run; raises `Wrong` at the first thing that is not as it should be."""
    file = folder / "desired-state" / "all.yaml"
    file.parent.mkdir()
    audit = folder / "audit"
    with MotoServer() as moto:
        world = World(moto)
        file.write_text(world.desired_state(audit), encoding="utf-8")
        program = Program(binary, file.parent, moto.environment())

        print("plan shows everything that is wrong, and changes nothing")
        for _ in range(2):
            found, totals = program.plan(exits=2)
            same(found, world.wrong_at_first() | world.by_hand())
            world.equal("number of findings not known", totals["unknown"], 0)
        world.equal("audit folder before the first write", audit.exists() and any(audit.rglob("*.json")), False)

        print("apply puts it right, and it holds")
        program.run("apply", "--auto-approve", exits=0)
        in_sync(program, world)
        world.equal("audit records after an apply", any(path.is_file() for path in audit.rglob("*")), True)

        print("a second apply has nothing to do")
        program.run("apply", "--auto-approve", exits=0)

        print("somebody disturbs three settings: the plan shows these and no other")
        disturbed = world.disturb()
        found, _ = program.plan(exits=2)
        same(found, disturbed | world.by_hand())

        print("apply puts them right again")
        program.run("apply", "--auto-approve", exits=0)
        in_sync(program, world)

        print("another organisation than the YAML names is refused")
        file.write_text(world.desired_state(audit, organization="o-0000000000"), encoding="utf-8")
        program.run("plan", exits=3)
        program.run("apply", "--auto-approve", exits=3)
        file.write_text(world.desired_state(audit), encoding="utf-8")

    print("an AWS that does not answer is not in sync")
    program.run("plan", exits=4)


def in_sync(program: Program, world: World) -> None:
    """Nothing is left but what is by hand, by the plan's word and by AWS's."""
    found, totals = program.plan(exits=2)
    same(found, world.by_hand())
    world.equal("number of changes left", totals["change"], 0)
    world.is_as_wanted()


def main() -> int:
    """Exits 0 when the whole story went as it should."""
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--binary", type=Path, default=Path(target) / "debug" / "baseline", metavar="FILE")
    binary: Path = arguments.parse_args().binary.resolve()
    with tempfile.TemporaryDirectory(prefix="baseline-moto-") as folder:
        try:
            story(binary, Path(folder))
        except Wrong as wrong:
            print(f"FAILED {wrong}", file=sys.stderr)
            return 1
    print("in sync: the whole story went as it should")
    return 0


if __name__ == "__main__":
    sys.exit(main())
