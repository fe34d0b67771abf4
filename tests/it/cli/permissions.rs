//! `generate permissions`: what is allowed, to whom, and that IAM, CloudFormation and Terraform would take it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use baseline::controls::CONTROLS;
use baseline::sandbox::World;
use serde_json::Value;

use super::shell::{Shell, steadily};

const PRINCIPAL: &str = "arn:aws:iam::777766665555:role/baseline-runner";

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().map(|one| one.as_str().expect("text")).collect(),
        one => vec![one.as_str().expect("text or a list of it")],
    }
}

fn is_word(text: &str, others: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// IAM's grammar, as far as these policies go (IAM User Guide, "Grammar of the IAM JSON policy language" and "IAM and
/// AWS STS quotas").
fn is_a_policy(document: &Value, most: usize) {
    let keys: Vec<&String> = document.as_object().expect("a map").keys().collect();
    assert_eq!(keys, ["Statement", "Version"]);
    assert_eq!(document["Version"], "2012-10-17");
    let size = document.to_string().chars().filter(|c| !c.is_whitespace()).count();
    assert!(size <= most, "{size} characters");
    let statements = document["Statement"].as_array().expect("a list");
    assert!(!statements.is_empty());
    let mut sids = BTreeSet::new();
    for statement in statements {
        for key in statement.as_object().expect("a map").keys() {
            let known = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];
            assert!(known.contains(&key.as_str()), "{key}");
        }
        if let Some(sid) = statement.get("Sid") {
            let sid = sid.as_str().expect("text");
            assert!(is_word(sid, ""), "{sid}");
            assert!(sids.insert(sid), "{sid} twice");
        }
        assert_eq!(statement["Effect"], "Allow");
        let actions = texts(&statement["Action"]);
        assert!(!actions.is_empty());
        assert_eq!(actions.iter().collect::<BTreeSet<_>>().len(), actions.len(), "twice in {actions:?}");
        for action in actions {
            let (service, name) = action.split_once(':').expect("a service and a name");
            assert!(is_word(service, "-") && is_word(name, ""), "{action}");
        }
        if statement.get("Principal").is_none() {
            let resources = texts(&statement["Resource"]);
            assert!(!resources.is_empty());
            for resource in resources {
                let parts = resource.splitn(6, ':').filter(|_| resource.starts_with("arn:")).count();
                assert!(resource == "*" || parts == 6, "{resource}");
                assert!(!resource.contains(['{', '}', '$']), "{resource}");
            }
        }
        for (operator, keys) in statement.get("Condition").and_then(Value::as_object).into_iter().flatten() {
            assert!(["StringEquals", "ArnEquals"].contains(&operator.as_str()), "{operator}");
            for (key, values) in keys.as_object().expect("a map") {
                assert!(key.contains(':'), "{key}");
                assert!(!texts(values).is_empty());
            }
        }
    }
}

/// Everything that was written, checked; the actions of each role.
fn checked(written: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for role in written["roles"].as_array().expect("roles") {
        let name = role["name"].as_str().expect("a name");
        assert!(is_word(name, "_+=,.@-") && name.len() <= 64, "{name}");
        is_a_policy(&role["trustPolicy"], 2_048);
        let policies = role["policies"].as_array().expect("policies");
        assert!(policies.len() <= 10, "{} policies", policies.len());
        let mut names = BTreeSet::new();
        let mut actions = BTreeSet::new();
        for policy in policies {
            let name = policy["name"].as_str().expect("a name");
            assert!(is_word(name, "_+=,.@-") && name.len() <= 128 && names.insert(name), "{name}");
            is_a_policy(&policy["document"], 6_144);
            assert!(policy["characters"].as_u64().expect("a number") <= 6_144);
            for statement in policy["document"]["Statement"].as_array().expect("statements") {
                actions.extend(texts(&statement["Action"]).into_iter().map(str::to_owned));
            }
        }
        all.insert(role["duty"].as_str().expect("a duty").to_owned(), actions);
    }
    for policy in written["caller"]["policies"].as_array().expect("policies") {
        is_a_policy(&policy["document"], 6_144);
    }
    all
}

fn json(shell: &Shell, flags: &str) -> Value {
    shell.run(&format!("generate permissions {flags}")).exits(0).json()
}

#[test]
fn policies_are_ones_that_iam_takes_for_all_controls_and_for_each() {
    let shell = Shell::acme();
    let all = checked(&json(&shell, ""));
    assert_eq!(all.len(), 2);
    for read in &all["observe"] {
        let name = read.split_once(':').expect("two parts").1;
        let verbs = ["Get", "GET", "List", "Describe", "BatchGet", "Lookup", "Simulate", "Check"];
        assert!(verbs.iter().any(|verb| name.starts_with(verb)), "{read} is not a read");
    }
    for action in
        ["guardduty:CreateDetector", "iam:UpdateAccountPasswordPolicy", "s3:PutEncryptionConfiguration"]
    {
        assert!(all["apply"].contains(action), "{action}");
    }
    assert!(!all["apply"].contains("s3:PutBucketEncryption"), "that is an operation");
    for control in CONTROLS {
        let one = checked(&json(&shell, &format!("--control {}", control.meta().id)));
        assert!(one["observe"].is_subset(&all["observe"]), "{}", control.meta().id);
        assert!(one["apply"].is_subset(&all["apply"]), "{}", control.meta().id);
    }
    checked(&json(&shell, &format!("-f {} --trusted-principal {PRINCIPAL}", shell.dir().display())));
    let only = json(&shell, "--read-only");
    assert_eq!(checked(&only).keys().collect::<Vec<_>>(), ["observe"]);
    assert!(!only.to_string().contains("baseline-apply"));
}

