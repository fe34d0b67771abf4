//! Web ACLs.

use std::collections::HashMap;

use aws_sdk_wafv2::operation::create_web_acl::{CreateWebAclInput, CreateWebAclOutput};
use aws_sdk_wafv2::operation::get_web_acl::{GetWebAclInput, GetWebAclOutput};
use aws_sdk_wafv2::operation::list_web_acls::{ListWebAcLsInput, ListWebAcLsOutput};
use aws_sdk_wafv2::operation::update_web_acl::{UpdateWebAclInput, UpdateWebAclOutput};
use aws_sdk_wafv2::types::{
    CustomResponseBody, DefaultAction, ResponseContentType, Rule, Scope, WebAclSummary,
};

use super::super::operation::{Call, Refusal, complete, length_within};
use super::capacity::within_limits;
use super::rules::{Checking, visibility};
use super::{
    WebAcl, arn, description, duplicate, entity_name, invalid, nonexistent, outdated, page_after, scope, tags,
};

fn summary(one: &WebAcl) -> WebAclSummary {
    WebAclSummary::builder()
        .name(&one.acl.name)
        .id(&one.acl.id)
        .set_description(one.acl.description.clone())
        .lock_token(&one.lock_token)
        .arn(&one.arn)
        .build()
}

/// API reference, ListWebACLs.
pub(super) fn list(call: &mut Call<'_>, input: &ListWebAcLsInput) -> Result<ListWebAcLsOutput, Refusal> {
    let scope = scope(call, input.scope())?;
    let acls = call.here().waf.acls(&scope).iter();
    let told: Vec<_> = acls.map(|(name, one)| (name.clone(), summary(one))).collect();
    let (page, next) = page_after(&told, input.next_marker(), input.limit())?;
    Ok(ListWebAcLsOutput::builder().set_web_acls(Some(page)).set_next_marker(next).build())
}

/// API reference, GetWebACL: by name, id and scope together; by ARN alone it is not asked here.
pub(super) fn get(call: &mut Call<'_>, input: &GetWebAclInput) -> Result<GetWebAclOutput, Refusal> {
    if input.arn().is_some() {
        return Err(invalid("RESOURCE_ARN", "this world looks by name and id"));
    }
    let scope = scope(call, input.scope())?;
    let name = entity_name(input.name(), "WEB_ACL")?;
    let found = call.here().waf.acls(&scope).get(name).filter(|one| Some(one.acl.id.as_str()) == input.id());
    let one = found.ok_or_else(nonexistent)?;
    Ok(GetWebAclOutput::builder().web_acl(one.acl.clone()).lock_token(&one.lock_token).build())
}

/// What both CreateWebACL and UpdateWebACL look at; the capacity that the rules use.
fn check(
    call: &mut Call<'_>,
    scope: &Scope,
    action: Option<&DefaultAction>,
    bodies: Option<&HashMap<String, CustomResponseBody>>,
    rules: &[Rule],
) -> Result<i64, Refusal> {
    let none = HashMap::new();
    let bodies = match bodies {
        Some(bodies) if bodies.is_empty() => return Err(invalid("CUSTOM_RESPONSE_BODY", "none")),
        Some(bodies) => bodies,
        None => &none,
    };
    bodies.iter().try_for_each(|(key, body)| {
        entity_name(Some(key), "CUSTOM_RESPONSE_BODY")?;
        let typed = ResponseContentType::values().contains(&body.content_type.as_str());
        let fits = length_within(&body.content, 1, 10_240) && typed;
        if fits { Ok(()) } else { Err(invalid("CUSTOM_RESPONSE_BODY", key)) }
    })?;
    let keys: Vec<&String> = bodies.keys().collect();
    let mut checking = Checking::new(call, scope, &keys);
    match action.map(|action| (&action.allow, &action.block)) {
        Some((Some(_), None)) => {}
        Some((None, Some(block))) => checking.block(block)?,
        _ => return Err(invalid("DEFAULT_ACTION", "one of Allow and Block")),
    }
    checking.rules(rules)?;
    within_limits(call, rules)
}

