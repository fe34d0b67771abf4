//! AWS KMS: customer managed keys and their aliases.
//!
//! Source: AWS KMS API Reference, the operation named at each handler, and the KMS Developer Guide, "Key
//! states of AWS KMS keys", for what a key takes in which state.

mod aliases;
mod key_policy;
mod keys;
mod rotation;
mod signatures;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use aws_sdk_kms::types::{KeySpec, KeyState, OriginType};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, length_within};

static SERVICE: Service = Service {
    id: "KMS",
    prefix: "kms",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("KMSInternalException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("CreateKey", keys::create_key)
        .on("DescribeKey", keys::describe_key)
        .on("ListKeys", keys::list_keys)
        .on("EnableKey", keys::enable_key)
        .on("CancelKeyDeletion", keys::cancel_key_deletion)
        .on("UpdateKeyDescription", keys::update_key_description)
        .on("CreateAlias", aliases::create_alias)
        .on("ListAliases", aliases::list_aliases)
        .on("GetKeyPolicy", key_policy::get_key_policy)
        .on("PutKeyPolicy", key_policy::put_key_policy)
        .on("EnableKeyRotation", rotation::enable_key_rotation)
        .on("DisableKeyRotation", rotation::disable_key_rotation)
        .on("GetKeyRotationStatus", rotation::get_key_rotation_status)
        .on("Sign", signatures::sign)
        .on("Verify", signatures::verify)
        .on("TagResource", tags::tag_resource)
        .on("ListResourceTags", tags::list_resource_tags)
}

/// The keys of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Kms {
    /// By key id.
    pub keys: BTreeMap<String, Key>,
    /// Alias (`alias/…`) to key id.
    pub aliases: BTreeMap<String, String>,
}

impl Kms {
    /// The key that an alias points to, for whoever changes it behind the API.
    pub fn aliased(&mut self, alias: &str) -> Option<&mut Key> {
        self.keys.get_mut(self.aliases.get(alias)?)
    }

    /// Takes away the keys whose waiting period is over, and their aliases with them (KMS Developer Guide,
    /// "Delete an AWS KMS key").
    fn expire(&mut self, now: Timestamp) {
        self.keys.retain(|_, key| key.deletion.is_none_or(|at| now < at));
        self.aliases.retain(|_, id| self.keys.contains_key(id));
    }
}

/// A key of one region.
#[derive(Clone, Debug)]
pub struct Key {
    pub description: String,
    /// False while it is pending deletion, too.
    pub enabled: bool,
    /// When it is deleted, where that is scheduled.
    pub deletion: Option<Timestamp>,
    pub policy: String,
    /// Days between rotations, where rotation is on.
    pub rotation: Option<i32>,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    /// Keys are made symmetric; others are put here behind the API.
    pub spec: KeySpec,
    /// As `spec`: keys are made by KMS.
    pub origin: OriginType,
}

impl Key {
    pub fn state(&self) -> KeyState {
        match (self.deletion, self.enabled) {
            (Some(_), _) => KeyState::PendingDeletion,
            (None, true) => KeyState::Enabled,
            (None, false) => KeyState::Disabled,
        }
    }

    /// What `ScheduleKeyDeletion` leaves.
    pub fn schedule_deletion(&mut self, at: Timestamp) {
        self.enabled = false;
        self.deletion = Some(at);
    }

    /// Refused while the key is pending deletion: what most operations are.
    fn not_pending_deletion(&self) -> Result<(), Refusal> {
        match self.deletion {
            None => Ok(()),
            Some(_) => Err(Refusal::new(400, "KMSInvalidStateException", "The key is pending deletion.")),
        }
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(
        400,
        "ValidationException",
        format!("1 validation error detected: Value at '{what}' failed to satisfy constraint"),
    )
}

fn missing(what: &str) -> Refusal {
    Refusal::new(400, "NotFoundException", format!("{what} is not found."))
}

/// Which names of a key an operation takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Key id or key ARN.
    Key,
    /// An alias or its ARN too.
    KeyOrAlias,
}

/// The key that a request names. A key of another account or region is not found: nothing here is shared.
fn key_id(call: &mut Call<'_>, given: Option<&str>, names: Names) -> Result<String, Refusal> {
    let given = given.filter(|id| length_within(id, 1, 2048)).ok_or_else(|| invalid("keyId"))?.to_owned();
    let own = call.arn("kms", "");
    if given.starts_with("arn:") && !given.starts_with(&own) {
        return Err(missing(&format!("Key '{given}'")));
    }
    let name = given.strip_prefix(&own).unwrap_or(&given);
    if name.starts_with("alias/") && names == Names::Key {
        return Err(Refusal::new(400, "InvalidArnException", format!("Invalid keyId '{given}'")));
    }
    let now = call.now;
    let kms = &mut call.here().kms;
    kms.expire(now);
    let id = match name.starts_with("alias/") {
        true => kms.aliases.get(name).cloned(),
        false => Some(name.strip_prefix("key/").unwrap_or(name).to_owned()),
    };
    id.filter(|id| kms.keys.contains_key(id)).ok_or_else(|| {
        let kind = if name.starts_with("alias/") { "Alias" } else { "Key" };
        missing(&format!(
            "{kind} '{}'",
            if given.starts_with("arn:") { given.clone() } else { format!("{own}{name}") }
        ))
    })
}

fn key<'c>(call: &'c mut Call<'_>, given: Option<&str>, names: Names) -> Result<&'c mut Key, Refusal> {
    let id = key_id(call, given, names)?;
    let kms = &mut call.here().kms;
    kms.keys.get_mut(&id).ok_or_else(|| missing(&format!("Key '{id}'")))
}

/// How many entries a page of anything has; AWS gives 50 to 100 when nobody says how many.
const A_PAGE: usize = 3;

/// The size of a page, of which "KMS might return fewer".
fn page_size(limit: Option<i32>, most: i32) -> Result<usize, Refusal> {
    match limit {
        None => Ok(A_PAGE),
        Some(limit) if (1..=most).contains(&limit) => {
            Ok(usize::try_from(limit).unwrap_or(A_PAGE).min(A_PAGE))
        }
        Some(_) => Err(invalid("limit")),
    }
}

fn bad_marker() -> Refusal {
    Refusal::new(400, "InvalidMarkerException", "The marker is not valid.")
}
