//! `channel-server serve`: open, load, follow, drive, answer; and stop without losing anything.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use pdp_policies::trust::Floors;
use pdp_policies::{At, Span};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::{exit, root};
use pdp_transport::git::GitOptions;
use pdp_transport::login::{self, LoginSource};
use pdp_transport::oci::{OciOptions, Repository};
use pdp_transport::signing_key::SigningKey;
use pdp_transport::{Exceptions, HttpOptions, files};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::{DatabaseArgs, failed};
use crate::api;
use crate::catalog::{Follower, Source};
use crate::database::{Database, Place};
use crate::following;
use crate::lease::Lease;
use crate::ring_state::{Places, Publisher};
use crate::rollouts;
use crate::seen;
use crate::server::Server;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Folder for copies of Git repositories; it can be deleted. Beside the SQLite file if it isn't given.
    #[arg(long, env = "CHANNEL_SERVER_CACHE", value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Where to listen. Plain HTTP: put TLS in front of it.
    #[arg(long, env = "CHANNEL_SERVER_LISTEN", default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// Git address of the catalog.
    #[arg(long, env = "CHANNEL_SERVER_CATALOG", value_name = "URL")]
    catalog: String,
    /// How often the catalog is looked at without a hint.
    #[arg(long, env = "CHANNEL_SERVER_CATALOG_INTERVAL", default_value = "1m", value_name = "SPAN")]
    catalog_interval: Span,
    /// The root that the catalog must come from (`1.root.json` of the ceremony); read at the first start.
    #[arg(long, env = "CHANNEL_SERVER_ROOT", value_name = "FILE")]
    root: PathBuf,
    /// The director's key (PKCS#8 PEM, `publisher key export`).
    #[arg(long, env = "CHANNEL_SERVER_DIRECTOR_KEY", value_name = "FILE")]
    director_key: PathBuf,
    /// Git repository for ring state (branch `ring-state`); none without it.
    #[arg(long, env = "CHANNEL_SERVER_RING_STATE_GIT", value_name = "URL")]
    ring_state_git: Option<String>,
    /// OCI repository for ring state (tag `ring-state-<line>`); none without it.
    #[arg(long, env = "CHANNEL_SERVER_RING_STATE_OCI", value_name = "HOST/PATH")]
    ring_state_oci: Option<Repository>,
    /// Token for the ring state's Git host, and for the catalog's if that is the same host; without ring state in
    /// Git, for the catalog's. Git's credential helpers are asked without one.
    #[arg(long, env = "CHANNEL_SERVER_GIT_TOKEN", hide_env_values = true, hide = true)]
    git_token: Option<String>,
    /// Token for the catalog's Git host.
    #[arg(long, env = "CHANNEL_SERVER_CATALOG_GIT_TOKEN", hide_env_values = true, hide = true)]
    catalog_git_token: Option<String>,
    /// Further CA certificates (PEM).
    #[arg(long = "ca", env = "CHANNEL_SERVER_CA", value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// An address that may be spoken to in plain HTTP; no login is sent there.
    #[arg(long, env = "CHANNEL_SERVER_ALLOW_HTTP", value_name = "HOST[:PORT]", value_delimiter = ',')]
    allow_http: Vec<String>,
    /// A token service elsewhere that may have a registry's login.
    #[arg(
        long = "token-host",
        env = "CHANNEL_SERVER_TOKEN_HOSTS",
        value_name = "REGISTRY=HOST",
        value_delimiter = ','
    )]
    token_hosts: Vec<String>,
}

pub(crate) async fn run(args: Args) -> Result<u8> {
    let place = args.database.place()?;
    let (cache, _lock) = (cache(&args, &place)?, place.file().map(lock).transpose()?);
    let database = Database::open(&place).await?;
    let kept = database.kept("floors").await.map_err(|e| failed(&e))?;
    let floors = floors(kept.as_deref(), &args.root)?;
    let director = SigningKey::read(&args.director_key)?.ok_or_else(|| {
        Failure::new("NotFound", format!("director key {}", args.director_key.display()))
            .hint("`publisher key export director.key --out director.pem` makes the file")
    })?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|e| Failure::new("ListenFailed", format!("listen on {}", args.listen)).cause(e))?;
    let address = listener.local_addr().map_err(internal)?;
    let server = Arc::new(Server::new(database, director));
    load(&server).await?;
    // Until what was published has been compared with the event log, nothing is granted.
    server.behind.store(args.ring_state_git.is_some(), Relaxed);
    let follower = Follower::new(source(&args, &cache)?, floors);
    let publisher = Publisher::new(places(&args, &cache)?, Lease::new().map_err(internal)?);
    let mut tasks = start(&server, follower, publisher);
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "serving");
    let app = api::router(server.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop(server.clone()));
    tokio::select! {
        served = serving.into_future() => served.map_err(|e| Failure::new("ServeFailed", "serve").cause(e))?,
        () = one_ends(&mut tasks, &server) => {
            return Err(Failure::new("ServeFailed", "a part of the server ended").hint("its log says why; start it again"));
        }
    }
    // Each ends by itself; one that hangs in a slow fetch has nothing to lose.
    while let Ok(Some(_)) = tokio::time::timeout(Duration::from_secs(5), tasks.join_next()).await {}
    drop(tasks);
    seen::save(&server).await;
    if let Some(server) = Arc::into_inner(server) {
        server.database.close().await;
    }
    tracing::info!("stopped");
    Ok(exit::DONE)
}

