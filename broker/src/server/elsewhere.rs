//! Requests that would hold up the thread that serves everybody.
//!
//! Most requests are answered in microseconds, where their bytes arrived. What may take
//! milliseconds (a request of megabytes is decoded and walked, a topic is made on the disk, a
//! kilobyte turns out to have a hundred megabytes of records in it) is handled on a thread of its
//! own, a few at a time, and fewer of those that may take much memory; its connection waits for it,
//! for requests are handled in their order.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::clock;
use super::shared::Shared;
use crate::api::{self, Answer, Endpoint, RequestError};
use crate::replica::ValidationBudget;

/// One end of a connection and the other, as far as requests ask for it.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) shared: Arc<Shared>,
    /// How the client reaches this broker.
    pub(super) endpoint: Endpoint,
    /// Where the client is.
    pub(super) client_host: String,
}

impl Peer {
    /// Handles one request, and tells others what it did to them.
    pub(super) fn handle(&self, frame: Bytes, budget: ValidationBudget) -> Result<Answer, RequestError> {
        let context = api::Context {
            node: &self.shared.node,
            now_ms: self.shared.clock.now_ms(),
            endpoint: &self.endpoint,
            client_host: &self.client_host,
            token: self.shared.next_token(),
            random: clock::random,
            budget,
        };
        let mut outcome = api::handle(&context, frame)?;
        self.shared.propagate(&mut outcome);
        Ok(outcome.answer)
    }
}

/// A request that is handled elsewhere. It is handled to its end also when its connection is gone.
pub(super) struct Elsewhere(JoinHandle<Result<Result<Answer, RequestError>, JoinError>>);

impl Elsewhere {
    /// Handles it when its turn comes. `place` is given back when it no longer takes memory, of
    /// which it has so many `shares`.
    pub(super) fn handle(peer: Peer, frame: Bytes, place: Option<OwnedSemaphorePermit>, shares: u32) -> Self {
        Self(tokio::spawn(async move {
            let shared = &peer.shared;
            let memory = taken(&shared.memory, shares).await;
            let turn = taken(&shared.elsewhere, 1).await;
            spawn_blocking(move || {
                let answer = peer.handle(frame, ValidationBudget::UNBOUNDED);
                drop((place, turn, memory));
                answer
            })
            .await
        }))
    }

    /// The answer; if there is none yet, this task is woken when there is.
    pub(super) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, RequestError>> {
        match ready!(Pin::new(&mut self.0).poll(cx)).and_then(|handled| handled) {
            Ok(answer) => Poll::Ready(answer),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and the connection's task with it.
                Err(_cancelled) => Poll::Pending,
            },
        }
    }
}

