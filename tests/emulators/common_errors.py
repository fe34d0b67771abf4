"""Error codes that a service may answer with although its model names none of them.

Kept by wire protocol, because the same refusal has another code in each: a sandbox that answers an IAM
call with `AccessDeniedException` teaches the program a code that IAM never sends.
"""

from __future__ import annotations

# "Common Error Types", docs.aws.amazon.com/guardduty/latest/APIReference/CommonErrors.html; the same list for
# Account Management, ECR, KMS and Organizations.
_JSON = frozenset(
    """
    AccessDeniedException ExpiredTokenException IncompleteSignature InternalFailure InvalidSignatureException
    MalformedHttpRequestException MissingAuthenticationTokenException NotAuthorized OptInRequired
    RequestAbortedException RequestEntityTooLargeException RequestExpired RequestTimeoutException
    ServiceUnavailable ServiceUnavailableException ThrottlingException UnrecognizedClientException
    UnknownOperationException ValidationError ValidationException
    """.split()
)

# docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html, STS's page of that name, and the two codes that
# query services really send for a denial and for throttling (IAM user guide, "Troubleshoot access denied").
_QUERY = frozenset(
    """
    AccessDenied AccessDeniedException ExpiredToken ExpiredTokenException IncompleteSignature InternalFailure
    InvalidAction InvalidClientTokenId InvalidParameterCombination InvalidParameterValue InvalidQueryParameter
    MalformedQueryString MissingAction MissingAuthenticationToken MissingParameter NotAuthorized OptInRequired
    RequestExpired ServiceUnavailable SignatureDoesNotMatch Throttling ThrottlingException ValidationError
    """.split()
)

# docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, "Common client error codes" and "Server error
# codes". EC2's model names no errors at all.
_EC2 = frozenset(
    """
    AuthFailure IncompleteSignature InternalError InternalFailure InvalidAction InvalidClientTokenId
    InvalidPaginationToken InvalidParameter InvalidParameterCombination InvalidParameterValue
    InvalidQueryParameter MalformedQueryString MissingAction MissingAuthenticationToken MissingParameter
    OptInRequired RequestExpired RequestLimitExceeded ServiceUnavailable Unavailable UnauthorizedOperation
    UnknownParameter UnsupportedOperation ValidationError
    """.split()
)

# docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, those that object and bucket calls here can meet.
# S3's model names almost none of its errors.
_S3 = frozenset(
    """
    AccessDenied BadDigest BucketAlreadyExists BucketAlreadyOwnedByYou ConditionalRequestConflict ExpiredToken
    InternalError InvalidAccessKeyId InvalidArgument InvalidBucketName InvalidBucketState InvalidRequest InvalidTag
    InvalidTargetBucketForLogging MalformedPolicy MalformedXML MethodNotAllowed NoSuchBucket NoSuchBucketPolicy
    NoSuchKey NoSuchLifecycleConfiguration NoSuchPublicAccessBlockConfiguration NotImplemented
    ObjectLockConfigurationNotFoundError OperationAborted OwnershipControlsNotFoundError PermanentRedirect
    PreconditionFailed RequestTimeout RequestTimeTooSkewed ServerSideEncryptionConfigurationNotFoundError
    ServiceUnavailable SignatureDoesNotMatch SlowDown TemporaryRedirect
    """.split()
)

_BY_PROTOCOL = {
    "json": _JSON,
    "rest-json": _JSON,
    "smithy-rpc-v2-cbor": _JSON,
    "query": _QUERY,
    "ec2": _EC2,
    "rest-xml": _S3,
}


def common_errors(protocol: str) -> frozenset[str]:
    """The codes common to all operations of services that speak `protocol`, by botocore's name of it."""
    return _BY_PROTOCOL[protocol]
