//! How long the request takes that is on its way through a connection.

use std::time::Duration;

use protocol::ApiKey;
use tokio::time::Instant;

use crate::BrokerConfig;
use crate::api::Frame;

/// One request, from when it was whole. While it is parked, its time stands still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measurement {
    key: ApiKey,
    request_bytes: usize,
    /// What it took before it was parked.
    before: Duration,
    since: Instant,
}

impl Measurement {
    /// Begins with a frame, if anybody wants to know.
    pub(super) fn begin(config: &BrokerConfig, frame: &[u8]) -> Option<Self> {
        config.request_metrics.as_ref()?;
        let key = ApiKey::from_number(i16::from_be_bytes(*frame.first_chunk()?))?;
        Some(Self { key, request_bytes: frame.len(), before: Duration::ZERO, since: Instant::now() })
    }

    /// It is parked.
    pub(super) fn park(self) -> Self {
        Self { before: self.since.elapsed(), ..self }
    }

    /// It may be answered now.
    pub(super) fn resume(self) -> Self {
        Self { since: Instant::now(), ..self }
    }

    /// It is answered, or needs no answer.
    pub(super) fn end(self, config: &BrokerConfig, answer: Option<&Frame>) {
        if let Some(metrics) = &config.request_metrics {
            let took = self.before + self.since.elapsed();
            metrics.observe(self.key, took, self.request_bytes, answer.map_or(0, Frame::size));
        }
    }
}
