//! `baseline healthcheck`

use std::net::SocketAddr;

#[derive(Debug, clap::Args)]
pub struct Healthcheck {
    /// Where `run --listen` serves
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub address: SocketAddr,
    /// Ask whether it is ready, rather than whether it is alive
    #[arg(long)]
    pub ready: bool,
}
