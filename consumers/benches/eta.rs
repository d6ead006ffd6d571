//! How many pings a second: the matcher, traffic and forecasts together, as the replay runs them,
//! and the batch lane.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use consumers::eta::{BatchEta, EtaConfig, EtaReplay};
use events::Event;
use processor::Processor;
use producers::city::{City, CityConfig};

/// Ten minutes of the city, as it is delivered.
fn ten_minutes() -> (EtaConfig, Vec<Event>) {
    let config = CityConfig { oracle: false, ..CityConfig::default() };
    let (map, end) = (config.map.clone(), config.start.plus_ms(600_000));
    let city = City::new(config).take_while(|emission| emission.at < end);
    let events = city.map(|emission| emission.event);
    (EtaConfig::new(map), events.filter(|event| !matches!(event, Event::SimulationTruth(_))).collect())
}

fn pings(criterion: &mut Criterion) {
    let (config, events) = ten_minutes();
    let pings = events.iter().filter(|event| matches!(event, Event::DriverLocations(_))).count();
    let mut group = criterion.benchmark_group("eta");
    group.throughput(Throughput::Elements(pings as u64)).sample_size(10);
    let run = |mut processor: Box<dyn Processor>| {
        let mut answers = Vec::new();
        for event in &events {
            answers.clear();
            processor.process(event, &mut answers);
        }
        processor
    };
    group.bench_function("stream", |bencher| {
        bencher.iter_batched(
            || Box::new(EtaReplay::new(&config)) as Box<dyn Processor>,
            run,
            BatchSize::LargeInput,
        );
    });
    group.bench_function("batch", |bencher| {
        bencher.iter_batched(
            || Box::new(BatchEta::new(&config)) as Box<dyn Processor>,
            run,
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, pings);
criterion_main!(benches);
