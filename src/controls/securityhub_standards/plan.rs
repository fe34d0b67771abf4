//! Declared beside live.

use serde_json::Value;

use super::live::{Live, Subscription};
use super::write::Write;
use crate::control::{
    Change, Direction, Facts, Field, Known, ManualTask, Progress, Standard, Thing, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};
use crate::pointer;

/// What a standard stands on here: Security Hub, and a recorder that records, without which it is enabled and checks
/// nothing.
pub fn stands_on(facts: &Facts) -> Vec<Thing> {
    let (account, region) = (facts.scope.account.clone(), facts.scope.region.clone());
    let hub = Thing::SecurityHub { account: account.clone(), region: region.clone() };
    vec![hub, Thing::ConfigRecorder { account, region }]
}

/// Who holds this account by a configuration policy, so that AWS refuses every change that the account makes. Where
/// that is not known nobody does: AWS then says so itself.
pub fn holder(facts: &Facts, known: &Known, live: Option<&Live>) -> Option<String> {
    let own = Thing::own_security_hub(facts)?;
    let seat = own.account().to_string();
    let administrator = live.and_then(|live| live.administrator.clone()).unwrap_or(seat);
    known.is_absent(&own).then(|| format!("the Security Hub administrator, account {administrator}"))
}

fn foreign(holder: &str, path: &str, before: &str) -> Verdict<Write> {
    let path = path.trim_start_matches('/').replacen('/', ".", 1).replace("~1", "/");
    Verdict::Foreign {
        owner: holder.to_owned(),
        evidence: format!("its configuration policy holds this account; {path} is {before}"),
    }
}

/// A key of the map as a path of the spec (RFC 6901).
fn path(key: &str) -> String {
    format!("/standards/{}", pointer::escaped(key))
}

fn unknown(message: String) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, "securityhub:GetEnabledStandards", message) }
}

fn progressing(what: &str) -> Verdict<Write> {
    Verdict::Progressing(Progress { what: what.to_owned(), look_again: 30, patience: 1800 })
}

/// One standard. `live` is `None` where there is no hub yet: what is planned then is what is planned once there is one.
pub fn standard(
    facts: &Facts,
    key: &str,
    want: bool,
    live: Option<&Live>,
    holder: Option<&str>,
) -> Verdict<Write> {
    let name = match key.parse::<Standard>() {
        Ok(name) => name,
        Err(wrong) => return unknown(wrong.to_string()),
    };
    let subscription = live.and_then(|live| live.on.get(&name));
    let status = subscription.map(|one| one.status.as_str());
    // Nobody's business but AWS's, whoever asked for it.
    match (want, status) {
        (true, Some("READY")) | (false, None) => return Verdict::InSync,
        (true, Some("PENDING")) => return progressing("AWS is enabling it, which takes some minutes"),
        (true, Some("DELETING")) => {
            return progressing("AWS is disabling it, and can enable it after that");
        }
        (false, Some("DELETING")) => return progressing("AWS is disabling it"),
        (false, Some("PENDING")) => {
            return progressing("AWS is enabling it, and can disable it after that");
        }
        _ => {}
    }
    let offered = live.and_then(|live| live.offered.get(&name));
    if let Some(product) = offered.and_then(|offered| offered.managed_by.as_deref()) {
        return Verdict::Foreign {
            owner: product.to_owned(),
            evidence: format!("{product} creates and deletes this standard; it is {}", word(subscription)),
        };
    }
    if let (true, None, Some(live), None) = (want, subscription, live, offered) {
        return not_offered(&name, live);
    }
    if let Some(holder) = holder {
        return foreign(holder, &path(key), &word(subscription));
    }
    match (want, subscription) {
        (true, None) => enable(facts, key, name, false.into(), None),
        (true, Some(one)) => again(facts, key, name, one),
        (false, Some(one)) if matches!(one.status.as_str(), "READY" | "INCOMPLETE" | "FAILED") => {
            disable(key, name, one)
        }
        (false, Some(one)) => unknown(no_status(&one.status)),
        (false, None) => Verdict::InSync,
    }
}

fn no_status(status: &str) -> String {
    format!("`{status}` is not a status of a standard that this build knows")
}

/// In the words of the spec, as far as they go.
fn word(subscription: Option<&Subscription>) -> String {
    match subscription {
        None => "false".into(),
        Some(one) if one.status == "READY" => "true".into(),
        Some(one) => match one.reason.as_deref() {
            Some(reason) => format!("{}, {reason}", one.status),
            None => one.status.clone(),
        },
    }
}

