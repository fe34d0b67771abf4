"""The binary under test, run as a user runs it, and what its plan says."""

from __future__ import annotations

import json
import subprocess
import time
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

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

    def run(self, *arguments: str, exits: int) -> tuple[str, str]:
        """What it prints, and what it says on stderr. Raises `Wrong`, with both, when it exits with anything but
        `exits`.
        """
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
        return done.stdout, done.stderr

    def plan(self, exits: int) -> tuple[set[Finding], dict[str, int]]:
        """The findings that are not in sync, and the totals by outcome. Raises `Wrong` when planning wrote."""
        printed, said = self.run("plan", "-v", "--format", "json", "--detailed-exitcode", exits=exits)
        only_reads(said)
        document = json.loads(printed)
        if document["exitCode"] != exits:
            raise Wrong(f"the plan's own exitCode is {document['exitCode']}, not {exits}")
        return {one for folded in document["findings"] for one in unfold(folded)}, document["totals"]


def only_reads(said: str) -> None:
    """`-v` says each call: none is a write, and none is made as the role that writes."""
    calls = [line for line in said.splitlines() if " call=" in line]
    if not calls:
        raise Wrong(f"`-v` says no call:\n{said}")
    wrote = [line for line in calls if " write=false " not in line or ' role="apply" ' in line]
    if wrote:
        raise Wrong("\n".join(["a plan only reads, and this one made these calls:", *wrote]))


def unfold(folded: dict[str, Any]) -> set[Finding]:
    """The findings that a folded one stands for: it holds for each account, region and resource in it."""
    places = product(folded["accounts"], folded.get("regions") or [""], folded["resources"])
    return {
        Finding(folded["control"], folded["rule"], account, region, resource, folded["outcome"])
        for account, region, resource in places
    }


def changed(control: str, rule: str, account: str, region: str, resource: str) -> Finding:
    """A finding that apply puts right."""
    return Finding(control, rule, account, region, resource, "change")


def same(found: set[Finding], expected: set[Finding]) -> None:
    """Exactly these findings, no fewer and no more."""
    lines = [f"  missing  {' '.join(one)}" for one in sorted(expected - found)]
    lines += [f"  surplus  {' '.join(one)}" for one in sorted(found - expected)]
    if lines:
        raise Wrong("\n".join(["the plan shows other findings than expected:", *lines]))


def equal(what: str, seen: object, wanted: object) -> None:
    """Raises `Wrong` where something is not as it should be."""
    if seen != wanted:
        raise Wrong(f"{what} is {seen}, not {wanted}")
