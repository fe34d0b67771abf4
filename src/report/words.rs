//! Numbers and lists as people read them.

use std::time::Duration;

/// `1 setting`, `2 settings`, `7,004 settings`.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// `count` for a noun whose plural is an `s`.
pub(super) fn counted(n: usize, noun: &str) -> String {
    count(n, noun, &format!("{noun}s"))
}

/// `7,004`.
pub(super) fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How many names are listed before the rest are only counted.
pub(super) const LISTED: usize = 3;

/// `api, web, worker`; from four on `api, db, web and 409 more`.
pub(super) fn names<S: AsRef<str>>(names: &[S]) -> String {
    let listed: Vec<&str> = names.iter().take(LISTED).map(AsRef::as_ref).collect();
    let listed = listed.join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => listed,
        more => format!("{listed} and {} more", number(more)),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn and<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// `eu-central-1, eu-west-1`; from four on `17 regions`; nothing for what has no region.
pub(super) fn regions<S: AsRef<str>>(regions: &[S]) -> String {
    if regions.len() > LISTED { counted(regions.len(), "region") } else { names(regions) }
}

/// `3.4 s`, `2 min 5 s`.
pub(super) fn elapsed(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

/// A waiting time that somebody chose: `45 seconds`, `30 minutes`, `6 hours`.
pub(super) fn patience(seconds: u32) -> String {
    let n = |seconds: u32| usize::try_from(seconds).unwrap_or(usize::MAX);
    match seconds {
        s if s < 120 => counted(n(s), "second"),
        s if s < 7200 => counted(n(s / 60), "minute"),
        s => counted(n(s / 3600), "hour"),
    }
}

/// Framework ids as people say them: `cis-3.0.0/1.8` and `cis-5.0.0/1.8` are `CIS 1.8`, `fsbp/IAM.9` is
/// `FSBP IAM.9`. Each once.
pub(super) fn frameworks(ids: &[String]) -> String {
    let mut said: Vec<String> = Vec::new();
    for id in ids {
        let name = match id.split_once('/') {
            Some((framework, rule)) => {
                let family = framework.split_once('-').map_or(framework, |(family, _)| family);
                format!("{} {rule}", family.to_uppercase())
            }
            None => id.clone(),
        };
        if !said.contains(&name) {
            said.push(name);
        }
    }
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_thousands_are_grouped() {
        assert_eq!(counted(1, "setting"), "1 setting");
        assert_eq!(counted(0, "setting"), "0 settings");
        assert_eq!(counted(7004, "setting"), "7,004 settings");
        assert_eq!(number(1_234_567), "1,234,567");
    }

    #[test]
    fn three_names_are_listed_and_more_are_counted() {
        assert_eq!(names(&["a", "b", "c"]), "a, b, c");
        assert_eq!(names(&["a", "b", "c", "d"]), "a, b, c and 1 more");
        assert_eq!(regions(&["a", "b", "c", "d"]), "4 regions");
        assert_eq!(and(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn a_framework_id_is_said_once_over_its_editions() {
        let ids = ["cis-1.4.0/1.5", "cis-3.0.0/1.5", "fsbp/IAM.9", "house"].map(String::from);
        assert_eq!(frameworks(&ids), "CIS 1.5, FSBP IAM.9, house");
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        assert_eq!(elapsed(Duration::from_millis(3_420)), "3.4 s");
        assert_eq!(elapsed(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(patience(1800), "30 minutes");
        assert_eq!(patience(60), "60 seconds");
    }
}
