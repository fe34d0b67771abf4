//! What stands in the world before the controls of AWS Config are tried, and what others do to it.

use baseline::sandbox::World;

use super::Happening;

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(_world: &World, _control: &str) -> bool {
    false
}

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(_control: &str) -> &'static [Happening] {
    &[]
}

/// Does by hand what no API can do.
pub fn by_hand(_world: &World) {}
