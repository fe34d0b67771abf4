//! Who may have done it, under a finding.

use jiff::Timestamp;

use crate::moment;
use crate::place::AccountId;
use crate::who::{Deed, Who};

use super::super::style::Paint;
use super::super::text::{Text, unbroken};
use super::fields::{COLUMN, INDENT};

/// One entry a call, newest first; where none was found, that and since when.
pub(super) fn write(text: &mut Text<'_>, account: &AccountId, who: &Who) {
    let since = minute(who.since);
    let mut label = "";
    for deed in &who.deeds {
        // Said again only where it is another word.
        let word = if deed.certain { "by" } else { "perhaps by" };
        let again = std::mem::replace(&mut label, word) == word;
        let what = format!("{} at {}", deed.call, unbroken(&second(deed.at)));
        let line = format!("{} {what}", by(deed, account));
        text.labelled(INDENT, Paint::Strong, if again { "" } else { word }, COLUMN, &line);
    }
    if who.more && !who.deeds.is_empty() {
        text.labelled(INDENT, Paint::Dim, "", COLUMN, &format!("and others since {since}"));
    }
    for (number, fault) in who.faults.iter().enumerate() {
        let label = if number == 0 && who.deeds.is_empty() { "by" } else { "" };
        text.labelled(INDENT, Paint::Plain, label, COLUMN, &format!("not known: {fault}"));
        if let Some(hint) = fault.hint() {
            text.paragraph(COLUMN, Paint::Hint, &format!("hint: {hint}"));
        }
    }
    if who.deeds.is_empty() && who.faults.is_empty() {
        let line =
            format!("nobody found: no call since {since} that CloudTrail shows by now could have done it");
        text.labelled(INDENT, Paint::Plain, "by", COLUMN, &line);
    }
    if who.cut && who.faults.is_empty() {
        text.labelled(INDENT, Paint::Dim, "", COLUMN, "CloudTrail's event history reaches back 90 days");
    }
}

/// A deed in one line: `user/jo from 192.0.2.7: cloudtrail:StopLogging at 2026-11-26 12:00:03 UTC`.
pub(in crate::report) fn told(deed: &Deed, account: &AccountId) -> String {
    let word = if deed.certain { "" } else { "perhaps " };
    format!("{word}{}", self::deed(deed, account))
}

/// The same, where it is certain.
pub fn deed(deed: &Deed, account: &AccountId) -> String {
    format!("{} {} at {}", by(deed, account), deed.call, second(deed.at))
}

/// `user/jo from 192.0.2.7:`. The account only where it is another one.
fn by(deed: &Deed, account: &AccountId) -> String {
    let who = match &deed.run {
        Some(run) => format!("baseline run {run}"),
        None => principal(&deed.principal, account),
    };
    match &deed.from {
        // AWS calls from its own name.
        Some(from) if *from != deed.principal => format!("{who} from {from}:"),
        _ => format!("{who}:"),
    }
}

/// The last part of an ARN, which is what people know; anything else as it is.
fn principal(principal: &str, account: &AccountId) -> String {
    let mut parts = principal.splitn(6, ':');
    let (Some("arn"), Some(owner), Some(resource)) = (parts.next(), parts.nth(3), parts.next()) else {
        return principal.to_owned();
    };
    if owner == account.as_str() || owner.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource} of {owner}")
    }
}

/// `2026-11-26 12:00:03 UTC`.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `2026-11-26 12:00 UTC`.
pub(super) fn minute(at: Timestamp) -> String {
    unbroken(&moment::minute(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_named_as_people_know_it() {
        let here: AccountId = "111122223333".parse().expect("12 digits");
        for (arn, said) in [
            ("arn:aws:iam::111122223333:user/jo", "user/jo"),
            ("arn:aws:iam::111122223333:root", "root"),
            ("arn:aws:sts::999988887777:assumed-role/admin/jo", "assumed-role/admin/jo of 999988887777"),
            ("config.amazonaws.com", "config.amazonaws.com"),
            ("AROAEXAMPLE:jo", "AROAEXAMPLE:jo"),
        ] {
            assert_eq!(principal(arn, &here), said);
        }
    }
}
