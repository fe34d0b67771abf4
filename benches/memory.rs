//! The peak memory of a plan of an organisation, in a process of its own.

use anyhow::{Context as _, bail};
use baseline::controls::CONTROLS;
use baseline::report::{Style, human};

use crate::sample::{Regions, Sample, runtime};
use crate::table::Goal;

/// The argument that makes this program the one that is measured.
pub const CHILD: &str = "--peak-memory";

const ACCOUNTS: usize = 1_000;

/// Runs this program again as [`child`].
pub fn measure() -> anyhow::Result<Goal> {
    let output = std::process::Command::new(std::env::current_exe()?).arg(CHILD).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let told = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = told.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [peak, before, findings, bytes] = figures[..] else { bail!("the child said `{told}`") };
    Ok(Goal {
        what: format!("peak memory of a plan of {ACCOUNTS} accounts × 2 regions"),
        measured: peak / 1024.0,
        limit: 300.0,
        unit: "MiB",
        beside: format!(
            "{:.0} MiB of it before the plan (the organisation in memory); {findings} findings, {:.0} KiB of text",
            before / 1024.0,
            bytes / 1024.0,
        ),
    })
}

/// Plans new accounts, so that there is a finding for nearly everything, and writes the text. Answers with
/// KiB at the peak, KiB before the plan, findings kept, and bytes of text.
pub fn child() -> anyhow::Result<String> {
    let runtime = runtime()?;
    runtime.block_on(async {
        let sample = Sample::new(ACCOUNTS, Regions::Two).await?;
        let before = kibibytes("VmRSS")?;
        let start = std::time::Instant::now();
        let planned = sample.plan(sample.desired()?).await?;
        planned.is_complete()?;
        let context = human::Context {
            command: "plan",
            reads: planned.aws.journal().reads(),
            elapsed: start.elapsed(),
            show_in_sync: false,
            detailed_exitcode: false,
            next: None,
            selectors: None,
            exit: (0, ""),
            controls: CONTROLS,
            saved: None,
        };
        let text = human::plan(&planned.plan, &context, &Style::plain());
        Ok(format!("{} {before} {} {}", kibibytes("VmHWM")?, planned.plan.items.len(), text.len()))
    })
}

/// A line of `/proc/self/status` (proc_pid_status(5)): `VmHWM:   12345 kB`.
fn kibibytes(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let figure = line.and_then(|rest| rest.split_whitespace().next());
    Ok(figure.with_context(|| format!("/proc/self/status has no {name}"))?.parse()?)
}
