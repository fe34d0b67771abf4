//! `AWS_ENDPOINT_URL` and S3 Control: the account id before the host.
//!
//! S3 Control calls an account at `ACCOUNT.s3-control.REGION.amazonaws.com`. The SDK's rules put the id before a
//! custom endpoint's host as well, and `123456789012.127.0.0.1` resolves nowhere. Which account is meant stands
//! in the header `x-amz-account-id` too.

use aws_sdk_s3control::config::Builder;
use aws_sdk_s3control::config::endpoint::{DefaultResolver, EndpointFuture, Params, ResolveEndpoint};

/// The SDK's own rules, apart from custom endpoints: those are called as they are written.
#[derive(Debug)]
struct AsWritten(DefaultResolver);

impl ResolveEndpoint for AsWritten {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        let resolved = self.0.resolve_endpoint(params);
        let (Some(_), Some(account)) = (params.endpoint(), params.account_id()) else { return resolved };
        EndpointFuture::new(async move {
            let endpoint = resolved.await?;
            let written = endpoint.url().replacen(&format!("://{account}."), "://", 1);
            Ok(endpoint.into_builder().url(written).build())
        })
    }
}

/// A client configuration whose custom endpoints are called as they are written.
pub(super) fn as_written(config: Builder) -> Builder {
    config.endpoint_resolver(AsWritten(DefaultResolver::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn url(endpoint: Option<&str>) -> String {
        let params = Params::builder()
            .region("eu-west-1")
            .account_id("111122223333")
            .requires_account_id(true)
            .set_endpoint(endpoint.map(str::to_owned))
            .build()
            .expect("complete");
        let resolver = AsWritten(DefaultResolver::new());
        let endpoint = resolver.resolve_endpoint(&params).await.expect("the rules know it");
        assert_eq!(endpoint.auth_schemes().len(), 1, "how to sign is kept");
        endpoint.url().to_owned()
    }

    #[tokio::test]
    async fn only_custom_endpoints_lose_the_account_id() {
        assert_eq!(url(Some("http://127.0.0.1:5000")).await, "http://127.0.0.1:5000");
        let aws = "https://111122223333.s3-control.eu-west-1.amazonaws.com";
        assert_eq!(url(None).await, aws);
    }

    /// What the client sends, and not only what the resolver says.
    #[tokio::test]
    async fn the_client_takes_the_resolver() {
        let sdk = crate::aws::connect::base()
            .endpoint_url("http://127.0.0.1:1")
            .region(aws_types::region::Region::new("eu-west-1"))
            .http_client(aws_smithy_runtime_api::client::http::http_client_fn(|_, _| {
                aws_smithy_runtime_api::client::http::SharedHttpConnector::new(Echo)
            }))
            .build();
        let config = as_written(Builder::from(&sdk)).allow_no_auth().build();
        let client = aws_sdk_s3control::Client::from_conf(config);
        let error = client.get_public_access_block().account_id("111122223333").send().await;
        let told = format!("{:?}", error.expect_err("the connector says where it was sent"));
        assert!(told.contains("sent to http://127.0.0.1:1/v20180820"), "{told}");
    }

    #[derive(Debug)]
    struct Echo;

    impl aws_smithy_runtime_api::client::http::HttpConnector for Echo {
        fn call(
            &self,
            request: aws_smithy_runtime_api::client::orchestrator::HttpRequest,
        ) -> aws_smithy_runtime_api::client::http::HttpConnectorFuture {
            let to = format!("sent to {}", request.uri());
            let error = aws_smithy_runtime_api::client::result::ConnectorError::user(to.into());
            aws_smithy_runtime_api::client::http::HttpConnectorFuture::ready(Err(error))
        }
    }
}
