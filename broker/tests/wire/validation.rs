//! What no consumer could read is not taken, and what is taken says the right times. The codes are
//! those of an Apache Kafka 4.3 to the same bytes; `make clients` asks it (`batches.py`).

use bytes::Bytes;
use protocol::describe_configs::{BROKER, TOPIC};
use protocol::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic, MAX_TIMESTAMP as LARGEST,
};
use protocol::produce::PartitionResponse;
use protocol::records::{
    BatchBuilder, Compression, HEADER_LEN, LENGTH_PREFIX_LEN, ProducerStamp, TimestampType, checksum, codec,
};
use protocol::{ErrorCode, records as batches};

use crate::client::{Client, batch, fetch, records, start};
use crate::settings::alter;

const CODECS: [Compression; 4] =
    [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

/// Three records, a second apart.
fn three(compression: Compression) -> Vec<u8> {
    let mut batch = BatchBuilder::new().compression(compression);
    for second in 0..3 {
        batch.push(second * 1_000, None, Some(b"value"));
    }
    batch.finish().to_vec()
}

/// The batch with other bytes behind its header.
fn holding(compression: Compression, payload: &[u8]) -> Vec<u8> {
    mended([&three(compression)[..HEADER_LEN], payload].concat())
}

/// The batch with another 32-bit number at this place of its header.
fn with(mut batch: Vec<u8>, at: usize, number: i32) -> Vec<u8> {
    batch[at..at + 4].copy_from_slice(&number.to_be_bytes());
    mended(batch)
}

/// With the length and the checksum that it should have.
fn mended(mut batch: Vec<u8>) -> Vec<u8> {
    let length = (batch.len() - LENGTH_PREFIX_LEN) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = checksum(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

fn produce(client: &mut Client, batch: Vec<u8>) -> PartitionResponse {
    client.produce("t", 0, Bytes::from(batch))
}

const LAST_DELTA_AT: usize = 23;
const COUNT_AT: usize = 57;

#[test]
fn what_no_consumer_could_read_is_refused_as_kafka_refuses_it() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let mut refused = |what: &str, batch: Vec<u8>, code: ErrorCode| {
        let answer = produce(&mut client, batch);
        assert_eq!(answer.error_code, code, "{what}: {:?}", answer.error_message);
        assert!(answer.error_message.is_some_and(|message| !message.is_empty()), "{what}");
    };
    let (invalid, unknown) = (ErrorCode::INVALID_RECORD, ErrorCode::UNKNOWN_SERVER_ERROR);
    for compression in CODECS {
        let packed = &three(compression)[HEADER_LEN..];
        refused("no such form", holding(compression, b"no such thing"), unknown);
        refused("half of it", holding(compression, &packed[..packed.len() / 2]), unknown);
        refused("a byte more", holding(compression, &[packed, b"x"].concat()), unknown);
        let junk = codec::compress(compression, &[0xff; 50]);
        refused("junk inside", holding(compression, &junk), invalid);
    }
    for compression in Compression::ALL {
        let good = || three(compression);
        refused("count too large", with(good(), COUNT_AT, 4), invalid);
        refused("count too small", with(good(), COUNT_AT, 2), invalid);
        refused(
            "count and offsets",
            with(with(good(), COUNT_AT, 1_000_000), LAST_DELTA_AT, 999_999),
            invalid,
        );
        refused("one more than there are", with(with(good(), COUNT_AT, 4), LAST_DELTA_AT, 3), invalid);
        refused("one fewer", with(with(good(), COUNT_AT, 2), LAST_DELTA_AT, 1), invalid);
        refused("negative", with(good(), COUNT_AT, -5), invalid);
        refused("none", with(with(good(), COUNT_AT, 0), LAST_DELTA_AT, -1), invalid);
        refused("placed already", [&[0, 0, 0, 0, 0, 0, 0, 5], &good()[8..]].concat(), invalid);
        let mut transactional = good();
        transactional[22] |= 1 << 4;
        refused("in a transaction", mended(transactional), ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    let uncounted = codec::compress(Compression::Lz4, b"\x0c\0\0\0\x01\x01\0".repeat(3).as_slice());
    refused("offsets that don't count", holding(Compression::Lz4, &uncounted), invalid);
    refused("a length without an end", holding(Compression::None, &[0xff; 50]), unknown);
    let mut unheard_of = three(Compression::None);
    unheard_of[22] = 5;
    refused("codec 5", mended(unheard_of), unknown);
    let mut old = three(Compression::None);
    old[16] = 1;
    refused("magic 1", old.clone(), invalid);
    old[16] = 3;
    refused("magic 3", old, ErrorCode::CORRUPT_MESSAGE);
    let stamp = ProducerStamp { producer_id: 5, producer_epoch: 0, base_sequence: -1 };
    let mut unnumbered = BatchBuilder::new().producer(stamp);
    unnumbered.push(0, None, None);
    refused("no sequence", unnumbered.finish().to_vec(), invalid);
    assert_eq!(produce(&mut client, three(Compression::None)).base_offset, 0, "and nothing was stored");
}

#[test]
fn the_largest_timestamp_is_the_records_and_not_what_the_header_says() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    for compression in Compression::ALL {
        let mut wrong = three(compression);
        wrong[35..43].copy_from_slice(&9_999_i64.to_be_bytes());
        let offset = produce(&mut client, mended(wrong)).base_offset;
        let stored = records(&client.fetch(&fetch("t", &[(0, offset)])));
        let header = batches::check_batch(&stored).expect("the checksum is right again");
        assert_eq!(header.max_timestamp, 2_000, "{compression:?}");
        assert_eq!(stored[HEADER_LEN..], three(compression)[HEADER_LEN..], "the records are the producer's");
    }
}

#[test]
fn offsets_are_found_by_time_inside_whatever_batch() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    for (index, compression) in (0..).zip(Compression::ALL) {
        let hour = index * 3_600_000;
        let mut batch = BatchBuilder::new().compression(compression);
        for second in [0, 50, 99, 20] {
            batch.push(hour + second * 1_000, None, Some(&[b'x'; 200]));
        }
        let first = produce(&mut client, batch.finish().to_vec()).base_offset;
        for (asked, answer) in [(hour + 30_000, (50, 1)), (hour + 99_000, (99, 2)), (LARGEST, (99, 2))] {
            let (second, index) = answer;
            let found = find(&mut client, asked);
            assert_eq!(found, (hour + second * 1_000, first + index), "{compression:?} {asked}");
        }
    }
}

#[test]
fn the_largest_timestamp_of_records_without_any_is_none_of_the_first() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let mut batch = BatchBuilder::new().compression(Compression::Gzip);
    batch.push(-1, None, Some(b"when?"));
    assert_eq!(produce(&mut client, batch.finish().to_vec()).base_offset, 0);
    assert_eq!(find(&mut client, LARGEST), (-1, 0));
    assert_eq!(find(&mut client, 0), (-1, -1));
}

#[test]
fn a_broker_that_stamps_says_so_and_refuses_a_clients_stamp() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("message.timestamp.type", "LogAppendTime")]);
    for compression in Compression::ALL {
        let answer = produce(&mut client, three(compression));
        assert!(answer.log_append_time_ms > 1_700_000_000_000, "{answer:?}");
        let stored = records(&client.fetch(&fetch("t", &[(0, answer.base_offset)])));
        let header = batches::check_batch(&stored).expect("the checksum is right again");
        assert_eq!(header.attributes.timestamp_type(), TimestampType::LogAppendTime);
        assert_eq!((header.base_timestamp, header.max_timestamp), (0, answer.log_append_time_ms));
        let (time, first) = find(&mut client, header.max_timestamp);
        // Batches that came within one millisecond have the same stamp.
        assert_eq!(time, header.max_timestamp);
        assert!(first <= answer.base_offset && first % 3 == 0, "the first of a batch: {first}");
        let junk = produce(&mut client, holding(compression, b"no such thing"));
        assert!(!junk.error_code.is_none(), "stamping is no reason not to look inside");
        let mut stamped = three(compression);
        stamped[22] |= 1 << 3;
        let refused = produce(&mut client, mended(stamped));
        assert_eq!(refused.error_code, ErrorCode::INVALID_TIMESTAMP);
        assert_eq!(refused.record_errors.len(), 3);
    }
}

