mod wire;

use std::collections::BTreeMap;

use jiff::civil::date;
use serde_json::json;

use super::live::Seen;
use super::write::{Target, exception_of, note, reopened_of};
use super::*;
use crate::control::{Change, Direction, Exempt, Verdict};
use crate::controls::tests::facts;

fn exempt(name: &str, resources: &[&str]) -> Exempt {
    Exempt {
        name: name.into(),
        control: "ecr.repositories".into(),
        rule: Some("scan-on-push".into()),
        resources: resources.iter().map(|one| (*one).to_owned()).collect(),
        resource_tags: BTreeMap::new(),
        suppresses: ["ECR.1".to_owned()].into(),
        reason: "gone with the rewrite".into(),
        owner: "team@acme.example".into(),
        approver: "ciso@acme.example".into(),
        ticket: Some("SEC-412".into()),
        expires: date(2027, 3, 31),
    }
}

fn signed(exempt: Vec<Exempt>) -> Facts {
    Facts { exempt, ..facts() }
}

fn seen(control: &str, repository: &str, exception: Option<&str>) -> Seen {
    Seen {
        control: control.into(),
        resource: format!("arn:aws:ecr:eu-west-1:111122223333:repository/{repository}"),
        tags: BTreeMap::new(),
        exception: exception.map(str::to_owned),
        note: exception.map(|name| note(&exempt(name, &["legacy-*"]))),
        reopened: None,
    }
}

fn live(mut findings: Vec<Seen>) -> Live {
    findings.sort();
    Live { enabled: true, findings }
}

fn spec(excepted: Option<Excepted>) -> SuppressionsSpec {
    SuppressionsSpec { excepted }
}

fn planned(facts: &Facts, excepted: Excepted, live: &Live) -> Vec<Finding<Write>> {
    Suppressions.plan(facts, &Known::default(), &spec(Some(excepted)), live)
}

fn change(finding: &Finding<Write>) -> &Change<Write> {
    let Verdict::Change(change) = &finding.verdict else { panic!("{finding:?}") };
    change
}

fn target(repository: &str) -> Target {
    Target { control: "ECR.1".into(), resource: format!("repository/{repository}") }
}

#[test]
fn open_findings_of_an_exception_are_suppressed_with_its_reason_and_its_note() {
    let facts = signed(vec![exempt("legacy-images", &["legacy-*"])]);
    let live = live(vec![
        seen("ECR.1", "legacy-tax", None),
        seen("ECR.1", "legacy-billing", None),
        seen("ECR.1", "web", None),
        seen("ECR.2", "legacy-billing", None),
    ]);
    let [finding] = &planned(&facts, Excepted::Suppressed, &live)[..] else { panic!() };
    assert_eq!((finding.resource.as_str(), finding.rule.as_str()), ("legacy-images", "suppressed"));
    let change = change(finding);
    assert_eq!(change.direction, Direction::Weakens);
    let reason = "gone with the rewrite (exception legacy-images, approved by ciso@acme.example)";
    assert_eq!(change.reason.as_deref(), Some(reason));
    assert_eq!(change.fields, [Field::new("/excepted", "NEW", "SUPPRESSED")]);
    let [Write::Suppress { note, findings }] = &change.steps[..] else { panic!("{:?}", change.steps) };
    assert_eq!(findings[..], [target("legacy-billing"), target("legacy-tax")]);
    assert_eq!(
        note,
        "baseline exception `legacy-images`, SEC-412, until 2027-03-31: gone with the rewrite (owner \
         team@acme.example, approved by ciso@acme.example)"
    );
    assert_eq!(exception_of(note), Some("legacy-images"));
    assert!(!json!(change.steps).to_string().contains("arn:"));
}

