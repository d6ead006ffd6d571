//! What a frame costs: taking a snapshot in, drawing it, and finding out what the terminal must be
//! sent.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use dashboard::{Cache, Msg, Palette, Snapshot, State, Theme, update, view};
use dashboard_testing::{city_map, normal, panes};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn frames(criterion: &mut Criterion) {
    let snapshots: Vec<Arc<Snapshot>> = (0..10).map(|step| Arc::new(normal(step))).collect();
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let area = Rect::new(0, 0, width, height);
        let mut state = State::new(Palette::Dark, &panes());
        let mut cache = Cache::default();
        update(&mut state, Msg::Resize(width, height), 0);
        update(&mut state, Msg::Map(Arc::new(city_map())), 0);
        let (mut drawn, mut next) = (Buffer::empty(area), Buffer::empty(area));
        let mut at = 0;
        criterion.bench_function(&format!("frame {width}x{height}"), |bencher| {
            bencher.iter(|| {
                at += 1;
                let snapshot = Arc::clone(&snapshots[at % snapshots.len()]);
                update(&mut state, Msg::Snapshot(snapshot), at as u64 * 100);
                view(&state, &mut cache, &Theme::default(), area, &mut next);
                black_box(drawn.diff(&next).len());
                std::mem::swap(&mut drawn, &mut next);
            });
        });
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
