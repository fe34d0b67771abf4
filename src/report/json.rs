//! A plan or an apply for programs, `formatVersion` 1: findings folded exactly as in the text, or with `jsonl`
//! one unfolded finding a line. Fields are only ever added within a version.

mod apply;
mod doctor;
mod drift;
mod exceptions;
mod finding;
mod who;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::fault::Fault;
use crate::place::AccountId;
use crate::plan::{AccountState, Item, Outcome, Plan, Totals};

use super::escape::escape_json;
use super::fold::{Block, fold};

pub use apply::{ApplyOutput, apply};
pub use doctor::{DoctorOutput, doctor};
pub use drift::{DriftOutput, drift, drift_lines};
pub use exceptions::{ExceptionsOutput, exceptions};
pub use finding::FindingOutput;

use exceptions::SignedOutput;

/// The version of the format that this program writes.
pub const FORMAT_VERSION: u32 = 1;

/// A plan, as `baseline plan --format json` prints it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Plan")]
pub struct PlanOutput<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    /// Everything that is not in sync; equal findings once, in plan order.
    findings: Vec<FindingOutput<'a>>,
    #[serde(flatten)]
    tail: Tail<'a>,
}

/// The last line of `--format jsonl`.
#[derive(Serialize)]
struct LastLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    tail: Tail<'a>,
}

/// What was looked at, and by whom.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    /// Always 1. Fields may be added; a change of meaning is another version.
    format_version: u32,
    /// The organisation's id, or its name in the YAML where that gives no id.
    organization: &'a str,
    desired_state: DesiredState<'a>,
    /// The role or principal that looked.
    caller: &'a str,
    accounts: Vec<Account<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DesiredState<'a> {
    /// Short git revision; `+` follows where the working tree differs from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    /// `sha256:…` of the files.
    digest: &'a str,
}

/// How an account was reached. One without a session is one finding, and stands only here.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    id: &'a AccountId,
    name: &'a str,
    state: State,
    /// Why no session could be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a Fault>,
    /// Why it was refused or not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum State {
    Reached,
    Unreachable,
    Refused,
    NotTried,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Tail<'a> {
    /// What people signed for, the first to end first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exceptions: Vec<SignedOutput<'a>>,
    /// Counts of single findings by outcome, in sync and not selected ones too.
    totals: &'a Totals,
    exit_code: u8,
}

/// The word, and why no session could be opened.
fn state(state: &AccountState) -> (State, Option<&Fault>, Option<&str>) {
    match state {
        AccountState::Reached => (State::Reached, None, None),
        AccountState::Unreachable { fault } => (State::Unreachable, Some(fault), None),
        AccountState::Refused { why } => (State::Refused, None, Some(why.as_str())),
        AccountState::NotTried { why } => (State::NotTried, None, Some(why.as_str())),
    }
}

impl<'a> Tail<'a> {
    fn of(plan: &'a Plan, exit_code: u8) -> Self {
        let exceptions = plan.exceptions.iter().map(SignedOutput::planned).collect();
        Self { exceptions, totals: &plan.totals, exit_code }
    }
}

impl<'a> Head<'a> {
    fn of(plan: &'a Plan) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            organization: plan.organization_id.as_deref().unwrap_or(&plan.organization),
            desired_state: DesiredState { revision: plan.revision.as_deref(), digest: &plan.digest },
            caller: &plan.caller,
            accounts: plan
                .accounts
                .iter()
                .map(|account| {
                    let (state, fault, why) = state(&account.state);
                    Account { id: &account.id, name: &account.name, state, fault, why }
                })
                .collect(),
        }
    }
}

/// The plan as one JSON document, indented. In-sync findings are only listed with `show_in_sync`.
pub fn plan(plan: &Plan, exit_code: u8, show_in_sync: bool) -> String {
    let blocks = fold(listed(plan, show_in_sync));
    document(&PlanOutput {
        head: Head::of(plan),
        findings: blocks.iter().map(|block| FindingOutput::of(plan, block)).collect(),
        tail: Tail::of(plan, exit_code),
    })
}

/// One unfolded finding a line in the shape of `findings`, and a last line with everything else.
pub fn jsonl(plan: &Plan, exit_code: u8, show_in_sync: bool) -> String {
    let mut out = String::new();
    for item in listed(plan, show_in_sync) {
        line(&mut out, &FindingOutput::of(plan, &Block::of(item)));
    }
    line(&mut out, &LastLine { head: Head::of(plan), tail: Tail::of(plan, exit_code) });
    out
}

