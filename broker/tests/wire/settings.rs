//! Settings of what is no topic.

use broker::{BrokerConfig, Cluster};
use protocol::ErrorCode;
use protocol::describe_configs::{
    BROKER, DescribeConfigsEntry, DescribeConfigsRequest, DescribeConfigsResource, SOURCE_STATIC_BROKER,
};
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};

use crate::client::{Client, batch, config};

fn describe(client: &mut Client, resource_type: i8, name: &str) -> Vec<DescribeConfigsEntry> {
    let resource =
        DescribeConfigsResource { resource_type, resource_name: name.into(), configuration_keys: None };
    let request =
        DescribeConfigsRequest { resources: vec![resource], include_synonyms: true, ..Default::default() };
    let mut results = client.call(4, &request).results;
    assert_eq!(results[0].error_code, ErrorCode::NONE, "{:?}", results[0].error_message);
    results.remove(0).configs
}

fn setting(client: &mut Client, resource_type: i8, resource: &str, name: &str) -> DescribeConfigsEntry {
    let all = describe(client, resource_type, resource);
    all.into_iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("{name} is not told"))
}

#[test]
fn a_broker_that_makes_no_topics_by_itself_says_so_and_makes_none() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let config = BrokerConfig { auto_create_topics: false, ..config(&data_dir) };
    let cluster = Cluster::start(config).unwrap();
    let mut client = Client::to(&cluster);
    let told = setting(&mut client, BROKER, "1", "auto.create.topics.enable");
    assert_eq!((told.value.as_deref(), told.config_source), (Some("false"), SOURCE_STATIC_BROKER));
    let topic = MetadataRequestTopic { name: Some("t".into()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    for version in [1, 13] {
        let told = client.call(version, &request).topics.remove(0);
        assert_eq!(told.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "version {version}");
    }
    let refused = client.produce("t", 0, batch(&["a"]));
    assert_eq!(refused.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    client.create_topic("t", 1, &[]);
    assert_eq!(client.call(13, &request).topics[0].error_code, ErrorCode::NONE);
}
