//! Runs the stories in `log_scripts/`: what a log does, told step by step. After a change, look at
//! what `UPDATE_GOLDENFILES=1 cargo test -p broker --test log_scripts` changes in them.

mod golden;

use std::error::Error;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use broker::log::{
    CleanerConfig, CleaningStats, CleanupPolicy, LogConfig, MemoryStorage, RecoveryHints, Storage,
};
use broker::replica::Partition;
use protocol::records::{
    BatchBuilder, BatchHeader, Compression, LeaderEpoch, Offset, ProducerStamp, opened, opened_records, walk,
};

use golden::golden_scripts;

/// What a script can say.
#[derive(goldenscript::Command)]
enum Command {
    /// Appends one batch with a record for each timestamp (ms). A producer's stamp is
    /// `producer=ID/EPOCH/SEQUENCE`.
    Append {
        timestamps: Vec<i64>,
        #[arg(key, optional)]
        size: usize,
        #[arg(key)]
        producer: Option<String>,
    },
    /// Compacts, if the log is dirty enough.
    Clean,
    /// Changes a setting: `config segment_bytes=500`.
    Config {
        #[arg(key)]
        cleanup_policy: Option<String>,
        #[arg(key)]
        delete_retention_ms: Option<i64>,
        #[arg(key)]
        min_cleanable_dirty_ratio: Option<f64>,
        #[arg(key)]
        min_compaction_lag_ms: Option<i64>,
        #[arg(key)]
        max_compaction_lag_ms: Option<i64>,
        #[arg(key)]
        segment_bytes: Option<u32>,
        #[arg(key)]
        segment_ms: Option<i64>,
        #[arg(key)]
        index_interval_bytes: Option<u32>,
        #[arg(key)]
        retention_ms: Option<i64>,
        #[arg(key)]
        retention_bytes: Option<u64>,
        #[arg(key)]
        max_message_bytes: Option<u32>,
    },
    /// Overwrites a byte of a file, or the one at this distance from its end.
    Damage {
        file: String,
        #[arg(key)]
        at: Option<usize>,
        #[arg(key)]
        from_end: Option<usize>,
    },
    /// Shows when a tick next has something to do (ms).
    Deadline,
    /// Deletes records before an offset, or all.
    Delete { before: Option<i64> },
    /// Shows leader epochs' ends.
    Epoch { epoch: i32 },
    /// Shows every file with its size.
    Files,
    /// First record at a time (ms) or later.
    Find { timestamp: i64 },
    /// Syncs, and keeps the checkpoint for the next start.
    Flush,
    /// First record with the largest timestamp.
    Latest,
    /// The program is killed; the kernel still has what was written. Then a new start.
    Kill,
    /// A new start under a new leader epoch after an orderly end.
    Restart {
        #[arg(key)]
        epoch: Option<i32>,
    },
    /// The power goes; of each file's unsynced bytes only so many are left. Then a new start.
    PowerLoss {
        #[arg(key, optional)]
        keep: usize,
    },
    /// Appends one batch with a record for each `KEY/VALUE`; no value is a tombstone.
    Put {
        records: Vec<String>,
        #[arg(key, optional)]
        time: i64,
        #[arg(key)]
        producer: Option<String>,
    },
    /// Shows every record: `OFFSET KEY/VALUE`.
    Table,
    /// Reads from an offset: shows the batches that are handed out.
    Read {
        from: i64,
        #[arg(key)]
        max_bytes: Option<usize>,
    },
    /// Removes a file.
    Remove { file: String },
    /// Shows the log's ends.
    Status,
    /// Time passes (ms): retention.
    Tick { now: i64 },
    /// Cuts a file.
    Truncate {
        file: String,
        #[arg(key)]
        by: usize,
    },
}

/// One partition on a file system in memory.
struct Runner {
    /// What the producers compress their batches with.
    compression: Compression,
    storage: MemoryStorage,
    config: LogConfig,
    partition: Partition,
    checkpoint: RecoveryHints,
    epoch: i32,
    now_ms: i64,
}

