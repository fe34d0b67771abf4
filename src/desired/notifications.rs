//! `spec.notifications`: who is told what, while the program runs for ever.
//!
//! Whoever may write a document must not thereby reach secrets: the address of a webhook is one, so a document names
//! where it is kept, and only places that are kept for this program can be named.

mod template;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desired::document::selector;
use crate::desired::model::Selector;
use crate::desired::node::{Data, Node};
use crate::desired::read::{self, Fields, Problems, Spanned};
use crate::desired::regions;
use crate::desired::schema::{closed, list, named, selector as selector_schema};
use crate::diagnostic::Diagnostic;
use crate::place::{AccountId, Region};

pub use template::{Part, Placeholder, Template};

/// What the names of environment variables begin with that a document may name.
pub const PREFIX: &str = "BASELINE_";

/// Something that people may be told of. From what presses most to what presses least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Put right and changed back, again and again: it is left.
    Contested,
    /// Nothing goes on by itself: somebody has to do something.
    Stalled,
    /// It cannot be looked at, and that does not pass by itself.
    Unknown,
    /// A new task for a person.
    ManualTask,
    /// An exception or an attestation ends within two weeks.
    ExceptionEnding,
    /// Found otherwise than desired, and only observed.
    Drift,
    /// Found otherwise than desired, changed, and seen to hold.
    PutRight,
}

impl EventKind {
    pub const ALL: [Self; 7] = [
        Self::Contested,
        Self::Stalled,
        Self::Unknown,
        Self::ManualTask,
        Self::ExceptionEnding,
        Self::Drift,
        Self::PutRight,
    ];

    /// The word of documents and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Contested => "contested",
            Self::Stalled => "stalled",
            Self::Unknown => "unknown",
            Self::ManualTask => "manual-task",
            Self::ExceptionEnding => "exception-ending",
            Self::Drift => "drift",
            Self::PutRight => "put-right",
        }
    }
}

/// Somebody who is told.
#[derive(Clone, Debug)]
pub struct Notification {
    pub name: String,
    pub to: Channel,
    pub events: BTreeSet<EventKind>,
    /// Absent: what happens in every account.
    pub selector: Option<Selector>,
    /// How one event is written in a line. Absent: in the program's own words.
    pub template: Option<Template>,
}

/// How they are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    Sns(Topic),
    /// Whatever takes Slack's incoming webhooks: `{"text": "…"}`.
    Slack {
        url: SecretFrom,
    },
    /// JSON of `docs/schema/notification.json`.
    Webhook {
        url: SecretFrom,
        /// What messages are signed with.
        secret: Option<SecretFrom>,
    },
}

impl Channel {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Sns(_) => "sns",
            Self::Slack { .. } => "slack",
            Self::Webhook { .. } => "webhook",
        }
    }
}

/// An SNS topic, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub arn: String,
    pub region: Region,
}

impl Topic {
    /// Does it deliver in order, and each message once?
    pub fn is_fifo(&self) -> bool {
        self.arn.ends_with(".fifo")
    }
}

impl std::str::FromStr for Topic {
    type Err = &'static str;

    /// `arn:aws:sns:REGION:ACCOUNT:NAME`; 1 to 256 letters, digits, `-` and `_`, of which `.fifo` may be the end (SNS
    /// API reference, CreateTopic).
    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "`arn:aws:sns:REGION:ACCOUNT:NAME`";
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts.as_slice() else { return Err(SHAPE) };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_name = (1..=256).contains(&name.len()) && name.trim_end_matches(".fifo").chars().all(plain);
        let is_region = !region.is_empty() && region.chars().all(plain);
        if !is_name || !is_region || account.parse::<AccountId>().is_err() {
            return Err(SHAPE);
        }
        let region = Region::new(*region);
        if *partition != region.partition() {
            return Err("the partition of the region, such as `aws` or `aws-cn`, comes second");
        }
        Ok(Self { arn: arn.to_owned(), region })
    }
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// An environment variable of the program.
    Env(String),
    /// A file that the program can read: its text, without white space around it.
    File(PathBuf),
}