async fn taken(from: &Arc<Semaphore>, count: u32) -> OwnedSemaphorePermit {
    Arc::clone(from).acquire_many_owned(count).await.expect("it is never closed")
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Elsewhere").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use protocol::init_producer_id::InitProducerIdRequest;
    use protocol::metadata::MetadataRequest;
    use protocol::offset_for_leader_epoch::OffsetForLeaderEpochRequest;
    use protocol::produce::{PartitionData, ProduceRequest, TopicData};
    use protocol::records::{BatchBuilder, Compression};
    use protocol::{ErrorCode, Request, Uuid, decode_response, encode_request};
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::BrokerConfig;
    use crate::controller::{Placement, TopicConfig};
    use crate::log::{DiskStorage, Storage};
    use crate::node::Node;
    use crate::server::clock::Clock;
    use crate::server::connection::Connection;
    use crate::server::stream::Stream;

    async fn connect(shared: &Arc<Shared>) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let endpoint = Endpoint { listener: 0, host: "localhost".into(), port: 0 };
        tokio::spawn(
            Connection::new(Arc::clone(shared), Stream::Plain(stream), endpoint, "/127.0.0.1".into()).run(),
        );
        client
    }

    /// Reads an answer to a request of this kind, and tells which it answers.
    async fn answer<R: Request>(client: &mut TcpStream, version: i16) -> i32 {
        let mut frame = vec![0; client.read_i32().await.unwrap() as usize];
        client.read_exact(&mut frame).await.unwrap();
        decode_response::<R>(version, Bytes::from(frame)).unwrap().0
    }

    fn shared(data_dir: &TempDir) -> Arc<Shared> {
        let storage: Arc<dyn Storage> = Arc::new(DiskStorage);
        let clock = Clock::start();
        let config = BrokerConfig::new(data_dir.path());
        let node = Node::open(config, &storage, clock::random, clock.now_ms()).unwrap();
        Arc::new(Shared::new(node, clock))
    }

    /// A thousand producers that come together cost one change of threads, not a thousand.
    #[tokio::test]
    async fn a_producer_id_that_is_at_hand_is_given_where_it_is_asked_for() {
        const AT_ONCE: usize = 500;
        let data_dir = TempDir::new().unwrap();
        let shared = shared(&data_dir);
        let mut client = connect(&shared).await;
        let request = encode_request(4, 1, "test", &InitProducerIdRequest::default());
        client.write_all(&request).await.unwrap();
        assert_eq!(answer::<InitProducerIdRequest>(&mut client, 4).await, 1);
        let busy = shared.elsewhere.available_permits() as u32;
        let turns = Arc::clone(&shared.elsewhere).acquire_many_owned(busy).await.unwrap();
        client.write_all(&request.repeat(AT_ONCE)).await.unwrap();
        for _ in 0..AT_ONCE {
            assert_eq!(answer::<InitProducerIdRequest>(&mut client, 4).await, 1);
        }
        // The last of its thousand; the next waits for the disk, and with it for its turn.
        client.write_all(&request.repeat(1_000 - AT_ONCE)).await.unwrap();
        for _ in 0..999 - AT_ONCE {
            assert_eq!(answer::<InitProducerIdRequest>(&mut client, 4).await, 1);
        }
        let mut other = connect(&shared).await;
        let short = encode_request(2, 2, "test", &OffsetForLeaderEpochRequest::default());
        other.write_all(&short).await.unwrap();
        assert_eq!(answer::<OffsetForLeaderEpochRequest>(&mut other, 2).await, 2);
        let early = client.try_read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(early, Err(std::io::ErrorKind::WouldBlock), "a write where everybody waits for it");
        drop(turns);
        assert_eq!(answer::<InitProducerIdRequest>(&mut client, 4).await, 1);
    }

    /// A few kilobytes, of which megabytes come: nothing in their frame tells.
    #[tokio::test]
    async fn a_small_batch_with_much_in_it_holds_up_its_own_connection_and_no_other() {
        let data_dir = TempDir::new().unwrap();
        let shared = shared(&data_dir);
        let placement = Placement::Spread { partitions: 1, replication_factor: 1 };
        let mut gzip = TopicConfig::default();
        gzip.set("compression.type", "gzip").unwrap();
        for (topic, id, config) in [("bombs", 1, TopicConfig::default()), ("repacked", 2, gzip)] {
            shared.node.create_topic(topic, Uuid([id; 16]), &placement, config).unwrap();
        }
        let records = |compression, len| {
            let mut batch = BatchBuilder::new().compression(compression);
            batch.push(shared.clock.now_ms(), None, Some(&vec![0; len]));
            batch.finish()
        };
        let produce = |topic: &str, records| {
            let data = PartitionData { index: 0, records: Some(records) };
            let topics = vec![TopicData { name: topic.into(), partitions: vec![data] }];
            let request = ProduceRequest { acks: -1, timeout_ms: 1_000, topics, ..Default::default() };
            encode_request(9, 1, "test", &request)
        };
        let busy = shared.elsewhere.available_permits() as u32;
        let turns = Arc::clone(&shared.elsewhere).acquire_many_owned(busy).await.unwrap();
        let large = [
            ("bombs", records(Compression::Zstd, 2 << 20)),
            ("repacked", records(Compression::None, 100_000)),
        ];
        let mut waiting = Vec::new();
        for (topic, records) in large {
            let mut client = connect(&shared).await;
            client.write_all(&produce(topic, records)).await.unwrap();
            waiting.push(client);
        }
        // Small ones go to the same partitions meanwhile, and before them.
        let mut other = connect(&shared).await;
        for topic in ["bombs", "repacked"] {
            other.write_all(&produce(topic, records(Compression::Zstd, 1_000))).await.unwrap();
            assert_eq!(answer::<ProduceRequest>(&mut other, 9).await, 1);
        }
        drop(turns);
        for client in &mut waiting {
            let mut frame = vec![0; client.read_i32().await.unwrap() as usize];
            client.read_exact(&mut frame).await.unwrap();
            let (_, response) = decode_response::<ProduceRequest>(9, Bytes::from(frame)).unwrap();
            let partition = &response.topics[0].partitions[0];
            assert_eq!((partition.error_code, partition.base_offset), (ErrorCode::NONE, 1));
        }
    }

    /// The threads are all busy, as with requests that never end; nothing here waits for a time.
    #[tokio::test]
    async fn what_takes_long_holds_up_its_own_connection_and_no_other() {
        let data_dir = TempDir::new().unwrap();
        let shared = shared(&data_dir);
        let busy = shared.elsewhere.available_permits() as u32;
        let turns = Arc::clone(&shared.elsewhere).acquire_many_owned(busy).await.unwrap();

        let long = encode_request(5, 1, "test", &MetadataRequest::default());
        let short = encode_request(2, 2, "test", &OffsetForLeaderEpochRequest::default());
        let mut first = connect(&shared).await;
        first.write_all(&[long, short.clone()].concat()).await.unwrap();
        let mut second = connect(&shared).await;
        // Both are looked at, in whichever order, before the second is answered a second time.
        for _ in 0..2 {
            second.write_all(&short).await.unwrap();
            assert_eq!(answer::<OffsetForLeaderEpochRequest>(&mut second, 2).await, 2);
        }
        let early = first.try_read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(early, Err(std::io::ErrorKind::WouldBlock), "an answer before its turn");
        drop(turns);
        assert_eq!(answer::<MetadataRequest>(&mut first, 5).await, 1);
        assert_eq!(answer::<OffsetForLeaderEpochRequest>(&mut first, 2).await, 2);
    }
}
