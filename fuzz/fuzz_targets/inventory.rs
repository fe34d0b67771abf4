//! The inventory file against any bytes: `cargo +nightly fuzz run inventory -- -max_len=65536 -timeout=5`.
//!
//! It may be refused; what is accepted must plan without a panic, and be the same when written and read again.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use baseline::controls::CONTROLS;
use baseline::desired::{self, DesiredState, Roster};
use baseline::inventory::Inventory;
use baseline::survey::{Wish, plan_offline};
use libfuzzer_sys::fuzz_target;

/// The sample organisation that is shipped.
fn desired() -> &'static DesiredState {
    static DESIRED: OnceLock<DesiredState> = OnceLock::new();
    DESIRED.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../desired-state");
        let loaded = desired::load(&dir, CONTROLS, jiff::civil::date(2026, 11, 23));
        let documents = loaded.documents.as_ref().expect("the shipped documents are right");
        DesiredState::new(documents, documents.resolve(&Roster::default()), None, desired::digest(&loaded))
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(inventory) = Inventory::parse(bytes, "fuzzed") else { return };
    let _plan = plan_offline(desired(), CONTROLS, &inventory, &Wish::default());
    let written = serde_json::to_vec(&inventory).expect("what was read can be written");
    assert_eq!(Inventory::parse(&written, "written").expect("and read again"), inventory);
});
