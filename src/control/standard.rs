//! Standards of Security Hub, by names that mean the same in every region and partition.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A standard: `fsbp/1.0.0`, `cis/1.4.0`, `nist-800-53/5.0.0`. What it is called in a region is an ARN, which
/// `DescribeStandards` of that region tells; the ends of those ARNs are the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Standard {
    /// `cis-aws-foundations-benchmark/v/1.4.0`: what stands behind `standards/` or `ruleset/`.
    path: String,
}

/// Our words for names of AWS's that are long. All others are taken as AWS has them.
const SHORT: [(&str, &str); 4] = [
    ("fsbp", "aws-foundational-security-best-practices"),
    ("cis", "cis-aws-foundations-benchmark"),
    ("tagging", "aws-resource-tagging-standard"),
    ("control-tower", "service-managed-aws-control-tower"),
];

/// Why a text names no standard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a standard: write name and version, `fsbp/1.0.0`, or its ARN")]
pub struct NoStandard(String);

impl Standard {
    /// The name without its version, in our words: `cis`.
    pub fn family(&self) -> &str {
        let name = self.path.split_once("/v/").map_or(self.path.as_str(), |(name, _)| name);
        SHORT.iter().find(|(_, long)| *long == name).map_or(name, |(short, _)| short)
    }
}

impl FromStr for Standard {
    type Err = NoStandard;

    fn from_str(text: &str) -> Result<Self, NoStandard> {
        let wrong = || NoStandard(text.to_owned());
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        };
        if text.starts_with("arn:") {
            // arn:aws:securityhub:eu-west-1::standards/NAME/v/1.4.0, arn:aws:securityhub:::ruleset/NAME/v/1.2.0
            let parts: Vec<&str> = text.splitn(6, ':').collect();
            let [_, _, "securityhub", _, "", resource] = parts[..] else { return Err(wrong()) };
            let Some(("standards" | "ruleset", path)) = resource.split_once('/') else { return Err(wrong()) };
            if !path.split('/').all(plain) {
                return Err(wrong());
            }
            return Ok(Self { path: path.to_owned() });
        }
        let parts: Vec<&str> = text.split('/').collect();
        let ([name, version] | [name, "v", version]) = parts[..] else { return Err(wrong()) };
        if !plain(name) || !plain(version) {
            return Err(wrong());
        }
        let long = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| long);
        Ok(Self { path: format!("{long}/v/{version}") })
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.split_once("/v/") {
            Some((_, version)) => write!(f, "{}/{version}", self.family()),
            None => f.write_str(&self.path),
        }
    }
}

impl From<Standard> for String {
    fn from(standard: Standard) -> Self {
        standard.to_string()
    }
}

impl TryFrom<String> for Standard {
    type Error = NoStandard;

    /// As [`FromStr`]; what was told in our own words comes back, whatever AWS called it.
    fn try_from(text: String) -> Result<Self, NoStandard> {
        text.parse().or_else(|wrong| if text.is_empty() { Err(wrong) } else { Ok(Self { path: text }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Standard, NoStandard> {
        text.parse()
    }

    #[test]
    fn a_short_name_and_every_arn_of_a_standard_are_the_same_standard() {
        for (short, arns) in [
            (
                "fsbp/1.0.0",
                &[
                    "arn:aws:securityhub:eu-west-1::standards/aws-foundational-security-best-practices/v/1.0.0",
                ][..],
            ),
            (
                "cis/1.2.0",
                &[
                    "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0",
                    "arn:aws-cn:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0",
                ],
            ),
            ("nist-800-53/5.0.0", &["arn:aws:securityhub:us-east-1::standards/nist-800-53/v/5.0.0"]),
            ("quite-new/7.1", &["arn:aws:securityhub:us-east-1::standards/quite-new/v/7.1"]),
        ] {
            for arn in arns {
                assert_eq!(read(arn), read(short), "{arn}");
                assert_eq!(read(arn).unwrap().to_string(), short);
            }
        }
        assert_eq!(read("cis-aws-foundations-benchmark/1.4.0"), read("cis/1.4.0"));
        assert_eq!(read("cis/v/1.4.0").unwrap().family(), "cis");
    }

    #[test]
    fn what_names_no_standard_is_refused() {
        for wrong in [
            "",
            "fsbp",
            "fsbp/",
            "/1.0.0",
            "fsbp/1.0.0/x",
            "fsbp 1.0.0",
            "arn:aws:s3:::bucket/x",
            "arn:aws:securityhub:eu-west-1:111122223333:subscription/cis/v/1.4.0",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_goes_into_a_file_and_comes_back() {
        for arn in [
            "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0",
            "arn:aws:securityhub:eu-west-1::standards/without-version",
        ] {
            let standard = read(arn).unwrap();
            let text = serde_json::to_string(&standard).unwrap();
            assert_eq!(serde_json::from_str::<Standard>(&text).unwrap(), standard);
        }
    }
}
