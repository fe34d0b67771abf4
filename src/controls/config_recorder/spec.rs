//! What the YAML says of the recorder.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::Bounded;
use crate::place::Region;
use words::well_formed;
pub use words::{Exclude, GlobalTypes};

/// AWS Config in each region. What is not declared is left as it is; what `record: all` stands for is said at each
/// field.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RecorderSpec {
    /// `all`: every type of resource that AWS Config knows now or learns later is recorded, by a recorder that is
    /// made where there is none and that runs (FSBP Config.1). `none`: it is stopped.
    pub record: Option<Record>,
    /// Types that are not recorded, by AWS's names, `AWS::EC2::NetworkInterface`. With `record: all` nothing is
    /// excluded unless this says so; `any` leaves it as it is.
    #[schemars(extend("x-fixed" = "`record: all` says it where this does not"))]
    pub exclude: Option<Exclude>,
    /// Where the users, groups, roles and policies of IAM are recorded, which are the same in all regions: `home`
    /// (so with `record: all`), `none`, or one region by its code, for homes that cannot record them. `any` leaves it
    /// as it is.
    #[schemars(extend("x-fixed" = "`record: all` says it where this does not"))]
    pub global_types: Option<GlobalTypes>,
    /// What AWS Config reads with. `service-linked` (so with `record: all`): its own role, made if it is missing;
    /// FSBP Config.1 fails with any other. `any`: whatever role the recorder has.
    #[schemars(extend("x-fixed" = "`record: all` says it where this does not"))]
    pub role: Option<Role>,
    /// How often changes are recorded, in AWS's words.
    pub frequency: Option<Frequency>,
    /// Types that are recorded at another frequency, by AWS's names: `AWS::EC2::NetworkInterface: DAILY`. What
    /// AWS Config itself makes cannot be `DAILY`.
    #[serde(deserialize_with = "frequencies")]
    pub frequency_of: BTreeMap<String, Option<Frequency>>,
    /// `archive`: history and snapshots go to the Organization document's archive, encrypted with its key.
    #[schemars(extend("x-fixed" = "the archive is said in the Organization document"))]
    pub deliver_to: Option<DeliverTo>,
    /// The SNS topic of this account and region that is told of changes, by name; or `none`.
    #[schemars(extend("x-mutate" = ["config-changes", "none"]))]
    pub topic: Option<String>,
    /// How often a snapshot of everything is delivered, in AWS's words; or `none`.
    pub snapshots: Option<Snapshots>,
    /// For how many days history is kept; AWS keeps 2557, seven years, where nobody says otherwise.
    pub retention_days: Option<Days>,
}

pub type Days = Bounded<30, MOST_DAYS>;

/// What AWS keeps where nothing is set (Developer Guide, "Deleting AWS Config data").
pub const MOST_DAYS: u32 = 2557;

/// AWS has nothing set.
pub const NONE: &str = "none";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Record {
    All,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Role {
    ServiceLinked,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum DeliverTo {
    Archive,
}

/// `RecordingFrequency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Frequency {
    Continuous,
    Daily,
}

impl Frequency {
    pub fn word(self) -> &'static str {
        match self {
            Self::Continuous => "CONTINUOUS",
            Self::Daily => "DAILY",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Continuous, Self::Daily].into_iter().find(|known| known.word() == word)
    }
}

/// `MaximumExecutionFrequency`, or none. The order is from often to never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Snapshots {
    #[serde(rename = "One_Hour")]
    OneHour,
    #[serde(rename = "Three_Hours")]
    ThreeHours,
    #[serde(rename = "Six_Hours")]
    SixHours,
    #[serde(rename = "Twelve_Hours")]
    TwelveHours,
    #[serde(rename = "TwentyFour_Hours")]
    TwentyFourHours,
    #[serde(rename = "none")]
    None,
}

impl Snapshots {
    const ALL: [Self; 6] = [
        Self::OneHour,
        Self::ThreeHours,
        Self::SixHours,
        Self::TwelveHours,
        Self::TwentyFourHours,
        Self::None,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::OneHour => "One_Hour",
            Self::ThreeHours => "Three_Hours",
            Self::SixHours => "Six_Hours",
            Self::TwelveHours => "Twelve_Hours",
            Self::TwentyFourHours => "TwentyFour_Hours",
            Self::None => NONE,
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}

/// The types that are the same in all regions (API reference, RecordingGroup).
pub const IAM: [&str; 4] = ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"];

/// The regions that AWS Config came to after February 2022, where IAM's types cannot be recorded (API reference,
/// RecordingGroup, and the regions that opened since).
const WITHOUT_IAM: [&str; 14] = [
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-2",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "mx-central-1",
    "us-northeast-1",
];

/// Can AWS Config record IAM's types in this region?
pub fn records_iam(region: &Region) -> bool {
    !WITHOUT_IAM.contains(&region.as_str())
}

/// What cannot be recorded once a day (API reference, RecordingMode).
const ALWAYS_CONTINUOUS: [&str; 3] = [
    "AWS::Config::ConfigurationRecorder",
    "AWS::Config::ConformancePackCompliance",
    "AWS::Config::ResourceCompliance",
];

impl RecorderSpec {
    /// Is anything declared that the recorder itself holds?
    pub fn declares_recorder(&self) -> bool {
        self.declares_types()
            || self.wants_service_linked()
            || self.frequency.is_some()
            || self.frequencies().next().is_some()
    }

