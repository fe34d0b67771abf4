//! A bucket that somebody writes the documents to. Whose bucket it is, is known beforehand: who writes there decides
//! what every account is to be.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::{Found, SETTLED_AFTER, SourceError, blocking, query};
use crate::aws::{Aws, Reader, fault};
use crate::controls::CONTROLS;
use crate::desired;
use crate::digest;
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Region};

/// More documents than any desired state has.
const MOST: usize = 20_000;

/// Bytes of one document: as in a folder.
const LARGEST: i64 = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSource {
    pub bucket: String,
    pub prefix: String,
    /// Absent: where the SDK's settings say that calls go.
    pub region: Option<Region>,
    /// Absent: the caller's own account.
    pub owner: Option<AccountId>,
}

impl FromStr for BucketSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, rest) = text.split_once('?').unwrap_or((text, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err("name a bucket: `s3://bucket/prefix`".to_owned());
        }
        let mut source = Self {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            region: None,
            owner: None,
        };
        for (name, value) in query(rest, &["region", "owner"])? {
            if name == "region" {
                source.region = Some(Region::new(value));
            } else {
                source.owner = Some(value.parse()?);
            }
        }
        Ok(source)
    }
}

impl fmt::Display for BucketSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        let region = self.region.as_ref().map(|region| format!("region={region}"));
        let owner = self.owner.as_ref().map(|owner| format!("owner={owner}"));
        let query: Vec<String> = region.into_iter().chain(owner).collect();
        if query.is_empty() { Ok(()) } else { write!(f, "?{}", query.join("&")) }
    }
}

/// The documents by their path below the prefix, each with the tag of its version.
type Listed = BTreeMap<String, String>;

impl BucketSource {
    pub(super) async fn look(
        &self,
        known: Option<&str>,
        aws: Option<&Aws>,
        today: Date,
    ) -> Result<Option<Found>, SourceError> {
        let Some(aws) = aws else {
            let why = "there is no connection to AWS";
            return Err(self.failed(Fault::local(FaultKind::Invalid, "s3:ListObjectsV2", why)));
        };
        let region = self.region.clone().unwrap_or_else(|| aws.region().clone());
        let reader = aws.caller_reader(&region);
        let owner = self.owner.clone().unwrap_or_else(|| aws.identity().account.clone());
        let listed = self.list(&reader, &owner).await?;
        let fingerprint = fingerprint(&listed);
        if known == Some(fingerprint.as_str()) {
            return Ok(None);
        }
        if known.is_some() {
            // Somebody may be in the midst of copying.
            tokio::time::sleep(SETTLED_AFTER).await;
        }
        let texts: BTreeMap<String, String> = stream::iter(listed.keys())
            .map(|path| async {
                Ok::<_, SourceError>((path.clone(), self.read(&reader, &owner, path).await?))
            })
            .buffer_unordered(16)
            .try_collect()
            .await?;
        if self.list(&reader, &owner).await? != listed {
            return Err(SourceError::Moving { place: self.to_string() });
        }
        let dir = PathBuf::from(self.to_string().split('?').next().unwrap_or_default());
        let at = dir.clone();
        let loaded = blocking(move || desired::load_texts(&at, &texts, CONTROLS, today)).await?;
        Ok(Some(Found { fingerprint, dir, loaded, revision: None }))
    }

    fn failed(&self, source: Fault) -> SourceError {
        SourceError::Bucket { place: self.to_string(), source: Box::new(source) }
    }

    fn key(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    async fn list(&self, reader: &Reader, owner: &AccountId) -> Result<Listed, SourceError> {
        let mut listed = Listed::new();
        let mut token = None;
        loop {
            let call = reader
                .s3()
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(self.key(""))
                .set_continuation_token(token)
                .expected_bucket_owner(owner.as_str());
            let answer = reader.run(call.send()).await.map_err(fault("s3:ListObjectsV2"));
            let answer = answer.map_err(|fault| self.failed(fault))?;
            for object in answer.contents.unwrap_or_default() {
                let Some(key) = object.key else { continue };
                let path = key[self.key("").len().min(key.len())..].to_owned();
                let hidden = path.split('/').any(|part| part.starts_with('.') || part.is_empty());
                if hidden || !(path.ends_with(".yaml") || path.ends_with(".yml")) {
                    continue;
                }
                if object.size.unwrap_or_default() > LARGEST {
                    let why = format!("`{path}` is larger than 1 MiB");
                    return Err(self.failed(Fault::local(FaultKind::Invalid, "s3:ListObjectsV2", why)));
                }
                listed.insert(path, object.e_tag.unwrap_or_default());
                if listed.len() > MOST {
                    return Err(SourceError::TooMany { place: self.to_string(), most: MOST });
                }
            }
            token = answer.next_continuation_token;
            if token.is_none() {
                return Ok(listed);
            }
        }
    }

    async fn read(&self, reader: &Reader, owner: &AccountId, path: &str) -> Result<String, SourceError> {
        const CALL: &str = "s3:GetObject";
        let call = reader
            .s3()
            .get_object()
            .bucket(&self.bucket)
            .key(self.key(path))
            .expected_bucket_owner(owner.as_str());
        let read = async {
            let answer = call.send().await.map_err(fault(CALL))?;
            let bytes = answer.body.collect().await.map_err(|error| {
                Fault::local(FaultKind::Unavailable, CALL, format!("the body broke off: {error}"))
            })?;
            String::from_utf8(bytes.to_vec())
                .map_err(|_| Fault::local(FaultKind::Invalid, CALL, format!("`{path}` is not UTF-8")))
        };
        reader.run(read).await.map_err(|fault| self.failed(fault))
    }
}

fn fingerprint(listed: &Listed) -> String {
    let mut hash = Sha256::new();
    for part in listed.iter().flat_map(|(path, tag)| [path, tag]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    digest::hex(&hash.finalize())
}
