//! What is kept, when it is told, and how it reads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::event::{Event, Said, Standing};
use super::kept::Kept;
use super::line::{Failed, Line, Pace};
use super::message::{Message, Parts};
use super::slack;
use crate::controller::schedule::after;
use crate::desired::{Channel, EventKind, Notification, Part, Placeholder, SecretFrom, Template};
use crate::place::Region;

fn at(minutes: u64) -> Timestamp {
    after("2026-11-26T10:00:00Z".parse().expect("a time"), Duration::from_secs(60 * minutes))
}

fn event(kind: EventKind, account: &str, message: &str) -> Event {
    Event {
        id: format!("{}-{account}-{message}", kind.word()),
        event: kind,
        account: Some("111122223333".into()),
        account_name: Some(account.into()),
        region: Some("eu-west-1".into()),
        control: Some("guardduty.detector".into()),
        rule: Some("enabled".into()),
        resource: Some("detector".into()),
        reason: "ObserveOnly".into(),
        message: message.into(),
        since: at(0),
        run: Some("01RUN".into()),
        who: None,
    }
}

fn standing(key: &str, looks: u32) -> Standing {
    let scope = Some((Region::new("eu-west-1"), "guardduty.detector".to_owned()));
    Standing { key: key.into(), scope, looks, only: None, event: event(EventKind::Drift, "prod", key) }
}

fn said(standing: Vec<Standing>) -> Said {
    Said { standing, ..Said::default() }
}

fn everybody(_: EventKind) -> BTreeSet<String> {
    ["ops".to_owned()].into()
}

/// The messages of the events that are pending.
fn pending(kept: &Kept) -> Vec<&str> {
    kept.pending.iter().map(|one| one.event.message.as_str()).collect()
}

#[test]
fn what_stands_is_told_once_and_again_when_it_came_back() {
    let mut kept = Kept::default();
    for minutes in [0, 60, 120] {
        kept.take("1", &said(vec![standing("a", 1)]), everybody, at(minutes));
        assert_eq!(pending(&kept), ["a"], "{minutes}");
    }
    kept.take("1", &said(vec![standing("a", 1), standing("b", 1)]), everybody, at(180));
    assert_eq!(pending(&kept), ["a", "b"], "another finding is news");
    kept.take("1", &said(vec![standing("b", 1)]), everybody, at(240));
    kept.take("1", &said(vec![standing("a", 1), standing("b", 1)]), everybody, at(300));
    assert_eq!(pending(&kept), ["a", "b", "a"]);
    let ids: BTreeSet<&str> = kept.pending.iter().map(|one| one.event.id.as_str()).collect();
    assert_eq!(ids.len(), 3, "the second time it is another event");
    assert_eq!((kept.pending[0].event.since, kept.pending[2].event.since), (at(0), at(300)));
}

#[test]
fn what_may_pass_is_told_when_it_has_been_seen_again_and_again() {
    let mut kept = Kept::default();
    kept.take("1", &said(vec![standing("a", 3)]), everybody, at(0));
    kept.take("1", &said(vec![]), everybody, at(60));
    for minutes in [120, 180] {
        kept.take("1", &said(vec![standing("a", 3)]), everybody, at(minutes));
        assert!(kept.pending.is_empty(), "in between it was over");
    }
    kept.take("1", &said(vec![standing("a", 3)]), everybody, at(240));
    assert_eq!(pending(&kept), ["a"]);
    assert_eq!(kept.pending[0].event.since, at(120), "since it was first seen");
}

#[test]
fn what_was_not_seen_is_not_over() {
    let mut kept = Kept::default();
    kept.take("1", &said(vec![standing("a", 1)]), everybody, at(0));
    kept.take("1", &Said { blind: true, ..Said::default() }, everybody, at(60));
    let unseen = BTreeSet::from([(Region::new("eu-west-1"), "guardduty.detector".to_owned())]);
    kept.take("1", &Said { unseen, ..Said::default() }, everybody, at(120));
    kept.take("1", &said(vec![standing("a", 1)]), everybody, at(180));
    assert_eq!(pending(&kept), ["a"], "it was the matter all the time");
    let elsewhere = BTreeSet::from([(Region::new("eu-west-1"), "iam.password-policy".to_owned())]);
    kept.take("1", &Said { unseen: elsewhere, ..Said::default() }, everybody, at(240));
    kept.take("1", &said(vec![standing("a", 1)]), everybody, at(300));
    assert_eq!(pending(&kept), ["a", "a"], "this time it was seen to be over");
}

