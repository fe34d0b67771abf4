//! Operations: a typed input goes in, a typed output or a [`Refusal`] comes out.
//!
//! The table is made once and holds plain functions, so a call costs one look-up and one lock. A refusal is
//! sent in the service's own protocol and the SDK reads it as it reads AWS, which is why it always arrives as
//! the modelled error.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use jiff::Timestamp;

use super::identity::Caller;
use super::state::{Account, RegionState, State};

/// How a service frames its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// AWS JSON 1.1 and REST JSON: `__type`, `message` and the header `x-amzn-errortype`.
    Json,
    /// AWS Query: `<ErrorResponse><Error>…`.
    Query,
    /// EC2 Query: `<Response><Errors><Error>…`.
    Ec2,
    /// REST XML without a wrapper, as S3 has it: `<Error>…`.
    Xml,
    /// Smithy RPC v2 CBOR: a map with `__type` and `message`.
    Cbor,
}

/// A service, by its names and by how it spells the errors that every operation may answer with.
#[derive(Debug)]
pub(super) struct Service {
    /// The SDK's name: `GuardDuty`.
    pub id: &'static str,
    /// The prefix of IAM actions, which is also the signing name: `guardduty`.
    pub prefix: &'static str,
    pub protocol: Protocol,
    /// Code and status of "slow down".
    pub throttled: (&'static str, u16),
    /// Code and status of "our fault, not yours".
    pub broken: (&'static str, u16),
}

impl Service {
    /// The code of a denied call (AWS common errors: `AccessDenied` in Query and S3, else
    /// `AccessDeniedException`; EC2 API Reference, "Error codes").
    pub fn denied(&self) -> &'static str {
        match self.protocol {
            Protocol::Json | Protocol::Cbor => "AccessDeniedException",
            Protocol::Query | Protocol::Xml => "AccessDenied",
            Protocol::Ec2 => "UnauthorizedOperation",
        }
    }
}

/// A service's answer that is not an output: HTTP status, error code, message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// What a handler works on: the world, who calls, where, and when.
pub(super) struct Call<'a> {
    pub state: &'a mut State,
    pub caller: &'a Caller,
    pub region: &'a str,
    pub now: Timestamp,
}

impl Call<'_> {
    /// The caller's account.
    pub fn account(&mut self) -> &mut Account {
        self.state.accounts.get_mut(&self.caller.account).expect("keys are issued for accounts of this world")
    }

    /// The caller's account in the region that the request was signed for.
    pub fn here(&mut self) -> &mut RegionState {
        let region = self.region;
        self.account().region(region)
    }

    /// An ARN of a regional resource in the caller's account.
    pub fn arn(&self, service: &str, resource: impl fmt::Display) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.caller.account)
    }
}

