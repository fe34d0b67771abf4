//! `iam.password-policy`: what the account asks of its IAM users' passwords.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::{Reader, Writer, fault};
use crate::control::{
    AwsWrite, Bounded, Call, Change, Control, Direction, Facts, Field, Finding, Known, Meta, Reach, Risk,
    Rule, Severity, Verdict,
};
use crate::fault::{Fault, FaultKind};

pub struct PasswordPolicy;

/// The account's password policy for IAM users. What is not declared is kept as it is.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PasswordPolicySpec {
    /// Fewest characters of a password, 6 to 128 (CIS 1.8 asks for 14, FSBP IAM.7 for 8).
    pub minimum_length: Option<Bounded<6, 128>>,
    /// How many earlier passwords cannot be used again, 0 to 24; 0 remembers none (CIS 1.9 asks for 24).
    pub reuse_prevention: Option<Bounded<0, 24>>,
    /// Days until a password expires, 0 to 1095; 0 never.
    pub max_age_days: Option<Bounded<0, 1095>>,
    /// Kinds of characters that every password needs (FSBP IAM.7).
    pub require: RequireSpec,
    /// IAM users may change their own password.
    pub users_may_change: Option<bool>,
    /// A user whose password has expired cannot set a new one: an administrator has to.
    pub hard_expiry: Option<bool>,
}

/// Kinds of characters that every password needs.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequireSpec {
    /// At least one letter from a to z.
    pub lowercase: Option<bool>,
    /// At least one letter from A to Z.
    pub uppercase: Option<bool>,
    /// At least one digit.
    pub numbers: Option<bool>,
    /// At least one of `! @ # $ % ^ & * ( ) _ + - = [ ] { } | '`.
    pub symbols: Option<bool>,
}

/// Everything that `UpdateAccountPasswordPolicy` takes, because it resets what is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    pub minimum_length: u32,
    /// 0 remembers none.
    pub reuse_prevention: u32,
    /// 0 never expires.
    pub max_age_days: u32,
    pub lowercase: bool,
    pub uppercase: bool,
    pub numbers: bool,
    pub symbols: bool,
    pub users_may_change: bool,
    pub hard_expiry: bool,
}

impl Policy {
    /// What holds where no policy was ever set, as far as a policy can say it (IAM User Guide, "Default
    /// password policy"): 8 characters. Three of the four kinds of characters, which the default also asks
    /// for, no policy can say.
    const UNSET: Self = Self {
        minimum_length: 8,
        reuse_prevention: 0,
        max_age_days: 0,
        lowercase: false,
        uppercase: false,
        numbers: false,
        symbols: false,
        users_may_change: false,
        hard_expiry: false,
    };

    fn kinds_of_characters(&self) -> usize {
        [self.lowercase, self.uppercase, self.numbers, self.symbols].into_iter().filter(|on| *on).count()
    }

    /// This policy with what is declared put in.
    fn with(&self, spec: &PasswordPolicySpec) -> Self {
        let number = |declared: Option<u32>, live| declared.unwrap_or(live);
        Self {
            minimum_length: number(spec.minimum_length.map(Bounded::get), self.minimum_length),
            reuse_prevention: number(spec.reuse_prevention.map(Bounded::get), self.reuse_prevention),
            max_age_days: number(spec.max_age_days.map(Bounded::get), self.max_age_days),
            lowercase: spec.require.lowercase.unwrap_or(self.lowercase),
            uppercase: spec.require.uppercase.unwrap_or(self.uppercase),
            numbers: spec.require.numbers.unwrap_or(self.numbers),
            symbols: spec.require.symbols.unwrap_or(self.symbols),
            users_may_change: spec.users_may_change.unwrap_or(self.users_may_change),
            hard_expiry: spec.hard_expiry.unwrap_or(self.hard_expiry),
        }
    }
}

/// One leaf of the spec, live beside wanted.
struct Leaf {
    path: &'static str,
    declared: bool,
    before: Value,
    after: Value,
    direction: Direction,
}

impl Leaf {
    fn differs(&self) -> bool {
        self.before != self.after
    }
}

