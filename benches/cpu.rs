//! What a call costs in CPU time beside what it costs without the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;

use baseline::sandbox::DEFAULT_REGIONS;

use crate::bare::Bare;
use crate::sample::{Regions, Sample, runtime};
use crate::table::Goal;

const ACCOUNTS: usize = 200;
const ROUNDS: usize = 7;

/// The CPU time of a whole plan of many accounts, per call, less that of the same calls one after another, in the
/// regions and in the order of the plan's journal, so that both sides find what they read equally cold. Both are
/// the best of some rounds, taken in turn: what else the machine does only ever adds.
pub fn measure() -> anyhow::Result<Goal> {
    let runtime = runtime()?;
    runtime.block_on(async {
        let sample = Sample::in_use(ACCOUNTS, Regions::AllEnabled).await?;
        let mut bare: BTreeMap<String, Bare> = BTreeMap::new();
        for region in DEFAULT_REGIONS {
            bare.insert(region.to_owned(), Bare::observing(&sample.world, region).await?);
        }
        let (mut engine, mut alone) = (f64::INFINITY, f64::INFINITY);
        let mut calls = 0;
        for _ in 0..ROUNDS {
            let desired = sample.desired()?;
            let start = process()?;
            let planned = sample.plan(desired).await?;
            let spent = process()?.saturating_sub(start);
            planned.is_complete()?;
            let journal = planned.aws.journal().drain();
            drop(planned);
            calls = journal.len();
            engine = engine.min(micros_each(spent, calls));

            let start = process()?;
            for entry in &journal {
                let operation = entry.operation();
                let region = entry.scope.region.as_str();
                let bare = bare.get(region).with_context(|| format!("no clients in {region}"))?;
                bare.call(operation).await.with_context(|| format!("{operation} alone in {region}"))?;
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
