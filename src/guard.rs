//! Checks on a finished plan that may refuse it. Each is one small function; `apply` takes nothing that has not
//! been through all of them.

mod memory;
mod saved;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use wildmatch::WildMatch;

pub use memory::{Descent, never_backwards, no_shrinking};
pub use saved::{not_signed, saved_plan};

use crate::control::{Direction, Risk};
use crate::desired::Guards;
use crate::plan::{Item, Outcome, Plan};

/// A plan that passed every guard. Only [`check`] makes one.
#[must_use = "a guarded plan is there to be applied"]
#[derive(Debug)]
pub struct Guarded(Plan);

impl Guarded {
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// What a person allowed on the command line: `weakening:payments-api`, `irreversible:acme-logs-*`, `shrink`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    pub what: Danger,
    /// A resource, or for `backwards` an account; `*` and `?` as in file names.
    pub which: Option<String>,
}

/// What needs to be allowed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    Disruptive,
    /// Reaches every account of the organisation.
    Organization,
    Destructive,
    Irreversible,
    /// Lowers security against what is live.
    Weakening,
    /// The desired state lost more than a few accounts, or a seat.
    Shrink,
    /// The desired state is older than what was last applied to an account.
    Backwards,
    /// More resources at once than `guards.percentOfResources`.
    Percent,
}

impl Danger {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Disruptive, "disruptive"),
        (Self::Organization, "organization"),
        (Self::Destructive, "destructive"),
        (Self::Irreversible, "irreversible"),
        (Self::Weakening, "weakening"),
        (Self::Shrink, "shrink"),
        (Self::Backwards, "backwards"),
        (Self::Percent, "percent"),
    ];

    /// The word on the command line and in the YAML.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(danger, _)| *danger == self).map_or("", |(_, word)| word)
    }

    /// What a change with this danger is or does: the end of a sentence.
    fn said(self) -> String {
        match self {
            Self::Organization => "reaches accounts of the whole organisation".to_owned(),
            other => format!("is {}", other.word()),
        }
    }

    fn takes_a_name(self) -> bool {
        !matches!(self, Self::Shrink | Self::Percent)
    }

    /// What a change is, beside the ordinary. A change can be two of them.
    pub fn of(item: &Item) -> impl Iterator<Item = Self> {
        let change = item.finding.change();
        let risk = change.and_then(|change| match change.risk {
            Risk::Safe => None,
            Risk::Disruptive => Some(Self::Disruptive),
            Risk::Organization => Some(Self::Organization),
            Risk::Destructive => Some(Self::Destructive),
            Risk::Irreversible => Some(Self::Irreversible),
        });
        let weakens =
            change.is_some_and(|change| change.direction == Direction::Weakens).then_some(Self::Weakening);
        risk.into_iter().chain(weakens)
    }
}

impl FromStr for Allow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, which) = match text.split_once(':') {
            Some((word, which)) => (word, Some(which)),
            None => (text, None),
        };
        let Some((what, _)) = Danger::WORDS.iter().copied().find(|(_, known)| *known == word) else {
            let words: Vec<&str> = Danger::WORDS.iter().map(|(_, word)| *word).collect();
            return Err(format!("`{word}` is not one of {}", words.join(", ")));
        };
        match (what.takes_a_name(), which) {
            (true, None | Some("")) => {
                Err(format!("name what is allowed: `{word}:RESOURCE`; `{word}:*` allows all of it"))
            }
            (false, Some(_)) => Err(format!("`{word}` takes no name")),
            _ => Ok(Self { what, which: which.map(str::to_owned) }),
        }
    }
}

impl Allow {
    /// Is this danger allowed for that resource?
    pub fn covers(&self, danger: Danger, name: &str) -> bool {
        self.what == danger && self.which.as_deref().is_none_or(|glob| WildMatch::new(glob).matches(name))
    }
}

/// One reason not to apply a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A sentence without a full stop.
    pub why: String,
    /// What a person can do: the flag to add, or the line to change.
    pub hint: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Runs every guard. All refusals at once, so that a person is not refused twice.
pub fn check(
    plan: Plan,
    guards: &Guards,
    allowed: &[Allow],
    mut found_elsewhere: Vec<Refusal>,
) -> Result<Guarded, Vec<Refusal>> {
    let mut refusals = dangerous(&plan, guards, allowed);
    refusals.extend(accounts_at_once(&plan, guards));
    refusals.extend(percent_of_resources(&plan, guards, allowed));
    refusals.append(&mut found_elsewhere);
    if refusals.is_empty() { Ok(Guarded(plan)) } else { Err(refusals) }
}

