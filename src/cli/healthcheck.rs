//! `baseline healthcheck`: what asks a controller how it is, where there is no shell that could.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::Stop;
use super::args::Healthcheck;
use super::io::Io;
use crate::plan::Exit;
use crate::report::escape::escape;

/// Whoever waits longer has its answer.
const WITHIN: Duration = Duration::from_secs(5);

/// As much of an answer as is told.
const TOLD: usize = 200;

pub(super) fn run(args: &Healthcheck, io: &mut Io) -> Result<Exit, Stop> {
    let path = if args.ready { "/readyz" } else { "/healthz" };
    let (status, body) = ask(args, path).map_err(|error| {
        Stop::failed(anyhow::Error::new(error).context(format!("{} does not answer", args.address)))
    })?;
    let body: String = body.trim().chars().take(TOLD).collect();
    if status == Some(200) {
        io.out(&format!("{}\n", escape(&body)));
        return Ok(Exit::Done);
    }
    let status = status.map_or_else(|| "no HTTP".to_owned(), |status| status.to_string());
    Err(Stop::failed(anyhow::Error::msg(format!("{path} answers {status}: {body}"))))
}

fn ask(args: &Healthcheck, path: &str) -> std::io::Result<(Option<u16>, String)> {
    let mut stream = TcpStream::connect_timeout(&args.address, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", args.address);
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut bytes)?;
    let answer = String::from_utf8_lossy(&bytes);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    Ok((status, body.to_owned()))
}
