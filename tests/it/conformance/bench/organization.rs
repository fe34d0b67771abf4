//! What stands in the world before the controls of the organisation's own controls are tried, and what others do to it.

use baseline::sandbox::World;
use baseline::sandbox::guardduty::{AutoEnable, Configuration, OrganizationAdministrator};
use baseline::sandbox::sample::MANAGEMENT;

use super::super::stage::{HOME, MEMBER};
use super::Happening;

const GUARDDUTY: &str = "guardduty.amazonaws.com";

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "guardduty.administrator" => {}
        "guardduty.organization" => administrator(world),
        _ => return false,
    }
    true
}

/// The member administers GuardDuty.
fn administrator(world: &World) {
    let now = world.now();
    world.organization(|organization| {
        organization.trust(GUARDDUTY, now);
        organization.delegate(GUARDDUTY, MEMBER, now);
    });
    super::detector(world);
    world.region(MEMBER, HOME, |region| region.guardduty.organization = Some(Configuration::default()));
    let administrator = OrganizationAdministrator { account: MEMBER.to_owned(), leaving: false };
    world.region(MANAGEMENT, HOME, |region| region.guardduty.organization_admin = Some(administrator));
}

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "guardduty.administrator" => &[
            Happening {
                name: "the administrator is removed",
                change: |world| {
                    world.region(MANAGEMENT, HOME, |region| region.guardduty.organization_admin = None);
                },
                rule: "administrator",
            },
            Happening {
                name: "trust is taken away",
                change: |world| {
                    world.organization(|organization| organization.trusted.clear());
                },
                rule: "trusted-access",
            },
        ],
        "guardduty.organization" => &[
            Happening {
                name: "nobody is enrolled any more",
                change: |world| configuration(world, |live| live.members = AutoEnable::None),
                rule: "auto-enable",
            },
            Happening {
                name: "only new accounts are enrolled",
                change: |world| configuration(world, |live| live.members = AutoEnable::New),
                rule: "auto-enable",
            },
        ],
        _ => &[],
    }
}

fn configuration(world: &World, change: impl FnOnce(&mut Configuration)) {
    world.region(MEMBER, HOME, |region| region.guardduty.organization.as_mut().map(change));
}

/// Does by hand what no API can do.
pub fn by_hand(_world: &World) {}
