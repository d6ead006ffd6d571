//! Committed offsets as records of `__consumer_offsets`.
//!
//! ```text
//! key    version (2 bytes, 1), group (length 2, bytes), topic (length 2, bytes), partition (4)
//! value  version (2 bytes, 3), offset (8), leader epoch (4, -1: none), metadata (length 2, bytes),
//!        commit timestamp (8, ms since 1970); no value: the offset was deleted
//! ```
//! Kafka's own form (`OffsetCommitKey.json`, `OffsetCommitValue.json`), so that its dump tool reads
//! it. Value versions 1 and 2, which older brokers wrote, are read as well.

use bytes::{Buf, BufMut};
use protocol::records::{LeaderEpoch, Offset};

use crate::log::TopicPartition;

const KEY_VERSION: i16 = 1;
const VALUE_VERSION: i16 = 3;

/// How far a group has come in one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next record it wants.
    pub offset: Offset,
    /// Leader epoch of the last record it read, if it said so.
    pub leader_epoch: Option<LeaderEpoch>,
    /// Whatever the consumer wants to find again.
    pub metadata: String,
    /// When, ms since 1970.
    pub commit_timestamp_ms: i64,
}

/// Strings have two length bytes; longer ones are refused before they get here.
fn put_string(bytes: &mut Vec<u8>, text: &str) {
    bytes.put_i16(i16::try_from(text.len()).expect("names and metadata are shorter than 32 KB"));
    bytes.put_slice(text.as_bytes());
}

pub(super) fn encode_key(group_id: &str, partition: &TopicPartition) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(12 + group_id.len() + partition.topic.len());
    bytes.put_i16(KEY_VERSION);
    put_string(&mut bytes, group_id);
    put_string(&mut bytes, &partition.topic);
    bytes.put_i32(partition.partition);
    bytes
}

pub(super) fn encode_value(committed: &CommittedOffset) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24 + committed.metadata.len());
    bytes.put_i16(VALUE_VERSION);
    bytes.put_i64(committed.offset.0);
    bytes.put_i32(committed.leader_epoch.map_or(-1, |epoch| epoch.0));
    put_string(&mut bytes, &committed.metadata);
    bytes.put_i64(committed.commit_timestamp_ms);
    bytes
}

/// `None` for keys that speak of something else.
pub(super) fn decode_key(mut bytes: &[u8]) -> Option<(String, TopicPartition)> {
    // Version 0 had the same fields.
    if !(0..=KEY_VERSION).contains(&bytes.try_get_i16().ok()?) {
        return None;
    }
    let group_id = get_string(&mut bytes)?;
    let topic = get_string(&mut bytes)?;
    let partition = bytes.try_get_i32().ok()?;
    Some((group_id, TopicPartition::new(topic, partition)))
}

/// `None` for values that can't be read.
pub(super) fn decode_value(mut bytes: &[u8]) -> Option<CommittedOffset> {
    let version = bytes.try_get_i16().ok()?;
    if !(1..=VALUE_VERSION).contains(&version) {
        return None;
    }
    let offset = Offset(bytes.try_get_i64().ok()?);
    let leader_epoch = if version >= 3 { bytes.try_get_i32().ok()? } else { -1 };
    let metadata = get_string(&mut bytes)?;
    let commit_timestamp_ms = bytes.try_get_i64().ok()?;
    let leader_epoch = (leader_epoch >= 0).then_some(LeaderEpoch(leader_epoch));
    Some(CommittedOffset { offset, leader_epoch, metadata, commit_timestamp_ms })
}

fn get_string(bytes: &mut &[u8]) -> Option<String> {
    let len = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
    let (text, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_come_back_and_cut_ones_do_not() {
        let partition = TopicPartition::new("clicks", 7);
        let key = encode_key("eta", &partition);
        assert_eq!(decode_key(&key), Some(("eta".to_owned(), partition)));
        let committed = CommittedOffset {
            offset: Offset(41),
            leader_epoch: Some(LeaderEpoch(2)),
            metadata: "hour 7".to_owned(),
            commit_timestamp_ms: 1_700_000_000_000,
        };
        let value = encode_value(&committed);
        assert_eq!(decode_value(&value), Some(committed));
        for end in 0..key.len() {
            assert_eq!(decode_key(&key[..end]), None, "key cut to {end}");
        }
        for end in 0..value.len() {
            assert_eq!(decode_value(&value[..end]), None, "value cut to {end}");
        }
    }
}
