//! `baseline notifications`

use clap::Subcommand;

use super::Documents;

#[derive(Debug, clap::Args)]
pub struct Notifications {
    #[command(subcommand)]
    pub what: Told,
}

#[derive(Debug, Subcommand)]
pub enum Told {
    /// Send one message that says that nothing has happened, to try a notification
    ///
    /// Secrets are read from where `urlFrom` and `secretFrom` say, so run it where the controller runs.
    Test {
        #[command(flatten)]
        documents: Documents,
        /// Try this notification only (repeatable)
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<String>,
    },
}