#[test]
fn what_nobody_is_told_of_is_news_to_whoever_comes_later() {
    let mut kept = Kept::default();
    kept.take("1", &said(vec![standing("a", 1)]), |_| BTreeSet::new(), at(0));
    assert_eq!(kept, Kept::default());
    kept.take("1", &said(vec![standing("a", 1)]), everybody, at(60));
    assert_eq!(pending(&kept), ["a"]);
}

#[test]
fn what_was_told_is_taken_out_and_what_is_too_old_is_counted() {
    let mut kept = Kept::default();
    kept.take("1", &said(vec![standing("a", 1), standing("b", 1)]), everybody, at(0));
    let first = kept.pending[0].event.id.clone();
    let (told, declared) = (BTreeSet::from([(first, "ops".to_owned())]), everybody(EventKind::Drift));
    assert!(kept.settle(&told, &declared, at(1)).is_empty());
    assert_eq!(pending(&kept), ["b"]);
    assert!(kept.settle(&BTreeSet::new(), &declared, at(6 * 24 * 60)).is_empty());
    assert_eq!(kept.settle(&BTreeSet::new(), &declared, at(7 * 24 * 60)).len(), 1, "a week is too long");
    assert!(kept.pending.is_empty());
    kept.take("1", &said((0..1_200).map(|n| standing(&format!("{n:04}"), 1)).collect()), everybody, at(0));
    assert_eq!(kept.settle(&BTreeSet::new(), &declared, at(1)).len(), 200);
    assert_eq!(pending(&kept)[0], "0200", "the oldest go first");
    assert!(kept.settle(&BTreeSet::new(), &BTreeSet::new(), at(1)).is_empty(), "taken out of the documents");
    assert!(kept.pending.is_empty());
}

#[test]
fn what_is_kept_is_read_again() {
    let mut kept = Kept::default();
    kept.take("1", &said(vec![standing("a", 1), standing("b", 2)]), everybody, at(0));
    let text = serde_json::to_string(&kept).expect("JSON");
    assert_eq!(serde_json::from_str::<Kept>(&text).expect("read"), kept);
}

const PACE: Pace = Pace {
    gathers: Duration::from_secs(30),
    burst: 2,
    every: Duration::from_secs(120),
    again: Duration::from_secs(15),
};

fn seconds(of: u64) -> Timestamp {
    after(at(0), Duration::from_secs(of))
}

fn all(line: &Line) -> BTreeSet<String> {
    line.waiting().iter().map(|one| one.event.id.clone()).collect()
}

#[test]
fn events_are_gathered_and_messages_are_not_too_many() {
    let mut line = Line::new(PACE, seconds(0));
    assert_eq!(line.due(PACE, seconds(0)), None);
    assert!(line.add("1", &event(EventKind::Drift, "prod", "a"), seconds(0)));
    assert!(line.add("1", &event(EventKind::Drift, "prod", "b"), seconds(20)));
    assert!(!line.add("1", &event(EventKind::Drift, "prod", "b"), seconds(21)), "it waits already");
    assert_eq!(line.due(PACE, seconds(20)), Some(seconds(30)), "30 seconds after the first");
    line.told(&all(&line), PACE, seconds(30));
    assert_eq!(line.due(PACE, seconds(30)), None);
    line.add("1", &event(EventKind::Drift, "prod", "c"), seconds(40));
    line.told(&all(&line), PACE, seconds(70));
    // Two messages came one after the other: a third of the next two minutes has passed.
    line.add("1", &event(EventKind::Drift, "prod", "d"), seconds(70));
    assert_eq!(line.due(PACE, seconds(70)), Some(seconds(150)));
    assert_eq!(line.due(PACE, seconds(150)), Some(seconds(100)), "it is time");
}

#[test]
fn a_failure_is_tried_again_later_each_time_and_as_the_receiver_wishes() {
    let mut line = Line::new(PACE, seconds(0));
    line.add("1", &event(EventKind::Drift, "prod", "a"), seconds(0));
    let failed = |lasting, retry_after| Failed { why: "no".into(), lasting, retry_after };
    let passing = failed(false, None);
    let waits: Vec<Timestamp> = (0..9).map(|_| line.failed(&passing, PACE, seconds(0))).collect();
    assert_eq!(waits[..3], [seconds(15), seconds(30), seconds(60)]);
    assert_eq!(waits[8], seconds(1800), "half an hour at most");
    assert!(!line.may_be_tried(seconds(1799)) && line.may_be_tried(seconds(1800)));
    line.told(&all(&line), PACE, seconds(1800));
    let asked = failed(false, Some(Duration::from_secs(90)));
    assert_eq!(line.failed(&asked, PACE, seconds(0)), seconds(90));
    let for_ever = failed(false, Some(Duration::from_secs(1_000_000)));
    assert_eq!(line.failed(&for_ever, PACE, seconds(0)), seconds(3600));
    let mut line = Line::new(PACE, seconds(0));
    assert_eq!(line.failed(&failed(true, None), PACE, seconds(0)), seconds(300), "somebody has to mend it");
}

