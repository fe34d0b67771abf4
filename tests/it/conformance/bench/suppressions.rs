//! Findings of Security Hub before exceptions suppress them, and what others do to them.

use aws_sdk_securityhub::types::WorkflowStatus;
use baseline::sandbox::World;
use baseline::sandbox::securityhub::{HubFinding, SecurityHub};
use serde_json::{Value, json};

use super::Happening;
use crate::conformance::stage::{HOME, MEMBER};

const CONTROL: &str = "securityhub.suppressions";

/// Puts what the control's example stands on into the world; false for other controls.
pub async fn furnish(world: &World, control: &str) -> bool {
    if control != CONTROL {
        return false;
    }
    let now = world.now();
    here(world, |hub| *hub = SecurityHub::enabled(now));
    for repository in ["legacy-billing", "legacy-tax", "web"] {
        add(world, "ECR.1", repository);
    }
    add(world, "ECR.2", "legacy-tax");
    // Somebody has suppressed one by hand.
    add(world, "ECR.1", "legacy-by-hand");
    finding(world, "legacy-by-hand", |finding| {
        finding.status = WorkflowStatus::Suppressed;
        finding.note = Some(("seen".into(), "jo@acme.example".into(), now));
    });
    true
}

/// What is signed for beside the control's example.
pub fn signed_off(control: &str) -> Option<Value> {
    (control == CONTROL).then(|| {
        json!({
            "apiVersion": "baseline/v1",
            "kind": "Exception",
            "metadata": {"name": "old-images"},
            "spec": {
                "control": CONTROL,
                "rule": "reopened",
                "accounts": [MEMBER],
                "resources": ["legacy-*"],
                "suppressFindings": ["ECR.1"],
                "reason": "gone with the rewrite",
                "owner": "team@acme.example",
                "approver": "ciso@acme.example",
                "expires": "2099-12-31",
            },
        })
    })
}

fn here(world: &World, change: impl FnOnce(&mut SecurityHub)) {
    world.region(MEMBER, HOME, |region| change(&mut region.securityhub));
}

fn add(world: &World, control: &str, repository: &str) {
    let now = world.now();
    let id = format!("arn:aws:securityhub:{HOME}:{MEMBER}:security-control/{control}/finding/{repository}");
    let resource = format!("arn:aws:ecr:{HOME}:{MEMBER}:repository/{repository}");
    let finding = HubFinding::new(control, "AwsEcrRepository", &resource, now);
    here(world, |hub| drop(hub.findings.insert(id, finding)));
}

fn finding(world: &World, repository: &str, change: impl FnOnce(&mut HubFinding)) {
    here(world, |hub| {
        let all = hub.findings.values_mut();
        let mut of = all.filter(|one| one.resource.ends_with(repository) && one.control == "ECR.1");
        change(of.next().expect("it is there"));
    });
}

/// What no value of a spec can bring about; empty for other controls.
pub fn happenings(control: &str) -> &'static [Happening] {
    if control == CONTROL { HAPPENINGS } else { &[] }
}

const HAPPENINGS: &[Happening] = &[
    Happening {
        name: "somebody opens a finding",
        change: |world| finding(world, "legacy-tax", |finding| finding.status = WorkflowStatus::New),
        rule: "suppressed",
    },
    Happening {
        name: "a check fails anew",
        change: |world| add(world, "ECR.1", "legacy-new"),
        rule: "suppressed",
    },
    Happening {
        name: "a finding stays suppressed for an exception that has ended",
        change: |world| {
            let now = world.now();
            finding(world, "web", |finding| {
                finding.status = WorkflowStatus::Suppressed;
                let text = "baseline exception `ended`, until 2025-12-31: r (owner o, approved by a)";
                finding.note = Some((text.into(), "baseline".into(), now));
            });
        },
        rule: "reopened",
    },
];
