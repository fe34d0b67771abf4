//! The delivery channel, declared beside live; and how long history is kept.

use serde_json::Value;

use super::live::Channel;
use super::recorder::NO_RECORDER;
use super::spec::{Days, MOST_DAYS, NONE, RecorderSpec, Snapshots};
use super::write::{Key, PUT_CHANNEL, Place, Topic, Write};
use crate::control::{
    Archive, Change, Direction, Facts, Field, Known, ManualTask, Need, Risk, Thing, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};

const NAME: &str = "default";

/// The archive's key, by its name.
pub fn key(archive: &Archive) -> Thing {
    Thing::Key {
        account: archive.account.clone(),
        region: archive.region.clone(),
        alias: archive.key.clone(),
    }
}

/// A topic of this account and region.
pub fn topic(facts: &Facts, name: &str) -> Thing {
    Thing::Topic {
        account: facts.scope.account.clone(),
        region: facts.scope.region.clone(),
        name: name.to_owned(),
    }
}

/// The archive lets AWS Config deliver from this account.
pub fn delivery(facts: &Facts, archive: &Archive) -> Thing {
    Thing::Delivery {
        account: archive.account.clone(),
        region: archive.region.clone(),
        bucket: archive.bucket.clone(),
        service: "config.amazonaws.com".into(),
        from: facts.scope.account.clone(),
    }
}

/// The topic that is declared, unless none is to be there.
fn declared_topic(spec: &RecorderSpec) -> Option<&str> {
    spec.topic.as_deref().filter(|name| *name != NONE)
}

/// What the channel stands on.
pub fn needs(facts: &Facts, spec: &RecorderSpec) -> Vec<Need> {
    let archive = facts.archive().filter(|_| spec.deliver_to.is_some());
    let archive = archive.into_iter().flat_map(|archive| [key(archive), delivery(facts, archive)]);
    archive.chain(declared_topic(spec).map(|name| topic(facts, name))).map(Need::hard).collect()
}

fn invalid(message: &str) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, PUT_CHANNEL.operation, message) }
}

/// The name of a topic of this account and region; of another one, where it is.
pub fn topic_word(facts: &Facts, arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, _, region, account, name] = parts[..] else { return "a topic without a name".to_owned() };
    if account == facts.scope.account.as_str() && region == facts.scope.region.as_str() {
        name.to_owned()
    } else {
        format!("{name} of account {account} in {region}")
    }
}

/// What is to be done about the channel.
#[derive(Default)]
struct Work {
    fields: Vec<Field>,
    directions: Vec<Direction>,
    evidence: Option<String>,
    disrupts: bool,
}

impl Work {
    fn say(&mut self, path: &str, before: impl Into<Value>, after: impl Into<Value>, direction: Direction) {
        self.fields.push(Field::new(path, before, after));
        self.directions.push(direction);
    }
}

/// The delivery channel. One call writes all of it, so it is one finding.
pub fn channel(facts: &Facts, known: &Known, spec: &RecorderSpec, live: Option<&Channel>) -> Verdict<Write> {
    let archive = match (&spec.deliver_to, facts.archive()) {
        (Some(_), None) => {
            return invalid("`deliverTo: archive` needs `archive` in the Organization document");
        }
        (Some(_), archive) => archive,
        (None, _) => None,
    };
    // Nothing is compared with a channel that is not there: what cannot be looked at blocks its making.
    let Some(live) = live else { return first(spec, archive) };
    let things = archive.map(key).into_iter().chain(declared_topic(spec).map(|name| topic(facts, name)));
    if let Some(fault) = things.into_iter().find_map(|thing| known.fault(&thing)) {
        return Verdict::Unknown { fault: fault.clone() };
    }
    let mut work = Work::default();
    if let Some(archive) = archive {
        bucket(known, archive, live, &mut work);
    }
    if let Some(want) = &spec.topic {
        let now = live.topic_arn.as_deref();
        let same = match declared_topic(spec) {
            Some(name) => now.is_some() && known.arn(&topic(facts, name)) == now,
            None => now.is_none(),
        };
        if !same {
            let before = now.map_or_else(|| NONE.to_owned(), |arn| topic_word(facts, arn));
            let direction = match (now, declared_topic(spec)) {
                (Some(_), None) => Direction::Weakens,
                (Some(_), Some(_)) => Direction::Neutral,
                (None, _) => Direction::Strengthens,
            };
            work.say("/topic", before, want.as_str(), direction);
        }
    }
    if let Some(want) = spec.snapshots {
        let now = live.snapshots.as_deref().unwrap_or(NONE);
        if want.word() != now {
            let oftener = Snapshots::of(now).is_some_and(|now| want < now);
            let direction = if oftener { Direction::Strengthens } else { Direction::Weakens };
            work.say("/snapshots", now, want.word(), direction);
        }
    }
    if work.fields.is_empty() {
        return arrives(live);
    }
    let same_bucket = archive.is_none_or(|archive| archive.bucket == live.bucket);
    let place = Place {
        name: live.name.clone(),
        bucket: archive.map_or_else(|| live.bucket.clone(), |archive| archive.bucket.clone()),
        // A folder in the bucket is somebody's choice that nothing here declares.
        prefix: live.prefix.clone().filter(|_| same_bucket),
        key: archive.map_or(Key::AsItIs, |archive| Key::Of(key(archive))),
        topic: match (&spec.topic, declared_topic(spec)) {
            (None, _) => Topic::AsItIs,
            (Some(_), None) => Topic::None,
            (Some(_), Some(name)) => Topic::Of(name.to_owned()),
        },
        snapshots: spec.snapshots.map_or_else(
            || live.snapshots.clone(),
            |want| (want != Snapshots::None).then(|| want.word().to_owned()),
        ),
    };
    Verdict::Change(Change {
        risk: if work.disrupts { Risk::Disruptive } else { Risk::Safe },
        direction: Direction::of(work.directions),
        evidence: work.evidence,
        carries: carried(facts, spec, live),
        adopts: (live.name != NAME).then(|| format!("the channel {}: a region has only one", live.name)),
        ..Change::update(work.fields, vec![Write::PutChannel { place }])
    })
}

