use super::specimen::SPECIMEN;
use super::*;

#[test]
fn a_control_explains_itself() {
    insta::assert_snapshot!(explain(&[SPECIMEN], "test.specimen", &Style::plain()).unwrap());
}

#[test]
fn a_field_says_what_may_stand_there_and_where_it_comes_from() {
    let frequency = explain(&[SPECIMEN], "test.specimen.frequency", &Style::plain()).unwrap();
    insta::assert_snapshot!(frequency, @"
    test.specimen.frequency
    `FIFTEEN_MINUTES` or `SIX_HOURS`

      How often findings are exported.

      Its value comes from the baselines of the Organization document from top to
      bottom, each after those that it extends, then from the baselines of the
      Account document and its own `controls`; later ones win. Not said is not
      managed, and `null` takes an inherited value out. `baseline render ACCOUNT
      --origin` says which file and line each value came from.
    ");
    for typed in ["features.RDS_LOGIN_EVENTS", "rules.0.scanOnPush", "rules.scanOnPush", "rules[].scanOnPush"]
    {
        assert!(explain(&[SPECIMEN], &format!("test.specimen.{typed}"), &Style::plain()).is_ok(), "{typed}");
    }
}

#[test]
fn a_misspelt_name_is_answered_with_the_nearest() {
    let meant = |what| explain(&[SPECIMEN], what, &Style::plain()).unwrap_err().did_you_mean;
    assert_eq!(meant("test.specimne").as_deref(), Some("test.specimen"));
    assert_eq!(meant("test.specimen.frequncy").as_deref(), Some("test.specimen.frequency"));
    assert_eq!(meant("zzz"), None);
}

#[test]
fn pages_are_generated_whole() {
    insta::assert_snapshot!("docs_page", docs_page(SPECIMEN));
    insta::assert_snapshot!("docs_index", docs_index(&[SPECIMEN]));
    insta::assert_snapshot!(overview(&[SPECIMEN], &Style::plain()), @"test.specimen  the specimen is on in every region");
}
