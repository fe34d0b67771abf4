//! Resources that can have a web ACL, and the web ACLs that they have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spec::{ResourceType, Scheme};
use crate::control::Sight;

/// A resource that a rule may govern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub kind: ResourceType,
    /// What AWS calls it; a stage is `API/STAGE`. Several may be called the same.
    pub called: String,
    /// As `called`, with the id of whatever shares its name: `shop (a1b2c3d4e5)/prod`. No two are named the same.
    pub name: String,
    pub arn: String,
    pub scheme: Scheme,
    /// Empty where no rule asks for them.
    pub tags: Sight<BTreeMap<String, String>>,
    /// `None` within: it has no web ACL.
    pub acl: Sight<Option<LiveAcl>>,
}

/// The web ACL that a resource has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LiveAcl(pub String);

/// The name and the id of a web ACL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    pub name: &'a str,
    pub id: &'a str,
}

impl LiveAcl {
    /// Taken from an answer, where an empty ARN says that there is none.
    pub fn of(arn: Option<String>) -> Option<Self> {
        arn.filter(|arn| !arn.is_empty()).map(Self)
    }

    /// `arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/NAME/ID` taken apart; `None` for one of AWS WAF
    /// Classic, `arn:aws:waf-regional:…:webacl/ID`, which has no name in its ARN.
    pub fn named(&self) -> Option<Named<'_>> {
        let mut parts = self.0.splitn(6, ':');
        if parts.nth(2)? != "wafv2" {
            return None;
        }
        let (name, id) = parts.nth(2)?.strip_prefix("regional/webacl/")?.split_once('/')?;
        Some(Named { name, id })
    }

    /// What people read.
    pub fn word(&self) -> &str {
        self.named().map_or("one of AWS WAF Classic", |named| named.name)
    }
}

/// What counts about a web ACL that is neither declared nor accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherAcl {
    /// Firewall Manager made it, or has put its rules into it.
    pub firewall_manager: bool,
    /// It has rules, or blocks by default: something ends when it is replaced.
    pub inspects: bool,
}

/// Resources of one type by name, each seen or not.
pub type ByName = BTreeMap<String, Sight<Resource>>;

/// The listing of each type, seen or not.
pub type ByType = BTreeMap<ResourceType, Sight<ByName>>;

/// What is live.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// What some rule has an `acl` for, by type and name; a type whose resources could not be listed is unseen
    /// as a whole.
    pub found: ByType,
    /// The web ACLs in the way of declared ones, by ARN.
    pub others: BTreeMap<LiveAcl, Sight<OtherAcl>>,
}

/// Names that tell apart what is called the same, by the ids beside them.
pub fn told_apart(called: &[(String, String)]) -> Vec<String> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in called {
        *times.entry(name).or_default() += 1;
    }
    let name = |(name, id): &(String, String)| match times[name.as_str()] {
        1 => name.clone(),
        _ => format!("{name} ({id})"),
    };
    called.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_web_acl_is_in_its_arn() {
        let acl = |arn: &str| LiveAcl(arn.to_owned());
        let one = acl("arn:aws-cn:wafv2:cn-north-1:111122223333:regional/webacl/shop_v2/a1b2-c3");
        assert_eq!(one.named(), Some(Named { name: "shop_v2", id: "a1b2-c3" }));
        let classic = acl("arn:aws:waf-regional:eu-west-1:111122223333:webacl/a1b2-c3");
        assert_eq!((classic.named(), classic.word()), (None, "one of AWS WAF Classic"));
        assert_eq!(LiveAcl::of(Some(String::new())), None);
    }

    #[test]
    fn what_is_called_the_same_is_told_apart() {
        let called = [("shop", "a1"), ("shop", "b2"), ("desk", "c3")];
        let called = called.map(|(name, id)| (name.to_owned(), id.to_owned()));
        assert_eq!(told_apart(&called), ["shop (a1)", "shop (b2)", "desk"]);
    }
}
