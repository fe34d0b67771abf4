//! What changes of a web ACL mean for whoever asks and for whoever is protected.

use std::collections::BTreeSet;

use serde_json::Value;

use super::live::{Group, Seen};
use super::sets::half_of;
use super::spec::AclSpec;
use super::words::Action;
use crate::control::{Direction, Field, Sight};

/// What one changed field means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    pub direction: Direction,
    /// What may be kept away that is let through today: `the group AWSManagedRulesCommonRuleSet`.
    pub hinders: Option<String>,
}

/// Weighs what is to be changed. `after` is the spec with everything that is going to hold.
pub struct Scale<'a> {
    pub seen: &'a Seen,
    pub after: &'a AclSpec,
}

impl Scale<'_> {
    /// What a field means; `path` is within the web ACL's map.
    pub fn weigh(&self, field: &Field) -> Weight {
        let mut path = field.path.split('/').skip(1);
        let (kind, rule, leaf, part) = (path.next(), path.next(), path.next(), path.next());
        let is_new = rule.is_some_and(|rule| self.is_new(kind, rule));
        match (kind, leaf) {
            (Some("defaultAction"), _) => {
                let blocks = field.after == "block";
                let stricter = if blocks { Direction::Strengthens } else { Direction::Weakens };
                Weight {
                    direction: if self.seen.live.is_some() { stricter } else { Direction::Neutral },
                    hinders: blocks.then(|| "whatever no rule allows".into()),
                }
            }
            (Some("metrics" | "sampledRequests"), _) => self.plain(directed(field.after == true)),
            (Some("managed"), leaf) => self.managed(rule.unwrap_or_default(), leaf, part, field, is_new),
            (Some("networks"), Some(leaf)) => self.network(rule.unwrap_or_default(), leaf, field, is_new),
            (Some("rates"), Some(leaf)) => self.rate(rule.unwrap_or_default(), leaf, part, field, is_new),
            _ => self.plain(Direction::Neutral),
        }
    }

    fn is_new(&self, kind: Option<&str>, rule: &str) -> bool {
        let Some(live) = &self.seen.live else { return true };
        match kind {
            Some("managed") => !live.spec.managed.contains_key(rule),
            _ => !live.rules.contains_key(rule),
        }
    }

    fn plain(&self, direction: Direction) -> Weight {
        Weight { direction, hinders: None }
    }

    fn managed(
        &self,
        group: &str,
        leaf: Option<&str>,
        part: Option<&str>,
        field: &Field,
        is_new: bool,
    ) -> Weight {
        let spec = self.after.managed.get(group);
        let acts = spec.is_some_and(|spec| spec.mode == Some(super::words::Mode::Enforce));
        let hinders = |direction, when: bool| Weight {
            direction,
            hinders: (when && acts).then(|| format!("the group {group}")),
        };
        match (leaf, part) {
            // A new group that enforces is one thing, told once.
            (Some("mode"), _) => {
                hinders(directed(field.after == "enforce" || is_new), field.after == "enforce")
            }
            _ if is_new => self.plain(Direction::Strengthens),
            (Some("version"), _) => hinders(Direction::Neutral, true),
            (Some("overrides"), Some(rule)) => {
                let (old, new) =
                    (self.strength(group, rule, &field.before), self.strength(group, rule, &field.after));
                hinders(compared(old, new), new > old)
            }
            (Some("scopeDown"), Some(part)) => {
                let direction = narrowed(part, field);
                hinders(direction, direction != Direction::Weakens)
            }
            _ => self.plain(Direction::Neutral),
        }
    }

    /// How strong a rule of a group is with this override; `none` is what the group's rule does by itself.
    fn strength(&self, group: &str, rule: &str, word: &Value) -> u8 {
        let action = serde_json::from_value(word.clone()).unwrap_or(Action::None);
        let own = match self.seen.groups.get(group) {
            Some(Sight::Seen(Group::Offered { rules })) => rules.get(rule).copied().flatten(),
            _ => None,
        };
        match action {
            Action::None => own.unwrap_or(Action::Block).strength(),
            other => other.strength(),
        }
    }

    fn network(&self, rule: &str, leaf: &str, field: &Field, is_new: bool) -> Weight {
        let spec = self.after.networks.get(rule);
        let action: Action = spec.and_then(|spec| spec.action).map_or(Action::Count, Into::into);
        let hinders = |direction, when: bool| Weight {
            direction,
            hinders: (when && action.hinders()).then(|| format!("the rule {rule}")),
        };
        match leaf {
            "action" if is_new => hinders(self.new_rule(action), true),
            "action" => self.changed_action(rule, field),
            "lists" if is_new => self.plain(Direction::Neutral),
            "lists" => {
                let (old, new) = sides(field);
                let direction = match action {
                    Action::Count => Direction::Neutral,
                    Action::Allow => directed(new.is_subset(&old)),
                    _ => directed(new.is_superset(&old)),
                };
                hinders(direction, !new.is_subset(&old))
            }
            _ => self.plain(Direction::Neutral),
        }
    }

    fn rate(&self, rule: &str, leaf: &str, part: Option<&str>, field: &Field, is_new: bool) -> Weight {
        let spec = self.after.rates.get(rule);
        let action: Action = spec.and_then(|spec| spec.action).map_or(Action::Count, Into::into);
        let hinders = |direction, when: bool| Weight {
            direction,
            hinders: (when && action.hinders()).then(|| format!("the rule {rule}")),
        };
        match (leaf, part) {
            ("action", _) if is_new => hinders(self.new_rule(action), true),
            ("action", _) => self.changed_action(rule, field),
            _ if is_new => self.plain(Direction::Neutral),
            ("limit", _) => {
                let stricter = field.after.as_u64() < field.before.as_u64();
                hinders(directed(stricter), stricter)
            }
            // As many requests in more time.
            ("window", _) => {
                let stricter = field.after.as_u64() > field.before.as_u64();
                hinders(directed(stricter), stricter)
            }
            ("forwardedHeader", _) => hinders(Direction::Neutral, true),
            ("scopeDown", Some(part)) => {
                let direction = narrowed(part, field);
                hinders(direction, direction != Direction::Weakens)
            }
            _ => self.plain(Direction::Neutral),
        }
    }

    /// A rule that lets through comes before others that would not.
    fn new_rule(&self, action: Action) -> Direction {
        match action {
            Action::Allow if self.seen.live.is_some() => Direction::Weakens,
            Action::Allow => Direction::Neutral,
            _ => Direction::Strengthens,
        }
    }

    fn changed_action(&self, rule: &str, field: &Field) -> Weight {
        let action = |value: &Value| serde_json::from_value::<Action>(value.clone()).ok();
        let (old, new) = (action(&field.before), action(&field.after));
        let strength = |one: Option<Action>| one.map_or(Action::Block.strength(), Action::strength);
        Weight {
            direction: compared(strength(old), strength(new)),
            hinders: new
                .filter(|new| new.hinders() && strength(Some(*new)) > strength(old))
                .map(|_| format!("the rule {rule}")),
        }
    }
}

