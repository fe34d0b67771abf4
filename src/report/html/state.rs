//! How a setting stands, as a sign, a word and a colour. The signs are those of the plan's text.

use crate::control::ChangeKind;
use crate::plan::{Item, Outcome, Plan};

/// Worst first: of several in one cell, the first is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Unknown,
    /// Put right, and changed back by somebody else again and again: only a controller knows that.
    Contested,
    Manual,
    Blocked,
    /// A change that is not made: refused, failed, or not seen to hold. Only a controller knows that.
    Stalled,
    Update,
    Create,
    Progressing,
    ObserveOnly,
    Excepted,
    Foreign,
    InSync,
    NotOffered,
}

impl State {
    pub(super) fn of(item: &Item) -> Self {
        match item.outcome {
            Outcome::InSync => Self::InSync,
            Outcome::Change => match item.finding.change().map(|change| change.kind) {
                Some(ChangeKind::Create) => Self::Create,
                Some(ChangeKind::Update) | None => Self::Update,
            },
            Outcome::ObserveOnly => Self::ObserveOnly,
            Outcome::Manual => Self::Manual,
            Outcome::Progressing => Self::Progressing,
            Outcome::Blocked { .. } => Self::Blocked,
            Outcome::Excepted { .. } => Self::Excepted,
            Outcome::Foreign => Self::Foreign,
            Outcome::NotOffered => Self::NotOffered,
            Outcome::Unknown => Self::Unknown,
        }
    }

    pub(super) const ALL: [Self; 13] = [
        Self::Unknown,
        Self::Contested,
        Self::Manual,
        Self::Blocked,
        Self::Stalled,
        Self::Update,
        Self::Create,
        Self::Progressing,
        Self::ObserveOnly,
        Self::Excepted,
        Self::Foreign,
        Self::InSync,
        Self::NotOffered,
    ];

    /// The state of a sign. A sign that this build does not know is not known.
    pub fn of_sign(sign: char) -> Self {
        Self::ALL.into_iter().find(|state| state.sign().starts_with(sign)).unwrap_or(Self::Unknown)
    }

    pub fn sign(self) -> &'static str {
        match self {
            Self::Unknown => "?",
            Self::Contested => "×",
            Self::Manual => "!",
            Self::Blocked => "#",
            Self::Stalled => "=",
            Self::Update => "~",
            Self::Create => "+",
            Self::Progressing => "…",
            Self::ObserveOnly => "o",
            Self::Excepted => "e",
            Self::Foreign => "l",
            Self::InSync => "✓",
            Self::NotOffered => "n",
        }
    }

    /// The words of the plan's totals.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Unknown => "not known",
            Self::Contested => "contested",
            Self::Manual => "by hand",
            Self::Blocked => "blocked",
            Self::Stalled => "stalled",
            Self::Update => "to change",
            Self::Create => "to create",
            Self::Progressing => "in progress",
            Self::ObserveOnly => "observed only",
            Self::Excepted => "excepted",
            Self::Foreign => "left alone",
            Self::InSync => "in sync",
            Self::NotOffered => "not offered",
        }
    }

    /// The class that the style sheet has a colour for.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Unknown => "s unknown",
            Self::Contested => "s contested",
            Self::Manual => "s manual",
            Self::Blocked => "s blocked",
            Self::Stalled => "s stalled",
            Self::Update => "s update",
            Self::Create => "s create",
            Self::Progressing => "s progressing",
            Self::ObserveOnly => "s observed",
            Self::Excepted => "s excepted",
            Self::Foreign => "s foreign",
            Self::InSync => "s sync",
            Self::NotOffered => "s absent",
        }
    }
}

/// How many settings stand how; those of none are left out. Together they are all of them.
pub(super) fn counts(plan: &Plan) -> Vec<(State, usize)> {
    let totals = &plan.totals;
    let creates = plan.items.iter().filter(|item| State::of(item) == State::Create).count();
    let counts = [
        (State::Unknown, totals.unknown),
        (State::Manual, totals.manual),
        (State::Blocked, totals.blocked),
        (State::Update, totals.change.saturating_sub(creates)),
        (State::Create, creates),
        (State::Progressing, totals.progressing),
        (State::ObserveOnly, totals.observe_only),
        (State::Excepted, totals.excepted),
        (State::Foreign, totals.foreign),
        (State::InSync, totals.in_sync),
        (State::NotOffered, totals.not_offered),
    ];
    counts.into_iter().filter(|(_, n)| *n > 0).collect()
}
