//! `ecr.repositories`: scanning, tags and lifecycle of image repositories, by selector.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_ecr::types::{ImageScanningConfiguration, ImageTagMutability};
use futures::{StreamExt as _, TryStreamExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::{Reader, Writer, fault};
use crate::control::{
    AwsWrite, Call, Change, Control, Direction, Facts, Field, Finding, Known, ManualTask, Meta, Reach, Risk,
    Rule, Select, Severity, Sight, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};

mod lifecycle;

pub use lifecycle::Lifecycle;

pub struct Repositories;

/// Image repositories, by rules. The first rule that selects a repository governs it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RepositoriesSpec {
    /// Tried from the top; a repository that no rule selects is left alone.
    pub rules: Vec<RepositoryRule>,
}

/// What the selected repositories are to be.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct RepositoryRule {
    /// Which repositories this rule governs, unless a rule above does.
    pub select: Select,
    /// Images are scanned for known vulnerabilities when they are pushed (FSBP ECR.1). Where the registry
    /// has scanning rules of its own, those decide.
    #[serde(default)]
    pub scan_on_push: Option<bool>,
    /// A tag cannot be moved to another image (FSBP ECR.2). Exclusion filters that somebody set are kept.
    #[serde(default)]
    pub immutable_tags: Option<bool>,
    /// The lifecycle policy, as the document that AWS takes, or `none` (FSBP ECR.3). It deletes images.
    #[serde(default)]
    #[schemars(extend("x-mutate" = lifecycle::samples()))]
    pub lifecycle: Option<Lifecycle>,
}

/// The selectors in order, with what must be read for whom; empty where nobody's lifecycle is declared,
/// so that other edits of the rules leave a saved observation valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask(Vec<AskRule>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRule {
    select: Select,
    lifecycle: bool,
}

impl Ask {
    fn wants_lifecycle(&self, name: &str) -> bool {
        self.0.iter().find(|rule| rule.select.matches(name)).is_some_and(|rule| rule.lifecycle)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    pub scan_on_push: bool,
    /// As AWS says it: `IMMUTABLE_WITH_EXCLUSION`.
    pub tag_mutability: String,
    /// Tags that the mutability does not hold for, `latest*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_tags: Vec<String>,
    /// `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Sight<Lifecycle>>,
}

impl Repository {
    /// Can no tag be moved, apart from those that somebody excluded? An exclusion of everything is not one.
    fn has_immutable_tags(&self) -> Option<bool> {
        let excludes_all = self.excluded_tags.iter().any(|filter| filter.chars().all(|c| c == '*'));
        match self.tag_mutability.as_str() {
            "IMMUTABLE" => Some(true),
            "IMMUTABLE_WITH_EXCLUSION" => Some(!excludes_all),
            "MUTABLE" => Some(false),
            "MUTABLE_WITH_EXCLUSION" => Some(excludes_all),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Put {
    Scanning { repository: String, scan_on_push: bool },
    TagMutability { repository: String, immutable: bool },
    Lifecycle { repository: String, policy: Lifecycle },
}

const PUT_SCANNING: Call = Call::new("ecr:PutImageScanningConfiguration");
const PUT_TAG_MUTABILITY: Call = Call::new("ecr:PutImageTagMutability");
const PUT_LIFECYCLE: Call = Call::new("ecr:PutLifecyclePolicy");

impl AwsWrite for Put {
    fn call(&self) -> &'static Call {
        match self {
            Self::Scanning { .. } => const { &PUT_SCANNING },
            Self::TagMutability { .. } => const { &PUT_TAG_MUTABILITY },
            Self::Lifecycle { .. } => const { &PUT_LIFECYCLE },
        }
    }
}

impl fmt::Display for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scanning { repository, scan_on_push } => {
                write!(f, "turn scan on push {} for {repository}", if *scan_on_push { "on" } else { "off" })
            }
            Self::TagMutability { repository, immutable } => {
                write!(
                    f,
                    "make the tags of {repository} {}",
                    if *immutable { "immutable" } else { "mutable" }
                )
            }
            Self::Lifecycle { repository, .. } => write!(f, "put the lifecycle policy of {repository}"),
        }
    }
}

