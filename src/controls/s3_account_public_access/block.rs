//! The four switches of an account, and reading them.

use std::time::Duration;

use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, fault};
use crate::control::Call;
use crate::fault::{Fault, FaultKind};

pub const GET: Call = Call::needing("s3control:GetPublicAccessBlock", &["s3:GetAccountPublicAccessBlock"]);

/// The four switches, which are written together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

/// The names of the switches in the spec, in the order of [`Block::switches`].
pub const NAMES: [&str; 4] =
    ["blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets"];

impl Block {
    pub fn switches(self) -> [bool; 4] {
        [
            self.block_public_acls,
            self.ignore_public_acls,
            self.block_public_policy,
            self.restrict_public_buckets,
        ]
    }

    pub fn of(switches: [bool; 4]) -> Self {
        let [block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets] = switches;
        Self { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets }
    }

    /// All four on, or all four off; `None` in between.
    pub fn whole(self) -> Option<bool> {
        let [first, rest @ ..] = self.switches();
        rest.iter().all(|switch| *switch == first).then_some(first)
    }
}

impl From<Block> for PublicAccessBlockConfiguration {
    fn from(block: Block) -> Self {
        Self::builder()
            .block_public_acls(block.block_public_acls)
            .ignore_public_acls(block.ignore_public_acls)
            .block_public_policy(block.block_public_policy)
            .restrict_public_buckets(block.restrict_public_buckets)
            .build()
    }
}

/// Reads of an account that has not been seen to agree with itself.
const READS: usize = 5;

/// Between the first two reads, and twice as long each time that they differ: two reads at once often come from one
/// place, where a change has not arrived yet.
const PAUSE: Duration = Duration::from_millis(40);

/// What the account has, once two reads in a row say the same: after a change S3 answers with what was before
/// for a while, and not always. An account that never agrees with itself is not known.
pub async fn settled(aws: &Reader) -> Result<Block, Fault> {
    agreed(|| read(aws)).await
}

/// What two reads in a row say.
async fn agreed<T: PartialEq, F: Future<Output = Result<T, Fault>>>(
    mut read: impl FnMut() -> F,
) -> Result<T, Fault> {
    let mut last = read().await?;
    for again in 1..READS {
        tokio::time::sleep(PAUSE * (1 << (again - 1))).await;
        let next = read().await?;
        if next == last {
            return Ok(next);
        }
        last = next;
    }
    let message = format!("{READS} reads, and no two in a row agree: a change is still on its way");
    Err(Fault::local(FaultKind::Unavailable, GET.operation, message))
}

/// One read. Nothing set is all four off.
async fn read(aws: &Reader) -> Result<Block, Fault> {
    let answer =
        aws.s3control().get_public_access_block().account_id(aws.scope.account.as_str()).send().await;
    let answer = match answer.map_err(fault(GET.operation)) {
        Ok(answer) => answer,
        Err(fault) if fault.code == "NoSuchPublicAccessBlockConfiguration" => return Ok(Block::default()),
        Err(fault) => return Err(fault),
    };
    let live = answer.public_access_block_configuration.ok_or_else(|| {
        Fault::local(FaultKind::Invalid, GET.operation, "the answer has no configuration in it")
    })?;
    let on = |switch: Option<bool>| switch.unwrap_or(false);
    Ok(Block {
        block_public_acls: on(live.block_public_acls),
        ignore_public_acls: on(live.ignore_public_acls),
        block_public_policy: on(live.block_public_policy),
        restrict_public_buckets: on(live.restrict_public_buckets),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these answers, and how many of them were read.
    async fn read_all(answers: &[u8]) -> (Result<u8, Fault>, usize) {
        let mut read = 0;
        let result = agreed(|| {
            read += 1;
            std::future::ready(Ok(answers[read - 1]))
        })
        .await;
        (result, read)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_when_the_next_one_is_the_same() {
        assert_eq!(read_all(&[7, 7]).await, (Ok(7), 2));
        assert_eq!(read_all(&[1, 7, 7]).await, (Ok(7), 3), "the first one was late");
        assert_eq!(read_all(&[1, 7, 1, 7, 7]).await, (Ok(7), 5));
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_never_agrees_with_itself_is_not_known() {
        let (result, read) = read_all(&[1, 7, 1, 7, 1]).await;
        let fault = result.expect_err("no two agree");
        assert!(fault.kind.is_transient() && fault.call == GET.operation, "{fault}");
        assert_eq!(read, READS);
    }
}
