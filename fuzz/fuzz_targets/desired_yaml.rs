//! The loader against any text: `cargo +nightly fuzz run desired_yaml -- -max_len=65536 -timeout=5`.
//!
//! It may refuse everything; it may not panic, overflow the stack, or take time and memory out of proportion.
#![no_main]

use baseline::{controls, desired};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    drop(desired::load_text(text, controls::CONTROLS, jiff::civil::date(2026, 11, 23)));
});
