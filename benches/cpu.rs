//! What a call costs in CPU time beside what it costs without the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;

use crate::bare::Bare;
use crate::sample::{HOME, Regions, Sample, runtime};
use crate::table::Goal;

const ACCOUNTS: usize = 200;
const ROUNDS: usize = 3;

/// The CPU time of a whole plan of many accounts, per call, less that of the same calls in a bare loop. Both
/// are the best of some rounds, taken in turn: what else the machine does only ever adds.
pub fn measure() -> anyhow::Result<Goal> {
    let runtime = runtime()?;
    runtime.block_on(async {
        let sample = Sample::in_use(ACCOUNTS, Regions::AllEnabled).await?;
        let bare = Bare::observing(&sample.world, HOME).await?;
        let (mut engine, mut alone) = (f64::INFINITY, f64::INFINITY);
        let mut calls = 0;
        for _ in 0..ROUNDS {
            let desired = sample.desired()?;
            let start = process()?;
            let planned = sample.plan(desired).await?;
            let spent = process()?.saturating_sub(start);
            planned.is_complete()?;
            let mut mix: BTreeMap<&str, usize> = BTreeMap::new();
            for call in planned.aws.journal().drain() {
                *mix.entry(call.operation()).or_default() += 1;
            }
            drop(planned);
            calls = mix.values().sum();
            engine = engine.min(micros_each(spent, calls));

            let start = process()?;
            for (operation, times) in &mix {
                for _ in 0..*times {
                    bare.call(operation).await.with_context(|| format!("{operation} alone"))?;
                }
            }
            alone = alone.min(micros_each(process()?.saturating_sub(start), calls));
        }
        Ok(Goal {
            what: "CPU of a call above the bare SDK".to_owned(),
            measured: engine - alone,
            limit: 25.0,
            unit: "µs",
            beside: format!(
                "{engine:.1} µs in a plan of {ACCOUNTS} accounts × 17 regions, {alone:.1} µs in a bare loop; {calls} calls"
            ),
        })
    })
}

fn micros_each(spent: Duration, calls: usize) -> f64 {
    spent.as_secs_f64() * 1e6 / calls as f64
}

/// User and system time of all threads of this process, those that have ended too, in steps of 10 ms: fields
/// 14 and 15 of `/proc/self/stat` (proc_pid_stat(5)), in clock ticks, of which Linux tells programs 100 a
/// second.
fn process() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("needs Linux")?;
    // The second field is the program's name in brackets, with whatever is in it.
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat has no name")?;
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}
