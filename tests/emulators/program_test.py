"""moto_run.py's own assertions: each of them must be able to fail."""

from __future__ import annotations

import unittest

from program import Finding, Wrong, changed, equal, only_reads, same, unfold

READ = 'DEBUG baseline::calls: call account=1 call="kms:DescribeKey" role="observe" write=false took_ms=3'
WRITE = 'DEBUG baseline::calls: call account=1 call="kms:EnableKey" role="apply" write=true took_ms=3'


class OnlyReads(unittest.TestCase):
    def test_takes_reads(self) -> None:
        only_reads(f"{READ}\nsomething else\n{READ}\n")

    def test_names_the_write(self) -> None:
        with self.assertRaisesRegex(Wrong, "kms:EnableKey"):
            only_reads(f"{READ}\n{WRITE}\n")

    def test_a_read_as_the_role_that_writes_is_refused(self) -> None:
        with self.assertRaises(Wrong):
            only_reads(READ.replace("observe", "apply"))

    def test_silence_is_not_reading(self) -> None:
        with self.assertRaises(Wrong):
            only_reads("nothing was logged\n")


class Findings(unittest.TestCase):
    def test_a_folded_finding_stands_for_each_place(self) -> None:
        places = {"accounts": ["1", "2"], "regions": [], "resources": ["registry"]}
        folded = {"control": "ecr.registry", "rule": "scanning", "outcome": "change", **places}
        expected = {changed("ecr.registry", "scanning", account, "", "registry") for account in ("1", "2")}
        self.assertEqual(unfold(folded), expected)

    def test_one_too_few_and_one_too_many_are_both_named(self) -> None:
        one, other = (Finding("c", "r", account, "", "x", "change") for account in ("1", "2"))
        with self.assertRaisesRegex(Wrong, "missing  c r 1[^$]*surplus  c r 2"):
            same({other}, {one})
        same({one}, {one})

    def test_what_is_otherwise_is_said(self) -> None:
        with self.assertRaisesRegex(Wrong, "versioning is None, not Enabled"):
            equal("versioning", None, "Enabled")


if __name__ == "__main__":
    unittest.main()
