//! What rules use of a web ACL's capacity.

use aws_sdk_wafv2::operation::check_capacity::{CheckCapacityInput, CheckCapacityOutput};
use aws_sdk_wafv2::types::{PositionalConstraint, Rule, Statement, TextTransformationType};

use super::super::operation::{Call, Refusal};
use super::rules::Checking;
use super::{managed, scope};

/// A web ACL has at most this many (AWS WAF quotas).
const MOST: i64 = 5_000;

/// API reference, CheckCapacity: what a web ACL would be refused for is refused here.
pub(super) fn check(call: &mut Call<'_>, input: &CheckCapacityInput) -> Result<CheckCapacityOutput, Refusal> {
    let scope = scope(call, input.scope())?;
    let rules = input.rules();
    Checking::new(call, &scope, &[]).any_responses().rules(rules)?;
    Ok(CheckCapacityOutput::builder().capacity(used(call, rules)?).build())
}

/// What the rules use together; more than a web ACL has is the caller's to find out.
pub(super) fn used(call: &mut Call<'_>, rules: &[Rule]) -> Result<i64, Refusal> {
    let waf = &call.here().waf;
    let of_rule = |rule: &Rule| rule.statement.as_ref().map_or(Ok(0), |statement| cost(waf, statement));
    rules.iter().map(of_rule).sum()
}

/// As [`used`], for a web ACL that is to be kept.
pub(super) fn within_limits(call: &mut Call<'_>, rules: &[Rule]) -> Result<i64, Refusal> {
    let used = used(call, rules)?;
    if used > MOST {
        return Err(Refusal::new(
            400,
            "WAFLimitsExceededException",
            "AWS WAF couldn’t perform the operation because you exceeded your resource limit.",
        ));
    }
    Ok(used)
}

/// AWS WAF Developer Guide, "WCUs" of each rule statement: IP set and geographic matches 1, string matches 2, or 10
/// for `contains`, 10 for a text transformation, a rate 2, and whatever is nested.
fn cost(waf: &super::Waf, statement: &Statement) -> Result<i64, Refusal> {
    let nested = |inner: Option<&Statement>| inner.map_or(Ok(0), |inner| cost(waf, inner));
    if let Some(group) = &statement.managed_rule_group_statement {
        let own = managed::of_statement(waf, group)?.capacity;
        return Ok(own + nested(group.scope_down_statement.as_deref())?);
    }
    if let Some(rate) = &statement.rate_based_statement {
        return Ok(2 + nested(rate.scope_down_statement.as_deref())?);
    }
    if let Some(not) = &statement.not_statement {
        return nested(not.statement.as_deref());
    }
    let of_all = |all: &[Statement]| all.iter().map(|one| cost(waf, one)).sum::<Result<i64, Refusal>>();
    if let Some(and) = &statement.and_statement {
        return of_all(and.statements());
    }
    if let Some(or) = &statement.or_statement {
        return of_all(or.statements());
    }
    if let Some(bytes) = &statement.byte_match_statement {
        let contains = [PositionalConstraint::Contains, PositionalConstraint::ContainsWord];
        let own = if contains.contains(&bytes.positional_constraint) { 10 } else { 2 };
        let transformed =
            bytes.text_transformations.iter().filter(|one| one.r#type != TextTransformationType::None);
        return Ok(own + 10 * i64::try_from(transformed.count()).unwrap_or(i64::MAX / 10));
    }
    Ok(1)
}
