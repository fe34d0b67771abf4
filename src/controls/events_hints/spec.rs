//! What the YAML says of hints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::queue::Queue;

/// Rules of EventBridge that tell a controller what was written, in each region. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HintsSpec {
    /// The queue that hints go to, by its URL: the same as for `baseline run --hints`. Its region is the hints' home:
    /// other regions send there first. A standard queue, of this account or another.
    #[schemars(extend("x-mutate" = [
        "https://sqs.eu-west-1.amazonaws.com/777766665555/baseline-hints",
        "https://sqs.eu-west-1.amazonaws.com/777766665555/acme-hints",
    ]))]
    pub queue: Option<Queue>,
    /// The rules are on, heartbeats with them; `false`: off, or not there. Where nothing is said, a new rule is on.
    pub enabled: Option<bool>,
}
