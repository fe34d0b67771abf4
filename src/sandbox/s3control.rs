//! Amazon S3 Control: the account's block of public access.
//!
//! Source: Amazon S3 API Reference, the operation named at each handler. What the block does to buckets and
//! their policies stands in `s3/public.rs`.

use aws_sdk_s3control::operation::get_public_access_block::{
    GetPublicAccessBlockInput, GetPublicAccessBlockOutput,
};
use aws_sdk_s3control::operation::put_public_access_block::{
    PutPublicAccessBlockInput, PutPublicAccessBlockOutput,
};
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;

use super::operation::{Call, Operations, Protocol, Refusal, Service};
use super::s3::public::Block;

/// Errors come in the wrapper that AWS Query has as well: `<ErrorResponse><Error>…`.
static SERVICE: Service = Service {
    id: "S3 Control",
    prefix: "s3control",
    protocol: Protocol::Query,
    throttled: ("SlowDown", 503),
    broken: ("InternalError", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("GetPublicAccessBlock", get_public_access_block)
        .on("PutPublicAccessBlock", put_public_access_block)
}

/// What an account has of it; a new account has nothing set.
#[derive(Clone, Debug, Default)]
pub struct PublicAccess {
    /// `None` until somebody sets it.
    pub block: Option<Block>,
    /// What the next read still sees.
    late: Option<Option<Block>>,
}

/// A read after a write may still answer what was before, `NoSuchPublicAccessBlockConfiguration` even (S3 User
/// Guide: the account's settings "might not take effect in all Regions immediately or simultaneously", but
/// "eventually propagate"). Here the first read after every write does.
fn seen(access: &mut PublicAccess) -> Option<Block> {
    access.late.take().unwrap_or(access.block)
}

/// The account id names the caller's own account, else 403.
fn own_account(call: &Call<'_>, id: Option<&str>) -> Result<(), Refusal> {
    let id = id.unwrap_or_default();
    if id.len() != 12 || !id.chars().all(|c| c.is_ascii_digit()) {
        return Err(Refusal::new(400, "InvalidRequest", "The account id is not one of 12 digits"));
    }
    if id == call.caller.account { Ok(()) } else { Err(Refusal::new(403, "AccessDenied", "Access Denied")) }
}

/// GetPublicAccessBlock: `NoSuchPublicAccessBlockConfiguration` where nothing is set.
fn get_public_access_block(
    call: &mut Call<'_>,
    input: &GetPublicAccessBlockInput,
) -> Result<GetPublicAccessBlockOutput, Refusal> {
    own_account(call, input.account_id())?;
    let block = seen(&mut call.account().public_access).ok_or_else(|| {
        Refusal::new(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        )
    })?;
    let configuration = PublicAccessBlockConfiguration::builder()
        .block_public_acls(block.block_public_acls)
        .ignore_public_acls(block.ignore_public_acls)
        .block_public_policy(block.block_public_policy)
        .restrict_public_buckets(block.restrict_public_buckets)
        .build();
    Ok(GetPublicAccessBlockOutput::builder().public_access_block_configuration(configuration).build())
}

/// PutPublicAccessBlock: replaces all four; what is left out is off.
fn put_public_access_block(
    call: &mut Call<'_>,
    input: &PutPublicAccessBlockInput,
) -> Result<PutPublicAccessBlockOutput, Refusal> {
    own_account(call, input.account_id())?;
    let wanted = input
        .public_access_block_configuration()
        .ok_or_else(|| Refusal::new(400, "MalformedXML", "The XML you provided was not well-formed"))?;
    let on = |switch: Option<bool>| switch.unwrap_or(false);
    let block = Block {
        block_public_acls: on(wanted.block_public_acls),
        ignore_public_acls: on(wanted.ignore_public_acls),
        block_public_policy: on(wanted.block_public_policy),
        restrict_public_buckets: on(wanted.restrict_public_buckets),
    };
    let access = &mut call.account().public_access;
    access.late = Some(access.block);
    access.block = Some(block);
    Ok(PutPublicAccessBlockOutput::builder().build())
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::error::metadata::ProvideErrorMetadata;

    use super::super::World;
    use super::super::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
    use super::super::tests::client;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_read_after_a_write_is_late() {
        let world = World::acme();
        let client = client!(aws_sdk_s3control, world, PROD_PAYMENTS, "eu-west-1");
        let get = || client.get_public_access_block().account_id(PROD_PAYMENTS).send();
        let unset =
            |error: &aws_sdk_s3control::operation::get_public_access_block::GetPublicAccessBlockError| {
                error.is_no_such_public_access_block_configuration()
            };
        assert!(get().await.expect_err("never set").as_service_error().is_some_and(unset));
        let half = PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
        let put = client.put_public_access_block().account_id(PROD_PAYMENTS);
        put.public_access_block_configuration(half).send().await.expect("taken");
        assert!(get().await.expect_err("late").as_service_error().is_some_and(unset));
        let told = get().await.expect("set").public_access_block_configuration.expect("told");
        assert_eq!((told.block_public_acls, told.restrict_public_buckets), (Some(true), Some(false)));
    }

    #[tokio::test(start_paused = true)]
    async fn another_account_is_refused() {
        let world = World::acme();
        let client = client!(aws_sdk_s3control, world, PROD_PAYMENTS, "eu-west-1");
        let error = client.get_public_access_block().account_id(LOG_ARCHIVE).send().await;
        assert_eq!(error.expect_err("not its own").code(), Some("AccessDenied"));
    }
}
