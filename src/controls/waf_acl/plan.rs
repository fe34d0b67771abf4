//! What is the matter with web ACLs, IP sets and logging.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compare::{completed, fields};
use super::live::{Live, Observed, Seen};
use super::logged;
use super::problems::{problems, too_large};
use super::sets::{Lists, Wanted};
use super::spec::{AclSpec, AclsSpec};
use super::weigh::{Scale, Weight};
use super::write::Write;
use crate::control::{
    Change, Direction, Facts, Field, Finding, ManualTask, Risk, Sight, Thing, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};

/// Beyond this many capacity units requests cost more (AWS WAF pricing, "WCU").
const INCLUDED: u32 = 1_500;

/// Groups that AWS charges for beside the price of a rule (AWS WAF pricing, "Intelligent Threat Mitigation").
const PAID: [&str; 4] = [
    "AWSManagedRulesACFPRuleSet",
    "AWSManagedRulesATPRuleSet",
    "AWSManagedRulesAntiDDoSRuleSet",
    "AWSManagedRulesBotControlRuleSet",
];

/// Where, and what the lists of networks become there.
pub struct Here<'a> {
    pub facts: &'a Facts,
    pub cloudfront: bool,
    /// The IP sets that rules refer to, by name.
    pub wanted: BTreeMap<String, Wanted>,
    /// The lists that these are of.
    pub used: Lists,
    /// All lists of the Organization.
    pub lists: Lists,
}

/// A finding for each web ACL, each log and each IP set.
pub fn findings(here: &Here<'_>, spec: &AclsSpec, observed: &Observed) -> Vec<Finding<Write>> {
    let mut found = Vec::new();
    // IP sets that a web ACL makes before it refers to them; the first that needs one.
    let mut made = BTreeSet::new();
    for (name, spec) in &spec.acls {
        let one = Declared { here, name, spec };
        match observed.acls.get(name) {
            Some(Sight::Seen(seen)) => found.extend(one.findings(seen, observed, &mut made)),
            Some(Sight::Unseen(fault)) => found.extend(one.unknown(fault)),
            None => found.extend(one.unknown(&unasked("wafv2:GetWebACL"))),
        }
    }
    for (name, wanted) in &here.wanted {
        let verdict = match observed.sets.get(name) {
            Some(Sight::Seen(Some(live))) => kept(name, wanted, live, spec),
            // Made with the web ACL, or not needed as long as that cannot be changed.
            Some(Sight::Seen(None)) => continue,
            Some(Sight::Unseen(fault)) => Verdict::Unknown { fault: fault.clone() },
            None => Verdict::Unknown { fault: unasked("wafv2:GetIPSet") },
        };
        found.push(Finding::new(name, "ip-set", verdict));
    }
    found
}

/// A look that should have been there.
pub fn unasked(call: &str) -> Fault {
    Fault::local(FaultKind::Invalid, call, "it was not asked")
}

/// An IP set that is there holds what the list holds, and nothing else: it is ours by its name.
fn kept(name: &str, wanted: &Wanted, live: &super::live::LiveSet, spec: &AclsSpec) -> Verdict<Write> {
    if live.version != wanted.version.word() {
        return Verdict::Manual(ManualTask {
            title: format!("Give the IP set {name} another name"),
            found: vec![(
                "version".into(),
                format!("{}, and it is to hold {}", live.version, wanted.version.word()),
            )],
            steps: vec![
                "Somebody made an IP set under the name that baseline uses. Make a copy of it under".into(),
                "another name, turn the rules that refer to it to the copy, and delete it.".into(),
            ],
            verified: Verified::ByObservation,
        });
    }
    if live.addresses == wanted.addresses {
        return Verdict::InSync;
    }
    let list = |addresses: &BTreeSet<String>| -> Value { addresses.iter().cloned().collect() };
    let field =
        Field::new(format!("/networks/{}", wanted.list), list(&live.addresses), list(&wanted.addresses));
    let added = wanted.addresses.difference(&live.addresses).next().is_some();
    let removed = live.addresses.difference(&wanted.addresses).next().is_some();
    let (mut lets, mut keeps) = (false, false);
    let rules = spec.acls.values().flat_map(|acl| acl.networks.values());
    for rule in rules.filter(|rule| rule.lists.as_ref().is_some_and(|lists| lists.contains(&wanted.list))) {
        match rule.action {
            Some(super::spec::RuleWord::Allow) => lets = true,
            Some(super::spec::RuleWord::Count) | None => {}
            Some(_) => keeps = true,
        }
    }
    let weakens = (lets && added) || (keeps && removed);
    let strengthens = (lets && removed) || (keeps && added);
    let hinders = strengthens.then(|| match keeps && added {
        true => "addresses that are let through today are kept away".to_owned(),
        false => "addresses that are let through today meet the other rules".to_owned(),
    });
    let step = Write::UpdateIpSet { set: name.to_owned(), addresses: wanted.addresses.clone() };
    Verdict::Change(Change {
        direction: Direction::of([
            if weakens { Direction::Weakens } else { Direction::Neutral },
            if strengthens { Direction::Strengthens } else { Direction::Neutral },
        ]),
        risk: if hinders.is_some() { Risk::Disruptive } else { Risk::Safe },
        evidence: hinders,
        stands_on: Some(Vec::new()),
        ..Change::update(vec![field], vec![step])
    })
}

