//! Automation rules as SDK clients meet them.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AutomationRulesFindingFieldsUpdate, StringFilter, WorkflowStatus, WorkflowUpdate,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::super::World;
use super::super::super::sample::{PROD_PAYMENTS, SECURITY};
use super::super::super::tests::client;
use super::*;

const HOME: &str = "eu-west-1";

/// Security Hub of an account in a region, enabled.
async fn hub(world: &World, account: &str, region: &'static str) -> Client {
    let client = client!(aws_sdk_securityhub, world, account, region);
    client.enable_security_hub().enable_default_standards(false).send().await.expect("the first time");
    client
}

fn suppress() -> AutomationRulesAction {
    let workflow = WorkflowUpdate::builder().status(WorkflowStatus::Suppressed).build();
    AutomationRulesAction::builder()
        .r#type(AutomationRulesActionType::FindingFieldsUpdate)
        .finding_fields_update(AutomationRulesFindingFieldsUpdate::builder().workflow(workflow).build())
        .build()
}

fn low() -> AutomationRulesFindingFilters {
    let low = StringFilter::builder().value("LOW").comparison(StringFilterComparison::Equals).build();
    AutomationRulesFindingFilters::builder().severity_label(low).build()
}

/// Makes a rule: its ARN, or the code of the refusal.
async fn rule(client: &Client, name: &str, action: AutomationRulesAction) -> Result<String, String> {
    let call = client.create_automation_rule().rule_name(name).rule_order(1).description("d");
    match call.criteria(low()).actions(action).send().await {
        Ok(made) => Ok(made.rule_arn.unwrap_or_default()),
        Err(error) => Err(error.code().unwrap_or_default().to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn rules_come_in_pages_change_by_their_arn_and_are_a_hundred_at_most() {
    let world = World::acme();
    let client = hub(&world, SECURITY, HOME).await;
    let first = rule(&client, "one", suppress()).await.expect("a rule");
    for _ in 0..99 {
        rule(&client, "one", suppress()).await.expect("names are not unique");
    }
    assert_eq!(rule(&client, "more", suppress()).await, Err("LimitExceededException".to_owned()));
    let (mut seen, mut token, mut pages) = (0, None, 0);
    loop {
        let page = client
            .list_automation_rules()
            .max_results(100)
            .set_next_token(token)
            .send()
            .await
            .expect("a page");
        (seen, pages, token) = (seen + page.automation_rules_metadata().len(), pages + 1, page.next_token);
        if token.is_none() {
            break;
        }
    }
    assert!(seen == 100 && pages > 1, "{seen} on {pages} pages");

    let item = |arn: &str| UpdateAutomationRulesRequestItem::builder().rule_arn(arn);
    let changed = client
        .batch_update_automation_rules()
        .update_automation_rules_request_items(item(&first).rule_status(RuleStatus::Disabled).build())
        .update_automation_rules_request_items(item("arn:aws:securityhub:x").build())
        .send()
        .await
        .expect("a part of it");
    assert_eq!(changed.processed_automation_rules(), std::slice::from_ref(&first));
    assert_eq!(changed.unprocessed_automation_rules()[0].error_code(), Some(404));
    let got = client.batch_get_automation_rules().automation_rules_arns(&first).send().await.expect("told");
    let told = &got.rules()[0];
    assert_eq!(
        (told.rule_status(), told.rule_order()),
        (Some(&RuleStatus::Disabled), Some(1)),
        "what is not said stays"
    );
    assert_eq!(told.criteria(), Some(&low()));

    let none = client.create_automation_rule().rule_name("x").rule_order(0).description("d").criteria(low());
    let error = none.actions(suppress()).send().await.expect_err("an order of 1 to 1000");
    assert_eq!(error.code(), Some("InvalidInputException"));
}

#[tokio::test(start_paused = true)]
async fn members_leave_rules_to_their_administrator() {
    let world = World::acme();
    let client = hub(&world, PROD_PAYMENTS, HOME).await;
    world.region(PROD_PAYMENTS, HOME, |region| region.securityhub.administrator = Some(SECURITY.to_owned()));
    assert_eq!(rule(&client, "one", suppress()).await, Err("AccessDeniedException".to_owned()));
}