/// Each codec to each other; with the broker's timestamps too.
#[test]
fn batches_are_stored_in_the_compression_of_their_topic() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let names = ["uncompressed", "gzip", "snappy", "lz4", "zstd"];
    for (name, stored) in names.into_iter().zip(Compression::ALL) {
        for timestamps in ["CreateTime", "LogAppendTime"] {
            let topic = format!("{name}-{timestamps}");
            client.create_topic(
                &topic,
                1,
                &[("compression.type", name), ("message.timestamp.type", timestamps)],
            );
            for (base_offset, sent) in (0..).step_by(3).zip(Compression::ALL) {
                let answer = client.produce(&topic, 0, Bytes::from(three(sent)));
                assert_eq!((answer.error_code, answer.base_offset), (ErrorCode::NONE, base_offset));
                let bytes = records(&client.fetch(&fetch(&topic, &[(0, base_offset)])));
                let header = batches::check_batch(&bytes).expect("the checksum is right again");
                assert_eq!(header.attributes.compression(), Ok(stored), "{sent:?} to {topic}");
                let plain = batches::opened(&bytes, &header).unwrap();
                let values = batches::opened_records(header, &plain).map(|record| record.unwrap().value);
                assert!(values.eq([Some(b"value".as_slice()); 3]));
            }
        }
    }
    // What grows beyond the limit is refused, as what came larger.
    client.create_topic("t", 1, &[("compression.type", "uncompressed"), ("max.message.bytes", "1000")]);
    let mut batch = BatchBuilder::new().compression(Compression::Zstd);
    batch.push(0, None, Some(&[7; 2_000]));
    let refused = produce(&mut client, batch.finish().to_vec());
    assert_eq!(refused.error_code, ErrorCode::MESSAGE_TOO_LARGE);
}

