//! What a program says of the same thing that happens again and again.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]
#![expect(clippy::disallowed_methods, reason = "a line a second is a matter of wall-clock time")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Instant;

use common::{PATIENCE, freshet, lines};

/// The length of a request of two gigabytes, which no broker reads.
const GARBAGE: [u8; 4] = i32::MAX.to_be_bytes();

#[test]
fn a_client_that_sends_garbage_again_and_again_makes_a_line_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = freshet()
        .args(["broker", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let first = lines(broker.stdout.take().unwrap()).recv_timeout(PATIENCE).expect("where it listens");
    let address = first.rsplit(' ').next().unwrap().to_owned();
    let said = lines(broker.stderr.take().unwrap());

    let (began, mut sent) = (Instant::now(), 0);
    let mut written: Vec<String> = Vec::new();
    while !written.iter().any(|line| line.starts_with("(and ")) {
        assert!(began.elapsed() < PATIENCE, "{sent} were sent, and no count was written: {written:?}");
        let mut client = TcpStream::connect(&address).unwrap();
        client.write_all(&GARBAGE).unwrap();
        // Until the broker has hung up, and so has said why.
        let _ = client.read(&mut [0; 16]);
        sent += 1;
        written.extend(said.try_iter());
    }
    broker.kill().unwrap();
    broker.wait().unwrap();
    let warnings = written.iter().filter(|line| line.contains("connection closed")).count();
    let seconds = began.elapsed().as_secs() as usize;
    assert!(warnings <= seconds + 2, "{warnings} lines in {seconds} s for {sent} clients: {written:?}");
    let count = written.iter().find_map(|line| line.strip_prefix("(and ")?.split(' ').next()?.parse().ok());
    let count: usize = count.unwrap_or_else(|| panic!("a number: {written:?}"));
    assert!(count > 0 && count < sent, "{count} of {sent}");
}
