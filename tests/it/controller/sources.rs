//! Where the desired state comes from, and what happens when it is wrong.

use std::path::Path;
use std::process::Command;

use baseline::controller::NotTaken;
use baseline::controller::condition::{Status, Type};
use baseline::controller::source::Source;
use baseline::sandbox::s3::{Bucket, Stored};
use baseline::sandbox::sample::MANAGEMENT;

use super::stage::{
    HOUR, MINUTE, condition, conditions, desired_state, id, is_on, is_synced, pass, read, running, settings,
    switch, tried,
};
use crate::cli::shell::{Shell, organization};

#[tokio::test(start_paused = true)]
async fn wrong_documents_are_told_and_the_last_good_ones_go_on() {
    let shell = Shell::many(3);
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        let good = desired_state(&shell).taken;
        shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
        switch(&shell.world, &id(0), false);
        pass(2 * HOUR).await;
        let state = desired_state(&shell);
        let synced = &state.conditions[0];
        assert_eq!(
            (synced.kind, synced.status, synced.reason.as_str()),
            (Type::Synced, Status::False, "Invalid")
        );
        assert!(
            synced.message.contains("unknown field `enabld`") && synced.message.contains("detector.yaml:6:"),
            "{synced:?}"
        );
        assert_eq!(state.taken, good);
        assert!(is_on(&shell.world, &id(0)), "the last good one goes on");
        assert_eq!(conditions(&shell, &id(0)).observed, Some(good));
        // Mended: with something new in it, so that it can be told from the old one.
        shell.edit("baselines/detector.yaml", "enabld: true", "enabled: true, frequency: ONE_HOUR");
        pass(5 * MINUTE).await;
        let state = desired_state(&shell);
        assert_eq!(state.conditions[0].status, Status::True);
        assert_eq!(conditions(&shell, &id(0)).observed, Some(state.taken), "and applied");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn documents_that_go_back_to_what_is_kept_are_right_again() {
    let shell = Shell::many(3);
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
        pass(5 * MINUTE).await;
        assert_eq!(desired_state(&shell).conditions[0].status, Status::False);
        shell.edit("baselines/detector.yaml", "enabld: true", "enabled: true");
        pass(5 * MINUTE).await;
        assert_eq!(desired_state(&shell).conditions[0].status, Status::True);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_vanishes_is_told_and_nothing_stops() {
    let shell = Shell::many(3);
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        let (dir, away) = (shell.dir(), shell.path("away"));
        std::fs::rename(&dir, &away).expect("moved");
        std::fs::create_dir_all(&dir).expect("made");
        std::fs::rename(away.join(".audit"), dir.join(".audit")).expect("moved");
        switch(&shell.world, &id(0), false);
        pass(2 * HOUR).await;
        assert!(is_on(&shell.world, &id(0)));
        assert_eq!(desired_state(&shell).conditions[0].status, Status::False);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_does_not_begin_with_wrong_documents() {
    let shell = Shell::many(3);
    shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
    let ended = tried(&settings(&shell, true), async |_| pass(MINUTE).await).await;
    match ended {
        Err(NotTaken::Documents { all, .. }) => assert!(all.contains("did you mean `enabled`?"), "{all}"),
        other => panic!("{other:?}"),
    }
    assert!(shell.world.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn accounts_that_join_the_organisation_are_looked_after_and_those_that_leave_are_not() {
    let shell = Shell::many(3);
    shell.write("organization.yaml", organization("", "  accounts: {discover: true}\n"));
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        let now = shell.world.now();
        shell.world.join("500000000000", "late", "ou-acme-workload", &[], now);
        pass(HOUR + 5 * MINUTE).await;
        assert!(is_on(&shell.world, "500000000000"));
        shell.world.suspend("500000000000");
        switch(&shell.world, "500000000000", false);
        pass(3 * HOUR).await;
        assert!(!is_on(&shell.world, "500000000000"));
        let kept = conditions(&shell, "500000000000");
        assert_eq!(kept.condition(Type::Synced).map(|synced| synced.reason.as_str()), Some("NotTried"));
    })
    .await;
}

fn git(dir: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=jo", "-c", "user.email=jo@acme.example", "-c", "commit.gpgsign=false"];
    let done =
        Command::new("git").arg("-C").arg(dir).args(identity).args(arguments).output().expect("git runs");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(start_paused = true)]
async fn a_repository_is_fetched_and_followed() {
    let shell = Shell::many(3);
    let audit = shell.path("audit");
    shell.write("organization.yaml", organization("", &format!("  audit: {}\n", audit.display())));
    shell.git(&["init", "--quiet", "--initial-branch", "main"]);
    let first = shell.commit();
    let mut settings = settings(&shell, true);
    let source: Source =
        format!("git+file://{}?ref=main", shell.dir().display()).parse().expect("well formed");
    settings.source = source.working_in(&shell.path("work"));
    running(&settings, async |_| {
        pass(10 * MINUTE).await;
        let kept = |account: &str| -> baseline::controller::condition::AccountConditions {
            read(&audit.join("conditions").join(format!("{account}.json")))
        };
        let observed = kept(&id(0)).observed.expect("looked at");
        assert_eq!(observed.revision.as_deref(), Some(first.as_str()));
        // Not committed: not followed.
        shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
        pass(5 * MINUTE).await;
        assert_eq!(kept(&id(0)).observed, Some(observed));
        let second = shell.commit();
        pass(5 * MINUTE).await;
        assert_eq!(kept(&id(0)).observed.expect("looked at").revision, Some(second.clone()));
        assert!(is_synced(&kept(&id(0))));
        // A branch that is wrong, and one that was rewritten: what was applied later is not overwritten.
        shell.edit("baselines/detector.yaml", "ONE_HOUR", "NEVER");
        shell.commit();
        pass(5 * MINUTE).await;
        assert_eq!(kept(&id(0)).observed.expect("looked at").revision, Some(second));
        git(&shell.dir(), &["reset", "--quiet", "--hard", &first]);
        shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: SIX_HOURS");
        shell.commit();
        pass(5 * MINUTE).await;
        let stalled = kept(&id(0)).condition(Type::Stalled).cloned().expect("told");
        assert_eq!(stalled.reason, "NewerDesiredState");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_cannot_be_fetched_is_told_by_its_url() {
    let shell = Shell::many(3);
    let mut settings = settings(&shell, true);
    let source: Source = "git+file:///nowhere/at-all.git".parse().expect("well formed");
    settings.source = source.working_in(&shell.path("work"));
    let error = tried(&settings, async |_| pass(MINUTE).await).await.expect_err("nothing to begin with");
    let cause = std::error::Error::source(&error).expect("why").to_string();
    assert!(cause.starts_with("git cannot fetch file:///nowhere/at-all.git: "), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn what_is_fetched_cannot_hold_the_records() {
    let shell = Shell::many(3);
    shell.git(&["init", "--quiet", "--initial-branch", "main"]);
    shell.commit();
    let mut settings = settings(&shell, true);
    let source: Source = format!("git+file://{}", shell.dir().display()).parse().expect("well formed");
    settings.source = source.working_in(&shell.path("work"));
    let error = tried(&settings, async |_| pass(MINUTE).await).await.expect_err("no place for records");
    assert!(error.to_string().contains("write `audit: s3://…` or an absolute folder"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_read_as_a_whole_and_only_from_its_owner() {
    let shell = Shell::many(3);
    let mut bucket = Bucket::new(MANAGEMENT, "eu-west-1");
    let files = ["organization.yaml", "baselines/detector.yaml", "accounts/account-01.yaml"];
    for file in files {
        let text = match file {
            "organization.yaml" => organization("", "  audit: s3://acme-desired/records\n").into_bytes(),
            other => std::fs::read(shell.dir().join(other)).expect("read"),
        };
        bucket.objects.insert(format!("aws/{file}"), Stored::new(text, shell.world.now()));
    }
    shell.world.put_bucket("acme-desired", bucket);
    let mut settings = settings(&shell, true);
    settings.source = "s3://acme-desired/aws?region=eu-west-1".parse().expect("well formed");
    let object = |key: &str| {
        let found =
            shell.world.bucket("acme-desired", |bucket| bucket.objects.get(key).cloned()).expect("a bucket");
        found.map(|stored| String::from_utf8(stored.bytes).expect("text"))
    };
    running(&settings, async |_| {
        pass(10 * MINUTE).await;
        assert!(is_on(&shell.world, &id(0)));
        let kept = object("records/conditions/100000000000.json").expect("kept in the bucket");
        let kept: baseline::controller::condition::AccountConditions =
            serde_json::from_str(&kept).expect("read");
        assert_eq!(condition(&kept, "guardduty.detector", Type::Synced).status, Status::True);
        let changed = std::fs::read_to_string(shell.dir().join("baselines/detector.yaml")).expect("read");
        let changed = changed.replace("enabled: true", "enabled: true, frequency: ONE_HOUR");
        let now = shell.world.now();
        shell.world.bucket("acme-desired", |bucket| {
            bucket
                .objects
                .insert("aws/baselines/detector.yaml".into(), Stored::new(changed.into_bytes(), now))
        });
        pass(5 * MINUTE).await;
        let frequency = shell.world.region(&id(0), "eu-west-1", |region| {
            region.guardduty.detector.as_ref().expect("there").frequency.as_str().to_owned()
        });
        assert_eq!(frequency, "ONE_HOUR");
    })
    .await;
    // A stranger's bucket of that name decides nothing.
    shell.world.bucket("acme-desired", |bucket| bucket.owner = "100000000001".into());
    let error = tried(&settings, async |_| pass(MINUTE).await).await.expect_err("not ours");
    assert!(error.to_string().contains("cannot be read"), "{error}");
}
