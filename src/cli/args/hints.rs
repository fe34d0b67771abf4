//! `baseline generate hints`

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub struct Hints {
    /// What the template is for
    #[arg(value_name = "STACK")]
    pub stack: Stack,
    /// Only what these controls may have to know of (repeatable)
    #[arg(long = "control", value_name = "CONTROL")]
    pub controls: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stack {
    /// One stack, where the controller runs: the queue of replicas, and the one that hints come to
    Queues,
    /// A stack set over all accounts and managed regions, the queue's region first
    Rules,
}
