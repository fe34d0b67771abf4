//! Audit records in a bucket, with conditional writes and a known owner.

use aws_sdk_s3::primitives::ByteStream;

use super::{AuditError, When};
use crate::aws::{Aws, Reader, fault};
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Region};

#[derive(Debug)]
pub struct Bucket {
    pub(super) name: String,
    prefix: String,
    /// Expected on every call: whoever else owns a bucket of that name must not get account data.
    owner: AccountId,
    aws: Reader,
}

impl Bucket {
    /// `place` is `bucket/prefix`, with `?region=eu-west-1` where the bucket is not in the home region.
    pub(super) async fn open(
        place: &str,
        aws: &Aws,
        home: &Region,
        owners: &[AccountId],
    ) -> Result<Self, AuditError> {
        let (path, region) = match place.split_once("?region=") {
            Some((path, region)) => (path, Region::new(region)),
            None => (place, home.clone()),
        };
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        if name.is_empty() {
            return Err(AuditError::Place { place: format!("s3://{place}") });
        }
        let reader = aws.caller_reader(&region);
        let caller = aws.identity().account.clone();
        let mut last = None;
        for owner in std::iter::once(&caller).chain(owners.iter().filter(|owner| **owner != caller)) {
            let call = reader.s3().head_bucket().bucket(name).expected_bucket_owner(owner.as_str());
            match reader.run(Box::pin(call.send())).await {
                Ok(_) => {
                    return Ok(Self {
                        name: name.into(),
                        prefix: prefix.trim_matches('/').into(),
                        owner: owner.clone(),
                        aws: reader,
                    });
                }
                Err(error) => last = Some(fault("s3:HeadBucket")(error)),
            }
        }
        Err(match last {
            // A wrong owner answers 403, without a body that would say so.
            Some(fault) if fault.kind != FaultKind::Denied && !fault.code.contains("403") => {
                AuditError::Bucket { place: format!("s3://{place}"), source: Box::new(fault) }
            }
            _ => AuditError::Stranger { bucket: name.into() },
        })
    }

    pub(super) fn key(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.into() } else { format!("{}/{key}", self.prefix) }
    }

    fn failed(&self, source: Fault) -> AuditError {
        AuditError::Bucket { place: format!("s3://{}/{}", self.name, self.prefix), source: Box::new(source) }
    }

    pub(super) async fn put(&self, key: &str, bytes: Vec<u8>, when: &When) -> Result<(), AuditError> {
        let call = self
            .aws
            .s3()
            .put_object()
            .bucket(&self.name)
            .key(self.key(key))
            .expected_bucket_owner(self.owner.as_str())
            .content_type("application/json")
            .body(ByteStream::from(bytes.clone()));
        let call = match when {
            When::New | When::Unchanged(None) => call.if_none_match("*"),
            When::Unchanged(Some(tag)) => call.if_match(tag),
        };
        let Err(error) = self.aws.run(Box::pin(call.send())).await else { return Ok(()) };
        let fault = fault("s3:PutObject")(error);
        match fault.code.as_str() {
            // Ours, if a reply was lost and the SDK sent it again.
            "PreconditionFailed" if self.get(key).await?.is_some_and(|(there, _)| there == bytes) => Ok(()),
            "PreconditionFailed" | "ConditionalRequestConflict" => Err(AuditError::Raced { key: key.into() }),
            _ => Err(self.failed(fault)),
        }
    }

    /// The names below `runs`, from this one on.
    pub(super) async fn runs(&self, first: &str) -> Result<Vec<String>, AuditError> {
        let prefix = self.key("runs/");
        let mut runs = Vec::new();
        let mut token = None;
        loop {
            let call = self
                .aws
                .s3()
                .list_objects_v2()
                .bucket(&self.name)
                .expected_bucket_owner(self.owner.as_str())
                .prefix(&prefix)
                .delimiter("/")
                .start_after(format!("{prefix}{first}"))
                .set_continuation_token(token);
            let page = self
                .aws
                .run(Box::pin(call.send()))
                .await
                .map_err(|error| self.failed(fault("s3:ListObjectsV2")(error)))?;
            let folders = page.common_prefixes.into_iter().flatten().filter_map(|folder| folder.prefix);
            runs.extend(
                folders.filter_map(|folder| {
                    Some(folder.strip_prefix(&prefix)?.trim_end_matches('/').to_owned())
                }),
            );
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(runs);
            }
        }
    }

    /// The object and its ETag.
    pub(super) async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Option<String>)>, AuditError> {
        let call = self
            .aws
            .s3()
            .get_object()
            .bucket(&self.name)
            .key(self.key(key))
            .expected_bucket_owner(self.owner.as_str());
        let read = async {
            let answer = match call.send().await {
                Ok(answer) => answer,
                Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => {
                    return Ok(None);
                }
                Err(error) => return Err(fault("s3:GetObject")(error)),
            };
            let tag = answer.e_tag;
            let bytes = answer.body.collect().await.map_err(|error| {
                Fault::local(FaultKind::Unavailable, "s3:GetObject", format!("the body broke off: {error}"))
            })?;
            Ok(Some((bytes.to_vec(), tag)))
        };
        self.aws.run(Box::pin(read)).await.map_err(|fault| self.failed(fault))
    }
}
