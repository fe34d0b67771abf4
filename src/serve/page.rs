//! The pages for people. Each is written anew only where something is news, and told to be the same where it is.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use super::guard::told;
use super::{Served, view};
use crate::audit::AuditError;
use crate::controller::condition::AccountConditions;
use crate::controller::index::Entry;
use crate::controller::look::Look;
use crate::controller::pulse::Seen;
use crate::controller::{Current, TARGET, chain};
use crate::controls::CONTROLS;
use crate::desired::Exception;
use crate::digest;
use crate::place::AccountId;
use crate::report::html::live::{self, Account, AccountPage, Fleet};

/// How many drifts the page of all accounts has.
const DRIFTS: usize = 100;

/// The page of all accounts as it was last written.
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<Option<Written>>);

#[derive(Clone, Debug)]
struct Written {
    /// The version of what is known, and the minute: what is overdue becomes so by itself.
    of: (u64, i64),
    page: Page,
}

/// A page and its tag.
#[derive(Clone, Debug)]
struct Page {
    text: Bytes,
    tag: String,
}

impl Page {
    fn new(text: String) -> Self {
        let digest = digest::hex(&Sha256::digest(text.as_bytes())[..16]);
        Self { text: text.into(), tag: format!("\"{digest}\"") }
    }

    /// The page, or that it is the one that the reader has.
    fn answer(self, headers: &HeaderMap) -> Response {
        let has = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
        let is_same = has.split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.tag);
        let mut answer = match is_same {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => html(StatusCode::OK, self.text),
        };
        if let Ok(tag) = HeaderValue::try_from(self.tag) {
            answer.headers_mut().insert(header::ETAG, tag);
        }
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        answer
    }
}

pub(super) fn html(status: StatusCode, text: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text.into()).into_response()
}

fn says(status: StatusCode, title: &str, text: &str) -> Response {
    html(status, live::message(title, text))
}

pub(super) async fn nothing(uri: Uri) -> Response {
    match uri.path() {
        // Browsers ask for it unasked.
        "/favicon.ico" => told(StatusCode::NOT_FOUND, "there is none"),
        _ => says(StatusCode::NOT_FOUND, "There is no such page", "The address leads nowhere."),
    }
}

fn not_yet() -> Response {
    let text = "The controller has not loaded a desired state yet. Its log says why, if this lasts.";
    says(StatusCode::SERVICE_UNAVAILABLE, "Not yet", text)
}

/// All accounts.
pub(super) async fn fleet(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    served.pulse.reads();
    let seen = served.pulse.seen();
    let Some(current) = seen.current.clone() else { return not_yet() };
    let of = (seen.version, seen.now.as_second().div_euclid(60));
    let kept = served.pages.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(written) = kept.filter(|written| written.of == of) {
        return written.page.answer(&headers);
    }
    // A thousand accounts take a while to be written, and nobody else is to wait for it.
    let written = tokio::task::spawn_blocking(move || Page::new(write_fleet(&seen, &current))).await;
    let Ok(page) = written else {
        return told(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be written");
    };
    let kept = Written { of, page: page.clone() };
    *served.pages.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    page.answer(&headers)
}

fn write_fleet(seen: &Seen, current: &Current) -> String {
    let desired = &current.desired;
    let entries = view::entries(seen);
    let known = || entries.iter().filter_map(|(_, entry)| *entry);
    let mut drift: Vec<_> = entries
        .iter()
        .flat_map(|(account, entry)| {
            entry.iter().flat_map(|entry| &entry.drift).map(|one| view::drift(&account.id, one))
        })
        .collect();
    drift.sort_by(|a, b| b.found.cmp(&a.found).then_with(|| a.account.cmp(b.account)));
    drift.truncate(DRIFTS);
    let short = current.short();
    live::fleet(&Fleet {
        controller: view::controller(seen, current, &short),
        accounts: entries
            .iter()
            .map(|(account, entry)| Account {
                id: &account.id,
                name: &account.name,
                controls: entry.filter(|entry| entry.last_look.is_some()).map(|entry| &entry.controls),
                trouble: view::trouble(seen, *entry),
            })
            .collect(),
        totals: view::totals(known()),
        drift,
        exceptions: &desired.exceptions,
        attestations: &desired.attestations,
        today: seen.now.to_zoned_datetime(TimeZone::UTC).date(),
        known_controls: CONTROLS,
    })
}

/// One account: its conditions and what is open, from where they are kept.
pub(super) async fn account(
    State(served): State<Arc<Served>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    served.pulse.reads();
    let seen = served.pulse.seen();
    let Some(current) = seen.current.clone() else { return not_yet() };
    let account = id.parse::<AccountId>().ok().filter(|id| current.desired.account(id).is_some());
    let Some(id) = account else {
        let text = "The desired state has no account of this id.";
        return says(StatusCode::NOT_FOUND, "There is no such account", text);
    };
    match kept(&current, &id).await {
        Ok((conditions, look)) => {
            Page::new(write_account(&seen, &current, &id, &conditions, look.as_ref())).answer(&headers)
        }
        Err(error) => {
            let error = chain(&error);
            tracing::warn!(target: TARGET, account = id.as_str(), error, "the page of an account cannot be read");
            let text = "The records cannot be reached. The controller's log says why.";
            says(StatusCode::SERVICE_UNAVAILABLE, "Not known", text)
        }
    }
}

/// Two objects, whatever the number of accounts.
async fn kept(current: &Current, id: &AccountId) -> Result<(AccountConditions, Option<Look>), AuditError> {
    let (conditions, _) = current.audit.conditions::<AccountConditions>(id.as_str()).await?;
    let look = current.audit.look::<Look>(id).await?;
    Ok((conditions.unwrap_or_else(|| AccountConditions::unseen(id.clone(), "")), look))
}

fn write_account(
    seen: &Seen,
    current: &Current,
    id: &AccountId,
    conditions: &AccountConditions,
    look: Option<&Look>,
) -> String {
    let desired = &current.desired;
    let account = desired.account(id);
    let name = account.map_or(id.as_str(), |account| &account.name);
    let is_meant = |one: &&Exception| account.is_some_and(|account| one.means(account));
    let entry = Entry::of(conditions);
    let short = current.short();
    let mut drift: Vec<_> = conditions.drift.iter().map(|one| view::drift(id, one)).collect();
    drift.reverse();
    // What others have seen later is in the index before it is read here.
    let last = conditions.last_look.zip(conditions.last_run.as_deref());
    live::account(&AccountPage {
        controller: view::controller(seen, current, &short),
        id,
        name,
        last_look: last,
        trouble: view::trouble(seen, seen.index.get(id).or(Some(&entry))),
        totals: view::totals(std::iter::once(&entry)),
        conditions: view::conditions(conditions),
        open: look.filter(|look| !look.plan.items.is_empty()).map(|look| (&look.plan, look.at)),
        drift,
        exceptions: desired.exceptions.iter().filter(is_meant).cloned().collect(),
        attestations: desired.attestations.iter().filter(|one| one.means(id, name)).cloned().collect(),
        today: seen.now.to_zoned_datetime(TimeZone::UTC).date(),
        known_controls: CONTROLS,
    })
}
