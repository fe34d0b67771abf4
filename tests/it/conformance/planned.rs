//! Executed ⊆ planned, for every control: whatever the weather, and whoever meddles between plan and apply, an apply
//! sends no step that the saved plan does not hold, and none before the one that it stands on.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use baseline::aws::{Reader, Writer};
use baseline::control::{ErasedControl, Facts, Fault, Field, Finding, Known, Meta, Misfit, Need, Step, Tags};
use baseline::place::Scope;
use baseline::plan::Plan;
use baseline::sandbox::{Front, Lag, Trouble, Weather};
use baseline::survey::{self, Wish};
use futures::future::BoxFuture;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::mutate::{Leaf, leaves};
use super::stage::{Outcomes, Stage, ensure, example};

/// How many storms each control is sent through.
const STORMS: u32 = 12;

/// One way for everything to go wrong.
#[derive(Clone, Debug)]
struct Storm {
    /// These leaves are set otherwise before the plan is made; none of them: the account is fresh.
    before: Vec<Index>,
    /// Somebody sets these between plan and apply.
    meanwhile: Vec<Index>,
    fronts: Vec<(Trouble, Index, Lasts)>,
    lag: u32,
    stop_after: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Lasts {
    FirstAttempts(u32),
    Times(u64),
    Always,
}

fn storm() -> impl Strategy<Value = Storm> {
    let trouble = prop::sample::select(vec![
        Trouble::Throttled,
        Trouble::ServerError,
        Trouble::TimedOut,
        Trouble::Cut,
        Trouble::Denied,
        Trouble::DeniedByOrganization,
        Trouble::ReplyLost,
    ]);
    let lasts = prop_oneof![
        3 => (1..4_u32).prop_map(Lasts::FirstAttempts),
        3 => (1..6_u64).prop_map(Lasts::Times),
        1 => Just(Lasts::Always),
    ];
    let some = || prop::collection::vec(any::<Index>(), 1..4);
    let at_times = |odds, some| prop::option::weighted(odds, some).prop_map(Option::unwrap_or_default);
    let fronts = prop::collection::vec((trouble, any::<Index>(), lasts), 0..4);
    let stop_after = prop::option::weighted(0.2, 0..6_u64);
    (at_times(0.5, some()), at_times(0.3, some()), fronts, 0..6_u32, stop_after).prop_map(
        |(before, meanwhile, fronts, lag, stop_after)| Storm { before, meanwhile, fronts, lag, stop_after },
    )
}

impl Storm {
    fn weather(&self, control: &dyn ErasedControl) -> Weather {
        let meta = control.meta();
        let calls: Vec<&str> = meta.reads.iter().chain(meta.writes).map(|call| call.operation).collect();
        let mut weather = Weather::fair().lag(Lag::Reads(self.lag));
        for (trouble, on, lasts) in &self.fronts {
            let front = Front::new(*trouble).on(calls[on.index(calls.len())]);
            weather = weather.with(match *lasts {
                Lasts::FirstAttempts(n) => front.first_attempts(n),
                Lasts::Times(n) => front.times(n),
                Lasts::Always => front,
            });
        }
        match self.stop_after {
            Some(writes) => weather.stop_after_writes(writes),
            None => weather,
        }
    }
}

/// The spec with some of its leaves set otherwise.
fn otherwise(spec: &Value, leaves: &[Leaf], which: &[Index]) -> Value {
    let some = which.iter().filter(|_| !leaves.is_empty()).map(|index| index.get(leaves));
    some.fold(spec.clone(), |spec, leaf| leaf.disturb(&spec))
}

/// One storm over one control; how many steps were sent in it.
async fn trial(control: &'static dyn ErasedControl, storm: &Storm) -> Outcomes<usize> {
    let watched = Box::leak(Box::new(Watched { inner: control, sent: Mutex::default() }));
    let stage = Stage::of(watched).await?;
    let spec = example(control)?;
    let leaves = leaves(&control.schema().to_value(), &spec);
    if !storm.before.is_empty() {
        stage.declare(watched, &otherwise(&spec, &leaves, &storm.before))?;
        stage.converge().await?;
        stage.declare(watched, &spec)?;
    }
    let fleet = stage.fleet().await?;
    let plan = survey::plan(&fleet, &Wish::default(), &|_| {}).await;
    // What a file holds, and nothing that only this process knows.
    let text = serde_json::to_string(&plan).map_err(|error| error.to_string())?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if !storm.meanwhile.is_empty() {
        stage.declare(watched, &otherwise(&spec, &leaves, &storm.meanwhile))?;
        stage.converge().await?;
    }
    watched.take();
    stage.calls();
    stage.world.set_weather(storm.weather(control));
    let applied = stage.execute(&fleet, plan.clone(), &CancellationToken::new()).await?;
    stage.keep(&fleet);
    let sent = watched.take();
    executed_is_planned(&plan, &sent)?;
    let calls = stage.calls();
    for call in calls.iter().filter(|call| call.write && call.by == control.meta().id) {
        let by_a_step =
            sent.iter().any(|(scope, step)| *scope == *call.scope && step.call == call.operation());
        ensure(by_a_step, || format!("{} in {} was called by no step", call.operation(), call.scope))?;
    }
    ensure(applied.report.changes.len() == plan.changes().count(), || "a change is not told of".into())?;
    Ok(sent.len())
}

/// Every step that was sent stands in the plan, in that scope. Of one change, each is first sent after those before it.
fn executed_is_planned(plan: &Plan, sent: &[(Scope, Step)]) -> Outcomes<()> {
    let planned = |scope: &Scope| {
        let here = plan.changes().filter(|(_, item)| item.scope == *scope).collect::<Vec<_>>();
        here.into_iter().filter_map(|(_, item)| item.finding.change())
    };
    for (scope, step) in sent {
        let known = planned(scope).any(|change| change.steps.contains(step));
        ensure(known, || format!("{} in {scope} was not planned: {}", step.call, step.action.as_str()))?;
    }
    for (_, item) in plan.changes() {
        let Some(change) = item.finding.change() else { continue };
        let first = |step: &Step| sent.iter().position(|(scope, one)| *scope == item.scope && one == step);
        let places: Vec<usize> = change.steps.iter().filter_map(first).collect();
        let told = |step: &Step| format!("{}: {}", step.call, step.title);
        ensure(places.is_sorted(), || {
            let steps: Vec<String> = change.steps.iter().map(told).collect();
            format!("{} was not done in its order: {}", item.finding.resource, steps.join(", "))
        })?;
    }
    Ok(())
}

#[test]
fn what_is_executed_was_planned_by_every_control() {
    let mut failed = BTreeMap::new();
    for control in super::all() {
        let config = Config { cases: STORMS, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRunner::deterministic().rng().clone());
        let sent = Cell::new(0);
        let run = runner.run(&storm(), |storm| {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().start_paused(true).build().expect("a runtime");
            let steps = runtime.block_on(trial(control, &storm)).map_err(TestCaseError::fail)?;
            sent.set(sent.get() + steps);
            Ok(())
        });
        if let Err(why) = run {
            failed.insert(control.meta().id, why.to_string());
        } else if sent.get() == 0 && !control.meta().writes.is_empty() {
            failed.insert(control.meta().id, "no storm let a step through".into());
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The property fails where it should: a step that no plan holds, and two in the wrong order.
#[tokio::test(start_paused = true)]
async fn what_was_not_planned_is_noticed() {
    let control = baseline::controls::find("kms.keys").expect("it is in the list");
    let stage = Stage::of(control).await.expect("a stage");
    let plan = stage.plan().await.expect("a plan");
    let (_, item) =
        plan.changes().find(|(_, item)| steps(item).len() > 1).expect("a key takes several calls");
    let mut sent: Vec<(Scope, Step)> =
        steps(item).iter().map(|step| (item.scope.clone(), step.clone())).collect();
    assert_eq!(executed_is_planned(&plan, &sent), Ok(()));
    sent.swap(0, 1);
    assert!(executed_is_planned(&plan, &sent).is_err_and(|why| why.contains("not done in its order")));
    let mut action = sent[0].1.action.value();
    action["other"] = true.into();
    sent[0].1.action = action.into();
    assert!(executed_is_planned(&plan, &sent).is_err_and(|why| why.contains("was not planned")));
}

fn steps(item: &baseline::plan::Item) -> &[Step] {
    item.finding.change().map(|change| change.steps.as_slice()).unwrap_or_default()
}

/// A control as it is, that notes each step it is told to send.
struct Watched {
    inner: &'static dyn ErasedControl,
    sent: Mutex<Vec<(Scope, Step)>>,
}

impl Watched {
    fn take(&self) -> Vec<(Scope, Step)> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ErasedControl for Watched {
    fn meta(&self) -> &'static Meta {
        self.inner.meta()
    }

    fn schema(&self) -> schemars::Schema {
        self.inner.schema()
    }

    fn check(&self, spec: &Value) -> Result<(), Misfit> {
        self.inner.check(spec)
    }

    fn ask(&self, facts: &Facts, spec: &Value) -> Result<Value, Misfit> {
        self.inner.ask(facts, spec)
    }

    fn observe<'a>(
        &'a self,
        aws: &'a Reader,
        ask: &'a Value,
    ) -> BoxFuture<'a, Result<Result<Value, Fault>, Misfit>> {
        self.inner.observe(aws, ask)
    }

    fn needs(&self, facts: &Facts, spec: &Value) -> Result<Vec<Need>, Misfit> {
        self.inner.needs(facts, spec)
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &Value,
        observed: &Value,
    ) -> Result<Vec<Finding<Step>>, Misfit> {
        self.inner.plan(facts, known, spec, observed)
    }

    fn apply<'a>(
        &'a self,
        aws: &'a Writer,
        known: &'a Known,
        step: &'a Step,
    ) -> BoxFuture<'a, Result<Result<(), Fault>, Misfit>> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((aws.scope.clone(), step.clone()));
        self.inner.apply(aws, known, step)
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Value) -> Result<Option<Value>, Misfit> {
        self.inner.import(facts, known, observed)
    }

    fn tags(&self, observed: &Value) -> Result<BTreeMap<String, Tags>, Misfit> {
        self.inner.tags(observed)
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<Value> {
        self.inner.inverse(resource, fields)
    }
}
