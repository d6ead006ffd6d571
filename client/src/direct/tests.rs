//! What is on the other side is hostile: it says anything, or nothing, as slowly as it likes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use protocol::api_versions::{ApiVersion, ApiVersionsResponse};
use protocol::{ApiKey, encode_response};

use super::*;
use crate::{Settings, TopicPartition};

/// Longer than anything here takes unless it hangs.
const HANGS: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "a peer is waited for in wall-clock time")]
pub(super) fn within(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

/// Listens, and does this with each connection, in a thread of its own.
pub(super) fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn open(address: SocketAddr, ms: u64) -> Connection {
    Connection::open(address, "localhost", &Settings::new("").with_client_id("test"), within(ms)).unwrap()
}

/// The next request, without its length.
pub(super) fn request(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame).ok()?;
    Some(frame)
}

/// An answer to `ApiVersions` that announces all that we speak.
pub(super) fn announces_all(correlation_id: i32) -> Vec<u8> {
    let announce = |key: &ApiKey| {
        let (min_version, max_version) = key.versions();
        ApiVersion { api_key: key.number(), min_version, max_version }
    };
    let api_keys = ApiKey::ALL.iter().map(announce).collect();
    let response = ApiVersionsResponse { api_keys, ..Default::default() };
    encode_response(ApiKey::ApiVersions, 0, correlation_id, &response).0
}

/// Does something in a thread, which must not hang.
fn in_time<T: Send + 'static>(does: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || drop(send.send(does())));
    receive.recv_timeout(HANGS).expect("it ends, and does not panic")
}

/// Asks everything there is to ask.
fn ask_everything(connection: &mut Connection) {
    let at = TopicPartition::new("t", 0);
    let _ = connection.cluster(None);
    let _ = connection.cluster(Some(&["t"]));
    let _ = connection.broker_setting(1, "node.id");
    let _ = connection.login_mechanisms();
    let _ = connection.log_dirs();
    let _ = connection.stored_bytes();
    let _ = connection.quorum();
    let _ = connection.eligible_leaders("t");
    let _ = connection.coordinator("g");
    let _ = connection.groups();
    let _ = connection.committed("g");
    let _ = connection.offsets("t", &[0, 1]);
    let _ = connection.create_topic_of_append_time("t");
    let _ = connection.append(&at, 0, b"key", b"value");
    let _ = connection.value_at(&at, 0);
    let _ = connection.delete_topic("t");
}

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.throw() % end as u64) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most);
        (0..length).map(|_| self.throw() as u8).collect()
    }
}

#[test]
fn random_answers_are_errors_and_nothing_hangs_or_panics() {
    let count = Arc::new(AtomicUsize::new(1));
    // Each request is answered with a frame of rubbish, which sometimes lies about its length or
    // about which request it answers, or with bytes that are no frame.
    let address = listen(move |mut stream| {
        let mut dice = Dice(count.fetch_add(1, Ordering::Relaxed) as u64 * 0x9e37_79b9_7f4a_7c15);
        let Some(first) = request(&mut stream) else { return };
        let mut answer = announces_all(i32::from_be_bytes(first[4..8].try_into().unwrap()));
        if dice.below(3) == 0 {
            let at = dice.below(answer.len());
            answer[at] ^= 1 << dice.below(8);
        }
        while stream.write_all(&answer).is_ok() {
            let Some(asked) = request(&mut stream) else { return };
            let body = dice.bytes(600);
            let lie = if dice.below(8) == 0 { dice.below(64) } else { 0 };
            answer = (body.len() as u32 + 4 + lie as u32).to_be_bytes().to_vec();
            answer.extend_from_slice(&asked[4..8]);
            answer.extend(body);
            if dice.below(16) == 0 {
                answer = dice.bytes(64);
            }
        }
    });
    in_time(move || {
        for _ in 0..300 {
            let mut connection = open(address, 50);
            if connection.greet().is_ok() {
                ask_everything(&mut connection);
            }
        }
    });
}

#[test]
fn who_trickles_bytes_is_cut_off_at_the_deadline() {
    let address = listen(|mut stream| {
        // A frame of a megabyte, a byte whenever the last has left.
        let _ = stream.write_all(&(1_u32 << 20).to_be_bytes());
        while stream.write_all(&[0]).is_ok() {
            thread::yield_now();
        }
    });
    let error = in_time(move || open(address, 100).greet().unwrap_err());
    assert!(
        matches!(error, CallError::TimedOut | CallError::Malformed(_) | CallError::NotKafka(_)),
        "{error:?}"
    );
}

