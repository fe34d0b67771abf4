//! Security Hub in an organisation, over two accounts and two regions: who comes before whom, that a change for one
//! region touches that region alone, and that none of it happens unless it is allowed.

use std::time::Duration;

use baseline::control::{ErasedControl, Risk};
use baseline::controls;
use baseline::guard;
use baseline::plan::Outcome;
use baseline::sandbox::sample::MANAGEMENT;
use baseline::sandbox::securityhub::{Hub, Organization};
use baseline::survey::{self, Wish};
use serde_json::{Value, json};

use super::stage::{HOME, MEMBER, Stage, judging, open};

const OTHER: &str = "eu-central-1";
const ADMINISTRATOR: &str = "securityhub.administrator";
const ORGANIZATION: &str = "securityhub.organization";
const AGGREGATION: &str = "securityhub.aggregation";

/// A security account with Security Hub enabled in two regions, and nobody who administers it.
fn stage() -> Stage {
    let all: Vec<&'static dyn ErasedControl> = [ADMINISTRATOR, ORGANIZATION, AGGREGATION]
        .iter()
        .map(|id| controls::find(id).expect("it is in the list"))
        .collect();
    let stage = Stage::bare(Box::leak(all.into())).expect("temporary folders");
    let now = stage.world.now();
    for region in [HOME, OTHER] {
        stage.world.region(MEMBER, region, |state| state.securityhub.hub = Some(Hub::with_defaults(now)));
    }
    stage
}

/// Declares both controls in these regions.
fn declare(stage: &Stage, regions: &[&str], organization: Value) {
    let administrator = json!({"account": "security"});
    stage
        .write(&[(MEMBER, ADMINISTRATOR, administrator), (MEMBER, ORGANIZATION, organization)])
        .expect("documents");
    let file = stage.documents.path().join("organization.yaml");
    let text = std::fs::read_to_string(&file).expect("it was written");
    let mut document: Value = serde_yaml::from_str(&text).expect("YAML");
    document["spec"]["regions"]["managed"] = json!(regions);
    std::fs::write(&file, serde_yaml::to_string(&document).expect("YAML")).expect("a file");
}

fn new_members(word: &str) -> Value {
    json!({"newMembers": word, "newMemberStandards": "NONE"})
}

/// Who administers a region, and whether new accounts are enrolled there.
fn live(stage: &Stage, region: &str) -> (Option<String>, bool) {
    let of = |account: &str| -> Organization {
        stage.world.region(account, region, |state| state.securityhub.organization.clone())
    };
    (of(MANAGEMENT).administrator, of(MEMBER).auto_enable)
}

#[tokio::test(start_paused = true)]
async fn one_apply_trusts_designates_and_enrols_in_that_order() {
    let stage = stage();
    declare(&stage, &[HOME, OTHER], new_members("NEW"));
    let applied = stage.apply().await.and_then(super::stage::Applied::held).expect("one apply does it all");
    assert_eq!(applied.report.changes.len(), 4);
    let sent: Vec<(String, String)> = stage
        .calls()
        .iter()
        .filter(|call| call.write)
        .map(|call| (call.operation().to_owned(), call.scope.region.to_string()))
        .collect();
    let at = |operation: &str, region: &str| {
        sent.iter().position(|(sent, there)| (sent.as_str(), there.as_str()) == (operation, region))
    };
    let trusted = at("organizations:EnableAWSServiceAccess", HOME).expect("it was not trusted");
    for region in [HOME, OTHER] {
        let designated = at("securityhub:EnableOrganizationAdminAccount", region).expect("sent");
        let enrolled = at("securityhub:UpdateOrganizationConfiguration", region).expect("sent");
        assert!(trusted < designated && designated < enrolled, "{sent:?}");
        assert_eq!(live(&stage, region), (Some(MEMBER.to_owned()), true));
    }
    let after = stage.plan().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));
}

