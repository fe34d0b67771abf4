//! Which baselines lie on which account, in which order, and whether they agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::merge::{Merged, Origin};
use crate::desired::model::{Baseline, Use};
use crate::desired::read::{Problems, Spanned};
use crate::diagnostic::{Diagnostic, Span};

/// Baselines by name, with what each extends already followed.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    baselines: Vec<Baseline>,
    layers: Vec<Merged>,
    /// For each baseline: everything that it extends, in order of merging, itself last.
    chains: Vec<Vec<Origin>>,
}

impl Shelf {
    /// Names that no document has and baselines that extend themselves are told, and left out of the chain.
    pub fn new(baselines: Vec<Baseline>, problems: &mut Problems) -> Self {
        let layers = baselines.iter().enumerate().map(|(i, one)| Merged::layer(&one.controls, i)).collect();
        let mut shelf = Self { baselines, layers, chains: Vec::new() };
        for baseline in &shelf.baselines {
            for name in &baseline.extends {
                shelf.check(name, problems);
            }
        }
        let mut told = BTreeSet::new();
        shelf.chains = (0..shelf.baselines.len())
            .map(|start| {
                let mut chain = Vec::new();
                shelf.follow(start, &mut Vec::new(), &mut chain, &mut told, problems);
                chain
            })
            .collect();
        shelf
    }

    fn follow(
        &self,
        at: Origin,
        path: &mut Vec<Origin>,
        chain: &mut Vec<Origin>,
        told: &mut BTreeSet<Origin>,
        problems: &mut Problems,
    ) {
        if chain.contains(&at) {
            return;
        }
        path.push(at);
        for name in &self.baselines[at].extends {
            let Some(next) = self.find(&name.value) else { continue };
            match path.iter().position(|seen| *seen == next) {
                Some(from) => {
                    if path[from..].iter().all(|one| !told.contains(one)) {
                        told.extend(&path[from..]);
                        problems.push(self.cycle(&path[from..], name.span));
                    }
                }
                None => self.follow(next, path, chain, told, problems),
            }
        }
        path.pop();
        chain.push(at);
    }

    fn cycle(&self, members: &[Origin], span: Span) -> Diagnostic {
        let name = |one: &Origin| format!("`{}`", self.name(*one));
        let first = members.first().map(name).unwrap_or_default();
        let mut way: Vec<String> = members.iter().map(name).collect();
        way.push(first.clone());
        let problem = Diagnostic::error(format!("{first} extends itself")).at(span);
        let problem = if members.len() > 1 { problem.note(way.join(" extends ")) } else { problem };
        problem.help("take one `extends` out; what they share can be a baseline of its own")
    }

    pub fn find(&self, name: &str) -> Option<Origin> {
        self.baselines.iter().position(|baseline| baseline.metadata.name.value == name)
    }

    pub fn name(&self, baseline: Origin) -> &str {
        &self.baselines[baseline].metadata.name.value
    }

    pub fn baselines(&self) -> &[Baseline] {
        &self.baselines
    }

    /// Refuses a name that no baseline has.
    pub fn check(&self, name: &Spanned<String>, problems: &mut Problems) {
        if self.find(&name.value).is_none() {
            let names = self.baselines.iter().map(|baseline| baseline.metadata.name.value.as_str());
            problems.push(
                Diagnostic::error(format!("no baseline is called `{}`", name.value))
                    .at(name.span)
                    .suggest(&name.value, names)
                    .help("a name, not a path: `metadata.name` of a Baseline document in this folder"),
            );
        }
    }

    pub fn check_uses(&self, uses: &[Use], problems: &mut Problems) {
        for one in uses {
            self.check(&one.baseline, problems);
        }
    }

    /// Layers in order of merging: each baseline after those that it extends, and each once.
    pub fn order(&self, baselines: &[Origin]) -> Vec<Origin> {
        let mut order = Vec::new();
        for baseline in baselines {
            for layer in &self.chains[*baseline] {
                if !order.contains(layer) {
                    order.push(*layer);
                }
            }
        }
        order
    }

    /// What these layers say together.
    pub fn merge(&self, order: &[Origin]) -> Merged {
        order.iter().fold(Merged::default(), |below, layer| below.under(self.layers[*layer].clone()))
    }

    /// Leaves that two unrelated baselines of the Organization's list set to different values, by pointer:
    /// the last one wins, and nobody decided that.
    pub fn disagreements(&self, listed: &[Origin]) -> BTreeMap<String, (Origin, Origin)> {
        let mut said: BTreeMap<String, Vec<(Origin, &Merged)>> = BTreeMap::new();
        for layer in self.order(listed) {
            self.layers[layer].leaves("", &mut |pointer, leaf| {
                if !pointer.ends_with("/reason") {
                    said.entry(pointer.to_owned()).or_default().push((layer, leaf));
                }
            });
        }
        let related = |a: Origin, b: Origin| {
            listed.iter().any(|one| self.chains[*one].contains(&a) && self.chains[*one].contains(&b))
        };
        said.into_iter()
            .filter_map(|(pointer, sayings)| {
                let pairs = sayings
                    .iter()
                    .enumerate()
                    .flat_map(|(i, a)| sayings[i + 1..].iter().map(move |b| (a, b)));
                pairs
                    .filter(|(a, b)| !a.1.same(b.1) && !related(a.0, b.0))
                    .map(|(a, b)| (a.0, b.0))
                    .next()
                    .map(|pair| (pointer, pair))
            })
            .collect()
    }

    /// Where a layer says a leaf, and what.
    pub fn said(&self, layer: Origin, pointer: &str) -> Option<(Span, String)> {
        let mut at = &self.layers[layer];
        for segment in crate::desired::node::segments(pointer) {
            at = at.get(&segment)?;
        }
        let (span, _) = at.said()?;
        Some((span, at.to_json().map_or_else(|| "not managed".into(), |value| short(&value))))
    }
}

/// A value in a few characters.
pub fn short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) if text.chars().count() <= 40 => text.clone(),
        serde_json::Value::String(_) => "another text".into(),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => "another list".into(),
        scalar => scalar.to_string(),
    }
}
