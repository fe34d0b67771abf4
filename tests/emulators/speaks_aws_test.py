"""Tests of the validator itself: a check that cannot fail checks nothing.

Run with `python -m unittest discover -s tests/emulators -p '*_test.py'`.
"""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from iam_actions import exists, unknown_actions
from rust_debug import Blob, Map, NotRustDebug, Redacted, Struct, Timestamp, Variant, parse
from speaks_aws import check_exchange


def rules(service: str, operation: str, input: str, output: str | None = None, code: str | None = None) -> list[str]:
    """What is wrong with an exchange, as `path: rule`."""
    error: dict[str, Any] | None = {"code": code, "message": ""} if code else None
    exchange = {"service": service, "operation": operation, "input": input, "output": output, "error": error}
    return [f"{failure.path}: {failure.rule}" for failure in check_exchange(exchange).failures]


class RustDebug(unittest.TestCase):
    def test_reads_every_kind_of_value(self) -> None:
        text = (
            'Thing { text: Some("a \\"b\\"\\n\\u{1f600}"), none: None, number: -3, share: 1.5, flag: true, '
            'list: [1, 2], '
            'map: {"k": Enabled}, when: 2026-11-23T22:43:13.5Z, bytes: Blob { inner: 0aff }, empty: Blob { inner:  }, '
            'r#type: Unknown(UnknownVariantValue("NEW")), secret: "*** Sensitive Data Redacted ***" }'
        )
        value = parse(text)
        assert isinstance(value, Struct)
        self.assertEqual(
            value.fields,
            {
                "text": 'a "b"\n\U0001f600',
                "none": None,
                "number": -3,
                "share": 1.5,
                "flag": True,
                "list": [1, 2],
                "map": Map((("k", Variant("Enabled")),)),
                "when": Timestamp("2026-11-23T22:43:13.5Z"),
                "bytes": Blob(b"\x0a\xff"),
                "empty": Blob(b""),
                "r#type": Variant("Unknown", (Variant("UnknownVariantValue", ("NEW",)),)),
                "secret": Redacted(),
            },
        )

    def test_reads_a_body(self) -> None:
        text = r'ByteStream { inner: Inner { body: SdkBody { inner: Once(Some(b"{\"a\": \xff}")), retryable: true } } }'
        value = parse(text)
        assert isinstance(value, Struct)
        self.assertEqual(value.name, "ByteStream")

    def test_refuses_what_is_not_debug_text(self) -> None:
        for text in ('Thing { a: 1', 'Thing { a: 1, a: 2 }', '"open', "1 2", "{,}", r'"\q"'):
            with self.subTest(text), self.assertRaises(NotRustDebug):
                parse(text)


class Requests(unittest.TestCase):
    GOOD = (
        'UpdateDetectorInput { detector_id: Some("12abc34d567e8fa901bc2d34e56789f0"), enable: Some(true), '
        "finding_publishing_frequency: Some(FifteenMinutes), data_sources: None, features: Some([DetectorFeature"
        "Configuration { name: Some(S3DataEvents), status: Some(Enabled), additional_configuration: None }]) }"
    )

    def test_a_good_request_passes(self) -> None:
        answer = "UpdateDetectorOutput { _request_id: None }"
        self.assertEqual(rules("guardduty", "UpdateDetector", self.GOOD, answer), [])

    def bad(self, before: str, after: str) -> str:
        text = self.GOOD.replace(before, after)
        self.assertNotEqual(text, self.GOOD)
        found = rules("guardduty", "UpdateDetector", text)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_a_missing_required_member_fails(self) -> None:
        found = self.bad('Some("12abc34d567e8fa901bc2d34e56789f0")', "None")
        self.assertEqual(found, "input.DetectorId: required")

    def test_text_that_is_too_short_fails(self) -> None:
        self.assertIn("at least 1 characters", self.bad("12abc34d567e8fa901bc2d34e56789f0", ""))

    def test_an_unknown_enum_value_fails(self) -> None:
        self.assertIn("enum", self.bad("S3DataEvents", 'Unknown(UnknownVariantValue("S4_DATA_EVENTS"))'))
        self.assertIn("enum", self.bad("FifteenMinutes", "TenMinutes"))

    def test_a_wrong_type_fails(self) -> None:
        self.assertIn("expected boolean", self.bad("enable: Some(true)", "enable: Some(1)"))
        self.assertIn("expected text", self.bad("Some(FifteenMinutes)", "Some(15)"))

    def test_a_member_that_the_model_lacks_fails(self) -> None:
        self.assertIn("no such member", self.bad("data_sources", "data_sauces: Some(1), data_sources"))

    def test_the_input_of_another_operation_fails(self) -> None:
        self.assertIn("expected the SDK's struct", self.bad("UpdateDetectorInput", "CreateDetectorInput"))

    def test_an_operation_that_does_not_exist_fails(self) -> None:
        self.assertEqual(len(rules("guardduty", "UpdateDetectors", "X")), 1)
        self.assertEqual(len(rules("guardbeauty", "UpdateDetector", "X")), 1)

    def test_a_range_is_checked(self) -> None:
        policy = "UpdateAccountPasswordPolicyInput {{ minimum_password_length: Some({}), max_password_age: Some({}) }}"
        self.assertEqual(rules("iam", "UpdateAccountPasswordPolicy", policy.format(14, 90)), [])
        self.assertIn("at least 6", rules("iam", "UpdateAccountPasswordPolicy", policy.format(5, 90))[0])
        self.assertIn("at most 1095", rules("iam", "UpdateAccountPasswordPolicy", policy.format(14, 1096))[0])

    def test_a_pattern_is_checked_as_a_whole(self) -> None:
        name = 'DescribeRepositoriesInput {{ repository_names: Some(["{}"]) }}'
        self.assertEqual(rules("ecr", "DescribeRepositories", name.format("team/api")), [])
        self.assertIn("pattern", rules("ecr", "DescribeRepositories", name.format("Team API"))[0])

    def test_a_list_that_is_too_short_fails(self) -> None:
        names = "DescribeRepositoriesInput { repository_names: Some([]) }"
        self.assertIn("at least 1 items", rules("ecr", "DescribeRepositories", names)[0])