#[test]
fn who_says_nothing_is_waited_for_until_the_deadline_and_can_be_waited_for_again() {
    let (send, receive) = mpsc::channel::<()>();
    let receive = std::sync::Mutex::new(receive);
    let address = listen(move |mut stream| {
        let asked = request(&mut stream).unwrap();
        let _ = receive.lock().unwrap().recv();
        let _ = stream.write_all(&announces_all(i32::from_be_bytes(asked[4..8].try_into().unwrap())));
    });
    let mut connection = open(address, 50);
    assert!(matches!(connection.greet(), Err(CallError::TimedOut)));
    send.send(()).unwrap();
    connection.set_deadline(within(HANGS.as_millis() as u64));
    connection.greeted().unwrap();
    assert!(connection.serves_clients());
}

#[test]
fn a_broker_that_hangs_up_and_a_port_without_one_are_told_apart() {
    let address = listen(|mut stream| drop(request(&mut stream)));
    assert!(matches!(open(address, 5_000).greet(), Err(CallError::HungUp)));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = Connection::open(closed, "localhost", &Settings::new(""), within(5_000));
    assert!(matches!(refused, Err(OpenError::Refused)), "{refused:?}");
}

#[test]
fn a_response_that_announces_too_much_is_not_read() {
    let address = listen(|mut stream| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let Err(CallError::NotKafka(said)) = open(address, 5_000).greet() else { panic!("it is not Kafka") };
    assert_eq!(Stranger::recognize(&said), Some(Stranger::Http));
}

#[test]
fn strangers_are_recognized() {
    for (said, who) in [
        (&b"\x15\x03\x03\x00\x02\x02\x28"[..], Stranger::Tls),
        (b"\x16\x03\x03\x00\x7a", Stranger::Tls),
        (b"HTTP/1.0 200 OK\r\n", Stranger::Http),
        (b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: WebSocket\r\n", Stranger::WebSocket),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Stranger::Ssh),
        (b"AMQP\x00\x00\x09\x01", Stranger::Amqp),
        (b"INFO {\"server_id\":", Stranger::Nats),
        (b"E\x00\x00\x00\x90SFATAL\x00VFATAL\x00C0A000\x00", Stranger::Postgres),
        (b"\x4a\x00\x00\x00\x0a8.0.33\x00", Stranger::MySql),
        (b"-ERR wrong number of arguments for 'get' command\r\n", Stranger::Redis),
        (b"-NOAUTH Authentication required.\r\n", Stranger::Redis),
        (b"Zookeeper version: 3.8.4", Stranger::ZooKeeper),
        (b"srvr is not executed because it is not in the whitelist.\n", Stranger::ZooKeeper),
        (b"220 mail ESMTP\r\n", Stranger::Mail),
    ] {
        assert_eq!(Stranger::recognize(said), Some(who), "{:?}", String::from_utf8_lossy(said));
    }
    for said in [&b""[..], b"\x00\x00\x00\x0a\x00\x00\x00\x01", b"hello", b"HTTP", b"E\x00\x00\x00\x10"] {
        assert_eq!(Stranger::recognize(said), None, "{:?}", String::from_utf8_lossy(said));
    }
}

#[test]
fn who_is_silent_is_asked_in_its_own_protocol() {
    let address = listen(|mut stream| {
        // As a ZooKeeper: it takes four bytes for a word or for a length.
        let mut word = [0; 4];
        let _ = stream.read_exact(&mut word);
        if &word == b"srvr" {
            let _ = stream.write_all(b"Zookeeper version: 3.9.2, built on 2024\n");
        }
    });
    assert_eq!(probe(address, within(5_000)), Some(Stranger::ZooKeeper));
}

/// As `openssl s_server`: while it waits for the rest of one client's hello, the others wait.
#[test]
fn who_serves_one_after_the_other_is_recognized() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 5];
            if stream.read_exact(&mut head).is_ok() && head[0] == 0x16 {
                let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]);
            }
        }
    });
    for _ in 0..3 {
        assert_eq!(probe(address, within(500)), Some(Stranger::Tls));
    }
}
