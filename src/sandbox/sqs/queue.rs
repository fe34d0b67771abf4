//! One queue: what is in it, who has it, and what it remembers.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::super::operation::Refusal;
use super::invalid;

/// How long a deduplication id is remembered: also after its message was deleted.
const REMEMBERS: Duration = Duration::from_secs(300);

/// How long a message can be kept in flight by one who received it.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// Of a FIFO queue.
    pub group: Option<String>,
    /// How often it was received.
    pub receives: u32,
    /// Of the newest receipt.
    pub receipt: Option<String>,
    /// Hidden until then.
    pub visible: Timestamp,
    received: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Queue {
    pub name: String,
    /// Oldest first.
    pub messages: Vec<Message>,
    pub visibility: Duration,
    /// The dead-letter queue in the same place, and after how many receipts a message goes there.
    pub redrive: Option<(String, u32)>,
    /// Deduplication ids, when they were first sent, and the message's id.
    remembered: HashMap<String, (Timestamp, String)>,
    /// Messages that were accepted and not delivered, because their id was remembered.
    pub absorbed: u64,
    receipts: u64,
}

impl Queue {
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            messages: Vec::new(),
            visibility: Duration::from_secs(30),
            redrive: None,
            remembered: HashMap::new(),
            absorbed: 0,
            receipts: 0,
        }
    }

    pub fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }

    /// Takes a message in, and says under which id it is known.
    pub(super) fn put(
        &mut self,
        id: String,
        body: &str,
        fifo: Option<(&str, &str)>,
        now: Timestamp,
    ) -> String {
        self.remembered.retain(|_, (sent, _)| now.duration_since(*sent).unsigned_abs() < REMEMBERS);
        if let Some((_, dedup)) = fifo {
            if let Some((_, id)) = self.remembered.get(dedup) {
                self.absorbed += 1;
                return id.clone();
            }
            self.remembered.insert(dedup.to_owned(), (now, id.clone()));
        }
        self.messages.push(Message {
            id: id.clone(),
            body: body.to_owned(),
            group: fifo.map(|(group, _)| group.to_owned()),
            receives: 0,
            receipt: None,
            visible: now,
            received: now,
        });
        id
    }

    /// Places of messages that could be received: of a group none while one of it is in flight.
    fn open(&self, now: Timestamp) -> Vec<usize> {
        let hidden = self.messages.iter().filter(|message| message.visible > now);
        let busy: BTreeSet<&String> = hidden.filter_map(|message| message.group.as_ref()).collect();
        let open = |message: &Message| {
            message.visible <= now && message.group.as_ref().is_none_or(|group| !busy.contains(group))
        };
        self.messages.iter().enumerate().filter(|(_, one)| open(one)).map(|(place, _)| place).collect()
    }

    /// In how long something may be received, where nothing else happens.
    pub(super) fn opens_in(&self, now: Timestamp) -> Option<Duration> {
        if !self.open(now).is_empty() {
            return Some(Duration::ZERO);
        }
        let hidden = self.messages.iter().map(|message| message.visible).filter(|visible| *visible > now);
        hidden.min().map(|visible| visible.duration_since(now).unsigned_abs())
    }

    #[cfg(test)]
    pub(super) fn has(&self, now: Timestamp) -> bool {
        self.opens_in(now) == Some(Duration::ZERO)
    }

    /// Receives up to so many; the second list is what goes to the dead-letter queue instead.
    pub(super) fn take(
        &mut self,
        most: usize,
        hidden: Duration,
        now: Timestamp,
        salt: &str,
    ) -> (Vec<Message>, Vec<Message>) {
        let (mut taken, mut dead) = (Vec::new(), BTreeSet::new());
        for place in self.open(now) {
            if taken.len() == most {
                break;
            }
            let message = &mut self.messages[place];
            if self.redrive.as_ref().is_some_and(|(_, receives)| message.receives >= *receives) {
                dead.insert(place);
                continue;
            }
            self.receipts += 1;
            message.receives += 1;
            message.received = now;
            message.visible = now + hidden;
            message.receipt = Some(format!("{salt}-{}-{}", message.id, self.receipts));
            taken.push(message.clone());
        }
        let mut gone = Vec::new();
        for place in dead.into_iter().rev() {
            let message = self.messages.remove(place);
            gone.insert(0, Message { receives: 0, receipt: None, visible: now, ..message });
        }
        (taken, gone)
    }

    /// The message of a receipt, where it is the newest one.
    fn held(&mut self, receipt: &str, now: Timestamp) -> Result<Option<usize>, Refusal> {
        let Some(place) = self.messages.iter().position(|message| receipt.contains(&message.id)) else {
            return Ok(None);
        };
        let message = &self.messages[place];
        let is_newest = message.receipt.as_deref() == Some(receipt);
        if is_newest && message.visible > now {
            return Ok(Some(place));
        }
        if self.is_fifo() {
            let text =
                "Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.";
            return Err(invalid(text));
        }
        Ok(Some(place).filter(|_| is_newest))
    }

    pub(super) fn delete(&mut self, receipt: &str, now: Timestamp) -> Result<(), Refusal> {
        if let Some(place) = self.held(receipt, now)? {
            self.messages.remove(place);
        }
        Ok(())
    }

    pub(super) fn hide(&mut self, receipt: &str, time: Duration, now: Timestamp) -> Result<(), Refusal> {
        let place = self.held(receipt, now)?.filter(|place| self.messages[*place].visible > now);
        let Some(place) = place else {
            return Err(Refusal::new(400, "MessageNotInflight", "The message is not in flight."));
        };
        let message = &mut self.messages[place];
        if now + time > message.received + LONGEST {
            return Err(invalid(
                "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
            ));
        }
        message.visible = now + time;
        Ok(())
    }
}
