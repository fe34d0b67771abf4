//! What Security Hub says of controls, and how its values are written.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::types::ParameterValue;
use serde::{Deserialize, Serialize};

use super::spec::Setting;
use crate::control::{Sight, Standard};
use crate::fault::Fault;

/// Which controls are looked at, and of which the parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// Keys of the spec.
    pub selectors: BTreeSet<String>,
    /// Control ids.
    pub parameters: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// The account that administers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
    /// Standards that are on, and whether their controls can be read and set yet.
    pub standards: BTreeMap<Standard, bool>,
    /// The controls that were asked for, as far as a standard that is on holds them.
    pub controls: BTreeMap<String, Control>,
    /// Of the controls whose parameters were asked for; one that AWS does not know is `Unknown`.
    pub parameters: BTreeMap<String, Properties>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Control {
    /// As AWS says it: `CRITICAL`.
    pub severity: String,
    /// Whether the control exists in this region.
    pub available: bool,
    pub standards: BTreeMap<Standard, Sight<Association>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Association {
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Control {
    /// On or off in all its standards; `None` where they differ or one could not be read.
    pub fn is_enabled(&self) -> Option<bool> {
        let mut all = self.standards.values().map(|one| match one {
            Sight::Seen(association) => Some(association.enabled),
            Sight::Unseen(_) => None,
        });
        let first = all.next()??;
        all.all(|other| other == Some(first)).then_some(first)
    }

    /// The first reason that somebody gave.
    pub fn reason(&self) -> Option<&str> {
        self.standards.values().find_map(|one| match one {
            Sight::Seen(association) => association.reason.as_deref(),
            Sight::Unseen(_) => None,
        })
    }
}

/// What is known of a control's parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Properties {
    /// AWS knows no such control.
    NoControl,
    Unseen(Fault),
    Seen(Parameters),
}

impl Properties {
    pub fn seen(&self) -> Option<&Parameters> {
        match self {
            Self::Seen(parameters) => Some(parameters),
            Self::NoControl | Self::Unseen(_) => None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    pub values: BTreeMap<String, Parameter>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    pub kind: Kind,
    /// Somebody set it.
    pub custom: bool,
    /// The value in force; `None` where AWS has no default and ignores the parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Setting>,
}

impl Parameter {
    /// As the spec would say it.
    pub fn setting(&self) -> Setting {
        let value = self.value.clone().filter(|_| self.custom);
        value.unwrap_or_else(|| Setting::Word(super::spec::DEFAULT.into()))
    }
}

/// The types of parameters (`ParameterValue` in the model).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Boolean,
    Double,
    Enum,
    EnumList,
    Integer,
    IntegerList,
    String,
    StringList,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Double => "a number",
            Self::Enum | Self::String => "a word",
            Self::EnumList | Self::StringList => "a list of words",
            Self::Integer => "a whole number",
            Self::IntegerList => "a list of whole numbers",
        }
    }

    /// The value as AWS takes it; `None` where it is of another type.
    pub fn value(self, setting: &Setting) -> Option<ParameterValue> {
        Some(match (self, setting) {
            (Self::Boolean, Setting::Flag(on)) => ParameterValue::Boolean(*on),
            (Self::Double, Setting::Number(number)) => ParameterValue::Double(*number),
            (Self::Double, Setting::Whole(number)) => ParameterValue::Double((*number).into()),
            (Self::Enum, Setting::Word(word)) => ParameterValue::Enum(word.clone()),
            (Self::String, Setting::Word(word)) => ParameterValue::String(word.clone()),
            (Self::Integer, Setting::Whole(number)) => ParameterValue::Integer(*number),
            (Self::IntegerList, Setting::Wholes(numbers)) => ParameterValue::IntegerList(numbers.clone()),
            (Self::EnumList, Setting::Words(words)) => ParameterValue::EnumList(words.clone()),
            (Self::StringList, Setting::Words(words)) => ParameterValue::StringList(words.clone()),
            // An empty list is a list of anything.
            (Self::EnumList, Setting::Wholes(none)) if none.is_empty() => ParameterValue::EnumList(vec![]),
            (Self::StringList, Setting::Wholes(none)) if none.is_empty() => {
                ParameterValue::StringList(vec![])
            }
            _ => return None,
        })
    }

    /// A value that AWS told; `None` for a type that this build does not know.
    pub fn of(value: &ParameterValue) -> Option<(Self, Setting)> {
        Some(match value {
            ParameterValue::Boolean(on) => (Self::Boolean, Setting::Flag(*on)),
            ParameterValue::Double(number) => (Self::Double, Setting::Number(*number)),
            ParameterValue::Enum(word) => (Self::Enum, Setting::Word(word.clone())),
            ParameterValue::EnumList(words) => (Self::EnumList, Setting::Words(words.clone())),
            ParameterValue::Integer(number) => (Self::Integer, Setting::Whole(*number)),
            ParameterValue::IntegerList(numbers) => (Self::IntegerList, Setting::Wholes(numbers.clone())),
            ParameterValue::String(word) => (Self::String, Setting::Word(word.clone())),
            ParameterValue::StringList(words) => (Self::StringList, Setting::Words(words.clone())),
            _ => return None,
        })
    }
}
