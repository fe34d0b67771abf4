//! Answers as AWS documents them, read by the SDK.

use aws_sdk_securityhub::Client;

use super::*;
use crate::aws::canned::{self, Answer};
use crate::control::FaultKind;

fn client(answers: &[Answer]) -> Client {
    Client::new(&canned::sdk(answers))
}

/// A finding as the User Guide's "Sample control findings" writes it.
fn finding(id: &str, repository: &str, status: &str, note: &str) -> String {
    format!(
        r#"{{"SchemaVersion":"2018-10-08","Id":"arn:aws:securityhub:eu-west-1:111122223333:security-control/ECR.1/finding/{id}",
        "ProductArn":"arn:aws:securityhub:eu-west-1::product/aws/securityhub","ProductName":"Security Hub",
        "CompanyName":"AWS","Region":"eu-west-1","GeneratorId":"security-control/ECR.1",
        "AwsAccountId":"111122223333","Types":["Software and Configuration Checks"],
        "FirstObservedAt":"2026-08-06T02:18:23.076Z","LastObservedAt":"2026-09-28T16:10:06.956Z",
        "CreatedAt":"2026-08-06T02:18:23.076Z","UpdatedAt":"2026-09-28T16:10:00.093Z",
        "Severity":{{"Label":"HIGH","Normalized":70,"Original":"HIGH"}},"Title":"ECR.1","Description":"d",
        "ProductFields":{{"RelatedAWSResources:0/name":"x"}},
        "Resources":[{{"Type":"AwsEcrRepository","Id":"arn:aws:ecr:eu-west-1:111122223333:repository/{repository}",
          "Partition":"aws","Region":"eu-west-1","Tags":{{"stage":"legacy"}}}}],
        "Compliance":{{"Status":"FAILED","SecurityControlId":"ECR.1","AssociatedStandards":[{{"StandardsId":"s"}}]}},
        "WorkflowState":"NEW","Workflow":{{"Status":"{status}"}},"RecordState":"ACTIVE"{note}}}"#
    )
}

const OURS: &str = r#","Note":{"Text":"baseline exception `legacy-images`, until 2027-03-31: r (owner o, approved by a)",
    "UpdatedBy":"baseline","UpdatedAt":"2026-09-28T16:10:00.093Z"}"#;

const NOT_SUBSCRIBED: &str = r#"{"__type":"InvalidAccessException","Code":"InvalidAccessException",
    "Message":"Account 111122223333 is not subscribed to AWS Security Hub"}"#;

fn page(findings: &[String], next: &str) -> &'static str {
    format!(r#"{{"Findings":[{}]{next}}}"#, findings.join(",")).leak()
}

#[tokio::test]
async fn findings_come_in_pages_and_ours_are_known_by_their_note() {
    let one = page(&[finding("1", "web", "SUPPRESSED", "")], r#","NextToken":"t""#);
    let two = page(&[finding("2", "legacy-tax", "SUPPRESSED", OURS)], "");
    let hub = client(&[("/findings", 200, one), ("/findings", 200, two)]);
    let live = live::read(&hub, &facts().scope, &Ask::default()).await.unwrap();
    let [ours] = &live.findings[..] else { panic!("{live:?}") };
    assert!(live.enabled);
    assert_eq!((ours.exception.as_deref(), ours.name()), (Some("legacy-images"), "repository/legacy-tax"));
    assert_eq!(ours.tags["stage"], "legacy");
}

#[tokio::test]
async fn without_a_hub_there_is_nothing_and_any_other_error_is_a_fault() {
    let none = client(&[("/findings", 401, NOT_SUBSCRIBED)]);
    assert_eq!(live::read(&none, &facts().scope, &Ask::default()).await, Ok(Live::default()));
    let denied = client(&[("/findings", 403, r#"{"__type":"AccessDeniedException","Message":"no"}"#)]);
    let fault = live::read(&denied, &facts().scope, &Ask::default()).await.unwrap_err();
    assert_eq!((fault.kind, fault.call.as_str()), (FaultKind::Denied, "securityhub:GetFindings"));
}

#[tokio::test]
async fn what_a_batch_leaves_out_is_a_fault_of_its_code() {
    let open = page(&[finding("1", "legacy-tax", "NEW", "")], "");
    let left = |code: &str| {
        format!(
            r#"{{"ProcessedFindings":[],"UnprocessedFindings":[{{"FindingIdentifier":{{"Id":"x","ProductArn":"y"}},
            "ErrorCode":"{code}","ErrorMessage":"another update"}}]}}"#
        )
    };
    let suppress = || Write::Suppress { note: "n".into(), findings: vec![target("legacy-tax")] };
    for (code, kind) in [
        ("ConcurrentUpdateError", FaultKind::Conflict),
        ("FindingNotFound", FaultKind::NotFound),
        ("InternalFailure", FaultKind::Unavailable),
        ("FindingSizeExceeded", FaultKind::Invalid),
    ] {
        let left = left(code).leak();
        let hub = client(&[("/findings", 200, open), ("/findings/batchupdate", 200, left)]);
        let fault = suppress().send(&hub, &facts().scope).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code));
    }
    // Nothing is as it was planned any more: nothing is sent.
    let gone = page(&[finding("1", "web", "NEW", "")], "");
    let hub = client(&[("/findings", 200, gone)]);
    assert_eq!(suppress().send(&hub, &facts().scope).await, Ok(()));
}
