use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::control::{Need, Risk, Verdict};
use crate::desired::{AccountStanding, DesiredControl};
use crate::report::fixture::{self, ARCHIVE, PAYMENTS};

const HOME: &str = "eu-west-1";
const OTHER: &str = "us-east-1";

fn payments() -> DesiredAccount {
    DesiredAccount {
        id: fixture::account(PAYMENTS),
        name: "prod-payments".into(),
        seats: BTreeSet::new(),
        labels: BTreeMap::new(),
        listed: None,
        state: AccountStanding::Managed,
        home: Region::new(HOME),
        managed: Managed::Listed(vec![Region::new(HOME), Region::new(OTHER)]),
        except: BTreeMap::new(),
        suspend: None,
        controls: Arc::default(),
        notifications: Vec::new(),
        wave: None,
    }
}

/// One call with these parameters, planned by a control in a region.
fn item(control: &str, region: &str, call: &str, action: Value) -> Item {
    let change = Change::update(Vec::new(), vec![fixture::step(call, "do it", action)]);
    fixture::item(PAYMENTS, region, control, "one", Verdict::Change(change))
}

fn with_change(mut item: Item, edit: impl FnOnce(&mut Change<Step>)) -> Item {
    if let Verdict::Change(change) = &mut item.finding.verdict {
        edit(change);
    }
    item
}

fn judged(item: &Item) -> Option<String> {
    let (account, home) = (payments(), Region::new(HOME));
    let meta = controls::find(&item.control).map(|control| control.meta());
    outside_of(item, &Bounds { scope: &item.scope, account: &account, archive: Some(&home), meta })
}

fn topic(region: &str, account: &str) -> Thing {
    Thing::Topic { account: fixture::account(account), region: Region::new(region), name: "alerts".into() }
}

#[test]
fn a_change_of_a_region_is_let_go() {
    let set = |action| item("sns.topics", OTHER, "sns:SetTopicAttributes", action);
    assert_eq!(judged(&set(json!({"setAttribute": {"name": "alerts"}}))), None);
    let arn =
        json!({"key": format!("arn:aws:kms:{OTHER}:{PAYMENTS}:key/1"), "role": "arn:aws:iam::1:role/x"});
    assert_eq!(judged(&set(arn)), None);
    let made = with_change(set(json!({})), |change| change.makes = vec![topic(OTHER, PAYMENTS)]);
    assert_eq!(judged(&made), None);
    // The role is the account's, and its control says so.
    assert_eq!(judged(&item("events.finding-rules", HOME, "iam:CreateRole", json!("trust"))), None);
    assert_eq!(judged(&item("config.recorder", OTHER, "iam:CreateServiceLinkedRole", json!("role"))), None);
    // An account-wide control is about the account.
    assert_eq!(judged(&item("iam.password-policy", "", "iam:UpdateAccountPasswordPolicy", json!({}))), None);
}

#[test]
fn a_call_without_a_region_is_for_the_home_region() {
    let why = judged(&item("events.finding-rules", OTHER, "iam:CreateRole", json!({})));
    assert_eq!(
        why.as_deref(),
        Some("calls iam:CreateRole, which reaches every region and is for the home region, eu-west-1")
    );
    let why = judged(&item("not.listed", HOME, "iam:CreateRole", json!({})));
    assert_eq!(
        why.as_deref(),
        Some("calls iam:CreateRole, which reaches every region, and its control does not say so")
    );
    let why = judged(&item("sns.topics", OTHER, "iam:CreateRole", json!({})));
    assert_eq!(why.as_deref(), Some("calls iam:CreateRole, which its control does not declare"));
}

#[test]
fn what_is_made_stands_in_its_own_region_and_account() {
    let making = |thing| {
        let create = item("sns.topics", OTHER, "sns:CreateTopic", json!({}));
        judged(&with_change(create, |change| change.makes = vec![thing]))
    };
    assert_eq!(making(topic(HOME, PAYMENTS)).as_deref(), Some("would make topic alerts in eu-west-1"));
    assert_eq!(
        making(topic(OTHER, ARCHIVE)).as_deref(),
        Some("would make topic alerts in another account, 444455556666")
    );
    let enable =
        item("guardduty.administrator", OTHER, "guardduty:EnableOrganizationAdminAccount", json!({}));
    let detector = Thing::Detector { account: fixture::account(ARCHIVE), region: Region::new(OTHER) };
    let making_it = |risk| {
        let (enable, detector) = (enable.clone(), detector.clone());
        judged(&with_change(enable, |change| {
            change.makes = vec![detector];
            change.risk = risk;
        }))
    };
    assert_eq!(making_it(Risk::Organization), None, "it is asked for by name");
    assert!(making_it(Risk::Safe).is_some());
    let role = Thing::Role { account: fixture::account(PAYMENTS), name: "r".into() };
    assert_eq!(making(role.clone()).as_deref(), Some("would make role r, which an account has once"));
    let create = item("events.finding-rules", HOME, "iam:CreateRole", json!({}));
    assert_eq!(judged(&with_change(create, |change| change.makes = vec![role])), None);
}

