//! One integration binary: linking the SDK crates is the slow part.

mod cli;
mod conformance;
mod controller;
mod house;
