"""The log chain of the world in moto: the archive's key and bucket, and a trail in each account that delivers there."""

from __future__ import annotations

import json
from typing import Any

from moto_server import MotoServer
from program import Finding, changed, equal

KEY = "alias/baseline/logs"
GROUP, ROLE = "baseline/trail-events", "baseline-cloudtrail"
# What somebody else put into the bucket's policy: it must survive whatever apply does.
THEIRS = "AcmeAuditorsRead"

# In the Baseline document of every account. `s3: write-only` beside `management: all` is more than a new trail
# records, so that apply puts the selectors in the run that makes the trail (gaps.toml, cloudtrail_new_trail_records).
TRAIL_YAML = """\
    cloudtrail.trail:
      multiRegion: true
      globalEvents: true
      logFileValidation: true
      deliverTo: archive
      encrypt: true
      cloudWatchLogs: {group: baseline/trail-events, retentionDays: 365, role: baseline-cloudtrail}
      logging: true
      events: {management: all, s3: write-only, lambda: none}
"""

# In the Baseline document of the account that keeps the logs.
ARCHIVE_YAML = """\
    kms.keys:
      regions: [home]
      keys:
        alias/baseline/logs:
          description: Everything that is logged
          rotationDays: 365
          usedBy: [cloudtrail, config, guardduty, logs]
          from: organization
          tags: {data: internal}
    s3.log-archive:
      services: [cloudtrail, config, guardduty]
      from: organization
      versioning: true
      encryption: key
      bucketKey: true
      blockPublicAccess: true
      ownership: BucketOwnerEnforced
      tlsOnly: true
      expireAfterDays: 2557
      abortUploadsAfterDays: 7
"""