/// A typed input, kept across the attempts of one call.
pub(super) type Kept = Arc<dyn Any + Send + Sync>;
type Perform = Box<dyn Fn(&mut Call<'_>, &(dyn Any + Send + Sync)) -> Result<Output, Refusal> + Send + Sync>;

/// One operation of one service.
pub(super) struct Operation {
    pub service: &'static Service,
    pub name: &'static str,
    pub writes: bool,
    pub keep: fn(&Input) -> Option<Kept>,
    pub perform: Perform,
    /// The Debug text of an input and of an output, for the recording.
    pub describe_input: fn(&(dyn Any + Send + Sync)) -> String,
    pub describe_output: fn(&Output) -> String,
}

/// True for operations that change nothing, by the verbs that AWS uses for reading.
pub(super) fn reads(name: &str) -> bool {
    let verbs =
        ["Get", "List", "Describe", "BatchGet", "Head", "Check", "Lookup", "Sign", "Simulate", "Verify"];
    verbs.iter().any(|verb| name.starts_with(verb))
}

/// The operations of one service while the table is made.
pub(super) struct Operations {
    service: &'static Service,
    list: Vec<Operation>,
}

impl Operations {
    pub fn of(service: &'static Service) -> Self {
        Self { service, list: Vec::new() }
    }

    /// Answers the operation `name` with `handler`.
    pub fn on<I, O>(self, name: &'static str, handler: fn(&mut Call<'_>, &I) -> Result<O, Refusal>) -> Self
    where
        I: Clone + fmt::Debug + Send + Sync + 'static,
        O: fmt::Debug + Send + Sync + 'static,
    {
        self.on_kept(
            name,
            |input| input.downcast_ref::<I>().map(|input| Arc::new(input.clone()) as Kept),
            handler,
        )
    }

    /// The same for an input that is not `Clone` (a streaming body): `keep` copies what the handler reads.
    pub fn on_kept<I, O>(
        mut self,
        name: &'static str,
        keep: fn(&Input) -> Option<Kept>,
        handler: fn(&mut Call<'_>, &I) -> Result<O, Refusal>,
    ) -> Self
    where
        I: fmt::Debug + Send + Sync + 'static,
        O: fmt::Debug + Send + Sync + 'static,
    {
        self.list.push(Operation {
            service: self.service,
            name,
            writes: !reads(name) && name != "AssumeRole",
            keep,
            perform: Box::new(move |call, input| {
                let input = input.downcast_ref::<I>().expect("kept by this same operation");
                handler(call, input).map(Output::erase)
            }),
            describe_input: |input| input.downcast_ref::<I>().map(|i| format!("{i:?}")).unwrap_or_default(),
            describe_output: |output| {
                output.downcast_ref::<O>().map(|o| format!("{o:?}")).unwrap_or_default()
            },
        });
        self
    }
}

type Table = HashMap<&'static str, HashMap<&'static str, Operation>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    [
        super::sts::operations(),
        super::organizations::operations(),
        super::account::operations(),
        super::iam::operations(),
        super::guardduty::operations(),
        super::ec2::operations(),
        super::cloudtrail::operations(),
        super::logs::operations(),
        super::ecr::operations(),
        super::kms::operations(),
        super::s3::operations(),
        super::s3control::operations(),
        super::apigateway::operations(),
        super::apprunner::operations(),
        super::appsync::operations(),
        super::cloudwatch::operations(),
        super::cognito::operations(),
        super::config::operations(),
        super::elb::operations(),
        super::events::operations(),
        super::inspector::operations(),
        super::securityhub::operations(),
        super::sns::operations(),
        super::sqs::operations(),
        super::waf::operations(),
    ]
    .into_iter()
    .map(|Operations { service, list }| {
        (service.id, list.into_iter().map(|operation| (operation.name, operation)).collect())
    })
    .collect()
});

/// The operation that the SDK calls `name` of its service `id`.
pub(super) fn find(id: &str, name: &str) -> Option<&'static Operation> {
    TABLE.get(id)?.get(name)
}

/// A length that AWS counts in characters, within bounds given by the model.
pub(super) fn length_within(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.chars().count())
}

/// One page of `items`: those after `token`, at most `size`, and the token of the next page if there is one.
/// A token is the number of items already told; anything else is `None`, which services answer with an error.
pub(super) fn page<T: Clone>(
    items: &[T],
    token: Option<&str>,
    size: usize,
) -> Option<(Vec<T>, Option<String>)> {
    let from = match token {
        None => 0,
        Some(token) => token.strip_prefix("page-")?.parse::<usize>().ok()?,
    };
    let to = items.len().min(from.saturating_add(size));
    let next = (to < items.len()).then(|| format!("page-{to}"));
    Some((items.get(from..to)?.to_vec(), next))
}

/// A value of the SDK's that a handler completed; a field forgotten is this world's fault, not the caller's.
pub(super) fn complete<T, E: fmt::Display>(built: Result<T, E>) -> Result<T, Refusal> {
    built.map_err(|error| Refusal::new(500, "InternalFailure", error.to_string()))
}

/// A time as the SDK has it.
pub(super) fn date_time(at: Timestamp) -> aws_smithy_types::DateTime {
    aws_smithy_types::DateTime::from_nanos(at.as_nanosecond())
        .unwrap_or_else(|_| aws_smithy_types::DateTime::from_secs(at.as_second()))
}
