"""Probes of gaps.py: what keys, buckets and trails do otherwise than AWS."""

from __future__ import annotations

import json
from typing import Any

from moto_server import MANAGEMENT, MotoServer, code_of

HOME = "eu-west-1"
OTHER_ACCOUNT = "111122223333"
PLACE = {"LocationConstraint": HOME}


def key(moto: MotoServer) -> tuple[Any, str]:
    """A client of KMS, and a new key."""
    kms = moto.client("kms", region=HOME)
    return kms, kms.create_key()["KeyMetadata"]["KeyId"]


def bucket(moto: MotoServer, name: str, **more: Any) -> Any:
    """A client of S3, with a new bucket."""
    s3 = moto.client("s3", region=HOME)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=PLACE, **more)
    return s3


def trail(moto: MotoServer, name: str) -> Any:
    """A client of CloudTrail, with a new trail that delivers to a new bucket and may."""
    into = f"acme-trail-{name}"
    s3 = bucket(moto, into)
    service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    whole = f"arn:aws:s3:::{into}"
    may = [
        {**service, "Action": "s3:GetBucketAcl", "Resource": whole},
        {**service, "Action": "s3:PutObject", "Resource": f"{whole}/AWSLogs/*"},
    ]
    s3.put_bucket_policy(Bucket=into, Policy=json.dumps({"Version": "2012-10-17", "Statement": may}))
    cloudtrail = moto.client("cloudtrail", region=HOME)
    cloudtrail.create_trail(Name=name, S3BucketName=into)
    return cloudtrail


def kms_policy_name_is_optional(moto: MotoServer) -> str | None:
    kms, key_id = key(moto)
    code = code_of(lambda: kms.get_key_policy(KeyId=key_id))
    return None if code == "answered" else f"GetKeyPolicy without PolicyName: {code}"


def kms_rotation_period(moto: MotoServer) -> str | None:
    kms, key_id = key(moto)
    kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=180)
    period = kms.get_key_rotation_status(KeyId=key_id).get("RotationPeriodInDays")
    return None if period == 180 else f"RotationPeriodInDays 180 comes back as {period}"


def kms_policy_keeps_the_caller(moto: MotoServer) -> str | None:
    kms, key_id = key(moto)
    nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
    code = code_of(lambda: kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=nobody))
    return None if code == "MalformedPolicyDocumentException" else f"PutKeyPolicy that locks everybody out: {code}"


def kms_pages(moto: MotoServer) -> str | None:
    for _ in range(3):
        kms, _ = key(moto)
    answer = kms.list_keys(Limit=2)
    return None if len(answer["Keys"]) == 2 else f"Limit=2 shows {len(answer['Keys'])}"


def s3_versioning_answer(moto: MotoServer) -> str | None:
    """boto3 takes any root element; the Rust SDK takes the documented one."""
    s3 = bucket(moto, "acme-versions")
    bodies: list[str] = []
    s3.meta.events.register(
        "before-parse.s3.GetBucketVersioning",
        lambda response_dict, **_: bodies.append(response_dict["body"].decode()),
    )
    s3.get_bucket_versioning(Bucket="acme-versions")
    return None if "<VersioningConfiguration" in bodies[0] else f"the answer is {bodies[0].splitlines()[-1]}"


def s3_defaults_of_a_new_bucket(moto: MotoServer) -> str | None:
    s3 = bucket(moto, "acme-new")
    reads = (s3.get_public_access_block, s3.get_bucket_ownership_controls, s3.get_bucket_encryption)
    codes = [code_of(lambda: read(Bucket="acme-new")) for read in reads]
    return None if codes == ["answered"] * 3 else f"a new bucket has {', '.join(codes)}"


def s3_tags_of_a_new_bucket(moto: MotoServer) -> str | None:
    s3 = moto.client("s3", region=HOME)
    tags = [{"Key": "managed-by", "Value": "baseline"}]
    s3.create_bucket(Bucket="acme-tags", CreateBucketConfiguration={**PLACE, "Tags": tags})
    code = code_of(lambda: s3.get_bucket_tagging(Bucket="acme-tags"))
    return None if code == "answered" else f"CreateBucketConfiguration.Tags, then GetBucketTagging: {code}"


