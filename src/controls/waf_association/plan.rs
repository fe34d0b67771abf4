//! Declared beside live.

use super::resource::{LiveAcl, Observed, OtherAcl, Resource};
use super::spec::{Acl, AssociationRule, NONE, ResourceType, Rules as _};
use super::write::Write;
use crate::control::{Change, Direction, Facts, Field, Finding, Known, Risk, Sight, Thing, Verdict};
use crate::fault::{Fault, FaultKind};

/// A web ACL of this account and region by its name.
pub fn thing(facts: &Facts, name: &str) -> Thing {
    Thing::WebAcl {
        account: facts.scope.account.clone(),
        region: facts.scope.region.clone(),
        name: name.to_owned(),
    }
}

/// What a resource is called in plans: unique over all types.
pub fn in_plan(kind: ResourceType, name: &str) -> String {
    format!("{}/{name}", kind.rule())
}

/// One finding for each resource that a rule with an `acl` governs, and for each type that could not be listed.
pub fn findings(
    facts: &Facts,
    known: &Known,
    rules: &[AssociationRule],
    observed: &Observed,
) -> Vec<Finding<Write>> {
    let mut findings = Vec::new();
    for (kind, sight) in &observed.found {
        let mut say = |name: &str, verdict| {
            findings.push(Finding::new(in_plan(*kind, name), kind.rule(), verdict));
        };
        let resources = match sight {
            Sight::Seen(resources) => resources,
            Sight::Unseen(fault) if fault.kind == FaultKind::NotOffered => {
                say("*", Verdict::NotOffered { source: fault.message.clone() });
                continue;
            }
            Sight::Unseen(fault) => {
                say("*", Verdict::Unknown { fault: fault.clone() });
                continue;
            }
        };
        for (name, sight) in resources {
            let resource = match sight {
                Sight::Seen(resource) => resource,
                Sight::Unseen(fault) => {
                    say(name, Verdict::Unknown { fault: fault.clone() });
                    continue;
                }
            };
            match rules.governing(resource) {
                Ok(Some((place, rule))) => {
                    let governed = Governed { facts, known, observed, resource, place, rule };
                    if let Some(verdict) = governed.verdict() {
                        say(name, verdict);
                    }
                }
                Ok(None) => {}
                Err(fault) => say(name, Verdict::Unknown { fault }),
            }
        }
    }
    findings
}

/// A resource, and the rule that governs it.
struct Governed<'a> {
    facts: &'a Facts,
    known: &'a Known,
    observed: &'a Observed,
    resource: &'a Resource,
    place: usize,
    rule: &'a AssociationRule,
}

impl Governed<'_> {
    fn verdict(&self) -> Option<Verdict<Write>> {
        let want = self.rule.acl.as_ref()?;
        let live = match &self.resource.acl {
            Sight::Seen(live) => live.as_ref(),
            Sight::Unseen(fault) => return Some(Verdict::Unknown { fault: fault.clone() }),
        };
        Some(match (live, want) {
            (None, Acl::None) => Verdict::InSync,
            (None, Acl::Named(name)) => match self.known.fault(&thing(self.facts, name)) {
                Some(fault) => Verdict::Unknown { fault: fault.clone() },
                None => Verdict::Change(self.associate(name)),
            },
            (Some(live), _) if live.named().is_some_and(|acl| self.rule.accepts(acl.name)) => Verdict::InSync,
            (Some(live), Acl::Named(name)) => {
                let want = thing(self.facts, name);
                match self.known.fault(&want) {
                    Some(fault) => Verdict::Unknown { fault: fault.clone() },
                    None if self.known.arn(&want) == Some(live.0.as_str()) => Verdict::InSync,
                    None => self.against(live, Some(name)),
                }
            }
            (Some(live), Acl::None) => self.against(live, None),
        })
    }

    /// The resource has a web ACL that is neither declared nor accepted.
    fn against(&self, live: &LiveAcl, want: Option<&str>) -> Verdict<Write> {
        let other = match self.observed.others.get(live) {
            Some(Sight::Seen(other)) => *other,
            Some(Sight::Unseen(fault)) => return Verdict::Unknown { fault: fault.clone() },
            // Its name is the declared one, and it is not the declared one: deleted and made anew.
            None if live.named().is_some() => {
                let why = format!("the web ACL {} is not the one of that name any more", live.word());
                return Verdict::Unknown {
                    fault: Fault::local(FaultKind::Conflict, "wafv2:ListWebACLs", why),
                };
            }
            None => OtherAcl { firewall_manager: false, inspects: true },
        };
        if other.firewall_manager {
            return Verdict::Foreign {
                owner: "Firewall Manager".into(),
                evidence: format!("its policy manages the web ACL {}", live.word()),
            };
        }
        let ends = format!("what the web ACL {} blocks is no longer blocked by it", live.word());
        let change = match want {
            Some(name) => Change {
                adopts: Some(format!("a resource that has the web ACL {}", live.word())),
                evidence: Some(if other.inspects { format!("{ends}; {BLOCKS}") } else { BLOCKS.into() }),
                ..self.associate(name)
            },
            None => Change {
                evidence: Some(ends),
                stands_on: Some(Vec::new()),
                ..Change::update(
                    Vec::new(),
                    vec![Write::Disassociate {
                        kind: self.resource.kind,
                        resource: self.resource.name.clone(),
                    }],
                )
            },
        };
        let direction = match (want, other.inspects) {
            (Some(_), false) => Direction::Strengthens,
            _ => Direction::Weakens,
        };
        Verdict::Change(Change { fields: vec![self.field(live.word(), want)], direction, ..change })
    }

    fn field(&self, before: &str, after: Option<&str>) -> Field {
        Field::new(format!("/rules/{}/acl", self.place), before, after.unwrap_or(NONE))
    }

    /// Its risk and its evidence say nothing of the web ACL's rules: these may be changed in the same run.
    fn associate(&self, name: &str) -> Change<Write> {
        let acl = thing(self.facts, name);
        let resource = self.resource.name.clone();
        let step = Write::Associate { kind: self.resource.kind, resource, acl: acl.clone() };
        Change {
            risk: Risk::Disruptive,
            cost: Some("AWS WAF charges for each request that it inspects".into()),
            evidence: Some(BLOCKS.into()),
            stands_on: Some(vec![acl]),
            ..Change::update(vec![self.field(NONE, Some(name))], vec![step])
        }
    }
}

const BLOCKS: &str = "requests that the new web ACL blocks fail from then on";
