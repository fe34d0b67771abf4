//! What traces are made of: spans under one target, so that a log and a collector can tell them apart.
//!
//! Ids of accounts, codes of regions, ids of controls and runs, and nothing else: no name, no parameter, no message.

/// The target of every span. Nobody listens to it but the exporter (`cli::traces`, feature `otlp`); without one, a span
/// costs a look at a flag.
pub const TARGET: &str = "baseline::traces";