class Answers(unittest.TestCase):
    def test_an_answer_without_a_required_member_fails(self) -> None:
        asked = 'GetDetectorInput { detector_id: Some("12abc34d567e8fa901bc2d34e56789f0") }'
        answer = 'GetDetectorOutput {{ service_role: Some("arn:aws:iam::111122223333:role/x"), status: {} }}'
        self.assertEqual(rules("guardduty", "GetDetector", asked, answer.format("Some(Enabled)")), [])
        self.assertEqual(rules("guardduty", "GetDetector", asked, answer.format("None")), ["output.Status: required"])

    def test_a_redacted_member_counts_as_not_checked(self) -> None:
        exchange = {
            "service": "account",
            "operation": "GetPrimaryEmail",
            "input": 'GetPrimaryEmailInput { account_id: Some("111122223333") }',
            "output": 'GetPrimaryEmailOutput { primary_email: "*** Sensitive Data Redacted ***", _request_id: None }',
        }
        checker = check_exchange(exchange)
        self.assertEqual(checker.failures, [])
        self.assertEqual(checker.not_checked.total(), 1)

    def test_an_error_must_be_one_that_the_service_sends(self) -> None:
        asked = "GetAccountPasswordPolicyInput"
        for code in ("NoSuchEntity", "AccessDenied", "Throttling"):
            self.assertEqual(rules("iam", "GetAccountPasswordPolicy", asked, code=code), [])
        for code in ("NoSuchEntityException", "ResourceNotFoundException", "SlowDown"):
            self.assertEqual(len(rules("iam", "GetAccountPasswordPolicy", asked, code=code)), 1, code)

    def test_debug_text_that_cannot_be_read_fails(self) -> None:
        self.assertIn("cannot be read", rules("iam", "GetAccountSummary", "GetAccountSummaryInput {")[0])


class Actions(unittest.TestCase):
    def test_an_action_must_exist(self) -> None:
        self.assertTrue(exists("guardduty:UpdateDetector"))
        self.assertTrue(exists("ecr:Describe*"))
        self.assertFalse(exists("guardduty:UpdateDetectors"))
        self.assertFalse(exists("ecr:Undescribe*"))

    def test_a_policy_is_read_wherever_it_stands(self) -> None:
        bundle = {"observe": {"Statement": [{"Action": ["iam:GetAccountSummary", "iam:GetAccountSumary"]}]}}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "policy.json"
            file.write_text(json.dumps(bundle), encoding="utf-8")
            self.assertEqual(unknown_actions(file), (2, ["iam:GetAccountSumary"]))
            file.write_text("{}", encoding="utf-8")
            self.assertEqual(unknown_actions(file), (0, ["(the file names no action)"]))


if __name__ == "__main__":
    unittest.main()
