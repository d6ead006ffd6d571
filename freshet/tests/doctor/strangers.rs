//! Servers that are no Kafka, as far as the doctor gets with them, each on a free port of loopback.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// Listens, and does this with each connection. Its port.
pub(crate) fn listen(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Reads until this has come, or the other side hangs up.
fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => read.push(byte[0]),
            _ => break,
        }
    }
    read
}

/// Takes connections and says nothing until they are closed.
pub(crate) fn silent() -> u16 {
    listen(|mut stream| drop(stream.read_to_end(&mut Vec::new())))
}

/// Closes each connection at once, as docker's port forwarding does with nothing behind it.
pub(crate) fn hanging_up() -> u16 {
    listen(drop)
}

/// A web server with this answer to whatever it is asked.
pub(crate) fn http(answer: &'static str) -> u16 {
    listen(move |mut stream| {
        if read_until(&mut stream, b"\r\n\r\n").starts_with(b"GET ") {
            let _ = stream.write_all(answer.as_bytes());
        }
    })
}

/// Hangs up on what is no TLS. To a hello it has an alert, as a server that wants newer suites.
pub(crate) fn tls() -> u16 {
    listen(|mut stream| {
        let mut head = [0; 5];
        if stream.read_exact(&mut head).is_ok() && head[0] == 0x16 {
            let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            let _ = stream.read_exact(&mut hello);
            let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]);
        }
    })
}

/// Takes four bytes for a word or for a length.
pub(crate) fn zookeeper() -> u16 {
    listen(|mut stream| {
        let mut word = [0; 4];
        if stream.read_exact(&mut word).is_ok() && &word == b"srvr" {
            let _ = stream.write_all(
                b"Zookeeper version: 3.9.2-e454e8c7283100c7caec6dcae2bc82aaecb63023, built on 2024-02-12\n",
            );
        }
    })
}

/// Takes a frame of Kafka's for the start of a session, in a version that there is not.
pub(crate) fn postgres() -> u16 {
    listen(|mut stream| {
        let mut start = [0; 8];
        if stream.read_exact(&mut start).is_ok() && start[4..] != [0, 3, 0, 0] {
            let fields = b"SFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol 18.0: server supports 3.0 to 3.0\0\0";
            let length = u32::try_from(fields.len() + 4).unwrap();
            let _ = stream.write_all(&[b"E", &length.to_be_bytes()[..], fields].concat());
        }
    })
}

/// Takes each line for a command.
pub(crate) fn redis() -> u16 {
    listen(|mut stream| {
        if read_until(&mut stream, b"\r\n").starts_with(b"GET ") {
            let _ = stream.write_all(b"-ERR wrong number of arguments for 'get' command\r\n");
        }
    })
}

/// Speaks first, and something that nobody knows.
pub(crate) fn babbling() -> u16 {
    listen(|mut stream| {
        let _ = stream.write_all(b"welcome to my \x1b[31mserver\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// As `openssl s_server`: one client after the other, and of one that speaks no TLS it waits until
/// that has hung up, too.
pub(crate) fn tls_one_by_one() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 5];
            if stream.read_exact(&mut head).is_ok() && head[0] == 0x16 {
                let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]);
            }
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    port
}