#[test]
fn what_no_exception_is_about_any_more_is_opened_again_and_nothing_else() {
    let facts = signed(vec![exempt("legacy-images", &["legacy-*"])]);
    let live = live(vec![
        seen("ECR.1", "legacy-tax", Some("legacy-images")),
        // Its own exception has ended, and another one is about it.
        seen("ECR.1", "legacy-billing", Some("older")),
        seen("ECR.1", "web", Some("older")),
    ]);
    let findings = planned(&facts, Excepted::Suppressed, &live);
    let [holds, noted, ended] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(holds.verdict, Verdict::InSync);
    // It is suppressed for another one now, and says so.
    let Write::Note { note: anew, findings } = &change(noted).steps[0] else { panic!("{noted:?}") };
    assert_eq!(findings[..], [target("legacy-billing")]);
    assert_eq!(exception_of(anew), Some("legacy-images"));
    assert_eq!((ended.resource.as_str(), ended.rule.as_str()), ("older", "reopened"));
    let change = change(ended);
    assert_eq!(change.direction, Direction::Strengthens);
    let reopen = Write::Reopen { exception: "older".into(), findings: vec![target("web")] };
    assert_eq!(change.steps, [reopen]);
    assert_eq!(change.fields, [Field::new("/excepted", "SUPPRESSED", "NEW")]);
}