/// One repository and the rule that governs it.
struct Governed<'a> {
    name: &'a str,
    live: &'a Repository,
    index: usize,
}

impl Governed<'_> {
    fn path(&self, leaf: &str) -> String {
        format!("/rules/{}/{leaf}", self.index)
    }

    fn scan_on_push(&self, want: bool) -> Verdict<Put> {
        if self.live.scan_on_push == want {
            return Verdict::InSync;
        }
        let field = Field::new(self.path("scanOnPush"), self.live.scan_on_push, want);
        let step = Put::Scanning { repository: self.name.into(), scan_on_push: want };
        let change = Change::update(vec![field], vec![step]);
        Verdict::Change(Change { direction: toward(want), ..change })
    }

    fn immutable_tags(&self, want: bool) -> Verdict<Put> {
        let Some(live) = self.live.has_immutable_tags() else {
            let message =
                format!("`{}` is not a tag mutability that this build knows", self.live.tag_mutability);
            return Verdict::Unknown {
                fault: Fault::local(FaultKind::Invalid, "ecr:DescribeRepositories", message),
            };
        };
        if live == want {
            return Verdict::InSync;
        }
        let filters = &self.live.excluded_tags;
        let change = Change::update(
            vec![Field::new(self.path("immutableTags"), live, want)],
            vec![Put::TagMutability { repository: self.name.into(), immutable: want }],
        );
        Verdict::Change(Change {
            risk: if want { Risk::Disruptive } else { Risk::Safe },
            direction: toward(want),
            evidence: match (want, filters.is_empty()) {
                (_, false) => Some(format!("the exclusion of {} ends", filters.join(", "))),
                (true, true) => Some("pushing a tag that exists fails from then on".into()),
                (false, true) => None,
            },
            ..change
        })
    }

    fn lifecycle(&self, want: &Lifecycle) -> Verdict<Put> {
        let live = match &self.live.lifecycle {
            Some(Sight::Seen(live)) => live,
            Some(Sight::Unseen(fault)) => return Verdict::Unknown { fault: fault.clone() },
            None => {
                let fault = Fault::not_asked("ecr:GetLifecyclePolicy");
                return Verdict::Unknown { fault };
            }
        };
        match (live, want) {
            _ if live.means(want) => Verdict::InSync,
            (_, Lifecycle::None) => Verdict::Manual(ManualTask {
                title: format!("Delete the lifecycle policy of {}", self.name),
                found: vec![("lifecycle".into(), "a policy, and none is declared".into())],
                steps: vec![
                    "baseline deletes nothing. Look at the policy, then delete it:".into(),
                    format!("aws ecr delete-lifecycle-policy --repository-name {}", self.name),
                ],
                verified: Verified::ByObservation,
            }),
            (_, Lifecycle::Policy(_)) => {
                let change = Change::update(
                    vec![Field::new(self.path("lifecycle"), live.clone(), want.clone())],
                    vec![Put::Lifecycle { repository: self.name.into(), policy: want.clone() }],
                );
                Verdict::Change(Change {
                    risk: Risk::Destructive,
                    direction: match live {
                        Lifecycle::None => Direction::Strengthens,
                        Lifecycle::Policy(_) => Direction::Neutral,
                    },
                    evidence: Some("ECR deletes the images that the policy selects, within 24 hours".into()),
                    ..change
                })
            }
        }
    }
}

fn toward(on: bool) -> Direction {
    if on { Direction::Strengthens } else { Direction::Weakens }
}

/// At most this many `GetLifecyclePolicy` at once in one scope; the rate is the engine's to keep.
const AT_ONCE: usize = 16;

