//! The merged document of one account, as YAML that can be read back.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::desired::control::{Mode, OnConflict, RegionWord};
use crate::desired::model::Managed;
use crate::desired::node;
use crate::desired::resolve::{AccountStanding, DesiredAccount, DesiredControl};
use crate::desired::written::{DocumentName, Written};
use crate::diagnostic::printable;

/// What is wanted of an account, everything merged. With `origin`, each line that somebody wrote ends with
/// `# file:line:column`.
pub fn render(account: &DesiredAccount, origin: bool) -> String {
    let mut page = Page { out: String::new(), origin, notes: &NO_NOTES, of: "" };
    page.line(0, &format!("# {} ({})", printable(&account.name), account.id), None);
    if let AccountStanding::NotTried { why } = &account.state {
        page.line(0, &format!("# not tried: {}", printable(why)), None);
    }
    for (key, value) in [("apiVersion", "baseline/v1"), ("kind", "Account")] {
        page.line(0, &format!("{key}: {value}"), None);
    }
    page.line(0, "metadata:", None);
    page.line(1, &format!("name: {}", scalar(&Value::from(&*account.name))), None);
    page.line(0, "spec:", None);
    page.line(1, &format!("id: \"{}\"", account.id), None);
    page.line(1, "regions:", None);
    page.line(2, &format!("home: {}", scalar(&Value::from(account.home.as_str()))), None);
    let managed = match &account.managed {
        Managed::AllEnabled => "all-enabled".to_owned(),
        Managed::Listed(regions) => {
            flow(&regions.iter().map(|region| Value::from(region.as_str())).collect::<Vec<_>>())
        }
    };
    page.line(2, &format!("managed: {managed}"), None);
    if !account.except.is_empty() {
        page.line(2, "except:", None);
        for (region, why) in &account.except {
            page.line(3, &format!("{}: {}", key(region), scalar(&Value::from(why.as_str()))), None);
        }
    }
    if let Some(suspend) = &account.suspend {
        page.line(1, "suspend:", None);
        if let Some(until) = &suspend.until {
            page.line(2, &format!("until: {}", until.value), None);
        }
        page.line(2, &format!("reason: {}", scalar(&Value::from(suspend.reason.as_str()))), None);
    }
    page.line(1, if account.controls.is_empty() { "controls: {}" } else { "controls:" }, None);
    for (id, control) in account.controls.iter() {
        page.control(id, control);
    }
    page.out
}

/// Controls as a document of their own, to be merged into the one of that name. `head` is said above it, a comment a
/// line.
pub fn fragment(head: &[String], document: &DocumentName, written: &Written) -> String {
    let (kind, name, id) = match document {
        DocumentName::Organization { name } => ("Organization", name, None),
        DocumentName::Account { name, id } => ("Account", name, Some(id)),
    };
    let mut page = Page { out: String::new(), origin: false, notes: &written.notes, of: "" };
    for line in head {
        page.comment(0, line);
    }
    for (key, value) in [("apiVersion", "baseline/v1"), ("kind", kind)] {
        page.line(0, &format!("{key}: {value}"), None);
    }
    page.line(0, "metadata:", None);
    page.line(1, &format!("name: {}", scalar(&Value::from(name.as_str()))), None);
    page.line(0, "spec:", None);
    if let Some(id) = id {
        page.line(1, &format!("id: \"{id}\""), None);
    }
    page.line(1, if written.is_empty() { "controls: {}" } else { "controls:" }, None);
    for (id, (control, reason)) in &written.controls {
        page.of = id;
        page.notes_at(2, "");
        match control {
            Some(control) => page.control(id, control),
            None => {
                page.line(2, &format!("{}:", key(id)), None);
                page.line(3, "mode: unmanaged", None);
                page.line(3, &format!("reason: {}", scalar(&Value::from(reason.as_str()))), None);
            }
        }
    }
    page.out
}

struct Page<'a> {
    out: String,
    origin: bool,
    /// Comments, by control and field.
    notes: &'a BTreeMap<(String, String), Vec<String>>,
    /// The control that is being written.
    of: &'a str,
}

static NO_NOTES: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();

