//! Asking a controller how it is.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use baseline::sandbox::World;

use super::shell::{Ran, Shell};

/// What the command says of somebody who gives this answer, and what it asked.
fn asked(answer: &'static str, more: &str) -> (Ran, String) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = socket.accept().expect("somebody");
        let mut request = [0_u8; 1024];
        let read = stream.read(&mut request).expect("read");
        stream.write_all(answer.as_bytes()).expect("written");
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let ran = Shell::new(World::default()).run(&format!("healthcheck --address {address} {more}"));
    (ran, serving.join().expect("served"))
}

#[test]
fn a_controller_that_is_well_is_0_and_any_other_is_1() {
    let (ran, request) = asked("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "");
    assert_eq!(ran.exits(0).out, "ok\n");
    assert!(request.starts_with("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
    let (ran, request) = asked("HTTP/1.1 503 Service Unavailable\r\n\r\nstopping", "--ready");
    ran.exits(1).says("error: /readyz answers 503: stopping");
    assert!(request.starts_with("GET /readyz "), "{request}");
    asked("hello\x1b[2J", "").0.exits(1).says("/healthz answers no HTTP");
    let shell = Shell::new(World::default());
    shell.run("healthcheck --address 127.0.0.1:1").exits(1).says("error: 127.0.0.1:1 does not answer");
    shell.run("healthcheck --address localhost").exits(64);
}
