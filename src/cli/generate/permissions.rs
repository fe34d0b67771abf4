//! `baseline generate permissions`

use std::collections::{BTreeMap, BTreeSet};

use super::super::args::{self, Permissions as Args, PermissionsFormat as Format};
use super::super::io::Io;
use super::super::{Stop, context};
use super::{chosen, pretty};
use crate::control::ErasedControl;
use crate::desired::{Channel, Notification, Settings};
use crate::permissions::{Duty, Names, usual_roles};
use crate::place::{Region, Seat};
use crate::report::permissions::{Of, Permissions, cloudformation, terraform};
use crate::roster;

pub fn run(args: &Args, io: &mut Io) -> Result<(), Stop> {
    let mut controls = chosen(&args.controls)?;
    let duties = if args.read_only { &Duty::ALL[..1] } else { &Duty::ALL[..] };
    let permissions = match &args.dir {
        None => {
            let key = args.signing_key.as_deref();
            of_all(&controls, duties, args.trusted_principal.clone(), key)
        }
        Some(dir) => {
            let (_, documents) = context::load(&args::Documents { dir: dir.clone() }, io)?;
            let specs = documents.declares();
            let declared: BTreeSet<&str> = specs.iter().map(|(id, _)| *id).collect();
            controls.retain(|control| declared.contains(control.meta().id));
            let settings = Settings::of(&documents);
            let archive = settings.archive.as_ref().map(|archive| archive.bucket.as_str());
            let names = Names::of(specs.iter().map(|(id, spec)| (*id, spec)), archive);
            let usual = usual_roles();
            if settings.roles.is_none() {
                io.err(&format!(
                    "The documents name no roles, so the caller's own credentials need these policies.\nOr make the \
                     roles, and write under `spec` of the Organization:\n  roles: {{observe: {}, apply: {}}}\n",
                    usual.observe, usual.apply
                ));
            }
            let observed = settings.roles.is_some() && settings.seats.contains_key(&Seat::Management);
            let of = Of {
                duties,
                roles: settings.roles.as_ref().unwrap_or(&usual),
                partition: settings.home.partition(),
                principal: args.trusted_principal.clone(),
                names,
                audit: settings.audit.as_deref(),
                signing_key: args.signing_key.as_deref(),
                topics: topics(&settings),
                asks_roster: roster::asks(&documents).is_some() && !observed,
                seats: settings.seats.clone(),
            };
            Permissions::new(&controls, of)
        }
    };
    for warning in permissions.warnings() {
        io.err(&format!("warning: {warning}\n"));
    }
    if args.format == Format::Json && args.trusted_principal.is_none() {
        io.err("The trust policies trust nobody yet: say --trusted-principal ARN, whoever runs baseline.\n");
    }
    io.out(&written(&permissions, args.format));
    Ok(())
}

fn topics(settings: &Settings) -> Vec<String> {
    let topic = |one: &Notification| match &one.to {
        Channel::Sns(topic) => Some(topic.arn.clone()),
        Channel::Slack { .. } | Channel::Webhook { .. } => None,
    };
    let mut topics: Vec<String> = settings.notifications.iter().filter_map(topic).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

/// Without documents: usual names, no seats, no external id.
pub fn of_all(
    controls: &[&'static dyn ErasedControl],
    duties: &[Duty],
    principal: Option<String>,
    signing_key: Option<&str>,
) -> Permissions {
    let partition = Region::new("us-east-1").partition();
    let (roles, seats) = (usual_roles(), BTreeMap::new());
    let names = Names::default();
    let of = Of {
        duties,
        roles: &roles,
        seats,
        partition,
        principal,
        names,
        audit: None,
        asks_roster: false,
        signing_key,
        topics: Vec::new(),
    };
    Permissions::new(controls, of)
}

pub fn written(permissions: &Permissions, format: Format) -> String {
    match format {
        Format::Json => pretty(&permissions.json()),
        Format::Cloudformation => cloudformation(permissions),
        Format::Terraform => terraform(permissions),
    }
}