#[test]
fn what_is_sent_names_no_other_region() {
    let put = |action| item("sns.topics", OTHER, "sns:SetTopicAttributes", action);
    for (action, named) in [
        (json!({"subscribe": {"endpoint": "arn:aws:sqs:ap-south-1:111122223333:q"}}), Some("ap-south-1")),
        (json!({"link": {"regions": [OTHER, "sa-east-1"]}}), Some("sa-east-1")),
        (json!({"link": {"homeRegion": "sa-east-1"}}), Some("sa-east-1")),
        // A policy, a pattern, and a filter are about others.
        (json!({"policy": [{"Effect": "Allow", "Resource": "arn:aws:sns:sa-east-1:1:t"}]}), None),
        (json!({"arn": "arn:aws:logs:*:111122223333:*"}), None),
        (json!({"criteria": {"region": {"eq": ["sa-east-1"]}}}), None),
        // The home region, where findings are sent to.
        (json!({"bus": "arn:aws:events:eu-west-1:111122223333:event-bus/default"}), None),
    ] {
        let wanted =
            named.map(|region| format!("names {region} in what it sends with sns:SetTopicAttributes"));
        assert_eq!(judged(&put(action.clone())), wanted, "{action}");
    }
    let mut needs = put(json!({"arn": "arn:aws:sns:ap-south-1:111122223333:alerts"}));
    assert!(judged(&needs).is_some());
    needs.needs = [Need::hard(topic("ap-south-1", PAYMENTS))].into();
    assert_eq!(judged(&needs), None);
}

#[test]
fn what_the_documents_name_may_be_sent() {
    let queue = json!({"queue": "https://sqs.ap-south-1.amazonaws.com/111122223333/hints"});
    let declared = DesiredControl::fixed(Arc::new(queue));
    let controls = Arc::new(BTreeMap::from([("events.hints".to_owned(), declared)]));
    let account = DesiredAccount { controls, ..payments() };
    let judged = |item: &Item| {
        let meta = controls::find(&item.control).map(|control| control.meta());
        outside_of(item, &Bounds { scope: &item.scope, account: &account, archive: None, meta })
    };
    let bus = |region| json!({"target": {"to": {"home": {"region": region}}}});
    assert_eq!(judged(&item("events.hints", OTHER, "events:PutTargets", bus("ap-south-1"))), None);
    let why = judged(&item("events.hints", OTHER, "events:PutTargets", bus("sa-east-1")));
    assert_eq!(why.as_deref(), Some("names sa-east-1 in what it sends with events:PutTargets"));
    let why = judged(&item("events.finding-rules", OTHER, "events:PutTargets", bus("ap-south-1")));
    assert!(why.is_some(), "another control's words are not its own");
    // The role is made in the queue's region, which need not be the account's home.
    assert_eq!(judged(&item("events.hints", OTHER, "iam:CreateRole", json!({"queue": "…"}))), None);
}

#[test]
fn a_change_stands_where_its_control_runs() {
    let mut moved = item("sns.topics", OTHER, "sns:SetTopicAttributes", json!({}));
    moved.scope.region = Region::new(HOME);
    assert_eq!(judged(&moved).as_deref(), Some("is shown as one of us-east-1"));
    let unmanaged = item("sns.topics", "sa-east-1", "sns:SetTopicAttributes", json!({}));
    assert_eq!(judged(&unmanaged).as_deref(), Some("is of a region that is not managed"));
    let policy = item("iam.password-policy", OTHER, "iam:UpdateAccountPasswordPolicy", json!({}));
    assert_eq!(judged(&policy).as_deref(), Some("belongs into eu-west-1, where its control runs"));
}
