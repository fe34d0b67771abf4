//! A control as a document declares it: the shared words, and a spec that fits the control's type.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::{Accounts, ErasedControl};
use crate::desired::model::Declared;
use crate::desired::node::{Data, Entry, Node};
use crate::desired::read::{self, Problems};
use crate::desired::{regions, shape, template};
use crate::diagnostic::{Diagnostic, Span};
use crate::place::Region;
use crate::pointer;

/// Every control that documents may name.
pub type Controls = &'static [&'static dyn ErasedControl];

/// Words that every control takes beside its spec. `inRegion` is kept for later.
pub const SHARED: [&str; 4] = ["mode", "onConflict", "regions", "reason"];
const RESERVED: &str = "inRegion";

/// Misfits told of one control in one document; a person mends these and looks again.
const MOST_MISFITS: usize = 20;

/// What to do about a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    #[default]
    Enforce,
    /// Say it, change nothing.
    Observe,
}

/// What to do about a resource that is there already and that nobody said was ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnConflict {
    #[default]
    Adopt,
    Fail,
}

/// Where a control runs, of the account's managed regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RegionWord {
    /// The account's home region, whichever that is.
    Home,
    Code(Region),
}

impl RegionWord {
    pub fn read(word: &str) -> Self {
        if word == "home" { Self::Home } else { Self::Code(Region::new(word)) }
    }

    pub fn means(&self, region: &Region, home: &Region) -> bool {
        match self {
            Self::Home => region == home,
            Self::Code(code) => region == code,
        }
    }
}

/// Which document a control may be declared in, by its reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// `Organization.spec.controls`: controls that run in one seat's account.
    Organization,
    /// Baselines and Accounts: all others.
    Account,
}

/// The control with this id.
pub fn find(id: &str, known: Controls) -> Option<&'static dyn ErasedControl> {
    known.iter().copied().find(|control| control.meta().id == id)
}

pub fn unknown(id: &str, span: Span, known: Controls) -> Diagnostic {
    Diagnostic::error(format!("unknown control `{id}`"))
        .at(span)
        .suggest(id, known.iter().map(|control| control.meta().id))
        .help("`baseline explain` lists all controls")
}

/// The `controls` of one document.
pub fn read_all(node: Option<&Node>, known: Controls, home: Home, problems: &mut Problems) -> Vec<Declared> {
    let Some(node) = node else { return Vec::new() };
    if !matches!(node.data, Data::Map(_)) {
        problems.push(read::wrong_type(node, "a map of controls"));
    }
    node.entries().iter().filter_map(|entry| declared(entry, known, home, problems)).collect()
}

fn declared(entry: &Entry, known: Controls, home: Home, problems: &mut Problems) -> Option<Declared> {
    let Some(control) = find(&entry.key, known) else {
        problems.push(unknown(&entry.key, entry.span, known));
        return None;
    };
    let id = &entry.key;
    match (control.meta().reach.accounts, home) {
        (Accounts::Each, Home::Organization) => problems.push(
            Diagnostic::error(format!("`{id}` runs in every account"))
                .at(entry.span)
                .help("declare it in a Baseline or an Account"),
        ),
        (Accounts::Seat(seat), Home::Account) => problems.push(
            Diagnostic::error(format!("`{id}` runs once, in the account of the seat {seat}"))
                .at(entry.span)
                .help("declare it under `spec.controls` of the Organization"),
        ),
        _ => {}
    }
    if !matches!(entry.value.data, Data::Map(_)) {
        let problem = read::wrong_type(&entry.value, "a map");
        problems.push(match entry.value.data {
            Data::Null => problem.help("`mode: unmanaged` takes an inherited control out"),
            _ => problem.help(format!("`baseline explain {id}` lists all fields")),
        });
        return None;
    }
    let reason = words(&entry.value, problems);
    check_spec(control, &entry.value, problems);
    Some(Declared { id: id.clone(), span: entry.span, node: entry.value.clone(), reason })
}

/// Checks the shared words and gives the reason.
fn words(node: &Node, problems: &mut Problems) -> Option<read::Spanned<String>> {
    let said = |word: &str| node.get(word).map(|entry| &entry.value).filter(|value| value.data != Data::Null);
    if let Some(mode) = said("mode") {
        let modes = [("enforce", ()), ("observe", ()), ("unmanaged", ())];
        read::word(mode, &modes, "a mode", problems);
    }
    if let Some(conflict) = said("onConflict") {
        read::word(conflict, &[("adopt", ()), ("fail", ())], "an answer to a conflict", problems);
    }
    if let Some(list) = said("regions") {
        let codes = read::list(list, problems, read::text);
        if codes.as_ref().is_some_and(Vec::is_empty) {
            problems.push(
                Diagnostic::error("no region is listed").at(list.span).help("`mode: unmanaged` says nowhere"),
            );
        }
        for code in codes.into_iter().flatten().filter(|code| code.value != "home") {
            regions::warn_unknown(&code.value, code.span, problems);
        }
    }
    if let Some(reserved) = node.get(RESERVED) {
        problems
            .push(Diagnostic::error(format!("`{RESERVED}` is kept for a later version")).at(reserved.span));
    }
    said("reason").and_then(|reason| read::text(reason, problems))
}

