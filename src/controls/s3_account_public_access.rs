//! `s3.account-public-access`: no bucket of the account is public, whatever its own settings say.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer, fault};
use crate::control::{
    AwsWrite, Call, Change, Control, Direction, Facts, Field, Finding, Known, Meta, Reach, Risk, Rule,
    Severity, Sight, Verdict,
};
use crate::fault::{Fault, FaultKind};

mod block;
mod buckets;

use block::{Block, NAMES};
use buckets::Buckets;

pub struct AccountPublicAccess;

/// The account's block of public access to S3. What is not declared is kept as it is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PublicAccessSpec {
    /// All four switches at once (FSBP S3.1). A switch that is declared by itself, below, is not among them.
    pub block: Option<Word>,
    /// Requests that would make a bucket or an object public by an ACL are refused.
    pub block_public_acls: Option<bool>,
    /// ACLs that make something public say nothing: what they opened is closed.
    pub ignore_public_acls: Option<bool>,
    /// Bucket policies that would make a bucket public are refused.
    pub block_public_policy: Option<bool>,
    /// A bucket with a public policy is open to its own account and to AWS services only.
    pub restrict_public_buckets: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Word {
    All,
    None,
}

impl Word {
    fn of(on: bool) -> Self {
        if on { Self::All } else { Self::None }
    }

    fn text(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::None => "none",
        }
    }
}

impl PublicAccessSpec {
    /// The switches that are declared by themselves.
    fn single(&self) -> [Option<bool>; 4] {
        [
            self.block_public_acls,
            self.ignore_public_acls,
            self.block_public_policy,
            self.restrict_public_buckets,
        ]
    }

    /// What is declared of each switch, in the order of [`NAMES`].
    fn declared(&self) -> [Option<bool>; 4] {
        let whole = self.block.map(|word| word == Word::All);
        self.single().map(|switch| switch.or(whole))
    }
}

/// The switches that are declared on: buckets are looked at only where one of them is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    on: Block,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    pub block: Block,
    /// `None` where no switch is going to be turned on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Sight<Buckets>>,
}

/// All four, because the call replaces all four.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct PutBlock(pub Block);

const PUT: Call = Call::needing("s3control:PutPublicAccessBlock", &["s3:PutAccountPublicAccessBlock"]);

impl AwsWrite for PutBlock {
    fn call(&self) -> &'static Call {
        const { &PUT }
    }
}

impl fmt::Display for PutBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("set what public access the account blocks")
    }
}

const RESOURCE: &str = "account-public-access";
const RULE: &str = "public-access";

/// The fields that differ: `block` where it is the whole story, else each switch by its name.
fn fields(spec: &PublicAccessSpec, live: Block, want: Block) -> Vec<Field> {
    let alone = spec.single().iter().all(Option::is_none);
    if let (true, Some(before), Some(after)) = (alone, live.whole(), want.whole()) {
        let differs = before != after;
        let field = || Field::new("/block", Word::of(before).text(), Word::of(after).text());
        return differs.then(field).into_iter().collect();
    }
    let pairs = live.switches().into_iter().zip(want.switches());
    NAMES
        .into_iter()
        .zip(pairs)
        .filter(|(_, (before, after))| before != after)
        .map(|(name, (before, after))| Field::new(format!("/{name}"), before, after))
        .collect()
}

/// `restrictPublicBuckets true`: what is sent without being declared, as far as it is not off.
fn carried(spec: &PublicAccessSpec, live: Block) -> Option<String> {
    let kept: Vec<String> = NAMES
        .into_iter()
        .zip(spec.declared().into_iter().zip(live.switches()))
        .filter(|(_, (declared, on))| declared.is_none() && *on)
        .map(|(name, _)| format!("{name} true"))
        .collect();
    (!kept.is_empty()).then(|| format!("{}: not declared, but the call replaces all", kept.join(", ")))
}

