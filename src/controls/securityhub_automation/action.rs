//! Actions: what a rule makes of the findings that it is about, in AWS's own field names.

use std::collections::BTreeMap;

use aws_sdk_securityhub::types::{
    AutomationRulesAction, AutomationRulesActionType, AutomationRulesFindingFieldsUpdate, NoteUpdate,
    RelatedFinding, SeverityLabel, SeverityUpdate, VerificationState, WorkflowStatus, WorkflowUpdate,
};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::criteria::Criteria;

/// `AutomationRulesAction`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Action {
    #[serde(rename = "Type")]
    pub kind: String,
    pub finding_fields_update: Update,
}

/// `AutomationRulesFindingFieldsUpdate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Update {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criticality: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_findings: Vec<Related>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub user_defined_fields: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Workflow>,
}

/// `NoteUpdate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Note {
    pub text: String,
    pub updated_by: String,
}

/// `RelatedFinding`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Related {
    pub product_arn: String,
    pub id: String,
}

/// `SeverityUpdate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Severity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalized: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<f64>,
}

/// `WorkflowUpdate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Workflow {
    pub status: String,
}

/// The actions of a rule: AWS takes one, in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Actions(pub Vec<Action>);

const LABELS: [&str; 5] = ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"];

fn rank(label: &str) -> Option<usize> {
    LABELS.iter().position(|known| *known == label)
}

/// The label that AWS makes of a normalized severity (API reference, `SeverityUpdate`).
fn label_of(normalized: i32) -> &'static str {
    match normalized {
        ..=0 => "INFORMATIONAL",
        1..=39 => "LOW",
        40..=69 => "MEDIUM",
        70..=89 => "HIGH",
        _ => "CRITICAL",
    }
}

impl Update {
    /// The word that takes findings out of what people look at.
    fn hides(&self) -> Option<&str> {
        let workflow = self.workflow.as_ref()?;
        ["SUPPRESSED", "RESOLVED"].into_iter().find(|hiding| *hiding == workflow.status)
    }

    /// May a finding that the criteria let through come out less severe than it went in?
    fn lowers(&self, criteria: &Criteria) -> bool {
        let Some(severity) = &self.severity else { return false };
        let label = severity.label.as_deref().or(severity.normalized.map(label_of));
        let Some(to) = label.and_then(rank) else { return false };
        let most = criteria
            .equal("SeverityLabel")
            .and_then(|labels| labels.map(|label| rank(label).unwrap_or(LABELS.len())).max());
        to < most.unwrap_or(LABELS.len() - 1)
    }

    fn misfit(&self) -> Option<String> {
        let word = |word: &Option<String>, known: &[&'static str]| {
            let word = word.as_deref().filter(|word| !known.contains(word))?;
            Some(format!("`{word}` is none of {}", known.join(", ")))
        };
        let ratio = |name: &str, number: Option<i32>| {
            let number = number.filter(|number| !(0..=100).contains(number))?;
            Some(format!("`{name}` {number} must be between 0 and 100"))
        };
        if *self == Self::default() {
            return Some("`FindingFieldsUpdate` changes nothing".into());
        }
        let severity = self.severity.as_ref();
        let blank = self
            .note
            .as_ref()
            .is_some_and(|note| note.text.trim().is_empty() || note.updated_by.trim().is_empty());
        word(&self.workflow.as_ref().map(|workflow| workflow.status.clone()), WorkflowStatus::values())
            .or_else(|| word(&self.verification_state, VerificationState::values()))
            .or_else(|| word(&severity.and_then(|severity| severity.label.clone()), SeverityLabel::values()))
            .or_else(|| ratio("Normalized", severity.and_then(|severity| severity.normalized)))
            .or_else(|| ratio("Confidence", self.confidence))
            .or_else(|| ratio("Criticality", self.criticality))
            .or_else(|| blank.then(|| "`Note` needs `Text` and `UpdatedBy`".into()))
    }
}

impl Actions {
    /// The word that takes findings out of what people look at: `SUPPRESSED`.
    pub fn hides(&self) -> Option<&str> {
        self.0.iter().find_map(|action| action.finding_fields_update.hides())
    }

    /// Can less be seen of the findings that match than without the rule?
    pub fn weaken(&self, criteria: &Criteria) -> bool {
        self.hides().is_some() || self.0.iter().any(|action| action.finding_fields_update.lowers(criteria))
    }

    pub fn sdk(&self) -> Vec<AutomationRulesAction> {
        self.0.iter().map(Into::into).collect()
    }
}

