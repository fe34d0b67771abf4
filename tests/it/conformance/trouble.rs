//! Points 6 and 7: the process may end after any write, and the network may do its worst.

use std::collections::BTreeMap;

use baseline::apply::ChangeResult;
use baseline::control::{ErasedControl, Retry, Verdict};
use baseline::plan::{Exit, Outcome, Plan, exit_of};
use baseline::sandbox::{Attempt, Front, Trouble, Weather};

use super::bench;
use super::stage::{Outcomes, Stage, ensure, open};

/// Survives a crash anywhere: whichever write was the last one, the next process finishes, and over both no more
/// is written than without the crash.
pub async fn point_6(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let undisturbed = Stage::of(control).await?;
    undisturbed.converge().await?;
    let wanted = undisturbed.writes();
    for k in 1..=wanted.values().sum() {
        let stage = Stage::of(control).await?;
        stage.world.set_weather(Weather::fair().stop_after_writes(k));
        // However it ends: the process is gone.
        drop(stage.apply().await);
        stage.world.set_weather(Weather::fair());
        stage.converge().await.map_err(|why| format!("after write {k}: {why}"))?;
        let written = stage.writes();
        ensure(written == wanted, || format!("after write {k}: {written:?} was written, not {wanted:?}"))?;
    }
    Ok(())
}

const ALL: [Trouble; 5] =
    [Trouble::Throttled, Trouble::ServerError, Trouble::TimedOut, Trouble::Cut, Trouble::Denied];
const PASSING: [Trouble; 5] =
    [Trouble::Throttled, Trouble::ServerError, Trouble::TimedOut, Trouble::Cut, Trouble::ReplyLost];

/// Weather is the control's: sessions and things have tests of their own.
fn ours(control: &'static dyn ErasedControl) -> impl Fn(&Attempt<'_>) -> bool + Send + Sync {
    let meta = control.meta();
    move |attempt| {
        let call = format!("{}:{}", attempt.service, attempt.operation);
        meta.reads.iter().chain(meta.writes).any(|named| named.operation == call)
    }
}

/// Survives bad weather: what is not known is never in sync, passing weather passes, and what is denied says so.
pub async fn point_7(control: &'static dyn ErasedControl) -> Outcomes<()> {
    reads_that_fail(control).await?;
    weather_that_passes(control).await?;
    writes_that_fail(control).await
}

async fn reads_that_fail(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    stage.converge().await?;
    bench::by_hand(&stage.world);
    stage.calls();
    let good = stage.plan().await?;
    let asked = stage.operations(control.meta().id);
    for read in control.meta().reads.iter().filter(|read| asked.contains(read.operation)) {
        for trouble in ALL {
            stage.world.set_weather(Weather::fair().with(Front::new(trouble).on(read.operation)));
            let plan = stage.plan().await?;
            let at = |why: &str| format!("{} {trouble:?}: {why}: {}", read.operation, open(&plan));
            ensure(plan.totals.in_sync < good.totals.in_sync, || at("as in sync as ever"))?;
            ensure(plan.totals.unknown > 0, || at("nothing is unknown"))?;
            ensure(exit(&plan) == Exit::Incomplete, || at("the exit code is not 4"))?;
            ensure(plan.totals.change == 0, || at("it would change what it does not know"))?;
            let said = plan.items.iter().all(|item| match &item.finding.verdict {
                Verdict::Unknown { fault } => !fault.code.is_empty() && fault.call == read.operation,
                _ => true,
            });
            ensure(said, || at("the fault names neither call nor code"))?;
        }
    }
    Ok(())
}

fn exit(plan: &Plan) -> Exit {
    exit_of(plan.items.iter().map(|item| &item.outcome), false)
}

/// How often each call landed that must not be sent twice.
fn once(control: &dyn ErasedControl, writes: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let calls = control.meta().writes.iter().filter(|call| call.retry == Retry::Once);
    calls.filter_map(|call| Some((call.operation.to_owned(), *writes.get(call.operation)?))).collect()
}

async fn weather_that_passes(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let undisturbed = Stage::of(control).await?;
    undisturbed.converge().await?;
    for trouble in PASSING {
        let stage = Stage::of(control).await?;
        let at = |why: String| format!("{trouble:?} passes: {why}");
        let front = Front::new(trouble).first_attempts(1).at(ours(control));
        stage.world.set_weather(Weather::fair().with(front));
        let applied = stage.apply().await.map_err(at)?;
        let claimed = applied.report.changes.iter().all(|change| change.result == ChangeResult::Held);
        stage.world.set_weather(Weather::fair());
        let rested = stage.rested().await.map_err(at)?;
        let rests = rested.changes().next().is_none();
        ensure(rests || !claimed, || at(format!("it was said to hold and does not: {}", open(&rested))))?;
        let plan = stage.converged().await.map_err(at)?;
        ensure(plan.totals.unknown == 0, || at(open(&plan)))?;
        let (made, wanted) = (once(control, &stage.writes()), once(control, &undisturbed.writes()));
        ensure(made == wanted, || at(format!("{made:?} was made, not {wanted:?}")))?;
    }
    Ok(())
}

/// Each write in turn fails for good: nothing is said to hold that does not, and it is put right afterwards.
async fn writes_that_fail(control: &'static dyn ErasedControl) -> Outcomes<()> {
    for write in control.meta().writes {
        for trouble in ALL {
            let stage = Stage::of(control).await?;
            let at = |why: String| format!("{} {trouble:?}: {why}", write.operation);
            stage.world.set_weather(Weather::fair().with(Front::new(trouble).on(write.operation)));
            let applied = stage.apply().await.map_err(at)?;
            let met = stage.calls().iter().any(|call| call.operation() == write.operation);
            let all_held = applied.report.changes.iter().all(|change| change.result == ChangeResult::Held);
            ensure(!met || !all_held, || at("everything is said to hold".into()))?;
            for change in &applied.report.changes {
                if let ChangeResult::Failed { fault } = &change.result {
                    let said = fault.call == write.operation && !fault.code.is_empty();
                    ensure(said, || at(format!("the fault says {fault}")))?;
                }
            }
            stage.world.set_weather(Weather::fair());
            let plan = stage.converged().await.map_err(at)?;
            let open_still = plan.items.iter().any(|item| item.outcome == Outcome::Unknown);
            ensure(!open_still, || at(open(&plan)))?;
        }
    }
    Ok(())
}
