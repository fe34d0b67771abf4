//! What became of a run's fields: how they stand now, and whether a plan takes them back.

use crate::control::{Field, Step, Verdict};
use crate::plan::{AccountState, Item, Plan, PlannedAccount};

/// How the fields that a run wrote stand now.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Standing {
    /// They hold what it wrote.
    pub own: Vec<Field>,
    /// Somebody has changed them since.
    pub others: Vec<Field>,
    /// They are as they were before: taken back already, or never written.
    pub before: Vec<Field>,
}

impl Standing {
    /// `now` is a plan of what the run wrote. `Err` where it cannot tell, with the reason.
    pub fn of(item: &Item, now: &Plan) -> Result<Self, String> {
        let is_closed = |account: &&PlannedAccount| account.state != AccountState::Reached;
        if now.account(&item.scope.account).filter(is_closed).is_some() {
            return Err("its account could not be reached".to_owned());
        }
        let near = now.items.iter().filter(|other| is_near(other, item));
        Self::judged(&super::fields(item), near.map(|other| &other.finding.verdict))
    }

    pub fn judged<'p>(
        fields: &[Field],
        now: impl Iterator<Item = &'p Verdict<Step>>,
    ) -> Result<Self, String> {
        let mut moved: Vec<&Field> = Vec::new();
        for verdict in now {
            match verdict {
                Verdict::Change(change) => moved.extend(&change.fields),
                Verdict::Manual(task) => return Err(task.title.clone()),
                Verdict::InSync | Verdict::Progressing(_) => {}
                other => return Err(obstacle(other)),
            }
        }
        let is_known = |other: &Field| fields.iter().any(|field| place(&field.path) == place(&other.path));
        let mut standing = Self::default();
        for field in fields {
            let same_place = moved.iter().find(|other| place(&other.path) == place(&field.path));
            // A spec that names one resource may say it in another word than the rule that it came from.
            let reworded = || moved.iter().find(|other| other.after == field.after && !is_known(other));
            match same_place.or_else(reworded) {
                None => standing.own.push(field.clone()),
                Some(live) if live.before == field.before => standing.before.push(field.clone()),
                Some(live) => standing.others.push(Field {
                    before: field.after.clone(),
                    after: live.before.clone(),
                    ..field.clone()
                }),
            }
        }
        Ok(standing)
    }
}

/// What the way back makes of one field.
#[derive(Debug, PartialEq)]
pub(super) enum Way {
    /// The plan writes its old value.
    Comes,
    /// No call that this program makes can: the plan tells the steps.
    ByHand(String),
    /// It stays, and why; `None` where the plan says nothing of it.
    Stays(Option<String>),
}

impl Way {
    /// `back` is the plan of the old values.
    pub fn of(item: &Item, field: &Field, back: &Plan) -> Self {
        let near: Vec<&Item> = back.items.iter().filter(|other| is_near(other, item)).collect();
        let verdicts =
            near.iter().map(|other| (other.finding.rule == item.finding.rule, &other.finding.verdict));
        Self::judged(field, &verdicts.collect::<Vec<_>>())
    }

    /// Verdicts about the field's resource, and whether each is by the rule that the field was found under.
    pub fn judged(field: &Field, back: &[(bool, &Verdict<Step>)]) -> Self {
        let says = |back: &Field| {
            place(&back.path) == place(&field.path)
                || (&back.before, &back.after) == (&field.after, &field.before)
        };
        let comes = |verdict: &Verdict<Step>| match verdict {
            Verdict::Change(change) => change.fields.iter().any(says),
            _ => false,
        };
        if back.iter().any(|(_, verdict)| comes(verdict)) {
            return Self::Comes;
        }
        // What another rule says counts where this one says nothing.
        let has_own = back.iter().any(|(is_own, _)| *is_own);
        let said =
            back.iter().filter(|(is_own, _)| *is_own || !has_own).find_map(|(_, verdict)| match verdict {
                Verdict::Change(_) | Verdict::InSync => None,
                Verdict::Manual(task) => {
                    Some(Self::ByHand(format!("by hand, as the plan says: {}", task.title)))
                }
                other => Some(Self::Stays(Some(obstacle(other)))),
            });
        said.unwrap_or(Self::Stays(None))
    }
}

/// Why nothing is changed here.
fn obstacle(verdict: &Verdict<Step>) -> String {
    match verdict {
        Verdict::Unknown { fault } => format!("what is live is not known: {fault}"),
        Verdict::Foreign { owner, .. } => format!("{owner} manages it now"),
        Verdict::NotOffered { source } => source.clone(),
        Verdict::Progressing(progress) => format!("not yet: {}", progress.what),
        Verdict::Manual(task) => task.title.clone(),
        Verdict::Change(_) | Verdict::InSync => String::new(),
    }
}

/// Is it about the same resource, whatever the rule?
fn is_near(other: &Item, item: &Item) -> bool {
    (&other.scope, &other.control) == (&item.scope, &item.control)
        && (other.finding.resource == item.finding.resource || other.finding.resource.is_empty())
}

/// A field's path without places in lists: a rule that names one resource stands elsewhere than the rule it came from.
pub(super) fn place(path: &str) -> String {
    let kept = path.split('/').filter(|part| part.parse::<usize>().is_err());
    kept.collect::<Vec<_>>().join("/")
}