#[test]
fn roles_are_made_and_passed_only_where_that_is_wanted() {
    let shell = Shell::acme();
    let written = json(&shell, "");
    let apply = written["roles"].as_array().and_then(|roles| roles.get(1)).expect("two roles");
    let policies = apply["policies"].as_array().expect("policies");
    let statements: Vec<&Value> = policies
        .iter()
        .flat_map(|policy| policy["document"]["Statement"].as_array().expect("a list"))
        .collect();
    let of = |action: &str| -> Vec<&&Value> {
        statements.iter().filter(|one| texts(&one["Action"]).contains(&action)).collect()
    };
    for action in
        ["iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy"]
    {
        assert!(!of(action).is_empty(), "{action}");
        for statement in of(action) {
            for resource in texts(&statement["Resource"]) {
                assert!(
                    resource.starts_with("arn:aws:iam::*:role/") && !resource.ends_with('*'),
                    "{action} on {resource}"
                );
            }
        }
    }
    for (action, key) in
        [("iam:PassRole", "iam:PassedToService"), ("iam:CreateServiceLinkedRole", "iam:AWSServiceName")]
    {
        assert!(!of(action).is_empty(), "{action}");
        for statement in of(action) {
            let services = texts(&statement["Condition"]["StringEquals"][key]);
            assert!(services.iter().all(|service| service.ends_with(".amazonaws.com")), "{services:?}");
        }
    }
    let attach = &of("iam:AttachRolePolicy")[0]["Condition"]["ArnEquals"]["iam:PolicyARN"];
    assert_eq!(texts(attach), ["arn:aws:iam::aws:policy/service-role/AWSConfigRoleForOrganizations"]);
}

#[test]
fn documents_give_names_seats_and_controls() {
    let shell = Shell::acme();
    shell.edit("organization.yaml", "baseline-observe   #", "security/watcher   #");
    shell.edit("organization.yaml", "  archive:  ", "  audit: s3://acme-audit/runs\n\n  archive:  ");
    let flags = format!("-f {} --trusted-principal {PRINCIPAL}", shell.dir().display());
    let written = json(&shell, &flags);
    let actions = checked(&written);
    let observe = &written["roles"][0];
    assert_eq!((&observe["name"], &observe["path"]), (&"watcher".into(), &"/security/".into()));
    assert_eq!(observe["trustPolicy"]["Statement"][0]["Principal"]["AWS"], PRINCIPAL);
    let condition = &observe["trustPolicy"]["Statement"][0]["Condition"];
    assert_eq!(condition["StringEquals"]["sts:ExternalId"], "acme-baseline");
    let management = observe["policies"].as_array().and_then(|all| all.last()).expect("policies");
    assert_eq!(management["onlyIn"]["account"], "999988887777");
    assert!(!actions["apply"].contains("config:PutConfigurationAggregator"), "nobody declares it");
    let text = written.to_string();
    assert!(text.contains("arn:aws:s3:::acme-logs-*-*-an"), "{text}");
    let caller = written["caller"].to_string();
    for part in
        ["arn:aws:iam::*:role/security/watcher", "arn:aws:s3:::acme-audit/runs/*", "s3:PutObject", PRINCIPAL]
    {
        assert!(caller.contains(part), "{part} is not in {caller}");
    }
    let signing = "--signing-key arn:aws:kms:eu-west-1:777766665555:key/mrk-1";
    assert!(json(&shell, signing)["caller"].to_string().contains("kms:Sign"));
    steadily(|| insta::assert_json_snapshot!("permissions_caller", written["caller"]));
}

#[test]
fn names_in_documents_do_not_widen_a_policy() {
    let shell = Shell::acme();
    shell.write(
        "baselines/trail.yaml",
        "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: trail}\nspec:\n  controls:\n    \
         config.recorder: {mode: observe}\n",
    );
    shell.edit(
        "organization.yaml",
        "  guards:",
        "  controls:\n    config.aggregator: {sourceAccounts: organization, role: \"*\"}\n\n  guards:",
    );
    let written = json(&shell, &format!("-f {}", shell.dir().display()));
    checked(&written);
    let text = written.to_string();
    assert!(!text.contains(":role/*\""), "{text}");
    assert!(text.contains(":role/baseline-config-aggregator"));
}

