#!/usr/bin/env python3
"""The real program against moto's server, over the wire: two accounts, two regions, every control.

    moto_run.py [--binary target/debug/baseline]

plan shows what is wrong → one apply → plan has nothing to change, and AWS really is so → somebody disturbs a
setting of each control → plan shows these and no other → apply → as wanted again. Then what must be refused:
another organisation than the YAML names, and an AWS that does not answer. No plan writes anything.

One account keeps the logs of both: its key and its bucket are made in the same apply as the trails that deliver
there, across accounts. What moto lacks is not declared (gaps.toml), and three answers that it gets wrong are
corrected (corrected_moto.py). One setting needs a second apply, on moto only: `LogChain.left_by_moto`.

moto's root users never have MFA (gaps.toml), so one manual task an account stays throughout and
`--detailed-exitcode` is 2 even when all is as wanted; what is asserted is the findings themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from moto_server import MotoServer
from moto_world import World
from program import Finding, Program, Wrong, equal, same


def story(binary: Path, folder: Path) -> None:
    """The whole run; raises `Wrong` at the first thing that is not as it should be."""
    file = folder / "desired-state" / "all.yaml"
    file.parent.mkdir()
    audit = folder / "audit"
    with MotoServer(corrected=True) as moto:
        world = World(moto)
        file.write_text(world.desired_state(audit), encoding="utf-8")
        program = Program(binary, file.parent, moto.environment())

        print("plan shows everything that is wrong, and changes nothing")
        for _ in range(2):
            left(program, world, world.wrong_at_first())
        equal("audit folder before the first write", audit.exists() and any(audit.rglob("*.json")), False)

        print("one apply puts it right, but for what moto does not do by itself")
        program.run("apply", "--auto-approve", exits=0)
        equal("before-images of an apply", bool(before_images(audit)), True)
        left(program, world, world.chain.left_by_moto())
        program.run("apply", "--auto-approve", exits=0)
        in_sync(program, world)

        print("another apply has nothing to do")
        images = before_images(audit)
        program.run("apply", "--auto-approve", exits=0)
        equal("before-images of an apply that has nothing to do", before_images(audit) - images, set())

        print("somebody disturbs a setting of each control: the plan shows these and no other")
        left(program, world, world.disturb())

        print("apply puts them right again")
        program.run("apply", "--auto-approve", exits=0)
        in_sync(program, world)

        print("doctor assumes both roles, and what moto does not answer is unknown and not fine")
        health = json.loads(program.run("doctor", "--format", "json", exits=4)[0])
        for account in health["accounts"]:
            assumed = [account[role]["assumed"] for role in ("observe", "apply")]
            equal(f"roles of {account['name']} that were assumed", assumed, ["fine", "fine"])
            equal(f"permissions of {account['name']}", account["apply"]["allowed"], "unknown")
            equal(f"regions of {account['name']}", {one["verdict"] for one in account["regions"]}, {"fine"})

        print("another organisation than the YAML names is refused")
        file.write_text(world.desired_state(audit, organization="o-0000000000"), encoding="utf-8")
        program.run("plan", exits=3)
        program.run("apply", "--auto-approve", exits=3)
        file.write_text(world.desired_state(audit), encoding="utf-8")

    print("an AWS that does not answer is not in sync")
    program.run("plan", exits=4)


def left(program: Program, world: World, expected: set[Finding]) -> None:
    """The plan shows exactly these findings beside what is by hand, and everything is known."""
    found, totals = program.plan(exits=2)
    same(found, expected | world.by_hand())
    equal("number of changes", totals["change"], len(expected))
    equal("number of findings not known", totals["unknown"], 0)


def in_sync(program: Program, world: World) -> None:
    """Nothing is left but what is by hand, by the plan's word and by AWS's."""
    left(program, world, set())
    world.is_as_wanted()


def before_images(audit: Path) -> set[Path]:
    """What apply wrote down of each setting before it changed it."""
    return set(audit.glob("runs/*/before/*.json"))


def main() -> int:
    """Exits 0 when the whole story went as it should."""
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--binary", type=Path, default=Path(target) / "debug" / "baseline", metavar="FILE")
    binary: Path = arguments.parse_args().binary.resolve(strict=True)
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
