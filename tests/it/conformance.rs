//! What every control promises, tried on each of them in the in-memory AWS: twelve points, and for each a
//! control broken on purpose that it catches.
//!
//! | point | where |
//! | --- | --- |
//! | 1 converges · 2 idempotent · 3 observes only · 4 asks for what it uses | `settles` |
//! | 5 sees every drift · 11 other people's fields survive | `drift` |
//! | 6 survives a crash anywhere · 7 survives bad weather | `trouble` |
//! | 8 round trips · 9 documents itself · 10 names, not ids | `words` |
//! | a first apply is taken back, and what it created is told | `undone` |
//! | a region's change stays there, by the guard; moved elsewhere it is refused | `bounds` |
//! | executed ⊆ planned, for every control, under fault injection | `planned` |
//! | generated policies = the calls that the journal saw | `allowed`, with point 4 |
//! | 12 speaks AWS | `tests/emulators/speaks_aws.py`, over what `BASELINE_EXCHANGES` recorded here |

mod allowed;
mod archive;
mod bench;
mod bounds;
mod broken;
mod config_first;
mod drift;
mod keys;
mod mutate;
mod not_shown;
mod observer;
mod organization;
mod planned;
mod public_access;
mod recorder;
mod securityhub_organization;
mod settles;
mod specimens;
mod stage;
mod story;
mod switches;
mod trail;
mod trouble;
mod undone;
mod waf_association;
mod words;

use baseline::control::ErasedControl;
use baseline::controls::CONTROLS;

/// The controls of the list, and the specimens; with `BASELINE_CONTROL=sns.topics` that one alone.
fn all() -> impl Iterator<Item = &'static dyn ErasedControl> {
    let all = || CONTROLS.iter().chain(specimens::SPECIMENS).copied();
    #[expect(clippy::disallowed_methods, reason = "a choice of whoever runs the tests")]
    let only = std::env::var("BASELINE_CONTROL").ok();
    let wanted = move |control: &&dyn ErasedControl| only.as_deref().is_none_or(|id| id == control.meta().id);
    assert!(all().any(|control| wanted(&control)), "BASELINE_CONTROL names no control");
    all().filter(wanted)
}

/// One test for each point, over all controls; everything that fails is told at once.
macro_rules! points {
    ($($name:ident: $point:path;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let mut failed = Vec::new();
            for control in all() {
                if let Err(why) = $point(control).await {
                    failed.push(format!("{}: {why}", control.meta().id));
                }
            }
            assert!(failed.is_empty(), "{}", failed.join("\n"));
        }
    )*};
}

points! {
    point_1_converges: settles::point_1;
    point_2_idempotent: settles::point_2;
    point_3_observes_only: settles::point_3;
    point_4_asks_for_what_it_uses: settles::point_4;
    point_5_sees_every_drift: drift::point_5;
    point_6_survives_a_crash_anywhere: trouble::point_6;
    point_7_survives_bad_weather: trouble::point_7;
    point_8_round_trips: words::point_8;
    a_first_apply_is_taken_back: undone::first_apply;
    a_change_of_a_region_stays_there: bounds::stays_there;
    point_10_names_not_ids: words::point_10;
    point_11_other_peoples_fields_survive: drift::point_11;
}

#[test]
fn point_9_documents_itself() {
    for control in all() {
        assert_eq!(words::point_9(control), Ok(()), "{}", control.meta().id);
    }
}
