//! How many records a second: what the watcher of a show that ends pays for riders' answers in
//! order.

use std::collections::HashMap;

use bill::{AnswerReplay as _, DeterministicRideReplay, LogPosition, SimulatedSendTime};
use consumers::eta::EtaConfig;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use events::Event;
use producers::city::{City, CityConfig};

const PARTITIONS: i32 = 4;

/// Ten minutes of the city on the partitions of a cluster, in the order of sending.
fn ten_minutes() -> (EtaConfig, Vec<(LogPosition, SimulatedSendTime, Event)>) {
    let config = CityConfig::default();
    let (map, end) = (config.map.clone(), config.start.plus_ms(600_000));
    let mut ends = HashMap::new();
    let emissions = (0..).zip(City::new(config).take_while(|emission| emission.at < end));
    let log = emissions.map(|(number, emission)| {
        let key: i32 = emission.event.key().bytes().map(i32::from).sum();
        let (topic, partition) = (emission.event.topic(), key % PARTITIONS);
        let offset = ends.entry((topic, partition)).or_insert(-1);
        *offset += 1;
        ((topic, partition, *offset), SimulatedSendTime { at: emission.at, number }, emission.event)
    });
    (EtaConfig::new(map), log.collect())
}

fn records(criterion: &mut Criterion) {
    let (config, log) = ten_minutes();
    let mut group = criterion.benchmark_group("ride_replay");
    group.throughput(Throughput::Elements(log.len() as u64)).sample_size(10);
    group.bench_function("ten minutes", |bencher| {
        bencher.iter_batched(
            || DeterministicRideReplay::new(config.clone()),
            |mut rides| {
                let mut given = 0_u64;
                for (place, send_time, event) in &log {
                    rides.take(*place, event, Some(*send_time), send_time.at, &mut |_, _| given += 1);
                }
                (given, rides)
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, records);
criterion_main!(benches);
