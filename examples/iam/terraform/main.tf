# Made by `baseline generate permissions --format terraform`; make it again rather than edit it.
#
# The roles of one account. Use it as a module, once for each account, each with a provider of its own.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

variable "trusted_principal" {
  type        = string
  description = "ARN of the role or user that runs baseline"
}

variable "external_id" {
  type        = string
  description = "What AssumeRole has to say; null where it need not"
  default     = null
}

variable "management_account" {
  type        = string
  description = "The management account: what only it needs is allowed there, or everywhere where it is null"
  default     = null
}

variable "security_account" {
  type        = string
  description = "The security account: what only it needs is allowed there, or everywhere where it is null"
  default     = null
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [var.trusted_principal]
    }
    dynamic "condition" {
      for_each = var.external_id == null ? [] : [var.external_id]
      content {
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [condition.value]
      }
    }
  }
}

resource "aws_iam_role" "observe" {
  name                 = "baseline-observe"
  path                 = "/"
  description          = "baseline reads with it: plan, drift, and the looks of apply"
  max_session_duration = 3600
  assume_role_policy   = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_policy" "observe_1" {
  name = "baseline-observe-1"
  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Sid" = "ObserveAccount"
        "Effect" = "Allow"
        "Action" = [
          "account:ListRegions",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveApigateway"
        "Effect" = "Allow"
        "Action" = [
          "apigateway:GET",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveApprunner"
        "Effect" = "Allow"
        "Action" = [
          "apprunner:DescribeWebAclForService",
          "apprunner:ListAssociatedServicesForWebAcl",
          "apprunner:ListServices",
          "apprunner:ListTagsForResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveAppsync"
        "Effect" = "Allow"
        "Action" = [
          "appsync:ListGraphqlApis",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveCloudtrail"
        "Effect" = "Allow"
        "Action" = [
          "cloudtrail:DescribeTrails",
          "cloudtrail:GetEventSelectors",
          "cloudtrail:GetInsightSelectors",
          "cloudtrail:GetTrailStatus",
          "cloudtrail:LookupEvents",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveCloudwatch"
        "Effect" = "Allow"
        "Action" = [
          "cloudwatch:DescribeAlarms",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveCognitoIdp"
        "Effect" = "Allow"
        "Action" = [
          "cognito-idp:GetWebACLForResource",
          "cognito-idp:ListResourcesForWebACL",
          "cognito-idp:ListTagsForResource",
          "cognito-idp:ListUserPools",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveConfig"
        "Effect" = "Allow"
        "Action" = [
          "config:DescribeConfigRules",
          "config:DescribeConfigurationRecorderStatus",
          "config:DescribeConfigurationRecorders",
          "config:DescribeConformancePackStatus",
          "config:DescribeConformancePacks",
          "config:DescribeDeliveryChannelStatus",
          "config:DescribeDeliveryChannels",
          "config:DescribeRemediationConfigurations",
          "config:DescribeRemediationExceptions",
          "config:DescribeRetentionConfigurations",
          "config:GetComplianceDetailsByConfigRule",
          "config:GetCustomRulePolicy",
          "config:ListTagsForResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveEc2"
        "Effect" = "Allow"
        "Action" = [
          "ec2:DescribeImages",
          "ec2:DescribeSnapshots",
          "ec2:GetEbsDefaultKmsKeyId",
          "ec2:GetEbsEncryptionByDefault",
          "ec2:GetImageBlockPublicAccessState",
          "ec2:GetInstanceMetadataDefaults",
          "ec2:GetSerialConsoleAccessStatus",
          "ec2:GetSnapshotBlockPublicAccessState",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveEcr"
        "Effect" = "Allow"
        "Action" = [
          "ecr:DescribeRepositories",
          "ecr:GetLifecyclePolicy",
          "ecr:GetRegistryScanningConfiguration",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveElasticloadbalancing"
        "Effect" = "Allow"
        "Action" = [
          "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:DescribeTags",
          "elasticloadbalancing:DescribeWebACLAssociation",
          "elasticloadbalancing:GetLoadBalancerWebACL",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveEvents"
        "Effect" = "Allow"
        "Action" = [
          "events:DescribeRule",
          "events:ListRules",
          "events:ListTargetsByRule",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveGuardduty"
        "Effect" = "Allow"
        "Action" = [
          "guardduty:DescribePublishingDestination",
          "guardduty:GetAdministratorAccount",
          "guardduty:GetDetector",
          "guardduty:GetFilter",
          "guardduty:GetIPSet",
          "guardduty:GetMalwareScanSettings",
          "guardduty:GetThreatIntelSet",
          "guardduty:ListDetectors",
          "guardduty:ListFilters",
          "guardduty:ListIPSets",
          "guardduty:ListOrganizationAdminAccounts",
          "guardduty:ListPublishingDestinations",
          "guardduty:ListThreatIntelSets",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveIam"
        "Effect" = "Allow"
        "Action" = [
          "iam:GetAccountPasswordPolicy",
          "iam:GetAccountSummary",
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:ListVirtualMFADevices",
          "iam:SimulatePrincipalPolicy",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveInspector2"
        "Effect" = "Allow"
        "Action" = [
          "inspector2:BatchGetAccountStatus",
          "inspector2:GetConfiguration",
          "inspector2:GetDelegatedAdminAccount",
          "inspector2:ListDelegatedAdminAccounts",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveKms"
        "Effect" = "Allow"
        "Action" = [
          "kms:DescribeKey",
          "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus",
          "kms:ListAliases",
          "kms:ListKeys",
          "kms:ListResourceTags",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveLogs"
        "Effect" = "Allow"
        "Action" = [
          "logs:DescribeLogGroups",
          "logs:DescribeMetricFilters",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveOrganizations"
        "Effect" = "Allow"
        "Action" = [
          "organizations:DescribeOrganization",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveS3"
        "Effect" = "Allow"
        "Action" = [
          "s3:GetAccountPublicAccessBlock",
          "s3:GetBucketAcl",
          "s3:GetBucketLogging",
          "s3:GetBucketObjectLockConfiguration",
          "s3:GetBucketOwnershipControls",
          "s3:GetBucketPolicy",
          "s3:GetBucketPolicyStatus",
          "s3:GetBucketPublicAccessBlock",
          "s3:GetBucketVersioning",
          "s3:GetEncryptionConfiguration",
          "s3:GetLifecycleConfiguration",
          "s3:ListAllMyBuckets",
          "s3:ListBucket",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveSecurityhub"
        "Effect" = "Allow"
        "Action" = [
          "securityhub:BatchGetAutomationRules",
          "securityhub:BatchGetSecurityControls",
          "securityhub:BatchGetStandardsControlAssociations",
          "securityhub:DescribeHub",
          "securityhub:DescribeOrganizationConfiguration",
          "securityhub:DescribeStandards",
          "securityhub:DescribeStandardsControls",
          "securityhub:GetAdministratorAccount",
          "securityhub:GetConfigurationPolicyAssociation",
          "securityhub:GetEnabledStandards",
          "securityhub:GetFindingAggregator",
          "securityhub:GetFindings",
          "securityhub:GetSecurityControlDefinition",
          "securityhub:ListAutomationRules",
          "securityhub:ListFindingAggregators",
          "securityhub:ListOrganizationAdminAccounts",
          "securityhub:ListSecurityControlDefinitions",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveSns"
        "Effect" = "Allow"
        "Action" = [
          "sns:GetTopicAttributes",
          "sns:ListSubscriptionsByTopic",
          "sns:ListTagsForResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveSts"
        "Effect" = "Allow"
        "Action" = [
          "sts:GetCallerIdentity",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveWafv2"
        "Effect" = "Allow"
        "Action" = [
          "wafv2:CheckCapacity",
          "wafv2:DescribeManagedRuleGroup",
          "wafv2:GetIPSet",
          "wafv2:GetLoggingConfiguration",
          "wafv2:GetWebACL",
          "wafv2:GetWebACLForResource",
          "wafv2:ListAvailableManagedRuleGroupVersions",
          "wafv2:ListIPSets",
          "wafv2:ListResourcesForWebACL",
          "wafv2:ListWebACLs",
        ]
        "Resource" = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "observe_1" {
  role       = aws_iam_role.observe.name
  policy_arn = aws_iam_policy.observe_1.arn
}

resource "aws_iam_policy" "observe_management" {
  count = var.management_account == null ? 1 : data.aws_caller_identity.current.account_id == var.management_account ? 1 : 0

  name = "baseline-observe-management"
  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Sid" = "ObserveOrganizations"
        "Effect" = "Allow"
        "Action" = [
          "organizations:ListAWSServiceAccessForOrganization",
          "organizations:ListAccounts",
          "organizations:ListAccountsForParent",
          "organizations:ListDelegatedAdministrators",
          "organizations:ListOrganizationalUnitsForParent",
          "organizations:ListRoots",
          "organizations:ListTagsForResource",
        ]
        "Resource" = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "observe_management" {
  count = var.management_account == null ? 1 : data.aws_caller_identity.current.account_id == var.management_account ? 1 : 0

  role       = aws_iam_role.observe.name
  policy_arn = aws_iam_policy.observe_management[count.index].arn
}

resource "aws_iam_policy" "observe_security" {
  count = var.security_account == null ? 1 : data.aws_caller_identity.current.account_id == var.security_account ? 1 : 0

  name = "baseline-observe-security"
  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Sid" = "ObserveConfig"
        "Effect" = "Allow"
        "Action" = [
          "config:DescribeConfigurationAggregators",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveGuardduty"
        "Effect" = "Allow"
        "Action" = [
          "guardduty:DescribeOrganizationConfiguration",
          "guardduty:GetOrganizationStatistics",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveIam"
        "Effect" = "Allow"
        "Action" = [
          "iam:ListAttachedRolePolicies",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ObserveInspector2"
        "Effect" = "Allow"
        "Action" = [
          "inspector2:DescribeOrganizationConfiguration",
          "inspector2:ListMembers",
        ]
        "Resource" = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "observe_security" {
  count = var.security_account == null ? 1 : data.aws_caller_identity.current.account_id == var.security_account ? 1 : 0

  role       = aws_iam_role.observe.name
  policy_arn = aws_iam_policy.observe_security[count.index].arn
}

output "observe_role_arn" {
  value = aws_iam_role.observe.arn
}

resource "aws_iam_role" "apply" {
  name                 = "baseline-apply"
  path                 = "/"
  description          = "baseline writes with it: apply, and nothing else"
  max_session_duration = 3600
  assume_role_policy   = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_policy" "apply_1" {
  name = "baseline-apply-1"
  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Sid" = "ApplyApigateway"
        "Effect" = "Allow"
        "Action" = [
          "apigateway:GET",
          "apigateway:SetWebACL",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyApprunner"
        "Effect" = "Allow"
        "Action" = [
          "apprunner:AssociateWebAcl",
          "apprunner:DisassociateWebAcl",
          "apprunner:ListServices",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyAppsync"
        "Effect" = "Allow"
        "Action" = [
          "appsync:AssociateWebACL",
          "appsync:DisassociateWebACL",
          "appsync:ListGraphqlApis",
          "appsync:SetWebACL",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyCloudtrail"
        "Effect" = "Allow"
        "Action" = [
          "cloudtrail:AddTags",
          "cloudtrail:CreateTrail",
          "cloudtrail:GetEventSelectors",
          "cloudtrail:GetInsightSelectors",
          "cloudtrail:PutEventSelectors",
          "cloudtrail:PutInsightSelectors",
          "cloudtrail:StartLogging",
          "cloudtrail:StopLogging",
          "cloudtrail:UpdateTrail",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyCloudwatch"
        "Effect" = "Allow"
        "Action" = [
          "cloudwatch:DescribeAlarms",
          "cloudwatch:PutMetricAlarm",
          "cloudwatch:TagResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyCognitoIdp"
        "Effect" = "Allow"
        "Action" = [
          "cognito-idp:AssociateWebACL",
          "cognito-idp:DisassociateWebACL",
          "cognito-idp:ListUserPools",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyConfig"
        "Effect" = "Allow"
        "Action" = [
          "config:DescribeConfigRules",
          "config:DescribeConfigurationRecorders",
          "config:DescribeConformancePacks",
          "config:DescribeDeliveryChannels",
          "config:DescribeRemediationConfigurations",
          "config:GetCustomRulePolicy",
          "config:PutConfigRule",
          "config:PutConfigurationRecorder",
          "config:PutConformancePack",
          "config:PutDeliveryChannel",
          "config:PutRemediationConfigurations",
          "config:PutRemediationExceptions",
          "config:PutRetentionConfiguration",
          "config:StartConfigurationRecorder",
          "config:StopConfigurationRecorder",
          "config:TagResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyEc2"
        "Effect" = "Allow"
        "Action" = [
          "ec2:DisableEbsEncryptionByDefault",
          "ec2:DisableImageBlockPublicAccess",
          "ec2:DisableSerialConsoleAccess",
          "ec2:DisableSnapshotBlockPublicAccess",
          "ec2:EnableEbsEncryptionByDefault",
          "ec2:EnableImageBlockPublicAccess",
          "ec2:EnableSerialConsoleAccess",
          "ec2:EnableSnapshotBlockPublicAccess",
          "ec2:ModifyEbsDefaultKmsKeyId",
          "ec2:ModifyInstanceMetadataDefaults",
          "ec2:ResetEbsDefaultKmsKeyId",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyEcr"
        "Effect" = "Allow"
        "Action" = [
          "ecr:PutImageScanningConfiguration",
          "ecr:PutImageTagMutability",
          "ecr:PutLifecyclePolicy",
          "ecr:PutRegistryScanningConfiguration",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyElasticloadbalancing"
        "Effect" = "Allow"
        "Action" = [
          "elasticloadbalancing:CreateWebACLAssociation",
          "elasticloadbalancing:DeleteWebACLAssociation",
          "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:SetWebAcl",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyEvents"
        "Effect" = "Allow"
        "Action" = [
          "events:DescribeRule",
          "events:ListRules",
          "events:ListTargetsByRule",
          "events:PutRule",
          "events:PutTargets",
          "events:TagResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyFirehose"
        "Effect" = "Allow"
        "Action" = [
          "firehose:ListDeliveryStreams",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyGuardduty"
        "Effect" = "Allow"
        "Action" = [
          "guardduty:CreateDetector",
          "guardduty:CreateFilter",
          "guardduty:CreateIPSet",
          "guardduty:CreatePublishingDestination",
          "guardduty:CreateThreatIntelSet",
          "guardduty:DescribePublishingDestination",
          "guardduty:GetIPSet",
          "guardduty:GetThreatIntelSet",
          "guardduty:ListDetectors",
          "guardduty:ListIPSets",
          "guardduty:ListPublishingDestinations",
          "guardduty:ListThreatIntelSets",
          "guardduty:TagResource",
          "guardduty:UpdateDetector",
          "guardduty:UpdateFilter",
          "guardduty:UpdateIPSet",
          "guardduty:UpdateMalwareScanSettings",
          "guardduty:UpdatePublishingDestination",
          "guardduty:UpdateThreatIntelSet",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyIam"
        "Effect" = "Allow"
        "Action" = [
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:UpdateAccountPasswordPolicy",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyIamNamed"
        "Effect" = "Allow"
        "Action" = [
          "iam:DeleteRolePolicy",
        ]
        "Resource" = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"
      },
      {
        "Sid" = "ApplyIamNamed2"
        "Effect" = "Allow"
        "Action" = [
          "iam:PutRolePolicy",
        ]
        "Resource" = [
          "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty",
          "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/baseline-cloudtrail",
          "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/baseline-events-forwarding",
          "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/baseline-hints",
        ]
      },
      {
        "Sid" = "ApplyIamNamed3"
        "Effect" = "Allow"
        "Action" = [
          "iam:CreateRole",
          "iam:TagRole",
          "iam:UpdateAssumeRolePolicy",
        ]
        "Resource" = [
          "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/baseline-cloudtrail",
          "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/baseline-events-forwarding",
          "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/baseline-hints",
        ]
      },
      {
        "Sid" = "ApplyIamServiceLinkedRoles"
        "Effect" = "Allow"
        "Action" = [
          "iam:CreateServiceLinkedRole",
        ]
        "Resource" = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/aws-service-role/*"
        "Condition" = {
          "StringEquals" = {
            "iam:AWSServiceName" = [
              "agentless.inspector2.amazonaws.com",
              "cloudtrail.amazonaws.com",
              "config-conforms.amazonaws.com",
              "config.amazonaws.com",
              "delivery.logs.amazonaws.com",
              "guardduty.amazonaws.com",
              "inspector2.amazonaws.com",
              "malware-protection.guardduty.amazonaws.com",
              "securityhub.amazonaws.com",
              "wafv2.amazonaws.com",
            ]
          }
        }
      },
      {
        "Sid" = "ApplyIamPassRole"
        "Effect" = "Allow"
        "Action" = [
          "iam:PassRole",
        ]
        "Resource" = "*"
        "Condition" = {
          "StringEquals" = {
            "iam:PassedToService" = [
              "cloudtrail.amazonaws.com",
              "config.amazonaws.com",
              "events.amazonaws.com",
              "ssm.amazonaws.com",
            ]
          }
        }
      },
      {
        "Sid" = "ApplyInspector2"
        "Effect" = "Allow"
        "Action" = [
          "inspector2:Disable",
          "inspector2:Enable",
          "inspector2:ListAccountPermissions",
          "inspector2:UpdateConfiguration",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyKms"
        "Effect" = "Allow"
        "Action" = [
          "kms:CancelKeyDeletion",
          "kms:CreateAlias",
          "kms:CreateKey",
          "kms:DescribeKey",
          "kms:DisableKeyRotation",
          "kms:EnableKey",
          "kms:EnableKeyRotation",
          "kms:GetKeyPolicy",
          "kms:ListKeys",
          "kms:ListResourceTags",
          "kms:PutKeyPolicy",
          "kms:TagResource",
          "kms:UpdateKeyDescription",
        ]
        "Resource" = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "apply_1" {
  role       = aws_iam_role.apply.name
  policy_arn = aws_iam_policy.apply_1.arn
}

resource "aws_iam_policy" "apply_2" {
  name = "baseline-apply-2"
  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Sid" = "ApplyLogs"
        "Effect" = "Allow"
        "Action" = [
          "logs:AssociateKmsKey",
          "logs:CreateLogDelivery",
          "logs:CreateLogGroup",
          "logs:DeleteLogDelivery",
          "logs:DescribeLogGroups",
          "logs:DescribeMetricFilters",
          "logs:DescribeResourcePolicies",
          "logs:DisassociateKmsKey",
          "logs:PutLogGroupDeletionProtection",
          "logs:PutMetricFilter",
          "logs:PutResourcePolicy",
          "logs:PutRetentionPolicy",
          "logs:TagResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyOrganizations"
        "Effect" = "Allow"
        "Action" = [
          "organizations:DescribeOrganization",
          "organizations:EnableAWSServiceAccess",
          "organizations:ListAWSServiceAccessForOrganization",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyS3"
        "Effect" = "Allow"
        "Action" = [
          "s3:CreateBucket",
          "s3:GetBucketLogging",
          "s3:GetBucketObjectLockConfiguration",
          "s3:GetBucketPolicy",
          "s3:GetEncryptionConfiguration",
          "s3:GetLifecycleConfiguration",
          "s3:GetObject",
          "s3:ListBucket",
          "s3:PutAccountPublicAccessBlock",
          "s3:PutBucketLogging",
          "s3:PutBucketObjectLockConfiguration",
          "s3:PutBucketOwnershipControls",
          "s3:PutBucketPolicy",
          "s3:PutBucketPublicAccessBlock",
          "s3:PutBucketVersioning",
          "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration",
          "s3:TagResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplySecurityhub"
        "Effect" = "Allow"
        "Action" = [
          "securityhub:BatchDisableStandards",
          "securityhub:BatchEnableStandards",
          "securityhub:BatchUpdateAutomationRules",
          "securityhub:BatchUpdateFindings",
          "securityhub:BatchUpdateStandardsControlAssociations",
          "securityhub:CreateAutomationRule",
          "securityhub:CreateFindingAggregator",
          "securityhub:DescribeStandards",
          "securityhub:EnableSecurityHub",
          "securityhub:GetEnabledStandards",
          "securityhub:GetFindings",
          "securityhub:ListAutomationRules",
          "securityhub:ListFindingAggregators",
          "securityhub:TagResource",
          "securityhub:UpdateFindingAggregator",
          "securityhub:UpdateSecurityControl",
          "securityhub:UpdateSecurityHubConfiguration",
          "securityhub:UpdateStandardsControl",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplySns"
        "Effect" = "Allow"
        "Action" = [
          "sns:CreateTopic",
          "sns:GetTopicAttributes",
          "sns:SetTopicAttributes",
          "sns:Subscribe",
          "sns:TagResource",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplySsm"
        "Effect" = "Allow"
        "Action" = [
          "ssm:GetDocument",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyWafv2"
        "Effect" = "Allow"
        "Action" = [
          "wafv2:AssociateWebACL",
          "wafv2:CreateIPSet",
          "wafv2:CreateWebACL",
          "wafv2:DisassociateWebACL",
          "wafv2:GetIPSet",
          "wafv2:GetLoggingConfiguration",
          "wafv2:GetPermissionPolicy",
          "wafv2:GetWebACL",
          "wafv2:ListIPSets",
          "wafv2:ListWebACLs",
          "wafv2:PutLoggingConfiguration",
          "wafv2:PutPermissionPolicy",
          "wafv2:TagResource",
          "wafv2:UpdateIPSet",
          "wafv2:UpdateWebACL",
        ]
        "Resource" = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "apply_2" {
  role       = aws_iam_role.apply.name
  policy_arn = aws_iam_policy.apply_2.arn
}

resource "aws_iam_policy" "apply_management" {
  count = var.management_account == null ? 1 : data.aws_caller_identity.current.account_id == var.management_account ? 1 : 0

  name = "baseline-apply-management"
  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Sid" = "ApplyGuardduty"
        "Effect" = "Allow"
        "Action" = [
          "guardduty:EnableOrganizationAdminAccount",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyInspector2"
        "Effect" = "Allow"
        "Action" = [
          "inspector2:EnableDelegatedAdminAccount",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyOrganizations"
        "Effect" = "Allow"
        "Action" = [
          "organizations:DescribeAccount",
          "organizations:DescribeOrganizationalUnit",
          "organizations:ListAccounts",
          "organizations:ListDelegatedAdministrators",
          "organizations:RegisterDelegatedAdministrator",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplySecurityhub"
        "Effect" = "Allow"
        "Action" = [
          "securityhub:EnableOrganizationAdminAccount",
        ]
        "Resource" = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "apply_management" {
  count = var.management_account == null ? 1 : data.aws_caller_identity.current.account_id == var.management_account ? 1 : 0

  role       = aws_iam_role.apply.name
  policy_arn = aws_iam_policy.apply_management[count.index].arn
}

resource "aws_iam_policy" "apply_security" {
  count = var.security_account == null ? 1 : data.aws_caller_identity.current.account_id == var.security_account ? 1 : 0

  name = "baseline-apply-security"
  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Sid" = "ApplyConfig"
        "Effect" = "Allow"
        "Action" = [
          "config:DescribeConfigurationAggregators",
          "config:PutConfigurationAggregator",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyGuardduty"
        "Effect" = "Allow"
        "Action" = [
          "guardduty:UpdateOrganizationConfiguration",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyIamNamed"
        "Effect" = "Allow"
        "Action" = [
          "iam:CreateRole",
          "iam:TagRole",
        ]
        "Resource" = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/baseline-config-aggregator"
      },
      {
        "Sid" = "ApplyIamAttachPolicy"
        "Effect" = "Allow"
        "Action" = [
          "iam:AttachRolePolicy",
        ]
        "Resource" = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/baseline-config-aggregator"
        "Condition" = {
          "ArnEquals" = {
            "iam:PolicyARN" = [
              "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSConfigRoleForOrganizations",
            ]
          }
        }
      },
      {
        "Sid" = "ApplyInspector2"
        "Effect" = "Allow"
        "Action" = [
          "inspector2:AssociateMember",
          "inspector2:UpdateOrganizationConfiguration",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplyOrganizations"
        "Effect" = "Allow"
        "Action" = [
          "organizations:ListDelegatedAdministrators",
        ]
        "Resource" = "*"
      },
      {
        "Sid" = "ApplySecurityhub"
        "Effect" = "Allow"
        "Action" = [
          "securityhub:UpdateOrganizationConfiguration",
        ]
        "Resource" = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "apply_security" {
  count = var.security_account == null ? 1 : data.aws_caller_identity.current.account_id == var.security_account ? 1 : 0

  role       = aws_iam_role.apply.name
  policy_arn = aws_iam_policy.apply_security[count.index].arn
}

output "apply_role_arn" {
  value = aws_iam_role.apply.arn
}
