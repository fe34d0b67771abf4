//! What is no longer as it was last applied, who made it so, and what was never applied.

use std::collections::HashMap;
use std::time::Duration;

use crate::control::{Change, ChangeKind, Step, Verdict};
use crate::drift::{Counts, Drift, DriftTotals, Last, Standing};
use crate::fault::Fault;
use crate::place::AccountId;
use crate::plan::{AccountState, Item, Outcome};
use crate::pointer;
use crate::who::Who;

use super::super::fold::{Alike, fold_told};
use super::super::style::{Paint, Style};
use super::super::text::{Text, unbroken};
use super::super::words::{counted, names, number};
use super::block::{regions, subject, unknown};
use super::fields::{self, COLUMN, INDENT, short};
use super::{header, totals, who};

/// What the text needs beside what was found.
pub struct DriftContext<'a> {
    /// Read calls that were made.
    pub reads: usize,
    pub elapsed: Duration,
    /// The exit code, and why it is that one.
    pub exit: (u8, &'a str),
}

/// The whole text.
pub fn drift(drift: &Drift, context: &DriftContext<'_>, style: &Style) -> String {
    let mut text = Text::new(style);
    let id = drift.organization_id.as_deref();
    header::title(&mut text, "drift", (&drift.organization, id), (drift.revision.as_deref(), &drift.digest));
    let own = if drift.own_credentials { ", with the caller's own credentials" } else { "" };
    let looked = [
        format!("as {}{own}", drift.caller),
        counted(drift.accounts.len(), "account"),
        counted(drift.regions, "region"),
        counted(drift.controls, "control"),
    ];
    header::looked(&mut text, looked, context.reads, context.elapsed);
    against(&mut text, drift);

    for group in groups(drift) {
        text.gap();
        let accounts = group.first().map(|alike| alike.block.accounts.as_slice()).unwrap_or_default();
        text.paragraph(0, Paint::Strong, &title(drift, accounts));
        let is_block =
            |alike: &&Alike<'_>| matches!(alike.told.standing, Standing::Drifted | Standing::Unknown);
        for alike in group.iter().filter(is_block) {
            text.gap();
            match alike.told.standing {
                Standing::Unknown => unknown(&mut text, &alike.block),
                _ => drifted(&mut text, alike),
            }
        }
        if group.iter().any(|alike| !is_block(&alike)) {
            text.gap();
        }
        for alike in group.iter().filter(|alike| !is_block(alike)) {
            aside(&mut text, alike);
        }
    }
    unreached(&mut text, drift);
    text.gap();
    never(&mut text, drift);
    ending(&mut text, drift, context);
    text.finish()
}

/// Which runs it is compared with.
fn against(text: &mut Text<'_>, drift: &Drift) {
    let mut runs: Vec<_> = drift
        .accounts
        .iter()
        .filter_map(|account| match &account.last {
            Last::Applied(last) => Some((last.at, last.run.as_str(), last.revision.as_deref())),
            Last::Never { .. } | Last::Lost { .. } => None,
        })
        .collect();
    runs.sort_unstable();
    runs.dedup_by_key(|(_, run, _)| *run);
    let line = match runs.as_slice() {
        [] => return,
        [(at, run, revision)] => {
            let revision = revision.map(|full| format!(", revision {}", full.get(..8).unwrap_or(full)));
            format!("against run {run} of {}{}", who::minute(*at), revision.unwrap_or_default())
        }
        [(first, ..), .., (last, ..)] => {
            let runs = counted(runs.len(), "run");
            format!("against {runs}, from {} to {}", who::minute(*first), who::minute(*last))
        }
    };
    text.paragraph(0, Paint::Dim, &line);
}

/// What is alike is said once, under the accounts that it holds for.
fn groups(drift: &Drift) -> Vec<Vec<Alike<'_>>> {
    let mut places: HashMap<Vec<&AccountId>, usize> = HashMap::new();
    let mut groups: Vec<Vec<Alike<'_>>> = Vec::new();
    for alike in fold_told(&drift.findings) {
        let place = *places.entry(alike.block.accounts.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(alike),
            None => groups.push(vec![alike]),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|alike| alike.told.standing);
    }
    groups
}

/// `prod-payments 111122223333`, `4 accounts: a, b, c and 1 more`.
fn title(drift: &Drift, accounts: &[&AccountId]) -> String {
    let name =
        |id: &AccountId| drift.account(id).map_or_else(|| id.to_string(), |account| account.name.to_string());
    match accounts {
        [one] => format!("{} {one}", name(one)),
        many => {
            let all: Vec<String> = many.iter().map(|id| name(id)).collect();
            format!("{}: {}", counted(many.len(), "account"), names(&all))
        }
    }
}