fn notification(template: Option<Template>) -> Notification {
    Notification {
        name: "ops".into(),
        to: Channel::Slack { url: SecretFrom::Env("BASELINE_X".into()) },
        events: EventKind::ALL.into(),
        selector: None,
        template,
    }
}

fn message(events: Vec<Event>, template: Option<Template>) -> Message {
    Message::of(Parts {
        organization: "acme",
        notification: &notification(template),
        events: events.into_iter().map(Arc::new).collect(),
        held_back: 0,
        lost: 0,
        waited_since: None,
        test: false,
        at: at(5),
    })
}

#[test]
fn a_message_reads_from_what_presses_most_and_says_once_what_is_alike() {
    let mut events = vec![event(EventKind::PutRight, "prod-payments", "detector: enabled false → true")];
    events.extend(
        (0..5).map(|n| event(EventKind::Drift, &format!("team-{n}"), "detector: enabled true → false")),
    );
    let mut contested = event(EventKind::Contested, "prod-payments", "`enabled` was put right 3 times");
    contested.who = Some("by assumed-role/admin/kim".into());
    events.push(contested);
    let account = Event {
        control: None,
        region: None,
        rule: None,
        resource: None,
        ..event(EventKind::Unknown, "lab", "sts:AssumeRole: AccessDenied")
    };
    events.push(account);
    let told = message(events, None);
    insta::assert_snapshot!(told.text, @"
    baseline acme: 1 contested, 1 unknown, 5 drift, 1 put-right in 7 accounts

    [contested] prod-payments: guardduty.detector in eu-west-1: `enabled` was put right 3 times; by assumed-role/admin/kim
    [unknown] lab: sts:AssumeRole: AccessDenied
    [drift] 5 accounts (team-0, team-1, team-2 and 2 more): guardduty.detector in eu-west-1: detector: enabled true → false
    [put-right] prod-payments: guardduty.detector in eu-west-1: detector: enabled false → true
    ");
}

#[test]
fn a_long_message_counts_what_it_does_not_list() {
    let events = (0..30).map(|n| event(EventKind::Drift, "prod", &format!("difference {n:02}"))).collect();
    let told = Message::of(Parts {
        organization: "acme",
        notification: &notification(None),
        events: message(events, None).events,
        held_back: 7,
        lost: 2,
        waited_since: Some(at(2)),
        test: false,
        at: at(5),
    });
    assert_eq!(told.text.lines().filter(|line| line.starts_with("[drift]")).count(), 20);
    let notes: Vec<&str> = told.text.lines().skip(23).collect();
    insta::assert_snapshot!(notes.join("\n"), @"
    10 more are not listed: 10 drift.
    7 more are held back for the next message.
    Messages were held back since 10:02 UTC, so that there are not too many.
    2 older events could not be told for too long, and are lost.
    ");
}

#[test]
fn a_template_is_filled_and_hostile_text_stays_in_its_line() {
    let template = Template(vec![
        Part::Placeholder(Placeholder::Account),
        Part::Text(" / ".into()),
        Part::Placeholder(Placeholder::What),
        Part::Text(" / ".into()),
        Part::Placeholder(Placeholder::Who),
        Part::Text(" / ".into()),
        Part::Placeholder(Placeholder::Since),
    ]);
    let hostile = event(EventKind::Drift, "prod\n<!channel>", "a\u{202e}b {who}");
    let told = message(vec![hostile.clone()], Some(template));
    let line = told.text.lines().last().unwrap_or_default();
    assert_eq!(line, "prod\\n<!channel> / a\\u{202e}b {who} / not known / 2026-11-26 10:00 UTC");
    let sent: serde_json::Value = serde_json::from_slice(&slack::body(&told)).expect("JSON");
    assert!(sent["text"].as_str().is_some_and(|text| text.contains("&lt;!channel&gt;")), "{sent}");
    let payload = super::webhook::body(&message(vec![hostile], None).payload("ops")).expect("JSON");
    let payload = String::from_utf8(payload).expect("UTF-8");
    assert!(!payload.contains('\u{202e}') && payload.contains("\\u202e"), "{payload}");
}

#[test]
fn a_message_has_the_same_id_however_its_events_are_ordered() {
    let (a, b) = (event(EventKind::Drift, "prod", "a"), event(EventKind::Drift, "prod", "b"));
    let one = message(vec![a.clone(), b.clone()], None);
    assert_eq!(one.id, message(vec![b, a.clone()], None).id);
    assert_ne!(one.id, message(vec![a], None).id);
}
