#!/usr/bin/env python3
"""Speaks AWS: every request that `baseline` makes, and every answer that its in-memory AWS gives, must be one
that the service itself would take or send.

    speaks_aws.py [--exchanges FILE]... [--policy FILE]...

An exchange file has one JSON object a line: `{"service", "operation", "input", "output", "error"}`, with
input and output as Rust's `{:?}` shows the SDK's types. Input and output are checked against botocore's
models: required, type, length, range, pattern, enum. Error codes are the operation's own or one of the
service's common ones. Policy files are checked for IAM actions that do not exist.

Exits 1 when anything fails, or when a file has nothing in it to check.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError

from api_model import Checker, Failure, error_codes, service_model
from common_errors import common_errors
from iam_actions import unknown_actions
from rust_debug import NotRustDebug, parse

# What this check cannot see, and why. What is met is counted as well, when the run ends.
NOT_CHECKED = {
    "values of sensitive members": "the SDK redacts them in Debug; that they are present is checked",
    "streamed bodies": "a ByteStream does not show what it holds",
    "headers, signatures and serialised bodies": "they are the SDK's own work, from the same models",
    "rules across members": "the models have none (A or B, A only with B); the sandbox's handlers refuse those",
    "JSON inside text": "policies and lifecycle rules are text to the models",
    "whether the service would answer so": "a model has no behaviour; moto_run.py and gaps.toml are the second opinion",
}


def check_exchange(exchange: dict[str, Any]) -> Checker:
    """Everything that is wrong with one exchange, and what of it could not be checked."""
    service, operation = exchange["service"].lower(), exchange["operation"]
    checker = Checker(service, operation)
    try:
        model = service_model(service).operation_model(operation)
    except (UnknownServiceError, OperationNotFoundError):
        checker.fail("operation", operation, "botocore has no such operation")
        return checker
    for side, shape in (("input", model.input_shape), ("output", model.output_shape)):
        if (text := exchange.get(side)) is None:
            continue
        try:
            checker.message(side, shape, parse(text))
        except NotRustDebug as unreadable:
            checker.fail(side, text, f"cannot be read as Rust's Debug: {unreadable}")
    if exchange.get("input") is None:
        checker.fail("input", None, "an exchange without a request")
    if (error := exchange.get("error")) is not None:
        protocol = service_model(service).protocol
        if error.get("code") not in error_codes(model) | common_errors(protocol):
            known = ", ".join(sorted(error_codes(model)))
            checker.fail("error.code", error.get("code"), f"neither {known} nor an error common to {service}")
    return checker


def distinct_exchanges(files: list[Path]) -> Counter[str]:
    """Each different line of the files, and how often it stands there: a test suite says the same a lot."""
    lines: Counter[str] = Counter()
    for file in files:
        with file.open(encoding="utf-8") as text:
            lines.update(line for line in text if line.strip())
    return lines


def check_exchanges(files: list[Path]) -> tuple[Counter[Failure], Counter[str]]:
    """Failures of all exchanges and what of them was not checked, each with a count; prints the totals."""
    failures: Counter[Failure] = Counter()
    not_checked: Counter[str] = Counter()
    operations: set[str] = set()
    lines = distinct_exchanges(files)
    for line, times in lines.items():
        try:
            checker = check_exchange(json.loads(line))
        except (ValueError, KeyError, AttributeError) as malformed:
            failures[Failure("?", "?", "line", line.strip(), f"not an exchange: {malformed!r}")] += times
            continue
        operations.add(f"{checker.service}:{checker.operation}")
        for failure in checker.failures:
            failures[failure] += times
        for reason, count in checker.not_checked.items():
            not_checked[reason] += count * times
    for file in files:
        if not lines:
            failures[Failure("?", "?", "file", str(file), "no exchange was recorded")] += 1
    said = f"{lines.total()} exchanges ({len(lines)} different)"
    print(f"{said}, {len(operations)} operations, {failures.total()} failures")
    print("  " + ", ".join(sorted(operations)))
    return failures, not_checked


def check_policies(files: list[Path]) -> Counter[Failure]:
    """IAM actions that do not exist; prints the total."""
    failures: Counter[Failure] = Counter()
    actions = 0
    for file in files:
        named, unknown = unknown_actions(file)
        actions += named
        for action in unknown:
            failures[Failure("iam", "policy", str(file), action, "IAM has no such action")] += 1
    print(f"{actions} IAM actions in {len(files)} files, {failures.total()} failures")
    return failures


def existing(path: str) -> Path:
    """A file that is there: what was not written must not pass as having nothing wrong in it."""
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"`{path}` does not exist")
    return Path(path)


def main() -> int:
    """Runs the checks that the arguments ask for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--exchanges", type=existing, action="append", default=[], metavar="FILE")
    arguments.add_argument("--policy", type=existing, action="append", default=[], metavar="FILE")
    asked = arguments.parse_args()
    if not asked.exchanges and not asked.policy:
        arguments.error("nothing to check: name --exchanges or --policy")

    failures: Counter[Failure] = Counter()
    met: Counter[str] = Counter()
    if asked.exchanges:
        failures, met = check_exchanges(asked.exchanges)
    if asked.policy:
        failures += check_policies(asked.policy)
    for failure, times in failures.items():
        print(f"FAILED {failure}" + (f" ({times} times)" if times > 1 else ""))
    print("not checked:")
    for what, reason in NOT_CHECKED.items():
        print(f"  {what}: {reason}")
    for reason, times in met.items():
        print(f"  met {times} times: {reason}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
