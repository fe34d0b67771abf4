"""Probes of gaps.py: what topics and rules do otherwise than AWS."""

from __future__ import annotations

import json
from typing import Any

from moto_server import MotoServer, code_of

HOME = "eu-west-1"
PATTERN = json.dumps({"source": ["aws.guardduty"]})


def topic(moto: MotoServer, name: str) -> tuple[Any, str]:
    """A client of SNS, and a new topic."""
    sns = moto.client("sns", region=HOME)
    return sns, sns.create_topic(Name=name)["TopicArn"]


def sns_mailboxes_confirm(moto: MotoServer) -> str | None:
    sns, arn = topic(moto, "probe-confirm")
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="security@acme.example")
    listed = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    states = [one["SubscriptionArn"] for one in listed]
    return None if states == ["PendingConfirmation"] else f"the subscription is {states[0].rsplit(':', 1)[0]}:…"


def sns_topic_with_other_attributes(moto: MotoServer) -> str | None:
    sns, _ = topic(moto, "probe-again")
    sns.set_topic_attributes(
        TopicArn=sns.create_topic(Name="probe-again")["TopicArn"],
        AttributeName="DisplayName",
        AttributeValue="One",
    )
    code = code_of(lambda: sns.create_topic(Name="probe-again", Attributes={"DisplayName": "Other"}))
    return None if code == "InvalidParameter" else f"CreateTopic with another DisplayName: {code}"


def sns_policy_is_of_its_topic(moto: MotoServer) -> str | None:
    sns, arn = topic(moto, "probe-policy")
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"{arn}-other"}]})
    call = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy}
    code = code_of(lambda: sns.set_topic_attributes(**call))
    return None if code == "InvalidParameter" else f"a policy for another topic: {code}"


def events_five_targets_a_rule(moto: MotoServer) -> str | None:
    events = moto.client("events", region=HOME)
    events.put_rule(Name="probe-targets", EventPattern=PATTERN)
    _, arn = topic(moto, "probe-targets")
    targets = [{"Id": str(index), "Arn": arn} for index in range(6)]
    code = code_of(lambda: events.put_targets(Rule="probe-targets", Targets=targets))
    return None if code == "LimitExceededException" else f"PutTargets with six targets: {code}"


PROBES = (
    sns_mailboxes_confirm,
    sns_topic_with_other_attributes,
    sns_policy_is_of_its_topic,
    events_five_targets_a_rule,
)
