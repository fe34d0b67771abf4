//! Who may have done it, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::fault::Fault;
use crate::place::Region;
use crate::who::{Deed, Who};

/// What CloudTrail's event history says of one finding.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Who")]
pub(super) struct WhoOutput<'a> {
    /// From when on calls were looked up, RFC 3339.
    since: String,
    /// What was asked for lies further back than the history reaches, which is 90 days.
    cut: bool,
    /// Newest first, three at most.
    calls: Vec<DeedOutput<'a>>,
    /// There are more than these.
    more: bool,
    /// Why some or all calls could not be looked up.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    faults: &'a [Fault],
}

/// A call that went through.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WhoCall")]
struct DeedOutput<'a> {
    /// `service:Name`, as CloudTrail names it.
    call: &'a str,
    /// RFC 3339.
    at: String,
    /// Whose history holds it.
    region: &'a Region,
    /// The caller's ARN, or a service of AWS.
    principal: &'a str,
    /// The source address, or the service of AWS that the call came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    /// The run of `baseline` that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    /// It names the resource, or there is only one of its kind. Otherwise it may have been about another.
    certain: bool,
}

impl<'a> WhoOutput<'a> {
    pub(super) fn of(who: &'a Who) -> Self {
        let call = |deed: &'a Deed| DeedOutput {
            call: &deed.call,
            at: deed.at.to_string(),
            region: &deed.region,
            principal: &deed.principal,
            source_address: deed.from.as_deref(),
            user_agent: deed.agent.as_deref(),
            run: deed.run.as_deref(),
            certain: deed.certain,
        };
        Self {
            since: who.since.to_string(),
            cut: who.cut,
            calls: who.deeds.iter().map(call).collect(),
            more: who.more,
            faults: &who.faults,
        }
    }
}
