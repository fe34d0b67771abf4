//! The organisation's trail: its own name, its risk, and who leaves it alone.

use super::super::organization::{Live, OrganizationTrail, Write as OrganizationWrite};
use super::*;
use crate::control::AwsWrite as _;

/// The management account at home.
fn management() -> Facts {
    let mut facts = facts();
    facts.organization.as_mut().unwrap().seats.insert(Seat::Management, ACCOUNT.parse().unwrap());
    facts
}

fn plan_of(spec: Value, observed: Observed, trusted: bool) -> Vec<Finding<OrganizationWrite>> {
    let spec = serde_json::from_value(spec).unwrap();
    OrganizationTrail.plan(&management(), &known(), &spec, &Live { trail: observed, trusted })
}

fn of<'a>(found: &'a [Finding<OrganizationWrite>], rule: &str) -> &'a Change<OrganizationWrite> {
    let finding = found.iter().find(|finding| finding.rule == rule);
    finding.and_then(Finding::change).unwrap_or_else(|| panic!("{rule}: {found:?}"))
}

#[test]
fn trust_is_given_before_the_trail_is_made_and_both_reach_everybody() {
    let found = plan_of(recommended(), Observed::default(), false);
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["trusted-access", "trail"]);
    assert!(found.iter().all(|finding| finding.resource == "baseline-organization"), "one after the other");
    assert_eq!(of(&found, "trusted-access").steps, [OrganizationWrite::EnableAccess]);
    let made = of(&found, "trail");
    assert_eq!((made.risk, of(&found, "trusted-access").risk), (Risk::Organization, Risk::Organization));
    let calls: Vec<&str> = made.steps.iter().map(|step| step.call().operation).collect();
    assert!(calls.contains(&"cloudtrail:CreateTrail"), "{calls:?}");
    let sent = serde_json::to_value(&made.steps).unwrap().to_string();
    assert!(sent.contains(r#""organization":true"#), "{sent}");
}

#[test]
fn a_trail_of_the_management_account_becomes_the_organisations() {
    let found = plan_of(recommended(), seen(live()), true);
    let turned = of(&found, "trail");
    assert_eq!(turned.fields, [Field::new("/organizationTrail", false, true)]);
    assert_eq!(turned.risk, Risk::Organization);
    let all = Trail { organization: true, ..live() };
    let found = plan_of(recommended(), seen(all.clone()), true);
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");

    let stopped = plan_of(recommended(), seen(Trail { logging: false, ..all }), true);
    assert_eq!(of(&stopped, "logging").risk, Risk::Organization);
    assert!(plan_of(json!({}), seen(live()), false).is_empty());
}

#[test]
fn taking_it_away_from_the_members_reaches_them_whoever_declares_it() {
    let mut spec = recommended();
    spec["organizationTrail"] = json!(false);
    let all = seen(Trail { organization: true, ..live() });
    let change = change(plan_with(&management(), spec, &all), "trail");
    assert_eq!((change.risk, change.direction), (Risk::Organization, Direction::Weakens));
}
