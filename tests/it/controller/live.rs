//! The live page, for a browser to read: a controller and what it serves, on the organisation in memory, with a clock
//! that runs as everybody's does.

#![expect(clippy::disallowed_methods, reason = "a test of the whole program is told by its environment")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use baseline::controller::{Clock, Pulse, Settings};
use baseline::sandbox::cloudtrail::Told;
use baseline::sandbox::{Principal, World};
use baseline::serve::{Served, Token, app, serve};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc::channel;
use tokio_util::sync::CancellationToken;

use super::stage::{id, is_on, settings, switch};
use crate::cli::shell::{Shell, organization};

/// As many as `BASELINE_ACCOUNTS` says, or so many.
const ACCOUNTS: usize = 60;

pub const CONTROLS: &str = "\
apiVersion: baseline/v1
kind: Baseline
metadata: {name: detector}
spec:
  controls:
    guardduty.detector: {enabled: true}
    iam.password-policy: {minimumLength: 14}
    iam.root-user: {accessKeys: none}
    s3.account-public-access: {block: all}
";

const EXCEPTION: &str = "\
apiVersion: baseline/v1
kind: Exception
metadata: {name: old-root-key}
spec:
  control: iam.root-user
  accounts: [account-07]
  reason: the key goes with the data centre
  owner: payments
  approver: jo
  expires: 2999-12-31
";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("written");
}

/// jo switches GuardDuty off, or on, and CloudTrail tells so.
pub fn by_jo(world: &World, account: &str, enabled: bool) {
    switch(world, account, enabled);
    world.tell(Told {
        account: account.into(),
        region: "eu-west-1".into(),
        call: "guardduty:UpdateDetector".into(),
        principal: Principal::User("jo".into()),
        address: "192.0.2.66".into(),
        parameters: json!({"enable": enabled}),
        error: None,
    });
}

/// In `BASELINE_LIVE`, a folder: the addresses appear as `open` and `guarded`; `drift` makes somebody switch GuardDuty
/// off; `stop` ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "`.ci/run page` starts it beside a browser"]
async fn a_page_for_a_browser() {
    let Some(folder) = std::env::var_os("BASELINE_LIVE").map(PathBuf::from) else { return };
    let accounts = std::env::var("BASELINE_ACCOUNTS").map_or(ACCOUNTS, |n| n.parse().expect("a number"));
    let shell = Shell::many(accounts + 1);
    shell.write("organization.yaml", organization("", ""));
    shell.write("baselines/detector.yaml", CONTROLS);
    shell.write("exceptions/root.yaml", EXCEPTION);
    shell.edit("accounts/account-03.yaml", "name: account-03", "name: \"<b>evil\\u202e&\"");
    for account in (4..accounts).step_by(7) {
        shell.world.account(&id(account - 1), |account| account.iam.root.access_keys = true);
    }
    shell.world.account(&id(6), |account| account.iam.root.access_keys = true);
    let pulse = Arc::new(Pulse::new(Clock::System));
    let settings = Settings {
        clock: Clock::System,
        interval: Duration::from_secs(60),
        poll: Duration::from_secs(5),
        pulse: Arc::clone(&pulse),
        ..settings(&shell, true)
    };
    let stop = CancellationToken::new();
    for (name, token) in [("open", None), ("guarded", Some("0123456789abcdef0123456789abcdef"))] {
        let token = token.map(|token| Token::new(token).expect("a token"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let served = app(Arc::new(Served::new(Arc::clone(&pulse), token)));
        tokio::spawn(serve(listener, served, stop.clone()));
        write(&folder, name, &format!("http://{address}"));
    }
    let (orders, receiver) = channel(1);
    let acting = async {
        let mut is_told = false;
        while !folder.join("stop").exists() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if !is_told && folder.join("drift").exists() && is_on(&shell.world, &id(9)) {
                by_jo(&shell.world, &id(9), false);
                // CloudTrail shows a call some minutes after it.
                shell.world.advance(Duration::from_secs(1200));
                is_told = true;
            }
        }
        drop(orders);
    };
    let (ended, ()) = tokio::join!(baseline::controller::run(&settings, receiver), acting);
    ended.expect("it began");
    stop.cancel();
}
