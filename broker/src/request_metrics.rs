//! How long requests take, and how large they and their answers are, for Prometheus.
//!
//! Nothing is measured unless somebody asks for it ([`BrokerConfig`](crate::BrokerConfig)).
//!
//! # Simplifications
//! - One time for each request. Kafka tells its parts (in the queue, local, remote, on the way out)
//!   one by one; here it is all but what it waits for on purpose.

use std::fmt::{self, Write as _};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use protocol::ApiKey;

/// The upper bounds of the histogram's buckets, in seconds: most requests take microseconds, and
/// one that has to wait for the disk takes milliseconds.
const BUCKETS_S: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// What is measured of a broker's requests. A clone measures the same.
#[derive(Clone, Debug)]
pub struct RequestMetrics {
    took: Family<Name, Histogram>,
    request: Family<Name, Counter>,
    response: Family<Name, Counter>,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        Self {
            took: Family::new_with_constructor(|| Histogram::new(BUCKETS_S)),
            request: Family::default(),
            response: Family::default(),
        }
    }
}

impl RequestMetrics {
    /// Has a registry tell it.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "freshet_broker_request",
            "From the last byte of a request to its answer, without the time in which a fetch waits for records \
             and a join for the others of its group",
            Unit::Seconds,
            self.took.clone(),
        );
        registry.register_with_unit(
            "freshet_broker_request",
            "Bytes of requests, without their lengths",
            Unit::Bytes,
            self.request.clone(),
        );
        registry.register_with_unit(
            "freshet_broker_response",
            "Bytes of answers",
            Unit::Bytes,
            self.response.clone(),
        );
    }

    /// A request that was answered.
    pub(crate) fn observe(&self, key: ApiKey, took: Duration, request_bytes: usize, response_bytes: usize) {
        let name = Name(key);
        self.took.get_or_create(&name).observe(took.as_secs_f64());
        self.request.get_or_create(&name).inc_by(request_bytes as u64);
        self.response.get_or_create(&name).inc_by(response_bytes as u64);
    }
}

/// What a request is called by Kafka, as a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name(ApiKey);

impl EncodeLabelSet for Name {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let mut label = encoder.encode_label();
        let mut name = label.encode_label_key()?;
        name.write_str("request")?;
        let mut value = name.encode_label_value()?;
        write!(value, "{}", self.0)?;
        value.finish()
    }
}
