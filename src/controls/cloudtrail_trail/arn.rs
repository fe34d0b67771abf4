//! ARNs taken apart and put together: plans hold names.

use crate::place::Scope;

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, as far as this control reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arn<'a> {
    pub region: &'a str,
    pub account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    /// What is not an ARN has no account.
    pub fn of(text: &'a str) -> Self {
        match text.splitn(6, ':').collect::<Vec<_>>()[..] {
            ["arn", _, _, region, account, resource] => Self { region, account, resource },
            _ => Self::default(),
        }
    }

    /// The name of a log group (`log-group:NAME:*`), role (`role/PATH/NAME`) or topic (`NAME`).
    pub fn name(&self) -> &'a str {
        match self.resource.strip_prefix("log-group:") {
            Some(group) => group.trim_end_matches(":*"),
            None => self.resource.rsplit('/').next().unwrap_or_default(),
        }
    }
}

/// The ARN of a log group as CloudTrail takes it, with `:*` at the end (User Guide, "Sending events to
/// CloudWatch Logs").
pub fn of_group(scope: &Scope, group: &str) -> String {
    let Scope { account, region } = scope;
    format!("arn:{}:logs:{region}:{account}:log-group:{group}:*", region.partition())
}

/// A role without a path.
pub fn of_role(scope: &Scope, role: &str) -> String {
    format!("arn:{}:iam::{}:role/{role}", scope.region.partition(), scope.account)
}

/// The streams that CloudTrail writes to in a log group (User Guide, "Role policy document for CloudTrail to use
/// CloudWatch Logs for monitoring"): of the account, and of the organisation where it has one.
pub fn of_streams(scope: &Scope, group: &str, organization: Option<&str>) -> Vec<String> {
    let Scope { account, region } = scope;
    let group = of_group(scope, group);
    let group = group.trim_end_matches('*');
    let own = format!("{group}log-stream:{account}_CloudTrail_{region}*");
    let all = organization.map(|id| format!("{group}log-stream:{id}_*"));
    std::iter::once(own).chain(all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Region;

    #[test]
    fn names_come_back_out_of_arns() {
        let scope = Scope { account: "111122223333".parse().unwrap(), region: Region::new("cn-north-1") };
        let group = of_group(&scope, "baseline/trail");
        assert_eq!(group, "arn:aws-cn:logs:cn-north-1:111122223333:log-group:baseline/trail:*");
        assert_eq!(Arn::of(&group).name(), "baseline/trail");
        assert_eq!(Arn::of(&group).account, "111122223333");
        assert_eq!(Arn::of("arn:aws:iam::111122223333:role/service-role/Trail").name(), "Trail");
        assert_eq!(Arn::of("arn:aws:sns:eu-west-1:111122223333:topic").name(), "topic");
        assert_eq!(Arn::of("baseline").account, "");
        let streams = of_streams(&scope, "g", Some("o-a1b2c3d4e5"));
        assert!(
            streams[0].ends_with(":log-group:g:log-stream:111122223333_CloudTrail_cn-north-1*"),
            "{streams:?}"
        );
        assert!(streams[1].ends_with(":log-stream:o-a1b2c3d4e5_*"), "{streams:?}");
    }
}