impl Control for AccountPublicAccess {
    const META: Meta = Meta {
        id: "s3.account-public-access",
        title: "No S3 bucket of the account is public",
        docs: "\
## What it checks

The account's four switches of S3 Block Public Access. They hold for all buckets in all regions, whatever the
buckets say themselves. `block: all` declares the four together; a switch that is declared by itself goes its own
way, `restrictPublicBuckets: false` beside `block: all` for instance.

A change of these switches takes a while to arrive everywhere, so an answer counts when two reads in a row are
equal. Where a switch is going to be turned on, every bucket is looked at as well, and the plan names those that
are public today by policy or by ACL. Objects are not looked at: a bucket that has ACLs on is named, because single
objects in it may be public by an ACL of their own.

## Why it matters

Most data that leaked from S3 lay in a bucket that somebody made public by mistake. This one setting makes that
mistake harmless in a whole account (FSBP S3.1, CIS).

## What apply does

One call, `s3control:PutPublicAccessBlock`. It replaces all four switches, so those that are not declared are read
first and sent back unchanged; the plan names them. What is public stops being public at once: websites, downloads
and partners without credentials get 403. The plan marks that as disruptive unless every bucket could be looked at
and none is public or has ACLs on. Look first with `mode: observe`, and give each public bucket a CloudFront distribution or its
own account before you enforce.

An S3 policy of the organisation can hold these switches for its accounts; then S3 denies the call.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Opening again weakens, so
apply asks for `--allow weakening:account-public-access`. An account where nothing was ever set keeps four
switches that are off, which means the same.
",
        example: "block: all\n",
        reach: Reach::ACCOUNT,
        rules: &[Rule {
            id: RULE,
            severity: Severity::Medium,
            frameworks: &["cis-1.4.0/2.1.5", "cis-3.0.0/2.1.4", "cis-5.0.0/2.1.4", "fsbp/S3.1"],
        }],
        reads: &[block::GET, buckets::LIST, buckets::BLOCK, buckets::POLICY, buckets::OWNERSHIP, buckets::ACL],
        writes: &[PUT],
        events: &["s3control:DeleteAccountPublicAccessBlock"],
        undo: Some("baseline never deletes the setting; four switches that are off mean the same"),
        tags: false,
    };
    type Desired = PublicAccessSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = PutBlock;

    fn ask(&self, _: &Facts, spec: &PublicAccessSpec) -> Ask {
        Ask { on: Block::of(spec.declared().map(|declared| declared == Some(true))) }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        let block = block::settled(aws).await?;
        let closes = ask.on.switches().into_iter().zip(block.switches()).any(|(want, live)| want && !live);
        let buckets = if closes { Some(buckets::survey(aws, block).await) } else { None };
        Ok(Observed { block, buckets })
    }

    fn plan(
        &self,
        _: &Facts,
        _: &Known,
        spec: &PublicAccessSpec,
        observed: &Observed,
    ) -> Vec<Finding<PutBlock>> {
        let declared = spec.declared();
        if declared.iter().all(Option::is_none) {
            return Vec::new();
        }
        let live = observed.block;
        let mut want = live.switches();
        for (switch, declared) in want.iter_mut().zip(declared) {
            *switch = declared.unwrap_or(*switch);
        }
        let want = Block::of(want);
        let fields = fields(spec, live, want);
        if fields.is_empty() {
            return vec![Finding::new(RESOURCE, RULE, Verdict::InSync)];
        }
        let turned = || live.switches().into_iter().zip(want.switches()).filter(|(live, want)| live != want);
        let mut change = Change {
            direction: Direction::of(turned().map(|(_, on)| match on {
                true => Direction::Strengthens,
                false => Direction::Weakens,
            })),
            carries: carried(spec, live),
            ..Change::update(fields, vec![PutBlock(want)])
        };
        if turned().any(|(_, on)| on) {
            let Some(buckets) = &observed.buckets else {
                let message = "the buckets were not looked at";
                let fault = Fault::local(FaultKind::Invalid, buckets::LIST.operation, message);
                return vec![Finding::new(RESOURCE, RULE, Verdict::Unknown { fault })];
            };
            let none_is_public = matches!(buckets, Sight::Seen(seen) if *seen == Buckets::default());
            change.risk = if none_is_public { Risk::Safe } else { Risk::Disruptive };
            change.evidence = Some(buckets::in_words(buckets));
        }
        vec![Finding::new(RESOURCE, RULE, Verdict::Change(change))]
    }

    async fn apply(&self, aws: &Writer, _: &Known, PutBlock(block): &PutBlock) -> Result<(), Fault> {
        aws.s3control()
            .put_public_access_block()
            .account_id(aws.scope.account.as_str())
            .public_access_block_configuration((*block).into())
            .send()
            .await
            .map_err(fault(PUT.operation))?;
        Ok(())
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Observed) -> Option<PublicAccessSpec> {
        let live = observed.block;
        Some(match live.whole() {
            Some(on) => PublicAccessSpec { block: Some(Word::of(on)), ..PublicAccessSpec::default() },
            None => PublicAccessSpec {
                block: None,
                block_public_acls: Some(live.block_public_acls),
                ignore_public_acls: Some(live.ignore_public_acls),
                block_public_policy: Some(live.block_public_policy),
                restrict_public_buckets: Some(live.restrict_public_buckets),
            },
        })
    }
}

#[cfg(test)]
mod tests;
