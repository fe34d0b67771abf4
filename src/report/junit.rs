//! A plan as test results: one suite for each account, one case for each finding. What is left to do is a failure,
//! what is not known an error, what is left alone is skipped.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::plan::{AccountState, Item, Outcome, Plan, PlannedAccount};

use super::escape::escape;
use super::fold::Block;
use super::line;

/// The whole document. What is in sync is a case only where it was kept: `--show in-sync`.
pub fn plan(plan: &Plan) -> String {
    let mut report = Report::new("baseline plan");
    for account in &plan.accounts {
        let mut suite = TestSuite::new(shown(&account.name));
        if let Some(case) = unreached(account) {
            suite.add_test_case(case);
        }
        let own = |item: &&Item| item.selected && item.scope.account == account.id;
        suite.add_test_cases(plan.items.iter().filter(own).map(case));
        report.add_test_suite(suite);
    }
    report.to_string().expect("names are escaped before they become XML")
}

fn shown(text: &str) -> String {
    escape(text).into_owned()
}

fn case(item: &Item) -> TestCase {
    let place = item.region.as_ref().map_or_else(String::new, |region| format!(" in {region}"));
    let mut case = TestCase::new(
        shown(&format!("{}/{} {}{place}", item.control, item.finding.rule, item.finding.resource)),
        status(item),
    );
    case.set_classname(shown(&item.control));
    case
}

fn status(item: &Item) -> TestCaseStatus {
    let said = shown(&line::said(&Block::of(item)));
    let mut status = match &item.outcome {
        Outcome::InSync => return TestCaseStatus::success(),
        Outcome::Change | Outcome::Manual | Outcome::Blocked { .. } | Outcome::ObserveOnly => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Outcome::Unknown => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::Progressing | Outcome::Excepted { .. } | Outcome::Foreign | Outcome::NotOffered => {
            TestCaseStatus::skipped()
        }
    };
    status.set_message(said);
    if !matches!(status, TestCaseStatus::Skipped { .. }) {
        status.set_type(item.outcome.word());
    }
    status
}

fn unreached(account: &PlannedAccount) -> Option<TestCase> {
    let why = match &account.state {
        AccountState::Reached => return None,
        AccountState::Unreachable { fault } => fault.to_string(),
        AccountState::Refused { why } => why.clone(),
        AccountState::NotTried { why } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(shown(why));
            return Some(TestCase::new("account", status));
        }
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(shown(&why));
    Some(TestCase::new("account", status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn two_accounts() {
        insta::assert_snapshot!(plan(&fixture::two_accounts()));
    }

    #[test]
    fn figures_add_up_and_an_account_without_a_session_is_an_error() {
        let xml = plan(&fixture::five_hundred());
        assert!(
            xml.contains(r#"name="training-7" tests="1" skipped="0" errors="1" failures="0""#),
            "{}",
            &xml[..400]
        );
        assert!(xml.contains(r#"failures="7004""#));
    }
}
