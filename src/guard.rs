//! Checks on a finished plan that may refuse it. Each is one small function; `apply` takes nothing that has not
//! been through all of them.

mod allow;
mod amount;
mod danger;
mod evidence;
mod lockout;
mod memory;
mod region;
mod saved;
mod window;

use std::fmt;

use jiff::Timestamp;

pub use allow::{Allow, Danger, quoted};
pub use danger::{count, refused};
pub use memory::{Descent, limits, never_backwards, no_shrinking};
pub use saved::{not_signed, saved_plan, undo_alone};

use crate::desired::{DesiredState, Guards};
use crate::plan::{Item, Plan};

/// A plan that passed every guard. Only [`check`] makes one.
#[must_use = "a guarded plan is there to be applied"]
#[derive(Debug)]
pub struct Guarded {
    plan: Plan,
    held_back: Vec<Refusal>,
}

impl Guarded {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Why some of its changes are not selected any more: the others go on without them.
    pub fn held_back(&self) -> &[Refusal] {
        &self.held_back
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

/// What a plan is judged by.
#[derive(Clone, Debug)]
pub struct Judging<'a> {
    /// The stricter of what the documents say and what was last applied: [`limits`].
    pub guards: &'a Guards,
    /// What the plan was made of: where each account has its home, and which regions are managed.
    pub desired: &'a DesiredState,
    pub allowed: &'a [Allow],
    /// `--reason`: why something may become weaker.
    pub reason: Option<&'a str>,
    /// Names of the roles that we work with; empty where it is the caller's own credentials.
    pub roles: &'a [String],
    pub now: Timestamp,
}

impl Judging<'_> {
    fn allows(&self, danger: Danger, name: &str) -> bool {
        self.allowed.iter().any(|allow| allow.covers(danger, name))
    }
}

/// Runs every guard. All refusals at once, so that a person is not refused twice.
pub fn check(
    mut plan: Plan,
    with: &Judging<'_>,
    mut found_elsewhere: Vec<Refusal>,
) -> Result<Guarded, Vec<Refusal>> {
    let held_back = evidence::hold_back(&mut plan, with);
    let mut refusals = danger::dangerous(&plan, with);
    refusals.extend(region::beyond(&plan, with));
    refusals.extend(lockout::cut_off(&plan, with));
    refusals.extend(amount::accounts_at_once(&plan, with));
    refusals.extend(amount::resources_at_once(&plan, with));
    refusals.extend(amount::percent_of_resources(&plan, with));
    refusals.extend(window::closed(&plan, with));
    refusals.append(&mut found_elsewhere);
    if refusals.is_empty() { Ok(Guarded { plan, held_back }) } else { Err(refusals) }
}

/// The account's name as the documents have it.
fn account<'p>(plan: &'p Plan, item: &Item) -> &'p str {
    plan.account(&item.scope.account).map_or("", |account| &account.name)
}
