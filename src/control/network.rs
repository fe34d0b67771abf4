//! Networks: an address and how many of its bits count.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network in CIDR notation, `192.0.2.0/24` or `2001:db8::/32`. One network has one spelling: IPv6 is shortened
/// (RFC 5952), and no bit is set that does not count. `/0` is no network: AWS WAF does not take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Why a text is not a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANetwork {
    #[error("it has no length of a prefix; for the one address write `{0}/{1}`")]
    NoLength(IpAddr, u8),
    #[error("it is not an address and the length of its prefix, such as `192.0.2.0/24` or `2001:db8::/32`")]
    NoAddress,
    #[error("the length of a prefix of {0} is from 1 to {1}")]
    Length(&'static str, u8),
    #[error("everybody is in it: AWS WAF takes no `/0`")]
    Everybody,
    #[error("bits are set that do not count; the network is `{0}`")]
    HostBits(Network),
}

impl Network {
    pub fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// The address with only those bits that count.
    fn masked(address: IpAddr, bits: u8) -> IpAddr {
        match address {
            IpAddr::V4(v4) => {
                let host = u32::MAX.checked_shr(bits.into()).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & !host).into())
            }
            IpAddr::V6(v6) => {
                let host = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & !host).into())
            }
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let Some((address, bits)) = text.split_once('/') else {
            let address: IpAddr = text.parse().map_err(|_| NotANetwork::NoAddress)?;
            return Err(NotANetwork::NoLength(address, if address.is_ipv4() { 32 } else { 128 }));
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork::NoAddress)?;
        let (version, most) = if address.is_ipv4() { ("IPv4", 32) } else { ("IPv6", 128) };
        let digits = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
        let bits = bits.parse().ok().filter(|bits| digits && *bits <= most);
        let bits = bits.ok_or(NotANetwork::Length(version, most))?;
        if bits == 0 {
            return Err(NotANetwork::Everybody);
        }
        let network = Self { address: Self::masked(address, bits), bits };
        if network.address == address { Ok(network) } else { Err(NotANetwork::HostBits(network)) }
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_network_has_one_spelling() {
        for (written, told) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.44/32", "192.0.2.44/32"),
            ("2001:0db8:0000:0000:0000:0000:0000:0000/32", "2001:db8::/32"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("128.0.0.0/1", "128.0.0.0/1"),
            ("::1/128", "::1/128"),
        ] {
            assert_eq!(written.parse::<Network>().map(|network| network.to_string()), Ok(told.into()));
        }
    }

    #[test]
    fn what_is_not_a_network_says_why() {
        for (written, why) in [
            ("192.0.2.1", "for the one address write `192.0.2.1/32`"),
            ("2001:db8::1", "write `2001:db8::1/128`"),
            ("office", "not an address"),
            ("", "not an address"),
            ("192.0.2/24", "not an address"),
            ("192.0.2.0/33", "IPv4 is from 1 to 32"),
            ("192.0.2.0/+8", "IPv4 is from 1 to 32"),
            ("192.0.2.0/", "IPv4 is from 1 to 32"),
            ("192.0.2.0/24/1", "IPv4 is from 1 to 32"),
            ("2001:db8::/129", "IPv6 is from 1 to 128"),
            ("0.0.0.0/0", "everybody"),
            ("::/0", "everybody"),
            ("192.0.2.1/24", "the network is `192.0.2.0/24`"),
            ("2001:db8::1/64", "the network is `2001:db8::/64`"),
        ] {
            let error = written.parse::<Network>().expect_err(written).to_string();
            assert!(error.contains(why), "{written}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_told_is_read(text in "[0-9a-f.:/]{0,40}") {
            if let Ok(network) = text.parse::<Network>() {
                prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
            }
        }
    }
}