/// The versions that the region has of what was asked for, or else everything.
fn not_offered(name: &Standard, live: &Live) -> Verdict<Write> {
    let family = |one: &&Standard| one.family() == name.family();
    let mut others: Vec<String> = live.offered.keys().filter(family).map(ToString::to_string).collect();
    if others.is_empty() {
        others = live.offered.keys().map(ToString::to_string).collect();
    }
    Verdict::NotOffered {
        source: format!("securityhub:DescribeStandards does not list it here, but {}", others.join(", ")),
    }
}

const COST: &str = "Security Hub charges for each check, AWS Config for each item that it records";

fn enable(
    facts: &Facts,
    key: &str,
    standard: Standard,
    before: Value,
    evidence: Option<String>,
) -> Verdict<Write> {
    Verdict::Change(Change {
        cost: Some(COST.into()),
        evidence,
        stands_on: Some(stands_on(facts)),
        ..Change::update(vec![Field::new(path(key), before, true)], vec![Write::Enable { standard }])
    })
}

/// It is on and checks nothing, or not everything. What keeps it from that is put right first.
fn again(facts: &Facts, key: &str, standard: Standard, one: &Subscription) -> Verdict<Write> {
    if !matches!(one.status.as_str(), "INCOMPLETE" | "FAILED") {
        return unknown(no_status(&one.status));
    }
    let found = || vec![("status".to_owned(), word(Some(one)))];
    let after = "Then enable it again: `false`, apply, `true`, apply.";
    match one.reason.as_deref() {
        Some("MAXIMUM_NUMBER_OF_CONFIG_RULES_EXCEEDED") => Verdict::Manual(ManualTask {
            title: format!("Make room for the rules of {standard} in AWS Config"),
            found: found(),
            steps: vec![
                "The region has as many rules of AWS Config as its quota allows. Ask for more".into(),
                "(Service Quotas, AWS Config), or disable rules or standards that nobody needs.".into(),
                after.into(),
            ],
            verified: Verified::ByObservation,
        }),
        Some("NO_AVAILABLE_MULTICLOUD_CONNECTOR") => Verdict::Manual(ManualTask {
            title: format!("Connect the other cloud that {standard} checks"),
            found: found(),
            steps: vec![
                "The standard checks another provider's resources, and nothing connects it to them.".into(),
                "Set up the connector in Security Hub.".into(),
                after.into(),
            ],
            verified: Verified::ByObservation,
        }),
        reason => {
            let why = match reason {
                Some("NO_AVAILABLE_CONFIGURATION_RECORDER") => {
                    "there was no recorder of AWS Config when it was enabled, and AWS does not look again by itself"
                }
                Some("INTERNAL_ERROR") => "AWS met an error of its own while it was enabled",
                _ => "AWS does not say why",
            };
            let evidence = format!(
                "it is {}: {why}; it is enabled again, and where it stays so: `false`, apply, `true`, apply",
                one.status
            );
            enable(facts, key, standard, word(Some(one)).into(), Some(evidence))
        }
    }
}

fn disable(key: &str, standard: Standard, one: &Subscription) -> Verdict<Write> {
    let before: Value = if one.status == "READY" { true.into() } else { word(Some(one)).into() };
    Verdict::Change(Change {
        direction: Direction::Weakens,
        evidence: Some(
            "its checks end, its findings are archived in some days, and what was said of its single controls is \
             forgotten"
                .into(),
        ),
        stands_on: Some(Vec::new()),
        ..Change::update(vec![Field::new(path(key), before, false)], vec![Write::Disable { standard }])
    })
}

pub fn new_controls(want: bool, live: Option<&Live>, holder: Option<&str>) -> Verdict<Write> {
    let Some(live) = live else {
        return progressing(
            "there is no hub here yet; what it does with new controls is looked at when there is",
        );
    };
    let Some(is) = live.new_controls else {
        let message = "AWS does not say whether new controls come on by themselves";
        let fault = Fault::local(FaultKind::Invalid, "securityhub:DescribeHub", message);
        return Verdict::Unknown { fault };
    };
    if is == want {
        return Verdict::InSync;
    }
    if let Some(holder) = holder {
        return foreign(holder, "/newControls", &is.to_string());
    }
    Verdict::Change(Change {
        direction: if want { Direction::Strengthens } else { Direction::Weakens },
        cost: want.then(|| "Security Hub charges for the checks that AWS adds".into()),
        stands_on: Some(Vec::new()),
        ..Change::update(
            vec![Field::new("/newControls", is, want)],
            vec![Write::NewControls { enabled: want }],
        )
    })
}
