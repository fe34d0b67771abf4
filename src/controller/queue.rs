//! Which account is next, on one machine ([`memory`]) or on many ([`sqs`]).
//!
//! Every replica is scheduler and worker, and there is no leader: each keeps the due times of all accounts in memory.
//! On one machine whoever is due has its turn. On many it is asked for in the queue; the others ask for the same, and
//! the queue gives it to one of them, once.

pub mod memory;
pub mod sqs;
mod wanted;

pub use wanted::{Wanted, Why};
