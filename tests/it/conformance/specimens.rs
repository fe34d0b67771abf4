//! Two controls that exist only here. They stand on each other over two accounts, and one takes time:
//! `specimen.key` makes a key in the archive's account, `specimen.export` delivers findings with it.

pub mod export;
pub mod key;

use baseline::control::ErasedControl;

/// Both, as the list of controls has its own.
pub static SPECIMENS: &[&dyn ErasedControl] = &[&key::Key, &export::Export];