class LogChain:
    """At first there is neither key nor bucket, one account has a trail of old, and the other has none."""

    def __init__(self, moto: MotoServer, organization: str, home: str, prod: str, logs: str) -> None:
        self.moto, self.organization, self.home, self.prod, self.logs = moto, organization, home, prod, logs
        self.bucket = f"acme-logs-{logs}-{home}-an"
        self.old = old = f"acme-old-trail-{prod}"
        s3 = moto.client("s3", prod, home)
        s3.create_bucket(Bucket=old, CreateBucketConfiguration={"LocationConstraint": home})
        self.trail(prod).create_trail(Name="of-old", S3BucketName=old, IsMultiRegionTrail=True)
        self.theirs: list[str] = []

    def trail(self, account: str) -> Any:
        return self.moto.client("cloudtrail", account, self.home)

    def wrong_at_first(self) -> set[Finding]:
        return {
            changed("kms.keys", "key", self.logs, self.home, KEY),
            *(
                changed("s3.log-archive", rule, self.logs, "", self.bucket)
                for rule in ("bucket", "versioning", "encryption", "policy", "lifecycle")
            ),
            changed("cloudtrail.trail", "trail", self.logs, "", "baseline"),
            *(
                changed("cloudtrail.trail", rule, self.prod, "", "of-old")
                for rule in ("cloudwatch-logs", "trail", "events", "logging")
            ),
        }

    def left_by_moto(self) -> set[Finding]:
        """What one apply leaves, and only on moto: S3 blocks public access to a new bucket by itself, so apply has
        nothing to send; moto does not (gaps.toml, s3_defaults_of_a_new_bucket).
        """
        return {changed("s3.log-archive", "public-access", self.logs, "", self.bucket)}

    def disturb(self) -> set[Finding]:
        """Stops a trail, disables the key and takes our statement out of the bucket's policy."""
        self.trail(self.prod).stop_logging(Name="of-old")
        kms = self.moto.client("kms", self.logs, self.home)
        kms.disable_key(KeyId=kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyId"])
        statements = self.statements()
        del statements["BaselineCloudTrailDelivery"]
        statements[THEIRS] = {
            "Sid": THEIRS,
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{self.prod}:root"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
        }
        policy = {"Version": "2012-10-17", "Statement": list(statements.values())}
        self.moto.client("s3", self.logs).put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        self.theirs = [THEIRS]
        return {
            changed("cloudtrail.trail", "logging", self.prod, "", "of-old"),
            changed("kms.keys", "enabled", self.logs, self.home, KEY),
            changed("s3.log-archive", "policy", self.logs, "", self.bucket),
        }

    def statements(self) -> dict[str, dict[str, Any]]:
        """The bucket policy's statements by `Sid`."""
        policy = self.moto.client("s3", self.logs).get_bucket_policy(Bucket=self.bucket)["Policy"]
        return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}

    def is_as_wanted(self) -> None:
        """Asks AWS itself: raises `Wrong` at the first setting that is not as the YAML says."""
        key = self.key_is_as_wanted()
        self.bucket_is_as_wanted(key)
        for account, name in ((self.prod, "of-old"), (self.logs, "baseline")):
            self.trail_is_as_wanted(account, name, key)

    def key_is_as_wanted(self) -> str:
        """Returns its ARN."""
        kms = self.moto.client("kms", self.logs, self.home)
        key = kms.describe_key(KeyId=KEY)["KeyMetadata"]
        seen = (key["KeyState"], key["Description"], len(kms.list_keys()["Keys"]))
        equal("state, description and number of keys", seen, ("Enabled", "Everything that is logged", 1))
        equal("rotation", kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"], True)
        tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]}
        equal("tags of the key", tags, {"managed-by": "baseline", "baseline:alias": KEY, "data": "internal"})
        policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
        services = {
            statement["Principal"]["Service"]
            for statement in policy["Statement"]
            if "Service" in statement["Principal"]
        }
        wanted = {f"{name}.amazonaws.com" for name in ("cloudtrail", "config", "guardduty")}
        equal("services that may use the key", services, {*wanted, f"logs.{self.home}.amazonaws.com"})
        return str(key["Arn"])

    def bucket_is_as_wanted(self, key: str) -> None:
        s3, bucket = self.moto.client("s3", self.logs), {"Bucket": self.bucket}
        equal("versioning", s3.get_bucket_versioning(**bucket).get("Status"), "Enabled")
        [rule] = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        by_default = rule["ApplyServerSideEncryptionByDefault"]
        seen = (by_default["SSEAlgorithm"], by_default["KMSMasterKeyID"], rule["BucketKeyEnabled"])
        equal("encryption", seen, ("aws:kms", key, True))
        blocks = s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
        equal("blocks of public access", (len(blocks), set(blocks.values())), (4, {True}))
        owners = s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"]
        equal("ownership", owners, [{"ObjectOwnership": "BucketOwnerEnforced"}])
        rules = s3.get_bucket_lifecycle_configuration(**bucket)["Rules"]
        seen = [(rule["Status"], rule["Expiration"]["Days"]) for rule in rules]
        equal("lifecycle", seen, [("Enabled", 2557)])
        statements = self.statements()
        delivery = statements["BaselineCloudTrailDelivery"]["Condition"]["StringEquals"]
        equal("who CloudTrail may deliver for", delivery, {"aws:SourceOrgID": self.organization})
        equal("statements of others", [sid for sid in statements if not sid.startswith("Baseline")], self.theirs)

    def group_is_as_wanted(self, account: str, trail: dict[str, Any]) -> None:
        """The trail writes to its log group, by way of its role, and to nothing else."""
        group, role = f"arn:aws:logs:{self.home}:{account}:log-group:{GROUP}:*", f"arn:aws:iam::{account}:role/{ROLE}"
        equal(f"group of {account}", trail.get("CloudWatchLogsLogGroupArn"), group)
        equal(f"role of {account}", trail.get("CloudWatchLogsRoleArn"), role)
        logs = self.moto.client("logs", account, self.home)
        [seen] = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
        equal(f"log group of {account}", (seen["logGroupName"], seen.get("retentionInDays")), (GROUP, 365))
        iam = self.moto.client("iam", account)
        [trust] = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]["Statement"]
        equal(f"trust of {account}", trust["Principal"], {"Service": "cloudtrail.amazonaws.com"})
        may = iam.get_role_policy(RoleName=ROLE, PolicyName=ROLE)["PolicyDocument"]["Statement"]
        into = {resource for statement in may for resource in listed(statement["Resource"])}
        streams = f"{group[:-1]}log-stream:{account}_CloudTrail_{self.home}*"
        equal(f"streams of {account}", into, {streams})

    def trail_is_as_wanted(self, account: str, name: str, key: str) -> None:
        cloudtrail = self.trail(account)
        trails = cloudtrail.describe_trails()["trailList"]
        equal(f"trails of {account}", [trail["Name"] for trail in trails], [name])
        wanted = {
            "S3BucketName": self.bucket,
            "KmsKeyId": key,
            "IsMultiRegionTrail": True,
            "IncludeGlobalServiceEvents": True,
            "LogFileValidationEnabled": True,
        }
        equal(f"trail of {account}", {field: trails[0].get(field) for field in wanted}, wanted)
        self.group_is_as_wanted(account, trails[0])
        equal(f"logging of {account}", cloudtrail.get_trail_status(Name=name)["IsLogging"], True)
        selectors = cloudtrail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"]
        fields = [{field["Field"]: field.get("Equals") for field in one["FieldSelectors"]} for one in selectors]
        recorded = sorted((one["eventCategory"][0], (one.get("resources.type") or [""])[0]) for one in fields)
        equal(f"events of {account}", recorded, [("Data", "AWS::S3::Object"), ("Management", "")])


def listed(one_or_more: str | list[str]) -> list[str]:
    """IAM takes one and a list of one alike."""
    return [one_or_more] if isinstance(one_or_more, str) else one_or_more