impl std::fmt::Display for SecretFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// Reads `spec.notifications`.
pub fn read(node: &Node, problems: &mut Problems) -> Vec<Notification> {
    let mut all: Vec<(Spanned<String>, Notification)> = Vec::new();
    read::list(node, problems, |node, problems| {
        let (name, one) = notification(node, problems)?;
        if let Some((first, _)) = all.iter().find(|(other, _)| other.value == name.value) {
            problems.push(
                Diagnostic::error(format!("two notifications are called `{}`", name.value))
                    .label(name.span, "here again")
                    .also(first.span, "first here")
                    .help("give one of them another name"),
            );
        } else {
            all.push((name, one));
        }
        Some(())
    });
    all.into_iter().map(|(_, one)| one).collect()
}

fn notification(node: &Node, problems: &mut Problems) -> Option<(Spanned<String>, Notification)> {
    let mut fields = Fields::of(node, problems)?;
    let name = fields.require("name", problems).and_then(|node| name(node, problems));
    let kinds = [("sns", Kind::Sns), ("slack", Kind::Slack), ("webhook", Kind::Webhook)];
    let kind = fields
        .require("kind", problems)
        .and_then(|node| read::word(node, &kinds, "a way of telling", problems));
    let to = kind.as_ref().and_then(|kind| channel(kind.value, node, &mut fields, name.as_ref(), problems));
    let events = fields.get("events").and_then(|node| events(node, problems));
    let selector = fields.get("where").and_then(|node| selector(node, problems));
    let template = fields.get("template").and_then(|node| template::read(node, problems));
    // Which fields there are depends on the kind: without one, no other error can be told from its want.
    if kind.is_some() {
        fields.done(problems);
    }
    let (name, to) = (name?, to?);
    let events = events.unwrap_or_else(|| EventKind::ALL.into());
    Some((name.clone(), Notification { name: name.value, to, events, selector, template }))
}

#[derive(Clone, Copy)]
enum Kind {
    Sns,
    Slack,
    Webhook,
}

fn channel(
    kind: Kind,
    node: &Node,
    fields: &mut Fields<'_>,
    name: Option<&Spanned<String>>,
    problems: &mut Problems,
) -> Option<Channel> {
    if matches!(kind, Kind::Sns) {
        return fields.require("topic", problems).and_then(|node| topic(node, problems)).map(Channel::Sns);
    }
    // An address may stand in any of them, by mistake.
    let all = ["url", "urlFrom", "secretFrom"];
    let is_said = |key: &&str| node.get(key).is_some_and(|entry| *key == "url" || says_address(&entry.value));
    if all.iter().any(is_said) {
        for key in all.into_iter().filter(|key| node.get(key).is_some()) {
            let _asked = fields.get(key);
        }
        problems.push(address_in_a_document(name));
        return None;
    }
    let url = fields.require("urlFrom", problems).and_then(|node| secret_from(node, problems));
    if matches!(kind, Kind::Slack) {
        return Some(Channel::Slack { url: url? });
    }
    let secret = fields.get("secretFrom").map(|node| secret_from(node, problems));
    // One that cannot be read is an error, and not unsigned messages.
    let secret = secret.map_or(Some(None), |secret| secret.map(Some));
    Some(Channel::Webhook { url: url?, secret: secret? })
}

/// Does an address stand anywhere in it?
fn says_address(node: &Node) -> bool {
    match &node.data {
        Data::Text(text) => text.contains("://"),
        _ => node.entries().iter().any(|entry| says_address(&entry.value)),
    }
}

/// Told at the name: the line of the address would be shown, in logs too.
fn address_in_a_document(name: Option<&Spanned<String>>) -> Diagnostic {
    let problem =
        Diagnostic::error("the address of a webhook is a secret, and does not belong into a document");
    let problem = match name {
        Some(name) => problem.at(name.span),
        None => problem,
    };
    problem
        .help("`urlFrom: {env: BASELINE_…}` or `urlFrom: {file: /…}` says where it is kept")
        .note("whoever can read the repository can read that address: have it replaced")
}

/// A name that can stand in logs and metrics.
fn name(node: &Node, problems: &mut Problems) -> Option<Spanned<String>> {
    let name = read::text(node, problems)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.value.len() > 63 || !name.value.chars().all(plain) {
        problems.push(
            Diagnostic::error("a notification's name is 1 to 63 letters, digits, `-`, `_` and `.`")
                .at(name.span),
        );
        return None;
    }
    Some(name)
}

