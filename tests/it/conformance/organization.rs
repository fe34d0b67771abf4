//! Controls of the organisation together, over its management account, its security account and a member: in which
//! order they are made, who asks for permission, and who leaves what to whom.

use std::collections::BTreeSet;

use baseline::control::{ErasedControl, Verdict};
use baseline::controls;
use baseline::guard::{self, Allow};
use baseline::plan::{Item, Outcome, Plan};
use baseline::sandbox::sample::MANAGEMENT;
use serde_json::{Value, json};

use super::bench;
use super::stage::{Applied, HOME, MEMBER, Stage, judging, open};

const ADMINISTRATOR: &str = "guardduty.administrator";
const ORGANIZATION: &str = "guardduty.organization";
const DETECTOR: &str = "guardduty.detector";
const TRAIL: &str = "cloudtrail.trail";
const ORGANIZATION_TRAIL: &str = "cloudtrail.organization-trail";

fn stage(ids: &[&str]) -> Stage {
    let all = ids.iter().map(|id| controls::find(id).expect("it is in the list"));
    let all: Vec<&'static dyn ErasedControl> = all.collect();
    Stage::bare(Box::leak(all.into_boxed_slice())).expect("a stage")
}

fn item<'a>(plan: &'a Plan, control: &str) -> &'a Item {
    plan.items.iter().find(|item| item.control == control).unwrap_or_else(|| panic!("{}", open(plan)))
}

/// GuardDuty of a whole organisation, of which nothing is there.
fn guardduty(stage: &Stage, detector: Option<Value>) {
    let mut declared = vec![
        (MANAGEMENT, ADMINISTRATOR, json!({"account": "security"})),
        (MEMBER, ORGANIZATION, json!({"newMembers": "ALL", "features": {"S3_DATA_EVENTS": true}})),
    ];
    declared.extend(detector.map(|spec| (MEMBER, DETECTOR, spec)));
    stage.write(&declared).expect("documents");
}

#[tokio::test(start_paused = true)]
async fn a_whole_organisation_is_watched_after_one_apply() {
    let stage = stage(&[DETECTOR, ADMINISTRATOR, ORGANIZATION]);
    guardduty(&stage, Some(json!({"enabled": true, "features": {"S3_DATA_EVENTS": true}})));
    stage.apply().await.and_then(Applied::held).expect("makers before takers");
    let after = stage.plan().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));
    // AWS enables GuardDuty for a new administrator with all its features: this one had its own before.
    stage.world.region(MEMBER, HOME, |region| {
        let detector = region.guardduty.detector.as_ref().expect("it was made");
        let on = detector.features.iter().filter(|(_, feature)| feature.enabled);
        assert_eq!(
            on.map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["AI_PROTECTION", "S3_DATA_EVENTS"]
        );
    });
}

#[tokio::test(start_paused = true)]
async fn without_a_detector_of_its_own_an_administrator_gets_aws_s() {
    let stage = stage(&[ADMINISTRATOR, ORGANIZATION]);
    guardduty(&stage, None);
    let plan = stage.plan().await.expect("a plan");
    assert_eq!(plan.totals.blocked, 0, "{}", open(&plan));
    let administrator = plan.items.iter().filter(|item| item.finding.rule == "administrator");
    let costs: Vec<_> = administrator.filter_map(|item| item.finding.change()?.cost.clone()).collect();
    assert!(costs.iter().any(|cost| cost.contains("turns GuardDuty on")), "{costs:?}");
    stage.apply().await.and_then(Applied::held).expect("AWS makes the detector");
}

/// Nobody administers GuardDuty and nobody is told to: what stands on it is blocked, and says on what.
#[tokio::test(start_paused = true)]
async fn without_an_administrator_what_it_would_enable_is_blocked() {
    let stage = stage(&[ORGANIZATION]);
    bench::detector(&stage.world);
    stage.write(&[(MEMBER, ORGANIZATION, json!({"newMembers": "ALL"}))]).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    let Outcome::Blocked { on, .. } = &item(&plan, ORGANIZATION).outcome else { panic!("{}", open(&plan)) };
    let on: Vec<String> = on.iter().map(ToString::to_string).collect();
    assert_eq!(on, [format!("{MEMBER} as administrator of guardduty there")]);
}

#[tokio::test(start_paused = true)]
async fn what_reaches_the_organisation_is_refused_until_it_is_allowed_by_name() {
    let stage = stage(&[DETECTOR, ADMINISTRATOR, ORGANIZATION]);
    guardduty(&stage, Some(json!({"enabled": true})));
    let plan = stage.plan().await.expect("a plan");
    let desired = stage.desired().expect("documents");
    let refusals =
        guard::check(plan.clone(), &judging(&desired, &[]), Vec::new()).expect_err("nothing is allowed");
    let hints: BTreeSet<&str> = refusals.iter().map(|refusal| refusal.hint.as_str()).collect();
    let wanted = ["--allow organization:administrator", "--allow organization:organization"];
    assert_eq!(hints, wanted.into());
    let allow = |text: &str| -> Allow { text.parse().expect("well formed") };
    let allowed = [allow("organization:administrator"), allow("organization:organization")];
    assert!(guard::check(plan, &judging(&desired, &allowed), Vec::new()).is_ok());
}

