//! A change of one region stays there: the guard refuses no plan of any control in several regions, and refuses each
//! that was moved, or that reaches further than its control says.

use baseline::call::{Extent, has_no_region};
use baseline::control::{ErasedControl, Regions, Thing, Verdict};
use baseline::guard::{self, Refusal};
use baseline::place::Region;
use baseline::plan::{Item, Outcome, Plan};
use serde_json::json;

use super::stage::{HOME, Outcomes, Stage, ensure, judging};

/// A region beside the home region.
const OTHER: &str = "us-east-1";
const UNMANAGED: &str = "eu-central-1";

/// What a guard says of it, with everything but this allowed.
fn refused(plan: Plan, stage: &Stage) -> Outcomes<Vec<Refusal>> {
    let desired = stage.desired()?;
    let allowed = ["organization:*".parse()?, "lockout:*".parse()?, "incomplete:*".parse()?];
    Ok(guard::check(plan, &judging(&desired, &allowed), Vec::new()).err().unwrap_or_default())
}

fn says(refusals: &[Refusal], what: &str) -> Outcomes<()> {
    let said = refusals.iter().any(|refusal| refusal.why.contains(what) && refusal.hint.contains("region:"));
    ensure(said, || format!("`{what}` is not said: {refusals:#?}"))
}

pub async fn stays_there(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let meta = control.meta();
    // The specimens are in no list, and bounded as a control of each region.
    if baseline::controls::find(meta.id).is_none() {
        return Ok(());
    }
    let each = meta.reach.regions == Regions::Each;
    for call in meta.writes.iter().filter(|call| each && has_no_region(call.operation)) {
        let declared = call.extent != Extent::Region;
        ensure(declared, || {
            format!("{} is of no region, and does not say how far it reaches", call.operation)
        })?;
    }
    let stage = Stage::of(control).await?;
    stage.manage(&[HOME, OTHER])?;
    let mut plan = stage.plan().await?;
    // What is blocked there would be made once what it needs is there.
    for item in plan.items.iter_mut().filter(|item| item.finding.change().is_some()) {
        item.outcome = Outcome::Change;
    }
    let is_there = plan.accounts.iter().any(|account| account.regions.contains(&Region::new(OTHER)));
    ensure(is_there, || format!("{OTHER} is not looked at"))?;
    let refusals = refused(plan.clone(), &stage)?;
    ensure(refusals.is_empty(), || format!("{refusals:#?}"))?;
    if plan.changes().next().is_none() {
        return Ok(());
    }

    // As somebody would alter a file: the change elsewhere, or what it makes.
    let altered = |alter: &dyn Fn(&mut Item)| {
        let mut plan = plan.clone();
        let selected = plan.items.iter_mut().filter(|item| item.outcome == Outcome::Change);
        selected.for_each(alter);
        refused(plan, &stage)
    };
    let elsewhere = altered(&|item| {
        item.scope.region = Region::new(UNMANAGED);
        item.region = item.region.take().map(|_| Region::new(UNMANAGED));
    })?;
    says(&elsewhere, if each { "is of a region that is not managed" } else { "where its control runs" })?;
    let makes = altered(&|item| {
        let (account, region) = (item.scope.account.clone(), Region::new(UNMANAGED));
        let topic = Thing::Topic { account, region, name: "alerts".into() };
        if let Verdict::Change(change) = &mut item.finding.verdict {
            change.makes = vec![topic];
        }
    })?;
    says(&makes, "would make topic alerts in eu-central-1")?;
    if each {
        let sent = altered(&|item| {
            if let Verdict::Change(change) = &mut item.finding.verdict {
                for step in &mut change.steps {
                    step.action = json!({"arn": "arn:aws:sns:eu-central-1:111122223333:t"}).into();
                }
            }
        })?;
        says(&sent, "names eu-central-1 in what it sends")?;
        let shown = altered(&|item| item.region = Some(Region::new(UNMANAGED)))?;
        says(&shown, "is shown as one of eu-central-1")?;
    }
    Ok(())
}

/// A role is made in the home region, whatever a file says.
#[tokio::test(start_paused = true)]
async fn a_role_is_made_in_the_home_region_alone() {
    let control = baseline::controls::find("events.finding-rules").expect("it is in the list");
    let stage = Stage::of(control).await.expect("a stage");
    stage.manage(&[HOME, OTHER]).expect("written");
    let mut plan = stage.plan().await.expect("a plan");
    let is_role = |call: &str| call.starts_with("iam:");
    let mut moved = 0;
    for item in &mut plan.items {
        let calls = item.finding.change().map(|change| change.steps.iter().any(|step| is_role(&step.call)));
        if calls == Some(true) {
            item.scope.region = Region::new(OTHER);
            item.region = Some(Region::new(OTHER));
            moved += 1;
        }
    }
    assert!(moved > 0, "the example makes a role");
    let refusals = refused(plan, &stage).expect("judged");
    says(&refusals, "calls iam:CreateRole, which reaches every region and is for the home region, eu-west-1")
        .expect("it is refused");
}