/// One web ACL as it is declared.
struct Declared<'a> {
    here: &'a Here<'a>,
    name: &'a str,
    spec: &'a AclSpec,
}

impl Declared<'_> {
    fn say(&self, rule: &str, verdict: Verdict<Write>) -> Finding<Write> {
        Finding::new(self.name, rule, verdict)
    }

    fn unknown(&self, fault: &Fault) -> Vec<Finding<Write>> {
        let unknown = || Verdict::Unknown { fault: fault.clone() };
        let acl = self.spec.declares_acl().then(|| self.say("web-acl", unknown()));
        let logging = self.spec.logging.as_ref().map(|_| self.say("logging", unknown()));
        acl.into_iter().chain(logging).collect()
    }

    fn findings(&self, seen: &Seen, observed: &Observed, made: &mut BTreeSet<String>) -> Vec<Finding<Write>> {
        let mut found = Vec::new();
        let acl = self.acl(seen, observed, made);
        let comes = matches!(acl, Verdict::Change(_));
        if self.spec.declares_acl() || seen.live.is_none() {
            found.push(self.say("web-acl", acl));
        }
        if let Some(spec) = &self.spec.logging
            && let Some(verdict) = logged::verdict(self.here, self.name, spec, seen, comes)
        {
            found.push(self.say("logging", verdict));
        }
        found
    }

    fn acl(&self, seen: &Seen, observed: &Observed, made: &mut BTreeSet<String>) -> Verdict<Write> {
        if seen.live.as_ref().is_some_and(|live| live.firewall_manager) {
            return foreign();
        }
        let fault = seen.groups.values().find_map(|group| match group {
            Sight::Unseen(fault) => Some(fault),
            Sight::Seen(_) => None,
        });
        if let Some(fault) = fault {
            return Verdict::Unknown { fault: fault.clone() };
        }
        let after = completed(self.spec, seen.live.as_ref());
        let fields = fields(self.spec, seen.live.as_ref());
        let mut wrong = problems(&after, seen, &self.here.lists);
        if wrong.is_empty() {
            if fields.is_empty() && seen.live.is_some() {
                return Verdict::InSync;
            }
            let capacity = match &seen.capacity {
                Some(Sight::Seen(capacity)) => *capacity,
                Some(Sight::Unseen(fault)) => return Verdict::Unknown { fault: fault.clone() },
                None => return Verdict::Unknown { fault: unasked("wafv2:CheckCapacity") },
            };
            match too_large(capacity) {
                Some(large) => wrong.push(large),
                None => return self.change(&after, fields, capacity, seen, observed, made),
            }
        }
        let differing = fields.iter().filter(|field| seen.live.is_some() && !field.before.is_null());
        let differing: Vec<&str> = differing.map(|field| field.path.as_str()).collect();
        if !differing.is_empty() {
            wrong.push(("differs".into(), format!("{}: not put right until then", differing.join(", "))));
        }
        Verdict::Manual(ManualTask {
            title: format!("Mend what is declared of the web ACL {}", self.name),
            found: wrong,
            steps: vec!["Change the YAML, or what is there, and plan again. Nothing was changed.".into()],
            verified: Verified::ByObservation,
        })
    }

    fn change(
        &self,
        after: &AclSpec,
        fields: Vec<Field>,
        capacity: u32,
        seen: &Seen,
        observed: &Observed,
        made: &mut BTreeSet<String>,
    ) -> Verdict<Write> {
        let facts = self.here.facts;
        let mut steps = Vec::new();
        for name in self.spec.lists().into_iter().filter_map(|list| self.here.lists.get(list)).flatten() {
            match observed.sets.get(name) {
                Some(Sight::Seen(None)) if made.insert(name.clone()) => {
                    let Some(Wanted { version, addresses, .. }) = self.here.wanted.get(name) else {
                        continue;
                    };
                    steps.push(Write::CreateIpSet {
                        set: name.clone(),
                        version: *version,
                        addresses: addresses.clone(),
                        tags: facts.tags.clone(),
                    });
                }
                Some(Sight::Seen(_)) => {}
                Some(Sight::Unseen(fault)) => return Verdict::Unknown { fault: fault.clone() },
                None => return Verdict::Unknown { fault: unasked("wafv2:GetIPSet") },
            }
        }
        let (acl, spec, lists) = (self.name.to_owned(), Box::new(after.clone()), self.here.used.clone());
        // What a field means depends on the whole rule, as it is going to be.
        let whole = overlaid(after, seen.live.as_ref());
        let scale = Scale { seen, after: &whole };
        let weights: Vec<Weight> = fields.iter().map(|field| scale.weigh(field)).collect();
        let hindering: BTreeSet<&str> = weights.iter().filter_map(|one| one.hinders.as_deref()).collect();
        let hindering = hindering.into_iter().collect::<Vec<_>>().join(", ");
        let cost = self.cost(after, capacity, seen);
        let adopts = seen.live.as_ref().and_then(|live| adopted(&fields, live));
        let prefix = |field: Field| Field { path: format!("/acls/{}{}", self.name, field.path), ..field };
        let fields = fields.into_iter().map(prefix).collect();
        let region = facts.scope.region.clone();
        let change = match &seen.live {
            None => {
                steps.push(Write::CreateAcl { acl, spec, lists, tags: facts.tags.clone() });
                Change {
                    makes: match self.here.cloudfront {
                        true => Vec::new(),
                        false => vec![Thing::WebAcl {
                            account: facts.scope.account.clone(),
                            region,
                            name: self.name.to_owned(),
                        }],
                    },
                    evidence: (!hindering.is_empty()).then(|| {
                        format!("it keeps requests away as soon as something is behind it: {hindering}")
                    }),
                    ..Change::create(fields, steps)
                }
            }
            Some(live) => {
                steps.push(Write::UpdateAcl { acl, spec, lists });
                let others: Vec<&str> = live.others(self.spec).map(|(name, _)| name).collect();
                Change {
                    direction: Direction::of(weights.iter().map(|one| one.direction)),
                    evidence: (!hindering.is_empty()).then(|| {
                        format!("requests may be kept away that are let through today: {hindering}")
                    }),
                    carries: (!others.is_empty())
                        .then(|| format!("rules that are not declared, as they are: {}", others.join(", "))),
                    adopts,
                    ..Change::update(fields, steps)
                }
            }
        };
        Verdict::Change(Change {
            risk: if hindering.is_empty() { Risk::Safe } else { Risk::Disruptive },
            cost,
            stands_on: Some(Vec::new()),
            ..change
        })
    }

    fn cost(&self, after: &AclSpec, capacity: u32, seen: &Seen) -> Option<String> {
        let mut costs = Vec::new();
        let live = seen.live.as_ref();
        let new = |name: &str| live.is_none_or(|live| !live.rules.contains_key(live.name_of(name)));
        match live {
            None => {
                costs.push("a web ACL and each rule are charged by the month, requests by the million".into())
            }
            Some(_) if after.priorities().any(|(name, _)| new(name)) => {
                costs.push("each rule is charged by the month".to_owned());
            }
            Some(_) => {}
        }
        let paid = after.managed.keys().map(String::as_str).filter(|name| PAID.contains(name) && new(name));
        costs.extend(paid.map(|name| format!("AWS charges for {name} by itself")));
        if capacity > INCLUDED && live.is_none_or(|live| live.capacity <= INCLUDED) {
            costs.push(format!(
                "the rules use {capacity} capacity units; beyond {INCLUDED} each request costs more"
            ));
        }
        (!costs.is_empty()).then(|| costs.join("; "))
    }
}

