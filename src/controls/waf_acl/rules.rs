//! The rules of a web ACL: what the declared ones are to be, within what is live, in the types of the API.
//!
//! A live rule is changed where something is declared and nowhere else: labels, immunity times, headers and whatever
//! AWS thinks of next stay. Rules that nobody declared stay as they are.

use aws_sdk_wafv2::types::{
    AllowAction, BlockAction, CaptchaAction, ChallengeAction, CountAction, CustomResponse, FallbackBehavior,
    ForwardedIpConfig, ManagedRuleGroupStatement, NoneAction, OverrideAction, RateBasedStatement,
    RateBasedStatementAggregateKeyType, Rule, RuleAction, RuleActionOverride, Statement, VisibilityConfig,
};
use aws_smithy_types::error::operation::BuildError;

use super::scope_down::{ScopeDown, any};
use super::sets::{Missing, Sets};
use super::spec::{AclSpec, ManagedSpec, NetworkSpec, Priority, RateSpec, ResponseSpec, RuleWord};
use super::words::{Action, Mode};

/// The live rules with the declared ones in them, in the order in which they run.
pub fn merged(live: &[Rule], spec: &AclSpec, sets: &dyn Sets) -> Result<Vec<Rule>, Missing> {
    let mut all = live.to_vec();
    let mut put = |rule: Rule| match all.iter_mut().find(|one| one.name == rule.name) {
        Some(old) => *old = rule,
        None => all.push(rule),
    };
    for (name, one) in &spec.networks {
        put(network(live.iter().find(|rule| rule.name == *name), name, one, spec, sets)?);
    }
    for (name, one) in &spec.rates {
        put(rate(live.iter().find(|rule| rule.name == *name), name, one, spec, sets)?);
    }
    for (group, one) in &spec.managed {
        put(managed(find(live, group, one.vendor.as_deref()), group, one, spec, sets)?);
    }
    // What is said of metrics and samples holds for every rule, whoever made it.
    for rule in &mut all {
        rule.visibility_config = Some(visible(rule.visibility_config.as_ref(), &rule.name, spec)?);
    }
    all.sort_by_key(|rule| rule.priority);
    Ok(all)
}

/// The rule with this group, whatever it is called. The first, where there are several.
pub fn find<'r>(live: &'r [Rule], group: &str, vendor: Option<&str>) -> Option<&'r Rule> {
    live.iter().find(|rule| {
        let statement = rule.statement.as_ref().and_then(|one| one.managed_rule_group_statement.as_ref());
        statement.is_some_and(|one| one.name == group && one.vendor_name == vendor.unwrap_or("AWS"))
    })
}

/// What a rule of either kind is made of.
struct Parts {
    statement: Statement,
    action: Option<RuleAction>,
    override_action: Option<OverrideAction>,
    priority: Option<Priority>,
}

fn rule(live: Option<&Rule>, name: &str, parts: Parts, acl: &AclSpec) -> Result<Rule, Missing> {
    let priority = parts.priority.map(|priority| i32::try_from(priority.get()).unwrap_or(i32::MAX));
    let mut rule = match live {
        Some(live) => live.clone(),
        None => Rule::builder()
            .name(name)
            .priority(priority.unwrap_or_default())
            .statement(parts.statement.clone())
            .visibility_config(visible(None, name, acl)?)
            .build()?,
    };
    rule.priority = priority.unwrap_or(rule.priority);
    rule.statement = Some(parts.statement);
    rule.action = parts.action;
    rule.override_action = parts.override_action;
    Ok(rule)
}

/// Metrics and samples: as declared, as they are, or on.
pub fn visible(
    live: Option<&VisibilityConfig>,
    name: &str,
    spec: &AclSpec,
) -> Result<VisibilityConfig, BuildError> {
    let metrics = spec.metrics.or(live.map(|live| live.cloud_watch_metrics_enabled));
    let samples = spec.sampled_requests.or(live.map(|live| live.sampled_requests_enabled));
    VisibilityConfig::builder()
        .cloud_watch_metrics_enabled(metrics.unwrap_or(true))
        .sampled_requests_enabled(samples.unwrap_or(true))
        .metric_name(live.map_or(name, |live| live.metric_name.as_str()))
        .build()
}

