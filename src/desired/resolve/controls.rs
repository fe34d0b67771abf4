//! The controls of one account: layers merged, agreement and reasons looked after, sharing what is equal.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::desired::Documents;
use crate::desired::baselines::short;
use crate::desired::control::{self, Mode, OnConflict, RegionWord, SHARED};
use crate::desired::merge::{Merged, Origin};
use crate::desired::node;
use crate::desired::read::Problems;
use crate::desired::resolve::{DesiredControl, Draft};
use crate::desired::state::has_templates;
use crate::desired::template;
use crate::diagnostic::{Diagnostic, Sources};

/// Where two baselines disagree, by pointer and pair; and the accounts that have both.
type Disagreements = BTreeMap<(String, Origin, Origin), Vec<Arc<str>>>;

/// The merging of all accounts: what many share is made once.
pub struct Merging<'d> {
    documents: &'d Documents,
    cache: BTreeMap<Vec<Origin>, Arc<BTreeMap<String, DesiredControl>>>,
    /// By the baselines of the Organization's list.
    disputes: BTreeMap<Vec<Origin>, BTreeMap<String, (Origin, Origin)>>,
    told: Disagreements,
}

impl<'d> Merging<'d> {
    pub fn new(documents: &'d Documents) -> Self {
        Self { documents, cache: BTreeMap::new(), disputes: BTreeMap::new(), told: BTreeMap::new() }
    }

    /// What is wanted of an account for which these baselines of the Organization's list are.
    pub fn controls(
        &mut self,
        draft: &Draft<'_>,
        listed: Vec<Origin>,
        problems: &mut Problems,
    ) -> Arc<BTreeMap<String, DesiredControl>> {
        let documents = self.documents;
        let shelf = &documents.shelf;
        let mut applied = listed.clone();
        for name in draft.document.iter().flat_map(|document| &document.baselines) {
            applied.extend(shelf.find(&name.value));
        }
        let order = shelf.order(&applied);
        let own = draft.document.map(|document| document.controls.as_slice()).unwrap_or_default();
        let seat_controls: Vec<_> = documents
            .organization
            .controls
            .iter()
            .filter(|one| documents.seat_of(&one.id).is_some_and(|seat| draft.seats.contains(&seat)))
            .cloned()
            .collect();
        let account_layer = shelf.baselines().len();
        let own_layer = Merged::layer(own, account_layer);
        self.disagreements(draft, &listed, &applied, &own_layer);
        if own.is_empty() && seat_controls.is_empty() {
            if let Some(cached) = self.cache.get(&order) {
                return Arc::clone(cached);
            }
            let controls = Arc::new(finish(&shelf.merge(&order), documents, problems));
            self.cache.insert(order, Arc::clone(&controls));
            return controls;
        }
        let inherited = shelf.merge(&order);
        self.reasons(draft, &inherited, &own_layer, problems);
        let merged = inherited.under(own_layer).under(Merged::layer(&seat_controls, account_layer + 1));
        Arc::new(finish(&merged, documents, problems))
    }

    /// Notes where the list's baselines disagree on this account and nothing after them decides.
    fn disagreements(&mut self, draft: &Draft<'_>, listed: &[Origin], applied: &[Origin], own: &Merged) {
        let shelf = &self.documents.shelf;
        let later: Vec<Origin> =
            applied[listed.len()..].iter().copied().filter(|one| !listed.contains(one)).collect();
        let disputes = self.disputes.entry(listed.to_vec()).or_insert_with(|| shelf.disagreements(listed));
        for (pointer, (a, b)) in disputes {
            let decided = at(own, pointer).is_some()
                || unmanaged(own, pointer)
                || later.iter().any(|one| shelf.said(*one, pointer).is_some());
            if !decided {
                self.told.entry((pointer.clone(), *a, *b)).or_default().push(Arc::clone(&draft.name));
            }
        }
    }

    /// Tells each disagreement once, whatever the number of accounts.
    pub fn tell(self, problems: &mut Problems) {
        let shelf = &self.documents.shelf;
        for ((pointer, a, b), accounts) in self.told {
            let (Some(one), Some(other)) = (shelf.said(a, &pointer), shelf.said(b, &pointer)) else {
                continue;
            };
            let Some(name) = accounts.first() else { continue };
            let title =
                format!("`{}` and `{}` both apply to {name} and disagree", shelf.name(a), shelf.name(b));
            let mut problem = Diagnostic::error(title)
                .label(one.0, format!("here {}", one.1))
                .also(other.0, format!("here {}", other.1))
                .help("let one extend the other, or say it in the account's document");
            if accounts.len() > 1 {
                let more = accounts.len() - 1;
                problem =
                    problem.note(format!("and to {more} more account{}", if more == 1 { "" } else { "s" }));
            }
            problems.push(problem);
        }
    }

