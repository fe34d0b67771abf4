//! The schemas of what people sign for.

use serde_json::{Value, json};

use super::{closed, control_ids, list, named, selector, some};
use crate::desired::control::Controls;

pub fn exception(controls: Controls) -> Value {
    let mut exception = closed(
        json!({
            "control": control_ids(controls),
            "rule": named("Absent: every rule of the control."),
            "accounts": some(json!({ "type": "string" }), "Names or ids, with `*` and `?`. Absent: those of `where`."),
            "where": selector(),
            "regions": some(json!({ "type": "string" }), "Absent: every region."),
            "resources": some(json!({ "type": "string" }), "With `*` and `?`. Absent: every resource."),
            "resourceTags": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": some(json!({ "type": "string" }), "One of these values."),
                "description": "Resources that have all of these tags, for controls that read tags.",
            },
            "suppressFindings": {
                "oneOf": [
                    { "type": "boolean" },
                    list(json!({ "type": "string", "pattern": "^[A-Za-z0-9]+\\.[0-9]{1,4}$" })),
                ],
                "description": "Suppress the findings of Security Hub about the same; `securityhub.suppressions` does it.",
            },
            "reason": named("Why it is not enforced."),
            "owner": named("Who has to end it."),
            "approver": named("Who took the risk."),
            "ticket": named("Where it was decided."),
            "expires": { "type": "string", "format": "date", "description": "The last day on which it holds." },
        }),
        &["control", "reason", "owner", "approver", "expires"],
    );
    exception["anyOf"] = json!([{ "required": ["accounts"] }, { "required": ["where"] }]);
    exception
}

pub fn attestation(controls: Controls) -> Value {
    closed(
        json!({
            "control": control_ids(controls),
            "rule": named("The rule that is vouched for."),
            "accounts": list(json!({ "type": "string" })),
            "by": named("Who vouches."),
            "evidence": named("Where it can be seen."),
            "expires": { "type": "string", "format": "date", "description": "The last day on which it holds." },
        }),
        &["control", "rule", "accounts", "by", "expires"],
    )
}
