//! Two who want different things: after a while one of them stops, and says so.

use baseline::controller::condition::{Status, Type};
use baseline::sandbox::Principal;
use baseline::sandbox::cloudtrail::Told;
use serde_json::json;

use super::stage::{
    HOUR, MINUTE, condition, conditions, id, is_on, pass, patient, running, settings, switch,
};
use crate::cli::shell::Shell;

const TWO_CONTROLS: &str = "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: detector}\nspec:\n  controls:\n    \
                            guardduty.detector: {enabled: true}\n    iam.password-policy: {minimumLength: 14, require: {lowercase: true, uppercase: true, numbers: true, symbols: true}, usersMayChange: true}\n";

#[tokio::test(start_paused = true)]
async fn what_is_changed_back_again_and_again_is_left_and_everything_else_goes_on() {
    let shell = Shell::many(3);
    shell.write("baselines/detector.yaml", TWO_CONTROLS);
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        let mut put_right = 0;
        // Another program that wants it off, every twenty minutes for eight hours.
        for _ in 0..24 {
            let before = is_on(&shell.world, &id(0));
            switch(&shell.world, &id(0), false);
            put_right += u64::from(before);
            pass(20 * MINUTE).await;
        }
        assert_eq!(put_right, 3, "it was made, and put right twice, and then left");
        assert!(!is_on(&shell.world, &id(0)));
        let kept = conditions(&shell, &id(0));
        let contested = condition(&kept, "guardduty.detector", Type::Contested);
        assert_eq!((contested.status, contested.reason.as_str()), (Status::True, "ChangedBack"));
        assert!(contested.message.contains("was put right 3 times since"), "{contested:?}");
        assert_eq!(condition(&kept, "guardduty.detector", Type::Synced).status, Status::False);
        assert_eq!(condition(&kept, "guardduty.detector", Type::Drifted).status, Status::True);
        assert!(kept.condition(Type::Contested).is_some(), "the account says it too");

        // Other findings, and other accounts, are not held up by it.
        shell.world.account(&id(0), |account| account.iam.password_policy = None);
        switch(&shell.world, &id(1), false);
        pass(HOUR + MINUTE).await;
        let policy = shell.world.account(&id(0), |account| account.iam.password_policy.clone());
        let kept = conditions(&shell, &id(0));
        assert_eq!(policy.unwrap_or_else(|| panic!("{kept:#?}")).minimum_length, 14);
        assert!(is_on(&shell.world, &id(1)));

        // A day later it is still left, and nobody forgot it.
        pass(48 * HOUR).await;
        assert!(!is_on(&shell.world, &id(0)));
        let kept = conditions(&shell, &id(0));
        assert_eq!(condition(&kept, "guardduty.detector", Type::Contested).status, Status::True);

        // They have agreed: it is found as desired, and from then on kept again.
        switch(&shell.world, &id(0), true);
        pass(HOUR + MINUTE).await;
        let kept = conditions(&shell, &id(0));
        assert_eq!(condition(&kept, "guardduty.detector", Type::Contested).status, Status::False);
        assert_eq!(condition(&kept, "guardduty.detector", Type::Synced).status, Status::True);
        switch(&shell.world, &id(0), false);
        pass(HOUR + MINUTE).await;
        assert!(is_on(&shell.world, &id(0)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_changed_it_back_last_stands_in_the_condition_where_nobody_is_to_be_told() {
    let shell = Shell::many(3);
    let off = |user: &str| {
        switch(&shell.world, &id(0), false);
        shell.world.tell(Told {
            account: id(0),
            region: "eu-west-1".into(),
            call: "guardduty:UpdateDetector".into(),
            principal: Principal::User(user.into()),
            address: "198.51.100.23".into(),
            parameters: json!({ "enable": false }),
            error: None,
        });
    };
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        for user in ["jo", "jo", "kim"] {
            off(user);
            pass(HOUR + MINUTE).await;
        }
        assert!(!is_on(&shell.world, &id(0)));
        // CloudTrail shows a call some minutes later: it is asked once more then, and not again.
        pass(2 * HOUR).await;
        let kept = conditions(&shell, &id(0));
        let contested = condition(&kept, "guardduty.detector", Type::Contested);
        let says = ", last by arn:aws:iam::100000000000:user/kim from 198.51.100.23 at 20";
        assert!(contested.message.contains("was put right 3 times since"), "{contested:?}");
        assert!(contested.message.contains(says), "{contested:?}");
        assert!(contested.message.contains("(guardduty:UpdateDetector); it is left"), "{contested:?}");
        shell.world.forget_calls();
        pass(5 * HOUR).await;
        assert!(!shell.world.calls().contains_key("cloudtrail:LookupEvents"));
    })
    .await;
    // A restart asks nobody either.
    running(&patient(&shell), async |_| {
        pass(3 * HOUR).await;
        assert!(!shell.world.calls().contains_key("cloudtrail:LookupEvents"));
        let kept = conditions(&shell, &id(0));
        assert!(condition(&kept, "guardduty.detector", Type::Contested).message.contains("user/kim"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_found_is_not_known() {
    let shell = Shell::many(3);
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        for _ in 0..3 {
            switch(&shell.world, &id(0), false);
            pass(HOUR + MINUTE).await;
        }
        let message = |shell: &Shell| {
            condition(&conditions(shell, &id(0)), "guardduty.detector", Type::Contested).message.clone()
        };
        assert!(message(&shell).contains("each time, by whom is not known yet;"), "{}", message(&shell));
        pass(2 * HOUR).await;
        assert!(message(&shell).contains("each time, by whom is not known;"), "{}", message(&shell));
        shell.world.forget_calls();
        pass(24 * HOUR).await;
        assert!(!shell.world.calls().contains_key("cloudtrail:LookupEvents"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_new_wish_ends_a_fight() {
    let shell = Shell::many(3);
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    let change = |shell: &Shell| {
        shell.world.region(&id(0), "eu-west-1", |region| {
            let detector = region.guardduty.detector.as_mut().expect("there");
            detector.frequency = aws_sdk_guardduty::types::FindingPublishingFrequency::SixHours;
        });
    };
    let now = |shell: &Shell| {
        shell.world.region(&id(0), "eu-west-1", |region| {
            region.guardduty.detector.as_ref().expect("there").frequency.as_str().to_owned()
        })
    };
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        for _ in 0..6 {
            change(&shell);
            pass(HOUR + MINUTE).await;
        }
        assert_eq!(now(&shell), "SIX_HOURS");
        shell.edit("baselines/detector.yaml", "ONE_HOUR", "FIFTEEN_MINUTES");
        pass(5 * MINUTE).await;
        assert_eq!(now(&shell), "FIFTEEN_MINUTES");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn rare_drift_is_put_right_for_ever() {
    let shell = Shell::many(3);
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        for day in 0..5 {
            switch(&shell.world, &id(0), false);
            pass(24 * HOUR).await;
            assert!(is_on(&shell.world, &id(0)), "day {day}");
        }
        assert_eq!(
            conditions(&shell, &id(0)).findings[0].fields["/enabled"].put_right.len(),
            1,
            "nothing grows"
        );
    })
    .await;
}
