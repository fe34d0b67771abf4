//! Commands and flags, with the help texts.

mod doctor;
mod drift;
mod exceptions;
mod healthcheck;
mod hints;
mod import;
mod notifications;
mod permissions;
mod reconcile;
mod report;
mod run;
mod undo;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

pub use run::{LogFormat, Run};

use crate::guard::Allow;
use crate::place::{AccountId, Region};
use crate::plan::Exit;

pub use report::Report;

pub use doctor::{Doctor, DoctorFormat};
pub use drift::{Drift, Format as DriftFormat};
pub use exceptions::Exceptions;
pub use healthcheck::Healthcheck;
pub use hints::{Hints, Stack};
pub use import::Import;
pub use notifications::{Notifications, Told};
pub use permissions::{Permissions, PermissionsFormat};
pub use reconcile::Reconcile;
pub use undo::Undo;

/// Keep every security setting of every AWS account switched on and configured
///
/// AWS is the state: there is no state file. Credentials, regions, endpoints and proxies come from the AWS
/// SDK's own settings.
#[derive(Debug, Parser)]
#[command(version, after_help = exits(), max_term_width = 80, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// Say more on stderr: -v each AWS call, -vv all of baseline's own log, -vvv the AWS SDK's as well
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// The table of exit codes, at most 80 columns wide.
pub fn exits() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (exit, meaning) in Exit::TABLE {
        let lines = crate::report::wrap(meaning, 80 - 7);
        text.push_str(&format!("  {:>3}  {}\n", exit.code(), lines.join("\n       ")));
    }
    text.push_str("When several hold, the first of 64, 130, 1, 3, 4, 2, 5 is taken.");
    text
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first desired state for one account
    Init(Init),
    /// Check the documents offline, and tell everything that is wrong with them at once
    Validate(Validate),
    /// Print the controls of one account as the documents say them, merged
    Render(Render),
    /// Look at all accounts and write what was seen to a file, to plan from later
    Observe(Observe),
    /// List what people signed for, until when, and how that stands today; offline
    Exceptions(Exceptions),
    /// Show what would be changed, and change nothing
    Plan(Plan),
    /// Tell what is no longer as it was last applied, and who did it; this cannot write
    Drift(Drift),
    /// Tell whether every account can be assumed, observed and applied to, and what puts right what cannot; this
    /// changes nothing
    ///
    /// Exits with 2 where somebody has to put something right, and with 4 where something could not be asked.
    Doctor(Doctor),
    /// Write what is live in an account as its document
    Import(Import),
    /// Plan the way back from a run, and write the YAML that keeps it that way
    Undo(Undo),
    /// Show a plan that was saved; this works however old it is
    Show(ShowPlan),
    /// Write what holds, what is left to do, what was changed and what was signed for, as one page
    Report(Report),
    /// Show the plan, ask, make the changes, and look that they hold
    Apply(Apply),
    /// Look after all accounts for ever; nothing is changed without --enforce
    ///
    /// Each account has its turn once an interval, and one line of log on stderr. What is known of each is kept
    /// beside the audit records. SIGHUP looks at everything now; the first Ctrl-C or SIGTERM finishes the step in
    /// hand and exits with 0, the second exits at once.
    Run(Run),
    /// Ask a controller that runs with --listen whether it is alive; for containers without a shell
    Healthcheck(Healthcheck),
    /// Try how people are told what happens while `run` runs
    Notifications(Notifications),
    /// Look at an account now, as its turn would; nothing is changed without --enforce
    Reconcile(Reconcile),
    /// Explain a control or one of its fields; without a name, list all controls
    Explain(Explain),
    /// Print or write what is made from the code: schemas, pages, IAM policies, completions
    Generate(Generate),
    /// Show the whole story on an organisation in memory
    #[cfg(feature = "sandbox")]
    Demo(Demo),
}

