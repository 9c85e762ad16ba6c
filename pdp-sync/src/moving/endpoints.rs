//! The endpoints of successors: the same branch, tag and options at another address, and no other host's login.

use pdp_policies::At;
use pdp_policies::moves::{Address, Hop, MoveKind};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::git::GitOptions;
use pdp_transport::login::LoginSource;
use pdp_transport::oci::Repository;
use url::Url;

use super::{FLUX_SOURCE, Places, Remembered, places};
use crate::connection::Connection;
use crate::endpoints::{CatalogEndpoint, Endpoints, GitEndpoint, RingStateEndpoint, ServerEndpoint};

/// What a move is followed with: which hosts are allowed, and where a new host's login comes from. No token is here.
#[derive(Debug, Clone)]
pub(crate) struct Mover {
    connection: Connection,
    /// Git's helpers beside a file, which know logins by host; nobody in a cluster.
    otherwise: LoginSource,
}

impl Mover {
    /// `git` is where the catalog's login comes from.
    pub(crate) fn new(connection: &Connection, git: &LoginSource) -> Self {
        let otherwise = match git {
            LoginSource::Helpers => LoginSource::Helpers,
            _ => LoginSource::Nobody,
        };
        Self { connection: connection.without_tokens(), otherwise }
    }

    fn git(&self, old: &GitEndpoint, to: &Address) -> Result<GitEndpoint> {
        let url = to.to_string();
        self.connection.check("moves", &url)?;
        let options = GitOptions { login: self.login(&old.options.login, &url), ..old.options.clone() };
        Ok(GitEndpoint { url, branch: old.branch.clone(), options })
    }

    /// The old host's login stays with its origin.
    fn login(&self, old: &LoginSource, url: &str) -> LoginSource {
        let is_for = |login: &pdp_transport::Login| Url::parse(url).is_ok_and(|url| login.is_for(&url));
        match old {
            LoginSource::Given(login) if is_for(login) => old.clone(),
            _ => self.otherwise.clone(),
        }
    }

    /// A registry's login is looked up by host when it asks.
    pub(crate) fn repository(&self, to: &Address) -> Result<Repository> {
        let repository: Repository = to.to_string().parse()?;
        self.connection.check_repository("moves", &repository)?;
        Ok(repository)
    }
}

/// Where the catalog is asked for.
pub(crate) fn catalogs(endpoints: &Endpoints, remembered: &Remembered, now: At) -> Places<CatalogEndpoint> {
    let (mover, here) = (&endpoints.mover, &endpoints.catalog);
    let written = match here {
        CatalogEndpoint::Git(git) => Some(git.url.clone()),
        CatalogEndpoint::Oci { repository, .. } => Some(repository.to_string()),
        // A Flux source is the customer's own to move: it is told, and Flux goes on as it is told.
        CatalogEndpoint::Flux { url, .. } => {
            url.as_ref().map(|url| url.strip_prefix("oci://").unwrap_or(url).to_owned())
        }
        CatalogEndpoint::Folder(_) => None,
    };
    let make = |to: &Address| match here {
        CatalogEndpoint::Git(old) => Ok(CatalogEndpoint::Git(mover.git(old, to)?)),
        CatalogEndpoint::Oci { tag, options, .. } => {
            let (repository, tag, options) = (mover.repository(to)?, tag.clone(), options.clone());
            Ok(CatalogEndpoint::Oci { repository, tag, options })
        }
        CatalogEndpoint::Flux { .. } | CatalogEndpoint::Folder(_) => Err(not_ours()),
    };
    // Where no successor ever gave a fresh catalog, only the old address can put a wrong move right, and it may want its login.
    let ended =
        |old, later: &[Hop<'_>]| Some(if remembered.has_answered(later) { without_login(old) } else { old });
    places(here.clone(), address(written), MoveKind::Catalog, remembered, now, make, ended)
}

/// A name that the vendor gave up may be somebody else's: it gets no login. It is asked all the same, because what heals a
/// wrong move may lie nowhere else.
fn without_login(mut old: CatalogEndpoint) -> CatalogEndpoint {
    match &mut old {
        CatalogEndpoint::Git(git) => git.options.login = LoginSource::Nobody,
        CatalogEndpoint::Oci { options, .. } => options.login = LoginSource::Nobody,
        CatalogEndpoint::Flux { .. } | CatalogEndpoint::Folder(_) => {}
    }
    old
}

/// A catalog is enough to heal: nothing else is asked at a name that may be somebody else's.
pub(super) fn not_at_all<T>(_: T, _: &[Hop<'_>]) -> Option<T> {
    None
}

/// Where ring state is asked for; none if it opens no levels.
pub(crate) fn ring_states(
    endpoints: &Endpoints,
    remembered: &Remembered,
    now: At,
) -> Option<Places<RingStateEndpoint>> {
    let (mover, here) = (&endpoints.mover, endpoints.ring_state.as_ref()?);
    let written = match here {
        RingStateEndpoint::Git(git) => git.url.clone(),
        RingStateEndpoint::Oci { repository, .. } => repository.to_string(),
    };
    let make = |to: &Address| match here {
        RingStateEndpoint::Git(old) => Ok(RingStateEndpoint::Git(mover.git(old, to)?)),
        RingStateEndpoint::Oci { options, .. } => {
            Ok(RingStateEndpoint::Oci { repository: mover.repository(to)?, options: options.clone() })
        }
    };
    Some(places(here.clone(), address(Some(written)), MoveKind::Catalog, remembered, now, make, not_at_all))
}

/// Where the channel server is asked; none if it opens no levels. A data plane that isn't enrolled asks the one that
/// its subscription names alone: an enrolment token is for whom the customer named.
pub(crate) fn servers(
    endpoints: &Endpoints,
    remembered: &Remembered,
    is_enrolled: bool,
    now: At,
) -> Option<Places<ServerEndpoint>> {
    let (mover, here) = (&endpoints.mover, endpoints.server.as_ref()?);
    let make = |to: &Address| {
        let url = to.to_string();
        mover.connection.check("moves", &url)?;
        if !is_enrolled {
            return Err(Failure::new("NotEnrolled", format!("server {url}")));
        }
        Ok(ServerEndpoint { url, http: here.http.clone(), enrolment_token: None })
    };
    Some(places(
        here.clone(),
        address(Some(here.url.clone())),
        MoveKind::Server,
        remembered,
        now,
        make,
        not_at_all,
    ))
}

/// What isn't an address in that form never moves.
fn address(written: Option<String>) -> Option<Address> {
    Address::loosely(&written?).ok()
}

fn not_ours() -> Failure {
    Failure::new(FLUX_SOURCE, "the catalog comes from a Flux source")
}
