//! Answers as AWS documents them, for the SDK to parse. The in-memory AWS hands the SDK its own types and so cannot
//! show that a control reads what is on the wire.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use crate::aws::journal::Purpose;
use crate::aws::limits::Limits;
use crate::aws::{Aws, Connection, InScope, Reader, Role, bare_sdk_config};
use crate::control::Meta;
use crate::place::{Region, Scope};

/// The account that the answers are of.
pub(super) const ACCOUNT: &str = "111122223333";

const IDENTITY: &str = "\
<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
<Arn>arn:aws:iam::111122223333:user/jo</Arn><UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account>\
</GetCallerIdentityResult></GetCallerIdentityResponse>";

/// The body that answers each operation; one that is not here is answered with HTTP 400.
#[derive(Clone, Copy, Debug)]
struct Canned(&'static [(&'static str, &'static str)]);

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let asked = match request.headers().get("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => {
                let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
                action.unwrap_or_default().to_owned()
            }
        };
        let told = if asked == "GetCallerIdentity" {
            Some(IDENTITY)
        } else {
            self.0.iter().find(|(name, _)| *name == asked).map(|(_, body)| *body)
        };
        let status = StatusCode::try_from(if told.is_some() { 200 } else { 400 }).expect("a status");
        let body = told.map_or_else(|| format!("{{\"__type\":\"{asked} is not canned\"}}"), str::to_owned);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

/// A reader of one control in `eu-west-1` that is answered with these bodies, by operation.
pub(super) async fn reader(meta: &'static Meta, answers: &'static [(&'static str, &'static str)]) -> Reader {
    let region = Region::new("eu-west-1");
    let http = http_client_fn(move |_, _| SharedHttpConnector::new(Canned(answers)));
    let connection = Connection {
        sdk: bare_sdk_config(http),
        credentials: SharedCredentialsProvider::new(Credentials::new(
            "AKIDEXAMPLE",
            "secret",
            None,
            None,
            "canned",
        )),
        interceptors: Vec::new(),
        region: region.clone(),
    };
    let aws = Aws::connect(connection, Limits::new([].into()), "run").await.expect("it says who it is");
    let account = ACCOUNT.parse().expect("12 digits");
    let session = aws.open(&account, &Role::Caller, Purpose::Observe, &region, None).await;
    let session = session.expect("the caller's own");
    aws.reader(&session, &Scope { account, region }, meta, &InScope::new())
}
