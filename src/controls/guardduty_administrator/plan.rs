//! Declared beside live.

use std::collections::BTreeSet;

use super::live::Live;
use super::write::Write;
use super::{GUARDDUTY, Trusted};
use crate::control::{AccountId, AdminAccount, Change, Facts, Field, Progress, Risk, Thing, Verdict};

/// Trusted access of a service. The control runs in the management account.
pub fn access(facts: &Facts, service: &str) -> Thing {
    Thing::ServiceAccess { account: facts.scope.account.clone(), service: service.to_owned() }
}

/// The detector of the administrator's own account here.
pub fn detector(facts: &Facts, admin: &AccountId) -> Thing {
    Thing::Detector { account: admin.clone(), region: facts.scope.region.clone() }
}

/// What is trusted, in the spec's words.
pub fn trust(live: &BTreeSet<String>) -> Option<Trusted> {
    let all = |trusted: &Trusted| trusted.principals().iter().all(|one| live.contains(*one));
    [Trusted::MalwareProtection, Trusted::Guardduty].into_iter().find(all)
}

pub fn trusted_access(facts: &Facts, wanted: Trusted, live: &BTreeSet<String>) -> Verdict<Write> {
    let missing: Vec<&str> = wanted.principals().iter().copied().filter(|one| !live.contains(*one)).collect();
    if missing.is_empty() {
        return Verdict::InSync;
    }
    let before = trust(live).map_or("none", Trusted::word);
    Verdict::Change(Change {
        risk: Risk::Organization,
        evidence: Some(format!("{} may make roles of its own in every account", missing.join(" and "))),
        makes: missing.iter().map(|service| access(facts, service)).collect(),
        stands_on: Some(Vec::new()),
        ..Change::update(
            vec![Field::new("/trustedAccess", before, wanted.word())],
            missing.iter().map(|service| Write::EnableAccess { service: (*service).to_owned() }).collect(),
        )
    })
}

pub fn administrator(facts: &Facts, wanted: &AdminAccount, live: &Live) -> Verdict<Write> {
    let account = match wanted.id(facts, "guardduty:EnableOrganizationAdminAccount") {
        Ok(account) => account,
        Err(fault) => return Verdict::Unknown { fault },
    };
    match &live.administrator {
        Some(admin) if admin.leaving => Verdict::Progressing(Progress {
            what: format!("AWS is removing account {} as GuardDuty's administrator", admin.account),
            look_again: 30,
            patience: 1800,
        }),
        Some(admin) if admin.account == account.as_str() => Verdict::InSync,
        Some(admin) => Verdict::Foreign {
            owner: format!("account {}, GuardDuty's administrator here", admin.account),
            evidence: "an administrator is never replaced by another".into(),
        },
        None => match live.elsewhere.iter().find(|other| *other != account.as_str()) {
            Some(other) => Verdict::Foreign {
                owner: format!("account {other}, GuardDuty's administrator in another region"),
                evidence: "AWS takes one administrator for all regions".into(),
            },
            None => enable(facts, wanted, account),
        },
    }
}

fn enable(facts: &Facts, wanted: &AdminAccount, account: &AccountId) -> Verdict<Write> {
    let Facts { scope, .. } = facts;
    let service = GUARDDUTY.to_owned();
    let makes = vec![
        Thing::DelegatedAdmin {
            account: scope.account.clone(),
            service: service.clone(),
            admin: account.clone(),
        },
        Thing::RegionalAdmin {
            account: scope.account.clone(),
            region: scope.region.clone(),
            service,
            admin: account.clone(),
        },
        detector(facts, account),
    ];
    // At home, trust is given just before, by a change of the same resource.
    let at_home = scope.region == facts.home;
    Verdict::Change(Change {
        risk: Risk::Organization,
        cost: Some("AWS turns GuardDuty on in that account where it is off, and charges for it".into()),
        evidence: Some("it will see the organisation's accounts, and may enable GuardDuty in them".into()),
        makes,
        stands_on: at_home.then(|| vec![detector(facts, account)]),
        ..Change::create(
            vec![Field::new("/account", "none", wanted.to_string())],
            vec![Write::EnableAdministrator { account: account.clone() }],
        )
    })
}
