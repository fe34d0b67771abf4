//! What follows from a finding: the control says what is the matter, the engine what will be done about it.

use std::collections::BTreeSet;

use super::Outcome;
use crate::control::{Finding, Known, Need, Step, Thing, Verdict, Verified};

/// What the YAML and the rest of the plan say about a finding.
#[derive(Clone, Copy, Debug)]
pub struct Settling<'a> {
    /// `mode: observe`.
    pub observe_only: bool,
    /// `onConflict: fail`.
    pub fail_on_conflict: bool,
    /// The name of a live exception that matches.
    pub exception: Option<&'a str>,
    /// A live attestation matches.
    pub attested: bool,
    pub needs: &'a [Need],
    pub known: &'a Known,
    /// What the changes of this plan make, in this finding's wave or an earlier one.
    pub made: &'a BTreeSet<Thing>,
    /// What they make in later waves.
    pub made_later: &'a BTreeSet<Thing>,
}

/// Exception beats mode, mode beats blocked; nothing beats unknown: an exception does not make a thing
/// known.
pub fn settle(finding: &Finding<Step>, with: &Settling<'_>) -> Outcome {
    match &finding.verdict {
        Verdict::Unknown { .. } => Outcome::Unknown,
        Verdict::InSync => Outcome::InSync,
        Verdict::Foreign { .. } => Outcome::Foreign,
        Verdict::NotOffered { .. } => Outcome::NotOffered,
        Verdict::Progressing(_) => Outcome::Progressing,
        Verdict::Manual(task) if task.verified == Verified::ByAttestation && with.attested => Outcome::InSync,
        Verdict::Manual(_) | Verdict::Change(_) if with.exception.is_some() => {
            Outcome::Excepted { exception: with.exception.unwrap_or_default().to_owned() }
        }
        Verdict::Manual(_) => Outcome::Manual,
        Verdict::Change(_) if with.observe_only => Outcome::ObserveOnly,
        Verdict::Change(change) => {
            if with.fail_on_conflict && change.adopts.is_some() {
                let why = "it exists already, and `onConflict: fail` forbids adopting it".to_owned();
                return Outcome::Blocked { on: Vec::new(), why: Some(why) };
            }
            let on: Vec<Thing> = with
                .needs
                .iter()
                .filter(|need| {
                    need.hard && with.known.is_missing(&need.thing) && !is_made(&need.thing, with.made)
                })
                .map(|need| need.thing.clone())
                .collect();
            if on.is_empty() {
                return Outcome::Change;
            }
            let later = on.iter().all(|thing| is_made(thing, with.made_later));
            Outcome::Blocked { on, why: later.then(|| LATER.to_owned()) }
        }
    }
}

const LATER: &str = "made in a later wave of the rollout; put that account into an earlier one";

/// Do the changes of this plan make it, or a thing that it is a part of?
fn is_made(thing: &Thing, made: &BTreeSet<Thing>) -> bool {
    made.contains(thing) || thing.part_of().is_some_and(|whole| made.contains(&whole))
}

