//! From observations to a plan: pure, synchronous, and deterministic. The only clock is `facts.observed_at`.

mod account;
mod excepted;
mod exit;
mod finish;
mod model;
mod order;
mod settle;

pub use account::{Raw, account};
pub use excepted::PlannedException;
pub use exit::{Exit, exit_of};
pub use finish::{Heading, Selection, finish};
pub use model::{AccountState, Item, Outcome, Plan, PlannedAccount, Position, SeverityWord, Totals};
pub use order::{Cycle, Link, Order, order};
pub use settle::{Settling, settle, still_planned};
