//! `baseline undo`

use std::path::PathBuf;
use std::time::Duration;

use super::{Documents, Format, Selectors, valid_for};

#[derive(Debug, clap::Args)]
pub struct Undo {
    /// The run to take back: `apply` prints its id, and it is the session name in CloudTrail
    pub run: String,
    /// Write the plan to this file, for `show` and `apply`; only its owner can read it
    #[arg(long, value_name = "FILE", default_value = "undo.json")]
    pub out: PathBuf,
    /// Write the old values as YAML to this file, to be committed [default: the plan's name with `.yaml`]
    #[arg(long, value_name = "FILE")]
    pub yaml: Option<PathBuf>,
    #[command(flatten)]
    pub documents: Documents,
    /// Take back what was changed in this account only, by name or id (repeatable)
    #[arg(long = "account", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// Take back what was changed in this region only (repeatable)
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// Take back what was changed by this control only (repeatable)
    #[arg(long = "control", value_name = "CONTROL")]
    pub controls: Vec<String>,
    /// How to print the plan
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// How long the plan may be applied: `8h`, `90m`, `2d`
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = valid_for)]
    pub valid_for: Duration,
}

impl Undo {
    /// The selectors as all commands have them.
    pub fn selectors(&self) -> Selectors {
        Selectors {
            accounts: self.accounts.clone(),
            regions: self.regions.clone(),
            controls: self.controls.clone(),
            changed_since: None,
        }
    }
}
