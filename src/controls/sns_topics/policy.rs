//! Our statements in the topic's policy beside what is live: publishers, for whom, and TLS.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::live::arn;
use super::plan::Declared;
use super::publisher::{Callers, Publisher, Source};
use super::spec::{TopicSpec, words};
use super::write::Write;
use crate::control::{Change, Direction, Field, ManualTask, Risk, Verdict, Verified};
use crate::diff::policy::{by_sid, lacking, open_to_everyone, with_statements};
use crate::place::Scope;

/// Bytes of a topic's policy (Amazon SNS endpoints and quotas: 30 KB).
pub const LONGEST: usize = 30 * 1024;

const TLS_ONLY: &str = "BaselineTlsOnly";

/// Our part of a topic's policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ours {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub publishers: BTreeMap<Publisher, Source>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls_only: bool,
}

impl Ours {
    pub fn is_empty(&self) -> bool {
        self.publishers.is_empty() && !self.tls_only
    }

    fn statements(&self, scope: &Scope, arn: &str) -> Vec<Value> {
        let publishers =
            self.publishers.iter().map(|(publisher, source)| publisher.statement(source, scope, arn));
        self.tls_only.then(|| tls_only(arn)).into_iter().chain(publishers).collect()
    }

    /// The policy `live` with ours in it.
    pub fn within(&self, live: &Value, scope: &Scope, arn: &str) -> Value {
        with_statements(Some(live), &self.statements(scope, arn))
    }
}

fn tls_only(arn: &str) -> Value {
    json!({
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    })
}

/// The policy that SNS gives a topic by itself: its owner may do everything with it (SNS Developer Guide, "Default
/// access policy"). Alarms of the account publish by it.
pub fn default_policy(scope: &Scope, arn: &str) -> Value {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "SNS:GetTopicAttributes",
                "SNS:SetTopicAttributes",
                "SNS:AddPermission",
                "SNS:RemovePermission",
                "SNS:DeleteTopic",
                "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic",
                "SNS:Publish",
            ],
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": scope.account}},
        }],
    })
}

fn organization<'a>(of: &Declared<'a>) -> Option<&'a String> {
    of.facts.organization.as_ref()?.id.as_ref()
}

/// For whom a service may publish, from what is declared and what is live.
fn source(of: &Declared<'_>, live: Option<&Source>) -> Source {
    match (of.spec.from, organization(of)) {
        (None, _) => live.cloned().unwrap_or(Source::Account),
        (Some(Callers::Organization), Some(id)) => Source::Organization(id.clone()),
        (Some(Callers::Account | Callers::Organization), _) => Source::Account,
    }
}

/// For whom the policy lets a service publish, if it does as one of our statements would.
fn granted(of: &Declared<'_>, publisher: Publisher, live: &Value, arn: &str) -> Option<Source> {
    let organization = organization(of).cloned().map(Source::Organization);
    [Some(Source::Account), organization]
        .into_iter()
        .flatten()
        .find(|source| lacking(Some(live), &[publisher.statement(source, &of.facts.scope, arn)]).is_empty())
}

/// `from: organization`, and no organisation to name.
fn nobody_to_name(of: &Declared<'_>) -> Option<String> {
    (of.spec.from == Some(Callers::Organization) && organization(of).is_none())
        .then(|| "no organization id is declared: the services may publish for this account".into())
}

fn loses_plain_calls() -> String {
    "publishing without TLS is refused from then on".into()
}

/// The policy of a topic that is to be made: our part, and what a reader sees of it.
pub fn absent(of: &Declared<'_>) -> (Ours, Vec<Field>, Option<String>) {
    let mut fields = Vec::new();
    let publishers = of.spec.publishers.iter().flatten().map(|one| (*one, source(of, None))).collect();
    if let Some(declared) = &of.spec.publishers {
        fields.push(Field::new(of.path("publishers"), Value::Null, words(declared.iter().copied())));
    }
    if let Some(from) = of.spec.from {
        fields.push(Field::new(of.path("from"), Value::Null, from.word()));
    }
    if let Some(tls_only) = of.spec.tls_only {
        fields.push(Field::new(of.path("tlsOnly"), Value::Null, tls_only));
    }
    (Ours { publishers, tls_only: of.spec.tls_only == Some(true) }, fields, nobody_to_name(of))
}

