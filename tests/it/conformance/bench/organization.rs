//! What stands in the world before the controls of the organisation's own controls are tried, and what others do to it.

use baseline::sandbox::World;
use baseline::sandbox::cloudtrail::Trail;
use baseline::sandbox::guardduty::{AutoEnable, Configuration, OrganizationAdministrator};
use baseline::sandbox::sample::MANAGEMENT;
use serde_json::json;

use super::super::stage::{HOME, MEMBER};
use super::Happening;

const GUARDDUTY: &str = "guardduty.amazonaws.com";

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "guardduty.administrator" => {}
        "guardduty.organization" => administrator(world),
        "guardduty.malware-scan" | "guardduty.lists" | "guardduty.filters" => super::detector(world),
        "cloudtrail.organization-trail" => {
            super::archive(world).await;
            let topic = "trail-deliveries".to_owned();
            world.region(MANAGEMENT, HOME, |region| region.cloudtrail.topics.insert(topic));
        }
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
        "guardduty.filters" => &[Happening {
            name: "the filter is deleted",
            change: |world| {
                world.region(MEMBER, HOME, |region| {
                    region.guardduty.detector.as_mut().expect("it is furnished").filters.clear();
                });
            },
            rule: "filter",
        }],
        "guardduty.lists" => &[
            Happening {
                name: "the lists are deleted",
                change: |world| {
                    world.region(MEMBER, HOME, |region| {
                        let detector = region.guardduty.detector.as_mut().expect("it is furnished");
                        detector.trusted.clear();
                        detector.threats.clear();
                    });
                },
                rule: "threat-list",
            },
            Happening {
                name: "the file of a list is gone",
                change: |world| {
                    world.region(MEMBER, HOME, |region| {
                        let detector = region.guardduty.detector.as_mut().expect("it is furnished");
                        detector.threats.values_mut().for_each(|list| list.unreadable = true);
                    });
                },
                rule: "threat-list",
            },
        ],
        "guardduty.malware-scan" => &[Happening {
            name: "an instance is spared by a tag",
            change: |world| {
                world.region(MEMBER, HOME, |region| {
                    let detector = region.guardduty.detector.as_mut().expect("it is furnished");
                    detector.malware_scan.exclude.push(("intruder".into(), Some("yes".into())));
                });
            },
            rule: "scan-options",
        }],
        "cloudtrail.organization-trail" => &[
            Happening {
                name: "it records the management account alone",
                change: |world| trail(world, |trail| trail.organization = false),
                rule: "trail",
            },
            Happening {
                name: "trust in CloudTrail is taken away",
                change: |world| {
                    world.organization(|organization| organization.trusted.clear());
                },
                rule: "trusted-access",
            },
            Happening {
                name: "it is stopped",
                change: |world| trail(world, |trail| trail.logging = false),
                rule: "logging",
            },
            Happening {
                name: "nothing arrives",
                change: |world| trail(world, |trail| trail.delivery_error = Some("AccessDenied".into())),
                rule: "delivery",
            },
            Happening {
                name: "the role trusts somebody else",
                change: |world| {
                    let trust = json!({"Version": "2012-10-17", "Statement": [{
                        "Effect": "Allow", "Action": "sts:AssumeRole",
                        "Principal": {"AWS": format!("arn:aws:iam::{MANAGEMENT}:root")},
                    }]});
                    world.account(MANAGEMENT, |account| {
                        let role = account.iam.roles.get_mut("baseline-cloudtrail");
                        role.expect("it was made").trust = trust.to_string();
                    });
                },
                rule: "cloudwatch-logs",
            },
            Happening {
                name: "it is deleted",
                change: |world| world.region(MANAGEMENT, HOME, |region| region.cloudtrail.trails.clear()),
                rule: "trail",
            },
        ],
        _ => &[],
    }
}

/// Something that somebody does to the organisation's trail.
fn trail(world: &World, change: impl FnOnce(&mut Trail)) {
    world.region(MANAGEMENT, HOME, |region| region.cloudtrail.change("baseline-organization", change));
}

fn configuration(world: &World, change: impl FnOnce(&mut Configuration)) {
    world.region(MEMBER, HOME, |region| region.guardduty.organization.as_mut().map(change));
}

/// Does by hand what no API can do.
pub fn by_hand(world: &World) {
    trail(world, |trail| trail.delivery_error = None);
}
