//! The figures of `docs/performance.md`, measured: `cargo bench`.
//!
//! Prints one table and exits with 1 when a goal is missed. Everything runs on the organisation in memory, so
//! no account and no network is needed; `benches/README.md` says how to add a control's calls.

#![expect(clippy::disallowed_macros, reason = "a benchmark prints its figures")]

mod bare;
mod bound;
mod calls;
mod cpu;
mod in_use;
mod memory;
mod sample;
mod startup;
mod table;
mod wall;

use std::process::ExitCode;

use anyhow::Context as _;

/// As the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every goal was reached. Words select lines: `cargo bench -- wall cpu`.
fn run() -> anyhow::Result<bool> {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.first().is_some_and(|word| word == memory::CHILD) {
        println!("{}", memory::child()?);
        return Ok(true);
    }
    let wanted = |line: &str| words.is_empty() || words.iter().any(|word| word == line);
    let mut goals = Vec::new();
    if wanted("startup") {
        goals.push(startup::measure().context("start-up")?);
    }
    if wanted("memory") {
        goals.push(memory::measure().context("peak memory")?);
    }
    if wanted("wall") {
        let (goal, journal) = wall::measure().context("wall time")?;
        println!("{}", calls::by_control(&journal));
        goals.push(goal);
    }
    if wanted("cpu") {
        goals.push(cpu::measure().context("CPU per call")?);
    }
    println!("{}", table::render(&goals));
    Ok(goals.iter().all(table::Goal::is_reached))
}
