//! A message to an address on the web, through the SDK's own HTTP stack: its proxies, its certificates, its time-outs.
//!
//! An address is a secret of whoever runs the program, and it must not lead back to that machine: only `https`, never to
//! loopback or link-local addresses (where instances find their credentials), whatever a name resolves to, and no
//! redirect is followed.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, ToSocketAddrs as _};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::connect::{ConnectError, certificates};

/// Until there is a connection.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// Until the whole answer is there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(15);
/// As much of an answer as is read.
const READ: usize = 1024;
/// The longest address.
const LONGEST: usize = 2048;

/// Where a message goes. It is a secret: neither `Debug` nor any error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl Address {
    /// An `https` address; with `loopback`, for tests, also an `http` one of this machine.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without saying it.
    pub fn parse(text: &str, loopback: bool) -> Result<Self, &'static str> {
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it is no address: there are white space or other characters in it");
        }
        let (rest, is_secure) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) if loopback => (rest, false),
            _ => return Err("it does not begin with `https://`"),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err("a user name does not belong into it");
        }
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map(|(host, _)| host).ok_or("its host cannot be read")?,
            None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
        };
        let address = host.parse::<IpAddr>().ok();
        // `127.1` and `0x7f000001` are addresses to some resolvers (URL standard, "ends in a number").
        let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let looks_like_one =
            last.bytes().all(|byte| byte.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x");
        let is_loopback = address.is_some_and(|address| address.is_loopback());
        match address {
            _ if host.is_empty() => Err("it names no host"),
            Some(_) if loopback && is_loopback => Ok(Self(text.to_owned())),
            _ if !is_secure => Err("it does not begin with `https://`"),
            Some(address) if is_inward(address) => Err("it leads to this machine itself"),
            None if looks_like_one => Err("its host is neither a name nor an address"),
            None if host.trim_end_matches('.').eq_ignore_ascii_case("localhost") => {
                Err("it leads to this machine itself")
            }
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl Address {
    /// Does a text say a part of it that nobody else should know?
    pub fn is_hinted_at(&self, text: &str) -> bool {
        let after_host = self.0.splitn(4, '/').nth(3).unwrap_or_default();
        let mut parts = after_host
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '%')));
        parts.any(|part| part.len() >= 8 && text.contains(part))
    }
}

/// Loopback, link-local, and what AWS hands out credentials on (EC2, ECS and EKS user guides: 169.254.169.254,
/// 169.254.170.2, 169.254.170.23, fd00:ec2::254, fd00:ec2::23).
fn is_inward(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    match address {
        IpAddr::V4(four) => {
            four.is_loopback()
                || four.is_link_local()
                || four.is_unspecified()
                || four.is_broadcast()
                || four.is_multicast()
                || four.octets()[0] == 0
        }
        IpAddr::V6(six) => {
            let ec2 = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0);
            six.is_loopback()
                || six.is_unspecified()
                || six.is_multicast()
                || (six.segments()[0] & 0xffc0) == 0xfe80
                || six.segments()[..2] == ec2.segments()[..2]
        }
    }
}

/// Resolves names, and refuses those that lead to this machine.
#[derive(Clone, Debug)]
struct Outward;

impl ResolveDns for Outward {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let name = name.to_owned();
        DnsFuture::new(async move {
            // A proxy beside the program may be called so; an address of a webhook is not.
            let is_proxy = name == "localhost";
            let found = tokio::task::spawn_blocking(move || (name.as_str(), 0).to_socket_addrs());
            let found = found.await.map_err(ResolveDnsError::new)?.map_err(ResolveDnsError::new)?;
            let all: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            if !is_proxy && all.iter().any(|address| is_inward(*address)) {
                return Err(ResolveDnsError::new("the name leads to this machine itself"));
            }
            Ok(all)
        })
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// `Retry-After`, in seconds. The other form of it, a date, is not read.
    pub retry_after: Option<Duration>,
    /// The beginning of the body: as it came, and not to be trusted.
    pub body: String,
}

/// Why there is no answer; the address is in none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("the address cannot be used")]
    Address,
    #[error("there was no answer within {} s", ANSWERS_WITHIN.as_secs())]
    TimedOut,
    #[error("there is no connection: the host cannot be reached or found, or its certificate is not trusted")]
    NotConnected,
}

/// Sends messages. Cheap to keep: connections are made when something is sent.
#[derive(Debug)]
pub struct Web(Connector);

