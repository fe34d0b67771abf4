//! Declared beside live.

use serde_json::Value;

use super::live::{Configuration, DESCRIBE, Live};
use super::write::{UPDATE, Write};
use super::{ConfigurationType, NewMembers, OrganizationSpec, Standards};
use crate::control::{
    Change, Direction, Facts, Field, ManualTask, Progress, Risk, Seat, Thing, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};

const POLICIES: &str = "central configuration of Security Hub";
const CHARGES: &str = "Security Hub charges for each account that joins from now on";

/// Security Hub of this account, here.
pub fn hub(facts: &Facts) -> Thing {
    Thing::SecurityHub { account: facts.scope.account.clone(), region: facts.scope.region.clone() }
}

/// This account as the administrator here; `None` where nobody has the management seat.
pub fn administrator(facts: &Facts) -> Option<Thing> {
    let management = facts.organization.as_ref()?.seats.get(&Seat::Management)?;
    Some(Thing::RegionalAdmin {
        account: management.clone(),
        region: facts.scope.region.clone(),
        service: "securityhub.amazonaws.com".into(),
        admin: facts.scope.account.clone(),
    })
}

/// The aggregator of this account, here.
pub fn aggregator(facts: &Facts) -> Thing {
    Thing::FindingAggregator { account: facts.scope.account.clone(), region: facts.scope.region.clone() }
}

fn unknown(call: &str, message: impl Into<String>) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, call, message) }
}

/// What accounts that join get. Aggregators are no matter here.
pub fn new_members(facts: &Facts, spec: &OrganizationSpec, live: &Live) -> Verdict<Write> {
    let enables =
        spec.new_members == Some(NewMembers::New) || spec.new_member_standards == Some(Standards::Default);
    if enables && spec.configuration_type == Some(ConfigurationType::Central) {
        let message = "`configurationType: CENTRAL` leaves new accounts to its policies: say `NONE`, or nothing, of \
                       `newMembers` and `newMemberStandards`";
        return unknown(UPDATE.operation, message);
    }
    let stands_on = Some([hub(facts)].into_iter().chain(administrator(facts)).collect());
    // An account that is to become the administrator finds what every organisation begins with.
    let first = Configuration::first();
    let administers = live.configuration.is_some();
    let live = live.configuration.as_ref().unwrap_or(&first);
    let Some(standards) = live.standards() else {
        return unknown(
            DESCRIBE,
            format!("`{}` is no word for standards that this build knows", live.standards),
        );
    };
    let members = NewMembers::of(live.auto_enable);
    let want_members = spec.new_members.unwrap_or(members);
    let want_standards = spec.new_member_standards.unwrap_or(standards);
    let mut fields = Vec::new();
    if want_members != members {
        fields.push(Field::new("/newMembers", members.word(), want_members.word()));
    }
    if want_standards != standards {
        fields.push(Field::new("/newMemberStandards", standards.word(), want_standards.word()));
    }
    if fields.is_empty() {
        return if administers { Verdict::InSync } else { not_the_administrator() };
    }
    if live.kind() != Some(ConfigurationType::Local) {
        let said: Vec<String> = fields
            .iter()
            .map(|field| format!("{} is {}", field.path.trim_start_matches('/'), live_word(&field.before)))
            .collect();
        return Verdict::Foreign {
            owner: POLICIES.into(),
            evidence: format!("its policies decide what accounts get; {}", said.join(", ")),
        };
    }
    let starts = want_members == NewMembers::New
        && (members == NewMembers::None
            || (standards, want_standards) == (Standards::None, Standards::Default));
    Verdict::Change(Change {
        risk: Risk::Organization,
        direction: direction((members, standards), (want_members, want_standards)),
        cost: starts.then(|| CHARGES.to_owned()),
        evidence: live.full.then(|| "no more accounts can be members: the limit is reached".to_owned()),
        carries: carries(spec, members, standards),
        stands_on,
        ..Change::update(
            fields,
            vec![Write::NewMembers { new_members: want_members, standards: want_standards }],
        )
    })
}

fn live_word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Standards of new accounts matter where new accounts are enrolled.
fn direction(live: (NewMembers, Standards), wanted: (NewMembers, Standards)) -> Direction {
    let worth = |(members, standards): (NewMembers, Standards)| match (members, standards) {
        (NewMembers::None, _) => 0,
        (NewMembers::New, Standards::None) => 1,
        (NewMembers::New, Standards::Default) => 2,
    };
    match worth(wanted).cmp(&worth(live)) {
        std::cmp::Ordering::Greater => Direction::Strengthens,
        std::cmp::Ordering::Equal => Direction::Neutral,
        std::cmp::Ordering::Less => Direction::Weakens,
    }
}