fn topic(node: &Node, problems: &mut Problems) -> Option<Topic> {
    let text = read::text(node, problems)?;
    match text.value.parse::<Topic>() {
        Ok(topic) => {
            regions::warn_unknown(topic.region.as_str(), text.span, problems);
            Some(topic)
        }
        Err(help) => {
            let problem = Diagnostic::error(format!("`{}` is not the ARN of a topic", text.value));
            problems.push(problem.at(text.span).help(help));
            None
        }
    }
}

fn events(node: &Node, problems: &mut Problems) -> Option<BTreeSet<EventKind>> {
    let words = EventKind::ALL.map(|kind| (kind.word(), kind));
    let listed = read::list(node, problems, |node, problems| {
        read::word(node, &words, "something that happens", problems)
    })?;
    let is_empty = matches!(&node.data, Data::List(items) if items.is_empty());
    if is_empty {
        let problem = Diagnostic::error("nothing is told here").at(node.span);
        problems.push(problem.help("name some events, or leave `events` out: all of them"));
    }
    Some(listed.into_iter().map(|kind| kind.value).collect())
}

fn secret_from(node: &Node, problems: &mut Problems) -> Option<SecretFrom> {
    let mut fields = Fields::of(node, problems)?;
    let env = fields.get("env").map(|node| variable(node, problems));
    let file = fields.get("file").map(|node| file(node, problems));
    fields.done(problems);
    match (env, file) {
        (Some(env), None) => env.map(SecretFrom::Env),
        (None, Some(file)) => file.map(SecretFrom::File),
        (None, None) | (Some(_), Some(_)) => {
            problems.push(
                Diagnostic::error("a secret is kept in one place")
                    .at(node.span)
                    .help("`{env: BASELINE_…}`, or `{file: /…}`"),
            );
            None
        }
    }
}

fn variable(node: &Node, problems: &mut Problems) -> Option<String> {
    let name = read::text(node, problems)?;
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if !name.value.starts_with(PREFIX) || name.value == PREFIX || !name.value.chars().all(plain) {
        problems.push(
            Diagnostic::error(format!("`{}` is not a variable that is read", name.value))
                .at(name.span)
                .help(format!("its name begins with `{PREFIX}`, in capital letters, digits and `_`"))
                .note("others hold secrets that are not for documents to name"),
        );
        return None;
    }
    Some(name.value)
}

fn file(node: &Node, problems: &mut Problems) -> Option<PathBuf> {
    let path = read::text(node, problems)?;
    let is_plain =
        |path: &Path| path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let found = PathBuf::from(&path.value);
    if !found.is_absolute() || !is_plain(&found) || path.value.chars().any(char::is_control) {
        problems.push(
            Diagnostic::error("a file with a secret is named by its whole path")
                .at(path.span)
                .help("`/run/secrets/…`; it does not lie beside the documents, and `..` is not taken"),
        );
        return None;
    }
    Some(found)
}

/// The JSON Schema of `spec.notifications`.
pub fn schema() -> Value {
    let words: Vec<&str> = EventKind::ALL.into_iter().map(EventKind::word).collect();
    let secret = |description: &str| {
        json!({
            "description": description,
            "oneOf": [
                closed(json!({ "env": { "type": "string", "pattern": "^BASELINE_[A-Z0-9_]+$" } }), &["env"]),
                closed(json!({ "file": { "type": "string", "pattern": "^/" } }), &["file"]),
            ],
        })
    };
    let one = closed(
        json!({
            "name": { "type": "string", "pattern": "^[A-Za-z0-9._-]{1,63}$", "description": "Unique; stands in logs and metrics." },
            "kind": { "enum": ["sns", "slack", "webhook"] },
            "topic": { "type": "string", "pattern": "^arn:", "description": "Of an SNS topic: its ARN." },
            "urlFrom": secret("Where the address of the webhook is kept."),
            "secretFrom": secret("Where the secret is kept that messages to a webhook are signed with."),
            "events": {
                "type": "array", "minItems": 1, "items": { "enum": words },
                "description": "What is told; absent: everything.",
            },
            "where": selector_schema(),
            "template": named("One event in a line, with placeholders such as {account} and {what}."),
        }),
        &["name", "kind"],
    );
    let mut one = one;
    let kind = |word: &str, needs: &str| json!({ "if": { "properties": { "kind": { "const": word } } }, "then": { "required": [needs] } });
    one["allOf"] = json!([kind("sns", "topic"), kind("slack", "urlFrom"), kind("webhook", "urlFrom")]);
    let mut all = list(one);
    all["description"] = json!("Who is told what happens while the program runs for ever.");
    all
}
