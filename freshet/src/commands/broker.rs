//! `freshet broker`: the broker alone, for anyone's client.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use broker::{BrokerConfig, Cluster, Listening, SecurityProtocol, StartError};

use super::own_cluster;
use crate::cli::BrokerArgs;
use crate::metrics::Metrics;
use crate::output::print;
use crate::temporary::Folder;
use scenarios::Interrupted;
use scenarios::clock::wall_ms;
use scenarios::control;
use scenarios::metrics::ShowMetrics;
use scenarios::observe::ClusterView;
use scenarios::supervise::Order;

/// How often a broker with metrics looks at its topics and groups.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Serves until a signal comes, or until its supervisor has gone.
pub(crate) fn run(args: &BrokerArgs) -> Result<()> {
    let orders = control::orders(args.supervised)?;
    let temporary = args.temporary.then(Folder::new).transpose()?;
    let data_dir = temporary.as_ref().map_or(args.data_dir.as_path(), Folder::path);
    let mut metrics = Metrics::of(&args.metrics)?;
    let config = BrokerConfig {
        listeners: args.listen.listeners()?,
        certificate: args.listen.certificate(),
        users: args.listen.users()?,
        num_partitions: args.partitions,
        auto_create_topics: !args.no_auto_create,
        request_metrics: metrics.as_mut().map(Metrics::of_requests),
        ..BrokerConfig::new(data_dir)
    };
    let cluster = start(config, metrics.as_ref().and_then(Metrics::address))?;
    print(|out| {
        writeln!(out, "a broker that speaks the Kafka protocol listens on {}", cluster.bootstrap_servers())
    })?;
    say_how_to_connect(&cluster);
    let shown = metrics.as_mut().map(Metrics::of_show);
    let mut watch = shown.map(|shown| Watch { cluster: &cluster, view: ClusterView::default(), shown });
    // What there is already is told by the first scrape.
    watch.iter_mut().for_each(Watch::look);
    metrics.map(Metrics::serve).transpose()?;
    let end = if args.supervised { "it ends when standard input closes" } else { "Ctrl-C ends it" };
    say!("its log is in {}; {end}", data_dir.display());
    wait(&orders, watch);
    cluster.shutdown()?;
    match control::exit_code_of_signal() {
        Some(_) => Err(Interrupted.into()),
        None => Ok(()),
    }
}

/// Waits for the order to stop, and looks meanwhile if there is a reason to.
fn wait(orders: &Receiver<Order>, mut watch: Option<Watch<'_>>) {
    loop {
        let order = match &watch {
            Some(_) => orders.recv_timeout(LOOK_EVERY),
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match order {
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(_) | Err(RecvTimeoutError::Timeout) => watch.iter_mut().for_each(Watch::look),
        }
    }
}

/// What a broker tells Prometheus of its topics and groups.
struct Watch<'a> {
    cluster: &'a Cluster,
    view: ClusterView,
    shown: ShowMetrics,
}

impl Watch<'_> {
    fn look(&mut self) {
        let Some(poll) = own_cluster::poll(self.cluster) else { return };
        let now_ms = wall_ms();
        // What has happened meanwhile is for a screen.
        let _notices = self.view.take(now_ms, poll);
        self.shown.take_cluster(now_ms, &self.view);
    }
}

/// Says what a client needs to know beyond the address of the first listener, if anything.
pub(crate) fn say_how_to_connect(cluster: &Cluster) {
    for (at, Listening { listener, address }) in cluster.listening().iter().enumerate() {
        let told = listener.advertised.as_ref().map(|told| told.address(address.port()));
        match (at, told) {
            (0, None) => {}
            (_, None) => say!("it listens on {address} too, for security.protocol={}", listener.protocol),
            (_, Some(told)) => say!("clients that come by {address} are told to connect to {told}"),
        }
    }
    if let Some(login) = cluster.listening().iter().map(|one| one.listener.protocol).find(|it| it.has_login())
    {
        let login = login.name();
        say!(
            "clients log in as one of the users, by SASL with PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; by PLAIN:"
        );
        say!(
            "  librdkafka, confluent-kafka  security.protocol={login} sasl.mechanism=PLAIN sasl.username=… sasl.password=…"
        );
        say!(
            "  kafka-python                 security_protocol=\"{login}\", sasl_mechanism=\"PLAIN\", sasl_plain_username=…, sasl_plain_password=…"
        );
        say!(
            "  Java                         security.protocol={login} sasl.mechanism=PLAIN sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"…\" password=\"…\";"
        );
    }
    if let Some(file) = cluster.trusted_certificate().map(Path::display) {
        let listeners = cluster.listening().iter().map(|one| one.listener.protocol);
        let name = listeners.into_iter().find(|it| it.has_tls()).map_or("SSL", SecurityProtocol::name);
        say!("clients with TLS trust {file}, a copy of which does as well:");
        say!("  librdkafka, confluent-kafka  security.protocol={name} ssl.ca.location={file}");
        say!("  kafka-python                 security_protocol=\"{name}\", ssl_cafile=\"{file}\"");
        say!(
            "  Java                         security.protocol={name} ssl.truststore.type=PEM ssl.truststore.location={file}"
        );
    }
}

/// Starts a broker, or says in one sentence why not and what to do; `metrics` is where this process
/// listens besides.
pub(crate) fn start(config: BrokerConfig, metrics: Option<SocketAddr>) -> Result<Cluster> {
    Cluster::start(config).map_err(|error| match &error {
        StartError::AddressInUse { address } if metrics.is_some_and(|at| at.port() == address.port()) => {
            anyhow!("--listen and --metrics want the same port {}: give each its own", address.port())
        }
        StartError::AddressInUse { address } => anyhow!(
            "port {} is in use by another program: pass --listen {}",
            address.port(),
            SocketAddr::new(address.ip(), address.port().checked_add(100).unwrap_or(19_092))
        ),
        StartError::Listen { address, source } if source.kind() == ErrorKind::AddrNotAvailable => anyhow!(
            "can't listen on {address}, which is no address of this machine: --listen localhost:{0} is for this \
             machine alone, --listen 0.0.0.0:{0} for all its networks, and --advertise {1} tells clients to come \
             by that",
            address.port(),
            address.ip()
        ),
        StartError::Listen { address, source } if source.kind() == ErrorKind::PermissionDenied => anyhow!(
            "this user may not listen on port {}: pass --listen {} or another port above 1023",
            address.port(),
            SocketAddr::new(address.ip(), 9_092)
        ),
        StartError::Locked { .. } => anyhow!("{error} (--data-dir)"),
        StartError::DataDir { .. } => anyhow!("{error}. Pass a folder that can be written to (--data-dir)"),
        StartError::Listen { .. }
        | StartError::NoCertificate { .. }
        | StartError::NoUsers { .. }
        | StartError::Certificate { .. }
        | StartError::NoListener
        | StartError::UnknownHost { .. }
        | StartError::Open { .. }
        | StartError::Thread(_)
        | _ => anyhow!(error),
    })
}