impl Web {
    /// With the proxies and the certificates that the SDK uses.
    ///
    /// # Errors
    ///
    /// When `AWS_CA_BUNDLE` cannot be read.
    pub fn new() -> Result<Self, ConnectError> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECTS_WITHIN)
            .read_timeout(ANSWERS_WITHIN)
            .build();
        Ok(Self(
            Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(certificates()?)
                .proxy_config(ProxyConfig::from_env())
                .connector_settings(settings)
                .build_with_resolver(Outward),
        ))
    }

    /// Sends JSON. Whatever is answered is an answer, a redirect too.
    ///
    /// # Errors
    ///
    /// When there is no answer in time.
    pub async fn post(
        &self,
        to: &Address,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Answer, NoAnswer> {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").map_err(|_| NoAnswer::Address)?;
        request.set_uri(to.0.as_str()).map_err(|_| NoAnswer::Address)?;
        request.headers_mut().insert("content-type", "application/json");
        request.headers_mut().insert("user-agent", concat!("baseline/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request.headers_mut().try_insert(*name, value.clone()).map_err(|_| NoAnswer::Address)?;
        }
        let exchange = async {
            let answer = self.0.call(request).await.map_err(|error| {
                if error.is_timeout() { NoAnswer::TimedOut } else { NoAnswer::NotConnected }
            })?;
            let status = answer.status().as_u16();
            let seconds =
                answer.headers().get("retry-after").and_then(|text| text.trim().parse::<u64>().ok());
            let mut stream = ByteStream::new(answer.into_body());
            let mut bytes = Vec::new();
            while bytes.len() < READ
                && let Some(Ok(more)) = stream.next().await
            {
                bytes.extend_from_slice(&more);
            }
            bytes.truncate(READ);
            let body = String::from_utf8_lossy(&bytes).into_owned();
            Ok(Answer { status, retry_after: seconds.map(Duration::from_secs), body })
        };
        tokio::time::timeout(ANSWERS_WITHIN, exchange).await.unwrap_or(Err(NoAnswer::TimedOut))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_and_leads_away_from_this_machine() {
        for good in [
            "https://hooks.slack.com/services/T0/B0/x",
            "https://hooks.acme.example:8443/a?b=c",
            "https://10.0.0.5/hook",
            "https://[2001:db8::1]/x",
            "https://1password.example/x",
            "https://x.cafe/hook",
        ] {
            assert!(Address::parse(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://hooks.acme.example/x",
            "ftp://hooks.acme.example/x",
            "hooks.acme.example/x",
            "https://",
            "https:///x",
            "https://jo:pw@hooks.acme.example/x",
            "https://hooks.acme.example/a b",
            "https://hooks.acme.example/\u{202e}",
            "https://127.0.0.1/x",
            "https://127.1/x",
            "https://2130706433/x",
            "https://0x7f000001/x",
            "https://localhost/x",
            "https://LOCALHOST:443/x",
            "https://169.254.169.254/latest/meta-data",
            "https://169.254.170.23/v1/credentials",
            "https://[::1]/x",
            "https://[fd00:ec2::254]/x",
            "https://[fe80::1]/x",
            "https://[::ffff:169.254.169.254]/x",
            "https://0.0.0.0/x",
        ] {
            let why = Address::parse(bad, false).expect_err(bad);
            assert!(!why.contains("127") && !why.contains("acme"), "{why}");
        }
        assert!(Address::parse("http://127.0.0.1:1234/x", true).is_ok(), "tests listen there");
        assert!(Address::parse("http://hooks.acme.example/x", true).is_err());
        let address = Address::parse("https://hooks.slack.com/services/secret", false).expect("good");
        assert_eq!(format!("{address:?}"), "Address(…)");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_answer_is_given_up() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = socket.local_addr().expect("an address");
        let silent = std::thread::spawn(move || socket.accept().map(|(stream, _)| stream));
        let address = Address::parse(&format!("http://{address}/x"), true).expect("good");
        let web = Web::new().expect("certificates");
        assert_eq!(web.post(&address, &[], b"{}".to_vec()).await, Err(NoAnswer::TimedOut));
        drop(silent);
        let nobody = Address::parse("http://127.0.0.1:1/x", true).expect("good");
        let refused = web.post(&nobody, &[], b"{}".to_vec()).await.expect_err("nobody listens");
        assert!(!refused.to_string().contains("127"), "{refused}");
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused() {
        // Some systems name themselves in /etc/hosts.
        let found = Outward.resolve_dns("localhost.localdomain").await;
        assert!(found.is_err() || found.is_ok_and(|all| all.iter().all(|address| !is_inward(*address))));
        assert!(is_inward("127.0.1.1".parse().expect("an address")));
        assert!(!is_inward("192.168.1.1".parse().expect("an address")));
    }
}
