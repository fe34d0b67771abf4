use serde_json::json;

use super::*;

fn statement(sid: &str, actions: &[&'static str], resources: &[&str]) -> Statement {
    Statement {
        sid: sid.into(),
        actions: actions.to_vec(),
        resources: resources.iter().map(|one| (*one).to_owned()).collect(),
        condition: None,
    }
}

#[test]
fn actions_rather_than_calls_each_once() {
    let registry = crate::controls::find("ecr.registry").expect("it is in the list");
    let grants = grants(Duty::Apply, &[registry, registry], &Names::default());
    let statements: Vec<_> = grants.iter().flat_map(|grant| &grant.statements).collect();
    let told: Vec<_> =
        statements.iter().map(|one| format!("{} {}", one.sid, one.actions.join(" "))).collect();
    assert_eq!(
        told,
        [
            "ApplyEcr ecr:PutRegistryScanningConfiguration",
            "ApplyIamServiceLinkedRoles iam:CreateServiceLinkedRole",
            "ApplyInspector2 inspector2:Disable inspector2:Enable inspector2:ListAccountPermissions",
            "ApplyOrganizations organizations:DescribeOrganization",
        ]
    );
}

#[test]
fn what_only_the_management_account_needs_stands_apart() {
    let grants = grants(Duty::Observe, &[], &Names::default());
    let [each, management] = grants.as_slice() else { panic!("{grants:?}") };
    assert_eq!((each.seat, management.seat), (None, Some(Seat::Management)));
    let has = |grant: &Grant, action| grant.statements.iter().any(|one| one.actions.contains(&action));
    assert!(has(management, "organizations:ListAccounts") && !has(each, "organizations:ListAccounts"));
    assert!(has(each, "iam:SimulatePrincipalPolicy"), "doctor asks with it");
    assert!(!has(each, "sts:AssumeRole") && !has(each, "s3:GetObject"), "the caller's");
}

#[test]
fn a_statement_is_never_cut_from_what_it_allows() {
    let action: &'static str = Box::leak(format!("s3:{}", "A".repeat(3_000)).into_boxed_str());
    let other: &'static str = Box::leak(format!("s3:{}", "B".repeat(3_200)).into_boxed_str());
    let names: Vec<String> = (0..200).map(|n| format!("arn:aws:iam::*:role/{}{n}", "r".repeat(50))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let all = [
        statement("One", &[action, other], &["*"]),
        statement("Two", &["iam:CreateRole"], &names),
        statement("Three", &["iam:GetRole"], &["*"]),
    ];
    let grant = Grant { seat: None, statements: all.to_vec() };
    let parts = policies("security/baseline-apply", &[grant]);
    assert!(parts.len() > 2, "{}", parts.len());
    for (place, part) in parts.iter().enumerate() {
        assert_eq!(part.name, format!("baseline-apply-{}", place + 1));
        assert!(size(&part.template()) <= MOST_CHARACTERS, "{}", part.name);
        let sids: BTreeSet<_> = part.statements.iter().map(|one| &one.sid).collect();
        assert_eq!(sids.len(), part.statements.len(), "{sids:?}");
    }
    let pairs = |statements: &[Statement]| -> BTreeSet<(String, String)> {
        let of = |one: &Statement| {
            let pair = |action: &&str| {
                let action = (*action).to_owned();
                one.resources
                    .iter()
                    .map(move |resource| (action.clone(), resource.clone()))
                    .collect::<Vec<_>>()
            };
            one.actions.iter().flat_map(pair).collect::<Vec<_>>()
        };
        statements.iter().flat_map(of).collect()
    };
    let split: Vec<Statement> = parts.into_iter().flat_map(|part| part.statements).collect();
    assert_eq!(pairs(&split), pairs(&all));
}

#[test]
fn names_of_documents_are_names_and_no_wildcards() {
    let trail = json!({"cloudWatchLogs": {"role": "trail-to-logs"}});
    let hostile = json!({"role": "*"});
    let none = json!({"cloudWatchLogs": {"role": "none"}});
    let bucket = json!({"bucket": "acme-{account}-{region}"});
    let names = Names::of(
        [
            ("cloudtrail.trail", &trail),
            ("cloudtrail.organization-trail", &none),
            ("config.aggregator", &hostile),
            ("s3.log-archive", &bucket),
        ],
        Some("acme-{organization}"),
    );
    let resources = |action, control| {
        let (place, values) = narrow::of(action, control, &names);
        assert_eq!(place, Place::Resources, "{action} of {control}");
        values.into_iter().collect::<Vec<_>>()
    };
    let role = |name: &str| format!("arn:{{partition}}:iam::{{account}}:role/{name}");
    let made = resources("iam:PutRolePolicy", "cloudtrail.trail");
    assert_eq!(made, [role("baseline-cloudtrail"), role("trail-to-logs")]);
    let made = resources("iam:CreateRole", "cloudtrail.organization-trail");
    assert_eq!(made, [role("baseline-cloudtrail")]);
    assert_eq!(resources("iam:CreateRole", "config.aggregator"), [role("baseline-config-aggregator")]);
    let buckets = ["arn:{partition}:s3:::acme-*", "arn:{partition}:s3:::acme-{account}-*"];
    assert_eq!(resources("s3:PutBucketPolicy", "s3.log-archive"), buckets);
    // What is an account's, what only reads, and what others write stays as it was.
    for (action, control) in [
        ("s3:PutAccountPublicAccessBlock", "s3.log-archive"),
        ("s3:GetBucketPolicy", "s3.log-archive"),
        ("s3:PutBucketPolicy", "waf.regional-acl"),
    ] {
        assert_eq!(narrow::of(action, control, &names).0, Place::Everything, "{action} of {control}");
    }
    assert_eq!(narrow::of("s3:PutBucketPolicy", "s3.log-archive", &Names::default()).0, Place::Everything);
}

#[test]
fn what_one_control_wants_everywhere_is_not_narrowed_by_another() {
    let mut wanted = Wanted::default();
    let values = |value: &str| BTreeSet::from([value.to_owned()]);
    wanted.add("iam:PutRolePolicy", Place::Resources, values("a"));
    wanted.add("iam:PutRolePolicy", Place::Resources, values("b"));
    let [statement] = wanted.statements(Duty::Apply).try_into().expect("one");
    assert_eq!(statement.resources, ["a", "b"]);
    wanted.add("iam:PutRolePolicy", Place::Everything, BTreeSet::new());
    wanted.add("iam:PutRolePolicy", Place::Resources, values("c"));
    let [statement] = wanted.statements(Duty::Apply).try_into().expect("one");
    assert_eq!(statement.resources, ["*"]);
}

#[test]
fn the_caller_gets_what_the_engine_calls_with_its_credentials() {
    use crate::aws::edge::ENGINE_WRITES;
    let roles = usual_roles();
    let of = Callers {
        audit: Some("s3://acme-audit/runs/?region=eu-west-1"),
        asks_roster: true,
        signing_key: Some("arn:aws:kms:eu-west-1:111122223333:key/a"),
        topics: vec!["arn:aws:sns:eu-west-1:111122223333:people".into()],
        principal: None,
    };
    let whole = caller(&Duty::ALL, &roles, &of);
    // The queues of a controller are named on its command line only.
    for call in ENGINE_WRITES.iter().filter(|call| !call.operation.starts_with("sqs:")) {
        for action in call.allowed_by() {
            assert!(whole.iter().any(|one| one.actions.contains(&action)), "{action}");
        }
    }
    let records = whole.iter().find(|one| one.sid == "AuditRecords").expect("records");
    assert_eq!(records.resources, ["arn:{partition}:s3:::acme-audit/runs/*"]);
    let reads = caller(&[Duty::Observe], &roles, &of);
    assert!(!reads.iter().any(|one| one.actions.contains(&"s3:PutObject")));
    assert_eq!(audit_bucket("records"), None);
    assert_eq!(audit_bucket("s3://b"), Some(("b", "")));
}
