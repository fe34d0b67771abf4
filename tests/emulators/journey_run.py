#!/usr/bin/env python3
"""examples/pull-request/journey.sh as a reader runs it, with moto's server as AWS.

    journey_run.py [--binary target/debug/baseline]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from moto_server import MotoServer
from program import Wrong, equal

SCRIPT = Path(__file__).parents[2] / "examples" / "pull-request" / "journey.sh"
PATIENCE_SECONDS = 300


def journey(binary: Path, folder: Path) -> None:
    """Runs the script, and looks at what it leaves; raises `Wrong` at the first thing that is not as it should be."""
    with MotoServer(corrected=True) as moto:
        path = os.pathsep.join([str(binary.parent), os.environ["PATH"]])
        place = folder / "journey"
        run(place, moto.environment(PATH=path), exits=0)
        policy = moto.client("iam").get_account_password_policy()["PasswordPolicy"]
        equal("minimum length in AWS", policy["MinimumPasswordLength"], 16)
        comment = (place / "comment.md").read_text(encoding="utf-8")
        equal("first line of the comment", comment.splitlines()[0], "<!-- baseline plan my_account -->")
        records(place / "desired-state" / ".audit", json.loads((place / "plan.json").read_text(encoding="utf-8")))
        print("a folder that is there already, and an AWS that is no emulator, are refused")
        run(place, moto.environment(PATH=path), exits=64)
        run(folder / "other", moto.environment(PATH=path, AWS_ENDPOINT_URL=""), exits=64)
        equal("a folder is made for what is refused", (folder / "other").exists(), False)


def records(audit: Path, plan: dict[str, object]) -> None:
    """The plan is marked as used, by a run that said before what it would do and after how it went."""
    used = json.loads((audit / "plans" / f"{plan['id']}.json").read_text(encoding="utf-8"))
    equal("digest in the record", used["digest"], plan["digest"])
    run_folder = audit / "runs" / used["run"]
    intent = json.loads((run_folder / "intent.json").read_text(encoding="utf-8"))
    equal("controls in the intent", [change["control"] for change in intent["changes"]], ["iam.password-policy"])
    equal("before-images", len(list((run_folder / "before").glob("*.json"))), 1)
    equal("outcome record", (run_folder / "outcome.json").exists(), True)
    equal("runs in the record", len(list((audit / "runs").iterdir())), 2)


def run(place: Path, environment: dict[str, str], *, exits: int) -> None:
    done = subprocess.run(
        [str(SCRIPT), str(place)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    print(f"  journey.sh: exit {done.returncode}", flush=True)
    if done.returncode != exits:
        raise Wrong(f"expected exit {exits}, not {done.returncode}\n{done.stdout}\n{done.stderr}")


def main() -> int:
    """Exits 0 when the script did what it says."""
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--binary", type=Path, default=Path(target) / "debug" / "baseline", metavar="FILE")
    binary: Path = arguments.parse_args().binary.resolve(strict=True)
    with tempfile.TemporaryDirectory(prefix="baseline-journey-") as folder:
        try:
            journey(binary, Path(folder))
        except Wrong as wrong:
            print(f"FAILED {wrong}", file=sys.stderr)
            return 1
    print("the journey went as the script says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