fn carries(spec: &OrganizationSpec, members: NewMembers, standards: Standards) -> Option<String> {
    if spec.new_members.is_none() {
        return Some(format!("newMembers {}: not declared, but the call sets both", members.word()));
    }
    spec.new_member_standards
        .is_none()
        .then(|| format!("newMemberStandards {}: not declared, but the call sets both", standards.word()))
}

/// What is declared is what every organisation begins with, so there would be nothing to send, and nothing is known.
fn not_the_administrator() -> Verdict<Write> {
    Verdict::Manual(ManualTask {
        title: "this account is not Security Hub's administrator here".into(),
        found: vec![("organization".into(), "only the administrator is told".into())],
        steps: vec![
            "`securityhub.administrator` makes it the administrator, and `securityhub.hub` enables".into(),
            "Security Hub in it. The next plan sees what is configured.".into(),
        ],
        verified: Verified::ByObservation,
    })
}

/// Local or central, in the home region.
pub fn configuration_type(wanted: ConfigurationType, live: &Live) -> Verdict<Write> {
    let first = Configuration::first();
    let administers = live.configuration.is_some();
    let live = live.configuration.as_ref().unwrap_or(&first);
    let Some(kind) = live.kind() else {
        return unknown(DESCRIBE, format!("`{}` is not a type that this build knows", live.kind));
    };
    match (wanted, kind) {
        (ConfigurationType::Local, ConfigurationType::Local) if administers => Verdict::InSync,
        (ConfigurationType::Local, ConfigurationType::Local) => not_the_administrator(),
        (ConfigurationType::Local, ConfigurationType::Central) => by_hand(live),
        (ConfigurationType::Central, ConfigurationType::Local) => {
            go_central("LOCAL", live.auto_enable || live.standards() != Some(Standards::None), None)
        }
        (ConfigurationType::Central, ConfigurationType::Central) => match live.status.as_str() {
            "ENABLED" => Verdict::InSync,
            "PENDING" => Verdict::Progressing(Progress {
                what: "AWS is enabling central configuration".into(),
                look_again: 30,
                patience: 1800,
            }),
            "DISABLED" => Verdict::Foreign {
                owner: "a Security Hub policy of AWS Organizations".into(),
                evidence: "it manages the accounts, and central configuration is disabled".into(),
            },
            "FAILED" => {
                let why = live.message.as_deref().unwrap_or("AWS names no reason");
                go_central("CENTRAL, failed", false, Some(format!("AWS could not enable it: {why}")))
            }
            other => unknown(DESCRIBE, format!("`{other}` is not a status that this build knows")),
        },
    }
}

fn go_central(before: &str, carries: bool, failed: Option<String>) -> Verdict<Write> {
    let takes = "accounts that a policy is associated with can no longer change Security Hub themselves, here and in \
                 each linked region";
    Verdict::Change(Change {
        risk: Risk::Organization,
        evidence: Some(failed.unwrap_or_else(|| takes.to_owned())),
        carries: carries.then(|| {
            "newMembers NONE, newMemberStandards NONE: central configuration leaves both to its policies"
                .to_owned()
        }),
        ..Change::update(
            vec![Field::new("/configurationType", before, ConfigurationType::Central.word())],
            vec![Write::Central],
        )
    })
}

/// "You must first disassociate your accounts and OUs" and "delete existing configuration policies" (User Guide,
/// "Disabling central configuration").
fn by_hand(live: &Configuration) -> Verdict<Write> {
    Verdict::Manual(ManualTask {
        title: "the organisation is configured centrally".into(),
        found: vec![("configurationType".into(), format!("CENTRAL, {}", live.status))],
        steps: vec![
            "Accounts keep their settings, and can change them again. In the administrator's account, at home:".into(),
            "aws securityhub list-configuration-policy-associations".into(),
            "Disassociate each target: aws securityhub start-configuration-policy-disassociation".into(),
            "Delete each policy: aws securityhub delete-configuration-policy --identifier ID".into(),
            "aws securityhub update-organization-configuration --auto-enable \
             --organization-configuration ConfigurationType=LOCAL"
                .into(),
        ],
        verified: Verified::ByObservation,
    })
}
