//! What a control is, from its own [`Meta`] and the schema of its spec: on a terminal and as the pages under
//! `docs/controls/`.

mod fields;
mod markdown;
mod page;
#[cfg(test)]
pub(super) mod specimen;

use crate::control::{Accounts, Call, ErasedControl, Meta, Reach, Regions, Seat};

use super::style::{Paint, Style};
use super::text::Text;

use fields::FieldDoc;

pub use page::{docs_index, docs_page};

/// There is no control or field of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no control or field `{what}`")]
pub struct Unknown {
    pub what: String,
    /// The nearest name there is.
    pub did_you_mean: Option<String>,
}

/// Every control with what is true when it is in sync, one line each: `explain` without a name.
pub fn overview(controls: &[&'static dyn ErasedControl], style: &Style) -> String {
    let mut text = Text::new(style);
    let longest = controls.iter().map(|control| control.meta().id.len()).max().unwrap_or(0);
    for control in controls {
        let meta = control.meta();
        text.labelled(0, Paint::Strong, meta.id, longest.min(36) + 2, meta.title);
    }
    text.finish()
}

/// Explains a control, `guardduty.detector`, or one field of it, `guardduty.detector.frequency`.
///
/// # Errors
///
/// There is none of that name; the error names the nearest there is.
pub fn explain(
    controls: &[&'static dyn ErasedControl],
    what: &str,
    style: &Style,
) -> Result<String, Unknown> {
    // An id has exactly one dot, so whatever follows a second one is a field.
    let id_ends = what.match_indices('.').nth(1).map_or(what.len(), |(at, _)| at);
    let (id, field) = what.split_at(id_ends);
    let unknown = |names: &mut dyn Iterator<Item = String>| Unknown {
        what: what.to_owned(),
        did_you_mean: nearest(what, names),
    };
    let Some(control) = controls.iter().find(|control| control.meta().id == id) else {
        return Err(unknown(&mut controls.iter().map(|control| control.meta().id.to_owned())));
    };
    let fields = fields::of(&control.schema());
    let Some(field) = field.strip_prefix('.') else {
        return Ok(whole(control.meta(), &fields, style));
    };
    match fields.iter().position(|doc| doc.is(field)) {
        Some(at) => Ok(one_field(control.meta(), &fields, at, style)),
        None => Err(unknown(&mut fields.iter().map(|doc| format!("{id}.{}", doc.path())))),
    }
}

/// The nearest name, if any is near enough to have been meant.
fn nearest(what: &str, names: &mut dyn Iterator<Item = String>) -> Option<String> {
    names
        .map(|name| (strsim::jaro_winkler(what, &name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

fn whole(meta: &Meta, fields: &[FieldDoc], style: &Style) -> String {
    let mut text = Text::new(style);
    text.paragraph(0, Paint::Strong, meta.id);
    text.paragraph(0, Paint::Plain, &title(meta));
    text.gap();
    markdown::write(&mut text, meta.docs);

    heading(&mut text, "Rules");
    let longest = meta.rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in meta.rules {
        let said = [&[rule.severity.word()], rule.frameworks].concat().join(" · ");
        text.labelled(2, Paint::Plain, rule.id, longest.min(32) + 4, &said);
    }

    heading(&mut text, "Fields");
    write_fields(&mut text, fields);

    heading(&mut text, "Example");
    for line in meta.example.trim_matches('\n').lines() {
        text.verbatim(2, Paint::Plain, line);
    }

    write_calls(&mut text, "Calls to observe", meta.reads);
    write_calls(&mut text, "Calls to apply", meta.writes);
    if let Some(undo) = meta.undo {
        heading(&mut text, "What an undo cannot do");
        text.paragraph(2, Paint::Plain, undo);
    }
    text.finish()
}

fn one_field(meta: &Meta, fields: &[FieldDoc], at: usize, style: &Style) -> String {
    let field = &fields[at];
    let mut text = Text::new(style);
    text.paragraph(0, Paint::Strong, &format!("{}.{}", meta.id, field.path()));
    text.paragraph(0, Paint::Plain, &field.values);
    if !field.description.is_empty() {
        text.gap();
        markdown::write(&mut text, &field.description);
    }
    let below: Vec<FieldDoc> = fields.iter().filter(|other| other.is_below(field)).cloned().collect();
    if !below.is_empty() {
        heading(&mut text, "Fields below it");
        write_fields(&mut text, &below);
    }
    text.gap();
    markdown::write(&mut text, ORIGIN);
    text.finish()
}

/// Where values come from (the merge order of the documents).
const ORIGIN: &str = "Its value comes from the baselines of the Organization document from top to bottom, each \
     after those that it extends, then from the baselines of the Account document and its own `controls`; \
     later ones win. Not said is not managed, and `null` takes an inherited value out. \
     `baseline render ACCOUNT --origin` says which file and line each value came from.";

fn heading(text: &mut Text<'_>, title: &str) {
    text.gap();
    text.paragraph(0, Paint::Strong, title);
}

fn write_fields(text: &mut Text<'_>, fields: &[FieldDoc]) {
    let longest = fields.iter().map(|field| field.path().len()).filter(|len| *len <= 30).max().unwrap_or(0);
    for field in fields {
        text.labelled(2, Paint::Plain, &field.path(), longest + 4, &field.sentence());
    }
}

fn write_calls(text: &mut Text<'_>, title: &str, calls: &[Call]) {
    if calls.is_empty() {
        return;
    }
    heading(text, title);
    for call in calls {
        let line = match allowed_by(call) {
            Some(actions) => format!("{}, allowed by {actions}", call.operation),
            None => call.operation.to_owned(),
        };
        text.paragraph(2, Paint::Plain, &line);
    }
}

/// The IAM actions of a call, where they are not simply its own name.
fn allowed_by(call: &Call) -> Option<String> {
    let actions: Vec<&str> = call.allowed_by().collect();
    (actions != [call.operation]).then(|| actions.join(", "))
}

/// Title and reach, as two sentences.
fn title(meta: &Meta) -> String {
    let title = meta.title.trim_end_matches('.');
    let mut letters = title.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}. {}", letters.as_str(), reach(meta.reach))
}

/// In which scopes a control runs, as a sentence.
fn reach(reach: Reach) -> String {
    let accounts = match reach.accounts {
        Accounts::Each => "each account".to_owned(),
        Accounts::Seat(Seat::Management) => "the management account".to_owned(),
        Accounts::Seat(Seat::LogArchive) => "the log archive account".to_owned(),
        Accounts::Seat(Seat::Security) => "the security account".to_owned(),
    };
    match reach.regions {
        Regions::Home => format!("Runs once in {accounts}."),
        Regions::Each => format!("Runs in each managed region of {accounts}."),
        Regions::Global => format!("Runs once in {accounts}, in the partition's global region."),
    }
}

#[cfg(test)]
mod tests;
