//! The command line as a stranger uses it: commands in, text and exit codes out, AWS in memory.

mod apply;
mod audit;
mod changed_since;
mod discovery;
mod doctor;
mod documents;
mod drift;
mod exceptions;
mod guards;
mod healthcheck;
mod hostile;
mod import;
mod init;
mod interrupted;
mod log_chain;
mod memory;
mod offline;
mod page;
mod permissions;
mod pull_request;
mod reference;
mod saved;
mod selectors;
mod serving;
pub mod shell;
mod signoff;
mod story;
#[cfg(feature = "otlp")]
mod traces;
mod undo;
mod unknown;
mod usage;
mod waves;
