//! The live page of a thousand accounts.
//!
//! `cargo test --test it controller::wide -- --ignored --nocapture` prints the figures of `docs/performance.md`;
//! `BASELINE_ACCOUNTS` says how many accounts. Alone: memory is the process's.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "it prints the figures of the documentation, of as many accounts as the environment says"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use baseline::serve::{Served, app};
use tower::ServiceExt as _;

use super::live::{CONTROLS, by_jo};
use super::scale::{fast, resident};
use super::stage::{HOUR, MINUTE, id, is_on, pass, running, settings};
use crate::cli::shell::{Shell, organization};

/// An answer: how long until its first byte, and what it is.
struct Said {
    took: Duration,
    status: StatusCode,
    tag: String,
    text: String,
}

async fn get(app: &Router, path: &str, tag: &str) -> Said {
    let request = Request::builder().uri(path).header("host", "localhost").header("if-none-match", tag);
    let start = Instant::now();
    let answer =
        app.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("it never fails");
    let took = start.elapsed();
    let (status, tag) = (answer.status(), answer.headers().get("etag").cloned());
    let bytes = to_bytes(answer.into_body(), 1 << 28).await.expect("a body");
    let tag = tag.map_or(String::new(), |tag| tag.to_str().expect("ASCII").to_owned());
    Said { took, status, tag, text: String::from_utf8(bytes.to_vec()).expect("UTF-8") }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[tokio::test(start_paused = true)]
#[ignore = "`.ci/run page` runs it: it takes minutes"]
async fn a_thousand_accounts_are_one_page_that_is_quick() {
    let accounts: usize = std::env::var("BASELINE_ACCOUNTS").map_or(1000, |n| n.parse().expect("a number"));
    let shell = Shell::many(accounts + 1);
    let records = tempfile::Builder::new().tempdir_in(fast()).expect("a folder");
    let more = format!("  audit: {}\n  guards: {{accountsAtOnce: 100}}\n", records.path().display());
    shell.write("organization.yaml", organization("", &more));
    shell.write("baselines/detector.yaml", CONTROLS);
    for account in (4..accounts).step_by(7) {
        shell.world.account(&id(account), |account| account.iam.root.access_keys = true);
    }
    let mut settings = settings(&shell, true);
    settings.interval = HOUR;
    settings.poll = HOUR;
    let app = app(Arc::new(Served::new(Arc::clone(&settings.pulse), None)));
    running(&settings, async |_| {
        pass(30 * MINUTE).await;
        let before = resident();
        let first = get(&app, "/", "").await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text);
        let shown = (0..accounts).filter(|account| first.text.contains(&id(*account))).count();
        assert_eq!(shown, accounts, "accounts that the page has");
        let same = get(&app, "/", &first.tag).await;
        assert_eq!((same.status, same.text.len()), (StatusCode::NOT_MODIFIED, 0));

        // Written anew each time, because something is news.
        let mut written = Vec::new();
        for _ in 0..20 {
            pass(MINUTE).await;
            written.push(get(&app, "/", &first.tag).await.took);
        }
        written.sort();
        let (median, most) = (written[10], written[19]);
        let one = get(&app, &format!("/accounts/{}", id(4)), "").await;
        assert_eq!(one.status, StatusCode::OK);
        let metrics = get(&app, "/metrics", "").await;
        let after = resident();

        // Somebody switches GuardDuty off in one of them.
        let drifted = id(accounts / 2);
        let (switched, tag) = (tokio::time::Instant::now(), get(&app, "/", "").await.tag);
        by_jo(&shell.world, &drifted, false);
        shell.world.advance(20 * MINUTE);
        while !is_on(&shell.world, &drifted) {
            assert!(switched.elapsed() < HOUR + MINUTE, "it is looked at every hour");
            pass(Duration::from_secs(1)).await;
        }
        let put_right = tokio::time::Instant::now();
        let link = format!("accounts/{drifted}");
        let drift = |text: &str| text.split("drift").skip(1).any(|rest| rest.contains(&link));
        let mut page = get(&app, "/", &tag).await;
        while !(page.text.contains("put right at") && drift(&page.text)) {
            assert!(put_right.elapsed() < MINUTE, "it does not arrive");
            pass(Duration::from_secs(1)).await;
            page = get(&app, "/", &tag).await;
        }
        println!("accounts                 {accounts}, 4 controls, 1 region");
        println!("overview, first byte     {:.0} ms when it is written anew (median of 20, most {:.0}); {:.2} ms when it is not", ms(median), ms(most), ms(same.took));
        println!("overview, bytes          {} KiB", first.text.len() / 1024);
        println!("an account's page        {:.1} ms, {} KiB", ms(one.took), one.text.len() / 1024);
        println!("metrics                  {:.1} ms, {} KiB", ms(metrics.took), metrics.text.len() / 1024);
        println!("an update                on the page {} s after it was put right, of simulated time", put_right.elapsed().as_secs());
        if let (Some(before), Some(after)) = (before, after) {
            println!("memory                   {before} MiB before the page, {after} MiB after 22 of them (the sandbox's organisation included)");
            assert!(after <= before + 128, "{before} MiB grew to {after} MiB");
        }
        // A debug build on a machine that does other things: what is slower than this is broken.
        assert!(median < Duration::from_secs(5), "{median:?}");
        assert!(first.text.len() < accounts.max(100) * 8 * 1024, "{} bytes", first.text.len());
    })
    .await;
}
