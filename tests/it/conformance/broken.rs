//! Controls broken on purpose: each is a real one with one promise taken away, and its point catches it.

use std::collections::BTreeMap;

use baseline::aws::{Reader, Writer};
use baseline::control::{
    Call, ErasedControl, Facts, Fault, Field, Finding, Known, Meta, Misfit, Need, Step, Tags, Verdict,
};
use baseline::controls;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::specimens::key::Key;
use super::stage::example;
use super::{drift, settles, trouble, words};

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    WritesNothing,
    NeverContent,
    WritesWhileLooking,
    ForgetsAField,
    ForgetsWhatItMade,
    TakesFaultsForAnswers,
    TakesEverythingBack,
    SpeaksInArns,
    ResetsTheRest,
    OnlyItsMeta,
}

struct Broken {
    inner: &'static dyn ErasedControl,
    how: Flaw,
    meta: &'static Meta,
}

fn broken(inner: &'static dyn ErasedControl, how: Flaw) -> &'static dyn ErasedControl {
    Box::leak(Box::new(Broken { inner, how, meta: inner.meta() }))
}

fn policy() -> &'static dyn ErasedControl {
    controls::find("iam.password-policy").expect("it is in the list")
}

/// A control that writes while it looks, and names the write among its reads: only the role stops it.
fn careless() -> &'static dyn ErasedControl {
    let meta = with_meta(policy(), |meta| {
        meta.reads = const {
            &[Call::new("iam:GetAccountPasswordPolicy"), Call::new("iam:UpdateAccountPasswordPolicy")]
        };
    });
    Box::leak(Box::new(Broken { inner: policy(), how: Flaw::WritesWhileLooking, meta: meta.meta() }))
}

/// The same control with other facts about it.
fn with_meta(
    inner: &'static dyn ErasedControl,
    change: impl FnOnce(&mut Meta),
) -> &'static dyn ErasedControl {
    let of = inner.meta();
    let mut meta = Meta { ..*of };
    change(&mut meta);
    Box::leak(Box::new(Broken { inner, how: Flaw::OnlyItsMeta, meta: Box::leak(Box::new(meta)) }))
}

impl Broken {
    fn judge(&self, spec: &Value, finding: &mut Finding<Step>) {
        match (self.how, &mut finding.verdict) {
            (Flaw::NeverContent, verdict @ Verdict::InSync) => {
                let action = json!({
                    "minimumLength": 14, "reusePrevention": 24, "maxAgeDays": 90, "lowercase": true, "uppercase": true,
                    "numbers": true, "symbols": true, "usersMayChange": true, "hardExpiry": false,
                });
                let step = Step {
                    call: "iam:UpdateAccountPasswordPolicy".into(),
                    title: "again".into(),
                    action: action.into(),
                };
                let field = Field::new("/minimumLength", 13, 14);
                *verdict = Verdict::Change(baseline::control::Change::update(vec![field], vec![step]));
            }
            (Flaw::ForgetsAField, verdict) => {
                if let Verdict::Change(change) = verdict {
                    change.fields.retain(|field| field.path != "/reusePrevention");
                    if change.fields.is_empty() {
                        *verdict = Verdict::InSync;
                    }
                }
            }
            (Flaw::SpeaksInArns, Verdict::Change(change)) => {
                change.evidence = Some("arn:aws:iam::100000000000:root is in it".into());
            }
            (Flaw::ResetsTheRest, Verdict::Change(change)) if spec.get("reusePrevention").is_none() => {
                for step in &mut change.steps {
                    let mut action = step.action.value();
                    action["reusePrevention"] = json!(0);
                    step.action = action.into();
                }
            }
            _ => {}
        }
    }
}