fn drifted(text: &mut Text<'_>, alike: &Alike<'_>) {
    let Alike { told, block } = alike;
    let item = block.first;
    match &item.finding.verdict {
        Verdict::Change(change) => {
            text.head(Paint::Update, "~", &subject(block), &regions(block));
            changed(text, change);
        }
        Verdict::Manual(task) => {
            text.head(Paint::Alert, "!", &subject(block), &regions(block));
            if task.found.is_empty() {
                text.paragraph(INDENT, Paint::Plain, &task.title);
            }
            for (what, found) in &task.found {
                text.labelled(INDENT, Paint::Plain, what, COLUMN, found);
            }
            text.labelled(
                INDENT,
                Paint::Dim,
                "by hand",
                COLUMN,
                "no call puts it back; baseline plan says how",
            );
        }
        // Nothing else drifts.
        _ => {}
    }
    let mut note = |word: &str, what: &str| text.labelled(INDENT, Paint::Dim, word, COLUMN, what);
    if item.outcome == Outcome::ObserveOnly {
        note("observed only", "apply leaves it as it is (mode: observe)");
    }
    if told.as_wanted {
        note("as wanted", "it is what the documents at hand say");
    }
    if let Some(found) = &told.who {
        who::write(text, &item.scope.account, found);
    }
}

fn changed(text: &mut Text<'_>, change: &Change<Step>) {
    if change.kind == ChangeKind::Create {
        text.labelled(INDENT, Paint::Alert, "gone", COLUMN, "there is none any more");
    }
    fields::write(text, ChangeKind::Update, &change.fields);
    if change.fields.is_empty() {
        let what = change.evidence.as_deref().unwrap_or("it is not as it was applied");
        text.paragraph(INDENT, Paint::Plain, what);
    }
}

/// What has not drifted, one line each.
fn aside(text: &mut Text<'_>, alike: &Alike<'_>) {
    let word = match alike.told.standing {
        Standing::Unapplied => "unapplied",
        Standing::Progressing => "in progress",
        Standing::ObserveOnly => "observed only",
        Standing::Excepted => "excepted",
        Standing::Foreign => "left alone",
        Standing::NotOffered => "not offered",
        Standing::Drifted | Standing::Unknown => return,
    };
    let block = &alike.block;
    let regions = regions(block);
    let place = if regions.is_empty() { String::new() } else { format!(" in {regions}") };
    let why = said(block.first).map_or_else(String::new, |why| format!(": {why}"));
    text.labelled(2, Paint::Dim, word, 18, &format!("{}{place}{why}", subject(block)));
}

fn said(item: &Item) -> Option<String> {
    match (&item.outcome, &item.finding.verdict) {
        (Outcome::Excepted { exception }, _) => {
            Some(item.exception_note.as_ref().unwrap_or(exception).clone())
        }
        (_, Verdict::Change(change)) => {
            let fields = change.fields.iter().map(|field| {
                let path = pointer::dotted(&field.path);
                match (short(&field.before), short(&field.after)) {
                    (Some(live), Some(desired)) => format!("{path} {live} → {desired}"),
                    _ => format!("{path} differs"),
                }
            });
            Some(fields.collect::<Vec<_>>().join(", "))
        }
        (_, Verdict::Manual(task)) => Some(format!("by hand: {}", task.title)),
        (_, Verdict::Progressing(progress)) => Some(progress.what.clone()),
        (_, Verdict::Foreign { owner, evidence }) => Some(format!("{owner} manages it ({evidence})")),
        (_, Verdict::NotOffered { source }) => Some(source.clone()),
        (_, Verdict::InSync | Verdict::Unknown { .. }) => None,
    }
}

/// Accounts without a session, those with the same reason together.
fn unreached(text: &mut Text<'_>, drift: &Drift) {
    let mut reasons: Vec<(String, Option<&str>, Vec<&AccountId>)> = Vec::new();
    for account in &drift.accounts {
        let (why, hint) = match &account.state {
            AccountState::Unreachable { fault } => {
                let message = fault.message.replace(account.id.as_str(), "<account>");
                (Fault { message, request_id: None, ..fault.clone() }.to_string(), fault.hint())
            }
            AccountState::Refused { why } => {
                (format!("refused: {}", why.replace(account.id.as_str(), "<account>")), None)
            }
            AccountState::Reached | AccountState::NotTried { .. } => continue,
        };
        match reasons.iter_mut().find(|(other, ..)| *other == why) {
            Some((.., accounts)) => accounts.push(&account.id),
            None => reasons.push((why, hint, vec![&account.id])),
        }
    }
    for (why, hint, accounts) in reasons {
        text.gap();
        text.paragraph(0, Paint::Strong, &title(drift, &accounts));
        text.gap();
        text.head(Paint::Unknown, "?", "all controls", "");
        text.paragraph(INDENT, Paint::Plain, &why);
        if let Some(hint) = hint {
            text.paragraph(INDENT, Paint::Hint, &format!("hint: {hint}"));
        }
    }
}

