//! An account's document as a program writes it: controls, each with a reason, and comments.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::desired::control::RegionWord;
use crate::desired::resolve::DesiredControl;
use crate::place::AccountId;
use crate::pointer;

/// The document that controls are to stand in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentName {
    /// Controls of a seat are declared here.
    Organization {
        name: String,
    },
    Account {
        name: String,
        id: AccountId,
    },
}

/// The controls of one document.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// By id; `None` for what is not to be managed.
    pub(super) controls: BTreeMap<String, (Option<DesiredControl>, String)>,
    /// By control and field (a JSON pointer; empty for the control).
    pub(super) notes: BTreeMap<(String, String), Vec<String>>,
}

impl Written {
    pub fn control(&mut self, id: &str, spec: Value, regions: Option<Vec<RegionWord>>, reason: &str) {
        let fixed = DesiredControl::fixed(Arc::new(spec));
        let control = DesiredControl { regions, reason: Some(reason.to_owned()), ..fixed };
        self.controls.insert(id.to_owned(), (Some(control), reason.to_owned()));
    }

    /// Takes a control out, whatever the baselines say.
    pub fn unmanaged(&mut self, id: &str, reason: &str) {
        self.notes.retain(|(of, pointer), _| of != id || pointer.is_empty());
        self.controls.insert(id.to_owned(), (None, reason.to_owned()));
    }

    /// A comment, said once.
    pub fn note(&mut self, id: &str, pointer: &str, text: &str) {
        let notes = self.notes.entry((id.to_owned(), pointer.to_owned())).or_default();
        if !notes.iter().any(|note| note == text) {
            notes.push(text.to_owned());
        }
    }

    /// A comment at each leaf of a spec: what is declared there otherwise.
    pub fn compare(&mut self, id: &str, said: &Value, declared: &Value, who_says: &str) {
        self.compare_at(id, said, declared, who_says, String::new());
    }

    fn compare_at(&mut self, id: &str, said: &Value, declared: &Value, who_says: &str, path: String) {
        match said {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    let declared = declared.get(key).unwrap_or(&Value::Null);
                    let path = format!("{path}/{}", pointer::escaped(key));
                    self.compare_at(id, value, declared, who_says, path);
                }
            }
            _ => {
                let text = match declared {
                    Value::String(text) => text.clone(),
                    Value::Null => "nothing".to_owned(),
                    other => other.to_string(),
                };
                self.note(id, &path, &format!("{who_says} {text}"));
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.controls.is_empty()
    }

    pub fn len(&self) -> usize {
        self.controls.len()
    }
}
