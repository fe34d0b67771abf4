#!/usr/bin/env python3
"""`moto_server` that writes down every write: when it came, to which account, and in which session.

The file that `WATCHED_WRITES` names gets one JSON object a line.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from typing import Any
from urllib.parse import parse_qs

from moto import server

READS = ("Get", "List", "Describe", "AssumeRole")


class Application:
    """moto's application, which its server makes and sets a flag on."""

    debug = False

    def __init__(self, create: Any, dispatcher: Any = server.DomainDispatcherApplication) -> None:
        self._inner = dispatcher(create)
        self._sessions: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self._file = open(os.environ["WATCHED_WRITES"], "a", encoding="utf-8")  # noqa: SIM115 - as long as the process

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """One request. Only AWS Query is read: what the fleet's one control writes is IAM's."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = _Again(body)
        form = parse_qs(body.decode("utf-8", "replace"))
        action = form.get("Action", [""])[0]
        key = re.search(r"Credential=([A-Z0-9]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        answer = self._inner(environ, start_response)
        if action == "AssumeRole":
            answer = [b"".join(answer)]
            given = re.search(rb"<AccessKeyId>(\w+)</AccessKeyId>", answer[0])
            if given:
                account = form["RoleArn"][0].split(":")[4]
                with self._lock:
                    self._sessions[given[1].decode()] = (account, form["RoleSessionName"][0])
        elif action and not action.startswith(READS):
            with self._lock:
                account, session = self._sessions.get(key[1] if key else "", ("", ""))
                line = {"at": time.time(), "account": account, "session": session, "action": action}
                self._file.write(json.dumps(line) + "\n")
                self._file.flush()
        return answer


class _Again:
    """A body that was read, to be read once more."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        """As a file would."""
        size = len(self._body) if size < 0 else size
        part, self._body = self._body[:size], self._body[size:]
        return part


if __name__ == "__main__":
    server.DomainDispatcherApplication = Application
    server.main()