impl<'de> Deserialize<'de> for Actions {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut all = Vec::<Action>::deserialize(from)?;
        let [action] = &mut all[..] else {
            return Err(D::Error::custom(format_args!("a rule has 1 action, not {}", all.len())));
        };
        if !AutomationRulesActionType::values().contains(&action.kind.as_str()) {
            return Err(D::Error::custom(format_args!("`{}` is not FINDING_FIELDS_UPDATE", action.kind)));
        }
        if let Some(misfit) = action.finding_fields_update.misfit() {
            return Err(D::Error::custom(misfit));
        }
        action.finding_fields_update.related_findings.sort();
        Ok(Self(all))
    }
}

impl JsonSchema for Actions {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Actions".into()
    }

    /// The outermost alone: what is beneath it is told when the document is checked.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "array", "minItems": 1, "maxItems": 1, "items": {
            "type": "object", "required": ["Type", "FindingFieldsUpdate"], "additionalProperties": false,
            "properties": {
                "Type": {"enum": ["FINDING_FIELDS_UPDATE"], "description": "The only one that there is."},
                "FindingFieldsUpdate": {
                    "type": "object",
                    "description": "`Severity`, `Workflow`, `Note` and whatever else a rule may change."
                }
            }
        }})
    }
}

/// Two that differ, for whoever needs another valid value of the field.
pub fn samples() -> Value {
    let severity = |label: &str| json!([{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": {"Severity": {"Label": label}}}]);
    json!([severity("HIGH"), severity("CRITICAL")])
}

fn text(text: Option<String>) -> String {
    text.unwrap_or_default()
}

impl From<AutomationRulesAction> for Action {
    fn from(sdk: AutomationRulesAction) -> Self {
        let kind = text(sdk.r#type.map(|word| word.as_str().to_owned()));
        let Some(live) = sdk.finding_fields_update else {
            return Self { kind, finding_fields_update: Update::default() };
        };
        let related = live.related_findings.unwrap_or_default().into_iter();
        let mut related: Vec<Related> =
            related.map(|one| Related { product_arn: text(one.product_arn), id: text(one.id) }).collect();
        related.sort();
        let severity = live.severity.map(|severity| Severity {
            label: severity.label.map(|word| word.as_str().to_owned()),
            normalized: severity.normalized,
            product: severity.product,
        });
        let finding_fields_update = Update {
            confidence: live.confidence,
            criticality: live.criticality,
            note: live.note.map(|note| Note { text: text(note.text), updated_by: text(note.updated_by) }),
            related_findings: related,
            severity,
            types: live.types.unwrap_or_default(),
            user_defined_fields: live.user_defined_fields.unwrap_or_default().into_iter().collect(),
            verification_state: live.verification_state.map(|word| word.as_str().to_owned()),
            workflow: live.workflow.and_then(|workflow| {
                workflow.status.map(|status| Workflow { status: status.as_str().to_owned() })
            }),
        };
        Self { kind, finding_fields_update }
    }
}

impl From<&Action> for AutomationRulesAction {
    fn from(action: &Action) -> Self {
        let update = &action.finding_fields_update;
        let note = |note: &Note| NoteUpdate::builder().text(&note.text).updated_by(&note.updated_by).build();
        let related =
            |one: &Related| RelatedFinding::builder().product_arn(&one.product_arn).id(&one.id).build();
        let severity = |severity: &Severity| {
            SeverityUpdate::builder()
                .set_label(severity.label.as_deref().map(SeverityLabel::from))
                .set_normalized(severity.normalized)
                .set_product(severity.product)
                .build()
        };
        let workflow =
            |workflow: &Workflow| WorkflowUpdate::builder().status(workflow.status.as_str().into()).build();
        let fields = update.user_defined_fields.clone();
        let sdk = AutomationRulesFindingFieldsUpdate::builder()
            .set_confidence(update.confidence)
            .set_criticality(update.criticality)
            .set_note(update.note.as_ref().map(note))
            .set_related_findings(some(update.related_findings.iter().map(related).collect()))
            .set_severity(update.severity.as_ref().map(severity))
            .set_types(some(update.types.clone()))
            .set_user_defined_fields((!fields.is_empty()).then(|| fields.into_iter().collect()))
            .set_verification_state(update.verification_state.as_deref().map(VerificationState::from))
            .set_workflow(update.workflow.as_ref().map(workflow))
            .build();
        Self::builder().r#type(action.kind.as_str().into()).finding_fields_update(sdk).build()
    }
}

/// `None` rather than an empty list.
fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}
