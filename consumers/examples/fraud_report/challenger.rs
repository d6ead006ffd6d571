//! What a challenger needs to be held against the online model on the same features:
//! `tools/challenger.py` reads it.
//!
//! The first line of the file tells how many features there are. Then each swipe is a row in
//! little-endian bytes: when (i64, milliseconds), when its chargeback came (i64, zero for never),
//! whether it was fraud (u8), the online model's probability (f32), and a u8 a feature.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Result, Write};

use consumers::fraud::{FraudConfig, FraudProcessor};
use events::Event;

use crate::World;

/// Writes the swipes of a world as the model saw them when they came.
pub(crate) fn write(world: &World, path: &str) -> Result<()> {
    let charged: HashMap<&str, i64> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Chargebacks(chargeback) => Some((chargeback.swipe_id.as_str(), chargeback.ts.ms())),
            _ => None,
        })
        .collect();
    let mut detector = FraudProcessor::new(FraudConfig::default());
    let mut out = BufWriter::new(File::create(path)?);
    let mut first = true;
    for event in &world.events {
        let swipe = match event {
            Event::CardSwipes(swipe) => swipe,
            Event::Chargebacks(chargeback) => {
                detector.observe_chargeback(chargeback);
                continue;
            }
            _ => continue,
        };
        let Some(decision) = detector.decide(swipe) else { continue };
        let features = detector.latest_features().expect("a swipe was decided just now");
        if std::mem::take(&mut first) {
            writeln!(out, "{}", features.len())?;
        }
        out.write_all(&swipe.ts.ms().to_le_bytes())?;
        out.write_all(&charged.get(swipe.swipe_id.as_str()).copied().unwrap_or(0).to_le_bytes())?;
        out.write_all(&[u8::from(world.fraud.contains_key(&swipe.swipe_id))])?;
        out.write_all(&(decision.probability as f32).to_le_bytes())?;
        out.write_all(&features)?;
    }
    out.flush()
}