/// What AWS Firewall Manager manages is its own.
pub fn foreign() -> Verdict<Write> {
    Verdict::Foreign {
        owner: "Firewall Manager".into(),
        evidence: "WAF says that a policy of AWS Firewall Manager manages it".into(),
    }
}

/// The live spec with everything that is going to be set.
fn overlaid(after: &AclSpec, live: Option<&Live>) -> AclSpec {
    fn over(below: &mut Value, above: Value) {
        match (below, above) {
            (Value::Object(below), Value::Object(above)) => {
                for (key, value) in above {
                    over(below.entry(key).or_insert(Value::Null), value);
                }
            }
            (below, above) => *below = above,
        }
    }
    let Some(live) = live else { return after.clone() };
    let mut whole = serde_json::to_value(&live.spec).unwrap_or(Value::Null);
    over(&mut whole, serde_json::to_value(after).unwrap_or(Value::Null));
    serde_json::from_value(whole).unwrap_or_else(|_| after.clone())
}

/// Groups that somebody put there under names of their own, and that are to change.
fn adopted(fields: &[Field], live: &Live) -> Option<String> {
    let group = |field: &Field| field.path.strip_prefix("/managed/")?.split('/').next().map(str::to_owned);
    let changed: BTreeSet<String> = fields.iter().filter_map(group).collect();
    let renamed: Vec<&str> =
        changed.iter().filter_map(|group| live.called.get(group)).map(String::as_str).collect();
    (!renamed.is_empty()).then(|| format!("the rules that have these groups already: {}", renamed.join(", ")))
}
