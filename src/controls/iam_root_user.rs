//! `iam.root-user`: keys and MFA of the account's root user, put right by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer, fault};
use crate::control::{
    Call, Control, Facts, Finding, Known, ManualTask, Meta, Nothing, Reach, Rule, Severity, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};

pub struct RootUser;

/// The root user of the account. No API changes it: what is declared is checked, and put right by hand.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RootUserSpec {
    /// `none`: the root user has no access keys (CIS 1.4, FSBP IAM.4).
    #[schemars(extend("x-fixed" = "only the root user can change it"))]
    pub access_keys: Option<Absent>,
    /// `required`: the root user signs in with MFA (CIS 1.5, FSBP IAM.9). `hardware`: and with no virtual
    /// device (CIS 1.6, FSBP IAM.6).
    #[schemars(extend("x-fixed" = "only the root user can change it"))]
    pub mfa: Option<Mfa>,
    /// `none`: the root user has no X.509 signing certificates.
    #[schemars(extend("x-fixed" = "only the root user can change it"))]
    pub signing_certificates: Option<Absent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Absent {
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Mfa {
    Required,
    Hardware,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Virtual devices are listed only where hardware is asked for.
    pub virtual_devices: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Root {
    pub access_keys: bool,
    pub mfa: bool,
    /// `None` where the summary does not say.
    pub signing_certificates: Option<bool>,
    /// `Some(false)`: the organisation manages root access centrally and the root user cannot sign in.
    /// `None` where the summary does not say.
    pub password: Option<bool>,
    /// `None` where it was not asked.
    pub virtual_mfa: Option<bool>,
}

impl Root {
    /// Nothing to sign in with, so no MFA to sign in with either (IAM User Guide, "Centrally manage root
    /// access for member accounts").
    fn cannot_sign_in(&self) -> bool {
        self.password == Some(false)
    }
}

/// IAM's counts for the account, read once for all controls that want them.
///
/// # Errors
/// The fault of `iam:GetAccountSummary`.
pub(super) async fn account_summary(aws: &Reader) -> Result<Arc<BTreeMap<String, i32>>, Fault> {
    let iam = aws.iam();
    aws.shared("iam:GetAccountSummary", async move {
        let answer = iam.get_account_summary().send().await.map_err(fault("iam:GetAccountSummary"))?;
        let counts = answer.summary_map.unwrap_or_default();
        Ok(counts.into_iter().map(|(key, count)| (key.as_str().to_owned(), count)).collect())
    })
    .await
}

/// Is a virtual device assigned to the root user?
async fn has_virtual_mfa(aws: &Reader) -> Result<bool, Fault> {
    let mut devices = aws
        .iam()
        .list_virtual_mfa_devices()
        .assignment_status(aws_sdk_iam::types::AssignmentStatusType::Assigned)
        .into_paginator()
        .items()
        .send();
    while let Some(device) = devices.next().await {
        let device = device.map_err(fault("iam:ListVirtualMFADevices"))?;
        // Devices may have any name since root users can have eight; the first one's was always this.
        let is_roots = device.user.is_some_and(|user| user.arn.ends_with(":root"))
            || device.serial_number.ends_with(":mfa/root-account-mfa-device");
        if is_roots {
            return Ok(true);
        }
    }
    Ok(false)
}

const RESOURCE: &str = "root user";
const SIGN_IN: &str = "Sign in to https://console.aws.amazon.com as the root user.";

fn by_hand(title: &str, found: (&str, &str), steps: &[&str]) -> Verdict<Nothing> {
    Verdict::Manual(ManualTask {
        title: title.into(),
        found: vec![(found.0.into(), found.1.into())],
        steps: std::iter::once(&SIGN_IN).chain(steps).map(|step| (*step).to_owned()).collect(),
        verified: Verified::ByObservation,
    })
}

fn unsaid(call: &str, what: &str) -> Verdict<Nothing> {
    Verdict::Unknown {
        fault: Fault::local(FaultKind::Invalid, call, format!("the answer does not say {what}")),
    }
}

impl Control for RootUser {
    const META: Meta = Meta {
        id: "iam.root-user",
        title: "The root user is locked away",
        docs: "\
## What it checks

Whether the root user has access keys, signing certificates and an MFA device, and whether that device is a
hardware one: a FIDO security key, a passkey or a hardware token rather than an app.

Where the organisation manages root access centrally, a member account's root user has no password. It cannot
sign in, so `mfa` is satisfied without a device.

## Why it matters

The root user can do everything in the account and no policy of the account limits it. Its access keys work
from anywhere and know no MFA. CIS and FSBP rate all of this critical.

## What apply does

Nothing: only the root user can change itself. The plan prints what to do, and the next plan sees that it is
done. To be rid of the root users of member accounts, turn on central root access in IAM of the management
account and delete their credentials.

## How to undo

There is nothing to undo.
",
        example: "accessKeys: none\nmfa: hardware\nsigningCertificates: none\n",
        reach: Reach::ACCOUNT,
        rules: &[
            Rule {
                id: "root-access-keys",
                severity: Severity::Critical,
                frameworks: &["cis-1.4.0/1.4", "cis-3.0.0/1.4", "cis-5.0.0/1.3", "fsbp/IAM.4"],
            },
            Rule {
                id: "root-mfa",
                severity: Severity::Critical,
                frameworks: &["cis-1.4.0/1.5", "cis-3.0.0/1.5", "cis-5.0.0/1.4", "fsbp/IAM.9"],
            },
            Rule {
                id: "root-hardware-mfa",
                severity: Severity::Critical,
                frameworks: &["cis-1.4.0/1.6", "cis-3.0.0/1.6", "cis-5.0.0/1.5", "fsbp/IAM.6"],
            },
            Rule { id: "root-signing-certificates", severity: Severity::High, frameworks: &[] },
        ],
        reads: &[Call::new("iam:GetAccountSummary"), Call::new("iam:ListVirtualMFADevices")],
        writes: &[],
        events: &[
            "iam:CreateAccessKey",
            "iam:UpdateAccessKey",
            "iam:DeactivateMFADevice",
            "iam:EnableMFADevice",
        ],
        undo: None,
        tags: false,
    };
    type Desired = RootUserSpec;
    type Ask = Ask;
    type Observed = Root;
    type Action = Nothing;

    fn ask(&self, _: &Facts, spec: &RootUserSpec) -> Ask {
        Ask { virtual_devices: spec.mfa == Some(Mfa::Hardware) }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Root, Fault> {
        let virtual_mfa =
            async { if ask.virtual_devices { has_virtual_mfa(aws).await.map(Some) } else { Ok(None) } };
        let (summary, virtual_mfa) = futures::try_join!(account_summary(aws), virtual_mfa)?;
        let count = |key: &str| summary.get(key).map(|count| *count > 0);
        let said = |key: &str| {
            count(key).ok_or_else(|| {
                let message = format!("the answer does not say `{key}`");
                Fault::local(FaultKind::Invalid, "iam:GetAccountSummary", message)
            })
        };
        Ok(Root {
            access_keys: said("AccountAccessKeysPresent")?,
            mfa: said("AccountMFAEnabled")?,
            signing_certificates: count("AccountSigningCertificatesPresent"),
            password: count("AccountPasswordPresent"),
            virtual_mfa,
        })
    }

    fn plan(&self, _: &Facts, _: &Known, spec: &RootUserSpec, root: &Root) -> Vec<Finding<Nothing>> {
        let mut findings = Vec::new();
        let mut say = |rule, verdict| findings.push(Finding::new(RESOURCE, rule, verdict));
        if spec.access_keys == Some(Absent::None) {
            let verdict = if root.access_keys {
                by_hand(
                    "Delete the root user's access keys",
                    ("accessKeys", "at least one key"),
                    &["Open Security credentials, then Access keys; deactivate each, wait, then delete it."],
                )
            } else {
                Verdict::InSync
            };
            say("root-access-keys", verdict);
        }
        if spec.mfa.is_some() {
            let verdict = if root.mfa || root.cannot_sign_in() {
                Verdict::InSync
            } else {
                by_hand(
                    "Give the root user an MFA device",
                    ("mfa", "no device"),
                    &["Open Security credentials, then Assign MFA device."],
                )
            };
            say("root-mfa", verdict);
        }
        if spec.mfa == Some(Mfa::Hardware) {
            let hardware = |found| {
                by_hand(
                    "Give the root user a hardware MFA device, and no virtual one",
                    ("mfa", found),
                    &[
                        "Open Security credentials, then Assign MFA device: a security key or hardware token.",
                        "Remove each virtual device, once the new one has been used to sign in.",
                    ],
                )
            };
            let verdict = match root.virtual_mfa {
                _ if root.cannot_sign_in() => Verdict::InSync,
                _ if !root.mfa => hardware("no device"),
                Some(true) => hardware("a virtual device"),
                Some(false) => Verdict::InSync,
                None => unsaid("iam:ListVirtualMFADevices", "which devices are virtual"),
            };
            say("root-hardware-mfa", verdict);
        }
        if spec.signing_certificates == Some(Absent::None) {
            let verdict = match root.signing_certificates {
                Some(false) => Verdict::InSync,
                Some(true) => by_hand(
                    "Delete the root user's signing certificates",
                    ("signingCertificates", "at least one certificate"),
                    &["Open Security credentials, then X.509 certificates; deactivate each, then delete it."],
                ),
                None => unsaid("iam:GetAccountSummary", "`AccountSigningCertificatesPresent`"),
            };
            say("root-signing-certificates", verdict);
        }
        findings
    }

    async fn apply(&self, _: &Writer, _: &Known, action: &Nothing) -> Result<(), Fault> {
        match *action {}
    }

    fn import(&self, _: &Facts, _: &Known, root: &Root) -> Option<RootUserSpec> {
        Some(RootUserSpec {
            access_keys: (!root.access_keys).then_some(Absent::None),
            mfa: match root.virtual_mfa {
                _ if !root.mfa => None,
                Some(false) => Some(Mfa::Hardware),
                _ => Some(Mfa::Required),
            },
            signing_certificates: (root.signing_certificates == Some(false)).then_some(Absent::None),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::tests::facts;

    const LOCKED: Root = Root {
        access_keys: false,
        mfa: true,
        signing_certificates: Some(false),
        password: Some(true),
        virtual_mfa: Some(false),
    };

    /// The rules that are not in sync, with a word for what they are.
    fn wrong(declared: Value, root: &Root) -> Vec<(String, &'static str)> {
        let spec = serde_json::from_value(declared).unwrap();
        let findings = RootUser.plan(&facts(), &Known::default(), &spec, root);
        findings
            .into_iter()
            .filter_map(|finding| match finding.verdict {
                Verdict::InSync => None,
                Verdict::Manual(task) => {
                    assert!(!task.found.is_empty() && task.steps.len() > 1);
                    Some((finding.rule, "by hand"))
                }
                Verdict::Unknown { .. } => Some((finding.rule, "unknown")),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn each_rule_speaks_for_itself() {
        let all = json!({"accessKeys": "none", "mfa": "hardware", "signingCertificates": "none"});
        let by_hand = |rule: &str| (rule.to_owned(), "by hand");
        assert_eq!(wrong(all.clone(), &LOCKED), []);
        assert_eq!(wrong(json!({}), &Root { access_keys: true, mfa: false, ..LOCKED }), []);
        assert_eq!(wrong(all.clone(), &Root { access_keys: true, ..LOCKED }), [by_hand("root-access-keys")]);
        assert_eq!(
            wrong(all.clone(), &Root { mfa: false, ..LOCKED }),
            [by_hand("root-mfa"), by_hand("root-hardware-mfa")]
        );
        assert_eq!(
            wrong(all.clone(), &Root { virtual_mfa: Some(true), ..LOCKED }),
            [by_hand("root-hardware-mfa")]
        );
        assert_eq!(wrong(json!({"mfa": "required"}), &Root { virtual_mfa: Some(true), ..LOCKED }), []);
        assert_eq!(
            wrong(all, &Root { signing_certificates: Some(true), ..LOCKED }),
            [by_hand("root-signing-certificates")]
        );
    }

    #[test]
    fn a_root_user_without_credentials_needs_no_device() {
        let central = Root { mfa: false, password: Some(false), ..LOCKED };
        assert_eq!(wrong(json!({"mfa": "hardware"}), &central), []);
        let unsaid = Root { mfa: false, password: None, ..LOCKED };
        assert_eq!(wrong(json!({"mfa": "required"}), &unsaid), [("root-mfa".into(), "by hand")]);
    }

    #[test]
    fn what_was_not_said_is_unknown() {
        let unsaid = Root { virtual_mfa: None, signing_certificates: None, ..LOCKED };
        let declared = json!({"mfa": "hardware", "signingCertificates": "none"});
        assert_eq!(
            wrong(declared, &unsaid),
            [("root-hardware-mfa".into(), "unknown"), ("root-signing-certificates".into(), "unknown")]
        );
    }

    #[test]
    fn what_is_imported_is_in_sync() {
        for root in [LOCKED, Root { mfa: false, ..LOCKED }, Root { virtual_mfa: Some(true), ..LOCKED }] {
            let imported = RootUser.import(&facts(), &Known::default(), &root).unwrap();
            assert_eq!(wrong(serde_json::to_value(imported).unwrap(), &root), []);
        }
    }
}