/// The spec in a control's map: everything but the shared words.
pub fn spec_of(node: &Node) -> Node {
    let own = |entry: &&Entry| !SHARED.contains(&entry.key.as_str()) && entry.key != RESERVED;
    Node { span: node.span, data: Data::Map(node.entries().iter().filter(own).cloned().collect()) }
}

/// Everything in a spec that does not fit: each misfit is told, taken out, and the rest is tried again.
///
/// What is missing is not told: another document may say it.
fn check_spec(control: &dyn ErasedControl, node: &Node, problems: &mut Problems) {
    let spec = spec_of(node);
    let mut value = spec.to_json(false);
    let before = problems.len();
    for _ in 0..MOST_MISFITS {
        let Err(misfit) = control.check(&value) else { break };
        if misfit.message.starts_with("missing field") {
            break;
        }
        let (problem, pointer) = explain(control.meta().id, &spec, &misfit.path, &misfit.message);
        problems.push(problem);
        if !remove(&mut value, &pointer) {
            break;
        }
    }
    let schema = control.schema();
    if problems.len() == before {
        shape::check_bounds(&spec, schema.as_value(), problems);
    }
    template::check_spec(&spec, schema.as_value(), problems);
}

/// A misfit as a diagnostic, and the pointer to what has to go for the rest to be tried.
fn explain(id: &str, spec: &Node, path: &str, message: &str) -> (Diagnostic, String) {
    let explain = format!("`baseline explain {id}` lists all fields");
    if let Some((name, known)) = unknown_field(message) {
        let mut pointer = path.to_owned();
        if path.rsplit('/').next() != Some(name) || spec.locate_key(path).is_none() {
            pointer = crate::desired::node::child(path, name);
        }
        let span = spec.locate_key(&pointer).unwrap_or_else(|| spec.locate(path).span);
        let mut problem = Diagnostic::error(format!("unknown field `{name}`"))
            .at(span)
            .suggest(name, known.iter().copied());
        if problem.helps.is_empty() && !known.is_empty() {
            problem = problem.help(format!("known here: {}", read::names(&known)));
        }
        return (problem.help(explain), pointer);
    }
    let node = spec.locate(path);
    let problem = match (wanted(message), unknown_word(message)) {
        (Some(wanted), _) => read::wrong_type(node, wanted),
        (None, Some((word, known))) => Diagnostic::error(format!("`{word}` is not known here"))
            .at(node.span)
            .suggest(word, known.iter().copied())
            .help(format!("one of {}", read::names(&known))),
        (None, None) => Diagnostic::error(format!("{}: {message}", readable(path, id))).at(node.span),
    };
    (problem.help(explain), path.to_owned())
}

/// What serde's `invalid type: string "soon", expected u32` wanted, in the words of people who write YAML.
fn wanted(message: &str) -> Option<&'static str> {
    let (_, wanted) = message.strip_prefix("invalid type: ")?.rsplit_once("expected ")?;
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => Some("a whole number"),
        "a boolean" => Some("true or false"),
        "a string" => Some("text"),
        "a sequence" => Some("a list"),
        "a map" => Some("a map"),
        other if other.starts_with("struct ") => Some("a map"),
        _ => None,
    }
}

/// serde's ``unknown variant `a`, expected one of `b`, `c` ``, taken apart.
fn unknown_word(message: &str) -> Option<(&str, Vec<&str>)> {
    let (word, rest) = message.strip_prefix("unknown variant `")?.split_once('`')?;
    Some((word, rest.split('`').skip(1).step_by(2).collect()))
}

/// serde's ``unknown field `a`, expected one of `b`, `c` ``, taken apart.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    Some((name, rest.split('`').skip(1).step_by(2).collect()))
}

/// `/rules/0/scanOnPush` as `` `rules.0.scanOnPush` ``.
fn readable(path: &str, id: &str) -> String {
    let parts: Vec<String> = crate::desired::node::segments(path).collect();
    if parts.is_empty() { format!("`{id}`") } else { format!("`{}`", parts.join(".")) }
}

/// Takes out what a pointer names; a list's member takes the list along, whose other members would move.
fn remove(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return false };
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&pointer::unescaped(key)).is_some(),
        Some(Value::Array(_)) => remove(value, parent),
        _ => false,
    }
}
