//! The contract between a control and the engine.
//!
//! ```text
//!             desired ──► ask ──► observe ──┐
//!                │                          ├─► plan ──► findings ──► settle ──► order ──► apply
//!                └──────► needs ─► resolve ─┘   (pure)               (engine)   (engine)
//! ```
//!
//! Read [`Control`] first, then [`Finding`], [`Need`] and [`Reach`]. A control names things and never
//! another control; the engine resolves, settles, orders and runs.

mod admin;
mod bounded;
mod contract;
mod erased;
mod facts;
mod finding;
mod meta;
mod network;
mod packed;
mod retention;
mod select;
mod standard;
mod thing;

pub use admin::AdminAccount;
pub use bounded::Bounded;
pub use contract::{AwsWrite, Control, Nothing};
pub use erased::{ErasedControl, Misfit, Step};
pub use facts::{Archive, Exempt, Facts, Networks, OrganizationFacts, SUPPRESSIONS, means_resource};
pub use finding::{
    Change, ChangeKind, Direction, Field, Finding, ManualTask, Progress, Risk, Sight, Tags, Verdict, Verified,
};
pub use meta::{Accounts, Meta, Reach, Regions, Rule, Severity};
pub use network::{Network, NotANetwork};
pub use packed::Packed;
pub use retention::Retention;
pub use select::Select;
pub use standard::Standard;
pub use thing::{Found, Known, Need, Thing};

pub use crate::call::{Call, Extent, Retry};
pub use crate::fault::{Fault, FaultKind};
pub use crate::place::{AccountId, Region, Scope, Seat};
