//! Starting and stopping.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::clock::{self, Clock};
use super::error::{ShutdownError, StartError};
use super::listen::Listening;
use super::lock_file::LockFile;
use super::shared::Shared;
use super::{accept, certificate, cleaning, housekeeping, listen, network, open_files};
use crate::BrokerConfig;
use crate::log::{DiskStorage, Storage};
use crate::node::Node;
use crate::overview::Overview;
use crate::users::Users;

/// How long a sync that is under way may hold up the end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// A running broker. Dropping it shuts it down.
#[derive(Debug)]
pub struct Cluster {
    listening: Vec<Listening>,
    trusted_certificate: Option<PathBuf>,
    /// Gone with the thread that serves.
    shared: Weak<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ShutdownError>>>,
}

impl Cluster {
    /// Opens the data directory and listens. When this returns, clients can connect.
    pub fn start(mut config: BrokerConfig) -> Result<Self, StartError> {
        open_files::allow_as_many_as_may_be();
        let mut listening = Vec::new();
        let mut sockets = Vec::new();
        for listener in &mut config.listeners {
            let taken = listen::listen(listener)?;
            let address = taken[0].local_addr().map_err(StartError::Thread)?;
            listening.push(Listening { listener: listener.clone(), address });
            sockets.push(taken);
        }
        let first = listening.first().ok_or(StartError::NoListener)?;
        let lock = LockFile::take(&config.data_dir, &first.address.to_string())?;
        let clock = Clock::start();
        let (tls, trusted_certificate) = tls(&config, &listening, clock.now_ms())?;
        check_logins(&config)?;
        let entrances = entrances(&listening, sockets, tls.as_ref());
        let storage: Arc<dyn Storage> = Arc::new(DiskStorage);
        let (data_dir, threads, users) = (config.data_dir.clone(), config.threads, config.users.clone());
        let node = Node::open(config, &storage, clock::random, clock.now_ms())
            .map_err(|error| StartError::Open { data_dir, reason: error.to_string() })?;
        let runtime = runtime(threads).map_err(StartError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::new(Shared::new(node, clock));
        let looked_at = Arc::downgrade(&shared);
        let run = move || {
            let result = run(runtime, shared, entrances, stopped);
            drop(lock);
            result
        };
        let thread = thread::Builder::new().name("broker".into()).spawn(run).map_err(StartError::Thread)?;
        users.iter().for_each(Users::make_keys);
        for listening in &listening {
            tracing::info!("listening on {}", listening.address);
            network::warn_if_open(listening);
        }
        let (stop, thread) = (Some(stop), Some(thread));
        Ok(Self { listening, trusted_certificate, shared: looked_at, stop, thread })
    }

    /// Where its first listener listens: the IPv4 address when that is localhost.
    pub fn address(&self) -> SocketAddr {
        self.listening[0].address
    }

    /// What `bootstrap.servers` of a client on this machine should be.
    pub fn bootstrap_servers(&self) -> String {
        self.listening[0].bootstrap_servers()
    }

    /// Its listeners, in their order.
    pub fn listening(&self) -> &[Listening] {
        &self.listening
    }

    /// The file that clients of its listeners with TLS are to trust, if the certificate was made
    /// here.
    pub fn trusted_certificate(&self) -> Option<&Path> {
        self.trusted_certificate.as_deref()
    }

    /// The topics and groups that there are; none when the broker has ended.
    pub fn overview(&self) -> Option<Overview> {
        self.shared.upgrade().map(|shared| Overview::of(&shared.node))
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

fn check_logins(config: &BrokerConfig) -> Result<(), StartError> {
    match config.listeners.iter().find(|listener| listener.protocol.has_login()) {
        Some(listener) if config.users.is_none() => {
            Err(StartError::NoUsers { listener: listener.to_string() })
        }
        _ => Ok(()),
    }
}

/// One socket of a listener.
struct Entrance {
    socket: TcpListener,
    /// The listener's place among all.
    listener: usize,
    tls: Option<TlsAcceptor>,
}

fn entrances(
    listening: &[Listening],
    sockets: Vec<Vec<TcpListener>>,
    tls: Option<&TlsAcceptor>,
) -> Vec<Entrance> {
    let of_each = listening.iter().zip(sockets).enumerate();
    let entrances = of_each.flat_map(|(listener, (listening, sockets))| {
        let tls = tls.filter(|_| listening.listener.protocol.has_tls());
        sockets.into_iter().map(move |socket| Entrance { socket, listener, tls: tls.cloned() })
    });
    entrances.collect()
}

/// What listeners with TLS have for it, and the file that their clients are to trust.
fn tls(
    config: &BrokerConfig,
    listening: &[Listening],
    now_ms: i64,
) -> Result<(Option<TlsAcceptor>, Option<PathBuf>), StartError> {
    let with_tls = || listening.iter().filter(|listening| listening.listener.protocol.has_tls());
    let Some(first) = with_tls().next() else { return Ok((None, None)) };
    let no_certificate = || StartError::NoCertificate { listener: first.listener.to_string() };
    let certificate = config.certificate.as_ref().ok_or_else(no_certificate)?;
    let names = network::names(with_tls());
    let (acceptor, trusted) = certificate::open(certificate, &config.data_dir, names, now_ms)?;
    Ok((Some(acceptor), trusted))
}

fn runtime(threads: usize) -> io::Result<Runtime> {
    let mut builder = if threads <= 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads.max(1)).thread_name("broker").enable_io().enable_time().build()
}

/// Serves until told to stop, then closes everything.
fn run(
    runtime: Runtime,
    shared: Arc<Shared>,
    entrances: Vec<Entrance>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), ShutdownError> {
    runtime.block_on(async {
        for Entrance { socket, listener, tls } in entrances {
            let socket =
                socket.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(socket));
            match socket {
                Ok(socket) => drop(tokio::spawn(accept::accept(Arc::clone(&shared), listener, tls, socket))),
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
