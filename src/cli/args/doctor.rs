//! `baseline doctor`

use clap::ValueEnum;

use super::Documents;

#[derive(Debug, clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    pub documents: Documents,
    /// Examine this account only, by name or id (repeatable)
    #[arg(long = "account", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// Only what plan and drift need: neither assume the apply role nor ask of it
    #[arg(long)]
    pub read_only: bool,
    /// How to print it
    #[arg(long, default_value = "human")]
    pub format: DoctorFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// Text for people, alike accounts folded
    Human,
    /// One object
    Json,
}
