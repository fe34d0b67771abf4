//! Exceptions that are about to end and that have ended: each is told once, whatever the documents do meanwhile. A
//! controller runs for months with the same ones.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::desired::{DesiredState, Exception, Validity};
use crate::place::AccountId;

/// Something to be told of an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The document's name.
    pub name: String,
    pub control: String,
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
    /// The accounts that the exception means.
    pub fn means(&self, desired: &DesiredState) -> Vec<AccountId> {
        let this = desired.exceptions.iter().filter(|one| one.name() == self.name);
        let accounts = this.flat_map(|one| desired.accounts.iter().filter(|account| one.means(account)));
        accounts.map(|account| account.id.clone()).collect()
    }
}

/// What has been told.
#[derive(Debug, Default)]
pub struct Signed {
    told: HashMap<(String, Date), Validity>,
}

impl Signed {
    /// What is new on this day, the first to end first. Of exceptions that left the documents, or were renewed,
    /// nothing is remembered.
    pub fn news(&mut self, desired: &DesiredState, on: Date) -> Vec<News> {
        let key = |one: &Exception| (one.name().to_owned(), one.expires.value);
        let before = std::mem::take(&mut self.told);
        let mut news = Vec::new();
        for one in &desired.exceptions {
            let validity = one.validity(on);
            if validity != Validity::Holds && before.get(&key(one)) != Some(&validity) {
                news.push(News {
                    name: one.name().to_owned(),
                    control: one.control.clone(),
                    owner: one.owner.clone(),
                    ticket: one.ticket.clone(),
                    expires: one.expires.value,
                    on,
                    ended: validity == Validity::Expired,
                });
            }
            self.told.insert(key(one), validity);
        }
        news.sort_by(|a, b| (a.expires, &a.name).cmp(&(b.expires, &b.name)));
        news
    }
}
