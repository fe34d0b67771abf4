//! Who did it: the calls in CloudTrail's event history that may have changed what a control looks at.
//!
//! They are looked up where something differs and nowhere else, by the names of the calls that the control makes and
//! of those that it lists ([`Meta::events`]). The history tells who called what; that this call made the difference
//! is certain only where it names the resource, or where there is one such thing in a place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::audit::Memory;
use crate::aws::history::{self, Event, Events};
use crate::aws::journal::Purpose;
use crate::control::Meta;
use crate::fault::Fault;
use crate::observe::{Fleet, unopened};
use crate::place::{AccountId, Region, Scope};

/// Calls that are told of one finding, newest first; more are only said to be there.
const TOLD: usize = 3;

/// What the event history says of one finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    /// From when on calls were looked up.
    pub since: Timestamp,
    /// What was asked for lies further back than the history reaches.
    #[serde(default)]
    pub cut: bool,
    /// Newest first.
    pub deeds: Vec<Deed>,
    /// There are more than are told.
    #[serde(default)]
    pub more: bool,
    /// Why some or all calls could not be looked up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// A call that went through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deed {
    /// `service:Name`, as CloudTrail names it.
    pub call: String,
    pub at: Timestamp,
    /// Whose history holds it.
    pub region: Region,
    /// The caller's ARN, or a service of AWS.
    pub principal: String,
    /// The source address, or the service of AWS that the call came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The run of `baseline` that made it, where the audit record knows such a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// It names the resource, or there is only one of its kind. Otherwise it may have been about another.
    pub certain: bool,
}

/// Looks up, each name once in an account and region.
pub struct Looker<'a> {
    fleet: &'a Fleet,
    memory: &'a Memory,
    found: Mutex<HashMap<Asked, Answer>>,
    runs: Mutex<HashMap<String, Arc<OnceCell<bool>>>>,
}

type Asked = (AccountId, Region, String, Timestamp);
type Answer = Arc<OnceCell<Result<Events, Fault>>>;

impl<'a> Looker<'a> {
    pub fn new(fleet: &'a Fleet, memory: &'a Memory) -> Self {
        Self { fleet, memory, found: Mutex::default(), runs: Mutex::default() }
    }

    /// Who may have changed a resource of a control in a scope. Calls of the run `except` are not told: it is what
    /// put the thing as it was.
    pub async fn who(
        &self,
        scope: &Scope,
        meta: &'static Meta,
        resource: &str,
        since: Timestamp,
        except: Option<&str>,
    ) -> Who {
        let oldest = Timestamp::now().checked_sub(history::KEEPS).unwrap_or(Timestamp::MIN);
        let from = since.max(oldest);
        let mut who =
            Who { since: from, cut: since < oldest, deeds: Vec::new(), more: false, faults: Vec::new() };
        let mut by_region: Vec<(Region, Vec<String>)> = Vec::new();
        for event in meta.calls_that_matter() {
            let service = event.split_once(':').map_or("", |(service, _)| service);
            for region in history::regions(service, &scope.region) {
                match by_region.iter_mut().find(|(other, _)| *other == region) {
                    Some((_, events)) => events.push(event.clone()),
                    None => by_region.push((region, vec![event.clone()])),
                }
            }
        }
        let only_one = is_the_only_one(meta.id, resource);
        for (region, events) in by_region {
            for event in events {
                match self.look_up(&scope.account, &region, event, from).await {
                    Ok(events) => {
                        who.more |= events.more;
                        for event in &events.events {
                            let certain = only_one || event.names(resource);
                            who.deeds.push(self.deed(event, &region, certain).await);
                        }
                    }
                    // The next name of that region would be refused alike.
                    Err(fault) => {
                        if !who.faults.contains(&fault) {
                            who.faults.push(fault);
                        }
                        break;
                    }
                }
            }
        }
        who.deeds.retain(|deed| except.is_none() || deed.run.as_deref() != except);
        if who.deeds.iter().any(|deed| deed.certain) {
            who.deeds.retain(|deed| deed.certain);
        }
        who.deeds.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.call.cmp(&b.call)));
        who.more |= who.deeds.len() > TOLD;
        who.deeds.truncate(TOLD);
        who
    }

    async fn look_up(
        &self,
        account: &AccountId,
        region: &Region,
        event: String,
        from: Timestamp,
    ) -> Result<Events, Fault> {
        let key = (account.clone(), region.clone(), event.clone(), from);
        let cell =
            Arc::clone(self.found.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let asked = async || {
            let session = self.fleet.session(account, Purpose::Observe).await.map_err(unopened)?;
            let reader = self.fleet.aws.engine_reader(&session, region);
            reader.run(history::look_up(&reader, &event, from)).await
        };
        cell.get_or_init(asked).await.clone()
    }

    async fn deed(&self, event: &Event, region: &Region, certain: bool) -> Deed {
        let run = match self.session_of_ours(&event.principal) {
            Some(session) if self.is_ours(session).await => Some(session.to_owned()),
            _ => None,
        };
        Deed {
            call: event.call.clone(),
            at: event.at,
            region: region.clone(),
            principal: event.principal.clone(),
            from: event.from.clone(),
            agent: event.agent.clone(),
            run,
            certain,
        }
    }

    /// The session's name, where it is one of the role that writes. Whoever may assume another role could name a session
    /// after a run of ours.
    fn session_of_ours<'p>(&self, principal: &'p str) -> Option<&'p str> {
        let roles = self.fleet.desired.organization.roles.as_ref()?;
        let (_, role) = principal.split_once(":assumed-role/")?;
        role.split_once('/').filter(|(role, _)| *role == roles.apply).map(|(_, session)| session)
    }

    /// A record that cannot be read makes nobody ours: then the session is told as a stranger's.
    async fn is_ours(&self, session: &str) -> bool {
        let cell = {
            let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(runs.entry(session.to_owned()).or_default())
        };
        *cell.get_or_init(async || self.memory.knows_run(session).await.unwrap_or(false)).await
    }
}

/// Does the resource say only what the control's own noun says? Then there is one in a place, and no call names it.
fn is_the_only_one(control: &str, resource: &str) -> bool {
    let noun = control.split_once('.').map_or(control, |(_, noun)| noun);
    ["", "*", "account", noun].contains(&resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_looked_up_under_what_it_calls_and_under_what_it_lists() {
        for control in crate::controls::CONTROLS {
            let meta = control.meta();
            let events = meta.calls_that_matter();
            assert!(!events.is_empty(), "{}: nobody could ever be found", meta.id);
            for event in &events {
                let (service, name) = event.split_once(':').expect("service:Name");
                let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
                assert!(is_word(service) && is_word(name), "{}: {event}", meta.id);
                assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{}: {event}", meta.id);
            }
            for event in meta.events {
                let called = meta.writes.iter().any(|call| call.operation == *event);
                assert!(!called, "{}: {event} is among the writes", meta.id);
            }
        }
        let block = crate::controls::find("s3.account-public-access").expect("listed").meta();
        assert_eq!(
            block.calls_that_matter(),
            ["s3control:PutAccountPublicAccessBlock", "s3control:DeleteAccountPublicAccessBlock"]
        );
    }

    #[test]
    fn the_noun_of_a_control_is_the_only_one_there_is() {
        assert!(is_the_only_one("guardduty.detector", "detector"));
        assert!(is_the_only_one("iam.password-policy", "password-policy"));
        assert!(!is_the_only_one("ecr.repositories", "payments/web"));
    }
}
