//! The `baseline` command: parse, run, exit code.

use std::process::ExitCode;

use baseline::cli;

/// A call is thousands of small allocations in the SDK, and a quarter of its time went into the system's
/// allocator (`docs/performance.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let exit = cli::run(std::env::args_os(), &mut cli::Io::of_process(), cli::Reach::Environment);
    ExitCode::from(exit.code())
}
