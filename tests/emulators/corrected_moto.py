#!/usr/bin/env python3
"""`moto_server` with four of its gaps closed, because each would hide a whole control from moto_run.py.

All are in gaps.toml, where gaps.py tries them against moto as it is: once moto closes one, it goes from here.
What the program sends stays moto's to judge; three answers are given as AWS documents them, and a protocol is put into
one that moto speaks (cbor_moto.py).
"""

from __future__ import annotations

from typing import Any

from cbor_moto import Cbor
from moto import server
from moto.config.models import ConfigRecorderStatus
from moto.kms import responses as kms
from moto.s3.responses import S3Response


def policy_name_is_optional(name: str | None, strict: Any = kms._assert_default_policy) -> None:
    """Key policies: `PolicyName` may be left out, "the default value is default" (KMS API reference)."""
    strict("default" if name is None else name)


class Application(Cbor):
    """moto's application, which its server makes and sets a flag on."""

    debug = False

    def __init__(self, create: Any, dispatcher: Any = server.DomainDispatcherApplication) -> None:
        super().__init__(dispatcher(create))


def get_bucket_versioning(self: S3Response) -> tuple[int, dict[str, str], str]:
    """Its answer is a `VersioningConfiguration` (S3 API reference, GetBucketVersioning, "Response Syntax")."""
    status = self.backend.get_bucket_versioning(self.bucket_name)
    self.data["Action"] = "GetBucketVersioning"
    inside = f"<Status>{status}</Status>" if status else ""
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return 200, {}, f'<VersioningConfiguration xmlns="{namespace}">{inside}</VersioningConfiguration>'


def started(self: ConfigRecorderStatus, start: Any = ConfigRecorderStatus.start) -> None:
    """A recorder that was started delivers after a while: `lastStatus` is SUCCESS then, and PENDING for ever here."""
    start(self)
    self.last_status = "SUCCESS"


if __name__ == "__main__":
    ConfigRecorderStatus.start = started
    kms._assert_default_policy = policy_name_is_optional
    S3Response.get_bucket_versioning = get_bucket_versioning
    server.DomainDispatcherApplication = Application
    server.main()
