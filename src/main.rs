//! The `baseline` command: parse, run, exit code.

use std::process::ExitCode;

use baseline::cli;

fn main() -> ExitCode {
    let exit = cli::run(std::env::args_os(), &mut cli::Io::of_process(), cli::Reach::Environment);
    ExitCode::from(exit.code())
}