fn directed(stronger: bool) -> Direction {
    if stronger { Direction::Strengthens } else { Direction::Weakens }
}

fn compared(old: u8, new: u8) -> Direction {
    match new.cmp(&old) {
        std::cmp::Ordering::Greater => Direction::Strengthens,
        std::cmp::Ordering::Less => Direction::Weakens,
        std::cmp::Ordering::Equal => Direction::Neutral,
    }
}

fn set(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Before and after. A list that gets its first network of the other version of IP was half there, and grows.
fn sides(field: &Field) -> (BTreeSet<String>, BTreeSet<String>) {
    let (before, after) = (set(&field.before), set(&field.after));
    let grows =
        |name: &&String| half_of(name).is_some_and(|list| after.contains(list) && !before.contains(list));
    (before.iter().filter(|name| !grows(name)).cloned().collect(), after.clone())
}

/// Fewer requests looked at is weaker. An empty list is every request, of what fits and of what is left out alike.
fn narrowed(part: &str, field: &Field) -> Direction {
    if !field.before.is_array() {
        return Direction::Weakens;
    }
    let (old, new) = sides(field);
    let wider = if part.starts_with("except") {
        new.is_subset(&old)
    } else {
        new.is_empty() || (!old.is_empty() && new.is_superset(&old))
    };
    directed(wider)
}