/// There is no channel yet: it is made after the recorder, because both are of one resource.
fn first(spec: &RecorderSpec, archive: Option<&Archive>) -> Verdict<Write> {
    let Some(archive) = archive else {
        if spec.snapshots.is_none_or(|snapshots| snapshots == Snapshots::None)
            && declared_topic(spec).is_none()
        {
            return Verdict::InSync;
        }
        return invalid("there is no delivery channel: say `deliverTo`, which makes one");
    };
    let mut fields = vec![Field::new("/deliverTo", Value::Null, "archive")];
    if let Some(topic) = &spec.topic {
        fields.push(Field::new("/topic", Value::Null, topic.as_str()));
    }
    if let Some(snapshots) = spec.snapshots {
        fields.push(Field::new("/snapshots", Value::Null, snapshots.word()));
    }
    let place = Place {
        name: NAME.to_owned(),
        bucket: archive.bucket.clone(),
        prefix: None,
        key: Key::Of(key(archive)),
        topic: declared_topic(spec).map_or(Topic::None, |name| Topic::Of(name.to_owned())),
        snapshots: spec.snapshots.filter(|want| *want != Snapshots::None).map(|want| want.word().to_owned()),
    };
    Verdict::Change(Change::create(fields, vec![Write::PutChannel { place }]))
}

/// Bucket and key.
fn bucket(known: &Known, archive: &Archive, live: &Channel, work: &mut Work) {
    let same_key = live.key_arn.is_some() && known.arn(&key(archive)) == live.key_arn.as_deref();
    if live.bucket != archive.bucket {
        work.say("/deliverTo", format!("bucket {}", live.bucket), "archive", Direction::Neutral);
        work.evidence = Some(format!("bucket {} gets no more of this region's history", live.bucket));
        work.disrupts = true;
    } else if !same_key {
        let before = match &live.key_arn {
            Some(_) => "archive, with another key",
            None => "archive, without a key",
        };
        work.say("/deliverTo", before, "archive", Direction::Strengthens);
    }
}

/// A channel that is as declared, and through which something does not come.
fn arrives(live: &Channel) -> Verdict<Write> {
    if live.failures.is_empty() {
        return Verdict::InSync;
    }
    Verdict::Manual(ManualTask {
        title: format!("AWS Config cannot deliver to bucket {}", live.bucket),
        found: live.failures.clone(),
        steps: vec![
            "The bucket's policy must let config.amazonaws.com put objects, the key's".into(),
            "policy must let it generate data keys, the topic's let it publish; and no".into(),
            "object lock with a default retention may hold the bucket.".into(),
            "AWS Config tries again with the next delivery, within 24 hours.".into(),
        ],
        verified: Verified::ByObservation,
    })
}

/// What is live and not declared, and is sent along.
fn carried(facts: &Facts, spec: &RecorderSpec, live: &Channel) -> Option<String> {
    let mut carries = Vec::new();
    if spec.deliver_to.is_none() {
        carries.push(format!("bucket {}", live.bucket));
    }
    if let (None, Some(arn)) = (&spec.topic, &live.topic_arn) {
        carries.push(format!("topic {}", topic_word(facts, arn)));
    }
    if let (None, Some(snapshots)) = (spec.snapshots, &live.snapshots) {
        carries.push(format!("snapshots {snapshots}"));
    }
    (!carries.is_empty()).then(|| format!("{}: not declared, but the call replaces all", carries.join("; ")))
}

/// How long history is kept.
pub fn retention(want: Days, live: Option<u32>) -> Verdict<Write> {
    let (want, now) = (want.get(), live.unwrap_or(MOST_DAYS));
    if want == now {
        return Verdict::InSync;
    }
    let fields = vec![Field::new("/retentionDays", now, want)];
    let change = Change {
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![Write::PutRetention { days: want }])
    };
    Verdict::Change(if want < now {
        Change {
            risk: Risk::Destructive,
            direction: Direction::Weakens,
            evidence: Some("history that is older is deleted".into()),
            ..change
        }
    } else {
        change
    })
}

/// Nothing is there to deliver.
pub fn without_recorder() -> Verdict<Write> {
    invalid(NO_RECORDER)
}
