//! Events as EventBridge sends them: of API calls, from CloudTrail, and of the heartbeat's schedule.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde::Deserialize;

use crate::aws::history::event_source;
use crate::controls::CONTROLS;
use crate::place::{AccountId, Region};

/// A call that may have changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub account: AccountId,
    /// When the call was made, by AWS's clock.
    pub at: Timestamp,
    /// The event's own id.
    pub id: String,
    /// Role and session of who called: `baseline-apply`, the id of a run.
    pub session: Option<(String, String)>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Hint(Hint),
    /// The way from that region to the queue works.
    Heartbeat {
        account: AccountId,
        region: Region,
        at: Timestamp,
    },
    /// An event that changes nothing of ours.
    Nothing,
}

/// As EventBridge writes it (EventBridge User Guide, "Events"; "AWS service events delivered via CloudTrail").
#[derive(Deserialize)]
struct Written {
    id: String,
    #[serde(rename = "detail-type")]
    kind: String,
    source: String,
    account: AccountId,
    time: Timestamp,
    region: String,
    #[serde(default)]
    detail: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_source: String,
    event_name: String,
    event_time: Timestamp,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    user_identity: Identity,
}

#[derive(Default, Deserialize)]
struct Identity {
    #[serde(default)]
    arn: Option<String>,
}

/// Source and name of every call that some control may have to know of.
static MATTER: LazyLock<BTreeSet<(String, String)>> = LazyLock::new(|| {
    let all = CONTROLS.iter().flat_map(|control| control.meta().calls_that_matter());
    let named = all.filter_map(|event| {
        let (service, name) = event.split_once(':')?;
        Some((event_source(service).to_owned(), name.to_owned()))
    });
    named.collect()
});

/// Reads a message.
///
/// # Errors
///
/// Why it is not an event.
pub fn hear(body: &str) -> Result<Heard, String> {
    let written: Written = serde_json::from_str(body).map_err(|error| error.to_string())?;
    match (written.source.as_str(), written.kind.as_str()) {
        ("aws.events", "Scheduled Event") => Ok(Heard::Heartbeat {
            account: written.account,
            region: Region::new(written.region),
            at: written.time,
        }),
        (_, "AWS API Call via CloudTrail") => {
            let detail: Detail =
                serde_json::from_value(written.detail).map_err(|error| format!("detail: {error}"))?;
            let changes = detail.error_code.is_none();
            let source = detail.event_source.split('.').next().unwrap_or_default().to_owned();
            if !changes || !MATTER.contains(&(source, detail.event_name)) {
                return Ok(Heard::Nothing);
            }
            let session = detail.user_identity.arn.as_deref().and_then(|arn| {
                let (role, session) = arn.split_once(":assumed-role/")?.1.split_once('/')?;
                Some((role.to_owned(), session.to_owned()))
            });
            let Written { account, id, .. } = written;
            Ok(Heard::Hint(Hint { account, at: detail.event_time, id, session }))
        }
        _ => Ok(Heard::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event() -> Value {
        json!({
            "version": "0",
            "id": "7bf73129-1428-4cd3-a780-95db273d1602",
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.guardduty",
            "account": "111122223333",
            "time": "2026-11-26T12:00:00Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": {
                "eventVersion": "1.08",
                "eventTime": "2026-11-26T11:59:58Z",
                "eventSource": "guardduty.amazonaws.com",
                "eventName": "DeleteDetector",
                "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/admin/jo"},
            },
        })
    }

    fn of(event: &Value) -> Heard {
        hear(&event.to_string()).expect("an event")
    }

    #[test]
    fn a_write_that_matters_is_a_hint_and_says_who() {
        let Heard::Hint(hint) = of(&event()) else { panic!("{:?}", of(&event())) };
        assert_eq!(hint.account.as_str(), "111122223333");
        assert_eq!(hint.at.to_string(), "2026-11-26T11:59:58Z");
        assert_eq!(hint.session, Some(("admin".into(), "jo".into())));
        let mut alarm = event();
        alarm["detail"]["eventSource"] = json!("monitoring.amazonaws.com");
        alarm["detail"]["eventName"] = json!("DeleteAlarms");
        assert!(matches!(of(&alarm), Heard::Hint(_)), "CloudTrail has a name of its own for CloudWatch");
    }

    #[test]
    fn what_changes_nothing_of_ours_is_no_hint() {
        for (path, value) in [
            ("/detail/errorCode", json!("AccessDenied")),
            ("/detail/eventName", json!("CreateSampleFindings")),
            ("/detail/eventSource", json!("guardduty-evil.amazonaws.com")),
        ] {
            let mut other = event();
            let name = path.rsplit('/').next().expect("a name");
            other["detail"][name] = value;
            assert_eq!(of(&other), Heard::Nothing, "{path}");
        }
        let mut finding = event();
        finding["detail-type"] = json!("GuardDuty Finding");
        assert_eq!(of(&finding), Heard::Nothing);
    }

    #[test]
    fn the_schedule_is_a_heartbeat_of_its_region() {
        let beat = json!({"id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "account": "111122223333",
            "time": "2026-11-26T12:00:00Z", "region": "us-east-1", "detail": {}});
        assert!(matches!(of(&beat), Heard::Heartbeat { region, .. } if region.as_str() == "us-east-1"));
    }

    #[test]
    fn what_is_no_event_is_told() {
        for body in ["", "{}", r#"{"account": 111122223333}"#] {
            assert!(hear(body).is_err(), "{body}");
        }
        let mut broken = event();
        broken["detail"] = json!({});
        assert!(hear(&broken.to_string()).is_err_and(|why| why.contains("detail: ")));
    }
}
