//! What all accounts stand on: the audit record, the archive's bucket and its key.

use std::path::Path;

use super::role::caller;
use super::{Verdict, Wish, verdict_of};
use crate::apply::audit_place;
use crate::audit::{AuditError, Memory};
use crate::aws::simulate::{Decision, Question, simulate};
use crate::control::{Found, Thing};
use crate::durable;
use crate::observe::Fleet;
use crate::permissions::{audit_bucket, audit_resources};
use crate::place::{AccountId, Region};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    Audit,
    ArchiveBucket,
    ArchiveKey,
}

/// One of them, and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub kind: PlaceKind,
    /// A path, `s3://bucket/prefix`, a bucket's name, an alias.
    pub name: String,
    /// Whose it is to be, where that is known.
    pub account: Option<AccountId>,
    pub verdict: Verdict,
    /// What is the matter, or what was seen.
    pub said: String,
    /// What puts it right.
    pub remedy: Option<String>,
}

pub(super) async fn examine(fleet: &Fleet, wish: &Wish<'_>) -> Vec<Place> {
    let (audit, archive) = futures::join!(audit(fleet, wish), archive(fleet));
    std::iter::once(audit).chain(archive).collect()
}

async fn audit(fleet: &Fleet, wish: &Wish<'_>) -> Place {
    let organization = &fleet.desired.organization;
    let name = audit_place(organization, wish.dir);
    let owners: Vec<AccountId> = organization.seats.values().cloned().collect();
    let mut place = Place {
        kind: PlaceKind::Audit,
        name: name.clone(),
        account: None,
        verdict: Verdict::Fine,
        said: "it can be read".into(),
        remedy: None,
    };
    let read = async {
        Memory::open(&name, &fleet.aws, &organization.home, &owners).await?.last_organization().await
    };
    if let Err(error) = read.await {
        place.verdict = match &error {
            AuditError::Bucket { source, .. } => verdict_of(source),
            AuditError::Raced { .. } => Verdict::Unknown,
            _ => Verdict::Wrong,
        };
        place.said = in_words(&error);
        place.remedy = Some(remedy(&error).into());
        return place;
    }
    if wish.read_only {
        return place;
    }
    match audit_bucket(&name) {
        Some((bucket, prefix)) => writable_bucket(fleet, bucket, prefix, &mut place).await,
        None => writable_folder(Path::new(&name), &mut place),
    }
    place
}

fn in_words(error: &AuditError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn remedy(error: &AuditError) -> &'static str {
    match error {
        AuditError::Bucket { .. } => {
            "let the caller's own credentials read it: `baseline generate permissions` prints the caller's policy"
        }
        AuditError::Stranger { .. } => {
            "make the bucket in a seat's account, let the caller in, or write another one under `audit`"
        }
        AuditError::Place { .. } => "write a folder or `s3://bucket/prefix` under `audit`",
        _ => "see that the folder is yours, and that nobody edited what is in it",
    }
}

/// IAM is asked, and nothing is written. The bucket's own policy has the last word.
async fn writable_bucket(fleet: &Fleet, bucket: &str, prefix: &str, place: &mut Place) {
    let unknown = |place: &mut Place, why: String| {
        place.verdict = Verdict::Unknown;
        place.said = format!("it can be read; whether it can be written is not known: {why}");
        place.remedy =
            Some("allow the caller iam:SimulatePrincipalPolicy: `baseline generate permissions`".into());
    };
    let Some(principal) = caller(fleet) else {
        return unknown(place, "the simulator knows roles and users, and the caller is neither".into());
    };
    let identity = fleet.aws.identity();
    let objects = audit_resources(bucket, prefix).1.replace("{partition}", identity.partition());
    // An object's name has no wildcard.
    let resources = [objects.replace('*', "runs/doctor")];
    let home = &fleet.desired.organization.home;
    let context = [
        ("aws:PrincipalArn".to_owned(), principal.clone()),
        ("aws:RequestedRegion".to_owned(), home.to_string()),
    ];
    let reader = fleet.aws.caller_reader(&Region::global(home.partition()));
    let question = Question { principal: &principal, resources: &resources, context: &context };
    let answers = reader.run(simulate(&reader, question, &["s3:PutObject"])).await;
    match answers.into_iter().next().map(|(_, decision)| decision) {
        Some(Ok(Decision::Allowed)) => {
            place.said =
                "it can be read, and IAM lets the caller write it; the bucket's own policy was not asked"
                    .into();
        }
        Some(Ok(Decision::Depends { keys })) => unknown(place, format!("it depends on {}", keys.join(", "))),
        Some(Ok(_)) => {
            place.verdict = Verdict::Wrong;
            place.said = format!("it can be read, and {principal} may not write it (s3:PutObject)");
            place.remedy = Some(
                "let the caller write it: `baseline generate permissions` prints the caller's policy".into(),
            );
        }
        Some(Err(fault)) => unknown(place, fault.to_string()),
        None => unknown(place, "the simulator did not answer".into()),
    }
}

/// The nearest folder above that is there has to let us make the rest.
fn writable_folder(folder: &Path, place: &mut Place) {
    let there = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let said = if there == folder { "it can be read and written" } else { "the first apply makes it" };
    match durable::can_write(there) {
        Ok(()) => place.said = format!("a folder on this machine; {said}"),
        Err(error) => {
            place.verdict = Verdict::Wrong;
            place.said = format!("{} cannot be written: {error}", there.display());
            place.remedy = Some("let this user write it, or write another place under `audit`".into());
        }
    }
}

/// The bucket and the key that logs are delivered to.
async fn archive(fleet: &Fleet) -> Vec<Place> {
    let facts = fleet.desired.organization.facts();
    let Some(archive) = facts.and_then(|facts| facts.archive) else { return Vec::new() };
    let account = archive.account.clone();
    let region = archive.region.clone();
    let bucket =
        Thing::Bucket { account: account.clone(), region: region.clone(), name: archive.bucket.clone() };
    let key = Thing::Key { account: account.clone(), region, alias: archive.key.clone() };
    let known = fleet.resolve(vec![bucket.clone(), key.clone()], false).await;
    let told = |kind, name: &str, thing: &Thing, control: &str| {
        let (verdict, said, remedy) = match known.get(thing) {
            Some(Found::Present { .. }) => (Verdict::Fine, "it is there".to_owned(), None),
            Some(Found::Absent) if declares(fleet, &account, control) => {
                (Verdict::Fine, format!("it is not there, and apply makes it ({control})"), None)
            }
            Some(Found::Absent) => (
                Verdict::Wrong,
                "it is not there, and nothing makes it".to_owned(),
                Some(format!("declare {control} for account {account}, or make it by hand")),
            ),
            Some(Found::Unknown(fault)) => {
                let remedy = match fault.call.as_str() {
                    "sts:AssumeRole" => Some(format!("`baseline doctor --account {account}` tells how")),
                    _ => fault.hint().map(str::to_owned),
                };
                (Verdict::Unknown, format!("{}: {}", fault.call, fault.code), remedy)
            }
            None => (Verdict::Unknown, "it was not looked for".to_owned(), None),
        };
        Place { kind, name: name.to_owned(), account: Some(account.clone()), verdict, said, remedy }
    };
    vec![
        told(PlaceKind::ArchiveBucket, &archive.bucket, &bucket, "s3.log-archive"),
        told(PlaceKind::ArchiveKey, &archive.key, &key, "kms.keys"),
    ]
}

fn declares(fleet: &Fleet, account: &AccountId, control: &str) -> bool {
    fleet.desired.account(account).is_some_and(|account| account.controls.contains_key(control))
}
