//! Starting and stopping.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::clock::{self, Clock};
use super::error::{ShutdownError, StartError};
use super::lock_file::LockFile;
use super::shared::Shared;
use super::{accept, cleaning, housekeeping, listen, open_files};
use crate::BrokerConfig;
use crate::log::{DiskStorage, Storage};
use crate::node::Node;

/// How long a sync that is under way may hold up the end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// A running broker. Dropping it shuts it down.
#[derive(Debug)]
pub struct Cluster {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ShutdownError>>>,
}

impl Cluster {
    /// Opens the data directory and listens. When this returns, clients can connect.
    pub fn start(config: BrokerConfig) -> Result<Self, StartError> {
        open_files::allow_as_many_as_may_be();
        let listeners = listen::listen(&config.listen)?;
        let address = listeners[0].local_addr().map_err(StartError::Thread)?;
        let lock = LockFile::take(&config.data_dir, &address.to_string())?;
        let clock = Clock::start();
        let storage: Arc<dyn Storage> = Arc::new(DiskStorage);
        let (data_dir, threads) = (config.data_dir.clone(), config.threads);
        let node = Node::open(config, &storage, clock::random, clock.now_ms())
            .map_err(|error| StartError::Open { data_dir, reason: error.to_string() })?;
        let runtime = runtime(threads).map_err(StartError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let result = run(runtime, Shared::new(node, clock), listeners, stopped);
            drop(lock);
            result
        };
        let thread = thread::Builder::new().name("broker".into()).spawn(run).map_err(StartError::Thread)?;
        tracing::info!("listening on {address}");
        if !address.ip().is_loopback() {
            tracing::warn!(
                "{address} is open to the network: anybody who reaches it can read, write and delete everything; listen on 127.0.0.1 to be alone"
            );
        }
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens: the IPv4 address when it listens on localhost.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client's `bootstrap.servers` should be.
    pub fn bootstrap_servers(&self) -> String {
        self.address.to_string()
    }

    /// Hangs up on all clients, syncs and closes everything, and lets go of the data directory.
    pub fn shutdown(mut self) -> Result<(), ShutdownError> {
        self.stop_and_wait()
    }

    fn stop_and_wait(&mut self) -> Result<(), ShutdownError> {
        drop(self.stop.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            drop(self.stop.take());
            return;
        }
        if let Err(error) = self.stop_and_wait() {
            tracing::error!("{error}");
        }
    }
}

fn runtime(threads: usize) -> io::Result<Runtime> {
    let mut builder = if threads <= 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads.max(1)).thread_name("broker").enable_io().enable_time().build()
}

/// Serves until told to stop, then closes everything.
fn run(
    runtime: Runtime,
    shared: Shared,
    listeners: Vec<TcpListener>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), ShutdownError> {
    let shared = Arc::new(shared);
    runtime.block_on(async {
        for listener in listeners {
            let listener =
                listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener));
            match listener {
                Ok(listener) => drop(tokio::spawn(accept::accept(Arc::clone(&shared), listener))),
                Err(error) => tracing::error!("can't listen: {error}"),
            }
        }
        tokio::spawn(housekeeping::keep_groups(Arc::clone(&shared)));
        tokio::spawn(housekeeping::keep_logs(Arc::clone(&shared)));
        tokio::spawn(cleaning::keep_clean(Arc::clone(&shared)));
        // Either a message or the sender's end means stop.
        let _either_way = stopped.await;
    });
    shared.cleaner.stop.store(true, Ordering::Release);
    // Ends every task, and with it every connection; then nothing else holds the node.
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    // All tasks have ended with their runtime; only a thread that waits for the disk may still hold
    // a share.
    let shared =
        Arc::into_inner(shared).ok_or(ShutdownError::DiskBusy { seconds: SHUTDOWN_TIMEOUT.as_secs() })?;
    Ok(shared.node.close()?)
}