/// The JSON Schema of [`plan`]'s document.
pub fn plan_schema() -> Schema {
    written::<PlanOutput<'_>>()
}

/// The JSON Schema of [`apply()`]'s document.
pub fn apply_schema() -> Schema {
    written::<ApplyOutput<'_>>()
}

/// The JSON Schema of [`drift()`]'s document.
pub fn drift_schema() -> Schema {
    written::<DriftOutput<'_>>()
}

/// The JSON Schema of [`exceptions()`]'s document.
pub fn exceptions_schema() -> Schema {
    written::<ExceptionsOutput<'_>>()
}

/// The JSON Schema of [`doctor()`]'s document.
pub fn doctor_schema() -> Schema {
    written::<DoctorOutput<'_>>()
}

/// The schema of what is written; what is left out when empty is not required.
fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

fn listed(plan: &Plan, show_in_sync: bool) -> impl Iterator<Item = &Item> {
    plan.items.iter().filter(move |item| show_in_sync || item.outcome != Outcome::InSync)
}

fn document(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).expect(SERIALISES);
    format!("{}\n", escape_json(&json))
}

fn line(out: &mut String, value: &impl Serialize) {
    out.push_str(&escape_json(&serde_json::to_string(value).expect(SERIALISES)));
    out.push('\n');
}

const SERIALISES: &str = "output has text keys and finite numbers only";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::report::fixture;

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn assert_valid(schema: &Schema, document: &Value) {
        let validator = jsonschema::validator_for(schema.as_value()).unwrap();
        let errors: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    #[test]
    fn two_accounts_and_three_regions() {
        insta::assert_snapshot!(plan(&fixture::two_accounts(), 4, false));
    }

    #[test]
    fn every_outcome_fits_the_schema() {
        let mut all = fixture::two_accounts();
        let blocked = all.items.iter_mut().find(|item| item.control == "cloudtrail.trail").unwrap();
        blocked.outcome =
            Outcome::Blocked { on: vec![fixture::delivery()], why: Some("the trail exists".into()) };
        let not_offered = crate::control::Verdict::NotOffered { source: "the region's endpoint list".into() };
        all.items.push(fixture::item(
            fixture::PAYMENTS,
            "ap-south-1",
            "guardduty.detector",
            "detector",
            not_offered,
        ));
        assert_valid(&plan_schema(), &parse(&plan(&all, 4, true)));
        assert_valid(&plan_schema(), &parse(&plan(&fixture::five_hundred(), 4, false)));
    }

    #[test]
    fn an_apply_fits_its_schema() {
        let text = apply(&fixture::two_accounts(), &fixture::applied(), 3);
        assert_valid(&apply_schema(), &parse(&text));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn schemas_are_what_generate_prints() {
        insta::assert_json_snapshot!("plan_schema", plan_schema());
    }

    #[test]
    fn jsonl_has_a_line_for_each_finding_and_one_more() {
        let plan = fixture::two_accounts();
        let text = jsonl(&plan, 4, false);
        let lines: Vec<Value> = text.lines().map(parse).collect();
        assert_eq!(lines.len(), plan.items.len() + 1);
        assert_eq!(lines[3]["regions"], json!(["eu-central-1"]));
        assert_eq!(lines.last().unwrap()["totals"]["change"], json!(10));
        assert_eq!(lines.last().unwrap()["exitCode"], json!(4));
        assert!(lines.last().unwrap().get("findings").is_none());
    }

    #[test]
    fn a_thousand_findings_are_one() {
        let folded = parse(&plan(&fixture::five_hundred(), 4, false));
        assert_eq!(folded["findings"].as_array().unwrap().len(), 1);
        assert_eq!(folded["findings"][0]["accounts"].as_array().unwrap().len(), 412);
        assert_eq!(folded["findings"][0]["regions"].as_array().unwrap().len(), 17);
        assert_eq!(folded["accounts"][412]["state"], json!("unreachable"));
        assert_eq!(folded["accounts"][413]["why"], json!("suspended"));
    }

    #[test]
    fn hostile_strings_reach_no_terminal_raw() {
        let mut hostile = fixture::two_accounts();
        hostile.accounts[0].name = "a\u{9b}31m\u{202e}".into();
        let text = plan(&hostile, 4, false);
        assert!(!text.contains(['\u{9b}', '\u{202e}']));
        assert_eq!(parse(&text)["accounts"][0]["name"], json!("a\u{9b}31m\u{202e}"));
    }
}
