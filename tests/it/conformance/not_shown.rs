//! What the in-memory AWS cannot show, by name and with the reason. The list shrinks; it never grows silently:
//! where an entry is an operation, a test fails as soon as the world answers it.

use aws_smithy_types::error::display::DisplayErrorContext;
use baseline::sandbox::{Principal, World};

use super::stage::{HOME, MEMBER};

/// Something that is not shown.
struct NotShown {
    /// An operation, or what it is about.
    what: &'static str,
    why: &'static str,
}

const NOT_SHOWN: &[NotShown] = &[
    NotShown {
        what: "ecr:DeleteLifecyclePolicy",
        why: "`lifecycle: none` is put right by hand: nothing here deletes",
    },
    NotShown {
        what: "iam:DeleteAccountPasswordPolicy",
        why: "deleted policies are shown by taking them out of the world",
    },
    NotShown {
        what: "guardduty:UpdateMemberDetectors",
        why: "an administrator's changes are shown by naming the administrator in the world",
    },
    NotShown {
        what: "accounts that GuardDuty enrols by itself",
        why: "AWS takes up to a day; members are shown by naming their administrator in the world",
    },
    NotShown {
        what: "an administrator of GuardDuty that is removed",
        why: "nothing here removes one; it is taken out of the world",
    },
    NotShown {
        what: "images that a lifecycle policy deletes",
        why: "the world's repositories hold no images",
    },
    NotShown { what: "users locked out by `hardExpiry`", why: "the world's users have no passwords" },
    NotShown {
        what: "that enhanced scanning and Inspector's type ECR turn each other on",
        why: "the world's registry and its Inspector do not know each other",
    },
    NotShown {
        what: "the minutes that AWS takes to block public images",
        why: "nothing tells blocking that is on its way from none, so a second process sends it again; `switches` \
              shows the waiting",
    },
    NotShown { what: "volumes, instances and their launches", why: "the world's EC2 has none" },
    NotShown { what: "logs:DeleteRetentionPolicy", why: "`retentionDays: never` is put right by hand" },
    NotShown { what: "log files and digests", why: "no events happen in the world, so nothing is delivered" },
    NotShown {
        what: "topics that CloudTrail publishes to",
        why: "the world's CloudTrail does not look at SNS: a topic is a name that it may publish to",
    },
    NotShown {
        what: "messages to topics and mailboxes",
        why: "events of the world go to queues alone; a queue or function that subscribes to a topic is a name",
    },
    NotShown {
        what: "findings that automation rules change, and that regions send home",
        why: "the world's Security Hub has none",
    },
    NotShown {
        what: "whether Security Hub enables an incomplete standard again without disabling it first",
        why: "AWS does not say; the world does, and where AWS does not, apply says that it is still incomplete",
    },
    NotShown {
        what: "accounts that join the organisation and are enrolled in Security Hub",
        why: "accounts join before anybody administers it; what is shown is what its administrator sets",
    },
    NotShown {
        what: "requests that a web ACL blocks",
        why: "nothing is sent to the load balancers and APIs of the world",
    },
    NotShown {
        what: "streams of Data Firehose that web ACLs log to",
        why: "the world has none: whoever names one is believed",
    },
    NotShown {
        what: "versions of managed rule groups that are about to expire",
        why: "they are not listed any more, like those that have",
    },
    NotShown {
        what: "evaluations of rules of AWS Config",
        why: "the world has no resources that a rule looks at: it only says which of them do not comply",
    },
    NotShown {
        what: "documents and automations of Systems Manager",
        why: "the world has no Systems Manager: a document is a name that AWS Config takes",
    },
    NotShown {
        what: "events that a metric filter counts, and alarms that ring",
        why: "no events happen in the world; `controls::cloudwatch_cis_alarms` compares what patterns count",
    },
    NotShown { what: "charges", why: "no API tells them before they are made" },
    NotShown {
        what: "quotas of the account",
        why: "one key, one detector and a few repositories reach none",
    },
];

#[test]
fn every_entry_has_its_reason_once() {
    for (index, entry) in NOT_SHOWN.iter().enumerate() {
        assert!(!entry.why.is_empty(), "{}", entry.what);
        assert!(NOT_SHOWN[..index].iter().all(|other| other.what != entry.what), "{} twice", entry.what);
    }
}

/// Sends one operation that is on the list, and says whether the world answered it.
macro_rules! unanswered {
    ($world:expr, $sdk:ident, $call:literal, |$client:ident| $send:expr) => {{
        assert!(NOT_SHOWN.iter().any(|entry| entry.what == $call), "{} is not on the list", $call);
        let connection = $world.connection(&baseline::place::Region::new(HOME));
        let $client = $sdk::Client::from_conf(
            $sdk::config::Builder::from(&connection.sdk)
                .region(aws_types::region::Region::new(HOME))
                .credentials_provider($world.caller_credentials(MEMBER, Principal::Root))
                .interceptor($world.interceptor())
                .build(),
        );
        let error = $send.send().await.expect_err(concat!($call, " is shown now: take it off the list"));
        let why = DisplayErrorContext(&error).to_string();
        assert!(why.contains("the sandbox has no"), "{}: {why}", $call);
        $call
    }};
}

#[tokio::test(start_paused = true)]
async fn what_is_shown_now_leaves_the_list() {
    let world = World::many(2);
    let tried = [
        unanswered!(world, aws_sdk_ecr, "ecr:DeleteLifecyclePolicy", |ecr| ecr
            .delete_lifecycle_policy()
            .repository_name("a")),
        unanswered!(world, aws_sdk_iam, "iam:DeleteAccountPasswordPolicy", |iam| iam
            .delete_account_password_policy()),
        unanswered!(world, aws_sdk_guardduty, "guardduty:UpdateMemberDetectors", |guardduty| guardduty
            .update_member_detectors()
            .detector_id("a")
            .account_ids(MEMBER)),
        unanswered!(world, aws_sdk_cloudwatchlogs, "logs:DeleteRetentionPolicy", |logs| logs
            .delete_retention_policy()
            .log_group_name("a")),
    ];
    let operations: Vec<&str> =
        NOT_SHOWN.iter().map(|entry| entry.what).filter(|what| what.contains(':')).collect();
    assert_eq!(operations, tried);
}