    /// Is it declared which types are recorded?
    pub fn declares_types(&self) -> bool {
        self.records_all() || self.wants_excluded().is_some() || self.wants_global_types().is_some()
    }

    pub fn declares_channel(&self) -> bool {
        self.deliver_to.is_some() || self.topic.is_some() || self.snapshots.is_some()
    }

    /// Must the role be AWS Config's own?
    pub fn wants_service_linked(&self) -> bool {
        match self.role {
            Some(role) => role == Role::ServiceLinked,
            None => self.records_all(),
        }
    }

    pub fn records_all(&self) -> bool {
        self.record == Some(Record::All)
    }

    /// Which types are to be excluded, if that is declared.
    pub fn wants_excluded(&self) -> Option<BTreeSet<String>> {
        match &self.exclude {
            Some(Exclude::These(names)) => Some(names.clone()),
            Some(Exclude::Any) => None,
            None => self.records_all().then(BTreeSet::new),
        }
    }

    /// Must the recorder run?
    pub fn wants_recording(&self) -> Option<bool> {
        self.record.map(|record| record == Record::All)
    }

    /// Where IAM's types are recorded, if that is declared.
    pub fn wants_global_types(&self) -> Option<GlobalTypes> {
        let unsaid = self.records_all().then_some(GlobalTypes::Home);
        self.global_types.clone().or(unsaid).filter(|global| *global != GlobalTypes::Any)
    }

    /// The declared entries of `frequencyOf`: `null` takes an inherited one out.
    pub fn frequencies(&self) -> impl Iterator<Item = (&str, Frequency)> {
        self.frequency_of.iter().filter_map(|(name, of)| of.map(|of| (name.as_str(), of)))
    }
}

fn frequencies<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Option<Frequency>>, D::Error> {
    use serde::de::Error as _;
    let frequencies = BTreeMap::<String, Option<Frequency>>::deserialize(from)?;
    for (name, frequency) in &frequencies {
        well_formed(name).map_err(D::Error::custom)?;
        if *frequency == Some(Frequency::Daily) && ALWAYS_CONTINUOUS.contains(&name.as_str()) {
            return Err(D::Error::custom(format_args!(
                "`{name}` cannot be `DAILY`: AWS Config makes it itself"
            )));
        }
    }
    Ok(frequencies)
}

impl From<Snapshots> for Value {
    fn from(snapshots: Snapshots) -> Self {
        snapshots.word().into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(spec: Value) -> Result<RecorderSpec, String> {
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    #[test]
    fn types_are_data_but_have_a_shape() {
        assert!(
            read(json!({"exclude": ["AWS::New::Thing"], "frequencyOf": {"AWS::New::Thing": "DAILY"}}))
                .is_ok()
        );
        for wrong in ["EC2", "AWS::EC2", "AWS::EC2::", "AWS:EC2:Instance"] {
            assert!(
                read(json!({"exclude": [wrong]})).is_err_and(|e| e.contains("AWS::EC2::Instance")),
                "{wrong}"
            );
            assert!(read(json!({"frequencyOf": {wrong: "DAILY"}})).is_err(), "{wrong}");
        }
        let own = json!({"frequencyOf": {"AWS::Config::ResourceCompliance": "DAILY"}});
        assert!(read(own).is_err_and(|error| error.contains("cannot be `DAILY`")));
        assert!(read(json!({"retentionDays": 29})).is_err_and(|error| error.contains("between 30 and 2557")));
        assert!(read(json!({"snapshots": "24h"})).is_err_and(|error| error.contains("TwentyFour_Hours")));
    }

    #[test]
    fn record_all_stands_for_the_rest_where_that_says_nothing() {
        let all = read(json!({"record": "all"})).unwrap();
        assert!(all.wants_service_linked());
        assert_eq!((all.wants_recording(), all.wants_global_types()), (Some(true), Some(GlobalTypes::Home)));
        assert_eq!(all.wants_excluded(), Some(BTreeSet::new()));
        let other = json!({"record": "all", "role": "any", "exclude": "any", "globalTypes": "eu-central-1"});
        let other = read(other).unwrap();
        assert!(!other.wants_service_linked());
        let region = GlobalTypes::In(Region::new("eu-central-1"));
        assert_eq!((other.wants_excluded(), other.wants_global_types()), (None, Some(region)));
        let none = read(json!({"record": "none", "globalTypes": "any"})).unwrap();
        assert!(!none.declares_recorder());
        assert_eq!(none.wants_recording(), Some(false));
        let nothing = read(json!({"retentionDays": 400})).unwrap();
        assert!(!nothing.declares_recorder() && !nothing.declares_channel());
        assert_eq!(nothing.wants_recording(), None);
    }
}
