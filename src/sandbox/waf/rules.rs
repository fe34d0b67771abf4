//! What rules of a web ACL have to be like.

use std::collections::BTreeSet;

use aws_sdk_wafv2::types::{
    BlockAction, CountryCode, FallbackBehavior, FieldToMatch, ForwardedIpConfig, RateBasedStatement,
    RateBasedStatementAggregateKeyType, Rule, RuleAction, Scope, Statement, VisibilityConfig,
};

use super::super::operation::{Call, Refusal, length_within};
use super::{Waf, entity_name, invalid, managed, nonexistent};

/// Rules, checked in one scope of one account.
pub(super) struct Checking<'c> {
    waf: &'c mut Waf,
    now: jiff::Timestamp,
    scope: &'c Scope,
    /// Keys of custom response bodies; `None` where any will do.
    responses: Option<Vec<String>>,
}

impl<'c> Checking<'c> {
    pub fn new(call: &'c mut Call<'_>, scope: &'c Scope, responses: &[&String]) -> Self {
        let now = call.now;
        let responses = Some(responses.iter().map(|key| (*key).clone()).collect());
        Self { waf: &mut call.here().waf, now, scope, responses }
    }

    /// CheckCapacity is told no bodies.
    pub fn any_responses(mut self) -> Self {
        self.responses = None;
        self
    }

    /// API reference, Rule: names and priorities are unique; a rule group has an override action, any other rule
    /// an action, and none has both.
    pub fn rules(&mut self, rules: &[Rule]) -> Result<(), Refusal> {
        let (mut names, mut priorities) = (BTreeSet::new(), BTreeSet::new());
        for rule in rules {
            entity_name(Some(&rule.name), "RULE")?;
            if !names.insert(rule.name.as_str()) {
                return Err(super::duplicate());
            }
            if rule.priority < 0 || !priorities.insert(rule.priority) {
                return Err(invalid("RULE", format_args!("priority {}", rule.priority)));
            }
            visibility(rule.visibility_config.as_ref())?;
            let statement = rule.statement.as_ref().ok_or_else(|| invalid("STATEMENT", &rule.name))?;
            let is_group = statement.managed_rule_group_statement.is_some()
                || statement.rule_group_reference_statement.is_some();
            match (&rule.action, &rule.override_action) {
                (Some(action), None) if !is_group => self.action(action)?,
                (None, Some(over)) if is_group && over.count.is_some() != over.none.is_some() => {}
                _ if is_group => return Err(invalid("OVERRIDE_ACTION", &rule.name)),
                _ => return Err(invalid("RULE_ACTION", &rule.name)),
            }
            self.statement(statement, true)?;
        }
        Ok(())
    }

    fn action(&self, action: &RuleAction) -> Result<(), Refusal> {
        let said = [
            action.block.is_some(),
            action.allow.is_some(),
            action.count.is_some(),
            action.captcha.is_some(),
            action.challenge.is_some(),
        ];
        if said.iter().filter(|said| **said).count() != 1 {
            return Err(invalid("RULE_ACTION", "action"));
        }
        action.block.as_ref().map_or(Ok(()), |block| self.block(block))
    }

    /// API reference, CustomResponse: status codes 200–599, and a body that the web ACL has.
    pub fn block(&self, block: &BlockAction) -> Result<(), Refusal> {
        let Some(response) = &block.custom_response else { return Ok(()) };
        if !(200..=599).contains(&response.response_code) {
            return Err(invalid("CUSTOM_RESPONSE", response.response_code));
        }
        let known = |key: &String| self.responses.as_ref().is_none_or(|known| known.contains(key));
        match &response.custom_response_body_key {
            Some(key) if !known(key) => Err(invalid("CUSTOM_RESPONSE_BODY", key)),
            _ => Ok(()),
        }
    }

