//! Drift, folded as plans are: what is told of one finding is compared too.

use std::collections::HashMap;

use crate::drift::Told;

use super::{Block, fold};

/// Findings alike, with what is told of each.
pub struct Alike<'a> {
    /// The first of them.
    pub told: &'a Told,
    pub block: Block<'a>,
}

impl<'a> Alike<'a> {
    /// A finding on its own.
    pub fn of(told: &'a Told) -> Self {
        Self { told, block: Block::of(&told.item) }
    }
}

/// Folds the findings; each kind stands where its first one stood.
pub fn fold_told<'a>(findings: impl IntoIterator<Item = &'a Told>) -> Vec<Alike<'a>> {
    let mut kinds: HashMap<String, usize> = HashMap::new();
    let mut alike: Vec<Vec<&Told>> = Vec::new();
    for told in findings {
        let key = serde_json::json!((told.standing, told.at_hand, told.as_wanted, &told.who)).to_string();
        let place = *kinds.entry(key).or_insert(alike.len());
        match alike.get_mut(place) {
            Some(others) => others.push(told),
            None => alike.push(vec![told]),
        }
    }
    let blocks = |kind: &Vec<&'a Told>| {
        let told = kind[0];
        fold(kind.iter().map(|told| &told.item)).into_iter().map(move |block| Alike { told, block })
    };
    alike.iter().flat_map(blocks).collect()
}
