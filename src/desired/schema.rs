//! JSON Schema (draft 2020-12) of each kind of document, for editors.
//!
//! ```yaml
//! # yaml-language-server: $schema=./.schema/organization.json
//! ```

mod signoff;

use serde_json::{Map, Value, json};

use crate::control::Accounts;
use crate::desired::control::Controls;
use crate::desired::model::Kind;
use crate::desired::notifications;

/// The schema of one kind of document, or of any kind for files that hold several.
pub fn document(kind: Kind, controls: Controls) -> Value {
    let mut definitions = Map::new();
    let of_account = |accounts: Accounts| accounts == Accounts::Each;
    let spec = match kind {
        Kind::Organization => {
            organization(control_map(controls, |accounts| !of_account(accounts), &mut definitions))
        }
        Kind::Baseline => closed(
            json!({
                "extends": list(named("Baselines that come first, by name.")),
                "controls": control_map(controls, of_account, &mut definitions),
            }),
            &[],
        ),
        Kind::Account => closed(
            json!({
                "id": account_id("Absent: the one account of this name that AWS Organizations lists."),
                "regions": regions(),
                "suspend": suspend(),
                "baselines": list(named("Baselines for this account, after those of the Organization.")),
                "controls": control_map(controls, of_account, &mut definitions),
            }),
            &[],
        ),
        Kind::Exception => signoff::exception(controls),
        Kind::Attestation => signoff::attestation(controls),
    };
    let mut schema = closed(
        json!({
            "apiVersion": { "const": "baseline/v1" },
            "kind": { "const": kind.word() },
            "metadata": closed(
                json!({
                    "name": named("Unique among documents of this kind."),
                    "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                }),
                &["name"],
            ),
            "spec": spec,
        }),
        &["apiVersion", "kind", "metadata", "spec"],
    );
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = kind.word().into();
    if !definitions.is_empty() {
        schema["$defs"] = definitions.into();
    }
    schema
}

/// [`document`] as it is written to `.schema/`.
pub fn text(kind: Kind, controls: Controls) -> String {
    format!("{:#}\n", document(kind, controls))
}

pub(super) fn closed(properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

pub(super) fn named(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

pub(super) fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// One at least.
fn some(items: Value, description: &str) -> Value {
    json!({ "type": "array", "items": items, "minItems": 1, "description": description })
}

fn account_id(description: &str) -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{12}$", "description": description })
}

fn seat() -> Value {
    json!({ "enum": ["management", "logArchive", "security"] })
}

fn regions() -> Value {
    closed(
        json!({
            "home": named("Where settings that an account has once are looked after."),
            "managed": {
                "description": "`all-enabled`, or a list of regions.",
                "anyOf": [{ "const": "all-enabled" }, { "type": "array", "minItems": 1, "items": { "type": "string" } }],
            },
            "except": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "description": "Regions that are left alone, each with the reason.",
            },
        }),
        &[],
    )
}

fn suspend() -> Value {
    let mut suspend = closed(
        json!({
            "until": { "type": "string", "format": "date", "description": "The last day of it, in UTC; absent: until it is taken out." },
            "reason": named("Why nothing is changed."),
        }),
        &["reason"],
    );
    suspend["description"] = json!("Everything is looked at and told, and nothing is changed.");
    suspend
}

fn organization(controls: Value) -> Value {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    closed(
        json!({
            "id": { "type": "string", "pattern": "^o-[a-z0-9]{10,32}$", "description": "Asserted before anything else is read." },
            "seats": closed(
                json!({
                    "management": account_id("The organisation's management account."),
                    "logArchive": account_id("The account that keeps everybody's logs."),
                    "security": account_id("The delegated administrator of the security services."),
                }),
                &[],
            ),
            "roles": closed(
                json!({
                    "observe": named("Assumed for every read."),
                    "apply": named("Assumed for every write; plan never assumes it."),
                    "externalId": named("Sent with every AssumeRole."),
                }),
                &["observe", "apply"],
            ),
            "regions": regions(),
            "accounts": closed(
                json!({
                    "discover": { "type": "boolean", "description": "Accounts of AWS Organizations need no document." },
                    "except": {
                        "type": "object",
                        "propertyNames": { "pattern": "^[0-9]{12}$" },
                        "additionalProperties": { "type": "string" },
                        "description": "Accounts that are listed and not tried, each with the reason.",
                    },
                }),
                &[],
            ),
            "archive": closed(
                json!({
                    "seat": seat(),
                    "bucket": named("A bucket's name; may hold placeholders."),
                    "key": named("A key's alias; may hold placeholders."),
                }),
                &["seat", "bucket", "key"],
            ),
            "suspend": suspend(),
            "audit": named("A folder or `s3://bucket/prefix` for audit records."),
            "tags": texts,
            "networks": {
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,100}$" },
                "description": "Lists of networks in CIDR notation, by the name that controls refer to them by.",
                "additionalProperties": { "type": "array", "minItems": 1, "items": { "type": "string" } },
            },
            "baselines": list(closed(
                json!({
                    "use": named("A baseline, by name."),
                    "where": selector(),
                }),
                &["use"],
            )),
            "guards": closed(
                json!({
                    "accountsAtOnce": {
                        "type": "integer", "minimum": 1, "default": 5,
                        "description": "Accounts that an apply may change; where there are waves, each of them.",
                    },
                    "resourcesAtOnce": { "type": "integer", "minimum": 1 },
                    "percentOfResources": { "type": "integer", "minimum": 1, "maximum": 100 },
                    "refuse": list(json!({ "enum": ["disruptive", "destructive", "irreversible", "weakening"] })),
                    "incomplete": {
                        "enum": ["none", "risky", "all"], "default": "risky",
                        "description": "What is refused in an account and region where something could not be observed.",
                    },
                    "windows": windows(),
                }),
                &[],
            ),
            "rollout": closed(
                json!({
                    "waves": list(selector()),
                    "batch": {
                        "type": "integer", "minimum": 1,
                        "description": "How many of the accounts that no wave means are changed at a time.",
                    },
                    "errorBudget": {
                        "type": "integer", "minimum": 0, "default": 0,
                        "description": "Changes of one wave that may fail without stopping the rest; in the controller, accounts of one wave.",
                    },
                }),
                &[],
            ),
            "notifications": notifications::schema(),
            "limits": {
                "type": "object",
                "description": "By service, instead of the published rates.",
                "additionalProperties": closed(
                    json!({
                        "perSecond": { "type": "number", "exclusiveMinimum": 0 },
                        "burst": { "type": "integer", "minimum": 1 },
                    }),
                    &["perSecond"],
                ),
            },
            "controls": controls,
        }),
        &[],
    )
}

/// Which accounts are meant: every part that is given must match, one entry of it is enough.
pub(super) fn selector() -> Value {
    closed(
        json!({
            "ou": list(json!({ "type": "string", "pattern": "^/" })),
            "tags": { "type": "object", "additionalProperties": list(json!({ "type": "string" })) },
            "names": list(json!({ "type": "string" })),
            "seats": list(seat()),
            "accounts": list(account_id("An account.")),
        }),
        &[],
    )
}

/// Maintenance windows.
fn windows() -> Value {
    let time = json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" });
    let days = list(json!({ "enum": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] }));
    let zone = named("IANA: `Europe/Berlin`.");
    let fields = json!({ "days": days, "from": time, "to": time, "timeZone": zone });
    let window = closed(fields, &["days", "from", "to", "timeZone"]);
    closed(json!({ "for": { "enum": ["all", "risky"], "default": "all" }, "open": list(window) }), &["open"])
}

