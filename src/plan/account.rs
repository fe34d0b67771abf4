//! One account's findings, from what was seen of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::control::{ErasedControl, Facts, Finding, Known, Need, Sight, Step, Tags, Verdict};
use crate::desired::{DesiredControl, Settings};
use crate::fault::{Fault, FaultKind};
use crate::inventory::{AccountView, Observation, facts};
use crate::observe::Target;
use crate::place::Region;

/// A finding before it is settled: that needs the other accounts.
#[derive(Clone)]
pub struct Raw<'a> {
    pub facts: Arc<Facts>,
    pub control: &'static dyn ErasedControl,
    pub declared: &'a DesiredControl,
    /// On the heap, because all of them stand beside all that is made of them.
    pub finding: Box<Finding<Step>>,
    pub needs: Arc<[Need]>,
    /// The merged spec of the scope, templates filled in.
    pub spec: Arc<Value>,
    /// The resource's tags, where an exception asks for them: beside the finding, which is the same without.
    pub tags: Option<Tags>,
}

/// Plans what is declared for one account. Pure.
pub fn account<'a>(
    organization: &Settings,
    account: &'a crate::desired::DesiredAccount,
    view: &AccountView,
    targets: &[(Region, Target<'a>)],
) -> Vec<Raw<'a>> {
    let Some(seen) = &view.seen else { return Vec::new() };
    let mut raws = Vec::new();
    let mut places: BTreeMap<&Region, Arc<Facts>> = BTreeMap::new();
    for (region, Target { control, declared, .. }) in targets {
        let facts = places.entry(region).or_insert_with(|| facts(organization, account, seen, region).into());
        let spec = declared.spec_in(*control, facts);
        let observation = view.scopes.get(region).and_then(|scope| scope.get(control.meta().id));
        let needs: Arc<[Need]> = control.needs(facts, &spec).unwrap_or_default().into();
        let findings = findings(*control, facts, &view.known, &spec, observation);
        let tags = tags(*control, facts, observation);
        raws.extend(findings.into_iter().map(|finding| {
            let needs = needs_of(&finding, &needs);
            let tags = tags.get(&finding.resource).cloned();
            Raw {
                facts: Arc::clone(facts),
                control: *control,
                declared,
                finding: Box::new(finding),
                needs,
                spec: Arc::clone(&spec),
                tags,
            }
        }));
    }
    closed_regions(raws)
}

/// The tags of the resources, where an exception selects by them.
fn tags(
    control: &dyn ErasedControl,
    facts: &Facts,
    observation: Option<&Observation>,
) -> BTreeMap<String, Tags> {
    match observation.map(|observation| &observation.sight) {
        Some(Sight::Seen(observed)) if control.meta().tags && facts.asks_tags(control.meta().id) => {
            // What does not fit is unknown as a whole already.
            control.tags(observed).unwrap_or_default()
        }
        _ => BTreeMap::new(),
    }
}

/// Where an organisation's policy denied everything that was asked of a region, for controls of two services at
/// least, the region is closed to the account: not offered, rather than unknown. A policy that denies one
/// service says nothing of the region.
fn closed_regions(mut raws: Vec<Raw<'_>>) -> Vec<Raw<'_>> {
    let mut denied: BTreeMap<Region, BTreeSet<&str>> = BTreeMap::new();
    let mut open: BTreeSet<Region> = BTreeSet::new();
    for raw in &raws {
        let region = &raw.facts.scope.region;
        match &raw.finding.verdict {
            Verdict::Unknown { fault } if fault.kind == FaultKind::DeniedByOrganization => {
                let service = fault.call.split(':').next().unwrap_or_default();
                denied.entry(region.clone()).or_default().insert(service);
            }
            _ => {
                open.insert(region.clone());
            }
        }
    }
    let closed: BTreeSet<Region> = denied
        .into_iter()
        .filter(|(region, services)| services.len() > 1 && !open.contains(region))
        .map(|(region, _)| region)
        .collect();
    for raw in raws.iter_mut().filter(|raw| closed.contains(&raw.facts.scope.region)) {
        raw.finding.verdict = Verdict::NotOffered { source: CLOSED.into() };
    }
    raws
}

const CLOSED: &str =
    "a policy of the organisation closes the region to this account; write it under `regions.except`";

/// What one control says of one scope. A scope without an observation, or with one for another question, is
/// unknown.
pub fn findings(
    control: &dyn ErasedControl,
    facts: &Facts,
    known: &Known,
    spec: &Value,
    observation: Option<&Observation>,
) -> Vec<Finding<Step>> {
    let id = control.meta().id;
    let result = match (control.ask(facts, spec), observation) {
        (Ok(ask), Some(observation)) if observation.ask == ask => match &observation.sight {
            Sight::Seen(observed) => control.plan(facts, known, spec, observed),
            Sight::Unseen(fault) => return vec![unseen(control, fault.clone())],
        },
        (Ok(_), Some(_)) => {
            return vec![unseen(control, unasked(id, "the spec has changed since it was observed"))];
        }
        (Ok(_), None) => return vec![unseen(control, unasked(id, "it was not observed"))],
        (Err(misfit), _) => Err(misfit),
    };
    result.unwrap_or_else(|misfit| vec![unseen(control, crate::observe::misfit_fault(id, &misfit))])
}

fn unasked(control: &str, why: &str) -> Fault {
    Fault::local(FaultKind::Invalid, control, format!("{why}: run `baseline observe` again"))
}

/// A whole control in a scope of which nothing can be said. It stands for all its rules, so it carries the
/// first one's id and no resource.
fn unseen(control: &dyn ErasedControl, fault: Fault) -> Finding<Step> {
    let rule = control.meta().rules.first().map_or("", |rule| rule.id);
    let verdict = if fault.kind == FaultKind::NotOffered {
        Verdict::NotOffered { source: fault.to_string() }
    } else {
        Verdict::Unknown { fault }
    };
    Finding::new("", rule, verdict)
}

/// What this finding stands on, of all that its control needs.
fn needs_of(finding: &Finding<Step>, all: &Arc<[Need]>) -> Arc<[Need]> {
    match finding.change() {
        Some(change) if change.stands_on.is_some() => change.needs(all).cloned().collect(),
        _ => Arc::clone(all),
    }
}
