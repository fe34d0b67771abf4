//! Who gets a topic's messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::place::Scope;

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Subscription {
    /// How the messages go there, in AWS's words.
    #[schemars(extend("x-fixed" = "nobody is unsubscribed: another protocol is another subscription"))]
    pub protocol: Protocol,
    /// Where they go: a mailbox, an `https://` address without anything secret in it, or a queue or function by its
    /// name here or its ARN. `{account}`, `{region}` and `{partition}` are filled in.
    #[schemars(extend(
        "format" = "template",
        "x-fixed" = "nobody is unsubscribed: another endpoint is another subscription"
    ))]
    pub endpoint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Protocol {
    Email,
    EmailJson,
    Https,
    Sqs,
    Lambda,
}

impl Protocol {
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::EmailJson => "email-json",
            Self::Https => "https",
            Self::Sqs => "sqs",
            Self::Lambda => "lambda",
        }
    }
}

/// An endpoint as SNS takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub protocol: Protocol,
    pub address: String,
}

impl Endpoint {
    /// Is it the one of a subscription that SNS lists? Mailboxes know no case.
    pub fn is(&self, protocol: &str, address: &str) -> bool {
        self.protocol.word() == protocol
            && match self.protocol {
                Protocol::Email | Protocol::EmailJson => self.address.eq_ignore_ascii_case(address),
                Protocol::Https | Protocol::Sqs | Protocol::Lambda => self.address == address,
            }
    }
}

impl Subscription {
    /// Queues and functions by their ARN.
    pub fn endpoint(&self, scope: &Scope) -> Endpoint {
        let Scope { account, region } = scope;
        let (partition, name) = (region.partition(), &self.endpoint);
        let address = match self.protocol {
            _ if name.starts_with("arn:") => name.clone(),
            Protocol::Sqs => format!("arn:{partition}:sqs:{region}:{account}:{name}"),
            Protocol::Lambda => format!("arn:{partition}:lambda:{region}:{account}:function:{name}"),
            Protocol::Email | Protocol::EmailJson | Protocol::Https => name.clone(),
        };
        Endpoint { protocol: self.protocol, address }
    }

    /// As plans show it. What follows the host in a web address is often a key to it, so that is not shown.
    pub fn shown(&self) -> String {
        match (self.protocol, self.endpoint.strip_prefix("https://")) {
            (Protocol::Https, Some(rest)) => match rest.split_once('/') {
                Some((host, path)) if !path.is_empty() => format!("https://{host}/…"),
                _ => self.endpoint.clone(),
            },
            _ => self.endpoint.clone(),
        }
    }

    /// Has to be opened or answered by whoever is behind it before anything is sent there. Queues and functions of
    /// the topic's own account do not (SNS Developer Guide, "Confirming a subscription").
    pub fn is_confirmed_by_mail(&self) -> bool {
        matches!(self.protocol, Protocol::Email | Protocol::EmailJson)
    }

    /// What is wrong with it, before templates are filled in.
    pub fn check(&self) -> Result<(), String> {
        let text = self.endpoint.as_str();
        if text.is_empty() || text.len() > 2048 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("an endpoint is one word of 2048 characters at most".into());
        }
        match self.protocol {
            Protocol::Email | Protocol::EmailJson => match text.split_once('@') {
                Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@') => Ok(()),
                _ => Err(format!("`{text}` is not a mailbox")),
            },
            Protocol::Https => check_address(text),
            Protocol::Sqs => check_name(text, "sqs", 80),
            Protocol::Lambda => check_name(text, "lambda", 140),
        }
    }
}

/// The text itself is not repeated in the message: it may hold a secret.
fn check_address(text: &str) -> Result<(), String> {
    let Some(rest) = text.strip_prefix("https://") else {
        return Err("the endpoint of an `https` subscription begins with `https://`".into());
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err("a password in a web address would stand in git, in plans and in SNS: take it out".into());
    }
    if host.is_empty() {
        return Err("the endpoint of an `https` subscription names a host".into());
    }
    if rest.contains(['?', '#']) {
        return Err(
            "what stands after `?` in a web address is often a secret, and would stand in git and in plans: \
                    subscribe such an endpoint by hand, it will be left alone"
                .into(),
        );
    }
    Ok(())
}

fn check_name(text: &str, service: &str, longest: usize) -> Result<(), String> {
    if text.starts_with("arn:") {
        return match text.split(':').nth(2) {
            Some(of) if of == service => Ok(()),
            _ => Err(format!("`{text}` is not an ARN of {service}")),
        };
    }
    // Placeholders are filled in later.
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.:{}".contains(c);
    if text.len() > longest || !text.chars().all(fits) {
        return Err(format!("`{text}` is neither a name nor an ARN of {service}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Region;

    fn to(protocol: Protocol, endpoint: &str) -> Subscription {
        Subscription { protocol, endpoint: endpoint.into() }
    }

    #[test]
    fn endpoints_fit_their_protocol() {
        use Protocol::{Email, Https, Lambda, Sqs};
        for (protocol, good) in [
            (Email, "security@acme.example"),
            (Https, "https://hooks.acme.example"),
            (Https, "https://hooks.acme.example/sns"),
            (Sqs, "alerts"),
            (Sqs, "arn:aws:sqs:eu-west-1:111122223333:alerts"),
            (Lambda, "notify-{region}"),
        ] {
            assert_eq!(to(protocol, good).check(), Ok(()), "{good}");
        }
        for (protocol, bad) in [
            (Email, "acme.example"),
            (Email, "a@b@c"),
            (Email, "@acme.example"),
            (Email, "a b@acme.example"),
            (Https, "http://acme.example"),
            (Https, "https:///x"),
            (Sqs, "https://sqs.eu-west-1.amazonaws.com/1/alerts"),
            (Sqs, "arn:aws:lambda:eu-west-1:111122223333:function:x"),
            (Lambda, ""),
        ] {
            assert!(to(protocol, bad).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn secrets_in_addresses_are_refused_and_not_repeated() {
        for bad in ["https://me:hunter2@acme.example/", "https://acme.example/x?apiKey=hunter2"] {
            let why = to(Protocol::Https, bad).check().unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
        assert_eq!(to(Protocol::Https, "https://acme.example/T0/B1").shown(), "https://acme.example/…");
        assert_eq!(to(Protocol::Https, "https://acme.example").shown(), "https://acme.example");
    }

    #[test]
    fn names_become_arns_of_this_place() {
        let scope = Scope { account: "111122223333".parse().unwrap(), region: Region::new("eu-west-1") };
        let queue = to(Protocol::Sqs, "alerts").endpoint(&scope);
        assert!(queue.is("sqs", "arn:aws:sqs:eu-west-1:111122223333:alerts"));
        let function = to(Protocol::Lambda, "notify").endpoint(&scope);
        assert_eq!(function.address, "arn:aws:lambda:eu-west-1:111122223333:function:notify");
        assert!(to(Protocol::Email, "Sec@acme.example").endpoint(&scope).is("email", "sec@acme.example"));
        assert!(
            !to(Protocol::Email, "sec@acme.example").endpoint(&scope).is("email-json", "sec@acme.example")
        );
    }
}
