//! What the YAML says of conformance packs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Conformance packs in each region, by name. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PacksSpec {
    /// Packs by the names that they have in AWS: letters, digits and hyphens, a letter first.
    #[schemars(with = "BTreeMap<String, PackSpec>")]
    pub packs: BTreeMap<String, Option<PackSpec>>,
}

/// One pack. One of `template` and `document` says what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct PackSpec {
    /// The template itself: rules and remediations, in YAML or JSON.
    #[schemars(extend("x-fixed" = "an old template is in nobody's memory but git's, so there is no way back to it"))]
    pub template: Option<String>,
    /// A document of Systems Manager in this account and region that holds the template, by its name.
    #[schemars(extend("x-fixed" = "another source is another pack; tried in a test of its own"))]
    pub document: Option<String>,
    /// A version of the document; the latest, where nothing is said.
    #[schemars(extend("x-fixed" = "tried in a test of its own"))]
    pub document_version: Option<String>,
    /// Parameters of the template.
    #[schemars(extend("x-fixed" = "a parameter is sent with its template, which is not told: there is no way back"))]
    #[schemars(with = "BTreeMap<String, Parameter>")]
    pub parameters: BTreeMap<String, Option<String>>,
}

/// A text.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "string"))]
pub struct Parameter;

impl PacksSpec {
    /// The declared packs: `null` takes an inherited one out.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &PackSpec)> {
        self.packs.iter().filter_map(|(name, pack)| pack.as_ref().map(|pack| (name.as_str(), pack)))
    }
}

impl PackSpec {
    pub fn sources(&self) -> usize {
        usize::from(self.template.is_some()) + usize::from(self.document.is_some())
    }

    /// The declared parameters.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }
}
