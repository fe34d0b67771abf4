"""What watches in the world in moto: AWS Config, Security Hub, and how people hear of what is found."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

from moto_server import MotoServer
from program import Finding, changed, equal

TOPIC, GROUP = "baseline-alerts", "acme/audit"
TRAIL_GROUP = "baseline/trail-events"
ALARMS = ("root-usage", "console-failures")
RULES = ("baseline-securityhub-findings", "baseline-guardduty-findings")
ROLE = "baseline-events-forwarding"
CONFIG_ROLE = "AWSServiceRoleForConfig"
RECORDER = "of-old"

# In the Baseline document of every account. What moto lacks is not declared: gaps.toml.
WATCH_YAML = f"""\
    securityhub.hub:
      enabled: true
    sns.topics:
      regions: [home]
      topics:
        {TOPIC}:
          displayName: Security alerts
          publishers: [budgets, cloudwatch, events]
          tlsOnly: true
    events.finding-rules:
      topic: {TOPIC}
      deliver: home
      securityHub: {{enabled: true, severities: [CRITICAL, HIGH]}}
      guardDuty: {{enabled: true, severityAtLeast: 7}}
    logs.groups:
      groups:
        {GROUP}: {{retentionDays: 731}}
    cloudwatch.cis-alarms:
      logGroup: {TRAIL_GROUP}
      topic: {TOPIC}
      alarms:
        root-usage: {{enabled: true}}
        console-failures: {{enabled: true, threshold: 3}}
"""

# In the document of the account that has a recorder of old, which delivers to a bucket of its own.
RECORDER_YAML = """\
  controls:
    config.recorder:
      regions: [home]
      record: all
      role: service-linked
      globalTypes: home
      retentionDays: 2557
"""


class Watch:
    """At first one account has a recorder of old, which is stopped, and nothing else is there."""

    def __init__(self, moto: MotoServer, prod: str, logs: str, home: str, other: str, bucket: str) -> None:
        self.moto, self.prod, self.home = moto, prod, home
        self.accounts = (prod, logs)
        self.everywhere = list(product(self.accounts, (home, other)))
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "config.amazonaws.com"}}
        role = moto.client("iam", prod).create_role(
            RoleName=CONFIG_ROLE,
            Path="/aws-service-role/config.amazonaws.com/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        group = {"allSupported": False, "includeGlobalResourceTypes": False, "resourceTypes": ["AWS::S3::Bucket"]}
        recorder = {"name": RECORDER, "roleARN": role, "recordingGroup": group}
        self.config().put_configuration_recorder(ConfigurationRecorder=recorder)
        self.config().put_delivery_channel(DeliveryChannel={"name": RECORDER, "s3BucketName": bucket})

    def config(self) -> Any:
        return self.moto.client("config", self.prod, self.home)

    def wrong_at_first(self) -> set[Finding]:
        return {
            *(changed("config.recorder", rule, self.prod, self.home, "recorder") for rule in ("recorder", "recording")),
            *(changed("securityhub.hub", "hub", *place, "hub") for place in self.everywhere),
            *(changed("events.finding-rules", "rule", *place, rule) for place in self.everywhere for rule in RULES),
            *(changed("logs.groups", "group", *place, GROUP) for place in self.everywhere),
            *(changed("sns.topics", "topic", account, self.home, TOPIC) for account in self.accounts),
            *(changed("events.finding-rules", "role", account, self.home, ROLE) for account in self.accounts),
            *(changed("cloudwatch.cis-alarms", name, account, "", name) for account in self.accounts for name in ALARMS),
        }

    def disturb(self) -> set[Finding]:
        """Stops the recorder, disables a rule and an alarm, takes a policy away and half of a retention."""
        self.config().stop_configuration_recorder(ConfigurationRecorderName=RECORDER)
        self.moto.client("events", self.prod, self.home).disable_rule(Name=RULES[0])
        self.moto.client("logs", self.prod, self.home).put_retention_policy(logGroupName=GROUP, retentionInDays=365)
        [alarm] = [one for one in self.alarms(self.prod) if "root" in one["AlarmName"].lower()]
        self.moto.client("cloudwatch", self.prod, self.home).disable_alarm_actions(AlarmNames=[alarm["AlarmName"]])
        sns, arn = self.moto.client("sns", self.prod, self.home), self.topic(self.prod)
        policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
        policy["Statement"] = [one for one in policy["Statement"] if "Baseline" not in one.get("Sid", "")]
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))
        return {
            changed("config.recorder", "recording", self.prod, self.home, "recorder"),
            changed("events.finding-rules", "rule", self.prod, self.home, RULES[0]),
            changed("logs.groups", "retention", self.prod, self.home, GROUP),
            changed("cloudwatch.cis-alarms", "root-usage", self.prod, "", "root-usage"),
            changed("sns.topics", "policy", self.prod, self.home, TOPIC),
        }

    def topic(self, account: str) -> str:
        return f"arn:aws:sns:{self.home}:{account}:{TOPIC}"

    def alarms(self, account: str) -> list[dict[str, Any]]:
        alarms: list[dict[str, Any]] = self.moto.client("cloudwatch", account, self.home).describe_alarms()["MetricAlarms"]
        return alarms

    def is_as_wanted(self) -> None:
        """Asks AWS itself: raises `Wrong` at the first setting that is not as the YAML says."""
        self.recorder_is_as_wanted()
        for account, region in self.everywhere:
            hub = self.moto.client("securityhub", account, region).describe_hub()["HubArn"]
            equal(f"hub of {account} {region}", hub, f"arn:aws:securityhub:{region}:{account}:hub/default")
            rules = self.moto.client("events", account, region).list_rules(NamePrefix="baseline-")["Rules"]
            seen = {rule["Name"]: rule["State"] for rule in rules}
            equal(f"rules of {account} {region}", seen, dict.fromkeys(RULES, "ENABLED"))
            groups = self.moto.client("logs", account, region).describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
            equal(f"retention of {account} {region}", [group.get("retentionInDays") for group in groups], [731])
        for account in self.accounts:
            self.alerts_are_as_wanted(account)

    def recorder_is_as_wanted(self) -> None:
        [recorder] = self.config().describe_configuration_recorders()["ConfigurationRecorders"]
        seen = (recorder["name"], recorder["recordingGroup"]["allSupported"])
        equal("recorder", seen, (RECORDER, True))
        [status] = self.config().describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        equal("recording", status["recording"], True)

    def alerts_are_as_wanted(self, account: str) -> None:
        sns = self.moto.client("sns", account, self.home)
        attributes = sns.get_topic_attributes(TopicArn=self.topic(account))["Attributes"]
        equal(f"topic of {account}", attributes["DisplayName"], "Security alerts")
        alarms = self.alarms(account)
        equal(f"alarms of {account}", len(alarms), len(ALARMS))
        actions = {action for alarm in alarms for action in alarm["AlarmActions"] if alarm["ActionsEnabled"]}
        equal(f"actions of {account}", actions, {self.topic(account)})
        logs = self.moto.client("logs", account, self.home)
        filters = logs.describe_metric_filters(logGroupName=TRAIL_GROUP)["metricFilters"]
        equal(f"metric filters of {account}", len(filters), len(ALARMS))