impl Page<'_> {
    fn comment(&mut self, depth: usize, text: &str) {
        self.line(depth, &format!("# {}", printable(text)), None);
    }

    fn notes_at(&mut self, depth: usize, pointer: &str) {
        let Some(notes) = self.notes.get(&(self.of.to_owned(), pointer.to_owned())) else { return };
        for note in notes {
            self.comment(depth, note);
        }
    }

    fn line(&mut self, depth: usize, text: &str, origin: Option<&crate::diagnostic::Position>) {
        let indent = depth * 2;
        // Writing to a `String` cannot fail.
        let _ = match origin.filter(|_| self.origin) {
            Some(origin) => writeln!(self.out, "{:indent$}{text} # {}", "", printable(&origin.to_string())),
            None => writeln!(self.out, "{:indent$}{text}", ""),
        };
    }

    fn control(&mut self, id: &str, control: &DesiredControl) {
        let mut words = Vec::new();
        if control.mode == Mode::Observe {
            words.push(("mode", "observe".to_owned()));
        }
        if control.on_conflict == OnConflict::Fail {
            words.push(("onConflict", "fail".to_owned()));
        }
        if let Some(regions) = &control.regions {
            let codes: Vec<Value> = regions
                .iter()
                .map(|region| match region {
                    RegionWord::Home => Value::from("home"),
                    RegionWord::Code(code) => Value::from(code.as_str()),
                })
                .collect();
            words.push(("regions", flow(&codes)));
        }
        if let Some(reason) = &control.reason {
            words.push(("reason", scalar(&Value::from(reason.as_str()))));
        }
        let empty = control.spec.as_object().is_some_and(serde_json::Map::is_empty) && words.is_empty();
        self.line(2, &format!("{}:{}", key(id), if empty { " {}" } else { "" }), None);
        for (word, value) in words {
            self.line(3, &format!("{word}: {value}"), control.word_origins.get(word));
        }
        if let Value::Object(map) = &*control.spec {
            for (name, value) in map {
                self.field(3, &key(name), value, &node::child("", name), control);
            }
        }
    }

    fn field(&mut self, depth: usize, name: &str, value: &Value, pointer: &str, control: &DesiredControl) {
        let origin = control.origins.get(pointer);
        if depth >= 3 {
            self.notes_at(depth, pointer);
        }
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.line(depth, &format!("{name}:"), origin);
                for (inner, value) in map {
                    self.field(depth + 1, &key(inner), value, &node::child(pointer, inner), control);
                }
            }
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                self.line(depth, &format!("{name}:"), origin);
                for (index, item) in items.iter().enumerate() {
                    self.item(depth, item, &node::child(pointer, &index.to_string()), control);
                }
            }
            _ => self.line(depth, &format!("{name}: {}", inline(value)), origin),
        }
    }

    /// A member of a list: its first field stands on the line of the dash.
    fn item(&mut self, depth: usize, item: &Value, pointer: &str, control: &DesiredControl) {
        match item {
            Value::Object(map) if !map.is_empty() => {
                for (index, (name, value)) in map.iter().enumerate() {
                    let start = self.out.len();
                    self.field(depth + 1, &key(name), value, &node::child(pointer, name), control);
                    if index == 0 {
                        self.out.replace_range(start + depth * 2..start + depth * 2 + 1, "-");
                    }
                }
            }
            _ => self.line(depth, &format!("- {}", inline(item)), control.origins.get(pointer)),
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => flow(items),
        Value::Object(map) if map.is_empty() => "{}".into(),
        // Only reached inside a list of lists; JSON is YAML.
        Value::Object(_) => value.to_string(),
        _ => scalar(value),
    }
}

fn flow(items: &[Value]) -> String {
    format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
}

fn key(name: &str) -> String {
    scalar(&Value::from(name))
}

/// A scalar, in quotes unless it is a plain word that YAML reads as text. JSON's quoting is YAML's.
fn scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./ ()".contains(c));
    let word = ["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_lowercase().as_str());
    if starts && plain && !word && !text.ends_with(' ') {
        return text.clone();
    }
    // Control characters that JSON leaves alone would be refused by YAML, or steer a terminal.
    let quoted = value.to_string();
    quoted
        .chars()
        .map(|c| {
            if c.is_control() || printable(c.encode_utf8(&mut [0; 4])).len() > c.len_utf8() {
                format!("\\u{:04x}", u32::from(c))
            } else {
                c.to_string()
            }
        })
        .collect()
}