/// Every leaf, so that a new field cannot be compared and not carried, or carried and not compared.
fn leaves(spec: &PasswordPolicySpec, live: &Policy, want: &Policy) -> Vec<Leaf> {
    // 0 is the longest age of all: a password that never expires.
    let age = |days: u32| if days == 0 { u32::MAX } else { days };
    let number = |path, declared, before: u32, after: u32, stronger: bool| Leaf {
        path,
        declared,
        before: before.into(),
        after: after.into(),
        direction: if stronger { Direction::Strengthens } else { Direction::Weakens },
    };
    let switch = |path, declared: Option<bool>, before: bool, after: bool| Leaf {
        path,
        declared: declared.is_some(),
        before: before.into(),
        after: after.into(),
        direction: if after { Direction::Strengthens } else { Direction::Weakens },
    };
    let require = &spec.require;
    vec![
        number(
            "/minimumLength",
            spec.minimum_length.is_some(),
            live.minimum_length,
            want.minimum_length,
            want.minimum_length > live.minimum_length,
        ),
        number(
            "/reusePrevention",
            spec.reuse_prevention.is_some(),
            live.reuse_prevention,
            want.reuse_prevention,
            want.reuse_prevention > live.reuse_prevention,
        ),
        number(
            "/maxAgeDays",
            spec.max_age_days.is_some(),
            live.max_age_days,
            want.max_age_days,
            age(want.max_age_days) < age(live.max_age_days),
        ),
        switch("/require/lowercase", require.lowercase, live.lowercase, want.lowercase),
        switch("/require/uppercase", require.uppercase, live.uppercase, want.uppercase),
        switch("/require/numbers", require.numbers, live.numbers, want.numbers),
        switch("/require/symbols", require.symbols, live.symbols, want.symbols),
        Leaf {
            direction: Direction::Neutral,
            ..switch("/usersMayChange", spec.users_may_change, live.users_may_change, want.users_may_change)
        },
        switch("/hardExpiry", spec.hard_expiry, live.hard_expiry, want.hard_expiry),
    ]
}

/// `minimumLength 8, maxAgeDays 90`: what is sent without being declared, as far as it is not off.
fn carried(leaves: &[Leaf]) -> Option<String> {
    let kept: Vec<String> = leaves
        .iter()
        .filter(|leaf| !leaf.declared && leaf.before != 0 && leaf.before != false)
        .map(|leaf| format!("{} {}", leaf.path.trim_start_matches('/').replace('/', "."), leaf.before))
        .collect();
    (!kept.is_empty()).then(|| format!("{}: not declared, but the call replaces all", kept.join(", ")))
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct PutPolicy(pub Policy);

const PUT: Call = Call::new("iam:UpdateAccountPasswordPolicy");

impl AwsWrite for PutPolicy {
    fn call(&self) -> &'static Call {
        const { &PUT }
    }
}

impl fmt::Display for PutPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("set the account's password policy")
    }
}

const RESOURCE: &str = "password-policy";
const RULE: &str = "password-policy";

impl Control for PasswordPolicy {
    const META: Meta = Meta {
        id: "iam.password-policy",
        title: "Passwords of IAM users are long, mixed and not used again",
        docs: "\
## What it checks

The account's password policy for IAM users: length, kinds of characters, reuse, age, and who may change a
password. An account where it was never set has AWS's default: 8 characters of three kinds, no memory of
earlier passwords. The root user and users of IAM Identity Center have rules of their own.

## Why it matters

Short and reused passwords are guessed, or bought from other sites' leaks. CIS asks for 14 characters and 24
remembered passwords; FSBP IAM.7 asks for all four kinds of characters.

## What apply does

One call, `iam:UpdateAccountPasswordPolicy`. It replaces the whole policy, so fields that are not declared are
read first and sent back unchanged; the plan names them. The first policy of an account ends AWS's default:
then at least 8 characters stay required, and declaring `require` keeps passwords mixed.

Passwords in use stay valid until they are changed, with one exception: `maxAgeDays` counts from the day a
password was set, so introducing or lowering it expires older passwords at once. Together with `hardExpiry`
those users are locked out until an administrator sets a new password.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Where that weakens,
apply asks for `--allow weakening:password-policy`. A policy that did not exist before stays:
`aws iam delete-account-password-policy` goes back to AWS's default.
",
        example: "\
minimumLength: 14
reusePrevention: 24
maxAgeDays: 90
require: {lowercase: true, uppercase: true, numbers: true, symbols: true}
usersMayChange: true
hardExpiry: false
",
        reach: Reach::ACCOUNT,
        // One rule, although length and reuse have ids of their own: one call writes both, and two findings
        // would each put back what the other had just set.
        rules: &[Rule {
            id: RULE,
            severity: Severity::Medium,
            frameworks: &[
                "cis-1.4.0/1.8",
                "cis-1.4.0/1.9",
                "cis-3.0.0/1.8",
                "cis-3.0.0/1.9",
                "cis-5.0.0/1.7",
                "cis-5.0.0/1.8",
                "fsbp/IAM.7",
            ],
        }],
        reads: &[Call::new("iam:GetAccountPasswordPolicy")],
        writes: &[PUT],
        events: &["iam:DeleteAccountPasswordPolicy"],
        undo: Some("baseline never deletes a password policy"),
        tags: false,
    };
    type Desired = PasswordPolicySpec;
    type Ask = ();
    type Observed = Option<Policy>;
    type Action = PutPolicy;

