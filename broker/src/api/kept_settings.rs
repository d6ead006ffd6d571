//! Settings of groups and of subscriptions to clients' metrics: taken, checked and told as by
//! Kafka, and without effect. Groups follow the classic protocol, whose settings are the members'
//! own, and clients are asked for no metrics.

use protocol::ErrorCode;

use super::configs::Refusal;
use crate::controller::SettingKind;

/// A setting without effect.
pub(super) struct KeptSetting {
    pub(super) name: &'static str,
    /// What the broker's own setting is called that is the default, if there is one.
    pub(super) broker_name: Option<&'static str>,
    pub(super) kind: SettingKind,
    pub(super) default: &'static str,
    pub(super) documentation: &'static str,
    is_good: fn(&str) -> bool,
    expected: &'static str,
    /// What Kafka answers to a value that is none.
    refusal: ErrorCode,
}

impl KeptSetting {
    /// The setting of that name.
    pub(super) fn find(settings: &'static [Self], name: &str) -> Option<&'static Self> {
        settings.iter().find(|setting| setting.name == name)
    }

    /// A good value as Kafka writes it.
    pub(super) fn checked(&self, value: &str) -> Result<String, Refusal> {
        let value = value.trim();
        if (self.is_good)(value) {
            return Ok(value.to_owned());
        }
        let message = format!("{value:?} is no value for {}: {}", self.name, self.expected);
        Err(Refusal::new(self.refusal, message))
    }
}

const fn of_group(
    name: &'static str,
    broker_name: &'static str,
    kind: SettingKind,
    default: &'static str,
    expected: &'static str,
    is_good: fn(&str) -> bool,
) -> KeptSetting {
    KeptSetting {
        name,
        broker_name: Some(broker_name),
        kind,
        default,
        documentation: "Kept without effect: groups follow the classic protocol.",
        is_good,
        expected,
        refusal: ErrorCode::INVALID_CONFIG,
    }
}

fn number(value: &str, min: i32, max: i32) -> bool {
    value.parse().is_ok_and(|number| (min..=max).contains(&number))
}

fn flag(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

const SESSION: (&str, fn(&str) -> bool) =
    ("milliseconds, 45000 to 60000", |value| number(value, 45_000, 60_000));
const HEARTBEAT: (&str, fn(&str) -> bool) =
    ("milliseconds, 5000 to 15000", |value| number(value, 5_000, 15_000));
const ASSIGNMENT: (&str, fn(&str) -> bool) = ("milliseconds, 0 to 15000", |value| number(value, 0, 15_000));

/// Those of groups, by name.
#[rustfmt::skip]
pub(super) const GROUP_SETTINGS: &[KeptSetting] = {
    use SettingKind::{Boolean, Int, String};
    &[
        of_group("consumer.assignment.interval.ms", "group.consumer.assignment.interval.ms", Int, "1000", ASSIGNMENT.0, ASSIGNMENT.1),
        of_group("consumer.heartbeat.interval.ms", "group.consumer.heartbeat.interval.ms", Int, "5000", HEARTBEAT.0, HEARTBEAT.1),
        of_group("consumer.session.timeout.ms", "group.consumer.session.timeout.ms", Int, "45000", SESSION.0, SESSION.1),
        of_group("share.assignment.interval.ms", "group.share.assignment.interval.ms", Int, "1000", ASSIGNMENT.0, ASSIGNMENT.1),
        of_group("share.auto.offset.reset", "share.auto.offset.reset", String, "latest", "earliest, latest or by_duration:DURATION",
            |value| ["earliest", "latest"].contains(&value) || value.starts_with("by_duration:P")),
        of_group("share.delivery.count.limit", "group.share.delivery.count.limit", Int, "5", "2 to 10", |value| number(value, 2, 10)),
        of_group("share.heartbeat.interval.ms", "group.share.heartbeat.interval.ms", Int, "5000", HEARTBEAT.0, HEARTBEAT.1),
        of_group("share.isolation.level", "share.isolation.level", String, "read_uncommitted", "read_committed or read_uncommitted",
            |value| ["read_committed", "read_uncommitted"].contains(&value)),
        of_group("share.partition.max.record.locks", "group.share.partition.max.record.locks", Int, "2000", "100 to 4000",
            |value| number(value, 100, 4_000)),
        of_group("share.record.lock.duration.ms", "group.share.record.lock.duration.ms", Int, "30000", "milliseconds, 15000 to 60000",
            |value| number(value, 15_000, 60_000)),
        of_group("share.renew.acknowledge.enable", "share.renew.acknowledge.enable", Boolean, "true", "true or false", flag),
        of_group("share.session.timeout.ms", "group.share.session.timeout.ms", Int, "45000", SESSION.0, SESSION.1),
        of_group("streams.assignment.interval.ms", "group.streams.assignment.interval.ms", Int, "1000", ASSIGNMENT.0, ASSIGNMENT.1),
        of_group("streams.heartbeat.interval.ms", "group.streams.heartbeat.interval.ms", Int, "5000", HEARTBEAT.0, HEARTBEAT.1),
        of_group("streams.initial.rebalance.delay.ms", "group.streams.initial.rebalance.delay.ms", Int, "3000", "milliseconds, 0 or more",
            |value| number(value, 0, i32::MAX)),
        of_group("streams.num.standby.replicas", "group.streams.num.standby.replicas", Int, "0", "0 to 2", |value| number(value, 0, 2)),
        of_group("streams.session.timeout.ms", "group.streams.session.timeout.ms", Int, "45000", SESSION.0, SESSION.1),
    ]
};

const NO_METRICS: &str = "Kept without effect: clients are asked for no metrics.";

/// What a subscription may choose clients by.
const MATCHED: [&str; 6] = [
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Those of subscriptions to clients' metrics, by name.
pub(super) const CLIENT_METRICS_SETTINGS: &[KeptSetting] = &[
    KeptSetting {
        name: "interval.ms",
        broker_name: None,
        kind: SettingKind::Int,
        default: "300000",
        documentation: NO_METRICS,
        is_good: |value| number(value, 100, 3_600_000),
        expected: "milliseconds, 100 to 3600000",
        refusal: ErrorCode::INVALID_REQUEST,
    },
    KeptSetting {
        name: "match",
        broker_name: None,
        kind: SettingKind::List,
        default: "",
        documentation: NO_METRICS,
        is_good: |value| {
            let is_match =
                |part: &str| part.split_once('=').is_some_and(|(name, _)| MATCHED.contains(&name.trim()));
            value.is_empty() || value.split(',').all(is_match)
        },
        expected: "client_id=PATTERN and the like",
        refusal: ErrorCode::INVALID_CONFIG,
    },
    KeptSetting {
        name: "metrics",
        broker_name: None,
        kind: SettingKind::List,
        default: "",
        documentation: NO_METRICS,
        is_good: |_| true,
        expected: "prefixes of metrics' names",
        refusal: ErrorCode::INVALID_CONFIG,
    },
];