/// The staleness rule. A change may start exactly when planning again, from a fresh observation and the
/// spec kept in the plan, gives that same finding: same steps, same before and after, same risk.
///
/// Nothing else is compared, so fields that move by themselves (delivery times, ages) never make a plan
/// stale, and fields that a write would carry along (a password policy is replaced whole) always do.
pub fn still_planned(planned: &Finding<Step>, again: &[Finding<Step>]) -> bool {
    again.iter().any(|finding| finding == planned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::{Change, Fault, FaultKind, Field, Found, ManualTask};

    fn change() -> Finding<Step> {
        let step = Step { call: "a:B".into(), title: "do it".into(), action: json!({}).into() };
        let change = Change::update(vec![Field::new("/on", false, true)], vec![step]);
        Finding::new("it", "rule", Verdict::Change(change))
    }

    fn key() -> Thing {
        Thing::Role { account: "111122223333".parse().expect("12 digits"), name: "r".into() }
    }

    fn with<'a>(needs: &'a [Need], known: &'a Known, made: &'a BTreeSet<Thing>) -> Settling<'a> {
        Settling {
            observe_only: false,
            fail_on_conflict: false,
            exception: None,
            attested: false,
            needs,
            known,
            made,
            made_later: &NOTHING,
        }
    }

    static NOTHING: BTreeSet<Thing> = BTreeSet::new();

    #[test]
    fn an_exception_beats_the_mode_and_the_mode_beats_blocked() {
        let (needs, known, made) = ([Need::hard(key())], Known::default(), BTreeSet::new());
        let blocked = with(&needs, &known, &made);
        assert_eq!(settle(&change(), &blocked), Outcome::Blocked { on: vec![key()], why: None });
        let observed = Settling { observe_only: true, ..blocked };
        assert_eq!(settle(&change(), &observed), Outcome::ObserveOnly);
        let excepted = Settling { exception: Some("x"), ..observed };
        assert_eq!(settle(&change(), &excepted), Outcome::Excepted { exception: "x".into() });
    }

    #[test]
    fn an_exception_does_not_make_a_thing_known() {
        let fault = Fault::local(FaultKind::Denied, "a:B", "no");
        let unknown = Finding::new("it", "rule", Verdict::Unknown { fault });
        let (known, made) = (Known::default(), BTreeSet::new());
        let excepted = Settling { exception: Some("x"), ..with(&[], &known, &made) };
        assert_eq!(settle(&unknown, &excepted), Outcome::Unknown);
    }

    #[test]
    fn what_this_plan_makes_does_not_block_and_a_soft_need_never_does() {
        let (hard, soft) = ([Need::hard(key())], [Need::soft(key())]);
        let (known, none, made) = (Known::default(), BTreeSet::new(), BTreeSet::from([key()]));
        assert_eq!(settle(&change(), &with(&hard, &known, &made)), Outcome::Change);
        assert_eq!(settle(&change(), &with(&soft, &known, &none)), Outcome::Change);
        let there = Known::new([(key(), Found::Present { arn: "arn:x".into() })]);
        assert_eq!(settle(&change(), &with(&hard, &there, &none)), Outcome::Change);
    }

    #[test]
    fn what_a_later_wave_makes_comes_too_late() {
        let (needs, known, later) = ([Need::hard(key())], Known::default(), BTreeSet::from([key()]));
        let settling = Settling { made_later: &later, ..with(&needs, &known, &NOTHING) };
        let outcome = settle(&change(), &settling);
        assert!(matches!(outcome, Outcome::Blocked { why: Some(why), .. } if why.contains("later wave")));
    }

    #[test]
    fn who_lets_the_organisation_deliver_lets_each_of_its_accounts_deliver() {
        let archive: crate::place::AccountId = "444455556666".parse().expect("12 digits");
        let region = crate::place::Region::new("eu-west-1");
        let (bucket, service) = ("logs".to_owned(), "guardduty.amazonaws.com".to_owned());
        let from = "111122223333".parse().expect("12 digits");
        let delivery = Thing::Delivery {
            account: archive.clone(),
            region: region.clone(),
            bucket: bucket.clone(),
            service: service.clone(),
            from,
        };
        let (needs, known) = ([Need::hard(delivery.clone())], Known::new([(delivery, Found::Absent)]));
        let all =
            Thing::OrganizationDelivery { account: archive.clone(), region: region.clone(), bucket, service };
        let made = BTreeSet::from([all.clone()]);
        assert_eq!(settle(&change(), &with(&needs, &known, &made)), Outcome::Change);
        let maker = super::super::Link { makes: &[all], needs: &[] };
        let taker = super::super::Link { makes: &[], needs: &needs };
        assert_eq!(super::super::order(&[taker, maker]).map(|order| order.sequence), Ok(vec![1, 0]));
        let other = Thing::OrganizationDelivery {
            account: archive,
            region,
            bucket: "logs".into(),
            service: "config.amazonaws.com".into(),
        };
        let made = BTreeSet::from([other]);
        assert!(matches!(settle(&change(), &with(&needs, &known, &made)), Outcome::Blocked { .. }));
    }

    #[test]
    fn an_attestation_answers_only_what_no_api_shows() {
        let task = |verified| {
            let task = ManualTask { title: "t".into(), found: vec![], steps: vec![], verified };
            Finding::new("it", "rule", Verdict::Manual(task))
        };
        let (known, made) = (Known::default(), BTreeSet::new());
        let attested = Settling { attested: true, ..with(&[], &known, &made) };
        assert_eq!(settle(&task(Verified::ByAttestation), &attested), Outcome::InSync);
        assert_eq!(settle(&task(Verified::ByObservation), &attested), Outcome::Manual);
    }

    #[test]
    fn a_conflict_is_refused_where_the_yaml_says_so() {
        let mut finding = change();
        if let Verdict::Change(change) = &mut finding.verdict {
            change.adopts = Some("the detector that is there".into());
        }
        let (known, made) = (Known::default(), BTreeSet::new());
        let fail = Settling { fail_on_conflict: true, ..with(&[], &known, &made) };
        assert!(matches!(settle(&finding, &fail), Outcome::Blocked { why: Some(_), .. }));
        assert_eq!(settle(&finding, &with(&[], &known, &made)), Outcome::Change);
    }

    #[test]
    fn only_the_same_finding_is_still_planned() {
        let planned = change();
        assert!(still_planned(&planned, &[Finding::new("other", "rule", Verdict::InSync), planned.clone()]));
        let mut moved = planned.clone();
        if let Verdict::Change(change) = &mut moved.verdict {
            change.fields[0].before = json!(null);
        }
        assert!(!still_planned(&planned, &[moved]));
    }
}
