//! Batches against an independent reader and writer (the `kafka-protocol`
//! crate), and against noise.

use std::ops::ControlFlow;

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
    build_with(Compression::None, pairs)
}

fn build_with(compression: Compression, pairs: &[Fields]) -> Bytes {
    let mut batch = BatchBuilder::new().compression(compression);
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
        // Base offset and leader epoch are the broker's, and outside the checksum; a producer
        // leaves the first at 0.
        let brokers = (12..16).contains(&place);
        prop_assert_eq!(check_produced(&changed).is_ok(), brokers);
        prop_assert_eq!(check_batch(&changed).is_ok(), brokers || place < 8);
    }

    #[test]
    fn a_walk_sees_every_record_whatever_they_are_compressed_with(pairs in pairs(), long in 0..50_000usize) {
        let mut pairs = pairs;
        pairs.insert(pairs.len() / 2, (7, None, Some(vec![b'x'; long])));
        for compression in Compression::ALL {
            let batch = build_with(compression, &pairs);
            let header = check_produced(&batch).expect("right");
            let mut seen = Vec::new();
            let ended = walk(&batch, &header, |record| {
                seen.push((record.index, record.offset_delta, record.timestamp_ms, record.has_key));
                ControlFlow::<()>::Continue(())
            });
            prop_assert_eq!(ended, Ok(None));
            let expected: Vec<_> =
                (0..).zip(&pairs).map(|(index, (ts, key, _))| (index, index, *ts, key.is_some())).collect();
            prop_assert_eq!(seen, expected, "{:?}", compression);
        }
    }

    #[test]
    fn a_walk_says_the_same_of_broken_records_whatever_they_are_compressed_with(
        pairs in pairs(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        count in -1..25i32,
    ) {
        let mut plain = build(&pairs)[HEADER_LEN..].to_vec();
        for (place, byte) in changes {
            let place = place.index(plain.len());
            plain[place] = byte;
        }
        let said: Vec<_> = Compression::ALL.map(|compression| walk_bytes(compression, &plain, count)).into();
        for one in &said[1..] {
            prop_assert_eq!(one, &said[0]);
        }
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
        for compression in 0..=7u8 {
            bytes[22] = compression;
            let header = BatchHeader::parse(&bytes).expect("a header");
            let _ = walk(&bytes, &header, |_| ControlFlow::<()>::Continue(()));
        }
    }
}

/// What a walk says of these bytes as the records of a batch: how many it saw, and how it ended.
fn walk_bytes(compression: Compression, plain: &[u8], count: i32) -> (usize, Result<(), RecordError>) {
    let mut one = BatchBuilder::new().compression(compression);
    one.push(0, None, None);
    let mut batch = one.finish()[..HEADER_LEN].to_vec();
    batch.extend_from_slice(&codec::compress(compression, plain));
    let length = (batch.len() - LENGTH_PREFIX_LEN) as i32;
    let header = BatchHeader::parse(&batch).expect("a header");
    let header = BatchHeader { records_count: count, batch_length: length, ..header };
    let mut seen = 0;
    let ended = walk(&batch, &header, |_| {
        seen += 1;
        ControlFlow::<()>::Continue(())
    });
    let ended = match ended {
        Ok(_) => Ok(()),
        Err(RecordError::EndlessLength { index }) => Err(RecordError::Malformed { index }),
        Err(error) => Err(error),
    };
    (seen, ended)
}

#[test]
fn a_walk_ends_when_it_is_told_to() {
    let batch = build_with(Compression::Zstd, &[(1, None, None), (2, None, None), (3, None, None)]);
    let header = check_produced(&batch).unwrap();
    let mut seen = 0;
    let found = walk(&batch, &header, |record| {
        seen += 1;
        if record.timestamp_ms == 2 { ControlFlow::Break(record.index) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((found, seen), (Ok(Some(1)), 2));
}

/// All is there but a byte at the end, or more than there is.
#[test]
fn a_record_is_as_long_as_it_says() {
    let plain = build(&[(0, None, Some(b"value".to_vec()))])[HEADER_LEN..].to_vec();
    for compression in Compression::ALL {
        assert_eq!(walk_bytes(compression, &plain, 1), (1, Ok(())), "{compression:?}");
        for length in (0..30).filter(|length| *length != plain.len() - 1) {
            let mut lie = Vec::new();
            varint::put(&mut lie, length as i64);
            lie.extend_from_slice(&plain[1..]);
            let (seen, ended) = walk_bytes(compression, &lie, 1);
            assert_eq!(
                (seen, ended),
                (0, Err(RecordError::Malformed { index: 0 })),
                "{compression:?} {length}"
            );
        }
    }
}

/// Also where every record is there and only the codec's own end is missing: librdkafka never comes
/// back from a gzip stream like that, so none may get into a log.
#[test]
fn a_batch_whose_compressed_bytes_are_cut_short_is_refused() {
    let value = |n: u8| Some((0..100).map(|at: u8| at.wrapping_mul(n)).collect::<Vec<u8>>());
    for compression in Compression::ALL {
        let batch = build_with(compression, &[(1, None, value(3)), (2, None, value(7)), (3, None, None)]);
        let whole = BatchHeader::parse(&batch).expect("a header");
        for cut in HEADER_LEN..batch.len() {
            let length = (cut - LENGTH_PREFIX_LEN) as i32;
            let header = BatchHeader { batch_length: length, ..whole };
            let ended = walk(&batch[..cut], &header, |_| ControlFlow::<()>::Continue(()));
            assert!(ended.is_err(), "{compression:?}: {cut} of {} bytes are taken", batch.len());
        }
    }
}

/// One record of more zeros than are allowed, in a few kilobytes: it ends there, and not at the
/// record's end.
#[test]
fn a_bomb_is_ended() {
    let mut bomb = BatchBuilder::new().compression(Compression::Zstd);
    bomb.push(0, None, Some(&vec![0; MAX_RECORDS_BYTES]));
    let batch = bomb.finish();
    assert!(batch.len() < 20_000, "{} bytes", batch.len());
    let header = check_produced(&batch).unwrap();
    let ended = walk(&batch, &header, |_| ControlFlow::<()>::Continue(()));
    assert_eq!(ended, Err(RecordError::TooLarge { max: MAX_RECORDS_BYTES }));
}