    /// One statement of those that this world has. Groups and rates are not nested (ManagedRuleGroupStatement: "You
    /// cannot nest a ManagedRuleGroupStatement").
    fn statement(&mut self, statement: &Statement, top: bool) -> Result<(), Refusal> {
        if let Some(group) = statement.managed_rule_group_statement.as_ref().filter(|_| top) {
            managed::of_statement(self.waf, group)?;
            if group.rule_action_overrides().len() > 100 || group.excluded_rules.is_some() {
                return Err(invalid("MANAGED_RULE_SET_STATEMENT", "overrides"));
            }
            for over in group.rule_action_overrides() {
                let action = over.action_to_use.as_ref();
                self.action(action.ok_or_else(|| invalid("RULE_ACTION", &over.name))?)?;
            }
            return self.nested(group.scope_down_statement.as_deref());
        }
        if let Some(rate) = statement.rate_based_statement.as_ref().filter(|_| top) {
            rate_based(rate)?;
            return self.nested(rate.scope_down_statement.as_deref());
        }
        if let Some(and) = &statement.and_statement {
            return self.several(and.statements(), "AND_STATEMENT");
        }
        if let Some(or) = &statement.or_statement {
            return self.several(or.statements(), "OR_STATEMENT");
        }
        if let Some(not) = &statement.not_statement {
            return match not.statement.as_deref() {
                Some(inner) => self.statement(inner, false),
                None => Err(invalid("NOT_STATEMENT", "none")),
            };
        }
        if let Some(set) = &statement.ip_set_reference_statement {
            let found = self.waf.sets(self.scope).values().find(|one| one.set.arn == set.arn);
            let found = found.ok_or_else(nonexistent)?;
            // A new set is not known everywhere at once.
            return if self.now < found.usable { Err(unavailable()) } else { Ok(()) };
        }
        if let Some(bytes) = &statement.byte_match_statement {
            let field = bytes.field_to_match.as_ref().ok_or_else(|| invalid("FIELD_TO_MATCH", "none"))?;
            field_to_match(field)?;
            let length = bytes.search_string.as_ref().len();
            if !(1..=200).contains(&length) || bytes.text_transformations.is_empty() {
                return Err(invalid("BYTE_MATCH_STATEMENT", "search string"));
            }
            return Ok(());
        }
        if let Some(geo) = &statement.geo_match_statement {
            let known = |code: &CountryCode| CountryCode::values().contains(&code.as_str());
            if geo.country_codes().is_empty() || !geo.country_codes().iter().all(known) {
                return Err(invalid("GEO_MATCH_STATEMENT", "country codes"));
            }
            return geo.forwarded_ip_config.as_ref().map_or(Ok(()), forwarded);
        }
        if statement.label_match_statement.is_some() || statement.sqli_match_statement.is_some() {
            return Ok(());
        }
        Err(invalid("STATEMENT", "this world has no such statement"))
    }

    fn nested(&mut self, statement: Option<&Statement>) -> Result<(), Refusal> {
        statement.map_or(Ok(()), |statement| self.statement(statement, false))
    }

    fn several(&mut self, all: &[Statement], field: &str) -> Result<(), Refusal> {
        if all.len() < 2 {
            return Err(invalid(field, "it combines two statements at least"));
        }
        all.iter().try_for_each(|one| self.statement(one, false))
    }
}

fn unavailable() -> Refusal {
    Refusal::new(
        400,
        "WAFUnavailableEntityException",
        "AWS WAF couldn’t retrieve the resource that you requested. Retry your request.",
    )
}

/// `MetricName` in the model: 1–255 of `[\w#:\.\-/]`.
pub(super) fn visibility(config: Option<&VisibilityConfig>) -> Result<(), Refusal> {
    let config = config.ok_or_else(|| invalid("METRIC_NAME", "none"))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_#:.-/".contains(c);
    if length_within(&config.metric_name, 1, 255) && config.metric_name.chars().all(fits) {
        Ok(())
    } else {
        Err(invalid("METRIC_NAME", &config.metric_name))
    }
}

/// API reference, RateBasedStatement: at least 10 requests in 60, 120, 300 or 600 seconds; an address from a header
/// needs the header, and any other must not have one.
fn rate_based(rate: &RateBasedStatement) -> Result<(), Refusal> {
    let windows = [60, 120, 300, 600];
    if !(10..=2_000_000_000).contains(&rate.limit) || !windows.contains(&rate.evaluation_window_sec) {
        return Err(invalid("RATE_BASED_STATEMENT", "limit or window"));
    }
    match (&rate.aggregate_key_type, &rate.forwarded_ip_config) {
        (RateBasedStatementAggregateKeyType::Ip, None) => Ok(()),
        (RateBasedStatementAggregateKeyType::ForwardedIp, Some(config)) => forwarded(config),
        _ => Err(invalid("FORWARDED_IP_CONFIG", rate.aggregate_key_type.as_str())),
    }
}

fn forwarded(config: &ForwardedIpConfig) -> Result<(), Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !length_within(&config.header_name, 1, 255) || !config.header_name.chars().all(fits) {
        return Err(invalid("HEADER_NAME", &config.header_name));
    }
    if FallbackBehavior::values().contains(&config.fallback_behavior.as_str()) {
        Ok(())
    } else {
        Err(invalid("FALLBACK_BEHAVIOR", config.fallback_behavior.as_str()))
    }
}

/// API reference, FieldToMatch: one part of the request.
pub(super) fn field_to_match(field: &FieldToMatch) -> Result<(), Refusal> {
    let named = field.single_header.as_ref().map(|header| header.name.as_str());
    let said = [
        field.uri_path.is_some(),
        field.method.is_some(),
        field.query_string.is_some(),
        named.is_some_and(|name| length_within(name, 1, 64)),
    ];
    if said.iter().filter(|said| **said).count() == 1 {
        Ok(())
    } else {
        Err(invalid("FIELD_TO_MATCH", "one of those that this world has"))
    }
}
