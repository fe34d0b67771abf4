"""Probes of gaps.py: what log groups, metric filters and alarms do otherwise than AWS."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

from moto_server import MANAGEMENT, MotoServer, code_of

HOME = "eu-west-1"
ABSENT_KEY = f"arn:aws:kms:{HOME}:{MANAGEMENT}:key/00000000-0000-0000-0000-000000000000"


def group(moto: MotoServer, name: str) -> Any:
    """A client of CloudWatch Logs, and a new group."""
    logs = moto.client("logs", region=HOME)
    logs.create_log_group(logGroupName=name)
    return logs


def cloudwatch_speaks_cbor(moto: MotoServer) -> str | None:
    """The one protocol of the Rust SDK's CloudWatch; boto3 speaks another."""
    request = urllib.request.Request(
        f"{moto.url}/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
        data=b"\xa0",
        headers={
            "Content-Type": "application/cbor",
            "smithy-protocol": "rpc-v2-cbor",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260701/{HOME}/monitoring/aws4_request",
        },
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=30) as answer:
            kind = answer.headers.get("Content-Type")
            return None if kind == "application/cbor" else f"DescribeAlarms in CBOR: answered in {kind}"
    except urllib.error.HTTPError as error:
        return f"DescribeAlarms in CBOR: HTTP {error.code}"


def cloudwatch_pages(moto: MotoServer) -> str | None:
    cloudwatch = moto.client("cloudwatch", region=HOME)
    for name in ("a", "b", "c"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"page-{name}",
            Namespace="Acme",
            MetricName="x",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
    answer = cloudwatch.describe_alarms(MaxRecords=2)
    shown, token = len(answer["MetricAlarms"]), answer.get("NextToken")
    return None if shown == 2 and token else f"MaxRecords=2 shows {shown}, NextToken {token}"


def cloudwatch_periods(moto: MotoServer) -> str | None:
    cloudwatch = moto.client("cloudwatch", region=HOME)
    code = code_of(
        lambda: cloudwatch.put_metric_alarm(
            AlarmName="period",
            Namespace="Acme",
            MetricName="x",
            Statistic="Sum",
            Period=45,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
    )
    return None if code != "answered" else "Period=45 is taken"


def logs_retention_days(moto: MotoServer) -> str | None:
    logs = group(moto, "acme/days")
    code = code_of(lambda: logs.put_retention_policy(logGroupName="acme/days", retentionInDays=17))
    return None if code == "InvalidParameterException" else f"17 days: {code}"


def logs_associate_key(moto: MotoServer) -> str | None:
    logs = group(moto, "acme/key")
    code = code_of(lambda: logs.associate_kms_key(logGroupName="acme/key", kmsKeyId=ABSENT_KEY))
    return None if code == "InvalidParameterException" else f"AssociateKmsKey with a key that is not there: {code}"


def logs_create_with_key(moto: MotoServer) -> str | None:
    logs = moto.client("logs", region=HOME)
    code = code_of(lambda: logs.create_log_group(logGroupName="acme/with-key", kmsKeyId=ABSENT_KEY))
    return None if code == "InvalidParameterException" else f"CreateLogGroup with a key that is not there: {code}"


def logs_deletion_protection(moto: MotoServer) -> str | None:
    logs = group(moto, "acme/protected")
    code = code_of(
        lambda: logs.put_log_group_deletion_protection(
            logGroupIdentifier="acme/protected", deletionProtectionEnabled=True
        )
    )
    told = logs.describe_log_groups(logGroupNamePrefix="acme/protected")["logGroups"][0]
    if code == "answered" and told.get("deletionProtectionEnabled"):
        return None
    return f"PutLogGroupDeletionProtection: {code}, deletionProtectionEnabled {told.get('deletionProtectionEnabled')}"


def logs_hundred_filters(moto: MotoServer) -> str | None:
    logs = group(moto, "acme/filters")
    metric = [{"metricName": "x", "metricNamespace": "Acme", "metricValue": "1"}]
    code = "answered"
    for number in range(101):
        code = code_of(
            lambda number=number: logs.put_metric_filter(
                logGroupName="acme/filters",
                filterName=f"f{number}",
                filterPattern="{ $.a = b }",
                metricTransformations=metric,
            )
        )
    return None if code == "LimitExceededException" else f"the 101st metric filter of a group: {code}"


def logs_filter_patterns(moto: MotoServer) -> str | None:
    logs = group(moto, "acme/pattern")
    code = code_of(
        lambda: logs.put_metric_filter(
            logGroupName="acme/pattern",
            filterName="open",
            filterPattern="{ ($.a = b",
            metricTransformations=[{"metricName": "x", "metricNamespace": "Acme", "metricValue": "1"}],
        )
    )
    return None if code == "InvalidParameterException" else f"a pattern that does not end: {code}"


def logs_filters_are_replaced(moto: MotoServer) -> str | None:
    logs = group(moto, "acme/replaced")
    metric = [{"metricName": "x", "metricNamespace": "Acme", "metricValue": "1"}]
    for pattern in ("{ $.a = b }", "{ $.c = d }"):
        logs.put_metric_filter(
            logGroupName="acme/replaced", filterName="one", filterPattern=pattern, metricTransformations=metric
        )
    told = logs.describe_metric_filters(logGroupName="acme/replaced")["metricFilters"]
    patterns = [one["filterPattern"] for one in told]
    return None if patterns == ["{ $.c = d }"] else f"a filter that is put twice: {patterns}"


def logs_account_policies(moto: MotoServer) -> str | None:
    logs = moto.client("logs", region=HOME)
    code = code_of(lambda: logs.describe_account_policies(policyType="SUBSCRIPTION_FILTER_POLICY"))
    return None if code == "answered" else f"DescribeAccountPolicies: {code}"


PROBES = (
    cloudwatch_speaks_cbor,
    cloudwatch_pages,
    cloudwatch_periods,
    logs_retention_days,
    logs_associate_key,
    logs_create_with_key,
    logs_deletion_protection,
    logs_hundred_filters,
    logs_filter_patterns,
    logs_account_policies,
    logs_filters_are_replaced,
)