/// Changes what the command names.
fn configure(config: &mut LogConfig, command: &Command) {
    let Command::Config {
        cleanup_policy,
        delete_retention_ms,
        min_cleanable_dirty_ratio,
        min_compaction_lag_ms,
        max_compaction_lag_ms,
        segment_bytes,
        segment_ms,
        index_interval_bytes,
        retention_ms,
        retention_bytes,
        max_message_bytes,
    } = command
    else {
        return;
    };
    if let Some(policy) = cleanup_policy {
        let has = |name| policy.split('/').any(|part| part == name);
        config.cleanup = CleanupPolicy { delete: has("delete"), compact: has("compact") };
    }
    config.delete_retention_ms = delete_retention_ms.unwrap_or(config.delete_retention_ms);
    config.min_cleanable_dirty_ratio = min_cleanable_dirty_ratio.unwrap_or(config.min_cleanable_dirty_ratio);
    config.min_compaction_lag_ms = min_compaction_lag_ms.unwrap_or(config.min_compaction_lag_ms);
    config.max_compaction_lag_ms = max_compaction_lag_ms.unwrap_or(config.max_compaction_lag_ms);
    config.segment_bytes = segment_bytes.unwrap_or(config.segment_bytes);
    config.segment_ms = segment_ms.unwrap_or(config.segment_ms);
    config.index_interval_bytes = index_interval_bytes.unwrap_or(config.index_interval_bytes);
    config.retention_ms = retention_ms.or(config.retention_ms);
    config.retention_bytes = retention_bytes.or(config.retention_bytes);
    config.max_message_bytes = max_message_bytes.unwrap_or(config.max_message_bytes);
}

fn dir() -> PathBuf {
    PathBuf::from("t-0")
}

impl Runner {
    fn new(compression: Compression) -> Self {
        let storage = MemoryStorage::new();
        let config =
            LogConfig { index_interval_bytes: 200, timestamp_after_max_ms: i64::MAX, ..LogConfig::default() };
        let opened = Partition::open(
            Arc::new(storage.clone()),
            dir(),
            config.clone(),
            LeaderEpoch(0),
            RecoveryHints::default(),
        );
        let (partition, _) = opened.expect("memory does not fail");
        Self {
            compression,
            storage,
            config,
            partition,
            checkpoint: RecoveryHints::default(),
            epoch: 0,
            now_ms: 0,
        }
    }

    fn reopen(&mut self, storage: MemoryStorage, clean_shutdown: bool) -> Result<String, Box<dyn Error>> {
        self.storage = storage;
        let hints = RecoveryHints { clean_shutdown, ..self.checkpoint };
        let storage = Arc::new(self.storage.clone());
        let (partition, recovery) =
            Partition::open(storage, dir(), self.config.clone(), LeaderEpoch(self.epoch), hints)?;
        self.partition = partition;
        let mut line = format!("checked {} bytes", recovery.scanned_bytes);
        if recovery.truncated_bytes > 0 {
            write!(line, ", cut off {}", recovery.truncated_bytes)?;
        }
        if recovery.rebuilt_indexes > 0 {
            write!(line, ", rebuilt {} indexes", recovery.rebuilt_indexes)?;
        }
        Ok(format!("{line}\n{}", self.status()))
    }

    fn save_checkpoint(&mut self) {
        let checkpoint = self.partition.checkpoint();
        self.checkpoint.recovery_point = checkpoint.recovery_point;
        self.checkpoint.log_start_offset = checkpoint.log_start_offset;
        self.checkpoint.first_dirty = checkpoint.first_dirty;
    }

    fn status(&self) -> String {
        let partition = &self.partition;
        let recovery_point = partition.checkpoint().recovery_point;
        let (start, end) = (partition.log_start_offset(), partition.log_end_offset());
        format!("offsets {start}..{end}, {} bytes, synced to {recovery_point}\n", partition.size_bytes())
    }

    fn append(
        &mut self,
        timestamps: &[i64],
        size: usize,
        producer: Option<&String>,
    ) -> Result<String, Box<dyn Error>> {
        let mut batch = self.batch(producer)?;
        for &timestamp in timestamps {
            batch.push(timestamp, None, Some(&vec![b'x'; size]));
        }
        self.append_batch(batch)
    }

