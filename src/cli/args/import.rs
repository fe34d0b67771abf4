//! `baseline import`

use std::path::PathBuf;

use super::Documents;

#[derive(Debug, clap::Args)]
pub struct Import {
    /// The account to describe, by name or id
    #[arg(long, value_name = "ACCOUNT")]
    pub account: String,
    /// Describe this control only (repeatable) [default: all that the account's baselines declare]
    #[arg(long = "control", value_name = "CONTROL")]
    pub controls: Vec<String>,
    /// Write the document to this file, which must not be there yet; without it, print it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub documents: Documents,
}
