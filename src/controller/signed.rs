//! Exceptions and attestations that are about to end and that have ended: each is told once, whatever the documents do meanwhile. A
//! controller runs for months with the same ones.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::desired::{DesiredAccount, DesiredState, Validity};
use crate::place::AccountId;

/// What people signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Exception,
    Attestation,
}

/// Something to be told of an exception or an attestation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub kind: Kind,
    /// The document's name.
    pub name: String,
    pub control: String,
    /// Of an attestation: whose word it is.
    pub owner: String,
    pub ticket: Option<String>,
    /// The last day on which it holds, or held, in UTC.
    pub expires: Date,
    /// The day of the news, in UTC.
    pub on: Date,
    /// Has it ended? Otherwise it is about to.
    pub ended: bool,
}

impl News {
    /// The accounts that it means.
    pub fn means(&self, desired: &DesiredState) -> Vec<AccountId> {
        let is_meant = |account: &&DesiredAccount| match self.kind {
            Kind::Exception => {
                desired.exceptions.iter().any(|one| one.name() == self.name && one.means(account))
            }
            Kind::Attestation => desired
                .attestations
                .iter()
                .any(|one| one.metadata.name.value == self.name && one.means(&account.id, &account.name)),
        };
        desired.accounts.iter().filter(is_meant).map(|account| account.id.clone()).collect()
    }
}

/// What has been told.
#[derive(Debug, Default)]
pub struct Signed {
    told: HashMap<(Kind, String, Date), Validity>,
}

impl Signed {
    /// What is new on this day, the first to end first. Of what left the documents, or was renewed, nothing is
    /// remembered.
    pub fn news(&mut self, desired: &DesiredState, on: Date) -> Vec<News> {
        let exceptions = desired.exceptions.iter().map(|one| News {
            kind: Kind::Exception,
            name: one.name().to_owned(),
            control: one.control.clone(),
            owner: one.owner.clone(),
            ticket: one.ticket.clone(),
            expires: one.expires.value,
            on,
            ended: false,
        });
        let attestations = desired.attestations.iter().map(|one| News {
            kind: Kind::Attestation,
            name: one.metadata.name.value.clone(),
            control: one.control.clone(),
            owner: one.by.clone(),
            ticket: None,
            expires: one.expires.value,
            on,
            ended: false,
        });
        let before = std::mem::take(&mut self.told);
        let mut news = Vec::new();
        for one in exceptions.chain(attestations) {
            let validity = Validity::of(one.expires, on);
            let key = (one.kind, one.name.clone(), one.expires);
            if validity != Validity::Holds && before.get(&key) != Some(&validity) {
                news.push(News { ended: validity == Validity::Expired, ..one });
            }
            self.told.insert(key, validity);
        }
        news.sort_by(|a, b| (a.expires, a.kind, &a.name).cmp(&(b.expires, b.kind, &b.name)));
        news
    }
}
