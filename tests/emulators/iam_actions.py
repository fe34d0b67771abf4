"""Checks that the IAM actions of generated policies exist, against the data that policy-sentry ships."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Iterator

from policy_sentry.querying.all import get_all_actions


@cache
def known_actions() -> frozenset[str]:
    """Every IAM action, in lower case: IAM itself does not mind."""
    return frozenset(action.lower() for action in get_all_actions())


def actions_in(document: Any) -> Iterator[str]:
    """What stands under `Action` and `NotAction` anywhere in a JSON document, so in a bundle of policies too."""
    if isinstance(document, list):
        for item in document:
            yield from actions_in(item)
    elif isinstance(document, dict):
        for key, value in document.items():
            if key in ("Action", "NotAction"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from actions_in(value)


def exists(action: str) -> bool:
    """Whether IAM knows the action; a wildcard must match at least one."""
    wanted = action.lower()
    if "*" in wanted or "?" in wanted:
        return any(fnmatchcase(known, wanted) for known in known_actions())
    return wanted in known_actions()


def unknown_actions(policy: Path) -> tuple[int, list[str]]:
    """How many actions a policy file names, and those that IAM does not know.

    A file that names none fails as a whole: it is not the policy that somebody meant to check.
    """
    named = list(actions_in(json.loads(policy.read_text(encoding="utf-8"))))
    unknown = sorted({action for action in named if not exists(action)})
    return len(named), unknown if named else ["(the file names no action)"]
