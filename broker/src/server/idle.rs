//! Clients that want nothing any more.
//!
//! As in Kafka a connection on which nothing has moved for `connections.max.idle.ms` is closed:
//! what it holds would be held for ever by a client that forgot it. A client that waits for an
//! answer is not idle, however long it waits.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long one connection has been silent.
#[derive(Debug)]
pub(super) struct Idle {
    limit: Duration,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Idle {
    /// A client that has just connected and may be silent for so long.
    pub(super) fn new(limit: Duration) -> Self {
        let since = Instant::now();
        Self { limit, since, timer: Box::pin(sleep_until(since + limit)) }
    }

    /// Something has moved.
    pub(super) fn ended(&mut self) {
        self.since = Instant::now();
    }

    /// Ready when the limit is over; this task is woken then. The timer is moved only when it
    /// fires: that costs less than to move it with each request.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let over = self.since + self.limit;
        while self.timer.as_mut().poll(cx).is_ready() {
            if self.timer.deadline() >= over {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(over);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic};
    use protocol::{decode_response, encode_request};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use crate::BrokerConfig;
    use crate::api::Endpoint;
    use crate::controller::{Placement, TopicConfig};
    use crate::log::{DiskStorage, Storage};
    use crate::node::{Node, random_uuid};
    use crate::server::clock::{self, Clock};
    use crate::server::connection::Connection;
    use crate::server::shared::Shared;
    use crate::server::stream::Stream;

    /// A fetch waits for a hundred times the limit. It has been sent before the broker looks at the
    /// connection, so that nothing here is a race; without a limit the end never comes.
    #[tokio::test]
    async fn who_waits_for_an_answer_is_not_idle_and_is_closed_after_it() {
        let data_dir = tempfile::TempDir::new().unwrap();
        let config = BrokerConfig { connections_max_idle_ms: 1, ..BrokerConfig::new(data_dir.path()) };
        let storage: Arc<dyn Storage> = Arc::new(DiskStorage);
        let clock = Clock::start();
        let node = Node::open(config, &storage, clock::random, clock.now_ms()).unwrap();
        let placement = Placement::Spread { partitions: 1, replication_factor: 1 };
        let id = random_uuid(clock::random);
        node.create_topic("t", id, &placement, TopicConfig::default()).unwrap();

        let partitions = vec![FetchPartition { partition_max_bytes: 1 << 20, ..Default::default() }];
        let topics = vec![FetchTopic { topic: "t".into(), partitions, ..Default::default() }];
        let fetch =
            FetchRequest { max_wait_ms: 100, min_bytes: 1, max_bytes: 1 << 20, topics, ..Default::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(&encode_request(12, 7, "test", &fetch)).await.unwrap();

        let (stream, _) = listener.accept().await.unwrap();
        let endpoint = Endpoint { listener: 0, host: "localhost".into(), port: 0 };
        let connection = Connection::new(
            Arc::new(Shared::new(node, clock)),
            Stream::Plain(stream),
            endpoint,
            "/127.0.0.1".into(),
        );
        let mut answer = Vec::new();
        let (served, read) = tokio::join!(connection.run(), client.read_to_end(&mut answer));
        served.unwrap();
        assert_eq!(read.unwrap(), answer.len());
        let answer = bytes::Bytes::from(answer).slice(4..);
        let (correlation_id, fetched) = decode_response::<FetchRequest>(12, answer).unwrap();
        assert_eq!((correlation_id, fetched.topics[0].partitions[0].high_watermark), (7, 0));
    }
}
