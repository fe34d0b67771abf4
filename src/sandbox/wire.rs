//! The wire between an SDK client and the world.
//!
//! An interceptor keeps the typed input before the SDK serialises it and lays it beside the signed request.
//! The HTTP client is the network and AWS at its end: it finds out from the signature who calls and where,
//! lets the weather have its way, and answers. A refusal goes back as HTTP in the service's protocol; a typed
//! output goes back beside an empty reply, and the interceptor puts it in place of what the SDK read from it.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_cbor::Encoder;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
    FinalizerInterceptorContextMut, Output,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tokio::time::Instant;

use super::World;
use super::identity::{Caller, Principal, authorize};
use super::operation::{self, Call, Kept, Operation, Protocol, Refusal};
use super::signature::{self, Signature, authenticate};
use super::sqs;
use super::state::{DEFAULT_REGIONS, OPT_IN_REGIONS, State};
use super::weather::{Attempt, Trouble};

/// A call that the interceptor has seen: the operation and its input.
#[derive(Clone)]
struct Asked {
    operation: &'static Operation,
    input: Kept,
}

/// One attempt of it, and the output once there is one.
struct Exchange {
    asked: Asked,
    attempt: u32,
    output: Mutex<Option<Output>>,
}

#[derive(Clone)]
struct Pending(Arc<Exchange>);

macro_rules! opaque {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
        impl Storable for $name {
            type Storer = StoreReplace<Self>;
        }
    )*};
}
opaque!(Asked, Pending);

/// Carries typed inputs to the world and typed outputs back.
#[derive(Debug)]
pub(super) struct Typed;

impl Intercept for Typed {
    fn name(&self) -> &'static str {
        "Sandbox"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = config.load::<Metadata>().ok_or("the SDK names no operation")?;
        let (service, name) = (call.service(), call.name());
        let operation = operation::find(service, name)
            .ok_or_else(|| format!("the sandbox has no `{name}` of `{service}`"))?;
        let input = (operation.keep)(context.input())
            .ok_or_else(|| format!("the sandbox expects another input for `{name}` of `{service}`"))?;
        config.interceptor_state().store_put(Asked { operation, input });
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let asked = config.load::<Asked>().ok_or("nothing was asked")?.clone();
        let attempt = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        let pending = Pending(Arc::new(Exchange { asked, attempt, output: Mutex::new(None) }));
        context.request_mut().add_extension(pending.clone());
        config.interceptor_state().store_put(pending);
        Ok(())
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let output = config.load::<Pending>().and_then(|Pending(exchange)| take(&exchange.output));
        if let Some(output) = output {
            context.inner_mut().set_output_or_error(Ok(output));
        }
        Ok(())
    }
}

fn take(slot: &Mutex<Option<Output>>) -> Option<Output> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}

/// The network, and the world at its end.
#[derive(Clone, Debug)]
pub(super) struct Wire(pub World);

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let delay = self.0.locked().sky.delay();
        let asked = request.extension::<Pending>().map(|Pending(exchange)| &exchange.asked);
        let wait = asked.and_then(|asked| sqs::waits(asked.operation, &asked.input));
        if delay.is_zero() && wait.is_none() {
            return HttpConnectorFuture::ready(self.answer(&request));
        }
        let wire = self.clone();
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(delay).await;
            if let Some((queue, time)) = wait {
                wire.wait(&queue, time).await;
            }
            wire.answer(&request)
        })
    }
}

impl Wire {
    /// Waits until a queue has something to give, for so long at most.
    async fn wait(&self, queue: &str, time: Duration) {
        let until = Instant::now() + time;
        let moved = Arc::clone(&self.0.locked().queues_moved);
        loop {
            let mut moving = std::pin::pin!(moved.notified());
            // From here on: what comes between this look and the wait is not missed.
            moving.as_mut().enable();
            let opens = sqs::opens_in(&mut self.0.locked(), queue, self.0.now());
            let now = Instant::now();
            if opens == Some(Duration::ZERO) || now >= until {
                return;
            }
            let look_again = opens.map_or(until, |opens| until.min(now + opens));
            tokio::select! {
                () = tokio::time::sleep_until(look_again) => {}
                () = moving => {}
            }
        }
    }

