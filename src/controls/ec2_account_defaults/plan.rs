//! Declared beside live, one setting after another.

use serde_json::Value;

use super::live::{Key, Metadata, SerialConsole, Sharing};
use super::spec::{AWS_MANAGED, EbsKey, HopLimit, ImageAccess, MetadataSpec, SnapshotAccess, Switch, Tokens};
use super::write::Write;
use crate::control::{Change, Direction, Field, Risk, Scope, Sight, Thing, Verdict};
use crate::fault::Fault;

/// What a look says of one setting.
pub fn judge<T>(live: Option<&Sight<T>>, seen: impl FnOnce(&T) -> Verdict<Write>) -> Verdict<Write> {
    match live {
        Some(Sight::Seen(live)) => seen(live),
        Some(Sight::Unseen(fault)) => Verdict::Unknown { fault: fault.clone() },
        None => {
            let fault = Fault::not_asked("ec2");
            Verdict::Unknown { fault }
        }
    }
}

fn toward(safer: bool) -> Direction {
    if safer { Direction::Strengthens } else { Direction::Weakens }
}

/// What somebody else sets otherwise: the account cannot change it.
fn foreign(owner: &str, fields: &[Field], says: Option<&str>) -> Verdict<Write> {
    let live = |field: &Field| {
        let before = field.before.as_str().map_or_else(|| field.before.to_string(), str::to_owned);
        format!("{} is {before}", field.path.trim_start_matches('/').replace('/', "."))
    };
    let live: Vec<String> = fields.iter().map(live).collect();
    let says = says.map(|text| format!("; it says: {text}")).unwrap_or_default();
    Verdict::Foreign {
        owner: owner.to_owned(),
        evidence: format!("{}, and the account cannot change it{says}", live.join(", ")),
    }
}

pub fn ebs_encryption(want: bool, live: bool) -> Verdict<Write> {
    if want == live {
        return Verdict::InSync;
    }
    let field = Field::new("/ebsEncryption", live, want);
    Verdict::Change(Change {
        direction: toward(want),
        ..Change::update(vec![field], vec![Write::EbsEncryption(want)])
    })
}

/// The declared key, where it is one of the account's own.
pub fn key(scope: &Scope, key: &EbsKey) -> Option<Thing> {
    match key {
        EbsKey::AwsManaged => None,
        EbsKey::Alias(alias) => Some(Thing::Key {
            account: scope.account.clone(),
            region: scope.region.clone(),
            alias: alias.clone(),
        }),
    }
}

/// An alias is moved to another key now and then, so it is the live key that is asked for its names, and not the
/// other way round.
pub fn ebs_key(scope: &Scope, want: &EbsKey, live: &Key) -> Verdict<Write> {
    let before = match (want, live) {
        (EbsKey::AwsManaged, Key::AwsManaged) => return Verdict::InSync,
        (EbsKey::Alias(alias), Key::Own { aliases }) if aliases.contains(alias) => return Verdict::InSync,
        (_, Key::AwsManaged) => AWS_MANAGED.to_owned(),
        (_, Key::Own { aliases }) => {
            aliases.first().cloned().unwrap_or_else(|| "a key without an alias".to_owned())
        }
        (_, Key::Elsewhere { account, region }) => format!("a key of {account} in {region}"),
    };
    let evidence = match want {
        EbsKey::Alias(_) => {
            "whoever launches or attaches new volumes, Auto Scaling too, must be allowed to use the key"
        }
        EbsKey::AwsManaged => "snapshots of new volumes cannot be shared with other accounts",
    };
    Verdict::Change(Change {
        risk: Risk::Disruptive,
        direction: Direction::Neutral,
        evidence: Some(evidence.to_owned()),
        stands_on: Some(key(scope, want).into_iter().collect()),
        ..Change::update(
            vec![Field::new("/ebsKey", before, String::from(want.clone()))],
            vec![Write::EbsKey(want.clone())],
        )
    })
}

/// `2 snapshots of this account are public today and will be hidden`.
fn public(count: usize, what: &str, then: &str) -> String {
    match count {
        0 => format!("no {what} of this account is public today"),
        1 => format!("1 {what} of this account is public today and will {then}"),
        many => format!("{many} {what}s of this account are public today and will {then}"),
    }
}

pub fn snapshots(want: SnapshotAccess, live: &Sharing<SnapshotAccess>) -> Verdict<Write> {
    if want == live.access {
        return Verdict::InSync;
    }
    let field = Field::new("/snapshotPublicAccess", live.access.word(), want.word());
    if let Some(owner) = &live.owner {
        return foreign(owner, &[field], None);
    }
    let hides = want == SnapshotAccess::BlockAllSharing;
    let then = if hides { "be hidden" } else { "stay public" };
    let evidence = match live.public {
        Some(count) => Some(public(count, "snapshot", then)),
        None if live.access == SnapshotAccess::BlockAllSharing => {
            Some("snapshots that were shared before become public again".to_owned())
        }
        None => None,
    };
    Verdict::Change(Change {
        risk: if hides && live.public != Some(0) { Risk::Disruptive } else { Risk::Safe },
        direction: toward(want > live.access),
        evidence,
        ..Change::update(vec![field], vec![Write::SnapshotAccess(want)])
    })
}