    fn put(
        &mut self,
        records: &[String],
        time: i64,
        producer: Option<&String>,
    ) -> Result<String, Box<dyn Error>> {
        let mut batch = self.batch(producer)?;
        for record in records {
            let (key, value) = record.split_once('/').ok_or("KEY/VALUE")?;
            batch.push(time, Some(key.as_bytes()), (!value.is_empty()).then_some(value.as_bytes()));
        }
        self.append_batch(batch)
    }

    fn batch(&self, producer: Option<&String>) -> Result<BatchBuilder, Box<dyn Error>> {
        let mut batch = BatchBuilder::new().compression(self.compression);
        if let Some(producer) = producer {
            let mut parts = producer.split('/');
            let mut part = || parts.next().ok_or("producer=ID/EPOCH/SEQUENCE");
            batch = batch.producer(ProducerStamp {
                producer_id: part()?.parse()?,
                producer_epoch: part()?.parse()?,
                base_sequence: part()?.parse()?,
            });
        }
        Ok(batch)
    }

    fn append_batch(&mut self, batch: BatchBuilder) -> Result<String, Box<dyn Error>> {
        let end = self.partition.log_end_offset();
        let appended = self.partition.append(&batch.finish(), self.now_ms)?;
        let known = if appended.base_offset < end { ", stored before" } else { "" };
        Ok(format!("offsets {}..={}{known}\n", appended.base_offset, appended.last_offset))
    }

    fn clean(&mut self) -> Result<String, Box<dyn Error>> {
        let Some(stats) = self.partition.clean(&CleanerConfig::new([1, 2]), self.now_ms)? else {
            return Ok("not dirty enough\n".to_owned());
        };
        self.save_checkpoint();
        let CleaningStats { bytes_before, bytes_after, keys, .. } = stats;
        let clean = self.checkpoint.first_dirty;
        Ok(format!("{bytes_before} bytes became {bytes_after}, news of {keys} keys, clean up to {clean}\n"))
    }