fn managed(
    live: Option<&Rule>,
    group: &str,
    spec: &ManagedSpec,
    acl: &AclSpec,
    sets: &dyn Sets,
) -> Result<Rule, Missing> {
    let own = live.and_then(|rule| rule.statement.as_ref()?.managed_rule_group_statement.clone());
    let mut statement = match own {
        Some(statement) => statement,
        None => ManagedRuleGroupStatement::builder()
            .vendor_name(spec.vendor.as_deref().unwrap_or("AWS"))
            .name(group)
            .build()?,
    };
    if let Some(version) = &spec.version {
        statement.version = version.pinned().map(str::to_owned);
    }
    let mut overrides = statement.rule_action_overrides.take().unwrap_or_default();
    for (name, action) in &spec.overrides {
        if let Some(excluded) = &mut statement.excluded_rules {
            excluded.retain(|rule| rule.name != *name);
        }
        let at = overrides.iter().position(|one| one.name == *name);
        match (action, at) {
            (Action::None, at) => drop(at.map(|at| overrides.remove(at))),
            (action, Some(at)) => {
                overrides[at].action_to_use = action_to(overrides[at].action_to_use.as_ref(), *action);
            }
            (action, None) => {
                let one = RuleActionOverride::builder().name(name);
                overrides.push(one.set_action_to_use(action_to(None, *action)).build()?);
            }
        }
    }
    statement.excluded_rules = statement.excluded_rules.filter(|rules| !rules.is_empty());
    statement.rule_action_overrides = (!overrides.is_empty()).then_some(overrides);
    statement.scope_down_statement =
        scoped(spec.scope_down.as_ref(), statement.scope_down_statement.take(), sets)?;
    let over = live.and_then(|rule| rule.override_action.clone());
    let parts = Parts {
        statement: Statement::builder().managed_rule_group_statement(statement).build(),
        action: None,
        override_action: Some(match (spec.mode, over) {
            (Some(mode), over) if over.as_ref().and_then(mode_of) != Some(mode) => override_to(mode),
            (_, Some(over)) => over,
            (_, None) => override_to(Mode::Count),
        }),
        priority: spec.priority,
    };
    rule(live, group, parts, acl)
}

fn override_to(mode: Mode) -> OverrideAction {
    let action = OverrideAction::builder();
    match mode {
        Mode::Count => action.count(CountAction::builder().build()),
        Mode::Enforce => action.none(NoneAction::builder().build()),
    }
    .build()
}

/// What an override action means.
pub fn mode_of(action: &OverrideAction) -> Option<Mode> {
    match (&action.count, &action.none) {
        (Some(_), None) => Some(Mode::Count),
        (None, Some(_)) => Some(Mode::Enforce),
        _ => None,
    }
}

/// What is declared of a scope-down statement, within the live one; one that cannot be told in our words is replaced.
fn scoped(
    declared: Option<&ScopeDown>,
    live: Option<Box<Statement>>,
    sets: &dyn Sets,
) -> Result<Option<Box<Statement>>, Missing> {
    let Some(declared) = declared.filter(|declared| **declared != ScopeDown::default()) else {
        return Ok(live);
    };
    let known = ScopeDown::of(live.as_deref(), sets.lists()).unwrap_or_default();
    Ok(declared.over(known).statement(sets)?.map(Box::new))
}

fn network(
    live: Option<&Rule>,
    name: &str,
    spec: &NetworkSpec,
    acl: &AclSpec,
    sets: &dyn Sets,
) -> Result<Rule, Missing> {
    let declared = spec.lists.as_ref().map(|lists| sets.statements(lists)).transpose()?;
    let statement = match declared {
        Some(statements) => any(statements)?,
        None => live.and_then(|rule| rule.statement.clone()),
    };
    let statement = statement.ok_or_else(|| Missing::Statement(format!("`{name}` says no lists")))?;
    let action = live.and_then(|rule| rule.action.as_ref());
    let action = acts(action, spec.action, spec.response.as_ref())?;
    rule(live, name, Parts { statement, action, override_action: None, priority: spec.priority }, acl)
}

