//! Controls that exist only in tests: the specs of documents.md's shapes, and nothing behind them.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aws::Reader;
use crate::aws::Writer;
use crate::control::{Control, Facts, Finding, Known, Meta, Nothing, Reach, Regions, Rule, Severity};
use crate::desired::control::Controls;
use crate::fault::Fault;
use crate::place::Seat;

pub static CONTROLS: Controls = &[
    &Specimen::<PolicyShape>(PhantomData),
    &Specimen::<RootShape>(PhantomData),
    &Specimen::<DetectorShape>(PhantomData),
    &Specimen::<RepositoriesShape>(PhantomData),
    &Specimen::<OrganizationShape>(PhantomData),
];

macro_rules! spec {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_meta])* #[serde(skip_serializing_if = "Option::is_none")] $field: Option<$kind>),*
        }
    };
}

spec!(PolicySpec {
    minimum_length: u32,
    reuse_prevention: u32,
    #[schemars(range(min = 0, max = 1095))]
    max_age_days: u32,
    require: Require,
    users_may_change: bool,
    hard_expiry: bool,
});
spec!(Require { lowercase: bool, uppercase: bool, numbers: bool, symbols: bool });
spec!(RootSpec { access_keys: RootKeys, mfa: RootMfa });
spec!(DetectorSpec {
    enabled: bool,
    frequency: String,
    features: BTreeMap<String, bool>,
    runtime_agents: BTreeMap<String, bool>,
    publish: Publish,
});
spec!(RepositoriesSpec { rules: Vec<RepositoryRule> });
spec!(OrganizationSpec { new_members: String, features: BTreeMap<String, bool> });

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RootKeys {
    None,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RootMfa {
    Required,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Publish {
    #[schemars(extend("format" = "template"))]
    bucket: String,
    key: String,
    #[serde(default)]
    prefix: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepositoryRule {
    select: Select,
    #[serde(default)]
    scan_on_push: Option<bool>,
    #[serde(default)]
    immutable_tags: Option<bool>,
    #[serde(default)]
    lifecycle: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Select {
    names: Vec<String>,
}

/// What differs between specimens.
pub trait Shape: Send + Sync + 'static {
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync;
    const ID: &'static str;
    const REACH: Reach;
    const RULES: &'static [Rule];
}

macro_rules! specimen {
    ($shape:ident, $spec:ty, $id:literal, $reach:expr, $rule:literal) => {
        pub struct $shape;
        impl Shape for $shape {
            type Spec = $spec;
            const ID: &'static str = $id;
            const REACH: Reach = $reach;
            const RULES: &'static [Rule] = &[Rule { id: $rule, severity: Severity::Medium, frameworks: &[] }];
        }
    };
}

specimen!(PolicyShape, PolicySpec, "iam.password-policy", Reach::ACCOUNT, "length");
specimen!(RootShape, RootSpec, "iam.root-user", Reach::ACCOUNT, "no-keys");
specimen!(DetectorShape, DetectorSpec, "guardduty.detector", Reach::REGION, "enabled");
specimen!(RepositoriesShape, RepositoriesSpec, "ecr.repositories", Reach::REGION, "scan-on-push");
specimen!(
    OrganizationShape,
    OrganizationSpec,
    "guardduty.organization",
    Reach::organization(Seat::Security, Regions::Each),
    "new-members"
);

/// A control of a shape.
pub struct Specimen<S>(PhantomData<fn() -> S>);

impl<S: Shape> Control for Specimen<S> {
    const META: Meta = Meta {
        id: S::ID,
        title: "A specimen.",
        docs: "",
        example: "",
        reach: S::REACH,
        rules: S::RULES,
        reads: &[],
        writes: &[],
        events: &[],
        undo: None,
        tags: false,
    };
    type Desired = S::Spec;
    type Ask = ();
    type Observed = ();
    type Action = Nothing;

    fn ask(&self, _: &Facts, _: &S::Spec) {}

    async fn observe(&self, _: &Reader, (): &()) -> Result<(), Fault> {
        Ok(())
    }

    fn plan(&self, _: &Facts, _: &Known, _: &S::Spec, (): &()) -> Vec<Finding<Nothing>> {
        Vec::new()
    }

    async fn apply(&self, _: &Writer, _: &Known, action: &Nothing) -> Result<(), Fault> {
        match *action {}
    }

    fn import(&self, _: &Facts, _: &Known, (): &()) -> Option<S::Spec> {
        None
    }
}