impl Command {
    /// What runs for ever says what it does, whatever --verbose says.
    pub fn log_format(&self) -> Option<LogFormat> {
        match self {
            Self::Run(run) => Some(run.log_format),
            _ => None,
        }
    }

    /// Brings its own AWS.
    pub fn is_in_memory(&self) -> bool {
        #[cfg(feature = "sandbox")]
        let own = matches!(self, Self::Demo(_));
        #[cfg(not(feature = "sandbox"))]
        let own = false;
        own
    }
}

/// Where the documents are.
#[derive(Clone, Debug, clap::Args)]
pub struct Documents {
    /// The folder with the desired state
    #[arg(short = 'f', long = "desired-state", value_name = "DIR", default_value = "./desired-state")]
    pub dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct Init {
    /// The folder to write
    #[arg(value_name = "DIR", default_value = "./desired-state")]
    pub dir: PathBuf,
    /// The account's id; without it, AWS is asked who the caller is
    #[arg(long, value_name = "ID")]
    pub account_id: Option<AccountId>,
    /// The account's name in the documents
    #[arg(long, default_value = "my-account")]
    pub name: String,
    /// The home region [default: the AWS SDK's own setting, else us-east-1]
    #[arg(long, value_name = "REGION", value_parser = region)]
    pub region: Option<Region>,
}

fn region(text: &str) -> Result<Region, std::convert::Infallible> {
    Ok(Region::new(text))
}

#[derive(Debug, clap::Args)]
pub struct Validate {
    #[command(flatten)]
    pub documents: Documents,
    /// How to print what is wrong
    #[arg(long, default_value = "human")]
    pub format: TextOrJson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    Human,
    Json,
}

#[derive(Debug, clap::Args)]
pub struct Render {
    /// The account, by name or id
    pub account: String,
    /// Say which file and line each value came from
    #[arg(long)]
    pub origin: bool,
    #[command(flatten)]
    pub documents: Documents,
    /// Ask AWS Organizations for accounts, units and tags, where the documents select by them
    #[arg(long)]
    pub discover: bool,
}

#[derive(Debug, clap::Args)]
pub struct Observe {
    /// The file to write; only its owner can read it
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub documents: Documents,
}

/// What may be changed. Everything is looked at all the same.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Selectors {
    /// Plan changes in this account only, by name or id (repeatable); all accounts are looked at
    #[arg(long = "account", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// Plan changes in this region only (repeatable); all regions are looked at
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// Plan changes of this control only (repeatable); all controls are looked at
    #[arg(long = "control", value_name = "CONTROL")]
    pub controls: Vec<String>,
    /// Plan changes of what the documents say otherwise than where this branch left REV; drift of everything
    /// else is looked at and counted
    #[arg(long, value_name = "REV")]
    pub changed_since: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct Plan {
    #[command(flatten)]
    pub documents: Documents,
    #[command(flatten)]
    pub selectors: Selectors,
    /// How to print the plan
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// Exit with 2 instead of 0 when something is left to do
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Plan from a file that `observe` wrote, without asking AWS
    #[arg(long, value_name = "FILE")]
    pub offline: Option<PathBuf>,
    /// List as well what is otherwise only counted
    #[arg(long, value_name = "WHAT")]
    pub show: Option<Show>,
    /// Write the plan to a file, for `show` and `apply`; only its owner can read it
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub out: Option<PathBuf>,
    /// How long the saved plan may be applied: `8h`, `90m`, `2d`
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = valid_for, requires = "out")]
    pub valid_for: Duration,
    /// Sign the saved plan with this asymmetric KMS key: an id, an alias, or an ARN
    #[arg(long, value_name = "KEY", requires = "out")]
    pub sign: Option<String>,
}

/// A time from a minute to a month.
fn valid_for(text: &str) -> Result<Duration, String> {
    let span: jiff::Span = text.parse().map_err(|_| "write it as `8h`, `90m` or `2d`".to_owned())?;
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    let time = span.to_duration(day).ok().and_then(|time| Duration::try_from(time).ok());
    let fits = |time: &Duration| (60..=31 * 86_400).contains(&time.as_secs());
    time.filter(fits).ok_or_else(|| "from a minute to 31 days".to_owned())
}

