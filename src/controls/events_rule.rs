//! A rule of EventBridge on the default bus, with its targets: what the controls of rules share.

mod live;
mod pattern;
mod put;
mod role;

pub use live::{DESCRIBE, LIST, Rule, TARGETS, Target, rule_of, rules_like};
pub use pattern::{covers, same};
pub use put::{Create, PUT_RULE, PUT_TARGETS, Replace, TARGET, default_bus, role_arn, target};
pub use role::{ALLOW_ROLE, CREATE_ROLE, ForwardingRole, GET, GET_POLICY, Role, TRUST, read};
