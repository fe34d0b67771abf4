//! How long a plan of one account takes when every call takes 30 ms.

use std::time::{Duration, Instant};

use baseline::aws::journal::Entry;
use baseline::sandbox::Weather;

use crate::bound::Bound;
use crate::sample::{Regions, Sample, asked_everything, runtime};
use crate::table::Goal;

const LATENCY: Duration = Duration::from_millis(30);
const RUNS: usize = 9;

/// The median of some runs beside the bound, and the journal of the last run. Each run begins with a new
/// connection, and so with clients that have yet to be made.
pub fn measure() -> anyhow::Result<(Goal, Vec<Entry>)> {
    let runtime = runtime()?;
    runtime.block_on(async {
        let sample = Sample::in_use(1, Regions::AllEnabled).await?;
        sample.world.set_weather(Weather::fair().latency(LATENCY));
        let mut walls = Vec::new();
        let mut journal = Vec::new();
        for _ in 0..RUNS {
            let start = Instant::now();
            let planned = sample.plan(sample.desired()?).await?;
            walls.push(start.elapsed());
            planned.is_complete()?;
            journal = planned.aws.journal().drain();
        }
        asked_everything(&journal)?;
        walls.sort();
        let (best, wall) = (walls[0], walls[RUNS / 2]);
        let bound = Bound::of(&journal)?;
        let least = bound.at(LATENCY);
        let goal = Goal {
            what: "plan of 1 account × 17 regions at 30 ms a call, ÷ bound".to_owned(),
            measured: wall.as_secs_f64() / least.as_secs_f64(),
            limit: 1.3,
            unit: "×",
            beside: format!(
                "{} ms (best {}); bound {} ms: max({} calls in a chain × 30 ms, rates {} ms); {}",
                wall.as_millis(),
                best.as_millis(),
                least.as_millis(),
                bound.chain.len(),
                bound.rates.as_millis(),
                last_asker(&journal),
            ),
        };
        Ok((goal, journal))
    })
}

/// Whom the plan waited for, and for how long without it.
fn last_asker(journal: &[Entry]) -> String {
    let end = |call: &Entry| call.started + call.took;
    let (Some(first), Some(last)) =
        (journal.iter().map(|call| call.started).min(), journal.iter().max_by_key(|call| end(call)))
    else {
        return "nothing was asked".to_owned();
    };
    let others = journal.iter().filter(|call| call.by != last.by).map(end).max().unwrap_or(first);
    format!("`{}` was last, all others were done after {} ms", last.by, (others - first).as_millis())
}