pub fn images(want: ImageAccess, live: &Sharing<ImageAccess>) -> Verdict<Write> {
    if want == live.access {
        return Verdict::InSync;
    }
    let field = Field::new("/imagePublicAccess", live.access.word(), want.word());
    if let Some(owner) = &live.owner {
        return foreign(owner, &[field], None);
    }
    let evidence = live.public.map(|count| public(count, "image", "stay public"));
    Verdict::Change(Change {
        direction: toward(want > live.access),
        evidence,
        ..Change::update(vec![field], vec![Write::ImageAccess(want)])
    })
}

/// Everything but enforcement, which is a rule of its own: it has another risk.
pub fn metadata(spec: &MetadataSpec, live: &Metadata) -> Verdict<Write> {
    let mut settings = MetadataSpec::default();
    let mut fields = Vec::new();
    let mut directions = Vec::new();
    let mut say = |name: &str, before: Value, after: Value, direction| {
        fields.push(Field::new(format!("/instanceMetadata/{name}"), before, after));
        directions.push(direction);
    };
    if let Some(want) = spec.tokens.filter(|want| *want != live.tokens) {
        say("tokens", live.tokens.word().into(), want.word().into(), toward(want > live.tokens));
        settings.tokens = Some(want);
    }
    if let Some(want) = spec.hop_limit.filter(|want| *want != live.hop_limit) {
        let direction = match (live.hop_limit, want) {
            (HopLimit::Hops(live), HopLimit::Hops(want)) => toward(want < live),
            _ => Direction::Neutral,
        };
        say("hopLimit", live.hop_limit.into(), want.into(), direction);
        settings.hop_limit = Some(want);
    }
    if let Some(want) = spec.endpoint.filter(|want| *want != live.endpoint) {
        let direction = match (live.endpoint, want) {
            (_, Switch::Disabled) => Direction::Strengthens,
            (Switch::Disabled, _) => Direction::Weakens,
            _ => Direction::Neutral,
        };
        say("endpoint", live.endpoint.word().into(), want.word().into(), direction);
        settings.endpoint = Some(want);
    }
    if let Some(want) = spec.instance_tags.filter(|want| *want != live.instance_tags) {
        say("instanceTags", live.instance_tags.word().into(), want.word().into(), Direction::Neutral);
        settings.instance_tags = Some(want);
    }
    if fields.is_empty() {
        return Verdict::InSync;
    }
    if let Some(owner) = &live.owner {
        return foreign(owner, &fields, live.policy_says.as_deref());
    }
    let closes = settings.endpoint == Some(Switch::Disabled);
    let mut evidence = Vec::new();
    if settings.tokens == Some(Tokens::Required) {
        evidence.push("software that knows only IMDSv1 finds no metadata on new instances");
    }
    if closes {
        evidence.push("new instances get no credentials of their role");
    }
    Verdict::Change(Change {
        risk: if closes { Risk::Disruptive } else { Risk::Safe },
        direction: Direction::of(directions),
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        ..Change::update(fields, vec![Write::InstanceMetadata(settings)])
    })
}

pub fn enforcement(want: Switch, live: &Metadata) -> Verdict<Write> {
    if want == live.tokens_enforced {
        return Verdict::InSync;
    }
    let field = Field::new("/instanceMetadata/tokensEnforced", live.tokens_enforced.word(), want.word());
    if let Some(owner) = &live.owner {
        return foreign(owner, &[field], live.policy_says.as_deref());
    }
    let (risk, direction, evidence) = match (live.tokens_enforced, want) {
        (_, Switch::Enabled) => (
            Risk::Disruptive,
            Direction::Strengthens,
            Some("launches of instances that do not require IMDSv2 fail".to_owned()),
        ),
        (Switch::Enabled, _) => (Risk::Safe, Direction::Weakens, None),
        _ => (Risk::Safe, Direction::Neutral, None),
    };
    let settings = MetadataSpec { tokens_enforced: Some(want), ..MetadataSpec::default() };
    Verdict::Change(Change {
        risk,
        direction,
        evidence,
        ..Change::update(vec![field], vec![Write::InstanceMetadata(settings)])
    })
}

pub fn serial_console(want: bool, live: &SerialConsole) -> Verdict<Write> {
    if want == live.open {
        return Verdict::InSync;
    }
    let field = Field::new("/serialConsole", live.open, want);
    if let Some(owner) = &live.owner {
        return foreign(owner, &[field], None);
    }
    Verdict::Change(Change {
        direction: toward(!want),
        ..Change::update(vec![field], vec![Write::SerialConsole(want)])
    })
}
