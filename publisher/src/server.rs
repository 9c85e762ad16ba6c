//! The channel server as a person asks it: with an API token.

use std::path::{Path, PathBuf};

use pdp_policies::Organization;
use pdp_transport::channel_server::{ChannelServer, DataPlaneView, InstalledView, OrganizationView, Page};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::{Exceptions, HttpOptions};
use pdp_transport::{cli, files};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where the server is, and who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// Address of the channel server.
    #[arg(long, env = "PUBLISHER_SERVER", value_name = "URL")]
    server: String,
    /// A file with the API token (default: the environment variable PUBLISHER_TOKEN).
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Further CA certificates (PEM).
    #[arg(long = "ca", env = "PUBLISHER_CA", value_name = "FILE")]
    ca: Vec<PathBuf>,
}

/// The server for a command that changes something there.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeServerArgs {
    #[command(flatten)]
    of: ServerArgs,
    /// Sends no change: asks the server how things stand, and says what would be sent. Whether the server would take it
    /// is only known once it is sent.
    #[arg(long)]
    dry_run: bool,
}

impl ChangeServerArgs {
    pub(crate) fn open(&self) -> Result<Desk> {
        self.of.open()
    }

    /// True if nothing may be sent; says what would be.
    pub(crate) fn only_says(&self, what: &str) -> bool {
        if self.dry_run {
            cli::output::say(&format!("◎ dry run: {what}"));
        }
        self.dry_run
    }
}

/// As above where the server may be left out.
#[derive(Debug, clap::Args)]
pub(crate) struct AskedServerArgs {
    /// Address of the channel server.
    #[arg(long, env = "PUBLISHER_SERVER", value_name = "URL")]
    server: Option<String>,
    /// A file with the API token (default: the environment variable PUBLISHER_TOKEN).
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A server and a token for it.
pub(crate) struct Desk {
    server: ChannelServer,
    token: String,
}

impl ServerArgs {
    pub(crate) fn open(&self) -> Result<Desk> {
        let http = HttpOptions::new(self.ca.clone(), Exceptions::default());
        Desk::open(&self.server, self.token_file.as_deref(), &http)
    }
}

impl AskedServerArgs {
    /// The server, which has to be asked what is installed; `hint` says how to do without.
    ///
    /// # Errors
    /// `ServerNeeded` if none was given.
    pub(crate) fn needed(&self, http: &HttpOptions, hint: &str) -> Result<Desk> {
        let nobody =
            || Failure::new("ServerNeeded", "nobody was asked which levels are installed").hint(hint);
        self.open(http)?.ok_or_else(nobody)
    }

    /// The server, if one was given.
    pub(crate) fn open(&self, http: &HttpOptions) -> Result<Option<Desk>> {
        self.server.as_ref().map(|server| Desk::open(server, self.token_file.as_deref(), http)).transpose()
    }
}

fn token(file: Option<&Path>) -> Result<String> {
    let missing = || {
        Failure::new("TokenMissing", "the channel server needs an API token")
            .hint("set PUBLISHER_TOKEN, or use --token-file; `channel-server token create` makes one")
            .exit(cli::exit::LOGIN)
    };
    let Some(path) = file else {
        return std::env::var("PUBLISHER_TOKEN").map_err(|_| missing());
    };
    let bytes = files::read_capped(path, 4096)?;
    let bytes = bytes.ok_or_else(|| Failure::new("NotFound", format!("token file {}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

impl Desk {
    fn open(server: &str, token_file: Option<&Path>, http: &HttpOptions) -> Result<Self> {
        Ok(Self { server: ChannelServer::new(server, http)?, token: token(token_file)? })
    }

    /// All data planes, or those of one organization.
    pub(crate) async fn data_planes(&self, only: Option<&Organization>) -> Result<Vec<DataPlaneView>> {
        let only = only.map_or_else(String::new, |name| format!("&organization={name}"));
        let (mut planes, mut after) = (Vec::new(), String::new());
        loop {
            let page: Page<DataPlaneView> =
                self.get(&format!("v1/data-planes?limit=1000&after={after}{only}")).await?;
            planes.extend(page.items);
            match page.next {
                Some(next) => after = next,
                None => return Ok(planes),
            }
        }
    }

    /// Refuses organizations that the server doesn't know.
    ///
    /// # Errors
    /// `UnknownOrganization`, and what requests can end with.
    pub(crate) async fn knows(&self, named: &[Organization]) -> Result<()> {
        if named.is_empty() {
            return Ok(());
        }
        let known: Page<OrganizationView> = self.get("v1/organizations").await?;
        are_known(named, &known.items)
    }

    /// What data planes report to be on.
    pub(crate) async fn installed(&self) -> Result<Vec<InstalledView>> {
        Ok(self.get::<Page<InstalledView>>("v1/levels").await?.items)
    }

    /// Asks.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.server.call(&self.token, Method::GET, path, None::<&()>).await
    }

    /// Sets.
    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.server.call(&self.token, Method::PUT, path, Some(body)).await
    }

    /// Adds.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.server.call(&self.token, Method::POST, path, Some(body)).await
    }

    /// Takes away.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.server.call(&self.token, Method::DELETE, path, None::<&()>).await
    }
}

fn are_known(named: &[Organization], known: &[OrganizationView]) -> Result<()> {
    let unknown: Vec<_> = named.iter().filter(|name| known.iter().all(|it| it.name != **name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = unknown.iter().map(|name| format!("`{name}`")).collect();
    Err(Failure::new("UnknownOrganization", format!("the channel server doesn't know {}", names.join(", ")))
        .hint("`publisher org list` shows all organizations"))
}
