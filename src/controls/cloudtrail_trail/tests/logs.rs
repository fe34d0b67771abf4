use super::*;

fn with_logs(logs: Logs) -> Observed {
    let trail = Trail {
        group_arn: Some(format!("arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:g:*")),
        role_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/r")),
        ..live()
    };
    Observed { logs: Some(Sight::Seen(logs)), ..seen(trail) }
}

fn good_role(name: &str) -> Role {
    let scope = facts().scope;
    Role {
        name: name.into(),
        trust: Some(json!({"Statement": send::trust_statement()})),
        policy: Some(json!({"Statement": [send::logs_statement(&scope, "g", None)]})),
        tags: BTreeMap::new(),
    }
}

#[test]
fn a_shorter_retention_deletes_events_and_never_is_by_hand() {
    let logs = || Logs { group: "g".into(), exists: true, retention_days: Some(365), role: None };
    let spec = |days: Value| json!({"cloudWatchLogs": {"group": "g", "retentionDays": days}});
    let shorter = change(findings(spec(30.into()), &with_logs(logs())), "cloudwatch-logs");
    assert_eq!(shorter.fields, [Field::new("/cloudWatchLogs/retentionDays", 365, 30)]);
    assert_eq!((shorter.risk, shorter.direction), (Risk::Destructive, Direction::Weakens));
    let never = findings(spec("never".into()), &with_logs(logs()));
    assert!(
        matches!(&never[0].verdict, Verdict::Manual(task) if task.steps[0].contains("delete-retention-policy"))
    );
    let kept = findings(spec("never".into()), &with_logs(Logs { retention_days: None, ..logs() }));
    assert_eq!(kept[0].verdict, Verdict::InSync);
}

#[test]
fn a_group_that_is_gone_is_made_again() {
    let gone = Logs { group: "g".into(), exists: false, retention_days: None, role: Some(good_role("r")) };
    let found = findings(json!({"cloudWatchLogs": {"group": "g", "role": "r"}}), &with_logs(gone));
    let change = change(found, "cloudwatch-logs");
    assert_eq!(change.fields, [Field::new("/cloudWatchLogs/group", Value::Null, "g")]);
    assert_eq!(calls(&change), ["logs:CreateLogGroup"]);
}

#[test]
fn a_role_that_somebody_else_uses_is_not_overwritten() {
    let trust = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}});
    let logs = |name: &str, tags| Logs {
        group: "g".into(),
        exists: true,
        retention_days: None,
        role: Some(Role { trust: Some(trust.clone()), tags, ..good_role(name) }),
    };
    let spec = |role: &str| json!({"cloudWatchLogs": {"role": role}});
    let theirs = findings(spec("r"), &with_logs(logs("r", BTreeMap::new())));
    assert!(matches!(&theirs[0].verdict, Verdict::Manual(task) if task.title.contains("somebody else's")));
    let tagged = change(findings(spec("r"), &with_logs(logs("r", facts().tags))), "cloudwatch-logs");
    assert_eq!(tagged.steps, [Write::Trust { role: "r".into() }]);
    assert_eq!(paths(&tagged), ["/cloudWatchLogs/role"]);
}

#[test]
fn logs_that_cannot_be_read_leave_the_trail_known() {
    let fault = Fault::local(FaultKind::Denied, "iam:GetRole", "no");
    let observed = Observed { logs: Some(Sight::Unseen(fault.clone())), ..seen(live()) };
    let mut spec = recommended();
    spec["cloudWatchLogs"] = json!({"group": "g"});
    let found = findings(spec, &observed);
    assert_eq!(open(&found), ["cloudwatch-logs"]);
    assert_eq!(found[0].verdict, Verdict::Unknown { fault });
}
