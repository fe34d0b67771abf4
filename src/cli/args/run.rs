//! `baseline run`

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::Documents;
use crate::controller::schedule::SHORTEST_INTERVAL;
use crate::guard::Allow;
use crate::serve::Listen;

#[derive(Debug, clap::Args)]
pub struct Run {
    #[command(flatten)]
    pub documents: Documents,
    /// Take the desired state from here instead of a folder: `git+https://HOST/REPO?ref=BRANCH&path=DIR`,
    /// `git+ssh://…`, or `s3://BUCKET/PREFIX?region=REGION&owner=ACCOUNT`
    #[arg(long, value_name = "SOURCE", conflicts_with = "dir")]
    pub source: Option<String>,
    /// Where a git repository is fetched to [default: a folder that is gone when the program ends]
    #[arg(long, value_name = "DIR", requires = "source")]
    pub work_dir: Option<PathBuf>,
    /// Put right what differs; without it, nothing is changed in any account
    #[arg(long)]
    pub enforce: bool,
    /// How often each account is looked at: `1h`, `30m`, `1d`
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = interval)]
    pub interval: Duration,
    /// The same for an account whose hints are known to arrive
    #[arg(long, value_name = "TIME", default_value = "6h", value_parser = interval)]
    pub interval_with_hints: Duration,
    /// Share the work with other replicas through this FIFO queue:
    /// `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.fifo`
    #[arg(long, value_name = "URL")]
    pub queue: Option<String>,
    /// Hear of writes from EventBridge through this queue, and look at the account within seconds
    #[arg(long, value_name = "URL")]
    pub hints: Option<String>,
    /// How often the source is looked at for something new
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = poll)]
    pub poll: Duration,
    /// Accounts that are looked at at once. How many are written to at once, `guards.accountsAtOnce` says
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub accounts_at_once: u16,
    /// Calls that one account may take in an hour; looks that would take more wait
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(60..))]
    pub calls_per_account_hour: u32,
    /// Allow what a guard refuses, by name, as long as the program runs (repeatable); as for `apply`
    #[arg(long = "allow", value_name = "RISK:RESOURCE")]
    pub allow: Vec<Allow>,
    /// Serve probes, metrics and a page here: `8080` is on the loopback interface, `0.0.0.0:8080` on every one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<Listen>,
    /// Whoever would read metrics or the page has the token that is in this file; needed where others than this machine
    /// can ask
    #[arg(long, value_name = "FILE", env = "BASELINE_TOKEN_FILE", hide_env_values = true)]
    pub token_file: Option<PathBuf>,
    /// How to log
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere
    Auto,
    /// A line for people
    Text,
    /// One JSON object a line
    Json,
}

fn interval(text: &str) -> Result<Duration, String> {
    within(text, SHORTEST_INTERVAL, "from a minute to 7 days")
}

fn poll(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_secs(5), "from 5 seconds to 7 days")
}

fn within(text: &str, least: Duration, range: &str) -> Result<Duration, String> {
    let span: jiff::Span = text.parse().map_err(|_| "write it as `1h`, `30m` or `1d`".to_owned())?;
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    let time = span.to_duration(day).ok().and_then(|time| Duration::try_from(time).ok());
    let fits = |time: &Duration| *time >= least && time.as_secs() <= 7 * 86_400;
    time.filter(fits).ok_or_else(|| range.to_owned())
}
