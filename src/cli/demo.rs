//! `baseline demo`: the whole story on an organisation in memory, with the same commands that a person types.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;

use super::args::{Args, Command, Demo};
use super::context::Reach;
use super::io::Io;
use super::{Stop, apply, drift, plan};
use crate::plan::Exit;
use crate::sandbox::cloudtrail::Told;
use crate::sandbox::iam::Mfa;
use crate::sandbox::sample::PROD_PAYMENTS;
use crate::sandbox::{Principal, World};

/// The sample organisation, as it lies in `desired-state/`.
const DOCUMENTS: &[(&str, &str)] = &[
    ("organization.yaml", include_str!("../../desired-state/organization.yaml")),
    ("baselines/recommended.yaml", include_str!("../../desired-state/baselines/recommended.yaml")),
    ("baselines/log-archive.yaml", include_str!("../../desired-state/baselines/log-archive.yaml")),
    ("baselines/regulated.yaml", include_str!("../../desired-state/baselines/regulated.yaml")),
    ("baselines/sandbox.yaml", include_str!("../../desired-state/baselines/sandbox.yaml")),
    ("baselines/web.yaml", include_str!("../../desired-state/baselines/web.yaml")),
    ("accounts/log-archive.yaml", include_str!("../../desired-state/accounts/log-archive.yaml")),
    ("accounts/management.yaml", include_str!("../../desired-state/accounts/management.yaml")),
    ("accounts/prod-payments.yaml", include_str!("../../desired-state/accounts/prod-payments.yaml")),
    ("accounts/security.yaml", include_str!("../../desired-state/accounts/security.yaml")),
    ("accounts/training-7.yaml", include_str!("../../desired-state/accounts/training-7.yaml")),
    ("exceptions/legacy-images.yaml", include_str!("../../desired-state/exceptions/legacy-images.yaml")),
];

const PLAN: &str = "baseline plan --detailed-exitcode";

pub(super) async fn run(args: &Demo, io: &mut Io) -> Result<Exit, Stop> {
    let temporary = tempfile::tempdir().map_err(Stop::failed)?;
    let dir = args.keep.clone().unwrap_or_else(|| temporary.path().join("desired-state"));
    write(&dir).map_err(Stop::failed)?;
    let world = World::acme();
    let story = Story { world: world.clone(), dir };

    say(io, "Five accounts, three regions, in memory. What is wrong with them?");
    expect(story.types(PLAN, io).await?, Exit::Differs)?;

    say(io, "Put it right. Only the word yes goes on.");
    io.answering("yes\n");
    expect(story.types("baseline apply", io).await?, Exit::Done)?;

    say(io, "Two tasks are for a person: Jo deletes the root key and sets up an MFA device.");
    world.account(PROD_PAYMENTS, |account| {
        account.iam.root.access_keys = false;
        account.iam.root.mfa = Mfa::Hardware;
    });
    expect(story.types(PLAN, io).await?, Exit::Done)?;

    say(io, "It holds. Then somebody stops the trail of prod-payments. Who?");
    stop_the_trail(&world);
    expect(story.types("baseline drift", io).await?, Exit::Differs)?;
    expect(story.types(PLAN, io).await?, Exit::Differs)?;

    say(io, "That is drift, and nothing else is. Put it right.");
    expect(story.types("baseline apply --auto-approve", io).await?, Exit::Done)?;
    expect(story.types(PLAN, io).await?, Exit::Done)?;
    if args.keep.is_some() {
        io.err(&format!("\nThe documents and the audit records are in {}.\n", story.dir.display()));
    }
    Ok(Exit::Done)
}

/// As somebody does in the console; CloudTrail shows it after some minutes.
fn stop_the_trail(world: &World) {
    world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        region.cloudtrail.change("payments", |trail| trail.logging = false);
    });
    world.tell(Told {
        account: PROD_PAYMENTS.to_owned(),
        region: "eu-west-1".to_owned(),
        call: "cloudtrail:StopLogging".to_owned(),
        principal: Principal::Session { role: "admin".to_owned(), session: "kim@acme.example".to_owned() },
        address: "198.51.100.23".to_owned(),
        parameters: serde_json::json!({
            "name": format!("arn:aws:cloudtrail:eu-west-1:{PROD_PAYMENTS}:trail/payments"),
        }),
        error: None,
    });
    world.advance(Duration::from_secs(1200));
}

struct Story {
    world: World,
    dir: PathBuf,
}

impl Story {
    /// What a person would type, with the folder of the story.
    async fn types(&self, command: &str, io: &mut Io) -> Result<Exit, Stop> {
        io.out(&format!("\n$ {command}\n\n"));
        let dir = self.dir.as_os_str().to_owned();
        let words = command.split(' ').map(OsString::from).chain(["-f".into(), dir]);
        let reach = Reach::Sandbox(self.world.clone());
        match Args::try_parse_from(words).map_err(Stop::failed)?.command {
            Command::Plan(args) => Box::pin(plan::run(&args, io, reach)).await,
            Command::Apply(args) => Box::pin(apply::run(&args, io, reach)).await,
            Command::Drift(args) => Box::pin(drift::run(&args, io, reach)).await,
            other => Err(Stop::failed(anyhow::anyhow!("the demo does not play {other:?}"))),
        }
    }
}

fn say(io: &mut Io, text: &str) {
    io.out(&format!("\n# {text}\n"));
}

/// A demo whose story goes another way is a defect, and exits as one.
fn expect(exit: Exit, wanted: Exit) -> Result<(), Stop> {
    if exit == wanted {
        return Ok(());
    }
    let (exit, wanted) = (exit.code(), wanted.code());
    Err(Stop::failed(anyhow::anyhow!("the demo expected exit code {wanted} here, and it was {exit}")))
}

fn write(dir: &Path) -> std::io::Result<()> {
    for (name, text) in DOCUMENTS {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}
