//! Plans and reports as a page: one file, nothing beside it, whatever stands in it.
//!
//! With `BASELINE_PAGES`, a folder, the pages are left there for a browser: `.ci/run page`.

use std::path::Path;

use baseline::report::html::source;
use baseline::sandbox::World;
use baseline::sandbox::ecr::Repository;
use baseline::sandbox::sample::PROD_PAYMENTS;

use super::shell::{Ran, Shell, organization};

/// Names that would be markup, or would not be seen, if anybody forgot to escape them.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "evil\u{202e}txt",
    "zero\u{200b}width",
    "&lt;b&gt;",
];

/// Leaves the page for the browser.
#[expect(clippy::disallowed_methods, reason = "a test of the whole program is told by its environment")]
fn keep(name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("BASELINE_PAGES") {
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(Path::new(&folder).join(name), page).expect("written");
    }
}

/// What is between two texts.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, after) = page.split_once(from).unwrap_or_else(|| panic!("no {from}"));
    after.split_once(to).unwrap_or_else(|| panic!("no {to}")).0
}

/// One document that loads nothing, whose policy lets its own style and script run and nothing else.
#[track_caller]
fn sound(ran: Ran) -> Ran {
    let page = &ran.out;
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"), "{page:.200}");
    assert!(page.ends_with("</body>\n</html>\n"));
    let policy = between(page, "Content-Security-Policy\" content=\"", "\">");
    for (tag, kind) in [("style", "style-src"), ("script", "script-src")] {
        let text = between(page, &format!("<{tag}>"), &format!("</{tag}>"));
        assert!(policy.contains(&format!("{kind} &#39;{}&#39;", source(text))), "{policy}");
        assert_eq!(page.matches(&format!("<{tag}")).count(), 1);
    }
    assert!(policy.starts_with("default-src &#39;none&#39;; "), "{policy}");
    for loading in
        [" src=\"", " style=\"", " onclick=\"", " onerror=\"", "<link", "<iframe", "url(", "@import"]
    {
        assert!(!page.contains(loading), "{loading}");
    }
    ran
}

#[test]
fn a_plan_is_a_page_and_a_saved_one_is_the_same_page() {
    let shell = Shell::acme();
    let page = sound(shell.run("plan --out @plan.json --format html").exits(0));
    keep("acme.html", &page.out);
    for text in ["prod-payments", "guardduty.detector", "by hand", "in sync", "minimumLength"] {
        assert!(page.out.contains(text), "{text}");
    }
    let shown = sound(shell.run("show @plan.json --format html").exits(0));
    let from = |page: &str| page.split_once("<main").expect("a main part").1.to_owned();
    assert_eq!(from(&shown.out), from(&page.out));
}

#[test]
fn a_report_tells_what_was_changed_by_whom_and_what_was_signed_for() {
    let shell = Shell::acme();
    let before = sound(shell.run("report"));
    assert!(before.out.contains("Nothing was ever changed from here"), "{}", before.out);
    assert!(!shell.dir().join(".audit").exists(), "a report leaves nothing behind");

    shell.run("apply --auto-approve").exits(0);
    shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        region.cloudtrail.change("payments", |trail| trail.logging = false);
    });
    let ran = shell.run("report --out @report.html").exits(0).says("only its owner can read it");
    assert_eq!(ran.out, "");
    let path = shell.path("report.html");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).expect("written").permissions().mode() & 0o777, 0o600);
    }
    let page = std::fs::read_to_string(path).expect("read");
    keep("report.html", &page);
    sound(shell.run("report").exits(0));
    let history = between(&page, "id=\"history\"", "</section>");
    for text in ["made and seen to hold", "user/jo", "minimumLength", "8", "14"] {
        assert!(history.contains(text), "{text} is not in {history}");
    }
    let signed = between(&page, "id=\"signed\"", "</section>");
    for text in ["legacy-images", "2027-03-31", "finding"] {
        assert!(signed.contains(text), "{text} is not in {signed}");
    }
    let changes = between(&page, "id=\"changes\"", "</section>");
    assert!(changes.contains("cloudtrail.trail"), "{changes}");
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_is_not_an_empty_one() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    let runs = shell.dir().join(".audit/runs");
    let run = std::fs::read_dir(&runs).expect("listed").next().expect("a run").expect("a run").path();
    std::fs::write(run.join("intent.json"), "{").expect("written");
    let page = sound(shell.run("report"));
    assert!(page.out.contains("its record cannot be read"), "{}", page.out);

    std::fs::remove_file(run.join("intent.json")).expect("removed");
    std::fs::create_dir(run.join("intent.json")).expect("a folder in its place");
    let page = shell.run("report").exits(4).says("cannot be read");
    assert!(page.out.contains("What was changed before is not known"), "{}", page.out);
}

#[test]
fn what_is_hostile_is_text() {
    let shell = Shell::acme();
    // ECR takes no such names: what is tried is that nothing depends on that.
    shell.world.stop_recording();
    shell.edit("organization.yaml", "\n  tags:   ", "\n  accounts: {discover: true}\n  tags:   ");
    let now = shell.world.now();
    for (place, name) in HOSTILE.into_iter().enumerate() {
        shell.world.join(&format!("22223333444{place}"), name, "r-acme", &[], now);
        shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
            region.ecr.repositories.insert(name.to_owned(), Repository::with_defaults(now));
        });
    }
    let page = sound(shell.run("report"));
    keep("hostile.html", &page.out);
    for steering in ["\u{202e}", "\u{200b}", "<img", "alert(1)</script>", "' onmouse"] {
        assert!(!page.out.contains(steering), "{steering:?}");
    }
    for visible in ["&lt;script&gt;alert(1)", "evil\\u{202e}txt", "zero\\u{200b}width", "&amp;lt;b&amp;gt;"] {
        assert!(page.out.contains(visible), "{visible}");
    }
}

#[test]
fn a_thousand_accounts_are_a_small_page() {
    const ACCOUNTS: usize = 1000;
    let shell = Shell::new(World::many(ACCOUNTS + 1));
    shell.write("organization.yaml", organization("", ""));
    shell.write("baselines/detector.yaml", CONTROLS);
    for index in 1..=ACCOUNTS {
        let id = 100_000_000_000 + index as u64 - 1;
        shell.account(&format!("account-{index:04}"), &id.to_string());
        if index % 7 == 0 {
            shell.world.account(&id.to_string(), |account| account.iam.root.access_keys = true);
        }
    }
    let page = sound(shell.run("plan --format html").exits(0));
    keep("many.html", &page.out);
    assert!(page.out.len() < 400_000, "{} bytes", page.out.len());
    assert!(page.out.contains("account-1000"));
}

/// Some controls that need nothing beside the account.
const CONTROLS: &str = "\
apiVersion: baseline/v1
kind: Baseline
metadata: {name: detector}
spec:
  controls:
    guardduty.detector: {enabled: true}
    iam.password-policy: {minimumLength: 14}
    iam.root-user: {accessKeys: none}
    s3.account-public-access: {block: all}
    ec2.account-defaults: {ebsEncryption: true}
";
