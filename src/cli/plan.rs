//! `baseline plan`

use std::time::Instant;

use jiff::Timestamp;

use super::Stop;
use super::args::{Format, Plan as Args, Selectors, Show};
use super::context::{self, Reach};
use super::io::Io;
use super::progress::Progress;
use crate::controls::CONTROLS;
use crate::desired;
use crate::guard::quoted;
use crate::inventory::Inventory;
use crate::moment::minute;
use crate::observe::Fleet;
use crate::plan::{AccountState, Exit, Item, Outcome, Plan, exit_of};
use crate::report::{self, github, html, human, json, junit, markdown, sarif};
use crate::saved::{self, SavedPlan, Saving, Signature};
use crate::survey::{self, Wish};

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let start = Instant::now();
    let keep_in_sync = args.show == Some(Show::InSync);
    let mut keeping = None;
    let (plan, reads) = match &args.offline {
        Some(file) => {
            let (loaded, documents) = context::load(&args.documents, io)?;
            let inventory = Inventory::load(file).map_err(Stop::failed)?;
            let desired = context::resolve(
                &loaded,
                &documents,
                &inventory.members,
                desired::revision(&args.documents.dir),
                io,
            )?;
            let dir = &args.documents.dir;
            let selection = context::selection(&args.selectors, &desired, dir, &inventory.members)?;
            let wish = Wish { selection, keep_in_sync };
            (survey::plan_offline(&desired, CONTROLS, &inventory, &wish), inventory.reads)
        }
        None => {
            let ready = context::ready(&args.documents, io, &reach).await?;
            let desired = &ready.fleet.desired;
            let dir = &args.documents.dir;
            let selection = context::selection(&args.selectors, desired, dir, &ready.members)?;
            let wish = Wish { selection, keep_in_sync };
            let progress = Progress::new(io, "accounts seen", desired.accounts.len());
            let plan = Box::pin(survey::plan(&ready.fleet, &wish, &|_| progress.one_more())).await;
            let reads = ready.fleet.aws.journal().reads();
            keeping = Some(ready);
            (plan, reads)
        }
    };
    let elapsed = start.elapsed();
    known_regions(&args.selectors, &plan)?;
    let (exit, why) = ending(&plan, args.detailed_exitcode, |_| true);
    let selectors = typed(&args.selectors);
    let saved = match (&args.out, keeping) {
        (Some(out), Some(ready)) => {
            let saving = Saving {
                aws: &ready.fleet.aws,
                valid_for: args.valid_for,
                revision: ready.fleet.desired.revision.clone(),
                documents: ready.texts,
                members: ready.members,
                elapsed,
                selectors: selectors.clone(),
                undoes: None,
            };
            let mut saved = saving.of(&plan);
            if let Some(key) = &args.sign {
                saved.signature = Some(signed(&ready.fleet, key, &saved).await?);
            }
            Some(saved.save(out).map_err(Stop::failed)?)
        }
        _ => None,
    };
    let what = match &args.out {
        Some(out) => Some(quoted(&out.display().to_string())),
        None => selectors.clone(),
    };
    let next = format!("baseline apply{}", what.map_or(String::new(), |what| format!(" {what}")));
    let context = human::Context {
        command: "plan",
        reads,
        elapsed,
        show_in_sync: keep_in_sync,
        detailed_exitcode: args.detailed_exitcode,
        next: args.offline.is_none().then_some(&next),
        selectors: selectors.as_deref(),
        exit: (exit.code(), &why),
        controls: CONTROLS,
        saved: saved.as_ref().map(|saved| saved.digest.as_str()),
    };
    print(args.format, &plan, &context, Timestamp::now(), io);
    if let (Some(saved), Some(out)) = (&saved, &args.out) {
        let until = minute(saved.expires_at);
        io.err(&format!("{}: valid until {until}\n{}\n", out.display(), saved.digest));
        if let Some(signature) = &saved.signature {
            io.err(&format!("signed with {}\n", report::escape::escape(&signature.key)));
        }
    }
    Ok(exit)
}

/// The plan's signature. Without it nothing is written: whoever asked for it relies on it.
async fn signed(fleet: &Fleet, key: &str, saved: &SavedPlan) -> Result<Signature, Stop> {
    let digest = saved.measured().map_err(Stop::failed)?;
    saved::sign(&fleet.aws, &fleet.desired.organization.home, key, &digest).await.map_err(|fault| {
        let error = anyhow::Error::new(fault).context("the plan cannot be signed, and was not written");
        Stop::failed(error).hint("a key that signs, and `kms:DescribeKey` and `kms:Sign` on it, are needed")
    })
}

/// Prints a plan that was made at some time in one of its formats.
pub(super) fn print(format: Format, plan: &Plan, context: &human::Context<'_>, at: Timestamp, io: &mut Io) {
    let (exit, in_sync) = (context.exit.0, context.show_in_sync);
    io.out(&match format {
        Format::Human => human::plan(plan, context, &io.style()),
        Format::Json => json::plan(plan, exit, in_sync),
        Format::Jsonl => json::jsonl(plan, exit, in_sync),
        Format::Markdown => markdown::plan(plan, context, markdown::COMMENT),
        Format::Github => github::plan(plan),
        Format::Sarif => sarif::plan(plan, CONTROLS),
        Format::Junit => junit::plan(plan),
        Format::Html => html::page(plan, context, at, None),
    });
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

pub(super) fn counted_are(n: usize, word: &str, one: &str, many: &str) -> String {
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
    let since = selectors.changed_since.iter().map(|rev| format!("--changed-since {}", quoted(rev)));
    let words: Vec<String> = flags
        .into_iter()
        .flat_map(|(flag, values)| values.iter().map(move |value| format!("{flag} {}", quoted(value))))
        .chain(since)
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}
