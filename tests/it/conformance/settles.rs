//! Points 1 to 4: it converges and rests, looking changes nothing, and META names what is called.

use std::collections::BTreeSet;

use baseline::aws::journal::{Ending, Purpose};
use baseline::control::ErasedControl;
use baseline::plan::Outcome;

use super::bench;
use super::mutate::leaves;
use super::stage::{Outcomes, Stage, ensure, example, named, open};

/// Converges: on a fresh account there is something to do, one apply does it, and only manual tasks are left;
/// when those are done, nothing is.
pub async fn point_1(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    let first = stage.plan().await?;
    let left = first.totals.change + first.totals.manual;
    ensure(left > 0, || format!("a fresh account needs nothing: {}", open(&first)))?;
    let writes = !control.meta().writes.is_empty();
    ensure(!writes || first.totals.change > 0, || format!("nothing to write: {}", open(&first)))?;
    stage.apply().await?.held()?;
    let rested = stage.rested().await?;
    let foreign = rested.items.iter().find(|item| !matches!(item.outcome, Outcome::InSync | Outcome::Manual));
    ensure(foreign.is_none(), || format!("not only manual tasks are left: {}", open(&rested)))?;
    bench::by_hand(&stage.world);
    let done = stage.plan().await?;
    ensure(done.totals.in_sync > 0 && done.totals.in_sync == done.totals.settings(), || open(&done))
}

/// Idempotent: a second apply writes nothing.
pub async fn point_2(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    stage.apply().await?;
    drop(stage.rested().await?);
    stage.calls();
    stage.world.forget_calls();
    stage.apply().await?;
    let written = stage.calls().iter().filter(|call| call.write).count();
    ensure(written == 0 && stage.writes().is_empty(), || format!("written again: {:?}", stage.writes()))
}

/// Observes only: a plan writes nothing, asks for nothing that a reader may not, and has only the observe role.
pub async fn point_3(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    for _ in 0..2 {
        stage.calls();
        stage.world.forget_calls();
        drop(stage.plan().await?);
        ensure(stage.writes().is_empty(), || format!("a plan wrote: {:?}", stage.writes()))?;
        for call in stage.calls().iter().filter(|call| call.by == control.meta().id) {
            let fits = !call.write && call.purpose == Purpose::Observe && call.ending != Ending::Failed(403);
            ensure(fits, || format!("{} as {}: {:?}", call.operation(), call.purpose.word(), call.ending))?;
        }
        stage.apply().await?;
    }
    Ok(())
}

/// Asks for what it uses: over every state that this suite brings about, the operations that are called are
/// those that META names, and the generated policies allow these and nothing else.
pub async fn point_4(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let meta = control.meta();
    let stage = Stage::of(control).await?;
    stage.converge().await?;
    let spec = example(control)?;
    for leaf in leaves(&control.schema().to_value(), &spec) {
        stage.declare(control, &leaf.disturb(&spec))?;
        stage.converge().await?;
    }
    stage.declare(control, &spec)?;
    stage.converge().await?;
    for happening in bench::happenings(meta.id) {
        (happening.change)(&stage.world);
        stage.converge().await?;
        bench::by_hand(&stage.world);
    }
    let calls = stage.calls();
    super::allowed::exactly(control, &calls, &stage.world)?;
    let called =
        calls.iter().filter(|e| e.by == meta.id).map(|e| e.operation().to_owned()).collect::<BTreeSet<_>>();
    let named = named(meta.reads).union(&named(meta.writes)).cloned().collect();
    let unused: Vec<_> = called.symmetric_difference(&named).collect();
    ensure(unused.is_empty(), || format!("called {called:?}, named {named:?}, not in both: {unused:?}"))
}