/// API reference, CreateWebACL: a name is free or taken in its scope; 100 web ACLs (AWS WAF quotas).
pub(super) fn create(call: &mut Call<'_>, input: &CreateWebAclInput) -> Result<CreateWebAclOutput, Refusal> {
    let scope = scope(call, input.scope())?;
    let name = entity_name(input.name(), "WEB_ACL")?.to_owned();
    description(input.description())?;
    visibility(input.visibility_config())?;
    let tags = tags(input.tags.as_deref())?;
    let bodies = input.custom_response_bodies();
    let capacity = check(call, &scope, input.default_action(), bodies, input.rules())?;
    let acls = call.here().waf.acls(&scope);
    if acls.contains_key(&name) {
        return Err(duplicate());
    }
    if acls.len() >= 100 {
        return Err(Refusal::new(400, "WAFLimitsExceededException", "There are 100 web ACLs at most."));
    }
    let (id, lock_token) = (call.state.uuid(), call.state.uuid());
    let arn = arn(call, &scope, "webacl", &name, &id);
    let account = call.caller.account.clone();
    let acl = aws_sdk_wafv2::types::WebAcl::builder()
        .name(&name)
        .id(&id)
        .arn(&arn)
        .set_default_action(input.default_action.clone())
        .set_description(input.description.clone())
        .set_rules(Some(input.rules().to_vec()))
        .set_visibility_config(input.visibility_config.clone())
        .set_data_protection_config(input.data_protection_config.clone())
        .capacity(capacity)
        .managed_by_firewall_manager(false)
        .retrofitted_by_firewall_manager(false)
        .label_namespace(format!("awswaf:{account}:webacl:{name}:"))
        .set_custom_response_bodies(input.custom_response_bodies.clone())
        .set_captcha_config(input.captcha_config.clone())
        .set_challenge_config(input.challenge_config.clone())
        .set_token_domains(input.token_domains.clone())
        .set_association_config(input.association_config.clone())
        .set_on_source_d_do_s_protection_config(input.on_source_d_do_s_protection_config.clone())
        .set_application_config(input.application_config.clone())
        .set_monetization_config(input.monetization_config.clone());
    let one = WebAcl { arn, acl: complete(acl.build())?, lock_token, tags };
    let told = summary(&one);
    call.here().waf.acls(&scope).insert(name, one);
    Ok(CreateWebAclOutput::builder().summary(told).build())
}

/// API reference, UpdateWebACL: "completely replaces the mutable specifications", for whoever shows the token of
/// the last look. What Firewall Manager manages is its own.
pub(super) fn update(call: &mut Call<'_>, input: &UpdateWebAclInput) -> Result<UpdateWebAclOutput, Refusal> {
    let scope = scope(call, input.scope())?;
    let name = entity_name(input.name(), "WEB_ACL")?.to_owned();
    description(input.description())?;
    visibility(input.visibility_config())?;
    let found = call.here().waf.acls(&scope).get(&name);
    let one = found.filter(|one| Some(one.acl.id.as_str()) == input.id()).ok_or_else(nonexistent)?;
    if one.acl.managed_by_firewall_manager {
        return Err(Refusal::new(
            400,
            "WAFInvalidOperationException",
            "The web ACL is managed by Firewall Manager.",
        ));
    }
    if input.lock_token() != Some(&one.lock_token) {
        return Err(outdated());
    }
    let bodies = input.custom_response_bodies();
    let capacity = check(call, &scope, input.default_action(), bodies, input.rules())?;
    let next = call.state.uuid();
    if let Some(one) = call.here().waf.acls(&scope).get_mut(&name) {
        one.acl.default_action = input.default_action.clone();
        one.acl.description = input.description.clone();
        one.acl.rules = Some(input.rules().to_vec());
        one.acl.visibility_config = input.visibility_config.clone();
        one.acl.data_protection_config = input.data_protection_config.clone();
        one.acl.capacity = capacity;
        one.acl.custom_response_bodies = input.custom_response_bodies.clone();
        one.acl.captcha_config = input.captcha_config.clone();
        one.acl.challenge_config = input.challenge_config.clone();
        one.acl.token_domains = input.token_domains.clone();
        one.acl.association_config = input.association_config.clone();
        one.acl.on_source_d_do_s_protection_config = input.on_source_d_do_s_protection_config.clone();
        one.acl.application_config = input.application_config.clone();
        one.acl.monetization_config = input.monetization_config.clone();
        one.lock_token = next.clone();
    }
    Ok(UpdateWebAclOutput::builder().next_lock_token(next).build())
}