    /// An account that changes what it inherits says why.
    fn reasons(&self, draft: &Draft<'_>, inherited: &Merged, own: &Merged, problems: &mut Problems) {
        for declared in draft.document.iter().flat_map(|document| &document.controls) {
            if declared.reason.is_some() {
                continue;
            }
            let (Some(below), Some(layer)) = (inherited.get(&declared.id), own.get(&declared.id)) else {
                continue;
            };
            let mut changed = None;
            layer.leaves("", &mut |pointer, leaf| {
                if changed.is_none() && at(below, pointer).is_some_and(|old| !old.same(leaf)) {
                    changed = leaf.said().zip(at(below, pointer));
                }
            });
            let Some(((span, _), old)) = changed else { continue };
            let title = format!("`{}` changes what it inherits and does not say why", draft.name);
            let mut problem = Diagnostic::error(title).at(span);
            if let Some((place, layer)) = old.said() {
                let value = old.to_json().map_or_else(|| "not managed".into(), |value| short(&value));
                let name = self.documents.shelf.name(layer);
                problem = problem.also(place, format!("`{name}` says {value}"));
            }
            problems.push(problem.help(format!("add `reason: …` to `{}` here", declared.id)));
        }
    }
}

/// What lies at a JSON pointer.
fn at<'m>(merged: &'m Merged, pointer: &str) -> Option<&'m Merged> {
    node::segments(pointer).try_fold(merged, |at, segment| at.get(&segment))
}

/// Does this layer take the pointer's whole control out?
fn unmanaged(layer: &Merged, pointer: &str) -> bool {
    let control = node::segments(pointer).next().unwrap_or_default();
    let mode = layer.get(&control).and_then(|control| control.get("mode")).and_then(Merged::to_json);
    mode.is_some_and(|mode| mode == "unmanaged")
}

/// The merged controls without those that are unmanaged, each checked once more as a whole.
fn finish(
    merged: &Merged,
    documents: &Documents,
    problems: &mut Problems,
) -> BTreeMap<String, DesiredControl> {
    let Merged::Map { entries, .. } = merged else { return BTreeMap::new() };
    let mut controls = BTreeMap::new();
    for (id, said) in entries {
        if let Some(control) = desired(said, &documents.sources) {
            whole(id, said, &control, documents, problems);
            controls.insert(id.clone(), control);
        }
    }
    controls
}

fn desired(said: &Merged, sources: &Sources) -> Option<DesiredControl> {
    let Value::Object(mut spec) = said.to_json()? else { return None };
    let words: BTreeMap<&str, Value> =
        SHARED.into_iter().filter_map(|word| Some((word, spec.remove(word)?))).collect();
    let word = |name: &str| words.get(name).and_then(Value::as_str);
    let mode = match word("mode") {
        Some("unmanaged") => return None,
        Some("observe") => Mode::Observe,
        _ => Mode::Enforce,
    };
    let on_conflict = if word("onConflict") == Some("fail") { OnConflict::Fail } else { OnConflict::Adopt };
    let regions = words.get("regions").and_then(Value::as_array);
    let regions = regions.map(|list| list.iter().filter_map(Value::as_str).map(RegionWord::read).collect());
    let (mut origins, mut word_origins) = (BTreeMap::new(), BTreeMap::new());
    for (pointer, position) in said.origins(sources) {
        match SHARED.into_iter().find(|word| pointer.split('/').nth(1) == Some(word)) {
            None => drop(origins.insert(pointer, position)),
            Some(word) if pointer.len() == word.len() + 1 => {
                word_origins.insert(word.to_owned(), position);
            }
            Some(_) => {}
        }
    }
    let reason = word("reason").map(str::to_owned);
    let spec = Value::from(spec);
    let has_templates = has_templates(&spec);
    let spec = Arc::new(spec);
    Some(DesiredControl { spec, has_templates, mode, on_conflict, regions, reason, origins, word_origins })
}

/// Each document was checked by itself, where a field may be missing because another one says it.
fn whole(id: &str, said: &Merged, merged: &DesiredControl, documents: &Documents, problems: &mut Problems) {
    let Some(control) = control::find(id, documents.controls) else { return };
    let first_below = |path: &str| {
        let mut found = None;
        said.leaves("", &mut |pointer, leaf| {
            if found.is_none() && pointer.starts_with(path) {
                found = leaf.said().map(|(span, _)| span);
            }
        });
        found
    };
    let mut tell = |problem: Diagnostic, path: &str| {
        let problem = first_below(path).into_iter().fold(problem, Diagnostic::at);
        // Accounts that inherit the same would say the same.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    if let Err(misfit) = control.check(&merged.spec)
        && misfit.message.starts_with("missing field")
    {
        let problem = Diagnostic::error(format!("`{id}`: {}", misfit.message));
        tell(problem.help(format!("`baseline explain {id}` lists all fields")), &misfit.path);
    }
    if documents.organization.id.is_none() && template::names_organization(&merged.spec, &control.schema()) {
        let problem = Diagnostic::error(format!("`{id}` names `{{organization}}`, and no id is known"));
        tell(problem.help("`spec.id: o-…` of the Organization says it"), "");
    }
}