/// What excluded regions did elsewhere (awslabs/landing-zone-accelerator-on-aws#1129).
#[tokio::test(start_paused = true)]
async fn a_change_for_one_region_touches_only_that_region() {
    let stage = stage();
    declare(&stage, &[HOME, OTHER], new_members("NEW"));
    stage.converge().await.expect("both regions");
    stage.world.forget_calls();

    declare(&stage, &[HOME], new_members("NEW"));
    stage.converge().await.expect("nothing to do");
    assert!(stage.writes().is_empty(), "{:?}", stage.writes());
    assert_eq!(
        live(&stage, OTHER),
        (Some(MEMBER.to_owned()), true),
        "a region that is left out is left alone"
    );

    stage.calls();
    let mut there = new_members("NONE");
    there["regions"] = json!([OTHER]);
    declare(&stage, &[HOME, OTHER], there);
    stage.converge().await.expect("one region");
    let regions: Vec<String> =
        stage.calls().iter().filter(|call| call.write).map(|call| call.scope.region.to_string()).collect();
    assert_eq!(regions, [OTHER]);
    assert_eq!((live(&stage, HOME).1, live(&stage, OTHER).1), (true, false));
}

/// Central configuration stands on a home region and takes its time; both, and its administrator, are one apply.
#[tokio::test(start_paused = true)]
async fn central_configuration_comes_after_its_home_region_and_is_waited_for() {
    let stage = stage();
    let declared = [
        (MEMBER, ADMINISTRATOR, json!({"account": "security"})),
        (MEMBER, ORGANIZATION, json!({"configurationType": "CENTRAL"})),
        (MEMBER, AGGREGATION, json!({"linking": "NO_REGIONS"})),
    ];
    stage.write(&declared).expect("documents");
    let applied = stage.apply().await.and_then(super::stage::Applied::held).expect("one apply does it all");
    let calls = stage.calls();
    let sent: Vec<&str> =
        calls.iter().filter(|call| call.write).map(baseline::aws::journal::Entry::operation).collect();
    assert_eq!(sent.last(), Some(&"securityhub:UpdateOrganizationConfiguration"), "{sent:?}");
    assert!(sent.contains(&"securityhub:CreateFindingAggregator"), "{sent:?}");
    let waited = applied.report.changes.iter().map(|change| change.elapsed).max();
    assert!(waited >= Some(Duration::from_secs(45)), "{waited:?}");
    let after = stage.plan().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));

    // From then on linking regions reaches the accounts of the organisation.
    stage.write(&[(MEMBER, AGGREGATION, json!({"linking": "ALL_REGIONS"}))]).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    let risks: Vec<Risk> =
        plan.changes().filter_map(|(_, item)| item.finding.change()).map(|change| change.risk).collect();
    assert_eq!(risks, [Risk::Organization]);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_it_is_done_unless_it_is_allowed() {
    let stage = stage();
    declare(&stage, &[HOME], new_members("NEW"));
    let fleet = stage.fleet().await.expect("connected");
    let plan = survey::plan(&fleet, &Wish::default(), &|_| {}).await;
    let risks: Vec<Risk> =
        plan.changes().filter_map(|(_, item)| item.finding.change()).map(|change| change.risk).collect();
    assert_eq!(risks, [Risk::Organization; 2]);
    let Err(refusals) = guard::check(plan, &judging(&fleet.desired, &[]), Vec::new()) else {
        panic!("it was not refused")
    };
    let said = refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for change in ["securityhub.administrator administrator", "securityhub.organization organization"] {
        assert!(said.contains(change), "{said}");
    }
    assert!(said.contains("reaches accounts of the whole organisation"), "{said}");
}

/// An administrator that somebody else made is nobody's to replace, and what stands on it is blocked.
#[tokio::test(start_paused = true)]
async fn another_administrator_is_left_alone_and_blocks_what_would_stand_on_it() {
    let stage = stage();
    super::bench::securityhub_more::designate(&stage.world, super::stage::ARCHIVE);
    declare(&stage, &[HOME], new_members("NEW"));
    let plan = stage.plan().await.expect("a plan");
    let outcome = |control: &str| {
        plan.items.iter().find(|item| item.control == control).map(|item| item.outcome.clone())
    };
    assert_eq!(outcome(ADMINISTRATOR), Some(Outcome::Foreign));
    assert!(
        matches!(outcome(ORGANIZATION), Some(Outcome::Blocked { on, .. }) if on.len() == 1),
        "{}",
        open(&plan)
    );
    stage.apply().await.expect("nothing to do");
    assert!(stage.writes().is_empty());
}
