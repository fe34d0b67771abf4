//! Which bucket it is, and which key: both have names that are known beforehand.

use super::spec::LogArchiveSpec;
use crate::control::{Facts, Thing};
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Region};

/// The bucket and its key, by name, in one account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub account: AccountId,
    pub region: Region,
    pub bucket: String,
    /// An alias.
    pub key: String,
}

impl Place {
    /// In the archive's account the Organization document says the names, because every other account reads
    /// them there. Anywhere else the spec says them.
    pub fn of(facts: &Facts, spec: &LogArchiveSpec) -> Result<Self, Fault> {
        let (account, region) = (facts.scope.account.clone(), facts.scope.region.clone());
        let invalid = |message: String| Err(Fault::local(FaultKind::Invalid, "s3:HeadBucket", message));
        let Some(archive) = facts.archive().filter(|archive| archive.account == account) else {
            let bucket =
                spec.bucket.clone().unwrap_or_else(|| format!("baseline-logs-{account}-{region}-an"));
            let key = spec.key.clone().unwrap_or_else(|| "alias/baseline/logs".to_owned());
            return Ok(Self { account, region, bucket, key });
        };
        if archive.region != region {
            return invalid(format!(
                "the archive is in {}, and this account's home region is {region}: everybody delivers to {}",
                archive.region, archive.region
            ));
        }
        for (word, said, wanted) in
            [("bucket", &spec.bucket, &archive.bucket), ("key", &spec.key, &archive.key)]
        {
            if let Some(said) = said.as_ref().filter(|said| *said != wanted) {
                return invalid(format!(
                    "`{word}: {said}` is not the archive's {wanted} of the Organization document: leave it out"
                ));
            }
        }
        Ok(Self { account, region, bucket: archive.bucket.clone(), key: archive.key.clone() })
    }

    pub fn key(&self) -> Thing {
        Thing::Key { account: self.account.clone(), region: self.region.clone(), alias: self.key.clone() }
    }

    /// A bucket beside this one.
    pub fn bucket_named(&self, name: &str) -> Thing {
        Thing::Bucket { account: self.account.clone(), region: self.region.clone(), name: name.to_owned() }
    }

    /// Is the name one of those that only this account can make in this region? They end in account, region and
    /// `-an` (CreateBucket, `BucketNamespace`).
    pub fn is_account_regional(&self) -> bool {
        self.bucket.ends_with(&format!("-{}-{}-an", self.account, self.region))
    }
}
