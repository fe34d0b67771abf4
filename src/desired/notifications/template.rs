//! One event in a line, as people want to read it: text with placeholders, checked when the document is read.

use crate::desired::node::Node;
use crate::desired::read::{self, Problems};
use crate::diagnostic::Diagnostic;

/// The longest template.
const LONGEST: usize = 500;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The word of the event: `drift`.
    Event,
    Organization,
    /// The account's name.
    Account,
    AccountId,
    Region,
    Control,
    Rule,
    Resource,
    /// One word for programs: `ObserveOnly`.
    Reason,
    /// What is the matter: `detector: enabled true → false`.
    What,
    /// Since when: `2026-11-26 10:00 UTC`.
    Since,
    /// The run that looked: the name of its sessions in CloudTrail.
    Run,
    /// Who did it, where CloudTrail tells; of an exception, its owner.
    Who,
}

impl Placeholder {
    const ALL: [(&'static str, Self); 13] = [
        ("event", Self::Event),
        ("organization", Self::Organization),
        ("account", Self::Account),
        ("accountId", Self::AccountId),
        ("region", Self::Region),
        ("control", Self::Control),
        ("rule", Self::Rule),
        ("resource", Self::Resource),
        ("reason", Self::Reason),
        ("what", Self::What),
        ("since", Self::Since),
        ("run", Self::Run),
        ("who", Self::Who),
    ];
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// Text and placeholders, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub Vec<Part>);

pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Template> {
    let text = read::text(node, problems)?;
    let at = |title: String| Diagnostic::error(title).at(text.span);
    if text.value.chars().count() > LONGEST || text.value.chars().any(char::is_control) {
        problems.push(at(format!("a template is one line of at most {LONGEST} characters")));
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = text.value.as_str();
    let wrong = problems.len();
    loop {
        let Some(open) = rest.find(['{', '}']) else {
            parts.push(Part::Text(rest.to_owned()));
            break;
        };
        parts.push(Part::Text(rest[..open].to_owned()));
        let Some((name, after)) = rest[open..].strip_prefix('{').and_then(|inside| inside.split_once('}'))
        else {
            problems.push(
                at("a brace is not closed, or not opened".into())
                    .help("braces stand around placeholders only"),
            );
            break;
        };
        match Placeholder::ALL.iter().find(|(word, _)| *word == name) {
            Some((_, placeholder)) => parts.push(Part::Placeholder(*placeholder)),
            None => {
                let known: Vec<String> =
                    Placeholder::ALL.iter().map(|(word, _)| format!("{{{word}}}")).collect();
                problems.push(
                    at(format!("unknown placeholder `{{{name}}}`"))
                        .suggest(name, Placeholder::ALL.iter().map(|(word, _)| *word))
                        .help(format!("there are {}", read::names(&known))),
                );
            }
        }
        rest = after;
    }
    parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
    (problems.len() == wrong).then_some(Template(parts))
}
