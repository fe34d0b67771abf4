//! Calls by control.

use std::collections::{BTreeMap, BTreeSet};

use baseline::aws::journal::Entry;

use crate::table::columns;

/// What each control asked, from the journal of one plan. A read that several controls share is counted for
/// the one that made it.
pub fn by_control(journal: &[Entry]) -> String {
    let mut askers: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for call in journal {
        askers.entry(call.by).or_default().push(call);
    }
    let mut rows = vec![["asked by", "calls", "account-regions", "calls each"].map(str::to_owned)];
    for (asker, calls) in &askers {
        let scopes: BTreeSet<_> = calls.iter().map(|call| &*call.scope).collect();
        let each = calls.len() as f64 / scopes.len() as f64;
        rows.push([
            (*asker).to_owned(),
            calls.len().to_string(),
            scopes.len().to_string(),
            format!("{each:.1}"),
        ]);
    }
    let all = journal.len().to_string();
    rows.push(["all".to_owned(), all, String::new(), String::new()]);
    columns(&rows)
}
