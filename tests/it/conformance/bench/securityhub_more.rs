//! What stands in the world before Security Hub's aggregation, automation and organisation are tried, and what others
//! do to them.

use baseline::sandbox::World;
use baseline::sandbox::sample::MANAGEMENT;
use baseline::sandbox::securityhub::{Central, Hub, Organization, PRINCIPAL, SecurityHub};

use super::super::stage::{ARCHIVE, HOME, MEMBER};
use super::Happening;

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "securityhub.administrator" => {}
        "securityhub.aggregation" | "securityhub.automation" => enable(world),
        "securityhub.organization" => {
            enable(world);
            designate(world, MEMBER);
        }
        _ => return false,
    }
    true
}

/// Security Hub as the API enables it, without standards.
pub fn enable(world: &World) {
    let now = world.now();
    here(world, |hub| hub.hub = Some(Hub::with_defaults(now)));
}

/// An account administers Security Hub at home.
pub fn designate(world: &World, account: &str) {
    let now = world.now();
    world.organization(|organization| {
        organization.trust(PRINCIPAL, now);
        organization.delegate(PRINCIPAL, account, now);
    });
    management(world, |organization| organization.administrator = Some(account.to_owned()));
}

fn here(world: &World, change: impl FnOnce(&mut SecurityHub)) {
    world.region(MEMBER, HOME, |region| change(&mut region.securityhub));
}

fn management(world: &World, change: impl FnOnce(&mut Organization)) {
    world.region(MANAGEMENT, HOME, |region| change(&mut region.securityhub.organization));
}

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "securityhub.administrator" => &[
            Happening {
                name: "the administrator is removed",
                change: |world| {
                    world.organization(|organization| organization.delegated.remove(PRINCIPAL));
                    management(world, |organization| organization.administrator = None);
                },
                rule: "administrator",
            },
            Happening {
                name: "another account is made the administrator",
                change: |world| management(world, |it| it.administrator = Some(ARCHIVE.to_owned())),
                rule: "administrator",
            },
        ],
        "securityhub.aggregation" => &[Happening {
            name: "the aggregator is deleted",
            change: |world| here(world, |hub| hub.aggregator = None),
            rule: "linked-regions",
        }],
        "securityhub.automation" => &[
            Happening {
                name: "the rules are deleted",
                change: |world| here(world, |hub| hub.rules.clear()),
                rule: "automation-rule",
            },
            Happening {
                name: "a rule gets a namesake",
                change: |world| {
                    here(world, |hub| {
                        let twin =
                            hub.rules.iter().next().map(|(arn, rule)| (format!("{arn}f"), rule.clone()));
                        hub.rules.extend(twin);
                    });
                },
                rule: "automation-rule",
            },
        ],
        "securityhub.organization" => &[
            Happening {
                name: "somebody configures the organisation centrally",
                change: |world| {
                    let since = world.now();
                    here(world, |hub| {
                        let arn = format!("arn:aws:securityhub:{HOME}:{MEMBER}:finding-aggregator/1");
                        let mode = "NO_REGIONS".to_owned();
                        hub.aggregator = Some(baseline::sandbox::securityhub::Aggregator {
                            arn,
                            mode,
                            regions: Vec::new(),
                        });
                        hub.organization.central = Some(Central { since, failed: None, superseded: false });
                    });
                },
                rule: "central-configuration",
            },
            Happening {
                name: "the account administers nothing any more",
                change: |world| management(world, |organization| organization.administrator = None),
                rule: "new-members",
            },
        ],
        _ => &[],
    }
}

/// Does by hand what no API can do.
pub fn by_hand(world: &World) {
    here(world, |hub| {
        hub.organization.central = None;
        let mut names = Vec::new();
        hub.rules.retain(|_, rule| {
            let first = !names.contains(&rule.name);
            names.push(rule.name.clone());
            first
        });
    });
    let administered = world.organization(|it| it.administrators_of(PRINCIPAL).next().map(str::to_owned));
    management(world, |organization| organization.administrator = administered.flatten());
}
