//! A plan for code scanning: SARIF 2.1.0, with the lines of the YAML that cause each finding.
//!
//! Source: OASIS SARIF 2.1.0; GitHub Docs, "SARIF support for code scanning", for what is read of it.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::control::ErasedControl;
use crate::digest;
use crate::plan::{Item, Outcome, Plan, PlannedException, Position, SeverityWord};

use super::escape::escape_json;
use super::exceptions::{self, Urgency};
use super::fold::{Block, fold};
use super::line::{self, Level};

/// One result for each finding that is not in sync, alike ones once; one rule for each rule of a control.
pub fn plan(plan: &Plan, controls: &[&'static dyn ErasedControl]) -> String {
    let shown = plan.items.iter().filter(|item| item.selected && item.outcome != Outcome::InSync);
    let blocks: Vec<Block<'_>> =
        fold(shown).into_iter().filter(|b| line::level(&b.first.outcome).is_some()).collect();
    let unreached = super::unreached(plan);
    let notifications: Vec<Value> = unreached
        .iter()
        .map(|(name, why)| json!({ "level": "error", "message": { "text": format!("{name}: {why}") } }))
        .chain(plan.exceptions.iter().filter_map(exception))
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "baseline",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules(&blocks, controls),
            } },
            "automationDetails": { "id": format!("baseline/{}", plan.organization) },
            "invocations": [{
                "executionSuccessful": unreached.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": blocks.iter().map(|block| result(plan, block)).collect::<Vec<_>>(),
        }],
    });
    let text = serde_json::to_string_pretty(&document).expect("text keys and finite numbers only");
    format!("{}\n", escape_json(&text))
}

fn id(block: &Block<'_>) -> String {
    format!("{}/{}", block.first.control, block.first.finding.rule)
}

/// `security-severity` sorts alerts on GitHub: over 9.0 is critical, 7.0 to 8.9 high, 4.0 to 6.9 medium.
fn security_severity(severity: SeverityWord) -> &'static str {
    match severity {
        SeverityWord::Critical => "9.5",
        SeverityWord::High => "8.0",
        SeverityWord::Medium => "5.5",
        SeverityWord::Low => "2.0",
    }
}

fn rules(blocks: &[Block<'_>], controls: &[&'static dyn ErasedControl]) -> Vec<Value> {
    let mut said: Vec<String> = Vec::new();
    let mut rules = Vec::new();
    for block in blocks {
        let id = id(block);
        if said.contains(&id) {
            continue;
        }
        let first = block.first;
        let title = controls.iter().find(|control| control.meta().id == first.control);
        let title = title.map_or(first.control.as_str(), |control| control.meta().title);
        let mut tags = vec!["security".to_owned()];
        tags.extend(first.frameworks.iter().cloned());
        rules.push(json!({
            "id": id,
            "name": first.control,
            "shortDescription": { "text": title },
            "help": { "text": format!("baseline explain {}", first.control) },
            "properties": { "tags": tags, "security-severity": security_severity(first.severity) },
        }));
        said.push(id);
    }
    rules
}

fn result(plan: &Plan, block: &Block<'_>) -> Value {
    let text = format!("{}\n\nIn {}.", line::said(block), line::place(plan, block));
    let locations: Vec<Value> = line::position(block.first).map(location).into_iter().collect();
    let level = match line::level(&block.first.outcome) {
        Some(Level::Error) => "error",
        Some(Level::Warning) => "warning",
        Some(Level::Note) => "note",
        None => "none",
    };
    let mut result = json!({
        "ruleId": id(block),
        "level": level,
        "message": { "text": text },
        "locations": locations,
        "partialFingerprints": { "baselineFinding/v1": fingerprint(block) },
        "properties": {
            "outcome": block.first.outcome.word(),
            "accounts": block.accounts,
            "regions": block.regions,
            "resources": block.resources,
        },
    });
    if let Outcome::Excepted { exception } = &block.first.outcome {
        result["suppressions"] = json!([suppression(plan, exception, block.first)]);
    }
    result
}

/// Why somebody signed for leaving it so ("suppression object": accepted, outside of what was scanned).
fn suppression(plan: &Plan, exception: &str, item: &Item) -> Value {
    let note = item.exception_note.as_deref().unwrap_or(exception);
    let mut suppression = json!({ "kind": "external", "status": "accepted", "justification": note });
    if let Some(signed) = plan.exception(exception) {
        if let Some(at) = &signed.declared {
            suppression["location"] = location(at);
        }
        suppression["properties"] = json!({
            "exception": exception,
            "reason": signed.reason,
            "owner": signed.owner,
            "approver": signed.approver,
            "ticket": signed.ticket,
            "expires": signed.expires.to_string(),
        });
    }
    suppression
}

fn location(at: &Position) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&at.file) },
        "region": { "startLine": at.line, "startColumn": at.column },
    } })
}

/// What is to be told of an exception itself.
fn exception(one: &PlannedException) -> Option<Value> {
    let (urgency, said) = exceptions::news(one)?;
    let level = if urgency == Urgency::Ended { "warning" } else { "note" };
    let mut notification = json!({ "level": level, "message": { "text": said } });
    if let Some(at) = &one.declared {
        notification["locations"] = json!([location(at)]);
    }
    Some(notification)
}

/// The same for the same finding in the same places, whatever its values are today.
fn fingerprint(block: &Block<'_>) -> String {
    let mut hash = Sha256::new();
    let accounts = block.accounts.iter().map(|account| account.as_str());
    let regions = block.regions.iter().map(|region| region.as_str());
    for part in
        [id(block).as_str()].into_iter().chain(accounts).chain(regions).chain(block.resources.iter().copied())
    {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    digest::hex(&hash.finalize()[..16])
}

/// A path as a relative URI reference: `/` stays, what is not unreserved is percent-encoded (RFC 3986).
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn two_accounts() {
        insta::assert_snapshot!(plan(&fixture::two_accounts(), crate::controls::CONTROLS));
    }

    #[test]
    fn every_result_has_its_rule_and_the_fingerprint_outlives_its_values() {
        let mut changed = fixture::two_accounts();
        let before: Value = serde_json::from_str(&plan(&changed, &[])).unwrap();
        for item in &mut changed.items {
            if let crate::control::Verdict::Change(change) = &mut item.finding.verdict {
                change.fields.iter_mut().for_each(|field| field.after = json!("other"));
            }
        }
        let after: Value = serde_json::from_str(&plan(&changed, &[])).unwrap();
        let of = |sarif: &Value| -> Vec<Value> {
            let results = sarif["runs"][0]["results"].as_array().unwrap();
            results.iter().map(|result| result["partialFingerprints"].clone()).collect()
        };
        assert!(!of(&before).is_empty());
        assert!(of(&after).iter().all(|print| of(&before).contains(print)));
        let rules = before["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        for result in before["runs"][0]["results"].as_array().unwrap() {
            assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
        }
    }

    #[test]
    fn a_path_is_a_relative_reference() {
        assert_eq!(uri("./desired-state/über uns.yaml"), "desired-state/%C3%BCber%20uns.yaml");
    }
}
