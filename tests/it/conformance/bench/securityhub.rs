//! What stands in the world before the controls of Security Hub are tried, and what others do to it.

use aws_sdk_securityhub::types::{ControlFindingGenerator, StatusReasonCode};
use baseline::sandbox::World;
use baseline::sandbox::config::Recorder;
use baseline::sandbox::securityhub::{SecurityHub, Status};

use super::Happening;
use crate::conformance::stage::{HOME, MEMBER};

const FSBP: &str =
    "arn:aws:securityhub:eu-west-1::standards/aws-foundational-security-best-practices/v/1.0.0";
const CIS: &str = "arn:aws:securityhub:eu-west-1::standards/cis-aws-foundations-benchmark/v/1.4.0";
const CIS_3: &str = "arn:aws:securityhub:eu-west-1::standards/cis-aws-foundations-benchmark/v/3.0.0";

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "securityhub.standards" => {
            hub(world, &[]);
            recorder(world);
        }
        "securityhub.controls" => hub(world, &[FSBP, CIS]),
        "securityhub.hub" => {}
        _ => return false,
    }
    true
}

/// Security Hub as AWS enables it, with these standards and no others.
pub fn hub(world: &World, standards: &[&str]) {
    let now = world.now();
    world.region(MEMBER, HOME, |region| {
        region.securityhub = SecurityHub::enabled(now);
        for standard in standards {
            region.securityhub.turn_on(standard, HOME, MEMBER, now);
        }
    });
}

/// A recorder of AWS Config that has recorded for long.
fn recorder(world: &World) {
    let mut recorder = Recorder::new("default", "arn:aws:iam::100000000000:role/config");
    recorder.started = Some(jiff::Timestamp::UNIX_EPOCH);
    world.region(MEMBER, HOME, |region| region.config.recorder = Some(recorder));
}

fn securityhub(world: &World, change: impl FnOnce(&mut SecurityHub)) {
    world.region(MEMBER, HOME, |region| change(&mut region.securityhub));
}

fn status(world: &World, standard: &str, status: Status) {
    securityhub(world, |here| {
        here.subscriptions.get_mut(standard).expect("it is on").status = status;
    });
}

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "securityhub.hub" => &[
            Happening {
                name: "Security Hub is disabled",
                change: |world| securityhub(world, |here| *here = SecurityHub::default()),
                rule: "hub",
            },
            Happening {
                name: "findings are made for each standard",
                change: |world| {
                    securityhub(world, |here| {
                        let hub = here.hub.as_mut().expect("it is enabled");
                        hub.generator = ControlFindingGenerator::StandardControl;
                    });
                },
                rule: "findings",
            },
        ],
        "securityhub.standards" => &[
            Happening {
                name: "a standard is disabled",
                change: |world| securityhub(world, |here| drop(here.subscriptions.remove(FSBP))),
                rule: "standard",
            },
            Happening {
                name: "a standard was enabled without a recorder",
                change: |world| {
                    let code = StatusReasonCode::NoAvailableConfigurationRecorder;
                    status(world, FSBP, Status::Incomplete(code));
                },
                rule: "standard",
            },
            Happening {
                name: "a standard failed",
                change: |world| status(world, CIS, Status::Failed(StatusReasonCode::InternalError)),
                rule: "standard",
            },
            Happening {
                name: "AWS Config has no room for a standard's rules",
                change: |world| {
                    let code = StatusReasonCode::MaximumNumberOfConfigRulesExceeded;
                    status(world, CIS, Status::Incomplete(code));
                },
                rule: "standard",
            },
            // The last one: nothing is put right while the policy holds.
            Happening {
                name: "the administrator's policy holds the account",
                change: |world| {
                    securityhub(world, |here| {
                        here.central = Some("a1b2c3d4-5678-90ab-cdef-EXAMPLE11111".into());
                        here.hub.as_mut().expect("it is enabled").new_controls = false;
                    });
                },
                rule: "new-controls",
            },
        ],
        "securityhub.controls" => &[
            Happening {
                name: "a control is turned on in one standard",
                change: |world| {
                    securityhub(world, |here| {
                        let cis = here.subscriptions.get_mut(CIS).expect("it is on");
                        cis.associations.get_mut("IAM.6").expect("it holds it").enabled = true;
                    });
                },
                rule: "enabled",
            },
            Happening {
                name: "a reason is taken away",
                change: |world| {
                    securityhub(world, |here| {
                        let fsbp = here.subscriptions.get_mut(FSBP).expect("it is on");
                        fsbp.associations.get_mut("CloudTrail.5").expect("it holds it").reason = None;
                    });
                },
                rule: "enabled",
            },
            Happening {
                name: "a standard comes on with all its controls",
                change: |world| {
                    let now = world.now();
                    securityhub(world, |here| here.turn_on(CIS_3, HOME, MEMBER, now));
                },
                rule: "enabled",
            },
            Happening {
                name: "the parameters are given back to AWS",
                change: |world| securityhub(world, |here| here.properties.clear()),
                rule: "parameters",
            },
        ],
        _ => &[],
    }
}

/// Does by hand what no API can do.
pub fn by_hand(world: &World) {
    let full = Status::Incomplete(StatusReasonCode::MaximumNumberOfConfigRulesExceeded);
    securityhub(world, |here| {
        if let (Some(_), Some(hub)) = (here.central.take(), &mut here.hub) {
            hub.new_controls = true;
        }
        for one in here.subscriptions.values_mut().filter(|one| one.status == full) {
            one.status = Status::Ready;
        }
    });
}