fn rate(
    live: Option<&Rule>,
    name: &str,
    spec: &RateSpec,
    acl: &AclSpec,
    sets: &dyn Sets,
) -> Result<Rule, Missing> {
    let own = live.and_then(|rule| rule.statement.as_ref()?.rate_based_statement.clone());
    let limit = spec.limit.map(|limit| i64::from(limit.get()));
    let mut statement = match own {
        Some(statement) => statement,
        None => RateBasedStatement::builder()
            .limit(limit.ok_or_else(|| Missing::Statement(format!("`{name}` says no limit")))?)
            .evaluation_window_sec(i64::from(super::words::Window::USUAL.get()))
            .aggregate_key_type(RateBasedStatementAggregateKeyType::Ip)
            .build()?,
    };
    statement.limit = limit.unwrap_or(statement.limit);
    if let Some(window) = spec.window {
        statement.evaluation_window_sec = i64::from(window.get());
    }
    if let Some(header) = &spec.forwarded_header {
        statement.custom_keys = None;
        (statement.aggregate_key_type, statement.forwarded_ip_config) = match header.name() {
            None => (RateBasedStatementAggregateKeyType::Ip, None),
            Some(header) => {
                // A request without the header has no address to count: it is left to the other rules.
                let fallback = statement.forwarded_ip_config.map(|live| live.fallback_behavior);
                let config = ForwardedIpConfig::builder()
                    .header_name(header)
                    .fallback_behavior(fallback.unwrap_or(FallbackBehavior::NoMatch));
                (RateBasedStatementAggregateKeyType::ForwardedIp, Some(config.build()?))
            }
        };
    }
    statement.scope_down_statement =
        scoped(spec.scope_down.as_ref(), statement.scope_down_statement.take(), sets)?;
    let action = acts(live.and_then(|rule| rule.action.as_ref()), spec.action, spec.response.as_ref())?;
    let statement = Statement::builder().rate_based_statement(statement).build();
    rule(live, name, Parts { statement, action, override_action: None, priority: spec.priority }, acl)
}

/// What a rule does: as declared, as it is, or counting. A response belongs to blocking alone.
fn acts(
    live: Option<&RuleAction>,
    declared: Option<RuleWord>,
    response: Option<&ResponseSpec>,
) -> Result<Option<RuleAction>, Missing> {
    let mut action = match declared {
        Some(word) => action_to(live, word.into()),
        None => live.cloned().or_else(|| action_to(None, Action::Count)),
    };
    if let (Some(block), Some(response)) = (action.as_mut().and_then(|one| one.block.as_mut()), response) {
        block.custom_response = answers(block.custom_response.take(), response)?;
    }
    Ok(action)
}

fn answers(live: Option<CustomResponse>, spec: &ResponseSpec) -> Result<Option<CustomResponse>, BuildError> {
    if spec.status.is_none() && spec.body.is_none() {
        return Ok(live);
    }
    let status = spec.status.map(|status| i32::try_from(status.get()).unwrap_or(403));
    let mut whole = match live {
        Some(live) => live,
        None => CustomResponse::builder().response_code(403).build()?,
    };
    whole.response_code = status.unwrap_or(whole.response_code);
    if let Some(body) = &spec.body {
        whole.custom_response_body_key = Some(body.clone()).filter(|key| key != "none");
    }
    Ok(Some(whole))
}

/// The action; the live one with all its settings where it is the same. `None` is no action.
fn action_to(live: Option<&RuleAction>, action: Action) -> Option<RuleAction> {
    if live.and_then(action_of) == Some(action) {
        return live.cloned();
    }
    let made = RuleAction::builder();
    Some(
        match action {
            Action::Allow => made.allow(AllowAction::builder().build()),
            Action::Block => made.block(BlockAction::builder().build()),
            Action::Count => made.count(CountAction::builder().build()),
            Action::Captcha => made.captcha(CaptchaAction::builder().build()),
            Action::Challenge => made.challenge(ChallengeAction::builder().build()),
            Action::None => return None,
        }
        .build(),
    )
}

/// What an action is; `None` for one that this build does not know.
pub fn action_of(action: &RuleAction) -> Option<Action> {
    match action {
        RuleAction { allow: Some(_), .. } => Some(Action::Allow),
        RuleAction { block: Some(_), .. } => Some(Action::Block),
        RuleAction { count: Some(_), .. } => Some(Action::Count),
        RuleAction { captcha: Some(_), .. } => Some(Action::Captcha),
        RuleAction { challenge: Some(_), .. } => Some(Action::Challenge),
        _ => None,
    }
}
