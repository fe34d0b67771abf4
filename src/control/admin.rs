//! The account that administers a service for the organisation, as the YAML says it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::control::Facts;
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Seat};

/// `security`, the account in the security seat, or an account id in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAccount {
    Security,
    Id(AccountId),
}

impl AdminAccount {
    /// Whose id that is. `call` is what a fault names where there is no such seat.
    pub fn id<'a>(&'a self, facts: &'a Facts, call: &str) -> Result<&'a AccountId, Fault> {
        match self {
            Self::Id(id) => Ok(id),
            Self::Security => security(facts).ok_or_else(|| {
                let message = "`account: security` needs `seats.security` in the Organization document";
                Fault::local(FaultKind::Invalid, call, message)
            }),
        }
    }

    /// How the YAML calls an account: by its seat, where it has it.
    pub fn named(account: &str, facts: &Facts) -> Option<Self> {
        match security(facts) {
            Some(seat) if seat.as_str() == account => Some(Self::Security),
            _ => account.parse().ok().map(Self::Id),
        }
    }
}

fn security(facts: &Facts) -> Option<&AccountId> {
    facts.organization.as_ref()?.seats.get(&Seat::Security)
}

/// As the YAML says it.
impl fmt::Display for AdminAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Security => f.write_str("security"),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl Serialize for AdminAccount {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(self)
    }
}

/// By hand, as [`AccountId`] is: a number is refused however it comes.
impl<'de> Deserialize<'de> for AdminAccount {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = AdminAccount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`security`, or an account id: 12 digits in quotes")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AdminAccount, E> {
                if text == "security" {
                    return Ok(AdminAccount::Security);
                }
                let id = text.parse().map_err(|_| {
                    E::custom(format_args!(
                        "`{text}` is neither `security` nor an account id: 12 digits in quotes"
                    ))
                })?;
                Ok(AdminAccount::Id(id))
            }
        }
        from.deserialize_any(Text)
    }
}

impl JsonSchema for AdminAccount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AdminAccount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^(security|[0-9]{12})$"})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::tests::facts;

    #[test]
    fn an_administrator_is_a_seat_or_an_id_in_quotes() {
        let read = |value| serde_json::from_value::<AdminAccount>(value).map_err(|error| error.to_string());
        assert_eq!(read(json!("security")), Ok(AdminAccount::Security));
        assert_eq!(read(json!("012345678901")).map(|admin| admin.to_string()), Ok("012345678901".into()));
        for bad in [json!(12_345_678_901_u64), json!("1234"), json!("Security"), json!(true)] {
            assert!(read(bad.clone()).is_err_and(|error| error.contains("12 digits in quotes")), "{bad}");
        }
    }

    #[test]
    fn a_seat_goes_by_its_name() {
        let mut facts = facts();
        assert!(
            AdminAccount::Security.id(&facts, "a:B").is_err_and(|fault| fault.kind == FaultKind::Invalid)
        );
        let seats = &mut facts.organization.as_mut().unwrap().seats;
        seats.insert(Seat::Security, "777766665555".parse().unwrap());
        assert_eq!(AdminAccount::Security.id(&facts, "a:B").map(AccountId::as_str), Ok("777766665555"));
        assert_eq!(AdminAccount::named("777766665555", &facts), Some(AdminAccount::Security));
        assert_eq!(AdminAccount::named("111122223333", &facts).unwrap().to_string(), "111122223333");
    }
}