    /// All that a reader from the start gets.
    fn table(&self) -> Result<String, Box<dyn Error>> {
        let (mut from, mut output) = (self.partition.log_start_offset(), String::new());
        while from < self.partition.log_end_offset() {
            let mut bytes = Vec::new();
            self.partition.read(from, 1 << 20)?.read_to(&mut bytes)?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let header = BatchHeader::parse(rest)?;
                let horizon = header.delete_horizon_ms().map(|ms| format!("  tombstones go at {ms}"));
                writeln!(
                    output,
                    "batch {}..={}{}",
                    header.base_offset,
                    header.last_offset(),
                    horizon.unwrap_or_default()
                )?;
                let plain = opened(rest, &header)?;
                for record in opened_records(header, &plain) {
                    let record = record?;
                    let text = |bytes: Option<&[u8]>| {
                        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                    };
                    writeln!(output, "  {} {}/{}", record.offset, text(record.key), text(record.value))?;
                }
                from = header.next_offset();
                rest = &rest[header.total_len()..];
            }
        }
        Ok(output)
    }

    fn read(&self, from: i64, max_bytes: usize) -> Result<String, Box<dyn Error>> {
        let region = self.partition.read(Offset(from), max_bytes)?;
        let mut bytes = Vec::new();
        region.read_to(&mut bytes)?;
        let mut output = format!("{} bytes at {}\n", region.len, region.position);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let header = BatchHeader::parse(rest)?;
            let mut stamps = Vec::new();
            walk(rest, &header, |record| {
                stamps.push(record.timestamp_ms);
                ControlFlow::<()>::Continue(())
            })?;
            let epoch = header.partition_leader_epoch;
            let (base, last) = (header.base_offset, header.last_offset());
            writeln!(output, "  batch {base}..={last} epoch {epoch} timestamps {stamps:?}")?;
            rest = &rest[header.total_len()..];
        }
        Ok(output)
    }

    fn edit(&self, file: &str, edit: impl FnOnce(&mut Vec<u8>)) -> Result<String, Box<dyn Error>> {
        let path = dir().join(file);
        let mut bytes = self.storage.bytes(&path).ok_or("no such file")?;
        edit(&mut bytes);
        self.storage.put(&path, &bytes);
        Ok(String::new())
    }
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _context: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        match command {
            Command::Append { timestamps, size, producer } => {
                self.append(timestamps, *size, producer.as_ref())
            }
            Command::Clean => self.clean(),
            Command::Config { .. } => {
                configure(&mut self.config, command);
                self.partition.set_config(self.config.clone());
                Ok(String::new())
            }
            Command::Damage { file, at, from_end } => self.edit(file, |bytes| {
                let index = at.unwrap_or(bytes.len() - from_end.unwrap_or(1));
                bytes[index] ^= 0xff;
            }),
            Command::Deadline => Ok(match self.partition.next_deadline_ms() {
                Some(due_ms) => format!("due at {due_ms}\n"),
                None => "nothing is due\n".to_owned(),
            }),
            Command::Delete { before } => {
                let start = self.partition.delete_records(before.map(Offset))?;
                self.save_checkpoint();
                Ok(format!("log starts at {start}\n"))
            }
            Command::Epoch { epoch } => Ok(match self.partition.end_of_epoch(LeaderEpoch(*epoch)) {
                Some((epoch, end)) => format!("epoch {epoch} ends at {end}\n"),
                None => "unknown\n".to_owned(),
            }),
            Command::Files => {
                let mut output = String::new();
                for (path, size) in self.storage.sizes() {
                    writeln!(output, "{} {size}", path.file_name().unwrap_or_default().to_string_lossy())?;
                }
                Ok(output)
            }
            Command::Find { timestamp } => Ok(match self.partition.timestamp_search(*timestamp).run()? {
                Some(found) => format!("offset {} at {}\n", found.offset, found.timestamp_ms),
                None => "none\n".to_owned(),
            }),
            Command::Latest => Ok(match self.partition.max_timestamp_search().run()? {
                Some(found) => format!("offset {} at {}\n", found.offset, found.timestamp_ms),
                None => "none\n".to_owned(),
            }),
            Command::Flush => {
                self.partition.flush()?;
                self.save_checkpoint();
                Ok(self.status())
            }
            Command::Kill => self.reopen(self.storage.kill(), false),
            Command::PowerLoss { keep } => self.reopen(self.storage.crash(|_, _| *keep), false),
            Command::Restart { epoch } => {
                self.partition.close()?;
                self.save_checkpoint();
                self.epoch = epoch.unwrap_or(self.epoch);
                self.reopen(self.storage.kill(), true)
            }
            Command::Put { records, time, producer } => self.put(records, *time, producer.as_ref()),
            Command::Table => self.table(),
            Command::Read { from, max_bytes } => self.read(*from, max_bytes.unwrap_or(1 << 20)),
            Command::Remove { file } => {
                self.storage.remove(&dir().join(Path::new(file)))?;
                Ok(String::new())
            }
            Command::Status => Ok(self.status()),
            Command::Tick { now } => {
                self.now_ms = *now;
                let deleted = self.partition.tick(*now)?;
                Ok(format!(
                    "removed {} segments, {} bytes\n{}",
                    deleted.segments,
                    deleted.bytes,
                    self.status()
                ))
            }
            Command::Truncate { file, by } => self.edit(file, |bytes| bytes.truncate(bytes.len() - by)),
        }
    }
}

golden_scripts!(
    "log_scripts",
    Runner::new(Compression::None),
    append_and_read,
    compaction,
    find_by_time,
    idempotent_producer,
    leader_epochs,
    recover,
    retention,
    roll,
    delete_records
);

/// The stories that don't turn on how many bytes a batch has, told once more with each codec. What
/// is said of bytes and files is left out.
#[test]
fn stories_are_the_same_with_compressed_batches() {
    for script in ["find_by_time", "idempotent_producer", "leader_epochs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/log_scripts").join(script);
        let golden = std::fs::read_to_string(path).expect("the script is there");
        for compression in Compression::ALL {
            let told = goldenscript::generate(&mut Runner::new(compression), &golden);
            let told = told.expect("the script runs");
            assert_eq!(without_sizes(&told), without_sizes(&golden), "{script} with {compression:?}");
        }
    }
}

fn without_sizes(story: &str) -> String {
    let is_size = |line: &&str| line.contains(" bytes") || line.starts_with("0000");
    story.lines().filter(|line| !is_size(line)).fold(String::new(), |text, line| text + line + "\n")
}