/// `None`: the repository went away since it was listed.
async fn lifecycle_of(aws: &Reader, name: &str) -> Option<Sight<Lifecycle>> {
    let answer = aws.ecr().get_lifecycle_policy().repository_name(name).send().await;
    let text = match answer {
        Ok(answer) => answer.lifecycle_policy_text.unwrap_or_default(),
        Err(error) => {
            let service = error.as_service_error();
            if service.is_some_and(|e| e.is_lifecycle_policy_not_found_exception()) {
                return Some(Sight::Seen(Lifecycle::None));
            }
            if service.is_some_and(|e| e.is_repository_not_found_exception()) {
                return None;
            }
            return Some(Sight::Unseen(fault("ecr:GetLifecyclePolicy")(error)));
        }
    };
    Some(match serde_json::from_str(&text) {
        Ok(policy) => Sight::Seen(policy),
        Err(error) => Sight::Unseen(Fault::local(
            FaultKind::Invalid,
            "ecr:GetLifecyclePolicy",
            format!("the policy is not a document that this build can read: {error}"),
        )),
    })
}

impl Control for Repositories {
    const META: Meta = Meta {
        id: "ecr.repositories",
        title: "Images are scanned when pushed, tags stay put, old images go",
        docs: "\
## What it checks

Every image repository of the private registry, in each region, against the first rule whose selector matches
its name: scanning on push, immutable tags, and the lifecycle policy compared by meaning (the order of rules
in the document, of tag lists and of keys says nothing).

Scanning can also be said for the whole registry, and those rules win over a repository's own setting.

## Why it matters

An image that nobody scanned carries its vulnerabilities into production. A tag that can be moved lets
somebody replace a released image by another. Images that are never deleted cost money and keep old
vulnerabilities within reach.

## What apply does

One call for each repository and setting. Immutable tags make a push fail where the tag exists, so builds that
push `latest` again break: the plan marks the change as disruptive, and apply refuses it where `guards.refuse`
lists that word. A lifecycle policy deletes images for good: apply asks for `--allow destructive:REPOSITORY`.
Nothing else of a repository is touched, and no lifecycle policy is ever deleted: `lifecycle: none` is put
right by hand.

## How to undo

The audit record of the run holds the old values, repository by repository: declare them in a rule for those
names, above the other rules, and apply. Turning something off weakens, so apply asks for
`--allow weakening:REPOSITORY`. Images that a lifecycle policy deleted are gone.
",
        example: "\
rules:
- select: {names: [\"*\"]}
  scanOnPush: true
  immutableTags: true
  lifecycle:
    rules:
    - rulePriority: 1
      description: untagged images go after two weeks
      selection:
        tagStatus: untagged
        countType: sinceImagePushed
        countUnit: days
        countNumber: 14
      action: {type: expire}
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "scan-on-push", severity: Severity::High, frameworks: &["fsbp/ECR.1"] },
            Rule { id: "immutable-tags", severity: Severity::Medium, frameworks: &["fsbp/ECR.2"] },
            Rule { id: "lifecycle", severity: Severity::Medium, frameworks: &["fsbp/ECR.3"] },
        ],
        reads: &[Call::new("ecr:DescribeRepositories"), Call::new("ecr:GetLifecyclePolicy")],
        writes: &[PUT_SCANNING, PUT_TAG_MUTABILITY, PUT_LIFECYCLE],
        events: &["ecr:CreateRepository", "ecr:DeleteLifecyclePolicy"],
        undo: Some("deleted images are gone, and baseline never deletes a lifecycle policy"),
        tags: false,
    };
    type Desired = RepositoriesSpec;
    type Ask = Ask;
    type Observed = BTreeMap<String, Repository>;
    type Action = Put;

