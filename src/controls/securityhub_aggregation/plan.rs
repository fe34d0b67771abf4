//! Declared beside live.

use serde_json::Value;

use super::Write;
use super::live::{Aggregator, Live};
use super::spec::Linking;
use crate::control::{Change, Direction, Facts, Field, ManualTask, Risk, Thing, Verdict, Verified};
use crate::fault::{Fault, FaultKind};

/// The account's one aggregator.
pub fn aggregation(facts: &Facts, wanted: &Linking, live: &Live) -> Verdict<Write> {
    let here = facts.scope.region.as_str();
    let wanted = wanted.without(here);
    let Some(aggregator) = &live.aggregator else {
        if let Some(administrator) = &live.administrator {
            return left_to(administrator, "this account has no aggregator of its own");
        }
        let field = Field::new("/linking", Value::Null, wanted.clone());
        let create = Change::create(vec![field], vec![Write::Create { linking: wanted }]);
        return Verdict::Change(Change { makes: makes(facts), ..create });
    };
    let Some(linked) = aggregator.linking() else {
        let message = format!("`{}` is not a mode that this build knows", aggregator.mode);
        let call = "securityhub:GetFindingAggregator";
        return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, call, message) };
    };
    if aggregator.home != here {
        return elsewhere(here, aggregator, &linked);
    }
    if linked.means(&wanted) {
        return Verdict::InSync;
    }
    if let Some(administrator) = &live.administrator {
        return left_to(administrator, &format!("the account's own aggregator links {linked}"));
    }
    let mut evidence = Vec::new();
    let direction = if wanted.covers(&linked) { Direction::Strengthens } else { Direction::Weakens };
    if direction == Direction::Weakens {
        evidence.push(lost(&linked, &wanted));
    }
    if live.central {
        evidence.push("the organisation's configuration policies take effect in each linked region".into());
    }
    let field = Field::new("/linking", linked, wanted.clone());
    Verdict::Change(Change {
        direction,
        risk: if live.central { Risk::Organization } else { Risk::Safe },
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        makes: makes(facts),
        ..Change::update(vec![field], vec![Write::Update { linking: wanted }])
    })
}

fn makes(facts: &Facts) -> Vec<Thing> {
    let (account, region) = (facts.scope.account.clone(), facts.scope.region.clone());
    vec![Thing::FindingAggregator { account, region }]
}

fn left_to(administrator: &str, evidence: &str) -> Verdict<Write> {
    Verdict::Foreign {
        owner: format!("the Security Hub administrator, account {administrator}"),
        evidence: format!("it links the regions for its members; {evidence}"),
    }
}

/// What is linked no longer.
fn lost(linked: &Linking, wanted: &Linking) -> String {
    let names: Vec<&str> = match (linked, wanted) {
        (Linking::Specified(were), Linking::Specified(are)) => {
            were.difference(are).map(String::as_str).collect()
        }
        (Linking::Specified(were), Linking::AllExcept(out)) => {
            were.intersection(out).map(String::as_str).collect()
        }
        (Linking::Specified(were), _) => were.iter().map(String::as_str).collect(),
        (Linking::AllExcept(were), Linking::AllExcept(are)) => {
            are.difference(were).map(String::as_str).collect()
        }
        (_, Linking::AllExcept(out)) => out.iter().map(String::as_str).collect(),
        (_, Linking::Specified(only)) => {
            let only: Vec<&str> = only.iter().map(String::as_str).collect();
            return format!("findings arrive from {} alone, and from no region to come", only.join(", "));
        }
        (_, Linking::NoRegions | Linking::AllRegions) => {
            return "findings arrive from no other region".into();
        }
    };
    format!("no more findings arrive from {}", names.join(", "))
}

/// No call moves an aggregator, and a second one is refused (API reference, `UpdateFindingAggregator`).
fn elsewhere(here: &str, live: &Aggregator, linked: &Linking) -> Verdict<Write> {
    let there = &live.home;
    Verdict::Manual(ManualTask {
        title: format!("Security Hub collects findings in {there}, not in {here}"),
        found: vec![("home region".into(), there.clone()), ("linking".into(), linked.to_string())],
        steps: vec![
            format!("If {there} is meant, write it as regions.home and nothing is to be done."),
            "Else end the aggregator there, in this account; findings stay where they are:".into(),
            format!("aws securityhub list-finding-aggregators --region {there}"),
            format!(
                "aws securityhub delete-finding-aggregator --region {there} --finding-aggregator-arn ARN"
            ),
            format!("The next apply makes one in {here}."),
        ],
        verified: Verified::ByObservation,
    })
}
