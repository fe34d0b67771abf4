//! Who is told: what is read, and what is said of wrong documents.

use super::{ACCOUNT, ORGANIZATION, RECOMMENDED, Tree, resolved, said};
use crate::desired::{Channel, EventKind, Part, Placeholder, Roster, RosterAccount, SecretFrom, Status};

fn organization(notifications: &str) -> String {
    format!("{}  notifications:\n{notifications}", ORGANIZATION.1)
}

fn wrong(notifications: &str) -> String {
    said(&[("organization.yaml", &organization(notifications)), RECOMMENDED, ACCOUNT])
}

const GOOD: &str = "\
  - name: security
    kind: slack
    urlFrom: {env: BASELINE_SLACK_URL}
    events: [contested, manual-task]
    where: {names: [\"prod*\"]}
    template: \"{account}: {what} ({who})\"
  - name: pager
    kind: sns
    topic: arn:aws:sns:eu-west-1:777766665555:baseline
  - name: siem
    kind: webhook
    urlFrom: {file: /run/secrets/siem-url}
    secretFrom: {file: /run/secrets/siem-secret}
    where:
      ou: [/Workloads]
";

#[test]
fn three_ways_of_telling_are_read() {
    let text = organization(GOOD);
    let tree = Tree::new(&[("organization.yaml", &text), RECOMMENDED, ACCOUNT]);
    let all = tree.documents().organization.notifications;
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["security", "pager", "siem"]);
    assert_eq!(all[0].to, Channel::Slack { url: SecretFrom::Env("BASELINE_SLACK_URL".into()) });
    assert_eq!(all[0].events, [EventKind::Contested, EventKind::ManualTask].into());
    let template = all[0].template.as_ref().expect("a template");
    assert_eq!(template.0[0], Part::Placeholder(Placeholder::Account));
    assert_eq!(template.0[1], Part::Text(": ".into()));
    assert_eq!(template.0.len(), 6);
    let Channel::Sns(topic) = &all[1].to else { panic!("{:?}", all[1].to) };
    assert_eq!((topic.region.as_str(), topic.is_fifo()), ("eu-west-1", false));
    assert_eq!(all[1].events.len(), EventKind::ALL.len(), "all of them, where nothing is said");
    assert_eq!(all[2].to.word(), "webhook");
}

#[test]
fn an_account_knows_by_which_it_is_told_of() {
    let text = organization(GOOD);
    let files = [("organization.yaml", text.as_str()), RECOMMENDED, ACCOUNT];
    let (accounts, _) = resolved(&files, &Roster::default());
    assert_eq!(accounts[0].notifications, ["security", "pager"], "units are not known without a roster");
    let listed = RosterAccount {
        id: "111122223333".parse().expect("an id"),
        name: "prod".into(),
        ou: Some("/Workloads/Prod".into()),
        tags: std::collections::BTreeMap::new(),
        status: Status::Active,
    };
    let (accounts, _) = resolved(&files, &Roster { accounts: vec![listed] });
    assert_eq!(accounts[0].notifications, ["security", "pager", "siem"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    insta::assert_snapshot!(wrong(
        "\
  - name: a
    kind: email
    topic: x
  - name: b
    kind: sns
    topic: arn:aws:sqs:eu-west-1:777766665555:baseline
  - name: c
    kind: sns
    urlFrom: {env: BASELINE_X}
  - name: d
    kind: slack
    urlFrom: {env: AWS_SECRET_ACCESS_KEY}
    events: [drifted]
  - name: e
    kind: webhook
    urlFrom: {file: secrets/url}
    template: \"{acount} is {what\"
  - name: f
    kind: webhook
    urlFrom: {env: BASELINE_X, file: /x}
    events: []
  - name: g
    kind: slack
    urlFrom: {env: BASELINE_X}
  - name: g
    kind: slack
    urlFrom: {env: BASELINE_X}
  - name: \"h i\"
    kind: slack
    urlFrom: {env: BASELINE_X}
    secretFrom: {env: BASELINE_Y}
"
    ));
}

#[test]
fn an_address_in_a_document_is_refused_and_its_line_is_not_shown() {
    let said =
        wrong("  - name: ops\n    kind: slack\n    url: https://hooks.slack.com/services/T0/B0/hunter2\n");
    assert!(!said.contains("hunter2"), "{said}");
    insta::assert_snapshot!(said);
}
