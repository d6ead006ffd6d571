//! Batches against an independent reader and writer (the `kafka-protocol`
//! crate), and against noise.

use bytes::{Bytes, BytesMut};
use kafka_protocol::records::{
    Compression as OracleCompression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID,
    NO_SEQUENCE, Record as OracleRecord, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions,
    TimestampType as OracleTimestampType,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Timestamp, key, value.
type Fields = (i64, Option<Vec<u8>>, Option<Vec<u8>>);

fn pairs() -> impl Strategy<Value = Vec<Fields>> {
    let bytes = || proptest::option::of(vec(any::<u8>(), 0..40));
    vec((0..2_000_000_000_000i64, bytes(), bytes()), 1..20)
}

fn build(pairs: &[Fields]) -> Bytes {
    let mut batch = BatchBuilder::new();
    for (timestamp_ms, key, value) in pairs {
        batch.push(*timestamp_ms, key.as_deref(), value.as_deref());
    }
    batch.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_independent_reader_understands_what_we_build(pairs in pairs()) {
        let read = RecordBatchDecoder::decode(&mut build(&pairs)).expect("the oracle reads it").records;
        prop_assert_eq!(read.len(), pairs.len());
        for (index, (record, (timestamp_ms, key, value))) in read.iter().zip(&pairs).enumerate() {
            prop_assert_eq!(record.offset, index as i64);
            prop_assert_eq!(record.timestamp, *timestamp_ms);
            prop_assert_eq!(record.key.as_deref(), key.as_deref());
            prop_assert_eq!(record.value.as_deref(), value.as_deref());
        }
    }

    #[test]
    fn we_understand_what_an_independent_writer_builds(pairs in pairs()) {
        let oracle: Vec<_> = pairs
            .iter()
            .enumerate()
            .map(|(index, (timestamp, key, value))| OracleRecord {
                transactional: false,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
                producer_id: NO_PRODUCER_ID,
                producer_epoch: NO_PRODUCER_EPOCH,
                timestamp_type: OracleTimestampType::Creation,
                offset: index as i64,
                sequence: NO_SEQUENCE.wrapping_add(index as i32),
                timestamp: *timestamp,
                key: key.clone().map(Bytes::from),
                value: value.clone().map(Bytes::from),
                headers: [("trace".to_owned().into(), Some(Bytes::from_static(b"7")))].into_iter().collect(),
            })
            .collect();
        let options = RecordEncodeOptions { version: 2, compression: OracleCompression::None };
        let mut bytes = BytesMut::new();
        RecordBatchEncoder::encode(&mut bytes, &oracle, &options).expect("the oracle writes it");
        // It may split what does not fit its idea of one batch, so all that it wrote is read.
        let (mut rest, mut seen) = (bytes.as_ref(), Vec::new());
        while !rest.is_empty() {
            let header = check_batch(rest).expect("right");
            for record in records(rest).expect("not compressed") {
                let record = record.expect("well-formed");
                prop_assert_eq!(&record.headers, &vec![Header { key: b"trace", value: Some(b"7") }]);
                seen.push((record.timestamp_ms, record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec)));
            }
            rest = &rest[header.total_len()..];
        }
        prop_assert_eq!(seen, pairs);
    }

    #[test]
    fn a_cut_or_changed_batch_is_refused(pairs in pairs(), place in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let bytes = build(&pairs);
        let place = place.index(bytes.len());
        prop_assert!(check_produced(&bytes[..place]).is_err());
        let mut changed = bytes.to_vec();
        changed[place] ^= flip;
        // Base offset and leader epoch are the broker's, and outside the checksum.
        let brokers = place < 8 || (12..16).contains(&place);
        prop_assert_eq!(check_produced(&changed).is_ok(), brokers);
    }

    #[test]
    fn noise_behind_a_right_header_is_an_error_and_no_panic(pairs in pairs(), noise in vec(any::<u8>(), 0..200)) {
        let mut bytes = build(&pairs).to_vec();
        bytes.truncate(HEADER_LEN);
        bytes.extend_from_slice(&noise);
        let length = (bytes.len() - LENGTH_PREFIX_LEN) as u32;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        let _ = records(&bytes).map(Iterator::count);
        let _ = records(&noise).map(Iterator::count);
    }
}

#[test]
fn a_partition_takes_exactly_one_batch_and_no_control_batch() {
    let one = build(&[(1, None, None)]);
    assert_eq!(check_produced(&[]), Err(BatchError::Empty));
    let two = [one.as_ref(), one.as_ref()].concat();
    assert_eq!(check_produced(&two), Err(BatchError::NotOneBatch { extra: one.len() }));
    let mut control = BatchBuilder::new().attributes(1 << 5);
    control.push(1, None, None);
    assert_eq!(check_produced(&control.finish()), Err(BatchError::Control));
    let mut unknown = BatchBuilder::new().attributes(7);
    unknown.push(1, None, None);
    assert_eq!(check_produced(&unknown.finish()), Err(BatchError::Compression { id: 7 }));
    let mut old = one.to_vec();
    old[16] = 1;
    assert_eq!(check_produced(&old), Err(BatchError::Magic { magic: 1 }));
}

#[test]
fn the_brokers_fields_change_nothing_else() {
    let batch = build(&[(1, None, Some(b"x".to_vec())), (2, None, None)]);
    let fields = BrokerFields { base_offset: Offset(41), partition_leader_epoch: LeaderEpoch(3) };
    let mut patched = batch.to_vec();
    fields.patch(&mut patched);
    let header = check_batch(&patched).unwrap();
    assert_eq!((header.base_offset, header.last_offset()), (Offset(41), Offset(42)));
    assert_eq!(header.partition_leader_epoch, LeaderEpoch(3));
    assert_eq!(patched[BrokerFields::LEN..], batch[BrokerFields::LEN..]);
    assert_eq!(patched[..BrokerFields::LEN], fields.encode(header.batch_length));
}