/// What one change is refused for, whatever else the plan holds.
pub fn refused<'a>(
    item: &'a Item,
    guards: &'a Guards,
    allowed: &'a [Allow],
) -> impl Iterator<Item = Danger> + 'a {
    Danger::of(item)
        .filter(|danger| {
            *danger == Danger::Organization || guards.refuse.iter().any(|word| word == danger.word())
        })
        .filter(|danger| !allowed.iter().any(|allow| allow.covers(*danger, &item.finding.resource)))
}

/// Destructive, irreversible and weakening changes, each allowed by name or not at all. What reaches the whole
/// organisation is always asked for: `guards.refuse` cannot say otherwise.
fn dangerous(plan: &Plan, guards: &Guards, allowed: &[Allow]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (_, item) in plan.changes() {
        let resource = &item.finding.resource;
        for danger in refused(item, guards, allowed) {
            let account = plan.account(&item.scope.account).map_or("", |account| &account.name);
            let refusal = Refusal {
                why: format!("{} {resource} in {account} {}", item.control, danger.said()),
                hint: format!("--allow {}", quoted(&format!("{}:{resource}", danger.word()))),
            };
            if !refusals.contains(&refusal) {
                refusals.push(refusal);
            }
        }
    }
    refusals
}

/// A word as a person can paste it into a shell: in quotes where it needs them.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Without a reviewed plan file, one mistake must not reach every account.
fn accounts_at_once(plan: &Plan, guards: &Guards) -> Option<Refusal> {
    let accounts: BTreeSet<_> = plan.changes().map(|(_, item)| &item.scope.account).collect();
    let most = guards.accounts_at_once;
    (accounts.len() > most as usize).then(|| Refusal {
        why: format!("{} accounts would be changed at once, more than {most}", accounts.len()),
        hint: "select some of them with --account, or raise `guards.accountsAtOnce`".into(),
    })
}

fn percent_of_resources(plan: &Plan, guards: &Guards, allowed: &[Allow]) -> Option<Refusal> {
    let most = guards.percent_of_resources?;
    if allowed.iter().any(|allow| allow.what == Danger::Percent) {
        return None;
    }
    let (changes, all) = (plan.changes().count(), plan.totals.settings());
    (changes * 100 > all * most as usize).then(|| Refusal {
        why: format!("{changes} of {all} settings would be changed, more than {most} percent"),
        hint: "narrow it with --account, --region or --control, or add --allow percent".into(),
    })
}

/// How many changes of a plan are each danger: for the closing lines.
pub fn count(plan: &Plan, danger: Danger) -> usize {
    plan.items
        .iter()
        .filter(|item| item.selected && item.outcome == Outcome::Change)
        .filter(|item| Danger::of(item).any(|found| found == danger))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_named() {
        assert_eq!(
            "weakening:api-*".parse(),
            Ok(Allow { what: Danger::Weakening, which: Some("api-*".into()) })
        );
        assert_eq!("shrink".parse(), Ok(Allow { what: Danger::Shrink, which: None }));
        for (text, says) in [
            ("weakening", "name what is allowed: `weakening:RESOURCE`; `weakening:*` allows all of it"),
            ("weakening:", "name what is allowed: `weakening:RESOURCE`; `weakening:*` allows all of it"),
            ("shrink:x", "`shrink` takes no name"),
        ] {
            assert_eq!(text.parse::<Allow>(), Err(says.to_owned()), "{text}");
        }
        assert!("everything".parse::<Allow>().is_err());
    }

    #[test]
    fn hints_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("weakening:payments/api"), "weakening:payments/api");
        assert_eq!(quoted("weakening:api-*"), "'weakening:api-*'");
        assert_eq!(quoted("backwards:it's mine"), r"'backwards:it'\''s mine'");
    }

    #[test]
    fn an_allowance_covers_what_it_names_and_nothing_else() {
        let allow: Allow = "weakening:api-*".parse().expect("well formed");
        assert!(allow.covers(Danger::Weakening, "api-1"));
        assert!(!allow.covers(Danger::Weakening, "web"));
        assert!(!allow.covers(Danger::Destructive, "api-1"));
    }
}
