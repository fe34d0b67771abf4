//! The flags of `baseline exceptions`.

use super::{Documents, TextOrJson};

#[derive(Debug, clap::Args)]
pub struct Exceptions {
    #[command(flatten)]
    pub documents: Documents,
    /// How to print them
    #[arg(long, default_value = "human")]
    pub format: TextOrJson,
    /// Exit with 2 instead of 0 when one of them has expired
    #[arg(long)]
    pub detailed_exitcode: bool,
}
