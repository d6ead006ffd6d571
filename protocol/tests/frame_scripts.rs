//! Runs the stories in `frame_scripts/`: what Kafka's bytes are, field by field. After a change,
//! look at what `UPDATE_GOLDENFILES=1 cargo test -p protocol --test frame_scripts` changes in them.

use std::error::Error;
use std::fmt::Write as _;

use bytes::Bytes;
use protocol::heartbeat::HeartbeatRequest;
use protocol::records::{
    BatchBuilder, BrokerFields, LeaderEpoch, Offset, check_batch, check_produced, records,
};
use protocol::{ApiKey, DecodeError, RequestHeader, Wire, encode_request};

/// What a script can say.
#[derive(goldenscript::Command)]
enum Command {
    /// Builds a batch of records, `key=value`, a second apart from 1970 on, and shows its fields.
    Batch { records: Vec<(String, String)> },
    /// Checks the batch as a broker does, after cutting it or changing the byte at a place.
    Check {
        #[arg(key)]
        cut: Option<usize>,
        #[arg(key)]
        change: Option<usize>,
    },
    /// Reads a frame without its length: `decode 00 0c 00 00`.
    Decode { bytes: Vec<String> },
    /// Shows a heartbeat of member `m` of group `g` in some version.
    Heartbeat { version: i16 },
    /// Writes what the broker writes into the batch, and shows the records with their offsets.
    Place { base_offset: i64 },
}

/// Keeps the batch that was built last.
#[derive(Default)]
struct Runner {
    batch: Vec<u8>,
}

/// Fields of a batch before its records, with their bytes.
const BATCH_FIELDS: [(&str, usize); 13] = [
    ("base offset", 8),
    ("batch length", 4),
    ("leader epoch", 4),
    ("magic", 1),
    ("crc", 4),
    ("attributes", 2),
    ("last offset delta", 4),
    ("base timestamp", 8),
    ("max timestamp", 8),
    ("producer id", 8),
    ("producer epoch", 2),
    ("base sequence", 4),
    ("records count", 4),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut output, byte| {
        let _ = write!(output, " {byte:02x}");
        output
    })
}

/// The named fields one after the other, and the rest under `last`.
fn show(bytes: &[u8], fields: &[(&str, usize)], last: &str) -> String {
    let mut rest = bytes;
    let mut output = String::new();
    for (name, len) in fields {
        let (field, behind) = rest.split_at(*len);
        let _ = writeln!(output, "{name:<18}{}", hex(field));
        rest = behind;
    }
    let _ = writeln!(output, "{last:<18}{}", hex(rest));
    output
}

fn heartbeat(version: i16) -> Result<String, Box<dyn Error>> {
    if !ApiKey::Heartbeat.supports(version) {
        return Err(format!("there is no version {version}").into());
    }
    let body = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: 1,
        member_id: "m".into(),
        ..HeartbeatRequest::default()
    };
    let frame = encode_request(version, 7, "me", &body);
    let header = [("length", 4), ("api key", 2), ("api version", 2), ("correlation id", 4), ("client id", 4)];
    let tags = [("tagged fields", 1)];
    let flexible = ApiKey::Heartbeat.version(version).flexible;
    let fields = [header.as_slice(), if flexible { &tags } else { &[] }].concat();
    Ok(show(&frame, &fields, "body"))
}

fn decode(frame: Vec<u8>) -> Result<String, DecodeError> {
    let (header, mut body) = RequestHeader::decode(Bytes::from(frame))?;
    let key = ApiKey::from_number(header.api_key);
    let name = key.map_or("an unknown request".to_owned(), |key| key.to_string());
    let client_id = header.client_id.unwrap_or_default();
    let said = format!("{name} version {} from {client_id}\n", header.api_version);
    if key != Some(ApiKey::Heartbeat) || !ApiKey::Heartbeat.supports(header.api_version) {
        return Ok(said + "its body can't be read\n");
    }
    let request = HeartbeatRequest::decode(&mut body, ApiKey::Heartbeat.version(header.api_version))?;
    Ok(format!("{said}{request:?}\n"))
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _context: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        match command {
            Command::Batch { records } => {
                let mut batch = BatchBuilder::new();
                for ((key, value), second) in records.iter().zip(0..) {
                    batch.push(second * 1000, Some(key.as_bytes()), Some(value.as_bytes()));
                }
                self.batch = batch.finish().to_vec();
                Ok(show(&self.batch, &BATCH_FIELDS, "records"))
            }
            Command::Check { cut, change } => {
                let mut bytes = self.batch.clone();
                bytes.truncate(cut.unwrap_or(bytes.len()));
                if let Some(place) = change {
                    bytes[*place] ^= 0xff;
                }
                let header = check_produced(&bytes)?;
                Ok(format!("{} records, {} bytes\n", header.records_count, header.total_len()))
            }
            Command::Decode { bytes } => {
                let bytes: Result<Vec<u8>, _> =
                    bytes.iter().map(|byte| u8::from_str_radix(byte, 16)).collect();
                Ok(decode(bytes?)?)
            }
            Command::Heartbeat { version } => heartbeat(*version),
            Command::Place { base_offset } => {
                let place = BrokerFields {
                    base_offset: Offset(*base_offset),
                    partition_leader_epoch: LeaderEpoch(3),
                };
                let batch_length = self.batch[8..12].try_into().map(i32::from_be_bytes)?;
                self.batch[..BrokerFields::LEN].copy_from_slice(&place.encode(batch_length));
                let mut output = show(&self.batch[..16], &BATCH_FIELDS[..2], "leader epoch");
                check_batch(&self.batch)?;
                for record in records(&self.batch)? {
                    let record = record?;
                    let text = |bytes: Option<&[u8]>| {
                        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                    };
                    let (key, value) = (text(record.key), text(record.value));
                    writeln!(
                        output,
                        "offset {} at {} ms: {key}={value}",
                        record.offset, record.timestamp_ms
                    )?;
                }
                Ok(output)
            }
        }
    }
}

fn run(script: &str) {
    goldenscript::run(&mut Runner::default(), format!("tests/frame_scripts/{script}"))
        .expect("the script runs");
}

#[test]
fn request() {
    run("request");
}

#[test]
fn batch() {
    run("batch");
}
