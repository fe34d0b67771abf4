//! What AWS Config takes at most, told before any call is made (the API's model, and its quotas).

use crate::control::Facts;

use super::live::Remediation;
use super::write::{Put, Sent};

/// Rules of a region, whoever made them (API reference, MaxNumberOfConfigRulesExceededException).
const RULES: usize = 1000;

/// `Err` names the limit.
fn within(what: &str, length: usize, most: usize) -> Result<(), String> {
    if length <= most {
        return Ok(());
    }
    Err(format!("{what} has {length} characters, and AWS Config takes {most}"))
}

fn at_most(what: &str, number: usize, most: usize) -> Result<(), String> {
    if number <= most { Ok(()) } else { Err(format!("it has {number} {what}, and AWS Config takes {most}")) }
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

/// Tags as the model has them: 50, keys to 128 characters, values to 256.
pub fn of_tags(facts: &Facts) -> Result<(), String> {
    at_most("tags", facts.tags.len(), 50)?;
    for (key, value) in &facts.tags {
        within(&format!("the key of tag {key}"), characters(key), 128)?;
        within(&format!("the value of tag {key}"), characters(value), 256)?;
    }
    Ok(())
}

/// `new_total` is how many rules the region has with this one, where it is made.
pub fn of_rule(facts: &Facts, put: &Put, new_total: Option<usize>) -> Result<(), String> {
    if let Some(total) = new_total {
        if total > RULES {
            return Err(format!("the region would have {total} rules, and AWS Config takes {RULES}"));
        }
        of_tags(facts)?;
    }
    within("the name", characters(&put.name), 128)?;
    if put.name.trim().is_empty() {
        return Err("the name is blank".to_owned());
    }
    within("the description", put.description.as_deref().map_or(0, characters), 256)?;
    let parameters = serde_json::to_string(&put.parameters).unwrap_or_default();
    within("the JSON of the parameters", characters(&parameters), 1024)?;
    match &put.source {
        Sent::Guard(text) => within("the Guard policy", characters(text), 10_000)?,
        Sent::Managed(id) | Sent::Lambda(id) => within("the source", characters(id), 256)?,
        Sent::AsItIs => {}
    }
    let scope = &put.scope;
    at_most("types in its scope", scope.types.len(), 100)?;
    let (types, tag) = (!scope.types.is_empty(), scope.tag_key.is_some());
    if types && tag {
        return Err("the scope has types and a tag, and AWS Config takes one of them: say `types: []` or \
                    `tagKey: none`"
            .to_owned());
    }
    if scope.tag_value.is_some() && !tag {
        return Err("the scope has `tagValue` without `tagKey`".to_owned());
    }
    if scope.resource.is_some() && scope.types.len() != 1 {
        return Err("the scope has `resource`, and needs one type beside it".to_owned());
    }
    Ok(())
}

pub fn of_remediation(remediation: &Remediation) -> Result<(), String> {
    within("the name of the document", characters(&remediation.document), 256)?;
    at_most("parameters", remediation.parameters.len(), 25)?;
    for (name, values) in &remediation.parameters {
        within(&format!("the name of parameter {name}"), characters(name), 256)?;
        at_most(&format!("values of parameter {name}"), values.len(), 25)?;
        for value in values {
            within(&format!("a value of parameter {name}"), characters(value), 256)?;
        }
    }
    Ok(())
}
