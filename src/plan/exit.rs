//! Exit codes: one type, one table, printed by `--help`.

use super::Outcome;

/// What a run as a whole exits with. When several hold, [`Exit::worse`] says which one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// A write or its verification failed, the YAML is wrong, or the answer was not `yes`.
    Failed = 1,
    /// With `--detailed-exitcode`: something is left to do, by hand or in progress. Of `drift`: something is no longer
    /// as it was last applied.
    Differs = 2,
    /// A guard refused, an account was not the one that the YAML names, or a change had moved.
    Refused = 3,
    /// Something could not be observed.
    Incomplete = 4,
    /// Only of `drift`: everything is as it was last applied, and the documents say something that was not.
    Unapplied = 5,
    /// Wrong usage, or a terminal is needed and there is none.
    Usage = 64,
    /// The first Ctrl-C: the step in hand was finished, the rest not done.
    Interrupted = 130,
}

impl Exit {
    /// As printed by `--help`.
    pub const TABLE: &'static [(Self, &'static str)] = &[
        (Self::Done, "done, or nothing to do"),
        (
            Self::Failed,
            "a write failed or was not seen to hold, the YAML is wrong, or the answer was not `yes`",
        ),
        (
            Self::Differs,
            "with --detailed-exitcode: something is left to do, by hand or in progress; of drift: something is \
             no longer as it was last applied",
        ),
        (
            Self::Refused,
            "a guard refused, an account was not the one named, or a change had moved since it was planned",
        ),
        (Self::Incomplete, "something could not be observed"),
        (Self::Unapplied, "of drift: all is as last applied, and something desired was never applied"),
        (Self::Usage, "wrong usage, or a terminal is needed and there is none"),
        (Self::Interrupted, "interrupted: the step in hand was finished, the rest not done"),
    ];

    pub fn code(self) -> u8 {
        self as u8
    }

    fn rank(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unapplied => 1,
            Self::Differs => 2,
            Self::Incomplete => 3,
            Self::Refused => 4,
            Self::Failed => 5,
            Self::Interrupted => 6,
            Self::Usage => 7,
        }
    }

    /// The one of two that wins: 64 over 130 over 1 over 3 over 4 over 2 over 5 over 0.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// What outcomes alone lead to: unknown outranks differences, because it may hide more.
pub fn exit_of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>, detailed: bool) -> Exit {
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Unknown => Exit::Incomplete,
            Outcome::Change
            | Outcome::ObserveOnly
            | Outcome::Manual
            | Outcome::Progressing
            | Outcome::Blocked { .. }
                if detailed =>
            {
                Exit::Differs
            }
            _ => Exit::Done,
        })
        .fold(Exit::Done, Exit::worse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_as_decided() {
        let order = [
            Exit::Usage,
            Exit::Interrupted,
            Exit::Failed,
            Exit::Refused,
            Exit::Incomplete,
            Exit::Differs,
            Exit::Unapplied,
            Exit::Done,
        ];
        for (place, winner) in order.iter().enumerate() {
            for loser in &order[place..] {
                assert_eq!(winner.worse(*loser), *winner);
                assert_eq!(loser.worse(*winner), *winner);
            }
        }
        assert_eq!(Exit::TABLE.len(), order.len());
    }

    #[test]
    fn unknown_exits_4_with_or_without_the_flag() {
        assert_eq!(exit_of([&Outcome::Change, &Outcome::Unknown], true), Exit::Incomplete);
        assert_eq!(exit_of([&Outcome::Unknown], false), Exit::Incomplete);
        assert_eq!(exit_of([&Outcome::Change], false), Exit::Done);
        assert_eq!(exit_of([&Outcome::Progressing], true), Exit::Differs);
        let excepted = Outcome::Excepted { exception: "x".into() };
        assert_eq!(exit_of([&excepted, &Outcome::Foreign, &Outcome::NotOffered], true), Exit::Done);
    }
}
