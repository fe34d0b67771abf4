//! Everything that people and programs read of a plan: strings, never printed here.
//!
//! | module | for whom |
//! | --- | --- |
//! | [`human`] | a terminal: the plan, the question, the apply |
//! | [`json`] | programs: `formatVersion` 1, folded, or one finding a line |
//! | [`explain`] | a person who asks what a control is, and the pages under `docs/controls/` |
//! | [`permissions`] | the people who make the two roles |
//!
//! Text and JSON are folded by the same [`fold`], so they never disagree.

pub mod escape;
pub mod explain;
pub mod fold;
pub mod human;
pub mod json;
pub mod permissions;
pub mod style;

mod text;
mod words;

#[cfg(test)]
mod fixture;

pub use style::Style;
pub use text::wrap;
