//! `baseline plan`

use std::time::Instant;

use super::Stop;
use super::args::{Format, Plan as Args, Selectors, Show};
use super::context::{self, Reach};
use super::io::Io;
use super::progress::Progress;
use crate::controls::CONTROLS;
use crate::guard::quoted;
use crate::inventory::Inventory;
use crate::plan::{AccountState, Exit, Item, Outcome, Plan, exit_of};
use crate::report::{human, json};
use crate::survey::{self, Wish};

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let start = Instant::now();
    let keep_in_sync = args.show == Some(Show::InSync);
    let (plan, reads) = match &args.offline {
        Some(file) => {
            let (loaded, documents) = context::load(&args.documents, io)?;
            let inventory = Inventory::load(file).map_err(Stop::failed)?;
            let desired = context::resolve(&loaded, &documents, &inventory.members, &args.documents.dir, io)?;
            let wish = Wish { selection: context::selection(&args.selectors, &desired)?, keep_in_sync };
            (survey::plan_offline(&desired, CONTROLS, &inventory, &wish), inventory.reads)
        }
        None => {
            let ready = context::ready(&args.documents, io, &reach).await?;
            let desired = &ready.fleet.desired;
            let wish = Wish { selection: context::selection(&args.selectors, desired)?, keep_in_sync };
            let progress = Progress::new(io, "accounts seen", desired.accounts.len());
            let plan = survey::plan(&ready.fleet, &wish, &|_| progress.one_more()).await;
            (plan, ready.fleet.aws.journal().reads())
        }
    };
    known_regions(&args.selectors, &plan)?;
    let (exit, why) = ending(&plan, args.detailed_exitcode, |_| true);
    match args.format {
        Format::Human => {
            let selectors = typed(&args.selectors);
            let next =
                format!("baseline apply{}", selectors.as_ref().map_or(String::new(), |s| format!(" {s}")));
            let context = human::Context {
                command: "plan",
                reads,
                elapsed: start.elapsed(),
                show_in_sync: keep_in_sync,
                detailed_exitcode: args.detailed_exitcode,
                next: args.offline.is_none().then_some(&next),
                selectors: selectors.as_deref(),
                exit: (exit.code(), &why),
                controls: CONTROLS,
            };
            io.out(&human::plan(&plan, &context, &io.style()));
        }
        Format::Json => io.out(&json::plan(&plan, exit.code(), keep_in_sync)),
        Format::Jsonl => io.out(&json::jsonl(&plan, exit.code(), keep_in_sync)),
    }
    Ok(exit)
}

/// The exit code of a plan, and why it is that one. What is not known counts wherever it is; what is left to
/// do counts where it was selected.
/// `of` says which findings count.
pub(super) fn ending(plan: &Plan, detailed: bool, of: impl Fn(&Item) -> bool) -> (Exit, String) {
    let counted =
        plan.items.iter().filter(|item| of(item) && (item.selected || item.outcome == Outcome::Unknown));
    let mut exit = exit_of(counted.map(|item| &item.outcome), detailed);
    let state = |wanted: fn(&AccountState) -> bool| {
        plan.accounts.iter().filter(|account| wanted(&account.state)).count()
    };
    let unreachable = state(|state| matches!(state, AccountState::Unreachable { .. }));
    let refused = state(|state| matches!(state, AccountState::Refused { .. }));
    if unreachable > 0 {
        exit = exit.worse(Exit::Incomplete);
    }
    if refused > 0 {
        exit = exit.worse(Exit::Refused);
    }
    let unknown = plan.items.iter().filter(|item| item.outcome == Outcome::Unknown).count();
    let why = match exit {
        Exit::Refused => format!("{} not what the YAML says", counted_are(refused, "account", "is", "are")),
        Exit::Incomplete if unknown == 0 => {
            format!("{} could not be reached", counted_word(unreachable, "account"))
        }
        Exit::Incomplete if unreachable == 0 => {
            format!("{} could not be observed", counted_word(unknown, "setting"))
        }
        Exit::Incomplete => format!(
            "{} could not be reached, {} not observed",
            counted_word(unreachable, "account"),
            counted_word(unknown, "setting")
        ),
        Exit::Differs => "something is left to do".into(),
        _ => "nothing is left to do".into(),
    };
    (exit, why)
}

pub(super) fn counted_word(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

fn counted_are(n: usize, word: &str, one: &str, many: &str) -> String {
    format!("{} {}", counted_word(n, word), if n == 1 { one } else { many })
}

/// A region that no account has would select nothing, silently. Where no account could be reached, that is
/// what has to be said.
pub(super) fn known_regions(selectors: &Selectors, plan: &Plan) -> Result<(), Stop> {
    if !plan.accounts.iter().any(|account| account.state == AccountState::Reached) {
        return Ok(());
    }
    let all = || plan.accounts.iter().flat_map(|account| &account.regions).map(|region| region.as_str());
    let homes = || plan.items.iter().map(|item| item.scope.region.as_str());
    for wanted in &selectors.regions {
        if !all().chain(homes()).any(|region| region == wanted) {
            return Err(context::unmatched("--region", wanted, all()));
        }
    }
    Ok(())
}

/// The selectors as they were typed, with quotes where a shell would need them.
pub(super) fn typed(selectors: &Selectors) -> Option<String> {
    let flags = [
        ("--account", &selectors.accounts),
        ("--region", &selectors.regions),
        ("--control", &selectors.controls),
    ];
    let words: Vec<String> = flags
        .into_iter()
        .flat_map(|(flag, values)| values.iter().map(move |value| format!("{flag} {}", quoted(value))))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}
