//! What a person allows by name: dangers, and the words for them.

use std::str::FromStr;

use wildmatch::WildMatch;

use crate::control::{Change, Direction, Risk, Step};
use crate::plan::Item;

/// What a person allowed on the command line: `weakening:payments-api`, `irreversible:acme-logs-*`, `shrink`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    pub what: Danger,
    /// A resource, or for `backwards` an account; `*` and `?` as in file names.
    pub which: Option<String>,
}

/// What needs to be allowed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    Disruptive,
    /// Reaches every account of the organisation.
    Organization,
    Destructive,
    Irreversible,
    /// Lowers security against what is live.
    Weakening,
    /// The desired state lost more than a few accounts, or a seat.
    Shrink,
    /// The desired state is older than what was last applied to an account.
    Backwards,
    /// More of all settings at once than `guards.percentOfResources`.
    Percent,
    /// More resources at once than `guards.resourcesAtOnce`.
    Resources,
    /// Touches what is outside of its account and region.
    Region,
    /// The roles that we work with could no longer manage it.
    Lockout,
    /// Something in the same account and region could not be observed.
    Incomplete,
    /// Outside of every maintenance window.
    Window,
}

impl Danger {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Disruptive, "disruptive"),
        (Self::Organization, "organization"),
        (Self::Destructive, "destructive"),
        (Self::Irreversible, "irreversible"),
        (Self::Weakening, "weakening"),
        (Self::Shrink, "shrink"),
        (Self::Backwards, "backwards"),
        (Self::Percent, "percent"),
        (Self::Resources, "resources"),
        (Self::Region, "region"),
        (Self::Lockout, "lockout"),
        (Self::Incomplete, "incomplete"),
        (Self::Window, "window"),
    ];

    /// The word on the command line and in the YAML.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(danger, _)| *danger == self).map_or("", |(_, word)| word)
    }

    /// What a change with this danger is or does: the end of a sentence.
    pub(super) fn said(self) -> String {
        match self {
            Self::Organization => "reaches accounts of the whole organisation".to_owned(),
            Self::Region => "reaches beyond its region".to_owned(),
            other => format!("is {}", other.word()),
        }
    }

    fn takes_a_name(self) -> bool {
        !matches!(self, Self::Shrink | Self::Percent | Self::Resources | Self::Window)
    }

    /// What a change is, beside the ordinary. A change can be two of them.
    pub fn of(item: &Item) -> impl Iterator<Item = Self> {
        let change = item.finding.change();
        // A call to AWS Organizations reaches all of it, whatever the control says of its change.
        let reaches =
            |change: &Change<Step>| change.steps.iter().any(|step| step.call.starts_with("organizations:"));
        let risk = change.and_then(|change| match change.risk {
            Risk::Safe | Risk::Disruptive if reaches(change) => Some(Self::Organization),
            Risk::Safe => None,
            Risk::Disruptive => Some(Self::Disruptive),
            Risk::Organization => Some(Self::Organization),
            Risk::Destructive => Some(Self::Destructive),
            Risk::Irreversible => Some(Self::Irreversible),
        });
        let weakens =
            change.is_some_and(|change| change.direction == Direction::Weakens).then_some(Self::Weakening);
        risk.into_iter().chain(weakens)
    }
}

impl FromStr for Allow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, which) = match text.split_once(':') {
            Some((word, which)) => (word, Some(which)),
            None => (text, None),
        };
        let Some((what, _)) = Danger::WORDS.iter().copied().find(|(_, known)| *known == word) else {
            let words: Vec<&str> = Danger::WORDS.iter().map(|(_, word)| *word).collect();
            return Err(format!("`{word}` is not one of {}", words.join(", ")));
        };
        match (what.takes_a_name(), which) {
            (true, None | Some("")) => {
                Err(format!("name what is allowed: `{word}:RESOURCE`; `{word}:*` allows all of it"))
            }
            (false, Some(_)) => Err(format!("`{word}` takes no name")),
            _ => Ok(Self { what, which: which.map(str::to_owned) }),
        }
    }
}

impl Allow {
    /// Is this danger allowed, for that resource or account?
    pub fn covers(&self, danger: Danger, name: &str) -> bool {
        self.what == danger && self.which.as_deref().is_none_or(|glob| WildMatch::new(glob).matches(name))
    }
}

/// A word as a person can paste it into a shell: in quotes where it needs them.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_named() {
        assert_eq!(
            "weakening:api-*".parse(),
            Ok(Allow { what: Danger::Weakening, which: Some("api-*".into()) })
        );
        assert_eq!("shrink".parse(), Ok(Allow { what: Danger::Shrink, which: None }));
        for (text, says) in [
            ("weakening", "name what is allowed: `weakening:RESOURCE`; `weakening:*` allows all of it"),
            ("weakening:", "name what is allowed: `weakening:RESOURCE`; `weakening:*` allows all of it"),
            ("shrink:x", "`shrink` takes no name"),
        ] {
            assert_eq!(text.parse::<Allow>(), Err(says.to_owned()), "{text}");
        }
        assert!("everything".parse::<Allow>().is_err());
    }

    #[test]
    fn hints_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("weakening:payments/api"), "weakening:payments/api");
        assert_eq!(quoted("weakening:api-*"), "'weakening:api-*'");
        assert_eq!(quoted("backwards:it's mine"), r"'backwards:it'\''s mine'");
    }

    #[test]
    fn an_allowance_covers_what_it_names_and_nothing_else() {
        let allow: Allow = "weakening:api-*".parse().expect("well formed");
        assert!(allow.covers(Danger::Weakening, "api-1"));
        assert!(!allow.covers(Danger::Weakening, "web"));
        assert!(!allow.covers(Danger::Destructive, "api-1"));
    }
}
