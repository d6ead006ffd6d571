//! How fast the city lives: `cargo bench -p producers --bench city`. At `--speed 60` its 142
//! drivers need 8,500 positions a second.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use producers::city::{City, CityConfig};

/// So many at a time.
const EMISSIONS: u64 = 10_000;

fn city(c: &mut Criterion) {
    let mut group = c.benchmark_group("city");
    group.bench_function("new", |b| b.iter(|| City::new(CityConfig::default())));
    let mut city = City::new(CityConfig::default());
    group.throughput(Throughput::Elements(EMISSIONS));
    group.bench_function("emissions", |b| {
        b.iter(|| city.by_ref().take(EMISSIONS as usize).filter(|one| one.event.ts().is_some()).count());
    });
    group.finish();
}

criterion_group!(benches, city);
criterion_main!(benches);
