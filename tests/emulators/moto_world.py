"""The organisation in moto: what is in it at first, how it is disturbed, and what it is like."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from moto_logs import ARCHIVE_YAML, TRAIL_YAML, LogChain
from moto_server import MotoServer, make_organization, make_roles
from moto_watch import RECORDER_YAML, WATCH_YAML, Watch
from program import Finding, changed, equal

HOME, OTHER = "eu-west-1", "us-east-1"
FEATURES = ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS")
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
SCAN_ALL = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]


class World:
    """Two accounts, `prod` and `logs`, which keeps the logs of both."""

    def __init__(self, moto: MotoServer) -> None:
        self.moto = moto
        self.organization, accounts = make_organization(moto, ["prod", "logs"])
        self.prod, self.logs = accounts["prod"], accounts["logs"]
        self.accounts = (self.prod, self.logs)
        self.everywhere = list(product(self.accounts, (HOME, OTHER)))
        for account in self.accounts:
            make_roles(moto, account, ["baseline-observe", "baseline-apply"])
        self.chain = LogChain(moto, self.organization, HOME, self.prod, self.logs)
        self.watch = Watch(moto, self.prod, self.logs, HOME, OTHER, self.chain.old)
        moto.client("iam", self.prod).update_account_password_policy(MinimumPasswordLength=8)
        moto.client("guardduty", self.prod, OTHER).create_detector(
            Enable=False,
            FindingPublishingFrequency="SIX_HOURS",
            Features=[{"Name": name, "Status": "DISABLED"} for name in FEATURES],
        )
        self.block(self.logs, BlockPublicAcls=True, IgnorePublicAcls=True)
        self.moto.client("ec2", self.prod, HOME).enable_ebs_encryption_by_default()
        self.scan(self.prod, OTHER, SCAN_ALL)
        self.repository(self.prod, HOME, "api", scanned=False)
        self.repository(self.prod, HOME, "web", scanned=False)
        self.repository(self.prod, OTHER, "worker", scanned=True)
        self.repository(self.logs, HOME, "tool", scanned=False)

    def repository(self, account: str, region: str, name: str, *, scanned: bool) -> None:
        ecr = self.moto.client("ecr", account, region)
        ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": scanned})

    def scan(self, account: str, region: str, rules: list[dict[str, Any]]) -> None:
        ecr = self.moto.client("ecr", account, region)
        ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules)

    def block(self, account: str, **blocks: bool) -> None:
        wanted = {name: blocks.get(name, False) for name in BLOCKS}
        s3control = self.moto.client("s3control", account)
        s3control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=wanted)

    def by_hand(self) -> set[Finding]:
        """What no apply can put right."""
        return {Finding("iam.root-user", "root-mfa", account, "", "root user", "manual") for account in self.accounts}

    def wrong_at_first(self) -> set[Finding]:
        return self.chain.wrong_at_first() | self.watch.wrong_at_first() | {
            *(password_policy(account) for account in self.accounts),
            *(public_access(account) for account in self.accounts),
            *(detector(account, region) for account, region in self.everywhere),
            *(encryption(*place) for place in self.everywhere if place != (self.prod, HOME)),
            *(scanning(*place) for place in self.everywhere if place != (self.prod, OTHER)),
            scan_on_push(self.prod, HOME, "api"),
            scan_on_push(self.prod, HOME, "web"),
            scan_on_push(self.logs, HOME, "tool"),
        }

    def disturb(self) -> set[Finding]:
        """Undoes one setting of each control, each somewhere else; returns what a plan must show."""
        guardduty = self.moto.client("guardduty", self.prod, OTHER)
        [its_id] = guardduty.list_detectors()["DetectorIds"]
        guardduty.update_detector(DetectorId=its_id, FindingPublishingFrequency="SIX_HOURS")
        self.moto.client("iam", self.logs).delete_account_password_policy()
        self.moto.client("s3control", self.prod).delete_public_access_block(AccountId=self.prod)
        self.moto.client("ec2", self.logs, OTHER).disable_ebs_encryption_by_default()
        self.scan(self.logs, HOME, [])
        ecr = self.moto.client("ecr", self.prod, HOME)
        ecr.put_image_scanning_configuration(repositoryName="api", imageScanningConfiguration={"scanOnPush": False})
        return self.chain.disturb() | self.watch.disturb() | {
            detector(self.prod, OTHER),
            password_policy(self.logs),
            public_access(self.prod),
            encryption(self.logs, OTHER),
            scanning(self.logs, HOME),
            scan_on_push(self.prod, HOME, "api"),
        }

    def is_as_wanted(self) -> None:
        """Asks AWS itself, past the program: raises `Wrong` at the first setting that is not as the YAML says."""
        self.chain.is_as_wanted()
        self.watch.is_as_wanted()
        for account in self.accounts:
            policy = self.moto.client("iam", account).get_account_password_policy()["PasswordPolicy"]
            wanted = {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24, "RequireSymbols": True}
            wanted |= {"RequireNumbers": True, "RequireLowercaseCharacters": True, "RequireUppercaseCharacters": True}
            equal(f"password policy of {account}", {name: policy.get(name) for name in wanted}, wanted)
            answer = self.moto.client("s3control", account).get_public_access_block(AccountId=account)
            blocks = answer["PublicAccessBlockConfiguration"]
            equal(f"public access block of {account}", blocks, dict.fromkeys(BLOCKS, True))
        for account, region in self.everywhere:
            self.detector_is_as_wanted(account, region)
            encrypted = self.moto.client("ec2", account, region).get_ebs_encryption_by_default()
            equal(f"EBS encryption of {account} {region}", encrypted["EbsEncryptionByDefault"], True)
            self.registry_is_as_wanted(account, region)

    def registry_is_as_wanted(self, account: str, region: str) -> None:
        ecr = self.moto.client("ecr", account, region)
        registry = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
        equal(f"registry of {account} {region}", registry, {"scanType": "BASIC", "rules": SCAN_ALL})
        for repository in ecr.describe_repositories()["repositories"]:
            scanned = repository["imageScanningConfiguration"]["scanOnPush"]
            equal(f"scanOnPush of {repository['repositoryArn']}", scanned, True)

    def detector_is_as_wanted(self, account: str, region: str) -> None:
        guardduty = self.moto.client("guardduty", account, region)
        detectors = guardduty.list_detectors()["DetectorIds"]
        equal(f"number of detectors in {account} {region}", len(detectors), 1)
        seen = guardduty.get_detector(DetectorId=detectors[0])
        state = (seen["Status"], seen["FindingPublishingFrequency"])
        equal(f"detector of {account} {region}", state, ("ENABLED", "FIFTEEN_MINUTES"))
        enabled = {feature["Name"] for feature in seen["Features"] if feature["Status"] == "ENABLED"}
        equal(f"features of {account} {region}", enabled, set(FEATURES))

    def desired_state(self, audit: Path, organization: str | None = None) -> str:
        """The YAML, in one file; `organization` puts a wrong id in. What moto lacks is not declared: gaps.toml."""
        return f"""\
