//! What stands in the world before the controls of Amazon Inspector are tried, and what others do to it.

use aws_sdk_inspector2::types::{Ec2ScanMode, EcrRescanDuration};
use baseline::sandbox::World;
use baseline::sandbox::inspector::Inspector;

use super::super::stage::{HOME, MEMBER};
use super::Happening;

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(_world: &World, _control: &str) -> bool {
    false
}

fn inspector(world: &World, change: impl FnOnce(&mut Inspector)) {
    world.region(MEMBER, HOME, |region| change(&mut region.inspector));
}

const OF_SCANNING: &[Happening] = &[
    Happening {
        name: "somebody turns scanning off",
        change: |world| inspector(world, |inspector| inspector.types.clear()),
        rule: "resource-types",
    },
    Happening {
        name: "images are scanned again for three days",
        change: |world| {
            inspector(world, |inspector| inspector.configuration.push = EcrRescanDuration::Days3);
        },
        rule: "ecr-rescan",
    },
    Happening {
        name: "instances without an agent are not scanned",
        change: |world| {
            inspector(world, |inspector| inspector.configuration.scan_mode = Ec2ScanMode::Ec2SsmAgentBased);
        },
        rule: "ec2-scan-mode",
    },
];

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "inspector.scanning" => OF_SCANNING,
        _ => &[],
    }
}

/// Does by hand what no API can do.
pub fn by_hand(_world: &World) {}
