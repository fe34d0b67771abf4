//! What keeps logs from being deleted: object lock, and MFA delete, which only a root user can turn on.

use serde_json::json;

use super::live::{Bucket, ObjectLock};
use super::plan::{Look, invalid, toward, unread};
use super::spec::{LockMode, Service};
use super::write::{PUT_OBJECT_LOCK, Retention, What, Write};
use crate::control::{Change, Direction, Field, ManualTask, Risk, Verdict, Verified};

impl Look<'_> {
    pub fn object_lock(&self, bucket: &Bucket) -> Verdict<Write> {
        let Some(live) = &bucket.object_lock else { return unread(bucket, "s3:GetObjectLockConfiguration") };
        let declared = &self.spec.object_lock;
        if self.spec.locks() && self.spec.wants(Service::Config) {
            return invalid(
                PUT_OBJECT_LOCK.operation,
                "AWS Config does not deliver to a bucket that locks what is put into it (Developer Guide, \
                 \"Managing the delivery channel\"): say `objectLock: {mode: none}`, or take `config` out of \
                 `services`",
            );
        }
        let live_mode = live.mode.as_deref().unwrap_or("none");
        let mode = match (declared.mode, LockMode::of(live_mode)) {
            (Some(mode), _) | (None, Some(mode)) => mode,
            (None, None) => {
                let message = format!("`{live_mode}` is not a mode that this build knows");
                return invalid("s3:GetObjectLockConfiguration", message);
            }
        };
        if mode == LockMode::None {
            return self.unlock(live, live_mode);
        }
        let length = match declared.days.map(|days| days.get()) {
            Some(days) => (Some(days), None),
            None => (live.days, live.years),
        };
        if length == (None, None) {
            let message = "`objectLock` needs `mode` and `days` where none is set yet";
            return invalid(PUT_OBJECT_LOCK.operation, message);
        }
        let wanted =
            ObjectLock { enabled: true, mode: Some(mode.word().into()), days: length.0, years: length.1 };
        if *live == wanted {
            return Verdict::InSync;
        }
        let mut fields = Vec::new();
        if live_mode != mode.word() {
            fields.push(Field::new("/objectLock/mode", live_mode, mode.word()));
        }
        if (live.days, live.years) != length {
            let before = match (live.days, live.years) {
                (Some(days), _) => json!(days),
                (None, Some(years)) => json!(format!("{years} years")),
                (None, None) => json!("none"),
            };
            fields.push(Field::new("/objectLock/days", before, json!(length.0)));
        }
        let softer = live_mode == "COMPLIANCE" && mode == LockMode::Governance;
        let weakens = softer || wanted.in_days() < live.in_days();
        let evidence = match (mode, live.enabled) {
            (LockMode::Compliance, _) => {
                Some("nobody can delete what is delivered before its time, AWS and the root user included")
            }
            (_, false) => Some("object lock cannot be turned off again, nor versions suspended"),
            _ => None,
        };
        let retention = Retention { mode, days: length.0, years: length.1 };
        Verdict::Change(Change {
            risk: if mode == LockMode::Compliance { Risk::Irreversible } else { Risk::Safe },
            direction: toward(!weakens),
            evidence: evidence.map(str::to_owned),
            carries: declared.mode.is_none().then(|| format!("mode {}: not declared", mode.word())),
            ..self.place.change(fields, What::ObjectLock { retention: Some(retention) })
        })
    }

    /// New objects get no retention; the lock itself, and what is locked, stay.
    fn unlock(&self, live: &ObjectLock, live_mode: &str) -> Verdict<Write> {
        if live.mode.is_none() {
            return Verdict::InSync;
        }
        let mut fields = vec![Field::new("/objectLock/mode", live_mode, "none")];
        if let Some(days) = live.days {
            fields.push(Field::new("/objectLock/days", days, "none"));
        }
        Verdict::Change(Change {
            direction: Direction::Weakens,
            ..self.place.change(fields, What::ObjectLock { retention: None })
        })
    }

    /// Never by a call of ours, and never with an access key of the root user.
    pub fn mfa_delete(&self, bucket: &Bucket) -> Verdict<Write> {
        let Some(live) = &bucket.versioning else { return unread(bucket, "s3:GetBucketVersioning") };
        let (name, region) = (&self.place.bucket, &self.place.region);
        if self.spec.declares_lifecycle() {
            return invalid(
                "s3:PutBucketVersioning",
                "S3 does not take lifecycle rules and MFA delete together: declare one of them",
            );
        }
        if live.mfa_delete {
            return Verdict::InSync;
        }
        Verdict::Manual(ManualTask {
            title: format!("Turn on MFA delete for {name}, as the root user"),
            found: vec![("mfaDelete".into(), "off".into())],
            steps: vec![
                "Nobody but the root user can, and no access key is needed: do not make one.".into(),
                format!("Sign in to the console of account {} as its root user.", self.place.account),
                "Its MFA device must be one that shows codes; a passkey or security key has none.".into(),
                format!("Open CloudShell in {region}, and list the root user's devices:"),
                "aws iam list-mfa-devices --query 'MFADevices[].SerialNumber' --output text".into(),
                "Then, with that serial number and the code that the device shows now:".into(),
                format!("aws s3api put-bucket-versioning --bucket {name} \\"),
                "  --versioning-configuration Status=Enabled,MFADelete=Enabled \\".into(),
                "  --mfa \"SERIAL CODE\"".into(),
                "Where root credentials were taken away centrally, this cannot be done.".into(),
            ],
            verified: Verified::ByObservation,
        })
    }
}
