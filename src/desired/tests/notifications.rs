//! Who is told: what is read, and what is said of wrong documents.

use super::{ACCOUNT, ORGANIZATION, RECOMMENDED, Tree, resolved, said};
use crate::desired::{Channel, EventKind, Part, Placeholder, Roster, RosterAccount, SecretFrom, Status};

fn organization(notifications: &str) -> String {
    format!("{}  notifications:\n{notifications}", ORGANIZATION.1)
}

fn wrong(notifications: &str) -> String {
    said(&[("organization.yaml", &organization(notifications)), RECOMMENDED, ACCOUNT])
}

const GOOD: &str = "  - name: security
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
        "  - name: a
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
    ), @r#"
    error: `email` is not a way of telling
      --> dir/organization.yaml:10:11
       |
    10 |     kind: email
       |           ^^^^^
       |
       = help: one of `sns`, `slack`, `webhook`

    error: `arn:aws:sqs:eu-west-1:777766665555:baseline` is not the ARN of a topic
      --> dir/organization.yaml:14:12
       |
    14 |     topic: arn:aws:sqs:eu-west-1:777766665555:baseline
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: `arn:aws:sns:REGION:ACCOUNT:NAME`

    error: `topic` is missing
      --> dir/organization.yaml:15:5
       |
    15 |   - name: c
       |     ^^^^

    error: unknown field `urlFrom`
      --> dir/organization.yaml:17:5
       |
    17 |     urlFrom: {env: BASELINE_X}
       |     ^^^^^^^
       |
       = help: known here: `name`, `kind`, `topic`, `events`, `where`, `template`

    error: `AWS_SECRET_ACCESS_KEY` is not a variable that is read
      --> dir/organization.yaml:20:20
       |
    20 |     urlFrom: {env: AWS_SECRET_ACCESS_KEY}
       |                    ^^^^^^^^^^^^^^^^^^^^^
       |
       = help: its name begins with `BASELINE_`, in capital letters, digits and `_`
       = note: others hold secrets that are not for documents to name

    error: `drifted` is not something that happens
      --> dir/organization.yaml:21:14
       |
    21 |     events: [drifted]
       |              ^^^^^^^
       |
       = help: did you mean `drift`?
       = help: one of `contested`, `stalled`, `unknown`, `manual-task`, `exception-ending`, `drift`, `put-right`

    error: a file with a secret is named by its whole path
      --> dir/organization.yaml:24:21
       |
    24 |     urlFrom: {file: secrets/url}
       |                     ^^^^^^^^^^^
       |
       = help: `/run/secrets/…`; it does not lie beside the documents, and `..` is not taken

    error: unknown placeholder `{acount}`
      --> dir/organization.yaml:25:15
       |
    25 |     template: "{acount} is {what"
       |               ^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `account`?
       = help: there are `{event}`, `{organization}`, `{account}`, `{accountId}`, `{region}`, `{control}`, `{rule}`, `{resource}`, `{reason}`, `{what}`, `{since}`, `{run}`, `{who}`

    error: a brace is not closed, or not opened
      --> dir/organization.yaml:25:15
       |
    25 |     template: "{acount} is {what"
       |               ^^^^^^^^^^^^^^^^^^^
       |
       = help: braces stand around placeholders only

    error: a secret is kept in one place
      --> dir/organization.yaml:28:5
       |
    28 |     urlFrom: {env: BASELINE_X, file: /x}
       |     ^^^^^^^
       |
       = help: `{env: BASELINE_…}`, or `{file: /…}`

    error: nothing is told here
      --> dir/organization.yaml:29:5
       |
    29 |     events: []
       |     ^^^^^^
       |
       = help: name some events, or leave `events` out: all of them

    error: two notifications are called `g`
      --> dir/organization.yaml:33:11
       |
    30 |   - name: g
       |           - first here
    ...
    33 |   - name: g
       |           ^ here again
       |
       = help: give one of them another name

    error: a notification's name is 1 to 63 letters, digits, `-`, `_` and `.`
      --> dir/organization.yaml:36:11
       |
    36 |   - name: "h i"
       |           ^^^^^

    error: unknown field `secretFrom`
      --> dir/organization.yaml:39:5
       |
    39 |     secretFrom: {env: BASELINE_Y}
       |     ^^^^^^^^^^
       |
       = help: known here: `name`, `kind`, `urlFrom`, `events`, `where`, `template`

    14 errors in 1 file; nothing was observed
    "#);
}

#[test]
fn an_address_in_a_document_is_refused_and_its_line_is_not_shown() {
    let address = "https://hooks.slack.com/services/T0/B0/hunter2";
    let all = ["url: {}", "urlFrom: {}", "urlFrom: {env: \"{}\"}", "urlFrom: {file: \"{}\"}"];
    for field in all.map(|field| field.replace("{}", address)) {
        let said = wrong(&format!(
            "  - name: ops
    kind: slack
    {field}
"
        ));
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(said.matches("error:").count(), 1, "{said}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(said, @r#"
            error: the address of a webhook is a secret, and does not belong into a document
             --> dir/organization.yaml:9:11
              |
            9 |   - name: ops
              |           ^^^
              |
              = help: `urlFrom: {env: BASELINE_…}` or `urlFrom: {file: /…}` says where it is kept
              = note: whoever can read the repository can read that address: have it replaced

            1 error in 1 file; nothing was observed
            "#);
        }
    }
}