#[test]
fn a_renewed_exception_writes_its_notes_anew_and_suppresses_nothing_twice() {
    let live = live((0..120).map(|n| seen("ECR.1", &format!("legacy-{n}"), Some("legacy-images"))).collect());
    let planned = |by: Exempt| planned(&signed(vec![by]), Excepted::Suppressed, &live);
    let same = planned(exempt("legacy-images", &["legacy-*"]));
    assert!(same.iter().all(|one| one.verdict == Verdict::InSync), "{same:?}");
    let renewed = Exempt {
        expires: date(2027, 9, 30),
        ticket: Some("SEC-500".into()),
        ..exempt("legacy-images", &["legacy-*"])
    };
    let findings = planned(renewed);
    let [suppressed, noted] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((suppressed.rule.as_str(), &suppressed.verdict), ("suppressed", &Verdict::InSync));
    assert_eq!(noted.rule, "noted");
    let change = change(noted);
    assert_eq!((change.direction, change.reason.as_ref()), (Direction::Neutral, None));
    let [field] = &change.fields[..] else { panic!("{:?}", change.fields) };
    assert!(
        field.before.as_str().is_some_and(|text| text.contains("SEC-412, until 2027-03-31")),
        "{field:?}"
    );
    assert!(field.after.as_str().is_some_and(|text| text.contains("SEC-500, until 2027-09-30")), "{field:?}");
    let sizes: Vec<usize> = change
        .steps
        .iter()
        .map(|step| match step {
            Write::Note { findings, .. } => findings.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sizes, [100, 20]);
}

/// So a look tells that it was done; somebody may suppress it by hand afterwards, and that stays.
#[test]
fn what_was_opened_again_is_in_sync_and_may_be_suppressed_anew() {
    let opened = || Seen { reopened: Some("older".into()), ..seen("ECR.1", "web", None) };
    let [finding] = &planned(&signed(Vec::new()), Excepted::Suppressed, &live(vec![opened()]))[..] else {
        panic!()
    };
    assert_eq!((finding.resource.as_str(), &finding.verdict), ("older", &Verdict::InSync));
    let facts = signed(vec![exempt("newer", &["web"])]);
    let findings = planned(&facts, Excepted::Suppressed, &live(vec![opened()]));
    assert!(matches!(&findings[0].verdict, Verdict::Change(_)), "{findings:?}");
}

#[test]
fn new_opens_whatever_was_suppressed_here() {
    let facts = signed(vec![exempt("legacy-images", &["legacy-*"])]);
    let live =
        live(vec![seen("ECR.1", "legacy-tax", Some("legacy-images")), seen("ECR.1", "legacy-billing", None)]);
    let [finding] = &planned(&facts, Excepted::New, &live)[..] else { panic!() };
    assert_eq!(finding.rule, "reopened");
    assert_eq!(Suppressions.ask(&facts, &spec(Some(Excepted::New))), Ask::default());
    assert!(Suppressions.plan(&facts, &Known::default(), &spec(None), &live).is_empty());
}

#[test]
fn what_is_not_declared_and_where_there_is_no_hub_nothing_is_said_to_be_in_sync() {
    let facts = signed(vec![exempt("legacy-images", &["legacy-*"])]);
    let [finding] = &planned(&facts, Excepted::Suppressed, &Live::default())[..] else { panic!() };
    assert!(matches!(&finding.verdict, Verdict::NotOffered { .. }), "{finding:?}");
    let [nothing] = &planned(&signed(Vec::new()), Excepted::Suppressed, &live(Vec::new()))[..] else {
        panic!()
    };
    assert_eq!(nothing.verdict, Verdict::InSync);
}

#[test]
fn a_resource_goes_by_its_arn_and_its_name_and_the_account_only_where_none_is_named() {
    let means = |resource: &str, names: &[&str]| {
        let finding = Seen { resource: resource.into(), ..seen("ECR.1", "", None) };
        let found = planned(&signed(vec![exempt("x", names)]), Excepted::Suppressed, &live(vec![finding]));
        matches!(found[0].verdict, Verdict::Change(_))
    };
    let arn = "arn:aws:ecr:eu-west-1:111122223333:repository/payments/web";
    assert!(means(arn, &["payments/web"]) && means(arn, &["repository/payments/*"]) && means(arn, &[arn]));
    assert!(!means(arn, &["web"]) && means(arn, &[]));
    assert!(means("arn:aws:s3:::logs", &["logs"]));
    let account = "AWS::::Account:111122223333";
    assert!(means(account, &[]) && means(account, &["111122223333"]) && !means(account, &["detector"]));
}

#[test]
fn tags_are_those_that_security_hub_tells() {
    let by_tag = Exempt {
        resource_tags: [("stage".to_owned(), vec!["legacy".to_owned()])].into(),
        ..exempt("x", &[])
    };
    let tagged =
        Seen { tags: [("stage".to_owned(), "legacy".to_owned())].into(), ..seen("ECR.1", "a", None) };
    let found =
        planned(&signed(vec![by_tag]), Excepted::Suppressed, &live(vec![tagged, seen("ECR.1", "b", None)]));
    let [Write::Suppress { findings, .. }] = &change(&found[0]).steps[..] else { panic!() };
    assert_eq!(findings[..], [target("a")]);
}

#[test]
fn a_call_takes_a_hundred_findings_and_of_several_exceptions_the_last_to_end_is_told() {
    let later = Exempt { expires: date(2027, 6, 30), ..exempt("later", &["*"]) };
    let facts = signed(vec![exempt("a", &["*"]), later, exempt("b", &["*"])]);
    let all = (0..250).map(|n| seen("ECR.1", &format!("r-{n}"), None)).collect();
    let findings = planned(&facts, Excepted::Suppressed, &live(all));
    let open: Vec<&str> = findings
        .iter()
        .filter(|one| matches!(one.verdict, Verdict::Change(_)))
        .map(|one| one.resource.as_str())
        .collect();
    assert_eq!(open, ["later"]);
    let sizes: Vec<usize> = change(&findings[1])
        .steps
        .iter()
        .map(|step| match step {
            Write::Suppress { findings, .. }
            | Write::Note { findings, .. }
            | Write::Reopen { findings, .. } => findings.len(),
        })
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
}

#[test]
fn a_note_is_cut_where_security_hub_takes_no_more() {
    let long = Exempt { reason: "ü".repeat(600), ..exempt("legacy-images", &[]) };
    let note = note(&long);
    assert_eq!(note.chars().count(), 512);
    assert!(note.ends_with('…'));
    assert_eq!(exception_of(&note), Some("legacy-images"));
    let opened = "baseline: opened again, after the exception `legacy-images`";
    assert_eq!((exception_of(opened), reopened_of(opened)), (None, Some("legacy-images")));
    assert_eq!(exception_of("seen by jo"), None);
}

#[test]
fn the_inverse_says_what_was_before_and_needs_an_exception_to_suppress() {
    let inverse = |before, after| Suppressions.inverse("x", &[Field::new("/excepted", before, after)]);
    assert_eq!(inverse("NEW", "SUPPRESSED"), Some(spec(Some(Excepted::New))));
    assert_eq!(inverse("SUPPRESSED", "NEW"), Some(spec(Some(Excepted::Suppressed))));
    let opened = Seen { reopened: Some("ended".into()), ..seen("ECR.1", "web", None) };
    let found = planned(&signed(Vec::new()), Excepted::Suppressed, &live(vec![opened]));
    assert!(found.iter().all(|one| one.verdict == Verdict::InSync), "{found:?}");
}