#[derive(Debug, clap::Args)]
pub struct ShowPlan {
    /// The file that `plan --out` wrote
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// How to print it
    #[arg(long, default_value = "human")]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people, alike findings folded
    Human,
    /// One object, alike findings folded
    Json,
    /// One finding a line, then one line with the totals
    Jsonl,
    /// A comment for a pull request, within GitHub's size
    Markdown,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for whatever shows test results
    Junit,
    /// One page for a browser, with nothing to load beside it
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Show {
    /// Settings that are as the documents say
    InSync,
}

#[derive(Debug, clap::Args)]
pub struct Apply {
    /// A plan that `plan --out` wrote: exactly its changes are made, from the documents that it holds
    #[arg(value_name = "PLAN", conflicts_with_all = ["accounts", "regions", "controls", "changed_since"])]
    pub plan: Option<PathBuf>,
    /// The digest of the plan that was reviewed; any other file is refused
    #[arg(long, value_name = "SHA256", requires = "plan")]
    pub expect: Option<String>,
    /// The KMS key that must have signed the plan; any other file is refused
    #[arg(long, value_name = "KEY", requires = "plan")]
    pub signed_by: Option<String>,
    #[command(flatten)]
    pub documents: Documents,
    #[command(flatten)]
    pub selectors: Selectors,
    /// How to print the plan and what became of it
    #[arg(long, default_value = "human")]
    pub format: TextOrJson,
    /// Make the changes without asking
    #[arg(long)]
    pub auto_approve: bool,
    /// Exit with 2 instead of 0 when something is left to do
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Allow what a guard refuses, by name (repeatable)
    ///
    /// `disruptive:RESOURCE`, `destructive:RESOURCE`, `irreversible:RESOURCE`, `weakening:RESOURCE`,
    /// `organization:RESOURCE`, `region:RESOURCE`, `lockout:RESOURCE`, `incomplete:ACCOUNT`,
    /// `backwards:ACCOUNT`, `shrink`, `resources`, `percent` or `window`, as the refusal's hint says it. `*` and `?` in a name stand for any
    /// characters and for one.
    #[arg(long = "allow", value_name = "RISK:RESOURCE")]
    pub allow: Vec<Allow>,
    /// Why something becomes weaker; kept in the audit record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Go on with a saved plan whose run stopped before its end: what holds is left alone
    #[arg(long, requires = "plan")]
    pub resume: bool,
}

#[derive(Debug, clap::Args)]
pub struct Explain {
    /// A control, `guardduty.detector`, or one of its fields, `guardduty.detector.frequency`
    #[arg(value_name = "CONTROL[.FIELD]")]
    pub what: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct Generate {
    #[command(subcommand)]
    pub what: Generated,
}

#[derive(Debug, Subcommand)]
pub enum Generated {
    /// JSON Schema of the documents, for editors
    Schema {
        /// A kind of document (`account`, `organization`, …), or `plan`, `apply`, `drift` or `exceptions` for what those
        /// commands print as JSON; without it, all of them in one object
        kind: Option<String>,
    },
    /// Every generated file of baseline's own repository: control pages, schemas, IAM policies
    Docs {
        /// The root of the repository
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Write nothing, and fail if a file is not as it would be written
        #[arg(long)]
        check: bool,
    },
    /// The roles of every account: least-privilege policies, whom they trust, and what the caller needs
    Permissions(Permissions),
    /// CloudFormation for hints: the queues of a controller, or the rules of EventBridge in each account and region
    Hints(Hints),
    /// Completions for a shell, to be sourced by it
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page, in roff
    Man,
}

#[cfg(feature = "sandbox")]
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Keep the demo's desired state and its audit records in this folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}
