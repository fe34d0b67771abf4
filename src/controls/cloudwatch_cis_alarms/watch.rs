//! The fifteen things that CIS asks to be watched, and the filter patterns that see them.
//!
//! The patterns are those of CIS AWS Foundations Benchmark 1.4.0, 4.1 to 4.15, as Security Hub writes them down for its
//! controls CloudWatch.1 to CloudWatch.14, which look for exactly these. 4.15 has no such control.

use super::pattern;

/// The role that our own writes are made with, where they are to be left out of the count.
pub type Role = Option<String>;

/// One thing that is watched.
#[derive(Debug)]
pub struct Watch {
    /// What it is called in the YAML, in plans and in AWS.
    pub word: &'static str,
    /// Its number in CIS 1.4.0, which 3.0.0 and 5.0.0 keep.
    pub cis: &'static str,
    /// What an alarm says of itself.
    pub title: &'static str,
    pattern: &'static str,
    /// Which option changes what is counted.
    option: Opt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opt {
    Nothing,
    SingleSignOn,
    Quiet,
    /// Counts writes, and so ours among them.
    ExceptRole,
}

/// How a pattern is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    pub single_sign_on: bool,
    pub quiet: bool,
    pub except_role: Role,
}

/// The role of a session, in an event; calls of others than roles have no such field.
const ISSUER: &str = "$.userIdentity.sessionContext.sessionIssuer.userName";

const MFA_OF_ALL: &str = r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }"#;

const QUIET: &str = concat!(
    r#"{(($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*"))"#,
    r#" && ($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket")"#,
    r#" && (($.eventName!="Decrypt") || ($.userIdentity.invokedBy NOT EXISTS)"#,
    r#" || ($.userIdentity.invokedBy!="config.amazonaws.com"))}"#,
);

impl Watch {
    /// The pattern for these options, of which each says something of some watches only.
    pub fn pattern(&self, variant: &Variant) -> String {
        match (self.option, variant) {
            (Opt::SingleSignOn, Variant { single_sign_on: false, .. }) => MFA_OF_ALL.to_owned(),
            (Opt::Quiet, Variant { quiet: true, .. }) => QUIET.to_owned(),
            (Opt::ExceptRole, Variant { except_role: Some(role), .. }) => {
                let inside = self.pattern.trim_start_matches('{').trim_end_matches('}').trim();
                format!(r#"{{({inside}) && (({ISSUER} NOT EXISTS) || ({ISSUER}!="{role}"))}}"#)
            }
            _ => self.pattern.to_owned(),
        }
    }

    /// The paths of the options that say something of this watch.
    pub fn concerned(&self, option: &str) -> bool {
        matches!(
            (self.option, option),
            (Opt::SingleSignOn, SINGLE_SIGN_ON) | (Opt::Quiet, QUIET_PATH) | (Opt::ExceptRole, EXCEPT_ROLE)
        )
    }

    /// Which of the patterns of this watch a live one is, whatever its spaces, quotes and order.
    pub fn variant_of(&self, live: &str) -> Option<Variant> {
        let live = pattern::canonical(live)?;
        let role = live.unequal_to(ISSUER).map(str::to_owned);
        let plain = Variant::default();
        let all = [
            plain.clone(),
            Variant { single_sign_on: true, ..plain.clone() },
            Variant { quiet: true, ..plain.clone() },
            Variant { except_role: role, ..plain },
        ];
        all.into_iter().find(|variant| pattern::canonical(&self.pattern(variant)).as_ref() == Some(&live))
    }

    /// What our own filter, metric and alarm are called.
    pub fn name(&self) -> String {
        format!("baseline-{}", self.word)
    }
}

pub const SINGLE_SIGN_ON: &str = "/singleSignOn";
pub const QUIET_PATH: &str = "/quiet";
pub const EXCEPT_ROLE: &str = "/exceptRole";

/// The one of that word.
pub fn find(word: &str) -> Option<&'static Watch> {
    WATCHES.iter().find(|watch| watch.word == word)
}

