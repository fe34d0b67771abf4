//! Who observes holds nothing that could write: not by good behaviour, but because there is no such session and no
//! such call.

use baseline::aws::InScope;
use baseline::aws::NotOpened;
use baseline::aws::journal::Purpose;
use baseline::observe::Observer;
use baseline::place::{Region, Scope};

use super::stage::{HOME, MEMBER, Stage};

#[tokio::test(start_paused = true)]
async fn an_observer_opens_no_session_of_the_apply_role_and_sends_no_write() {
    let control = baseline::controls::find("iam.password-policy").expect("listed");
    let stage = Stage::of(control).await.expect("a stage");
    let fleet = stage.fleet().await.expect("connected");
    let member = MEMBER.parse().expect("12 digits");
    assert!(fleet.session(&member, Purpose::Apply).await.is_ok(), "who may write, opens it");

    let desired = fleet.desired.clone();
    let observer = Observer::of(fleet);
    let refused = observer.fleet().session(&member, Purpose::Apply).await;
    assert!(matches!(refused, Err(NotOpened::Refused(_))), "{refused:?}");
    let beside = observer.fleet().with(desired);
    assert!(beside.session(&member, Purpose::Apply).await.is_err(), "nor does who looks beside it");

    // A writer made with the session that it has sends nothing either.
    let session = observer.fleet().session(&member, Purpose::Observe).await.expect("opened");
    let scope = Scope { account: member, region: Region::new(HOME) };
    let writer = observer.fleet().aws.writer(&session, &scope, control.meta(), &InScope::new());
    let sent = writer.run(writer.iam().update_account_password_policy().send()).await;
    let why = format!("{:?}", sent.expect_err("refused"));
    assert!(why.contains("was not sent"), "{why}");

    // The audit record's one write, with the caller's own credentials.
    let caller = observer.fleet().aws.caller_reader(&Region::new(HOME));
    let put = caller.s3().put_object().bucket("records").key("x");
    let why = format!("{:?}", caller.run(put.send()).await.expect_err("refused"));
    assert!(why.contains("was not sent"), "{why}");
    assert_eq!(stage.writes(), Default::default());
}
