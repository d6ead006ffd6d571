//! `DescribeConfigs`: the settings of topics and brokers.

use crate::ErrorCode;

request!(DescribeConfigs: DescribeConfigsRequest => DescribeConfigsResponse);

/// `resource_type` of a topic.
pub const TOPIC: i8 = 2;
/// `resource_type` of a broker.
pub const BROKER: i8 = 4;
/// `resource_type` of a broker's loggers.
pub const BROKER_LOGGER: i8 = 8;
/// `resource_type` of a subscription to clients' metrics.
pub const CLIENT_METRICS: i8 = 16;
/// `resource_type` of a group.
pub const GROUP: i8 = 32;

/// `config_source`: set on this topic.
pub const SOURCE_TOPIC: i8 = 1;
/// `config_source`: set on this broker while it ran.
pub const SOURCE_DYNAMIC_BROKER: i8 = 2;
/// `config_source`: set for all brokers while they ran.
pub const SOURCE_DYNAMIC_DEFAULT_BROKER: i8 = 3;
/// `config_source`: set when the broker was started.
pub const SOURCE_STATIC_BROKER: i8 = 4;
/// `config_source`: it is not set.
pub const SOURCE_DEFAULT: i8 = 5;
/// `config_source`: set on this subscription to clients' metrics.
pub const SOURCE_CLIENT_METRICS: i8 = 7;
/// `config_source`: set on this group.
pub const SOURCE_GROUP: i8 = 8;

messages! {
    /// Whose settings.
    pub struct DescribeConfigsRequest {
        resources: Vec<DescribeConfigsResource>,
        [1..] include_synonyms: bool,
        [3..] include_documentation: bool,
    }

    /// A topic by name or a broker by number, and which of its settings; null means all.
    pub struct DescribeConfigsResource {
        resource_type: i8,
        resource_name: String,
        configuration_keys: Option<Vec<String>>,
    }

    /// The settings.
    pub struct DescribeConfigsResponse {
        throttle_time_ms: i32,
        results: Vec<DescribeConfigsResult>,
    }

    /// The settings of one resource.
    pub struct DescribeConfigsResult {
        error_code: ErrorCode,
        error_message: Option<String>,
        resource_type: i8,
        resource_name: String,
        configs: Vec<DescribeConfigsEntry>,
    }

    /// One setting.
    pub struct DescribeConfigsEntry {
        name: String,
        value: Option<String>,
        read_only: bool,
        [0..=0] is_default: bool,
        [1..] config_source: i8 = -1,
        is_sensitive: bool,
        [1..] synonyms: Vec<DescribeConfigsSynonym>,
        [3..] config_type: i8,
        [3..] documentation: Option<String>,
    }

    /// Where else the value could have come from, most specific first.
    pub struct DescribeConfigsSynonym {
        name: String,
        value: Option<String>,
        source: i8,
    }
}