#[test]
fn nobody_is_trusted_until_somebody_is_named() {
    let shell = Shell::new(World::default());
    let nobody = shell.run("generate permissions").exits(0).says("The trust policies trust nobody yet");
    assert!(!nobody.json()["roles"][0]["trustPolicy"].to_string().contains("arn:"));
    let somebody = shell.run(&format!("generate permissions --trusted-principal {PRINCIPAL}")).exits(0);
    assert_eq!(somebody.err, "");
    shell.run("generate permissions --trusted-principal *").exits(64).says("write it as");
    shell.run("generate permissions --signing-key alias/x").exits(64).says("not as an alias");
    shell
        .run("generate permissions --control iam.pasword-policy")
        .exits(64)
        .says("did you mean `iam.password-policy`?");
}

/// Tags of CloudFormation, and what they hold, taken for what they would become in an account of no seat.
fn plain(value: &serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Tagged(tagged) if tagged.tag == "!Sub" => {
            let text = tagged.value.as_str().expect("text");
            text.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "*").into()
        }
        serde_yaml::Value::Tagged(tagged) => plain(&tagged.value),
        serde_yaml::Value::Mapping(map) => {
            map.iter().map(|(key, value)| (key.as_str().expect("text").to_owned(), plain(value))).collect()
        }
        serde_yaml::Value::Sequence(all) => all.iter().map(plain).collect(),
        other => serde_json::to_value(other).expect("JSON"),
    }
}

fn references(value: &serde_yaml::Value, into: &mut BTreeSet<String>) {
    match value {
        serde_yaml::Value::Tagged(tagged) => {
            if tagged.tag == "!Ref" || tagged.tag == "!GetAtt" {
                let name = tagged.value.as_str().expect("a name");
                into.insert(name.trim_end_matches(".Arn").to_owned());
            }
            references(&tagged.value, into);
        }
        serde_yaml::Value::Mapping(map) => map.values().for_each(|value| references(value, into)),
        serde_yaml::Value::Sequence(all) => all.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

#[test]
fn the_template_holds_the_same_policies_and_all_that_it_refers_to() {
    let shell = Shell::acme();
    for flags in ["".to_owned(), format!("-f {} --trusted-principal {PRINCIPAL}", shell.dir().display())] {
        let template = shell.run(&format!("generate permissions {flags} --format cloudformation")).exits(0);
        assert!(template.out.len() <= 51_200, "the size of a template body, {}", template.out.len());
        let parsed: serde_yaml::Value = serde_yaml::from_str(&template.out).expect("YAML");
        let whole = plain(&parsed);
        let written = json(&shell, &flags);
        let mut wanted: Vec<(String, String)> = Vec::new();
        for role in written["roles"].as_array().expect("roles") {
            for policy in role["policies"].as_array().expect("policies") {
                let document = policy["document"].to_string();
                let account = policy["onlyIn"]["account"].as_str().unwrap_or("*");
                wanted.push((policy["name"].to_string(), document.replace(account, "*")));
            }
        }
        let resources = whole["Resources"].as_object().expect("resources");
        let mut found: Vec<(String, String)> = resources
            .values()
            .filter(|resource| resource["Type"] == "AWS::IAM::ManagedPolicy")
            .map(|resource| &resource["Properties"])
            .map(|one| (one["ManagedPolicyName"].to_string(), one["PolicyDocument"].to_string()))
            .collect();
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted);
        let mut referred = BTreeSet::new();
        references(&parsed, &mut referred);
        for name in referred.iter().filter(|name| !name.starts_with("AWS::")) {
            let there = resources.contains_key(name) || whole["Parameters"].get(name).is_some();
            assert!(there, "{name} is referred to and nowhere made");
        }
        for resource in resources.values() {
            if let Some(condition) = resource.get("Condition") {
                assert!(
                    whole["Conditions"].get(condition.as_str().expect("a name")).is_some(),
                    "{condition}"
                );
            }
        }
    }
}

#[test]
fn terraform_gets_the_same_actions() {
    let shell = Shell::acme();
    let text = shell.run("generate permissions --format terraform").exits(0).out;
    let actions = checked(&json(&shell, ""));
    for action in actions.values().flatten() {
        assert!(text.contains(&format!("\"{action}\"")), "{action}");
    }
    let count = |c: char| text.chars().filter(|one| *one == c).count();
    assert_eq!((count('{'), count('[')), (count('}'), count(']')));
    assert!(text.contains("arn:${data.aws_partition.current.partition}:iam::"));
}

#[test]
fn what_is_shipped_is_what_is_written() {
    let shell = Shell::new(World::default());
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/iam"));
    for (file, format) in [
        ("permissions.json", "json"),
        ("cloudformation.yaml", "cloudformation"),
        ("terraform/main.tf", "terraform"),
    ] {
        let text = std::fs::read_to_string(shipped.join(file)).expect("shipped");
        assert_eq!(
            shell.run(&format!("generate permissions --format {format}")).exits(0).out,
            text,
            "{file}"
        );
    }
}
