//! Everything that people and programs read of a plan: strings, never printed here.
//!
//! | module | for whom |
//! | --- | --- |
//! | [`human`] | a terminal: the plan, the question, the apply |
//! | [`html`] | a browser: the plan, or the whole record, as one page |
//! | [`json`] | programs: `formatVersion` 1, folded, or one finding a line |
//! | [`markdown`] | a pull request: one comment, updated in place |
//! | [`github`] | annotations of GitHub Actions at the lines of the YAML |
//! | [`sarif`] | code scanning |
//! | [`junit`] | whatever shows test results |
//! | [`exceptions`] | whoever signed for something, or has to end it |
//! | [`explain`] | a person who asks what a control is, and the pages under `docs/controls/` |
//! | [`permissions`] | the people who make the two roles |
//!
//! They are folded by the same [`fold`], so they never disagree.

pub mod escape;
pub mod exceptions;
pub mod explain;
pub mod fold;
pub mod github;
pub mod hints;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod permissions;
pub mod sarif;
pub mod style;

mod line;
mod text;
mod words;

#[cfg(test)]
pub(crate) mod fixture;

pub use style::Style;
pub use text::wrap;

use crate::plan::{AccountState, Plan};

/// The accounts that no session could be opened in, and why: each is one finding.
fn unreached(plan: &Plan) -> Vec<(String, String)> {
    let why = |state: &AccountState| match state {
        AccountState::Unreachable { fault } => Some(fault.to_string()),
        AccountState::Refused { why } => Some(format!("refused: {why}")),
        AccountState::Reached | AccountState::NotTried { .. } => None,
    };
    let accounts = plan.accounts.iter();
    accounts.filter_map(|account| Some((account.name.to_string(), why(&account.state)?))).collect()
}
