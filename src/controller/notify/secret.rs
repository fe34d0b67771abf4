//! Secrets, from where the documents say they are kept. They are read when something is sent, so a new one needs no
//! restart, and nothing but what is wrong with one is ever said.

use crate::aws::web::Address;
use crate::desired::SecretFrom;

/// The longest secret, in bytes.
const LONGEST: u64 = 4096;

/// The program's environment, by name.
pub type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

pub(super) async fn read(from: &SecretFrom, environment: &Environment) -> Result<String, String> {
    let text = match from {
        SecretFrom::Env(name) => environment(name).ok_or_else(|| format!("{from} is not set"))?,
        SecretFrom::File(path) => {
            let told = |error: std::io::Error| format!("{from} cannot be read: {}", error.kind());
            let size = tokio::fs::metadata(path).await.map_err(told)?;
            if !size.is_file() || size.len() > LONGEST {
                return Err(format!("{from} holds no secret of at most {LONGEST} bytes"));
            }
            tokio::fs::read_to_string(path).await.map_err(told)?
        }
    };
    let text = text.trim();
    if text.is_empty() { Err(format!("{from} is empty")) } else { Ok(text.to_owned()) }
}

pub(super) async fn address(
    from: &SecretFrom,
    environment: &Environment,
    loopback: bool,
) -> Result<Address, String> {
    let text = read(from, environment).await?;
    Address::parse(&text, loopback).map_err(|why| format!("{from} holds no address that is used: {why}"))
}