/// The policy finding of a topic that is there.
pub fn beside(of: &Declared<'_>, live: &Value) -> Verdict<Write> {
    let scope = &of.facts.scope;
    let arn = arn(scope, of.name);
    if of.spec.tls_only == Some(false) && by_sid(Some(live), TLS_ONLY).is_some() {
        return take_out(of);
    }
    let there: BTreeMap<Publisher, Source> =
        Publisher::ALL.into_iter().filter_map(|one| Some((one, granted(of, one, live, &arn)?))).collect();
    let wanted: Vec<Publisher> = match &of.spec.publishers {
        Some(declared) => declared.iter().copied().collect(),
        None => there.keys().copied().collect(),
    };
    let mut ours = Ours { tls_only: of.spec.tls_only == Some(true), ..Ours::default() };
    let (mut lacks, mut moved) = (false, None);
    for publisher in &wanted {
        let live = there.get(publisher);
        let to = source(of, live);
        match live {
            None => lacks = true,
            Some(from) if *from != to && publisher.tells_source() => {
                moved = Some((from.callers(), to.callers()));
            }
            Some(_) => {}
        }
        ours.publishers.insert(*publisher, to);
    }
    let lacks_tls = ours.tls_only && !lacking(Some(live), &[tls_only(&arn)]).is_empty();
    let mut fields = Vec::new();
    if lacks {
        let before = words(wanted.iter().copied().filter(|one| there.contains_key(one)));
        fields.push(Field::new(of.path("publishers"), before, words(wanted.iter().copied())));
    }
    if let Some((from, to)) = moved {
        fields.push(Field::new(of.path("from"), from.word(), to.word()));
    }
    if lacks_tls {
        fields.push(Field::new(of.path("tlsOnly"), false, true));
    }
    if fields.is_empty() {
        return Verdict::InSync;
    }
    let length = ours.within(live, scope, &arn).to_string().len();
    if length > LONGEST {
        return too_long(of, length);
    }
    let narrows = moved.is_some_and(|(_, to)| to == Callers::Account);
    let evidence: Vec<String> = [
        nobody_to_name(of),
        narrows.then(|| "services of the organisation's other accounts can publish no more".to_owned()),
        lacks_tls.then(loses_plain_calls),
    ]
    .into_iter()
    .flatten()
    .collect();
    Verdict::Change(Change {
        risk: if narrows || lacks_tls { Risk::Disruptive } else { Risk::Safe },
        direction: if lacks_tls { Direction::Strengthens } else { Direction::Neutral },
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        carries: carried(&ours, live, scope, &arn),
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![Write::PutPolicy { topic: of.name.into(), policy: ours }])
    })
}

/// What the call sends along because it replaces everything.
fn carried(ours: &Ours, live: &Value, scope: &Scope, arn: &str) -> Option<String> {
    let written = ours.statements(scope, arn);
    let is_ours = |one: &Value| {
        let sid = one["Sid"].as_str();
        sid == Some(TLS_ONLY) || Publisher::ALL.iter().any(|publisher| sid == Some(publisher.sid()))
    };
    let means_ours = |one: &Value| {
        let alone = json!({"Statement": [one]});
        lacking(Some(&alone), &written).len() < written.len()
    };
    let all = match &live["Statement"] {
        Value::Array(list) => list.iter().collect(),
        one @ Value::Object(_) => vec![one],
        _ => Vec::new(),
    };
    match all.into_iter().filter(|one| !is_ours(one) && !means_ours(one)).count() {
        0 => None,
        1 => Some("1 statement of others".into()),
        count => Some(format!("{count} statements of others")),
    }
}

fn by_hand(title: String, found: (&str, String), steps: &[String]) -> Verdict<Write> {
    Verdict::Manual(ManualTask {
        title,
        found: vec![(found.0.into(), found.1)],
        steps: steps.to_vec(),
        verified: Verified::ByObservation,
    })
}

fn take_out(of: &Declared<'_>) -> Verdict<Write> {
    by_hand(
        format!("Take {TLS_ONLY} out of the policy of {}", of.name),
        ("tlsOnly", "true, and false is declared".into()),
        &[
            "baseline takes no statement away. Leave `tlsOnly` out, or edit the topic's access".into(),
            "policy in the console of SNS.".into(),
        ],
    )
}

fn too_long(of: &Declared<'_>, length: usize) -> Verdict<Write> {
    by_hand(
        format!("Shorten the policy of {}", of.name),
        ("policy", format!("{length} bytes, and SNS takes {LONGEST}")),
        &["Take statements out that nobody needs any more.".into()],
    )
}

/// Shown, and never taken out by itself: somebody may live on it (FSBP SNS.4).
pub fn public(of: &Declared<'_>, live: &Value) -> Verdict<Write> {
    let open = open_to_everyone(live);
    if open.is_empty() {
        return Verdict::InSync;
    }
    by_hand(
        format!("Close the policy of {} to everyone", of.name),
        ("statements", format!("{} for everyone", open.join(", "))),
        &[
            "Find out who publishes or subscribes by these statements. Then name them as".into(),
            "principals, or add a condition such as `aws:SourceAccount` or `aws:PrincipalOrgID`:".into(),
            format!("in the console of SNS, topic {}, Edit, Access policy.", of.name),
        ],
    )
}

/// What the policy says in the words of the spec.
pub fn import(of: &Declared<'_>, live: &Value) -> TopicSpec {
    let arn = arn(&of.facts.scope, of.name);
    let there: Vec<(Publisher, Source)> =
        Publisher::ALL.into_iter().filter_map(|one| Some((one, granted(of, one, live, &arn)?))).collect();
    let mut told: Vec<Callers> = there
        .iter()
        .filter(|(publisher, _)| publisher.tells_source())
        .map(|(_, source)| source.callers())
        .collect();
    told.dedup();
    TopicSpec {
        publishers: (!there.is_empty()).then(|| there.iter().map(|(publisher, _)| *publisher).collect()),
        // Said only where it is true of all of them.
        from: if let [one] = told[..] { Some(one) } else { None },
        tls_only: lacking(Some(live), &[tls_only(&arn)]).is_empty().then_some(true),
        ..TopicSpec::default()
    }
}