fn control_ids(controls: Controls) -> Value {
    json!({ "enum": controls.iter().map(|control| control.meta().id).collect::<Vec<_>>() })
}

/// Every control that may be declared here: its own fields and the shared words.
fn control_map(
    controls: Controls,
    here: impl Fn(Accounts) -> bool,
    definitions: &mut Map<String, Value>,
) -> Value {
    let mut properties = Map::new();
    for control in controls.iter().filter(|control| here(control.meta().reach.accounts)) {
        let meta = control.meta();
        let mut schema = control.schema().to_value();
        rename(&mut schema, meta.id);
        if let Some(own) = schema.as_object_mut().and_then(|schema| schema.remove("$defs")) {
            for (name, definition) in own.as_object().into_iter().flatten() {
                definitions.insert(format!("{}.{name}", meta.id), definition.clone());
            }
        }
        nullable(&mut schema);
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("$schema");
            schema.insert("title".into(), meta.title.into());
            let fields = schema.entry("properties").or_insert_with(|| Map::new().into());
            if let Some(fields) = fields.as_object_mut() {
                fields.extend(shared_words());
            }
        }
        properties.insert(meta.id.into(), schema);
    }
    for definition in definitions.values_mut() {
        nullable(definition);
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn shared_words() -> Map<String, Value> {
    let words = json!({
        "mode": {
            "enum": ["enforce", "observe", "unmanaged", null],
            "description": "`enforce` puts differences right, `observe` only tells them, `unmanaged` takes an inherited control out.",
        },
        "onConflict": {
            "enum": ["adopt", "fail", null],
            "description": "What to do about a resource that is there already.",
        },
        "regions": {
            "type": ["array", "null"],
            "minItems": 1,
            "items": { "type": "string" },
            "description": "`home`, or codes: where the control runs, of the managed regions.",
        },
        "reason": { "type": ["string", "null"], "description": "Why an account changes what it inherits." },
    });
    match words {
        Value::Object(words) => words,
        _ => Map::new(),
    }
}

/// Two controls may name a type alike: references get the control's id before them.
fn rename(schema: &mut Value, id: &str) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/$defs/{id}.{name}");
            }
            map.values_mut().for_each(|value| rename(value, id));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| rename(value, id)),
        _ => {}
    }
}

/// `null` takes an inherited field out, so every field of a map allows it, and none is required: another
/// document may say it.
fn nullable(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("required");
    if let Some(fields) = map.get_mut("properties").and_then(Value::as_object_mut) {
        fields.values_mut().for_each(or_null);
    }
    if let Some(other) = map.get_mut("additionalProperties").filter(|other| other.is_object()) {
        or_null(other);
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        for alternative in map.get_mut(word).and_then(Value::as_array_mut).into_iter().flatten() {
            nullable(alternative);
        }
    }
}

fn or_null(field: &mut Value) {
    nullable(field);
    let allows = field["type"] == "null"
        || field["type"].as_array().is_some_and(|types| types.contains(&"null".into()))
        || field["anyOf"].as_array().is_some_and(|any| any.iter().any(|one| one["type"] == "null"));
    if allows {
        return;
    }
    let description = field.as_object_mut().and_then(|field| field.remove("description"));
    let mut either = json!({ "anyOf": [field.take(), { "type": "null" }] });
    if let Some(description) = description {
        either["description"] = description;
    }
    *field = either;
}