/// All that goes on beside answering.
fn start(server: &Arc<Server>, follower: Follower, publisher: Publisher) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(follower.follow(server.clone()));
    tasks.spawn(rollouts::drive(server.clone(), publisher));
    tasks.spawn(seen::keep(server.clone()));
    tasks.spawn(following::follow(server.clone()));
    tasks.spawn(following::listen(server.clone()));
    tasks
}

/// Comes back when one of them ends before its time: without it the server would look well and do half its work.
async fn one_ends(tasks: &mut JoinSet<()>, server: &Server) {
    while tasks.join_next().await.is_some() {
        if !*server.stopping.borrow() {
            return;
        }
    }
    std::future::pending().await
}

/// Waits for SIGTERM or Ctrl-C, then sends long polls home.
async fn stop(server: Arc<Server>) {
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
        _ => std::future::pending().await,
    }
    tracing::info!("stopping: open requests are finished first");
    server.stopping.send_replace(true);
}

/// One server per file: two would grant the same starts.
fn lock(database: &std::path::Path) -> Result<File> {
    let path = database.with_extension("lock");
    let io = |e: std::io::Error| {
        Failure::new("DatabaseReadOnly", format!("lock {}", path.display()))
            .cause(e)
            .hint("the server needs to write the file and its folder: check owner, mode and mount")
    };
    files::lock(&path).map_err(io)?.ok_or_else(|| {
        Failure::new("AlreadyRunning", format!("another channel-server holds {}", database.display()))
            .hint("stop the other one first")
    })
}

/// Everything in memory, from the event log and the newest reports.
async fn load(server: &Server) -> Result<()> {
    server.look().await?;
    let seen = seen::load(server, At::from_unix(0)).await;
    seen.map(drop).map_err(|e| Failure::new(e.code, "when data planes polled last can't be read"))
}

fn floors(kept: Option<&str>, root: &std::path::Path) -> Result<Floors> {
    match kept {
        Some(kept) => serde_json::from_str(kept)
            .map_err(|e| Failure::new("DatabaseUnreadable", "what the catalog has reached").cause(e)),
        None => Ok(Floors::new(root::read(root)?)),
    }
}

fn cache(args: &Args, place: &Place) -> Result<PathBuf> {
    let beside = || place.file().map(|file| file.with_extension("cache"));
    args.cache.clone().or_else(beside).ok_or_else(|| {
        Failure::new("CacheMissing", "the catalog is fetched into a folder of this server's own")
            .hint("name it with --cache")
    })
}

fn http(args: &Args) -> Result<HttpOptions> {
    let exceptions = Exceptions::parse(&args.allow_http, &args.token_hosts)?;
    Ok(HttpOptions::new(args.ca.clone(), exceptions))
}

/// Logins for ring state and for the catalog.
fn git_logins(args: &Args) -> (LoginSource, LoginSource) {
    let written = args.ring_state_git.as_deref().unwrap_or(&args.catalog);
    login::git_logins(
        (written, args.git_token.as_deref()),
        (&args.catalog, args.catalog_git_token.as_deref()),
    )
}

fn source(args: &Args, cache: &std::path::Path) -> Result<Source> {
    let interval = Duration::from_secs(args.catalog_interval.seconds().unsigned_abs().max(1));
    let (url, cache) = (args.catalog.clone(), cache.join("catalog"));
    Ok(Source { url, cache, git: GitOptions::new(http(args)?, git_logins(args).1), interval })
}

fn places(args: &Args, cache: &std::path::Path) -> Result<Places> {
    let http = http(args)?;
    let git = GitOptions::new(http.clone(), git_logins(args).0);
    let oci = OciOptions { http, login: LoginSource::Helpers };
    Ok(Places {
        git: args.ring_state_git.clone().map(|url| (url, cache.join("ring-state"), git)),
        oci: args.ring_state_oci.clone().map(|repository| (repository, oci)),
    })
}