#[test]
fn a_topic_says_how_hard_its_batches_are_compressed() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let text: String = (0..20_000u64).map(|n| (n * n).to_string()).collect();
    for (codec, (fast, slow), refused) in
        [("gzip", ("1", "9"), ["0", "10", "-2", "x"]), ("zstd", ("-5", "19"), ["23", "-131073", "", "1.5"])]
    {
        let level = format!("compression.{codec}.level");
        let stored = |client: &mut Client, topic: &str| {
            let batch = client.produce(topic, 0, batch(&[&text]));
            let read = records(&client.fetch(&fetch(topic, &[(0, batch.base_offset)])));
            let header = batches::check_batch(&read).unwrap();
            let opened = batches::opened(&read, &header).unwrap();
            let record = batches::opened_records(header, &opened).next().unwrap().unwrap();
            assert_eq!(record.value, Some(text.as_bytes()));
            read.len()
        };
        let lens = [("usual", None), ("fast", Some(fast)), ("slow", Some(slow))].map(|(name, value)| {
            let topic = format!("{codec}-{name}");
            client.create_topic(&topic, 1, &[("compression.type", codec)]);
            let of = (TOPIC, topic.as_str());
            let changes = value.map(|value| (level.as_str(), Some(value)));
            assert_eq!(alter(&mut client, of, changes.as_slice()), ErrorCode::NONE);
            for value in refused {
                let code = alter(&mut client, of, &[(&level, Some(value))]);
                assert_eq!(code, ErrorCode::INVALID_CONFIG, "{level}={value}");
            }
            stored(&mut client, &topic)
        });
        assert!(lens[2] < lens[1] && lens[2] != lens[0], "{codec}: {lens:?}");
        // What the topic leaves open the broker's own setting says.
        assert_eq!(alter(&mut client, (BROKER, "1"), &[(&level, Some(slow))]), ErrorCode::NONE);
        let names = ["usual", "fast"].map(|name| format!("{codec}-{name}"));
        assert_eq!(names.map(|topic| stored(&mut client, &topic)), [lens[2], lens[1]]);
    }
}

#[test]
fn records_from_a_wrong_time_are_named() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("message.timestamp.before.max.ms", "3600000")]);
    for compression in Compression::ALL {
        let mut batch = BatchBuilder::new().compression(compression);
        for timestamp_ms in [-1, 5, -1, 7] {
            batch.push(timestamp_ms, None, Some(b"long ago"));
        }
        let refused = produce(&mut client, batch.finish().to_vec());
        assert_eq!(refused.error_code, ErrorCode::INVALID_TIMESTAMP);
        let named: Vec<i32> = refused.record_errors.iter().map(|error| error.batch_index).collect();
        assert_eq!(named, [1, 3], "{compression:?}");
        let first = refused.record_errors[0].message.as_deref().expect("each says why");
        assert!(
            first.contains("timestamp 5") && first.contains("message.timestamp.before.max.ms"),
            "{first}"
        );
        let said = refused.error_message.expect("and the answer says it in short");
        assert!(said.starts_with("2 of the batch's records are refused: record 1: timestamp 5"), "{said}");
    }
    let mut many = BatchBuilder::new();
    for _ in 0..10_000 {
        many.push(5, None, None);
    }
    let refused = produce(&mut client, many.finish().to_vec());
    assert_eq!(refused.record_errors.len(), 100, "an answer is no longer than its question");
}

/// (timestamp, offset)
fn find(client: &mut Client, timestamp: i64) -> (i64, i64) {
    let partitions = vec![ListOffsetsPartition { timestamp, ..Default::default() }];
    let topics = vec![ListOffsetsTopic { name: "t".into(), partitions }];
    let response = client.call(9, &ListOffsetsRequest { topics, ..Default::default() });
    let partition = &response.topics[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::NONE);
    (partition.timestamp, partition.offset)
}
