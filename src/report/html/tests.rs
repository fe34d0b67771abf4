use jiff::civil::date;

use crate::apply::ApplyReport;
use crate::audit::Begun;
use crate::plan::Plan;
use crate::report::fixture;

use super::*;

fn at() -> Timestamp {
    "2026-11-26T10:03:00Z".parse().unwrap()
}

/// The body of the page, an element a line, without style and script.
fn body(page: &str) -> String {
    let (_, body) = page.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    let body = body.replace(env!("CARGO_PKG_VERSION"), "0.0.0");
    body.replace("><", ">\n<").trim().to_owned()
}

fn main_of(plan: &Plan) -> String {
    let context = fixture::context();
    let page = page(plan, &context, at(), None);
    body(&page)
}

#[test]
fn two_accounts_and_three_regions() {
    let mut plan = fixture::two_accounts();
    for account in &mut plan.accounts {
        account.in_sync = [("iam.password-policy".to_owned(), 1), ("waf.regional-acl".to_owned(), 3)].into();
    }
    insta::assert_snapshot!(main_of(&plan));
}

#[test]
fn five_hundred_accounts_are_two_rows_and_listed_once() {
    let page = main_of(&fixture::five_hundred());
    assert_eq!(page.matches("<tr data-a").count(), 3, "alike, closed, not tried");
    assert_eq!(page.matches("prod-411 ").count(), 1);
    assert!(
        page.contains("412 accounts</a>: prod-ledger, prod-orders, prod-payments and 409 more"),
        "{page}"
    );
    assert!(page.len() < 60_000, "{} bytes", page.len());
}

/// 1,000 accounts × 36 controls of which no two stand alike: the largest grid.
#[test]
fn a_thousand_accounts_that_are_all_different_are_two_megabytes_at_most() {
    let mut plan = fixture::two_accounts();
    let controls: Vec<String> = (0..36).map(|n| format!("service.control-{n:02}")).collect();
    plan.items.clear();
    plan.accounts = (0..1000_usize)
        .map(|n| {
            let id = format!("{:012}", 100_000_000_000_usize + n);
            let mut account = fixture::planned(&id, &format!("account-{n:04}"));
            for (place, control) in controls.iter().enumerate() {
                if place < 10 && n >> place & 1 == 1 {
                    let mut item = fixture::detector(&id, "eu-west-1");
                    item.control.clone_from(control);
                    plan.items.push(item);
                } else {
                    account.in_sync.insert(control.clone(), 2);
                }
            }
            account
        })
        .collect();
    let page = main_of(&plan);
    assert_eq!(page.matches("<tr data-a").count(), 1000);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

#[test]
fn in_sync_is_said_and_nothing_else() {
    let page = main_of(&fixture::in_sync());
    assert!(page.contains("<b>33</b> in sync"), "{page}");
    assert!(!page.contains("id=\"changes\""), "{page}");
}

#[test]
fn earlier_runs_are_told_with_what_became_of_each_change() {
    let plan = fixture::two_accounts();
    let applied = fixture::applied();
    let begun = |changes: &ApplyReport| Begun {
        run: changes.run.clone(),
        at: "2026-11-20T03:14:00Z".parse().unwrap(),
        caller: "arn:aws:sts::777766665555:assumed-role/baseline-runner/jo".into(),
        revision: Some("4f1c9e2".into()),
        digest: "sha256:9b1e".into(),
        changes: changes.changes.iter().map(|change| change.item.clone()).collect(),
    };
    let run =
        |id: &str, outcome: Option<ApplyReport>| Run { id: id.into(), begun: Ok(begun(&applied)), outcome };
    let unread =
        Run { id: "01JDB4N3W2".into(), begun: Err("expected value at line 1".into()), outcome: None };
    let runs = vec![run("01JDB4N3W1", None), run("01JDB4N3W0", Some(applied.clone())), unread];
    let record = Record {
        today: date(2026, 11, 26),
        exceptions: &[],
        attestations: &[],
        kept: Kept::Runs { runs, older: 7, place: ".audit".into() },
    };
    let context = fixture::context();
    let page = body(&page(&plan, &context, at(), Some(&record)));
    let (_, history) = page.split_once("id=\"history\"").unwrap();
    for said in [
        "? 10 changes: not known how it ended",
        "! 9 of 10 changes made and seen to hold",
        "not done, it had moved: enabled was false when planned and is true now",
        "its record cannot be read: expected value at line 1",
        "7 runs before these.",
        "2026-11-20 03:14 UTC",
    ] {
        assert!(history.contains(said), "{said} is not in {history}");
    }
}

#[test]
fn the_source_of_a_text_is_its_digest() {
    // The example of CSP Level 3, section 6.7.2.
    assert_eq!(source("alert('Hello, world.');"), "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
}
