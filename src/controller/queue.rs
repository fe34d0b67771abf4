//! Which account is next.

pub mod memory;
