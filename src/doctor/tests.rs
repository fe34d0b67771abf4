use super::regions::state;
use super::*;

fn fault(kind: FaultKind, code: &str, message: &str) -> Fault {
    Fault {
        kind,
        call: "guardduty:ListDetectors".into(),
        code: code.into(),
        message: message.into(),
        request_id: None,
    }
}

#[test]
fn a_policy_of_the_organisation_is_named_where_the_message_names_it() {
    let arn = "arn:aws:organizations::999988887777:policy/o-a1b2c3d4e5/service_control_policy/p-examplepol";
    let said = format!(
        "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: guardduty:ListDetectors on \
         resource: arn:aws:guardduty:eu-west-1:111122223333:detector/* with an explicit deny in a service control \
         policy: {arn}."
    );
    assert_eq!(policy_named(&said), Some(arn));
    assert_eq!(policy_named("with an explicit deny in a service control policy"), None);
    assert_eq!(policy_named("User: arn:aws:iam::1:user/é arn:"), None);
}

#[test]
fn a_region_is_closed_only_where_nothing_answers() {
    let closed = || Err(fault(FaultKind::DeniedByOrganization, "AccessDeniedException", ""));
    let off = || Err(fault(FaultKind::Denied, "UnrecognizedClientException", ""));
    let denied = || Err(fault(FaultKind::Denied, "AccessDeniedException", ""));
    let down = || Err(fault(FaultKind::Unavailable, "DispatchFailure", ""));
    assert_eq!(state([Ok(()), Ok(())]), RegionState::Open);
    for (probes, verdict) in [
        ([closed(), closed()], Verdict::Wrong),
        ([off(), closed()], Verdict::Wrong),
        ([Ok(()), closed()], Verdict::Wrong),
        ([Ok(()), denied()], Verdict::Wrong),
        ([Ok(()), down()], Verdict::Unknown),
        ([denied(), denied()], Verdict::Unknown),
        ([closed(), down()], Verdict::Unknown),
        ([down(), down()], Verdict::Unknown),
    ] {
        let found = state(probes);
        assert_eq!(found.verdict(), verdict, "{found:?}");
    }
    assert!(matches!(state([closed(), closed()]), RegionState::Closed(_)));
    assert!(matches!(state([closed(), off()]), RegionState::Off(_)));
}

fn role(assumed: Assumed, lacking: Result<Lacking, Fault>) -> RoleHealth {
    RoleHealth { name: "baseline-apply".into(), assumed, lacking }
}

#[test]
fn a_denial_is_an_answer_and_a_silence_is_not() {
    let denied = fault(FaultKind::Denied, "AccessDenied", "");
    let absent = fault(FaultKind::NotFound, "NoSuchEntity", "");
    let down = fault(FaultKind::Unavailable, "ServiceUnavailable", "");
    let fine = Lacking::new();
    assert_eq!(role(Assumed::Yes, Ok(fine.clone())).worst(), Verdict::Fine);
    assert_eq!(role(Assumed::No(denied.clone()), Ok(fine.clone())).worst(), Verdict::Wrong);
    assert_eq!(role(Assumed::No(denied.clone()), Err(absent.clone())).worst(), Verdict::Wrong);
    assert_eq!(role(Assumed::No(denied), Err(down.clone())).worst(), Verdict::Unknown);
    assert_eq!(role(Assumed::No(down), Ok(fine.clone())).worst(), Verdict::Unknown);
    assert_eq!(role(Assumed::Yes, Err(absent)).worst(), Verdict::Unknown, "a path that nobody named");
    assert_eq!(role(Assumed::Refused("x".into()), Ok(fine)).worst(), Verdict::Refused);
    let lack = |why| Lack { why, controls: BTreeSet::new(), on: BTreeSet::new() };
    let depends = Lacking::from([("iam:GetRole", lack(Why::Depends(vec!["aws:SourceIp".into()])))]);
    assert_eq!(role(Assumed::Yes, Ok(depends)).allowed(), Verdict::Unknown);
    let missing = Lacking::from([("iam:GetRole", lack(Why::NotAllowed))]);
    assert_eq!(role(Assumed::Yes, Ok(missing)).allowed(), Verdict::Wrong);
    assert_eq!(RoleHealth::not_asked("x".into()).worst(), Verdict::NotAsked);
}
