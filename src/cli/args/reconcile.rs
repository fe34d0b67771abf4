//! `baseline reconcile`

use super::Documents;
use crate::guard::Allow;

#[derive(Debug, clap::Args)]
pub struct Reconcile {
    #[command(flatten)]
    pub documents: Documents,
    /// The account that has its turn now, by name or id (repeatable)
    #[arg(long, value_name = "ACCOUNT", required = true)]
    pub now: Vec<String>,
    /// Put right what differs; without it, nothing is changed
    #[arg(long, conflicts_with = "queue")]
    pub enforce: bool,
    /// Allow what a guard refuses, by name (repeatable); as for `apply`
    #[arg(long = "allow", value_name = "RISK:RESOURCE", conflicts_with = "queue")]
    pub allow: Vec<Allow>,
    /// Leave it to the replicas that share this FIFO queue, and do not wait for them
    #[arg(long, value_name = "URL")]
    pub queue: Option<String>,
}
