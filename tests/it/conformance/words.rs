//! Points 8, 9 and 10: what is saved, what is written about the control, and what is said in plans.

use baseline::aws::journal::Purpose;
use baseline::control::{ErasedControl, Facts, Known, Sight};
use baseline::inventory::{self, Inventory};
use baseline::plan::{AccountState, Plan};
use baseline::report::json;
use baseline::sandbox::sample::MANAGEMENT;
use baseline::survey::{self, Wish};
use serde_json::Value;

use super::bench;
use super::mutate::leaves;
use super::stage::{MEMBER, Outcomes, Stage, account_of, changed, ensure, example, open};
use super::undone;

/// What one look at the account that a control runs in gives.
struct Look {
    facts: Facts,
    known: Known,
    observed: Value,
}

async fn look(stage: &Stage, control: &dyn ErasedControl) -> Outcomes<Look> {
    let fleet = stage.fleet().await?;
    let account = fleet.desired.accounts.iter().find(|account| account.id.as_str() == account_of(control));
    let account = account.ok_or("its account is not declared")?;
    let view = fleet.observe_account(account).await;
    stage.keep(&fleet);
    let seen = view.seen.as_ref().ok_or_else(|| format!("{:?}", view.state))?;
    // A control of the global region is not at home.
    let mut looks =
        view.scopes.iter().filter_map(|(region, all)| Some((region, all.get(control.meta().id)?)));
    let (region, observation) = looks.next().ok_or("it was not observed")?;
    match &observation.sight {
        Sight::Seen(observed) => Ok(Look {
            facts: inventory::facts(&fleet.desired.organization, account, seen, region),
            known: view.known.clone(),
            observed: observed.clone(),
        }),
        Sight::Unseen(fault) => Err(fault.to_string()),
    }
}

/// Round trips: inventories and plans through files, `import` and then nothing to do, `inverse` and then what
/// was before in our fields and in nobody else's.
pub async fn point_8(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    saved(&stage).await?;
    stage.converge().await?;
    bench::by_hand(&stage.world);
    saved(&stage).await?;
    imported(&stage, control).await?;
    inverted(&stage, control).await
}

async fn saved(stage: &Stage) -> Outcomes<()> {
    let fleet = stage.fleet().await?;
    let taken = survey::inventory(&fleet, Vec::new(), &|_| {}).await;
    let (one, two) = (stage.documents.path().join("one.json"), stage.documents.path().join("two.json"));
    let text = |error: &dyn std::fmt::Display| error.to_string();
    taken.save(&one).map_err(|error| text(&error))?;
    let loaded = Inventory::load(&one).map_err(|error| text(&error))?;
    loaded.save(&two).map_err(|error| text(&error))?;
    let read = |path| std::fs::read(path).map_err(|error| text(&error));
    ensure(loaded == taken && read(&one)? == read(&two)?, || "the inventory came back otherwise".into())?;

    let wish = Wish { keep_in_sync: true, ..Wish::default() };
    let live = survey::plan(&fleet, &wish, &|_| {}).await;
    stage.keep(&fleet);
    let offline = survey::plan_offline(&fleet.desired, fleet.controls, &loaded, &wish);
    ensure(offline.items == live.items, || format!("offline {}, live {}", open(&offline), open(&live)))?;
    let bytes = serde_json::to_string(&live).map_err(|error| text(&error))?;
    let back: Plan = serde_json::from_str(&bytes).map_err(|error| text(&error))?;
    let again = serde_json::to_string(&back).map_err(|error| text(&error))?;
    ensure(back == live && bytes == again, || "the plan came back otherwise".into())
}

async fn imported(stage: &Stage, control: &'static dyn ErasedControl) -> Outcomes<()> {
    let Look { facts, known, observed } = look(stage, control).await?;
    let imported = control.import(&facts, &known, &observed).map_err(|misfit| misfit.to_string())?;
    let imported = imported.ok_or("what has converged cannot be described")?;
    control.check(&imported).map_err(|misfit| format!("{misfit} in {imported}"))?;
    stage.declare(control, &imported)?;
    let plan = stage.plan().await?;
    let all = plan.totals.in_sync == plan.totals.settings();
    ensure(all, || format!("{imported} was imported, and then: {}", open(&plan)))?;
    stage.declare(control, &example(control)?)
}

async fn inverted(stage: &Stage, control: &'static dyn ErasedControl) -> Outcomes<()> {
    let spec = example(control)?;
    let leaves = leaves(&control.schema().to_value(), &spec);
    for (index, leaf) in leaves.iter().enumerate() {
        let at = |why: String| format!("inverse of {}: {why}", leaf.path);
        // Ours is changed, then somebody else's; ours is taken back.
        stage.declare(control, &leaf.disturb(&spec))?;
        let ours = stage.apply().await?.held().map_err(at)?.report;
        drop(stage.rested().await?);
        let theirs = &leaves[(index + 1) % leaves.len()];
        let (after, both) = match leaves.len() {
            1 => (spec.clone(), leaf.disturb(&spec)),
            _ => (theirs.disturb(&spec), theirs.disturb(&leaf.disturb(&spec))),
        };
        stage.declare(control, &both)?;
        stage.converge().await.map_err(at)?;
        let (way_back, undone) = undone::taken_back(stage, ours).await.map_err(at)?;
        drop(stage.rested().await?);
        ensure(way_back.left.is_empty(), || at(format!("it cannot be taken back: {:?}", way_back.left)))?;
        stage.declare(control, &after)?;
        let plan = stage.plan().await?;
        ensure(changed(&plan).is_empty(), || at(format!("not what was before: {}", open(&plan))))?;
        // Once it is committed, nothing makes the change again.
        stage.declare(control, &undone::committed(&way_back, control, &both)?)?;
        let plan = stage.plan().await?;
        ensure(changed(&plan).is_empty(), || at(format!("the next apply would undo it: {}", open(&plan))))?;
        // The way back is a run like any other.
        if let Some(undone) = undone {
            undone::taken_back(stage, undone).await.map(drop).map_err(at)?;
            drop(stage.rested().await?);
            stage.declare(control, &both)?;
            let plan = stage.plan().await?;
            ensure(changed(&plan).is_empty(), || at(format!("not what the run wrote: {}", open(&plan))))?;
        }
        stage.declare(control, &spec)?;
        stage.converge().await.map_err(at)?;
    }
    Ok(())
}