apiVersion: baseline/v1
kind: Organization
metadata:
  name: acme
spec:
  id: {organization or self.organization}
  seats:
    logArchive: "{self.logs}"
  roles:
    observe: baseline-observe
    apply: baseline-apply
  regions:
    home: {HOME}
    managed: [{HOME}, {OTHER}]
  archive:
    seat: logArchive
    bucket: acme-logs-{{account}}-{{region}}-an
    key: alias/baseline/logs
  tags:
    managed-by: baseline
  audit: {audit}
  baselines:
  - use: recommended
  - use: log-archive
    where: {{seats: [logArchive]}}
---
apiVersion: baseline/v1
kind: Baseline
metadata:
  name: recommended
spec:
  controls:
    iam.password-policy:
      minimumLength: 14
      reusePrevention: 24
      require: {{lowercase: true, uppercase: true, numbers: true, symbols: true}}
      usersMayChange: true
    iam.root-user:
      accessKeys: none
      mfa: required
{TRAIL_YAML}\
    guardduty.detector:
      enabled: true
      frequency: FIFTEEN_MINUTES
      features:
        S3_DATA_EVENTS: true
        RDS_LOGIN_EVENTS: true
{WATCH_YAML}\
    ec2.account-defaults:
      ebsEncryption: true
    s3.account-public-access:
      block: all
    ecr.registry:
      scanning:
        type: BASIC
        rules:
          SCAN_ON_PUSH: ["*"]
    ecr.repositories:
      rules:
      - select: {{names: ["*"]}}
        scanOnPush: true
---
apiVersion: baseline/v1
kind: Baseline
metadata:
  name: log-archive
spec:
  controls:
{ARCHIVE_YAML}\
---
apiVersion: baseline/v1
kind: Account
metadata:
  name: prod
spec:
  id: "{self.prod}"
{RECORDER_YAML}\
---
apiVersion: baseline/v1
kind: Account
metadata:
  name: logs
spec:
  id: "{self.logs}"
"""


def password_policy(account: str) -> Finding:
    return changed("iam.password-policy", "password-policy", account, "", "password-policy")


def public_access(account: str) -> Finding:
    return changed("s3.account-public-access", "public-access", account, "", "account-public-access")


def detector(account: str, region: str) -> Finding:
    return changed("guardduty.detector", "detector", account, region, "detector")


def encryption(account: str, region: str) -> Finding:
    return changed("ec2.account-defaults", "ebs-encryption", account, region, "ebs-encryption")


def scanning(account: str, region: str) -> Finding:
    return changed("ecr.registry", "scanning", account, region, "registry")


def scan_on_push(account: str, region: str, repository: str) -> Finding:
    return changed("ecr.repositories", "scan-on-push", account, region, repository)
