//! What `undo` makes of a run: our fields come back, nobody else's are touched, and with its YAML nothing puts them back.

use baseline::apply::ApplyReport;
use baseline::control::{ChangeKind, ErasedControl, Verdict};
use baseline::desired;
use baseline::plan::Item;
use baseline::undo::{self, Undo, by_hand};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::stage::{Outcomes, Stage, ensure, example, open};

/// Plans the way back from a run, and goes it. The report is of the way back.
pub async fn taken_back(stage: &Stage, report: ApplyReport) -> Outcomes<(Undo, Option<ApplyReport>)> {
    let fleet = stage.fleet().await?;
    let run = report.run.clone();
    let way_back = undo::undo(&fleet, &run, undo::made(report)).await;
    stage.keep(&fleet);
    if way_back.plan.changes().next().is_none() {
        return Ok((way_back, None));
    }
    // Another process applies what was planned.
    let fleet = stage.fleet().await?;
    let plan = way_back.plan.clone();
    let applied = stage.execute(&fleet, plan, &CancellationToken::new()).await?.held();
    stage.keep(&fleet);
    Ok((way_back, Some(applied.map_err(|why| format!("the way back: {why}"))?.report)))
}

/// A spec with what the way back wrote for the documents merged into it.
pub fn committed(way_back: &Undo, control: &dyn ErasedControl, spec: &Value) -> Outcomes<Value> {
    let mut spec = spec.clone();
    for commit in &way_back.commits {
        let text = desired::fragment(&[], &commit.document, &commit.written);
        let document: Value = serde_yaml::from_str(&text).map_err(|error| format!("{error} in {text}"))?;
        let said = document.pointer("/spec/controls").and_then(|all| all.get(control.meta().id));
        spec = merged(spec, said.cloned().unwrap_or_else(|| Value::Object(Map::new())));
    }
    Ok(spec)
}

/// As the documents are merged: maps by key, anything else whole, `null` takes out.
pub fn merged(lower: Value, upper: Value) -> Value {
    match (lower, upper) {
        (Value::Object(mut lower), Value::Object(upper)) => {
            for (key, value) in upper {
                let below = lower.remove(&key).unwrap_or_else(|| Value::Object(Map::new()));
                let value = merged(below, value);
                if !value.is_null() {
                    lower.insert(key, value);
                }
            }
            Value::Object(lower)
        }
        (_, upper) => upper,
    }
}

/// Controls of whose first apply a person takes back a part: only a delete would, and the plan has the steps.
const BY_HAND: [&str; 2] = ["ecr.repositories", "logs.groups"];

/// The first apply of an example is taken back: what it updated is as it was, what it created stays, and a person is
/// told how to take that away.
pub async fn first_apply(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    let spec = example(control)?;
    let report = stage.apply().await?.held()?.report;
    drop(stage.rested().await?);
    let (created, updated): (Vec<Item>, _) =
        undo::made(report.clone()).into_iter().partition(|item| kind(item) == Some(ChangeKind::Create));
    for item in &created {
        let is_same =
            |other: &&Item| (&other.scope, &other.finding.resource) == (&item.scope, &item.finding.resource);
        let same: Vec<&Item> = created.iter().filter(is_same).collect();
        let told = by_hand(&same, &["eu-west-1"]);
        ensure(!told.is_empty(), || format!("nobody is told how to take away {}", item.finding.resource))?;
    }
    let (way_back, _) = taken_back(&stage, report).await?;
    drop(stage.rested().await?);
    ensure(way_back.created == created, || "not all that was created is told".into())?;
    ensure(way_back.theirs.is_empty(), || format!("nobody else was here: {:?}", way_back.theirs))?;
    ensure(way_back.already.is_empty(), || format!("the run made it: {:?}", way_back.already))?;
    let mut by_hand = way_back.left.iter().filter(|(_, _, why)| why.starts_with("by hand")).peekable();
    ensure(by_hand.peek().is_some() == BY_HAND.contains(&control.meta().id), || {
        format!("what is by hand is {:?}", way_back.left)
    })?;
    for (item, _, _) in by_hand {
        let mut tasks = way_back.plan.items.iter().filter(|one| one.is_about(item));
        let is_told = tasks.any(|one| matches!(one.finding.verdict, Verdict::Manual(_)));
        ensure(is_told, || format!("the plan has no steps for {}", item.finding.resource))?;
    }

    // What was updated would be updated again, from the same to the same.
    let again = stage.plan().await?;
    for item in &updated {
        let left = |path: &str| {
            way_back.left.iter().any(|(other, fields, _)| {
                other.is_about(item) && fields.iter().any(|field| field.path == path)
            })
        };
        let change =
            |item: &Item| item.finding.change().map(|change| change.fields.clone()).unwrap_or_default();
        let now: Vec<_> =
            again.changes().filter(|(_, other)| other.is_about(item)).flat_map(|(_, i)| change(i)).collect();
        for field in change(item).iter().filter(|field| !left(&field.path)) {
            ensure(now.contains(field), || {
                format!(
                    "{} {} is not as it was, {}: {}",
                    item.finding.resource,
                    field.path,
                    field.before,
                    open(&again)
                )
            })?;
        }
    }
    // With the YAML that it wrote, nothing is.
    stage.declare(control, &committed(&way_back, control, &spec)?)?;
    let kept = stage.plan().await?;
    ensure(kept.changes().next().is_none(), || format!("the next apply would undo it: {}", open(&kept)))
}

fn kind(item: &Item) -> Option<ChangeKind> {
    item.finding.change().map(|change| change.kind)
}
