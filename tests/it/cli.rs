//! The command line as a stranger uses it: commands in, text and exit codes out, AWS in memory.

mod apply;
mod audit;
mod changed_since;
mod discovery;
mod documents;
mod drift;
mod exceptions;
mod guards;
mod hostile;
mod import;
mod init;
mod interrupted;
mod log_chain;
mod memory;
mod offline;
mod page;
mod pull_request;
mod reference;
mod saved;
mod selectors;
pub mod shell;
mod signoff;
mod story;
mod undo;
mod unknown;
mod usage;
mod waves;
