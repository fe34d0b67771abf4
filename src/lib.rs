//! `baseline` keeps every security setting of every AWS account switched on and configured.
//!
//! ```text
//! desired-state/*.yaml ─► desired ─► observe ─► plan ─► guard ─► apply ─► report
//!                                       ▲         (pure)            │
//!                                       └──── observed again ───────┘
//! ```
//!
//! The modules stand in the order in which data flows; dependencies point up the list only.

// ground
pub mod digest;
pub mod moment;
pub mod pointer;

pub mod call;
pub mod diagnostic;
pub mod diff;
pub mod durable;
pub mod fault;
pub mod place;
pub mod traces;

// the AWS edge
pub mod aws;

// contract and controls
pub mod control;
pub mod controls;

// desired state
pub mod desired;

pub mod permissions;

// engine
pub mod inventory;
pub mod observe;
pub mod plan;
pub mod roster;
pub mod survey;

pub mod saved;

pub mod audit;

pub mod who;

pub mod guard;

pub mod apply;

pub mod drift;

pub mod undo;

pub mod import;

pub mod doctor;

// telling people
pub mod report;

// running for ever
pub mod controller;

pub mod serve;

// an AWS organisation in memory
#[cfg(feature = "sandbox")]
pub mod sandbox;

// outermost
pub mod cli;
