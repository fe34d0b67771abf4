//! How long `baseline --version` takes, from starting the process to its end.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::table::Goal;

const RUNS: usize = 100;

/// The median. The first runs only bring the program into memory.
pub fn measure() -> anyhow::Result<Goal> {
    let mut walls = Vec::with_capacity(RUNS);
    for run in 0..RUNS + 10 {
        let start = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_baseline")).arg("--version").output()?;
        let wall = start.elapsed();
        ensure!(output.status.success(), "`--version` failed");
        if run >= 10 {
            walls.push(wall);
        }
    }
    walls.sort();
    let milliseconds = |wall: Duration| wall.as_secs_f64() * 1e3;
    Ok(Goal {
        what: "`baseline --version`".to_owned(),
        measured: milliseconds(walls[RUNS / 2]),
        limit: 10.0,
        unit: "ms",
        beside: format!("median of {RUNS}; 95 of 100 within {:.1} ms", milliseconds(walls[RUNS * 95 / 100])),
    })
}
