//! Lists of networks, and the names that controls refer to them by.

use super::{ACCOUNT, TODAY, Tree};
use crate::controls::CONTROLS;
use crate::desired::load;
use crate::diagnostic::human;

const WAF: (&str, &str) = (
    "waf.yaml",
    "apiVersion: baseline/v1
kind: Baseline
metadata: {name: recommended}
spec:
  controls:
    waf.regional-acl:
      acls:
        public:
          networks:
            office: {action: allow, lists: [office]}
",
);

fn organization(networks: &str) -> String {
    format!(
        "apiVersion: baseline/v1
kind: Organization
metadata: {{name: acme}}
spec:
  regions: {{home: eu-west-1}}
  baselines:
  - use: recommended
  networks:
{networks}"
    )
}

fn said(networks: &str, waf: (&str, &str)) -> String {
    let organization = organization(networks);
    let tree = Tree::new(&[("organization.yaml", &organization), waf, ACCOUNT]);
    let loaded = load(tree.path(), CONTROLS, TODAY);
    let name = tree.path().to_string_lossy().into_owned();
    human(&loaded.diagnostics, &loaded.sources, false).replace(&name, "dir")
}

#[test]
fn right_lists_say_nothing_and_have_one_spelling() {
    let office = "    office: [192.0.2.0/24, \"2001:0DB8::/32\"]\n";
    assert_eq!(said(office, WAF), "");
    let organization = organization(office);
    let tree = Tree::new(&[("organization.yaml", &organization), WAF, ACCOUNT]);
    let networks = load(tree.path(), CONTROLS, TODAY).documents.unwrap().organization.networks;
    let spelled: Vec<String> = networks["office"].iter().map(ToString::to_string).collect();
    assert_eq!(spelled, ["192.0.2.0/24", "2001:db8::/32"]);
}

#[test]
fn an_unknown_list_is_told_where_it_is_written() {
    let wrong = WAF.1.replace("lists: [office]", "lists: [offise]");
    insta::assert_snapshot!(said("    office: [192.0.2.0/24]\n", ("waf.yaml", &wrong)), @"
    error: there is no list of networks `offise`
      --> dir/waf.yaml:10:45
       |
    10 |             office: {action: allow, lists: [offise]}
       |                                             ^^^^^^
       |
       = help: did you mean `office`?
       = help: `spec.networks` of the Organization has `office`

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn a_list_below_a_scope_down_is_looked_up_too() {
    let rate = "rates: {each: {limit: 100, scopeDown: {exceptFrom: [nobody]}}}";
    let wrong = WAF.1.replace("networks:\n            office: {action: allow, lists: [office]}", rate);
    let text = said("    office: [192.0.2.0/24]\n", ("waf.yaml", &wrong));
    assert!(text.contains("there is no list of networks `nobody`"), "{text}");
}

#[test]
fn wrong_networks_say_what_is_right() {
    for (list, title, help) in [
        ("[192.0.2.1/24]", "`192.0.2.1/24` is not a network", "the network is `192.0.2.0/24`"),
        ("[192.0.2.1]", "`192.0.2.1` is not a network", "write `192.0.2.1/32`"),
        ("[0.0.0.0/0]", "`0.0.0.0/0` is not a network", "AWS WAF takes no `/0`"),
        ("[\"::/0\"]", "`::/0` is not a network", "AWS WAF takes no `/0`"),
        ("[office.acme.example]", "`office.acme.example` is not a network", "such as `192.0.2.0/24`"),
        ("[192.0.2.0/33]", "`192.0.2.0/33` is not a network", "from 1 to 32"),
        ("[]", "the list of networks `office` is empty", "take both out"),
        ("[192.0.2.0/24, 192.0.2.0/24]", "`192.0.2.0/24` is in `office` twice", "first here"),
        ("[2001:db8::/32, \"2001:0db8:0::/32\"]", "`2001:db8::/32` is in `office` twice", "first here"),
        ("192.0.2.0/24", "expected a list, found text", ""),
        ("[12]", "expected text, found a number", "write it in quotes"),
    ] {
        let text = said(&format!("    office: {list}\n"), WAF);
        assert!(text.contains(title) && text.contains(help), "{list}: {text}");
        assert!(text.contains("organization.yaml:"), "{text}");
    }
    let text = said("    the office: [192.0.2.0/24]\n    office: [192.0.2.0/24]\n", WAF);
    assert!(text.contains("`the office` cannot be the name of a list of networks"), "{text}");
}