    fn ask(&self, _: &Facts, spec: &RepositoriesSpec) -> Ask {
        let last = spec.rules.iter().rposition(|rule| rule.lifecycle.is_some());
        let rules = spec.rules.iter().take(last.map_or(0, |index| index + 1));
        Ask(rules
            .map(|rule| AskRule { select: rule.select.clone(), lifecycle: rule.lifecycle.is_some() })
            .collect())
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Self::Observed, Fault> {
        let pages = aws.ecr().describe_repositories().into_paginator().items().send();
        let listed: Vec<(String, Repository)> = pages
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(fault("ecr:DescribeRepositories"))?
            .into_iter()
            .filter_map(|found| {
                let excluded = found.image_tag_mutability_exclusion_filters.unwrap_or_default();
                let repository = Repository {
                    scan_on_push: found.image_scanning_configuration.is_some_and(|c| c.scan_on_push),
                    // Repositories older than the setting come without it, and are mutable.
                    tag_mutability: found
                        .image_tag_mutability
                        .map_or_else(|| "MUTABLE".into(), |m| m.as_str().into()),
                    excluded_tags: excluded.into_iter().map(|filter| filter.filter).collect(),
                    lifecycle: None,
                };
                found.repository_name.map(|name| (name, repository))
            })
            .collect();
        futures::stream::iter(listed)
            .map(|(name, repository)| async move {
                if !ask.wants_lifecycle(&name) {
                    return Some((name, repository));
                }
                let lifecycle = lifecycle_of(aws, &name).await?;
                Some((name, Repository { lifecycle: Some(lifecycle), ..repository }))
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .map(Ok)
            .try_collect()
            .await
    }

    fn plan(
        &self,
        _: &Facts,
        _: &Known,
        spec: &RepositoriesSpec,
        observed: &Self::Observed,
    ) -> Vec<Finding<Put>> {
        let mut findings = Vec::new();
        for (name, live) in observed {
            let governing = spec.rules.iter().enumerate().find(|(_, rule)| rule.select.matches(name));
            let Some((index, rule)) = governing else { continue };
            let governed = Governed { name, live, index };
            let mut say = |rule: &str, verdict| findings.push(Finding::new(name, rule, verdict));
            if let Some(want) = rule.scan_on_push {
                say("scan-on-push", governed.scan_on_push(want));
            }
            if let Some(want) = rule.immutable_tags {
                say("immutable-tags", governed.immutable_tags(want));
            }
            if let Some(want) = &rule.lifecycle {
                say("lifecycle", governed.lifecycle(want));
            }
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Put) -> Result<(), Fault> {
        let ecr = aws.ecr();
        match action {
            Put::Scanning { repository, scan_on_push } => {
                let scanning = ImageScanningConfiguration::builder().scan_on_push(*scan_on_push).build();
                ecr.put_image_scanning_configuration()
                    .repository_name(repository)
                    .image_scanning_configuration(scanning)
                    .send()
                    .await
                    .map_err(fault(PUT_SCANNING.operation))?;
            }
            Put::TagMutability { repository, immutable } => {
                let mutability =
                    if *immutable { ImageTagMutability::Immutable } else { ImageTagMutability::Mutable };
                ecr.put_image_tag_mutability()
                    .repository_name(repository)
                    .image_tag_mutability(mutability)
                    .send()
                    .await
                    .map_err(fault(PUT_TAG_MUTABILITY.operation))?;
            }
            Put::Lifecycle { repository, policy } => {
                ecr.put_lifecycle_policy()
                    .repository_name(repository)
                    .lifecycle_policy_text(Value::from(policy.clone()).to_string())
                    .send()
                    .await
                    .map_err(fault(PUT_LIFECYCLE.operation))?;
            }
        }
        Ok(())
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Self::Observed) -> Option<RepositoriesSpec> {
        let rules = observed.iter().map(|(name, live)| RepositoryRule {
            select: Select::one(name),
            scan_on_push: Some(live.scan_on_push),
            immutable_tags: live.has_immutable_tags(),
            lifecycle: match &live.lifecycle {
                Some(Sight::Seen(lifecycle)) => Some(lifecycle.clone()),
                Some(Sight::Unseen(_)) | None => None,
            },
        });
        (!observed.is_empty()).then(|| RepositoriesSpec { rules: rules.collect() })
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<RepositoriesSpec> {
        let before = |leaf: &str| {
            fields.iter().find(|field| field.path.ends_with(leaf)).map(|field| field.before.clone())
        };
        let rule = RepositoryRule {
            select: Select::one(resource),
            scan_on_push: before("/scanOnPush").and_then(|value| value.as_bool()),
            immutable_tags: before("/immutableTags").and_then(|value| value.as_bool()),
            lifecycle: before("/lifecycle").and_then(|value| Lifecycle::try_from(value).ok()),
        };
        (!fields.is_empty()).then(|| RepositoriesSpec { rules: vec![rule] })
    }
}

#[cfg(test)]
mod tests;
