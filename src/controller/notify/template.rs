//! One event in a line: as a document's template has it, or in our own words. What comes from AWS and from documents is
//! escaped; the only line breaks are ours.

use super::event::Event;
use crate::desired::{Part, Placeholder, Template};
use crate::moment::minute;
use crate::report::escape::escape;

/// The longest line, in characters.
const LONGEST: usize = 600;

/// The event as the template has it.
pub(super) fn fill(template: &Template, event: &Event, organization: &str) -> String {
    let mut line = String::new();
    for part in &template.0 {
        match part {
            Part::Text(text) => line.push_str(text),
            Part::Placeholder(placeholder) => line.push_str(&value(*placeholder, event, organization)),
        }
    }
    shortened(&escape(&line))
}

fn value(placeholder: Placeholder, event: &Event, organization: &str) -> String {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    match placeholder {
        Placeholder::Event => event.event.word().to_owned(),
        Placeholder::Organization => organization.to_owned(),
        Placeholder::Account => or_dash(&event.account_name),
        Placeholder::AccountId => or_dash(&event.account),
        Placeholder::Region => or_dash(&event.region),
        Placeholder::Control => or_dash(&event.control),
        Placeholder::Rule => or_dash(&event.rule),
        Placeholder::Resource => or_dash(&event.resource),
        Placeholder::Reason => event.reason.clone(),
        Placeholder::What => event.message.clone(),
        Placeholder::Since => minute(event.since),
        Placeholder::Run => or_dash(&event.run),
        Placeholder::Who => event.who.clone().unwrap_or_else(|| "not known".to_owned()),
    }
}

/// The event in our own words, without the account: `guardduty.detector in eu-west-1: enabled true → false`.
pub(super) fn own_words(event: &Event) -> String {
    let place = match (&event.control, &event.region) {
        (Some(control), Some(region)) => format!("{control} in {region}: "),
        (Some(control), None) => format!("{control}: "),
        (None, _) => String::new(),
    };
    let who = event.who.as_ref().map(|who| format!("; {who}")).unwrap_or_default();
    shortened(&escape(&format!("{place}{}{who}", event.message)))
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
