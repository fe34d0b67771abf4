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
# As many rules as the calls that matter take: `baseline generate hints rules` tells.
WRITES = 2
HINTS_ROLE = "baseline-hints"
QUEUE = "arn:aws:sqs:{home}:777766665555:baseline-hints"
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
    events.hints:
      queue: https://sqs.eu-west-1.amazonaws.com/777766665555/baseline-hints
      enabled: true
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
            *(changed("events.hints", "rule", *place, rule) for place in self.everywhere for rule in self.hints(place[1])),
            *(changed("events.hints", "role", account, self.home, HINTS_ROLE) for account in self.accounts),
            *(changed("logs.groups", "group", *place, GROUP) for place in self.everywhere),
            *(changed("sns.topics", "topic", account, self.home, TOPIC) for account in self.accounts),
            *(changed("events.finding-rules", "role", account, self.home, ROLE) for account in self.accounts),
            *(changed("cloudwatch.cis-alarms", name, account, "", name) for account in self.accounts for name in ALARMS),
        }

    def hints(self, region: str) -> list[str]:
        """The rules that send hints from a region."""
        names = [*range(1, WRITES + 1), "heartbeat", *(["heartbeats"] if region == self.home else [])]
        return [f"baseline-hints-{name}" for name in names]

    def disturb(self) -> set[Finding]:
        """Stops the recorder, disables a rule and an alarm, takes a target, a policy and half of a retention away."""
        self.config().stop_configuration_recorder(ConfigurationRecorderName=RECORDER)
        events = self.moto.client("events", self.prod, self.home)
        events.disable_rule(Name=RULES[0])
        [heart] = [name for name in self.hints(self.home) if name.endswith("heartbeat")]
        events.disable_rule(Name=heart)
        events.remove_targets(Rule=self.hints(self.home)[0], Ids=["baseline"])
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
            changed("events.hints", "rule", self.prod, self.home, heart),
            changed("events.hints", "target", self.prod, self.home, self.hints(self.home)[0]),
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
            equal(f"rules of {account} {region}", seen, dict.fromkeys([*RULES, *self.hints(region)], "ENABLED"))
            self.hints_are_as_wanted(account, region)
            groups = self.moto.client("logs", account, region).describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
            equal(f"retention of {account} {region}", [group.get("retentionInDays") for group in groups], [731])
        for account in self.accounts:
            self.alerts_are_as_wanted(account)

    def hints_are_as_wanted(self, account: str, region: str) -> None:
        events = self.moto.client("events", account, region)
        home = f"arn:aws:events:{self.home}:{account}:event-bus/default"
        wanted = QUEUE.format(home=self.home) if region == self.home else home
        role = f"arn:aws:iam::{account}:role/{HINTS_ROLE}"
        for rule in self.hints(region):
            targets = events.list_targets_by_rule(Rule=rule)["Targets"]
            seen = [(one["Id"], one["Arn"], one.get("RoleArn")) for one in targets]
            equal(f"targets of {rule} in {account} {region}", seen, [("baseline", wanted, role)])
        [beat] = events.list_rules(NamePrefix="baseline-hints-heartbeat")["Rules"][:1]
        equal(f"heartbeat of {account} {region}", beat.get("ScheduleExpression"), "rate(15 minutes)")
        policy = self.moto.client("iam", account).get_role_policy(RoleName=HINTS_ROLE, PolicyName=HINTS_ROLE)
        resources = [one["Resource"] for one in policy["PolicyDocument"]["Statement"]]
        equal(f"what {HINTS_ROLE} of {account} may write to", resources, [QUEUE.format(home=self.home), home])

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