    fn ask(&self, _: &Facts, _: &PasswordPolicySpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Option<Policy>, Fault> {
        let answer = aws.iam().get_account_password_policy().send().await;
        let policy = match answer.map_err(fault("iam:GetAccountPasswordPolicy")) {
            Ok(answer) => answer.password_policy,
            // An answer: nobody ever set one.
            Err(fault) if fault.kind == FaultKind::NotFound => None,
            Err(fault) => return Err(fault),
        };
        let number = |number: Option<i32>| number.and_then(|n| u32::try_from(n).ok());
        Ok(policy.map(|policy| Policy {
            // Absent only from a policy that was set without it: 6 (API reference, MinimumPasswordLength).
            minimum_length: number(policy.minimum_password_length).unwrap_or(6),
            reuse_prevention: number(policy.password_reuse_prevention).unwrap_or(0),
            max_age_days: number(policy.max_password_age).unwrap_or(0),
            lowercase: policy.require_lowercase_characters,
            uppercase: policy.require_uppercase_characters,
            numbers: policy.require_numbers,
            symbols: policy.require_symbols,
            users_may_change: policy.allow_users_to_change_password,
            hard_expiry: policy.hard_expiry.unwrap_or(false),
        }))
    }

    fn plan(
        &self,
        _: &Facts,
        _: &Known,
        spec: &PasswordPolicySpec,
        observed: &Option<Policy>,
    ) -> Vec<Finding<PutPolicy>> {
        let live = observed.as_ref().unwrap_or(&Policy::UNSET);
        let want = live.with(spec);
        let leaves = leaves(spec, live, &want);
        if !leaves.iter().any(|leaf| leaf.declared) {
            return Vec::new();
        }
        let differing = leaves.iter().filter(|leaf| leaf.declared && leaf.differs());
        let mut direction = Direction::of(differing.clone().map(|leaf| leaf.direction));
        let fields: Vec<Field> = match observed {
            Some(_) => differing.map(|l| Field::new(l.path, l.before.clone(), l.after.clone())).collect(),
            None => leaves
                .iter()
                .filter(|leaf| leaf.declared)
                .map(|leaf| Field::new(leaf.path, Value::Null, leaf.after.clone()))
                .collect(),
        };
        if fields.is_empty() {
            return vec![Finding::new(RESOURCE, RULE, Verdict::InSync)];
        }
        let expires = leaves.iter().any(|leaf| {
            leaf.path == "/maxAgeDays" && leaf.differs() && leaf.direction == Direction::Strengthens
        });
        let locks_out = want.hard_expiry && !live.hard_expiry;
        let mut evidence: Vec<&str> = Vec::new();
        if expires {
            evidence.push("passwords older than maxAgeDays expire at once");
        }
        if observed.is_none() && want.kinds_of_characters() < 3 {
            evidence.push("AWS's default of three kinds of characters ends");
            direction = Direction::Weakens;
        }
        let steps = vec![PutPolicy(want)];
        let change =
            if observed.is_some() { Change::update(fields, steps) } else { Change::create(fields, steps) };
        let change = Change {
            risk: if expires || locks_out { Risk::Disruptive } else { Risk::Safe },
            direction,
            evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
            carries: carried(&leaves),
            ..change
        };
        vec![Finding::new(RESOURCE, RULE, Verdict::Change(change))]
    }

    async fn apply(&self, aws: &Writer, _: &Known, PutPolicy(policy): &PutPolicy) -> Result<(), Fault> {
        // The API takes 1 and more for these two; leaving them out is how it is told 0.
        let above_zero = |number: u32| i32::try_from(number).ok().filter(|number| *number > 0);
        aws.iam()
            .update_account_password_policy()
            .set_minimum_password_length(above_zero(policy.minimum_length))
            .set_password_reuse_prevention(above_zero(policy.reuse_prevention))
            .set_max_password_age(above_zero(policy.max_age_days))
            .require_lowercase_characters(policy.lowercase)
            .require_uppercase_characters(policy.uppercase)
            .require_numbers(policy.numbers)
            .require_symbols(policy.symbols)
            .allow_users_to_change_password(policy.users_may_change)
            .hard_expiry(policy.hard_expiry)
            .send()
            .await
            .map_err(fault(PUT.operation))?;
        Ok(())
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Option<Policy>) -> Option<PasswordPolicySpec> {
        let policy = observed.as_ref()?;
        Some(PasswordPolicySpec {
            minimum_length: Bounded::new(policy.minimum_length),
            reuse_prevention: Bounded::new(policy.reuse_prevention),
            max_age_days: Bounded::new(policy.max_age_days),
            require: RequireSpec {
                lowercase: Some(policy.lowercase),
                uppercase: Some(policy.uppercase),
                numbers: Some(policy.numbers),
                symbols: Some(policy.symbols),
            },
            users_may_change: Some(policy.users_may_change),
            hard_expiry: Some(policy.hard_expiry),
        })
    }
}

#[cfg(test)]
mod tests;
