//! Two values side by side: leaf by leaf ([`json`]), as policies that mean something ([`policy`]), and as
//! lines that people read ([`text`]). Stands on nothing else of this crate.

pub mod json;
pub mod policy;
pub mod text;
