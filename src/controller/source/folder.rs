//! A folder that is mounted, synchronised or edited: watched by the digest of what is in it.

use std::path::PathBuf;

use jiff::civil::Date;

use super::{Found, SETTLED_AFTER, SourceError};
use crate::controls::CONTROLS;
use crate::desired::{self, Loaded, Revision};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSource {
    pub dir: PathBuf,
}

impl FolderSource {
    pub(super) async fn look(&self, known: Option<&str>, today: Date) -> Result<Option<Found>, SourceError> {
        let (fingerprint, _) = self.fingerprint().await?;
        let Some(known) = known else { return self.read(today).await.map(Some) };
        if fingerprint == known {
            return Ok(None);
        }
        // Somebody may be in the midst of copying.
        tokio::time::sleep(SETTLED_AFTER).await;
        if self.fingerprint().await?.0 != fingerprint {
            return Ok(None);
        }
        self.read(today).await.map(Some)
    }

    /// Of names, bytes and revision.
    async fn fingerprint(&self) -> Result<(String, Option<Revision>), SourceError> {
        let dir = self.dir.clone();
        super::blocking(move || {
            let (digest, revision) = (desired::digest_of(&dir), desired::revision(&dir));
            (fingerprint(&digest, revision.as_ref()), revision)
        })
        .await
    }

    async fn read(&self, today: Date) -> Result<Found, SourceError> {
        let dir = self.dir.clone();
        let (loaded, revision): (Loaded, _) =
            super::blocking(move || (desired::load(&dir, CONTROLS, today), desired::revision(&dir))).await?;
        // Of what was read, whatever was there before.
        let fingerprint = fingerprint(&desired::digest(&loaded), revision.as_ref());
        Ok(Found { fingerprint, dir: self.dir.clone(), loaded, revision })
    }
}

fn fingerprint(digest: &str, revision: Option<&Revision>) -> String {
    let revision =
        revision.map(|revision| format!("{}{}", revision.full, if revision.dirty { "+" } else { "" }));
    format!("{digest} {}", revision.unwrap_or_default())
}
