//! What stands in the world before the controls of Amazon Inspector are tried, and what others do to it.

use aws_sdk_inspector2::types::{Ec2ScanMode, EcrRescanDuration};
use baseline::sandbox::World;
use baseline::sandbox::inspector::Inspector;
use baseline::sandbox::sample::MANAGEMENT;

use super::super::stage::{HOME, MEMBER};
use super::Happening;

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "inspector.administrator" => {}
        "inspector.organization" => administrator(world),
        _ => return false,
    }
    true
}

const INSPECTOR: &str = "inspector2.amazonaws.com";

/// The member administers Inspector.
fn administrator(world: &World) {
    let now = world.now();
    world.organization(|organization| {
        organization.trust(INSPECTOR, now);
        organization.delegate(INSPECTOR, MEMBER, now);
    });
    world.region(MANAGEMENT, HOME, |region| {
        region.inspector.organization.administrator = Some(MEMBER.to_owned());
    });
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

const OF_THE_ADMINISTRATOR: &[Happening] = &[Happening {
    name: "the administrator is removed",
    change: |world| {
        world.region(MANAGEMENT, HOME, |region| region.inspector.organization.administrator = None);
    },
    rule: "administrator",
}];

const OF_THE_ORGANIZATION: &[Happening] = &[
    Happening {
        name: "new accounts are not scanned any more",
        change: |world| inspector(world, |inspector| inspector.organization.auto_enable.clear()),
        rule: "auto-enable",
    },
    Happening {
        name: "a member is let go",
        change: |world| {
            inspector(world, |inspector| {
                inspector.organization.members.pop_first();
            });
        },
        rule: "members",
    },
];

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "inspector.scanning" => OF_SCANNING,
        "inspector.administrator" => OF_THE_ADMINISTRATOR,
        "inspector.organization" => OF_THE_ORGANIZATION,
        _ => &[],
    }
}

/// Does by hand what no API can do.
pub fn by_hand(_world: &World) {}