    /// What comes back for one signed request.
    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let Pending(exchange) = request.extension::<Pending>().ok_or_else(|| {
            ConnectorError::user("the client has the sandbox's network and not its interceptor".into())
        })?;
        let now = self.0.now();
        let operation = exchange.asked.operation;
        let signature = Signature::of(request);
        let region = signature.region;
        if !region.is_empty() && !DEFAULT_REGIONS.contains(&region) && !OPT_IN_REGIONS.contains(&region) {
            return Err(ConnectorError::io(format!("no host answers for the region `{region}`").into()));
        }

        let mut guard = self.0.locked();
        let state = &mut *guard;
        if state.sky.stopped() {
            return Err(ConnectorError::other("the process was stopped here".into(), None));
        }
        let caller = state.keys.get(signature.access_key).cloned();
        let attempt = Attempt {
            service: operation.service.prefix,
            operation: operation.name,
            account: caller.as_deref().map_or("", |caller| &caller.account),
            session: caller.as_deref().map_or("", |caller| match &caller.principal {
                Principal::Session { session, .. } => session,
                Principal::Root | Principal::User(_) => "",
            }),
            region,
            number: exchange.attempt,
            writes: operation.writes,
        };
        let tally = state.tally.entry((operation.service.prefix, operation.name)).or_default();
        tally.asked += 1;

        let trouble = state.sky.trouble(&attempt);
        let answer = match trouble {
            Some(Trouble::TimedOut) => return Err(timed_out()),
            Some(Trouble::Cut) => return Err(ConnectorError::io("connection reset by peer".into())),
            Some(Trouble::ReplyLost) if !operation.writes => return Err(timed_out()),
            Some(Trouble::Throttled) => Err(throttled(operation)),
            Some(Trouble::ServerError) => Err(Refusal::new(
                operation.service.broken.1,
                operation.service.broken.0,
                "We encountered an internal error. Please try again.",
            )),
            Some(refused @ (Trouble::Denied | Trouble::DeniedByOrganization)) => {
                Err(denied(operation, caller.as_deref(), refused))
            }
            Some(Trouble::Skewed) => Err(signature::skewed(operation.service.protocol, now)),
            None | Some(Trouble::ReplyLost) if !state.sky.within_rates(&attempt, now) => {
                Err(throttled(operation))
            }
            None | Some(Trouble::ReplyLost) => {
                authenticate(state, operation, caller.as_deref(), &signature, now)
                    .and_then(|caller| perform(state, operation, caller, region, now, &exchange.asked.input))
            }
        };
        if operation.writes && answer.is_ok() {
            state.sky.wrote();
            if let Some(caller) = &caller {
                let agent = request.headers().get("user-agent").unwrap_or_default();
                if state.history.add(operation, &exchange.asked.input, caller, (region, now), agent) {
                    super::events::delivery::of_last_call(state, now);
                }
            }
            state.tally.entry((operation.service.prefix, operation.name)).or_default().landed += 1;
        }
        if let Some(recording) = &state.recording {
            let told = answer.as_ref().map(|output| (operation.describe_output)(output));
            recording.append(operation, &(operation.describe_input)(&*exchange.asked.input), told);
        }
        let request_id = state.uuid();
        drop(guard);

        if trouble == Some(Trouble::ReplyLost) {
            return Err(timed_out());
        }
        let response = match answer {
            Ok(output) => {
                *exchange.output.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(output);
                accepted(operation.service.protocol)
            }
            Err(refusal) => refused(operation, &refusal, &request_id),
        };
        Ok(with_request_id(response, operation.service.protocol, request_id))
    }
}

fn timed_out() -> ConnectorError {
    ConnectorError::timeout("no reply in time".into())
}