const HEADINGS: [&str; 4] =
    ["## What it checks", "## Why it matters", "## What apply does", "## How to undo"];
const FRAMEWORKS: [&str; 4] = ["cis-1.4.0", "cis-3.0.0", "cis-5.0.0", "fsbp"];

/// Documents itself: headings with text beneath, undo where it writes, ids and calls that are well formed.
pub fn point_9(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let meta = control.meta();
    let parts: Vec<&str> = meta.docs.split("## ").skip(1).collect();
    let titles: Vec<String> =
        parts.iter().filter_map(|part| part.lines().next()).map(|t| format!("## {t}")).collect();
    ensure(titles == HEADINGS, || format!("the headings are {titles:?}"))?;
    let empty = parts.iter().find(|part| part.lines().skip(1).all(|line| line.trim().is_empty()));
    ensure(empty.is_none(), || format!("nothing stands under {empty:?}"))?;
    ensure(!meta.title.is_empty() && !meta.rules.is_empty() && !meta.reads.is_empty(), || {
        "it says nothing".into()
    })?;
    ensure(meta.writes.is_empty() || meta.undo.is_some(), || {
        "it writes, and does not say what undo needs".into()
    })?;
    for id in meta.rules.iter().flat_map(|rule| rule.frameworks) {
        let known =
            id.split_once('/').is_some_and(|(name, number)| FRAMEWORKS.contains(&name) && !number.is_empty());
        ensure(known, || format!("`{id}` is the id of no framework"))?;
    }
    for call in meta.reads.iter().chain(meta.writes) {
        let well = |text: &str| {
            text.split_once(':').is_some_and(|(service, name)| {
                !service.is_empty()
                    && service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                    && name.starts_with(|c: char| c.is_ascii_uppercase())
                    && name.chars().all(|c| c.is_ascii_alphanumeric())
            })
        };
        ensure(well(call.operation), || format!("`{}` is not service:Operation", call.operation))?;
        for action in call.actions {
            ensure(well(action), || format!("`{action}` is not an IAM action"))?;
        }
    }
    let example = example(control)?;
    control.check(&example).map_err(|misfit| format!("the example does not fit: {misfit}"))
}

/// Names, not ids: a plan has no ARN that is not in the YAML; and the wrong account is refused before anything
/// of it is read.
pub async fn point_10(control: &'static dyn ErasedControl) -> Outcomes<()> {
    let stage = Stage::of(control).await?;
    no_arns(&stage.plan().await?)?;
    stage.converge().await?;
    for happening in bench::happenings(control.meta().id) {
        (happening.change)(&stage.world);
        no_arns(&stage.plan().await?)?;
        stage.converge().await?;
    }
    let spec = example(control)?;
    for leaf in leaves(&control.schema().to_value(), &spec) {
        stage.declare(control, &leaf.disturb(&spec))?;
        no_arns(&stage.plan().await?)?;
    }
    wrong_account(&stage, account_of(control)).await
}

fn no_arns(plan: &Plan) -> Outcomes<()> {
    let items = serde_json::to_string(&plan.items).map_err(|error| error.to_string())?;
    for text in [items, json::plan(plan, 0, true)] {
        if let Some(at) = text.find("arn:") {
            let ends: String = text[at..].chars().take(80).collect();
            return Err(format!("the plan says {ends}"));
        }
    }
    Ok(())
}

/// Without roles the caller's own credentials are used, and they are of another account than the YAML's, unless a
/// control runs in the caller's.
async fn wrong_account(stage: &Stage, runs_in: &str) -> Outcomes<()> {
    let file = stage.documents.path().join("organization.yaml");
    let kept = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let mut document: Value = serde_yaml::from_str(&kept).map_err(|error| error.to_string())?;
    if let Some(Value::Object(spec)) = document.pointer_mut("/spec") {
        spec.remove("roles");
    }
    let text = serde_yaml::to_string(&document).map_err(|error| error.to_string())?;
    if runs_in != MANAGEMENT {
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
        refused(stage).await?;
    }

    let text = kept.replace("o-a1b2c3d4e5", "o-zzzzzzzzzz");
    std::fs::write(&file, text).map_err(|error| error.to_string())?;
    refused(stage).await
}

async fn refused(stage: &Stage) -> Outcomes<()> {
    stage.calls();
    let plan = stage.plan().await?;
    let member = plan.accounts.iter().find(|account| account.id.as_str() == MEMBER);
    let state = member.map(|account| &account.state);
    ensure(matches!(state, Some(AccountState::Refused { .. })), || format!("{state:?}"))?;
    let asking = ["sts:GetCallerIdentity", "sts:AssumeRole", "organizations:DescribeOrganization"];
    let other = stage.calls().into_iter().find(|call| {
        call.purpose != Purpose::Observe && call.purpose != Purpose::Caller
            || !asking.contains(&call.operation())
    });
    ensure(other.is_none(), || format!("{other:?}"))
}
