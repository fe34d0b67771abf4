//! How a person takes away what a run created: the commands, by the call that created it. Nothing here is ever run.
//!
//! The commands are those of the AWS CLI (`aws SERVICE help`). What a step says is filled in; a word in capitals stands for
//! what AWS alone knows.

use serde_json::Value;

use crate::control::Step;
use crate::guard::quoted;
use crate::plan::Item;

/// What takes away what one call made.
struct Removal {
    made_by: &'static str,
    /// Words of the command line that belong together. `{name}` is the resource, `{region}` the flag that says where,
    /// `{arn:SERVICE}` the ARN of the resource, and `{step.KEY}` what the step that created it says under that key, or
    /// the resource where it says nothing.
    words: &'static [&'static str],
    /// What is lost by it, or has to be done first.
    warning: &'static str,
}

/// A command, and what a person has to know before running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// Words that belong together, in order: a line may end after each.
    pub words: Vec<String>,
    pub warning: &'static str,
}

const fn removal(made_by: &'static str, words: &'static [&'static str], warning: &'static str) -> Removal {
    Removal { made_by, words, warning }
}

const DETECTOR: &str =
    r#"--detector-id "$(aws guardduty list-detectors{region} --query 'DetectorIds[0]' --output text)""#;

const REMOVALS: &[Removal] = &[
    removal(
        "iam:UpdateAccountPasswordPolicy",
        &["aws iam delete-account-password-policy"],
        "AWS's own default holds then, which is weaker",
    ),
    removal(
        "iam:CreateRole",
        &["aws iam delete-role", "--role-name {step.role}"],
        "its policies have to go first: `aws iam delete-role-policy`. What uses the role stops working",
    ),
    removal(
        "kms:CreateKey",
        &[
            "aws kms schedule-key-deletion{region}",
            r#"--key-id "$(aws kms describe-key{region}"#,
            "--key-id {name}",
            r#"--query KeyMetadata.KeyId --output text)""#,
        ],
        "once a key is deleted, nobody can ever read what was encrypted with it. `aws kms disable-key` can be taken back",
    ),
    removal(
        "kms:CreateAlias",
        &["aws kms delete-alias{region}", "--alias-name {name}"],
        "whatever names the key by this alias does not find it any more",
    ),
    removal(
        "s3:CreateBucket",
        &["aws s3api delete-bucket{region}", "--bucket {name}"],
        "only an empty bucket can be deleted, and its objects are the logs that an auditor asks for",
    ),
    removal(
        "cloudtrail:CreateTrail",
        &["aws cloudtrail delete-trail{region}", "--name {name}"],
        "nothing is recorded by it from then on; `logging: false` stops it as well",
    ),
    removal(
        "logs:CreateLogGroup",
        &["aws logs delete-log-group{region}", "--log-group-name {step.group}"],
        "its events are deleted with it",
    ),
    removal(
        "config:PutConfigurationRecorder",
        &[
            "aws configservice delete-configuration-recorder{region}",
            "--configuration-recorder-name {step.name}",
        ],
        "nothing is recorded from then on; `record: none` stops it as well",
    ),
    removal(
        "config:PutDeliveryChannel",
        &["aws configservice delete-delivery-channel{region}", "--delivery-channel-name {step.name}"],
        "the recorder has to be stopped first",
    ),
    removal(
        "config:PutRetentionConfiguration",
        &[
            "aws configservice delete-retention-configuration{region}",
            "--retention-configuration-name default",
        ],
        "history is kept for seven years then",
    ),
    removal(
        "config:PutConfigRule",
        &["aws configservice delete-config-rule{region}", "--config-rule-name {name}"],
        "its results are deleted with it, and a remediation has to go first",
    ),
    removal(
        "config:PutRemediationConfigurations",
        &["aws configservice delete-remediation-configuration{region}", "--config-rule-name {name}"],
        "what the rule finds is not put right any more",
    ),
    removal(
        "config:PutConformancePack",
        &["aws configservice delete-conformance-pack{region}", "--conformance-pack-name {name}"],
        "its rules and their results are deleted with it",
    ),
    removal(
        "config:PutConfigurationAggregator",
        &[
            "aws configservice delete-configuration-aggregator{region}",
            "--configuration-aggregator-name {step.name}",
        ],
        "what it gathered is deleted with it, and stays where it came from",
    ),
    removal(
        "guardduty:CreateDetector",
        &["aws guardduty delete-detector{region}", DETECTOR],
        "its findings are deleted with it; `enabled: false` ends the charges and keeps them",
    ),
    removal(
        "guardduty:CreatePublishingDestination",
        &["aws guardduty delete-publishing-destination{region}", DETECTOR, "--destination-id ID"],
        "findings are not exported any more. `aws guardduty list-publishing-destinations` tells the id",
    ),
    removal(
        "guardduty:CreateFilter",
        &["aws guardduty delete-filter{region}", DETECTOR, "--filter-name {name}"],
        "what it archived is shown again",
    ),
    removal(
        "guardduty:CreateIPSet",
        &["aws guardduty delete-ip-set{region}", DETECTOR, "--ip-set-id ID"],
        "`aws guardduty list-ip-sets` tells the id; `active: false` takes it out of use as well",
    ),
    removal(
        "guardduty:CreateThreatIntelSet",
        &["aws guardduty delete-threat-intel-set{region}", DETECTOR, "--threat-intel-set-id ID"],
        "`aws guardduty list-threat-intel-sets` tells the id; `active: false` takes it out of use as well",
    ),
    removal(
        "guardduty:EnableOrganizationAdminAccount",
        &["aws guardduty disable-organization-admin-account{region}", "--admin-account-id {step.account}"],
        "it ends the administrator's hold on all members of that region",
    ),
    removal(
        "securityhub:EnableSecurityHub",
        &["aws securityhub disable-security-hub{region}"],
        "its standards, settings and findings are deleted with it",
    ),
    removal(
        "securityhub:CreateFindingAggregator",
        &["aws securityhub delete-finding-aggregator{region}", "--finding-aggregator-arn ARN"],
        "`aws securityhub list-finding-aggregators` tells the ARN; `linking: NO_REGIONS` ends it as well",
    ),
    removal(
        "securityhub:CreateAutomationRule",
        &["aws securityhub batch-delete-automation-rules{region}", "--automation-rules-arns ARN"],
        "`aws securityhub list-automation-rules` tells the ARN; `status: DISABLED` ends it as well",
    ),
    removal(
        "securityhub:EnableOrganizationAdminAccount",
        &["aws securityhub disable-organization-admin-account{region}", "--admin-account-id {step.account}"],
        "it ends the administrator's hold on all members of that region",
    ),
    removal(
        "inspector2:EnableDelegatedAdminAccount",
        &[
            "aws inspector2 disable-delegated-admin-account{region}",
            "--delegated-admin-account-id {step.account}",
        ],
        "it ends the administrator's hold on all members of that region",
    ),
    removal(
        "sns:CreateTopic",
        &["aws sns delete-topic{region}", "--topic-arn {arn:sns}"],
        "its subscriptions go with it, and whatever publishes to it tells nobody",
    ),
    removal(
        "sns:Subscribe",
        &["aws sns unsubscribe{region}", "--subscription-arn ARN"],
        "nobody is told there any more. `aws sns list-subscriptions` tells the ARN",
    ),
    removal(
        "events:PutRule",
        &["aws events delete-rule{region}", "--name {name}"],
        "its targets have to go first: `aws events remove-targets`. Nobody is told any more",
    ),
    removal(
        "logs:PutMetricFilter",
        &[
            "aws logs delete-metric-filter{region}",
            "--log-group-name {step.group}",
            "--filter-name {step.filter}",
        ],
        "its alarm has nothing to count any more",
    ),
    removal(
        "cloudwatch:PutMetricAlarm",
        &["aws cloudwatch delete-alarms{region}", "--alarm-names {step.alarm}"],
        "nobody is told any more; `enabled: false` silences it as well",
    ),
    removal(
        "wafv2:CreateWebACL",
        &[
            "aws wafv2 delete-web-acl{region}",
            "--name {name}",
            "--scope SCOPE",
            "--id ID",
            "--lock-token TOKEN",
        ],
        "what it protected is open. It has to be taken off its resources first, and `aws wafv2 list-web-acls` tells the rest",
    ),
    removal(
        "wafv2:CreateIPSet",
        &[
            "aws wafv2 delete-ip-set{region}",
            "--name {step.set}",
            "--scope SCOPE",
            "--id ID",
            "--lock-token TOKEN",
        ],
        "the rules that use it have to go first, and `aws wafv2 list-ip-sets` tells the rest",
    ),
    removal(
        "wafv2:PutLoggingConfiguration",
        &["aws wafv2 delete-logging-configuration{region}", "--resource-arn ARN"],
        "requests are not logged any more. `aws wafv2 list-web-acls` tells the ARN",
    ),
];

/// The commands that take away what these changes of one resource created, what was made last first; several regions as
/// one word. What is set on a resource as it is created goes with it.
pub fn by_hand(created: &[&Item], regions: &[&str]) -> Vec<ByHand> {
    let steps =
        |item: &&'_ Item| item.finding.change().map(|change| change.steps.clone()).unwrap_or_default();
    let steps: Vec<(&Item, Step)> =
        created.iter().flat_map(|item| steps(item).into_iter().map(|step| (*item, step))).collect();
    let mut all: Vec<ByHand> = Vec::new();
    for (item, step) in steps.iter().rev() {
        let Some(found) = REMOVALS.iter().find(|removal| removal.made_by == step.call) else { continue };
        let filled = |word: &&str| filled(word, item, step, regions);
        let one = ByHand { words: found.words.iter().map(filled).collect(), warning: found.warning };
        if !all.contains(&one) {
            all.push(one);
        }
    }
    // The alias of a key that is deleted goes with it.
    if all.iter().any(|one| one.words[0].starts_with("aws kms schedule-key-deletion")) {
        all.retain(|one| !one.words[0].starts_with("aws kms delete-alias"));
    }
    all
}

/// A word with what it stands for. What comes out is not looked at again: a name may hold anything.
fn filled(word: &str, item: &Item, step: &Step, regions: &[&str]) -> String {
    let place = match regions {
        [one] => one,
        _ => "REGION",
    };
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, (key, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        out.push_str(before);
        rest = after;
        match (key, key.split_once([':', '.'])) {
            ("region", _) if regions.is_empty() => {}
            ("region", _) => out.push_str(&format!(" --region {}", quoted(place))),
            (_, Some(("arn", service))) => {
                let scope = &item.scope;
                let (partition, account) = (scope.region.partition(), &scope.account);
                let resource = &item.finding.resource;
                out.push_str(&quoted(&format!("arn:{partition}:{service}:{place}:{account}:{resource}")));
            }
            (_, Some(("step", key))) => {
                let action = step.action.value();
                out.push_str(&quoted(said(&action, key).unwrap_or(&item.finding.resource)));
            }
            _ => out.push_str(&quoted(&item.finding.resource)),
        }
    }
    out.push_str(rest);
    out
}

/// The first text under this key, the outermost first.
fn said<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    let map = value.as_object()?;
    map.get(key).and_then(Value::as_str).or_else(|| map.values().find_map(|inner| said(inner, key)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::Verdict;
    use crate::report::fixture;

    #[test]
    fn every_call_that_makes_something_is_taken_away_by_one_command() {
        for (index, one) in REMOVALS.iter().enumerate() {
            assert!(one.words[0].starts_with("aws "), "{}", one.made_by);
            assert!(!one.warning.is_empty() && !one.warning.ends_with('.'), "{}", one.made_by);
            assert!(REMOVALS[..index].iter().all(|other| other.made_by != one.made_by), "{}", one.made_by);
        }
    }
    #[test]
    fn commands_are_filled_from_the_step_and_quoted_for_a_shell() {
        let item =
            fixture::item("111122223333", "eu-west-1", "sns.topics", "it's {step.role}", Verdict::InSync);
        let action = json!({"createRole": {"role": "trail", "tags": {"role": "other"}}});
        let role = fixture::step("iam:CreateRole", "create role trail", action);
        let said = |word, step, regions: &[&str]| filled(word, &item, step, regions);
        assert_eq!(said("--role-name {step.role}", &role, &["eu-west-1"]), "--role-name trail");
        let resource = r"'it'\''s {step.role}'";
        assert_eq!(said("--a {step.group} {name}", &role, &[]), format!("--a {resource} {resource}"));
        assert_eq!(said("aws x y{region}", &role, &[]), "aws x y");
        assert_eq!(said("aws x y{region}", &role, &["eu-west-1"]), "aws x y --region eu-west-1");
        assert_eq!(said("aws x y{region}", &role, &["a", "b"]), "aws x y --region REGION");
        let arn = r"'arn:aws:sns:eu-west-1:111122223333:it'\''s {step.role}'";
        assert_eq!(said("{arn:sns}", &role, &["eu-west-1"]), arn);
        // An unbalanced brace of our own is a word like any other.
        assert_eq!(said("a {b", &role, &[]), "a {b");
    }
}
