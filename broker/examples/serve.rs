//! A broker until Ctrl-C: `cargo run --release --example serve -- localhost:9092 data`.

use std::error::Error;

use broker::{BrokerConfig, Cluster};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let listeners = vec![arguments.next().as_deref().unwrap_or("localhost:9092").parse()?];
    let data_dir = arguments.next().unwrap_or_else(|| "data".into());
    let cluster = Cluster::start(BrokerConfig { listeners, ..BrokerConfig::new(data_dir) })?;
    println!("bootstrap.servers={}", cluster.bootstrap_servers());
    tokio::runtime::Runtime::new()?.block_on(tokio::signal::ctrl_c())?;
    cluster.shutdown()?;
    Ok(())
}
