//! What every request passes: who may read, what may be asked, and what every answer carries.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::token::{COOKIE, SIGNED_IN_FOR};
use super::{Served, page};
use crate::controller::TARGET;
use crate::report::html::live;

/// An answer that takes longer is given up.
const LONGEST: Duration = Duration::from_secs(15);

/// How long somebody waits who gave a wrong token: guessing is slow.
const WRONG_TAKES: Duration = Duration::from_millis(500);

/// The longest address, and the longest headers together.
const LONGEST_ADDRESS: usize = 1024;
const LONGEST_HEADERS: usize = 16 * 1024;

/// Probes say nothing of any account, and whoever probes has no token.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

pub(super) async fn guard(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    let mut answer = match refused(&served, &request) {
        Some(refused) => refused,
        None => match tokio::time::timeout(LONGEST, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => told(StatusCode::SERVICE_UNAVAILABLE, "it takes too long"),
        },
    };
    let headers = answer.headers_mut();
    let policy = HeaderValue::try_from(live::policy());
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy.unwrap_or(HeaderValue::from_static("default-src 'none'"))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ] {
        headers.insert(name, value);
    }
    // Account data stays in no cache; a page that is the same is told so by its tag.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

/// Why a request gets no answer.
fn refused(served: &Served, request: &Request) -> Option<Response> {
    let (path, headers) = (request.uri().path(), request.headers());
    if request.uri().to_string().len() > LONGEST_ADDRESS {
        return Some(told(StatusCode::URI_TOO_LONG, "the address is too long"));
    }
    if headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > LONGEST_HEADERS
    {
        return Some(told(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too long"));
    }
    let signs_in = path == "/login" && served.token.is_some();
    let may = if signs_in { "POST" } else { "GET, HEAD" };
    let is_meant = match signs_in {
        true => request.method() == Method::POST,
        false => matches!(*request.method(), Method::GET | Method::HEAD),
    };
    if signs_in && !is_meant {
        // Who reloads the page after signing in asks for it.
        return Some(to_the_page(None));
    }
    if !is_meant {
        let mut answer = told(StatusCode::METHOD_NOT_ALLOWED, "this can only be read");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(may));
        return Some(answer);
    }
    if PROBES.contains(&path) {
        return None;
    }
    match &served.token {
        None if !is_of_this_machine(headers) => Some(told(
            StatusCode::MISDIRECTED_REQUEST,
            "this listens on the loopback interface, and answers to `localhost`, `127.0.0.1` and `[::1]` only",
        )),
        None => None,
        Some(_) if signs_in => None,
        Some(token) => {
            let knows = bearer(headers).is_some_and(|given| token.is(given))
                || cookies(headers).any(|cookie| token.takes(cookie, Timestamp::now()));
            if knows { None } else { Some(who_are_you(headers, false)) }
        }
    }
}

/// Does `Host` name this machine, as it names itself?
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let said = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = said.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    all.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

/// A form for whoever reads pages, a line for programs.
fn who_are_you(headers: &HeaderMap, failed: bool) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let mut answer = match accepts.contains("text/html") {
        true => page::html(StatusCode::UNAUTHORIZED, live::login(failed)),
        false => told(StatusCode::UNAUTHORIZED, "say `Authorization: Bearer TOKEN`"),
    };
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// Takes the token from the form, and gives a cookie for it.
pub(super) async fn login(State(served): State<Arc<Served>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(token) = &served.token else {
        return told(StatusCode::NOT_FOUND, "there is no token here");
    };
    if !field(&body, "token").is_some_and(|given| token.is(given.trim())) {
        tracing::warn!(target: TARGET, "somebody signed in with a wrong token");
        tokio::time::sleep(WRONG_TAKES).await;
        let mut asks_again = headers;
        asks_again.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        return who_are_you(&asks_again, true);
    }
    let now = Timestamp::now();
    let until = crate::controller::schedule::after(now, SIGNED_IN_FOR);
    // Where something in front of it speaks TLS, the cookie is for TLS only.
    let is_tls = headers.get("x-forwarded-proto").is_some_and(|said| said.as_bytes() == b"https");
    let secure = if is_tls { "; Secure" } else { "" };
    let (seconds, value) = (SIGNED_IN_FOR.as_secs(), token.cookie(until));
    to_the_page(Some(&format!(
        "{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}"
    )))
}

fn to_the_page(cookie: Option<&str>) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

/// A field of `application/x-www-form-urlencoded`.
fn field(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, value) =
        text.split('&').filter_map(|pair| pair.split_once('=')).find(|(named, _)| *named == name)?;
    let value = value.replace('+', " ");
    percent_decode_str(&value).decode_utf8().ok().map(|value| value.into_owned())
}

/// One line of text.
pub(super) fn told(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}