fn throttled(operation: &Operation) -> Refusal {
    let (code, status) = operation.service.throttled;
    Refusal::new(status, code, "Rate exceeded")
}

fn denied(operation: &Operation, caller: Option<&Caller>, by: Trouble) -> Refusal {
    let who = caller.map(Caller::arn).unwrap_or_default();
    let policy = match by {
        Trouble::DeniedByOrganization => "a service control policy",
        _ => "an identity-based policy",
    };
    Refusal::new(
        403,
        operation.service.denied(),
        format!(
            "User: {who} is not authorized to perform: {}:{} with an explicit deny in {policy}",
            operation.service.prefix, operation.name
        ),
    )
}

/// Lets the operation happen, if the caller may; a read may see the past.
fn perform(
    state: &mut State,
    operation: &'static Operation,
    caller: &Caller,
    region: &str,
    now: jiff::Timestamp,
    input: &Kept,
) -> Result<Output, Refusal> {
    authorize(state, caller, operation, region)?;
    let service = operation.service.prefix;
    let run = |state: &mut State| (operation.perform)(&mut Call { state, caller, region, now }, &**input);
    if operation.writes {
        let before = state.sky.lags(service).then(|| state.accounts.get(&caller.account).cloned());
        let answer = run(state)?;
        if let Some(account) = before.flatten() {
            state.sky.keep(account, service, now);
        }
        return Ok(answer);
    }
    let past = state.sky.stale(&caller.account, service, now).cloned();
    let Some(past) = past else { return run(state) };
    let present = state.accounts.insert(caller.account.clone(), past);
    let answer = run(state);
    if let Some(present) = present {
        state.accounts.insert(caller.account.clone(), present);
    }
    answer
}

/// An empty reply, as short as the protocol's reader takes.
fn accepted(protocol: Protocol) -> HttpResponse {
    let body = match protocol {
        Protocol::Json => SdkBody::from("{}"),
        Protocol::Cbor => {
            let mut body = Encoder::new(Vec::new());
            body.map(0);
            SdkBody::from(body.into_writer())
        }
        Protocol::Query | Protocol::Ec2 | Protocol::Xml => SdkBody::empty(),
    };
    HttpResponse::new(StatusCode::try_from(200).expect("200 is a status"), body)
}

/// A refusal as the service frames it. A reply to HEAD has no body, so S3's says nothing but its status.
fn refused(operation: &Operation, refusal: &Refusal, request_id: &str) -> HttpResponse {
    let status = StatusCode::try_from(refusal.status).expect("refusals carry HTTP statuses");
    let (code, message) = (refusal.code, &refusal.message);
    let text = escape(message);
    match operation.service.protocol {
        Protocol::Json => {
            let body = serde_json::json!({ "__type": code, "message": message });
            let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
            response.headers_mut().insert("x-amzn-errortype", code);
            response
        }
        Protocol::Cbor => {
            let mut body = Encoder::new(Vec::new());
            body.map(2).str("__type").str(code).str("message").str(message);
            HttpResponse::new(status, SdkBody::from(body.into_writer()))
        }
        Protocol::Query => HttpResponse::new(
            status,
            SdkBody::from(format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>\
                 <RequestId>{request_id}</RequestId></ErrorResponse>"
            )),
        ),
        Protocol::Ec2 => HttpResponse::new(
            status,
            SdkBody::from(format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors>\
                 <RequestID>{request_id}</RequestID></Response>"
            )),
        ),
        Protocol::Xml if operation.name.starts_with("Head") => HttpResponse::new(status, SdkBody::empty()),
        Protocol::Xml => HttpResponse::new(
            status,
            SdkBody::from(format!(
                "<Error><Code>{code}</Code><Message>{text}</Message><RequestId>{request_id}</RequestId></Error>"
            )),
        ),
    }
}

fn with_request_id(mut response: HttpResponse, protocol: Protocol, id: String) -> HttpResponse {
    let header = if protocol == Protocol::Xml { "x-amz-request-id" } else { "x-amzn-requestid" };
    response.headers_mut().insert(header, id);
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
