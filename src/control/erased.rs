//! [`Control`] with the types rubbed out: what the engine sees. Implemented once, for all of them.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::{Reader, Writer};
use crate::control::{AwsWrite, Control, Facts, Field, Finding, Known, Meta, Need, Packed, Tags};
use crate::fault::Fault;
use crate::pointer;

/// A spec or saved value that does not fit the control's type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misfit {
    /// Where, as a JSON pointer (RFC 6901) into the value; empty for the whole of it.
    pub path: String,
    pub message: String,
}

/// A control's action in the plan file: the call by name, one line for people, and the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// `service:Operation`.
    pub call: String,
    pub title: String,
    pub action: Packed,
}

pub trait ErasedControl: Send + Sync {
    fn meta(&self) -> &'static Meta;
    fn schema(&self) -> schemars::Schema;
    fn check(&self, spec: &Value) -> Result<(), Misfit>;
    fn ask(&self, facts: &Facts, spec: &Value) -> Result<Value, Misfit>;
    fn observe<'a>(
        &'a self,
        aws: &'a Reader,
        ask: &'a Value,
    ) -> BoxFuture<'a, Result<Result<Value, Fault>, Misfit>>;
    fn needs(&self, facts: &Facts, spec: &Value) -> Result<Vec<Need>, Misfit>;
    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &Value,
        observed: &Value,
    ) -> Result<Vec<Finding<Step>>, Misfit>;
    fn apply<'a>(
        &'a self,
        aws: &'a Writer,
        known: &'a Known,
        step: &'a Step,
    ) -> BoxFuture<'a, Result<Result<(), Fault>, Misfit>>;
    fn import(&self, facts: &Facts, known: &Known, observed: &Value) -> Result<Option<Value>, Misfit>;
    fn tags(&self, observed: &Value) -> Result<BTreeMap<String, Tags>, Misfit>;
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<Value>;
}

/// Where a value does not fit is found out by decoding it a second time: noting the path of every field costs more
/// than decoding, and hardly any value is a misfit.
fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, Misfit> {
    if let Ok(decoded) = T::deserialize(value) {
        return Ok(decoded);
    }
    serde_path_to_error::deserialize(value)
        .map_err(|error| Misfit { path: pointer(error.path()), message: error.into_inner().to_string() })
}

/// `serde_path_to_error`'s path as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => out.push_str(&format!("/{index}")),
            Segment::Map { key } => out.push_str(&format!("/{}", pointer::escaped(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    out
}

fn encode<T: Serialize>(value: &T) -> Result<Value, Misfit> {
    serde_json::to_value(value).map_err(|error| Misfit { path: String::new(), message: error.to_string() })
}

/// A spec as people write it: what it does not say is left out, not `null`, which would take an inherited
/// value out.
fn encode_spec<T: Serialize>(spec: &T) -> Result<Value, Misfit> {
    fn leave_out(value: &mut Value) {
        if let Value::Object(map) = value {
            map.values_mut().for_each(leave_out);
            map.retain(|_, inner| {
                !inner.is_null() && inner.as_object().is_none_or(|inner| !inner.is_empty())
            });
        } else if let Value::Array(list) = value {
            list.iter_mut().for_each(leave_out);
        }
    }
    let mut spec = encode(spec)?;
    leave_out(&mut spec);
    Ok(spec)
}

impl<C: Control> ErasedControl for C {
    fn meta(&self) -> &'static Meta {
        const { &C::META }
    }

    fn schema(&self) -> schemars::Schema {
        schemars::schema_for!(C::Desired)
    }

    fn check(&self, spec: &Value) -> Result<(), Misfit> {
        decode::<C::Desired>(spec).map(drop)
    }

    fn ask(&self, facts: &Facts, spec: &Value) -> Result<Value, Misfit> {
        encode(&Control::ask(self, facts, &decode(spec)?))
    }

    fn observe<'a>(
        &'a self,
        aws: &'a Reader,
        ask: &'a Value,
    ) -> BoxFuture<'a, Result<Result<Value, Fault>, Misfit>> {
        async move {
            let ask: C::Ask = decode(ask)?;
            match Control::observe(self, aws, &ask).await {
                Ok(observed) => encode(&observed).map(Ok),
                Err(fault) => Ok(Err(fault)),
            }
        }
        .boxed()
    }

    fn needs(&self, facts: &Facts, spec: &Value) -> Result<Vec<Need>, Misfit> {
        Ok(Control::needs(self, facts, &decode(spec)?))
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &Value,
        observed: &Value,
    ) -> Result<Vec<Finding<Step>>, Misfit> {
        let findings = Control::plan(self, facts, known, &decode(spec)?, &decode(observed)?);
        findings
            .into_iter()
            .map(|finding| {
                let mut misfit = None;
                let finding = finding.map(|action| Step {
                    call: action.call().operation.into(),
                    title: action.to_string(),
                    action: Packed::from(encode(&action).unwrap_or_else(|error| {
                        misfit = Some(error);
                        Value::Null
                    })),
                });
                misfit.map_or(Ok(finding), Err)
            })
            .collect()
    }

    fn apply<'a>(
        &'a self,
        aws: &'a Writer,
        known: &'a Known,
        step: &'a Step,
    ) -> BoxFuture<'a, Result<Result<(), Fault>, Misfit>> {
        async move {
            let action: C::Action = decode(&step.action.value())?;
            Ok(Control::apply(self, aws, known, &action).await)
        }
        .boxed()
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Value) -> Result<Option<Value>, Misfit> {
        Control::import(self, facts, known, &decode(observed)?)
            .map(|desired| encode_spec(&desired))
            .transpose()
    }

    fn tags(&self, observed: &Value) -> Result<BTreeMap<String, Tags>, Misfit> {
        Ok(Control::tags(self, &decode(observed)?))
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<Value> {
        Control::inverse(self, resource, fields).and_then(|desired| encode_spec(&desired).ok())
    }
}
