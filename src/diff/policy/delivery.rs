//! May a service deliver under this policy?

use std::collections::BTreeSet;

use super::glob::{covers, overlap};
use super::{Match, Policy, Principal, Statement};

/// A service that writes into somebody's resource on behalf of an account.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The principal: `cloudtrail.amazonaws.com`.
    pub service: &'a str,
    /// `s3:PutObject`
    pub action: &'a str,
    /// What must be covered whole; `*` stands for what is not known yet: `arn:aws:s3:::logs/AWSLogs/1…/*`.
    pub resource: &'a str,
    /// The account that the service delivers for.
    pub account: &'a str,
    /// Its organisation, where that is known.
    pub organization: Option<&'a str>,
}

/// Does a resource's policy let the service deliver? Some statement allows it whole, and none denies it.
///
/// A statement allows only where every condition is known to hold, and denies only where every condition is
/// known to hold: AWS itself has the last word when the delivery is set up. Of `aws:SourceArn` the account
/// and the service are known, so a pattern counts that some source of this service and account matches.
/// A text that is not a policy allows nothing.
pub fn allows_service(policy: &str, delivery: &Delivery<'_>) -> bool {
    let Ok(policy) = policy.parse::<Policy>() else { return false };
    let (allows, denies): (Vec<&Statement>, Vec<&Statement>) =
        policy.statements.iter().partition(|statement| statement.allow);
    allows.into_iter().any(|statement| delivery.is_allowed_by(statement))
        && !denies.into_iter().any(|statement| delivery.is_denied_by(statement))
}

impl Delivery<'_> {
    fn is_allowed_by(&self, statement: &Statement) -> bool {
        // `*` and the `Not…` forms are not how anybody lets a service in on purpose.
        let principal =
            matches!(&statement.principal, Some(Match::In(all)) if all.contains(&self.principal()));
        let action = matches!(&statement.action, Match::In(all) if self.is_action_of(all));
        let resource = matches!(
            &statement.resource,
            Some(Match::In(all)) if all.iter().any(|pattern| covers(pattern, self.resource))
        );
        principal && action && resource && self.meets(statement) == Some(true)
    }

    fn is_denied_by(&self, statement: &Statement) -> bool {
        let is_meant =
            |all: &BTreeSet<Principal>| all.contains(&Principal::Everyone) || all.contains(&self.principal());
        let principal = match &statement.principal {
            Some(Match::In(all)) => is_meant(all),
            Some(Match::NotIn(all)) => !is_meant(all),
            None => false,
        };
        let action = match &statement.action {
            Match::In(all) => self.is_action_of(all),
            Match::NotIn(all) => !self.is_action_of(all),
        };
        let resource = match &statement.resource {
            Some(Match::In(all)) => all.iter().any(|pattern| overlap(pattern, self.resource)),
            Some(Match::NotIn(all)) => !all.iter().any(|pattern| covers(pattern, self.resource)),
            None => false,
        };
        principal && action && resource && self.meets(statement) == Some(true)
    }

    fn principal(&self) -> Principal {
        Principal::Other("Service".into(), self.service.into())
    }

    fn is_action_of(&self, patterns: &BTreeSet<String>) -> bool {
        let action = self.action.to_lowercase();
        patterns.iter().any(|pattern| covers(pattern, &action))
    }

    /// Do all conditions hold? `None`: one is not understood, and none is known to fail.
    fn meets(&self, statement: &Statement) -> Option<bool> {
        let mut all = Some(true);
        for (operator, keys) in &statement.condition {
            for (key, values) in keys {
                match self.holds(operator, key, values) {
                    Some(true) => {}
                    Some(false) => return Some(false),
                    None => all = None,
                }
            }
        }
        all
    }

    fn holds(&self, operator: &str, key: &str, values: &BTreeSet<String>) -> Option<bool> {
        let operator = operator.trim_start_matches("ForAnyValue:").trim_end_matches("IfExists");
        if key == "aws:sourcearn" {
            return self.holds_source(operator, values);
        }
        let live = self.value_of(key)?;
        let any = |matches: &dyn Fn(&str) -> bool| values.iter().any(|value| matches(value));
        Some(match operator {
            "StringEquals" => any(&|value| value == live),
            "StringNotEquals" => !any(&|value| value == live),
            "StringEqualsIgnoreCase" | "Bool" => any(&|value| value.eq_ignore_ascii_case(live)),
            "StringNotEqualsIgnoreCase" => !any(&|value| value.eq_ignore_ascii_case(live)),
            "StringLike" => any(&|value| covers(value, live)),
            "StringNotLike" => !any(&|value| covers(value, live)),
            "Null" => any(&|value| value == "false"),
            _ => return None,
        })
    }

    /// What the request carries, as far as it is known before it is made.
    fn value_of(&self, key: &str) -> Option<&str> {
        match key {
            "aws:sourceaccount" => Some(self.account),
            "aws:sourceorgid" => self.organization,
            "aws:securetransport" | "aws:principalisawsservice" => Some("true"),
            "aws:principalservicename" => Some(self.service),
            // CloudTrail and Config hand the object to the bucket's owner (their user guides, bucket policies).
            "s3:x-amz-acl" => Some("bucket-owner-full-control"),
            _ => None,
        }
    }

    fn holds_source(&self, operator: &str, values: &BTreeSet<String>) -> Option<bool> {
        let service = self.service.split('.').next().unwrap_or_default();
        let may_match = |pattern: &String| {
            let parts: Vec<&str> = pattern.splitn(6, ':').collect();
            match parts[..] {
                [_, _, of_service, _, of_account, _] => {
                    Some(covers(of_service, service) && covers(of_account, self.account))
                }
                ["*"] => Some(true),
                _ => None,
            }
        };
        let matches = values.iter().map(may_match).collect::<Option<Vec<bool>>>()?.contains(&true);
        match operator {
            "StringEquals" | "StringLike" | "ArnEquals" | "ArnLike" => Some(matches),
            // Surely other than all of them, or not known.
            "StringNotEquals" | "StringNotLike" | "ArnNotEquals" | "ArnNotLike" if !matches => Some(true),
            "Null" => Some(values.contains("false")),
            _ => None,
        }
    }
}
