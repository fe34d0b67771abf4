//! The flags of `baseline report`.

use std::path::PathBuf;

use super::Documents;

#[derive(Debug, clap::Args)]
pub struct Report {
    #[command(flatten)]
    pub documents: Documents,
    /// The file to write instead of printing it; only its owner can read it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
