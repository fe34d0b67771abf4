//! The IAM policies of the two roles, from the calls that controls and the engine name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::control::{Call, ErasedControl};

/// One of the two roles in every account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every read, of plan, drift and apply.
    Observe,
    /// Every write.
    Apply,
}

/// An IAM policy document that allows the calls of these controls, and the engine's own (`sts`,
/// `organizations`). One statement a service, sorted, each action once.
///
/// `Resource` is `*`: most of these actions know no other, and what is created has no name yet.
pub fn permissions(controls: &[&'static dyn ErasedControl], which: Which, engine: &[&Call]) -> Value {
    let calls = controls.iter().flat_map(|control| match which {
        Which::Observe => control.meta().reads,
        Which::Apply => control.meta().writes,
    });
    let mut services: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for action in calls.chain(engine.iter().copied()).flat_map(Call::allowed_by) {
        let service = action.split_once(':').map_or(action, |(service, _)| service);
        services.entry(service).or_default().insert(action);
    }
    let statements: Vec<Value> = services
        .iter()
        .map(|(service, actions)| {
            json!({
                "Sid": sid(which, service),
                "Effect": "Allow",
                "Action": actions,
                "Resource": "*",
            })
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// `ObserveAccessAnalyzer`: a Sid is letters and digits only (IAM User Guide, "Sid").
fn sid(which: Which, service: &str) -> String {
    let mut sid = match which {
        Which::Observe => "Observe".to_owned(),
        Which::Apply => "Apply".to_owned(),
    };
    for part in service.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = part.chars();
        sid.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        sid.extend(letters);
    }
    sid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::explain::specimen::SPECIMEN;

    #[test]
    fn actions_rather_than_calls_each_once() {
        static IDENTITY: Call = Call::new("sts:GetCallerIdentity");
        let observe = permissions(&[SPECIMEN, SPECIMEN], Which::Observe, &[&IDENTITY]);
        insta::assert_json_snapshot!(observe, @r#"
        {
          "Statement": [
            {
              "Action": [
                "s3:GetEncryptionConfiguration"
              ],
              "Effect": "Allow",
              "Resource": "*",
              "Sid": "ObserveS3"
            },
            {
              "Action": [
                "sts:GetCallerIdentity"
              ],
              "Effect": "Allow",
              "Resource": "*",
              "Sid": "ObserveSts"
            },
            {
              "Action": [
                "test:ListSpecimens"
              ],
              "Effect": "Allow",
              "Resource": "*",
              "Sid": "ObserveTest"
            }
          ],
          "Version": "2012-10-17"
        }
        "#);
        let apply = permissions(&[SPECIMEN], Which::Apply, &[]);
        insta::assert_json_snapshot!(apply, @r#"
        {
          "Statement": [
            {
              "Action": [
                "iam:PassRole"
              ],
              "Effect": "Allow",
              "Resource": "*",
              "Sid": "ApplyIam"
            },
            {
              "Action": [
                "test:UpdateSpecimen"
              ],
              "Effect": "Allow",
              "Resource": "*",
              "Sid": "ApplyTest"
            }
          ],
          "Version": "2012-10-17"
        }
        "#);
    }

    #[test]
    fn a_sid_is_letters_and_digits() {
        assert_eq!(sid(Which::Observe, "access-analyzer"), "ObserveAccessAnalyzer");
        assert_eq!(sid(Which::Apply, "s3"), "ApplyS3");
    }
}