def s3_expected_owner(moto: MotoServer) -> str | None:
    s3 = bucket(moto, "acme-owner")
    code = code_of(lambda: s3.get_bucket_versioning(Bucket="acme-owner", ExpectedBucketOwner=OTHER_ACCOUNT))
    return None if code == "AccessDenied" else f"ExpectedBucketOwner of another account: {code}"


def s3_object_lock_days_or_years(moto: MotoServer) -> str | None:
    s3 = bucket(moto, "acme-locked", ObjectLockEnabledForBucket=True)
    wanted = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}}
    s3.put_object_lock_configuration(Bucket="acme-locked", ObjectLockConfiguration=wanted)
    seen = s3.get_object_lock_configuration(Bucket="acme-locked")["ObjectLockConfiguration"]
    return None if seen == wanted else f"the retention is {seen['Rule']['DefaultRetention']}"


def s3_block_refuses_public_policies(moto: MotoServer) -> str | None:
    s3 = bucket(moto, "acme-public")
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True}
    s3.put_public_access_block(
        Bucket="acme-public", PublicAccessBlockConfiguration={**block, "RestrictPublicBuckets": True}
    )
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    statement = {**everybody, "Resource": "arn:aws:s3:::acme-public/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    code = code_of(lambda: s3.put_bucket_policy(Bucket="acme-public", Policy=policy))
    return None if code == "AccessDenied" else f"PutBucketPolicy for everybody: {code}"


def s3_pages(moto: MotoServer) -> str | None:
    for name in ("acme-page-a", "acme-page-b"):
        s3 = bucket(moto, name)
    answer = s3.list_buckets(MaxBuckets=1)
    shown, token = len(answer["Buckets"]), answer.get("ContinuationToken")
    return None if shown == 1 and token else f"MaxBuckets=1 shows {shown}, ContinuationToken {token}"


def cloudtrail_asks_the_bucket(moto: MotoServer) -> str | None:
    bucket(moto, "acme-no-policy")
    cloudtrail = moto.client("cloudtrail", region=HOME)
    code = code_of(lambda: cloudtrail.create_trail(Name="undelivered", S3BucketName="acme-no-policy"))
    return None if code == "InsufficientS3BucketPolicyException" else f"a bucket that does not let it deliver: {code}"


def cloudtrail_asks_the_key(moto: MotoServer) -> str | None:
    cloudtrail = trail(moto, "unkeyed")
    absent = f"arn:aws:kms:{HOME}:{MANAGEMENT}:key/00000000-0000-0000-0000-000000000000"
    code = code_of(lambda: cloudtrail.update_trail(Name="unkeyed", KmsKeyId=absent))
    return None if code != "answered" else f"a key that does not exist: {code}"


def cloudtrail_one_trail_a_name(moto: MotoServer) -> str | None:
    cloudtrail = trail(moto, "twice")
    code = code_of(lambda: cloudtrail.create_trail(Name="twice", S3BucketName="acme-trail-twice"))
    return None if code == "TrailAlreadyExistsException" else f"a second CreateTrail: {code}"


def cloudtrail_new_trail_records(moto: MotoServer) -> str | None:
    answer = trail(moto, "new").get_event_selectors(TrailName="new")
    selectors = answer.get("EventSelectors") or answer.get("AdvancedEventSelectors")
    return None if selectors else "a new trail has no event selector"


def cloudtrail_no_insights(moto: MotoServer) -> str | None:
    cloudtrail = trail(moto, "plain")
    code = code_of(lambda: cloudtrail.get_insight_selectors(TrailName="plain"))
    return None if code == "InsightNotEnabledException" else f"GetInsightSelectors of a trail without any: {code}"


PROBES = (
    kms_policy_name_is_optional,
    kms_rotation_period,
    kms_policy_keeps_the_caller,
    kms_pages,
    s3_versioning_answer,
    s3_defaults_of_a_new_bucket,
    s3_tags_of_a_new_bucket,
    s3_expected_owner,
    s3_object_lock_days_or_years,
    s3_block_refuses_public_policies,
    s3_pages,
    cloudtrail_asks_the_bucket,
    cloudtrail_asks_the_key,
    cloudtrail_one_trail_a_name,
    cloudtrail_new_trail_records,
    cloudtrail_no_insights,
)
