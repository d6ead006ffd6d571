//! How long the four questions take on the streets of La Serena: `cargo bench -p streets`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use streets::{DistanceSearch, FreeFlow, LinkId, Map, Router, Spot};

/// Spots all over the map, the same in every run.
fn spots(map: &Map) -> impl Iterator<Item = Spot> {
    let mut row = 1_u32;
    std::iter::repeat_with(move || {
        row = row.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let link = LinkId((row >> 8) % map.link_count() as u32);
        Spot { link, offset_m: map.link(link).length_m * 0.5 }
    })
}

fn streets(c: &mut Criterion) {
    let map = Map::la_serena();
    let file = map.write();
    c.bench_function("read the compact form", |b| {
        b.iter(|| Map::read(black_box(&file)).expect("just written"));
    });

    let mut somewhere = spots(&map);
    let mut next = move || somewhere.next().expect("endless");
    let mut found = Vec::new();
    c.bench_function("near: 8 links within 50 m", |b| {
        b.iter(|| {
            let spot = next();
            let place = map.place_at(spot.link, spot.offset_m);
            map.near_into(place.lat, place.lon, 50.0, 8, &mut found);
            found.len()
        });
    });

    let mut somewhere = spots(&map);
    let mut next = move || somewhere.next().expect("endless");
    let mut reach = DistanceSearch::new();
    c.bench_function("reach: 300 m", |b| b.iter(|| reach.explore(&map, next(), 300.0, 20.0)));

    let mut somewhere = spots(&map);
    let mut next = move || somewhere.next().expect("endless");
    let mut router = Router::new();
    let costs = FreeFlow { map: &map, u_turn_s: 30.0 };
    c.bench_function("route across the town", |b| b.iter(|| router.route(&map, next(), next(), &costs)));
}

criterion_group!(benches, streets);
criterion_main!(benches);