/// What one region lacks is put right there, and nowhere else.
#[tokio::test(start_paused = true)]
async fn a_change_for_one_region_touches_only_that_region() {
    const OTHER: &str = "eu-central-1";
    let stage = stage(&[DETECTOR, ADMINISTRATOR, ORGANIZATION]);
    guardduty(&stage, Some(json!({"enabled": true})));
    let file = stage.documents.path().join("organization.yaml");
    let text = std::fs::read_to_string(&file).expect("it was written");
    let mut document: Value = serde_yaml::from_str(&text).expect("it is YAML");
    document["spec"]["regions"]["managed"] = json!([HOME, OTHER]);
    std::fs::write(&file, serde_yaml::to_string(&document).expect("it is data")).expect("it is there");
    stage.apply().await.and_then(Applied::held).expect("makers before takers, in both regions");
    let after = stage.plan().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));

    stage.world.forget_calls();
    stage.world.region(MANAGEMENT, OTHER, |region| region.guardduty.organization_admin = None);
    stage.world.region(MEMBER, OTHER, |region| region.guardduty.organization = None);
    let plan = stage.plan().await.expect("a plan");
    let regions: BTreeSet<&str> = plan.changes().map(|(_, item)| item.scope.region.as_str()).collect();
    assert_eq!(regions, [OTHER].into(), "{}", open(&plan));
    stage.apply().await.and_then(Applied::held).expect("it is put right");
    let once = ["guardduty:EnableOrganizationAdminAccount", "guardduty:UpdateOrganizationConfiguration"]
        .map(String::from);
    assert_eq!(stage.writes(), once.map(|call| (call, 1)).into());
}

#[tokio::test(start_paused = true)]
async fn another_administrator_is_never_replaced() {
    let stage = stage(&[ADMINISTRATOR]);
    let now = stage.world.now();
    let other = baseline::sandbox::guardduty::OrganizationAdministrator {
        account: super::stage::ARCHIVE.to_owned(),
        leaving: false,
    };
    stage.world.organization(|organization| organization.trust("guardduty.amazonaws.com", now));
    stage.world.region(MANAGEMENT, HOME, |region| region.guardduty.organization_admin = Some(other));
    stage.write(&[(MANAGEMENT, ADMINISTRATOR, json!({"account": "security"}))]).expect("documents");
    stage.apply().await.expect("an apply without changes");
    assert_eq!(stage.writes(), [].into());
    let plan = stage.plan().await.expect("a plan");
    let theirs = plan.items.iter().find(|item| item.finding.rule == "administrator").expect("it is told");
    let told = matches!(&theirs.finding.verdict, Verdict::Foreign { owner, .. }
        if owner.contains(super::stage::ARCHIVE));
    assert!(told && theirs.outcome == Outcome::Foreign, "{:?}", theirs.finding.verdict);
}

/// A member sees the organisation's trail and needs none of its own; nor does the management account.
#[tokio::test(start_paused = true)]
async fn accounts_of_an_organisation_trail_need_no_trail_of_their_own() {
    let stage = stage(&[TRAIL, ORGANIZATION_TRAIL]);
    bench::furnish(&stage.world, ORGANIZATION_TRAIL).await;
    let wanted = json!({
        "multiRegion": true, "globalEvents": true, "logFileValidation": true, "deliverTo": "archive", "encrypt": true,
        "logging": true, "events": {"management": "all"},
    });
    stage.write(&[(MANAGEMENT, ORGANIZATION_TRAIL, wanted.clone())]).expect("documents");
    stage.apply().await.and_then(Applied::held).expect("it is made");
    let all = [
        (MANAGEMENT, ORGANIZATION_TRAIL, wanted.clone()),
        (MANAGEMENT, TRAIL, wanted.clone()),
        (MEMBER, TRAIL, wanted.clone()),
    ];
    stage.write(&all).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    let of_accounts: Vec<&Item> = plan.items.iter().filter(|item| item.control == TRAIL).collect();
    assert_eq!(of_accounts.len(), 2, "{}", open(&plan));
    for item in of_accounts {
        assert_eq!(item.outcome, Outcome::Foreign, "{:?}", item.finding.verdict);
        let told = matches!(&item.finding.verdict, Verdict::Foreign { owner, evidence }
            if owner.contains(MANAGEMENT) && evidence.contains("baseline-organization"));
        assert!(told, "{:?}", item.finding.verdict);
    }
    assert_eq!(plan.totals.change, 0, "{}", open(&plan));

    // What the organisation's trail does not record is told, and then an account gets a trail of its own.
    let mut more = wanted.clone();
    more["events"]["s3"] = "write-only".into();
    stage.write(&[(MANAGEMENT, ORGANIZATION_TRAIL, wanted), (MEMBER, TRAIL, more)]).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    let own = item(&plan, TRAIL).finding.change().expect("a trail of its own");
    assert!(
        own.evidence.as_deref().is_some_and(|said| said.contains("lacks events.s3")),
        "{:?}",
        own.evidence
    );
}
