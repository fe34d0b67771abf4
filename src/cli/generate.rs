//! `baseline generate`: everything that is made from the controls' own facts and from the types.

mod permissions;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::args::{Generate, Generated, Hints, PermissionsFormat, Stack};
use super::context::unmatched;
use super::io::Io;
use super::{Stop, command};
use crate::control::ErasedControl;
use crate::controller::notify;
use crate::controls::CONTROLS;
use crate::desired::{Kind, schema};
use crate::permissions::Duty;
use crate::plan::Exit;
use crate::report::{explain, hints, json as output};

pub(super) fn run(args: &Generate, io: &mut Io) -> Result<Exit, Stop> {
    match &args.what {
        Generated::Schema { kind } => io.out(&schemas(kind.as_deref())?),
        Generated::Docs { dir, check } => return docs(dir, *check, io),
        Generated::Permissions(args) => permissions::run(args, io)?,
        Generated::Hints(Hints { stack, controls }) => io.out(&pretty(&match stack {
            Stack::Queues => hints::queues(),
            Stack::Rules => hints::rules(&chosen(controls)?),
        })),
        Generated::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command(), "baseline", &mut script);
            io.out(&String::from_utf8_lossy(&script));
        }
        Generated::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command()).render(&mut page).map_err(Stop::failed)?;
            io.out(&String::from_utf8_lossy(&page));
        }
    }
    Ok(Exit::Done)
}

/// The schemas by the word that names them on the command line and in file names.
fn all_schemas() -> BTreeMap<String, Value> {
    let kinds = Kind::ALL.into_iter();
    let mut all: BTreeMap<String, Value> =
        kinds.map(|kind| (kind.word().to_lowercase(), schema::document(kind, CONTROLS))).collect();
    all.insert("plan".into(), output::plan_schema().to_value());
    all.insert("apply".into(), output::apply_schema().to_value());
    all.insert("doctor".into(), output::doctor_schema().to_value());
    all.insert("drift".into(), output::drift_schema().to_value());
    all.insert("notification".into(), notify::schema().to_value());
    all.insert("exceptions".into(), output::exceptions_schema().to_value());
    all
}

fn schemas(kind: Option<&str>) -> Result<String, Stop> {
    let mut all = all_schemas();
    let Some(kind) = kind else { return Ok(pretty(&json!(all))) };
    match all.remove(&kind.to_lowercase()) {
        Some(schema) => Ok(pretty(&schema)),
        None => Err(unmatched("the schema", kind, all.keys().map(String::as_str))),
    }
}

fn chosen(ids: &[String]) -> Result<Vec<&'static dyn ErasedControl>, Stop> {
    if ids.is_empty() {
        return Ok(CONTROLS.to_vec());
    }
    ids.iter()
        .map(|id| {
            crate::controls::find(id)
                .ok_or_else(|| unmatched("--control", id, CONTROLS.iter().map(|control| control.meta().id)))
        })
        .collect()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Every generated file of the repository, by path.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for control in CONTROLS {
        files.insert(format!("docs/controls/{}.md", control.meta().id), explain::docs_page(*control));
    }
    files.insert("docs/controls/README.md".into(), explain::docs_index(CONTROLS));
    for (name, schema) in all_schemas() {
        files.insert(format!("docs/schema/{name}.json"), pretty(&schema));
    }
    for kind in Kind::ALL {
        let name = kind.word().to_lowercase();
        files.insert(format!("desired-state/.schema/{name}.json"), schema::text(kind, CONTROLS));
    }
    let both = permissions::of_all(CONTROLS, &Duty::ALL, None, None);
    for (name, format) in [
        ("permissions.json", PermissionsFormat::Json),
        ("cloudformation.yaml", PermissionsFormat::Cloudformation),
        ("terraform/main.tf", PermissionsFormat::Terraform),
    ] {
        files.insert(format!("examples/iam/{name}"), permissions::written(&both, format));
    }
    files
}

fn docs(dir: &Path, check: bool, io: &mut Io) -> Result<Exit, Stop> {
    let mut stale = Vec::new();
    for (name, text) in files() {
        let path = dir.join(&name);
        if std::fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        if !check {
            write(&path, &text).map_err(Stop::failed)?;
        }
        stale.push(name);
    }
    for name in &stale {
        io.out(&format!("{} {name}\n", if check { "stale" } else { "wrote" }));
    }
    if check && !stale.is_empty() {
        return Err(Stop::failed(anyhow::anyhow!("{} generated files are stale", stale.len()))
            .hint("`baseline generate docs` writes them"));
    }
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut file = std::fs::File::create(path)?;
    file.write_all(text.as_bytes())
}