macro_rules! watches {
    ($($word:literal $cis:literal $option:ident $title:literal $pattern:expr;)+) => {
        pub static WATCHES: &[Watch] = &[$(Watch {
            word: $word,
            cis: $cis,
            title: $title,
            pattern: $pattern,
            option: Opt::$option,
        },)+];
    };
}

watches! {
    "unauthorized-calls" "4.1" Quiet "unauthorised API calls"
        r#"{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}"#;
    "console-without-mfa" "4.2" SingleSignOn "sign-in to the console without MFA"
        r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }"#;
    "root-usage" "4.3" Nothing "use of the root user"
        r#"{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}"#;
    "iam-changes" "4.4" ExceptRole "changes of IAM policies"
        "{($.eventSource=iam.amazonaws.com) && (($.eventName=DeleteGroupPolicy) || ($.eventName=DeleteRolePolicy) || ($.eventName=DeleteUserPolicy) || ($.eventName=PutGroupPolicy) || ($.eventName=PutRolePolicy) || ($.eventName=PutUserPolicy) || ($.eventName=CreatePolicy) || ($.eventName=DeletePolicy) || ($.eventName=CreatePolicyVersion) || ($.eventName=DeletePolicyVersion) || ($.eventName=AttachRolePolicy) || ($.eventName=DetachRolePolicy) || ($.eventName=AttachUserPolicy) || ($.eventName=DetachUserPolicy) || ($.eventName=AttachGroupPolicy) || ($.eventName=DetachGroupPolicy))}";
    "cloudtrail-changes" "4.5" ExceptRole "changes of CloudTrail"
        "{($.eventName=CreateTrail) || ($.eventName=UpdateTrail) || ($.eventName=DeleteTrail) || ($.eventName=StartLogging) || ($.eventName=StopLogging)}";
    "console-failures" "4.6" Nothing "failed sign-in to the console"
        r#"{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}"#;
    "key-disabling" "4.7" ExceptRole "keys that are disabled or scheduled for deletion"
        "{($.eventSource=kms.amazonaws.com) && (($.eventName=DisableKey) || ($.eventName=ScheduleKeyDeletion))}";
    "bucket-policy-changes" "4.8" ExceptRole "changes of S3 bucket policies"
        "{($.eventSource=s3.amazonaws.com) && (($.eventName=PutBucketAcl) || ($.eventName=PutBucketPolicy) || ($.eventName=PutBucketCors) || ($.eventName=PutBucketLifecycle) || ($.eventName=PutBucketReplication) || ($.eventName=DeleteBucketPolicy) || ($.eventName=DeleteBucketCors) || ($.eventName=DeleteBucketLifecycle) || ($.eventName=DeleteBucketReplication))}";
    "config-changes" "4.9" ExceptRole "changes of AWS Config"
        "{($.eventSource=config.amazonaws.com) && (($.eventName=StopConfigurationRecorder) || ($.eventName=DeleteDeliveryChannel) || ($.eventName=PutDeliveryChannel) || ($.eventName=PutConfigurationRecorder))}";
    "security-group-changes" "4.10" ExceptRole "changes of security groups"
        "{($.eventName=AuthorizeSecurityGroupIngress) || ($.eventName=AuthorizeSecurityGroupEgress) || ($.eventName=RevokeSecurityGroupIngress) || ($.eventName=RevokeSecurityGroupEgress) || ($.eventName=CreateSecurityGroup) || ($.eventName=DeleteSecurityGroup)}";
    "nacl-changes" "4.11" ExceptRole "changes of network access control lists"
        "{($.eventName=CreateNetworkAcl) || ($.eventName=CreateNetworkAclEntry) || ($.eventName=DeleteNetworkAcl) || ($.eventName=DeleteNetworkAclEntry) || ($.eventName=ReplaceNetworkAclEntry) || ($.eventName=ReplaceNetworkAclAssociation)}";
    "gateway-changes" "4.12" ExceptRole "changes of network gateways"
        "{($.eventName=CreateCustomerGateway) || ($.eventName=DeleteCustomerGateway) || ($.eventName=AttachInternetGateway) || ($.eventName=CreateInternetGateway) || ($.eventName=DeleteInternetGateway) || ($.eventName=DetachInternetGateway)}";
    "route-changes" "4.13" ExceptRole "changes of route tables"
        "{($.eventSource=ec2.amazonaws.com) && (($.eventName=CreateRoute) || ($.eventName=CreateRouteTable) || ($.eventName=ReplaceRoute) || ($.eventName=ReplaceRouteTableAssociation) || ($.eventName=DeleteRouteTable) || ($.eventName=DeleteRoute) || ($.eventName=DisassociateRouteTable))}";
    "vpc-changes" "4.14" ExceptRole "changes of VPCs"
        "{($.eventName=CreateVpc) || ($.eventName=DeleteVpc) || ($.eventName=ModifyVpcAttribute) || ($.eventName=AcceptVpcPeeringConnection) || ($.eventName=CreateVpcPeeringConnection) || ($.eventName=DeleteVpcPeeringConnection) || ($.eventName=RejectVpcPeeringConnection) || ($.eventName=AttachClassicLinkVpc) || ($.eventName=DetachClassicLinkVpc) || ($.eventName=DisableVpcClassicLink) || ($.eventName=EnableVpcClassicLink)}";
    "organization-changes" "4.15" ExceptRole "changes of the organisation"
        "{($.eventSource=organizations.amazonaws.com) && (($.eventName=AcceptHandshake) || ($.eventName=AttachPolicy) || ($.eventName=CreateAccount) || ($.eventName=CreateOrganizationalUnit) || ($.eventName=CreatePolicy) || ($.eventName=DeclineHandshake) || ($.eventName=DeleteOrganization) || ($.eventName=DeleteOrganizationalUnit) || ($.eventName=DeletePolicy) || ($.eventName=DetachPolicy) || ($.eventName=DisablePolicyType) || ($.eventName=EnablePolicyType) || ($.eventName=InviteAccountToOrganization) || ($.eventName=LeaveOrganization) || ($.eventName=MoveAccount) || ($.eventName=RemoveAccountFromOrganization) || ($.eventName=UpdatePolicy) || ($.eventName=UpdateOrganizationalUnit))}";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_fifteen_and_each_has_its_number() {
        let numbers: Vec<String> = (1..=15).map(|number| format!("4.{number}")).collect();
        assert_eq!(WATCHES.iter().map(|watch| watch.cis.to_owned()).collect::<Vec<_>>(), numbers);
        assert_eq!(WATCHES.iter().map(|watch| watch.word).collect::<BTreeSet<_>>().len(), 15);
    }

    /// CloudWatch Logs takes 1,024 characters (API reference, PutMetricFilter), IAM names of 64.
    #[test]
    fn every_pattern_can_be_read_is_short_enough_and_is_told_from_all_others() {
        let role: Role = Some("r".repeat(64));
        let mut seen = BTreeSet::new();
        for watch in WATCHES {
            let plain = Variant::default();
            for variant in [
                plain.clone(),
                Variant { single_sign_on: true, ..plain.clone() },
                Variant { quiet: true, ..plain.clone() },
                Variant { except_role: role.clone(), ..plain.clone() },
            ] {
                let text = watch.pattern(&variant);
                assert!(text.len() <= 1024, "{} has {}", watch.word, text.len());
                assert!(pattern::canonical(&text).is_some(), "{text}");
                if watch.pattern(&plain) != text || variant == plain {
                    assert!(seen.insert(pattern::canonical(&text)), "{}: {variant:?}", watch.word);
                    assert_eq!(watch.variant_of(&text), Some(variant), "{}", watch.word);
                }
            }
        }
        // One for each watch, and one more for each option of it.
        assert_eq!(seen.len(), 15 + 1 + 1 + 11);
    }

    #[test]
    fn other_peoples_spelling_is_the_same_pattern() {
        let watch = find("cloudtrail-changes").unwrap();
        let theirs = r#"{ ($.eventName = "StopLogging") || ($.eventName = "CreateTrail") || ($.eventName = UpdateTrail)
            || $.eventName = DeleteTrail || ($.eventName = StartLogging) }"#;
        assert_eq!(watch.variant_of(theirs), Some(Variant::default()));
        let fewer = "{ ($.eventName = StopLogging) || ($.eventName = CreateTrail) }";
        assert_eq!(watch.variant_of(fewer), None);
    }
}
