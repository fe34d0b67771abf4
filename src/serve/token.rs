//! The token that lets somebody read. It is read from a file, compared in a time that says nothing of it, and never
//! told again: neither a log nor a cookie holds it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::digest;

/// Shorter ones can be guessed: 16 characters of a random hexadecimal text are 64 bits.
const SHORTEST: usize = 16;
/// Longer ones are a mistake: some other file.
const LONGEST: usize = 1024;

/// The cookie of somebody who signed in.
pub(super) const COOKIE: &str = "baseline_session";

/// How long somebody is signed in.
pub(super) const SIGNED_IN_FOR: Duration = Duration::from_secs(12 * 3600);

/// A token.
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why a file holds no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("cannot read the token file `{path}`")]
    File { path: String, source: std::io::Error },
    #[error("the token in `{path}` is {what}")]
    Unfit { path: String, what: &'static str },
}

impl Token {
    /// The token in a file; a line break at its end does not belong to it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or what it holds is no token: too short, too long, or not one word.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| TokenError::File { path: name.clone(), source })?;
        Self::new(text.trim_end_matches(['\r', '\n'])).map_err(|what| TokenError::Unfit { path: name, what })
    }

    /// # Errors
    ///
    /// What is wrong with it, without saying it.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        match text {
            _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err("not one word of visible ASCII characters")
            }
            _ if text.len() < SHORTEST => Err("too short: 16 characters at least, better 43 of a random one"),
            _ if text.len() > LONGEST => Err("too long: 1,024 characters at most"),
            _ => Ok(Self(text.to_owned())),
        }
    }

    pub(super) fn is(&self, given: &str) -> bool {
        // Digests are of one length, whatever was given.
        same(&Sha256::digest(self.0.as_bytes()), &Sha256::digest(given.as_bytes()))
    }

    /// A cookie's value that is good until then: every replica with the same token takes it.
    pub(super) fn cookie(&self, until: Timestamp) -> String {
        let until = until.as_second();
        format!("{until}.{}", self.seal(until))
    }

    /// Was this cookie made by somebody who has the token, and is it still good?
    pub(super) fn takes(&self, cookie: &str, now: Timestamp) -> bool {
        let Some((until, seal)) = cookie.split_once('.') else { return false };
        let Ok(until) = until.parse::<i64>() else { return false };
        same(self.seal(until).as_bytes(), seal.as_bytes()) && now.as_second() < until
    }

    fn seal(&self, until: i64) -> String {
        let message = format!("baseline session until {until}");
        digest::hex(&digest::hmac(self.0.as_bytes(), message.as_bytes()))
    }
}

/// Are they equal? Every byte is looked at, whatever the first ones say.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && std::hint::black_box(a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789abcdef0123456789abcdef";

    fn token() -> Token {
        Token::new(TEXT).expect("a token")
    }

    #[test]
    fn a_cookie_is_good_until_it_ends_and_only_as_it_was_made() {
        let now = Timestamp::from_second(1_000_000).expect("a time");
        let cookie = token().cookie(Timestamp::from_second(1_000_060).expect("a time"));
        assert!(token().takes(&cookie, now));
        assert!(!token().takes(&cookie, Timestamp::from_second(1_000_060).expect("a time")), "it has ended");
        assert!(!token().takes(&cookie.replace("1000060", "2000060"), now), "made longer");
        assert!(!Token::new("another-token-of-somebody").expect("a token").takes(&cookie, now));
        for other in ["", ".", "1000060.", "1000060", "x.y", &cookie[..cookie.len() - 1]] {
            assert!(!token().takes(other, now), "{other}");
        }
        assert!(!cookie.contains(TEXT));
    }

    #[test]
    fn what_is_no_token_is_refused_without_saying_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        for (text, says) in [
            ("tiny", "too short"),
            ("0123456789 abcdef0123456789", "not one word"),
            ("-----BEGIN KEY-----\nabcdefgh\n", "not one word"),
            (&"x".repeat(1025), "too long"),
        ] {
            std::fs::write(&path, text).expect("written");
            let error = Token::read(&path).expect_err("refused").to_string();
            assert!(error.contains(says) && !error.contains(text), "{error}");
        }
        std::fs::write(&path, format!("{TEXT}\n")).expect("written");
        let read = Token::read(&path).expect("a token");
        assert!(read.is(TEXT) && !read.is(&TEXT[1..]) && !read.is(""));
        assert_eq!(format!("{read:?}"), "Token(…)");
        assert!(Token::read(&folder.path().join("none")).is_err());
    }
}
