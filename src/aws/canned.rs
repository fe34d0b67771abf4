//! Clients that are answered from a list: what the SDK makes of an answer as AWS writes it. For tests.

use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// The path that is asked, without its query; status and body of the answer.
pub(crate) type Answer = (&'static str, u16, &'static str);

/// Headers of an answer.
type Headers = &'static [(&'static str, &'static str)];

#[derive(Debug)]
enum Canned {
    /// Gives each answer once, to the first request for its path.
    Each(Mutex<Vec<Answer>>),
    /// Gives one answer to everything.
    All { status: u16, headers: Headers, body: Vec<u8> },
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, headers, body): (u16, Headers, SdkBody) = match self {
            Self::All { status, headers, body } => (*status, *headers, SdkBody::from(body.clone())),
            Self::Each(answers) => {
                let uri = request.uri().to_owned();
                let path = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
                let path = path.find('/').map_or("/", |at| &path[at..]);
                let path = path.split('?').next().unwrap_or("/");
                let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(at) = answers.iter().position(|(asked, ..)| *asked == path) else {
                    let error = ConnectorError::user(format!("nothing is said of {path}").into());
                    return HttpConnectorFuture::ready(Err(error));
                };
                let (_, status, body) = answers.remove(at);
                (status, &[("content-type", "application/json")], SdkBody::from(body))
            }
        };
        let status = StatusCode::try_from(status).expect("a status of HTTP");
        let mut response = HttpResponse::new(status, body);
        for (name, value) in headers {
            response.headers_mut().insert(*name, *value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// The configuration of a client that gets these answers and no others.
pub(crate) fn sdk(answers: &[Answer]) -> SdkConfig {
    configured(Canned::Each(Mutex::new(answers.to_vec())))
}

/// The configuration of clients that get this reply, whatever they ask.
pub(crate) fn answering(status: u16, headers: Headers, body: impl Into<Vec<u8>>) -> SdkConfig {
    configured(Canned::All { status, headers, body: body.into() })
}

fn configured(canned: Canned) -> SdkConfig {
    let connector = SharedHttpConnector::new(canned);
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "canned");
    super::connect::base()
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}
