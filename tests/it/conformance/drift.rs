//! Points 5 and 11: every drift is seen and put right, and what is not declared stays as others left it.

use std::collections::BTreeSet;

use baseline::control::{ErasedControl, Field};
use baseline::plan::{Outcome, Plan};

use super::bench;
use super::mutate::leaves;
use super::stage::{Outcomes, Stage, changed, ensure, example, open};

/// Sees every drift: each declared leaf disturbed alone shows that field, and beside it only what went with it in AWS (the
/// reason of what was turned off), and apply restores it.
pub async fn point_5(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    stage.converge().await?;
    bench::by_hand(&stage.world);
    let spec = example(control)?;
    for leaf in leaves(&control.schema().to_value(), &spec) {
        let at = |what: String| format!("{}: {what}", leaf.path);
        stage.declare(control, &leaf.disturb(&spec))?;
        let went = fields(&stage.plan().await?);
        stage.converge().await.map_err(at)?;
        stage.declare(control, &spec)?;
        let drift = stage.plan().await?;
        let (shown, wanted) = (changed(&drift), BTreeSet::from([leaf.path.clone()]));
        let others: Vec<Field> =
            fields(&drift).into_iter().filter(|field| !wanted.contains(&field.path)).collect();
        let is_back = |field: &Field| {
            went.iter()
                .any(|one| (&one.path, &one.before, &one.after) == (&field.path, &field.after, &field.before))
        };
        ensure(shown.is_superset(&wanted) && others.iter().all(is_back), || {
            at(format!("the plan shows {shown:?}; {}", open(&drift)))
        })?;
        stage.apply().await?.held().map_err(at)?;
        let restored = stage.rested().await?;
        ensure(restored.changes().next().is_none(), || at(open(&restored)))?;
    }
    for happening in bench::happenings(control.meta().id) {
        (happening.change)(&stage.world);
        let drift = stage.plan().await?;
        let shows = drift
            .items
            .iter()
            .any(|item| item.finding.rule == happening.rule && item.outcome != Outcome::InSync);
        ensure(shows, || {
            format!("{}: {} does not show it: {}", happening.name, happening.rule, open(&drift))
        })?;
        stage.converge().await.map_err(|why| format!("{}: {why}", happening.name))?;
        bench::by_hand(&stage.world);
        let restored = stage.plan().await?;
        let all = restored.totals.in_sync == restored.totals.settings();
        ensure(all, || format!("{}: {}", happening.name, open(&restored)))?;
    }
    Ok(())
}

fn fields(plan: &Plan) -> Vec<Field> {
    let changes = plan.changes().filter_map(|(_, item)| item.finding.change());
    changes.flat_map(|change| change.fields.clone()).collect()
}

/// Other people's fields survive: each leaf in turn is left out of the spec after it was disturbed, and another
/// one is put right beside it; the first is still disturbed.
pub async fn point_11(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    stage.converge().await?;
    let spec = example(control)?;
    let leaves = leaves(&control.schema().to_value(), &spec);
    if leaves.len() < 2 {
        return Ok(());
    }
    for (index, theirs) in leaves.iter().enumerate() {
        let ours = &leaves[(index + 1) % leaves.len()];
        let at = |what: String| format!("{} beside {}: {what}", theirs.path, ours.path);
        stage.declare(control, &ours.disturb(&theirs.disturb(&spec)))?;
        stage.converge().await.map_err(at)?;
        stage.declare(control, &theirs.leave_out(&spec))?;
        let plan = stage.converged().await.map_err(at)?;
        ensure(plan.totals.unknown == 0, || at(open(&plan)))?;
        stage.declare(control, &theirs.disturb(&spec))?;
        let kept = stage.plan().await?;
        ensure(changed(&kept).is_empty(), || at(format!("it did not stay: {}", open(&kept))))?;
    }
    Ok(())
}