impl ErasedControl for Broken {
    fn meta(&self) -> &'static Meta {
        self.meta
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
        async move {
            if self.how == Flaw::WritesWhileLooking {
                drop(aws.iam().update_account_password_policy().minimum_password_length(14).send().await);
            }
            match self.inner.observe(aws, ask).await {
                Ok(Err(_)) if self.how == Flaw::TakesFaultsForAnswers => Ok(Ok(json!({
                    "minimumLength": 14, "reusePrevention": 24, "maxAgeDays": 90, "lowercase": true, "uppercase": true,
                    "numbers": true, "symbols": true, "usersMayChange": true, "hardExpiry": false,
                }))),
                other => other,
            }
        }
        .boxed()
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
        let mut observed = observed.clone();
        if self.how == Flaw::ForgetsWhatItMade && observed["aliased"] == json!(false) {
            observed["made"] = json!(false);
        }
        let mut findings = self.inner.plan(facts, known, spec, &observed)?;
        findings.iter_mut().for_each(|finding| self.judge(spec, finding));
        Ok(findings)
    }

    fn apply<'a>(
        &'a self,
        aws: &'a Writer,
        known: &'a Known,
        step: &'a Step,
    ) -> BoxFuture<'a, Result<Result<(), Fault>, Misfit>> {
        if self.how == Flaw::WritesNothing {
            return std::future::ready(Ok(Ok(()))).boxed();
        }
        self.inner.apply(aws, known, step)
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Value) -> Result<Option<Value>, Misfit> {
        self.inner.import(facts, known, observed)
    }

    fn tags(&self, observed: &Value) -> Result<BTreeMap<String, Tags>, Misfit> {
        self.inner.tags(observed)
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<Value> {
        let mut spec = self.inner.inverse(resource, fields)?;
        if self.how == Flaw::TakesEverythingBack
            && let (Some(spec), Ok(Value::Object(all))) = (spec.as_object_mut(), example(self.inner))
        {
            for (name, value) in all {
                spec.entry(name).or_insert(value);
            }
        }
        Some(spec)
    }
}

/// The point finds it, and does not find anything in the control that was broken.
macro_rules! catches {
    ($($name:ident: $point:path, $control:expr, $says:literal;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let why = $point($control).await.expect_err("it is broken");
            assert!(why.contains($says), "{why}");
        }
    )*};
}

catches! {
    point_1_catches_a_control_that_writes_nothing:
        settles::point_1, broken(policy(), Flaw::WritesNothing), "NotVerified";
    point_2_catches_a_control_that_is_never_content:
        settles::point_2, broken(policy(), Flaw::NeverContent), "written again";
    point_3_catches_a_control_that_writes_while_looking:
        settles::point_3, careless(), "UpdateAccountPasswordPolicy";
    point_4_catches_a_control_that_asks_for_more_than_it_uses:
        settles::point_4,
        with_meta(policy(), |meta| {
            meta.reads = const { &[Call::new("iam:GetAccountPasswordPolicy"), Call::new("iam:GetAccountSummary")] };
        }),
        "iam:GetAccountSummary";
    point_5_catches_a_control_that_forgets_a_field:
        drift::point_5, broken(policy(), Flaw::ForgetsAField), "/reusePrevention";
    point_6_catches_a_control_that_makes_it_twice:
        trouble::point_6, broken(&Key, Flaw::ForgetsWhatItMade), "kms:CreateKey";
    point_7_catches_a_control_that_takes_faults_for_answers:
        trouble::point_7, broken(policy(), Flaw::TakesFaultsForAnswers), "as in sync as ever";
    point_8_catches_a_control_that_takes_everything_back:
        words::point_8, broken(policy(), Flaw::TakesEverythingBack), "not what was before";
    point_10_catches_a_control_that_speaks_in_arns:
        words::point_10, broken(policy(), Flaw::SpeaksInArns), "the plan says arn:";
    point_11_catches_a_control_that_resets_the_rest:
        drift::point_11, broken(policy(), Flaw::ResetsTheRest), "it did not stay";
}

#[test]
fn point_9_catches_a_control_without_a_word_about_undo() {
    let silent = with_meta(policy(), |meta| meta.docs = "## What it checks\n\nThe policy.\n");
    assert!(words::point_9(silent).is_err_and(|why| why.contains("headings")));
    let unknown = with_meta(policy(), |meta| {
        meta.rules = const {
            &[baseline::control::Rule {
                id: "x",
                severity: baseline::control::Severity::Low,
                frameworks: &["iso/9"],
            }]
        };
    });
    assert!(words::point_9(unknown).is_err_and(|why| why.contains("iso/9")));
    let forever = with_meta(policy(), |meta| meta.undo = None);
    assert!(words::point_9(forever).is_err_and(|why| why.contains("undo")));
}