/// Accounts that are compared with nothing, said once.
fn never(text: &mut Text<'_>, drift: &Drift) {
    let mut never = (Vec::new(), 0);
    let mut lost: Vec<(&str, Vec<&str>, usize)> = Vec::new();
    for account in drift.accounts.iter().filter(|account| account.state == AccountState::Reached) {
        match &account.last {
            Last::Applied(_) => {}
            Last::Never { open } => {
                never.0.push(&*account.name);
                never.1 += open;
            }
            Last::Lost { why, open, .. } => match lost.iter_mut().find(|(other, ..)| other == why) {
                Some((_, accounts, all)) => {
                    accounts.push(&*account.name);
                    *all += open;
                }
                None => lost.push((why, vec![&*account.name], *open)),
            },
        }
    }
    for (why, accounts, open) in lost {
        let line = format!("Not known what was applied to {}: {why}; {}.", names(&accounts), there(open));
        text.paragraph(0, Paint::Unknown, &line);
    }
    let (accounts, open) = never;
    if !accounts.is_empty() {
        text.paragraph(0, Paint::Plain, &format!("Never applied: {}; {}.", names(&accounts), there(open)));
    }
}

/// How many settings of some accounts are open.
fn there(open: usize) -> String {
    match open {
        0 => "all settings there are as the documents at hand say".to_owned(),
        1 => "1 setting there is not as the documents at hand say".to_owned(),
        many => format!("{} settings there are not as the documents at hand say", number(many)),
    }
}

fn ending(text: &mut Text<'_>, drift: &Drift, context: &DriftContext<'_>) {
    let DriftTotals { last_applied, at_hand } = &drift.totals;
    let settings = all(last_applied);
    let compared = drift.accounts.iter().filter(|account| matches!(account.last, Last::Applied(_))).count();
    if settings > 0 && settings == last_applied.as_applied {
        let (settings, accounts) = (counted(settings, "setting"), counted(compared, "account"));
        text.paragraph(0, Paint::Plain, &format!("As last applied: {settings} in {accounts}."));
    } else if settings > 0 {
        let line = format!("{}: {}.", counted(settings, "setting"), parts(last_applied).join(", "));
        text.paragraph(0, Paint::Plain, &line);
    }
    if all(at_hand) > 0 {
        let line = format!("Of the documents at hand: {}.", parts(at_hand).join(", "));
        text.paragraph(0, Paint::Plain, &line);
    }
    if last_applied.drifted > 0 {
        text.paragraph(0, Paint::Plain, "Drifted fields are applied → live.");
    }
    let found_nobody = |who: &Who| who.deeds.is_empty() && who.faults.is_empty();
    if drift.findings.iter().filter_map(|told| told.who.as_ref()).any(found_nobody) {
        let line =
            "CloudTrail's event history shows a call some 15 minutes later, and what is done to data never.";
        text.paragraph(0, Paint::Plain, line);
    }
    if last_applied.drifted + at_hand.unapplied > 0 {
        text.paragraph(0, Paint::Plain, "Next: baseline plan");
    }
    if context.exit.0 != 0 {
        totals::exit(text, context.exit);
    }
}

fn all(totals: &Counts) -> usize {
    counts(totals).iter().map(|(n, _)| n).sum()
}

fn counts(totals: &Counts) -> [(usize, &'static str); 9] {
    [
        (totals.as_applied, "as last applied"),
        (totals.drifted, "drifted"),
        (totals.unapplied, "unapplied"),
        (totals.progressing, "in progress"),
        (totals.observe_only, "observed only"),
        (totals.excepted, "excepted"),
        (totals.foreign, "left alone"),
        (totals.not_offered, "not offered"),
        (totals.unknown, "not known"),
    ]
}

/// Every count that is not nothing; together they are all of them.
fn parts(totals: &Counts) -> Vec<String> {
    let some = counts(totals).into_iter().filter(|(n, _)| *n > 0);
    some.map(|(n, word)| unbroken(&format!("{} {word}", number(n)))).collect()
}
