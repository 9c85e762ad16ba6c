//! Where a pass goes, and with what login: each address has its own, built in one place, and no step gets another's.

use std::path::PathBuf;

use pdp_transport::HttpOptions;
use pdp_transport::cli::failure::Result;
use pdp_transport::flux_artifact::FluxArtifact;
use pdp_transport::git::GitOptions;
use pdp_transport::login::{self, LoginSource};
use pdp_transport::oci::{OciOptions, Repository};
use url::Url;

use crate::connection::Connection;
use crate::content::Content;
use crate::moving::Mover;
use crate::subscription::{CatalogSource, InstructionSource, RingStateSource, Spec, Subscription, Target};

/// All addresses of one subscription.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) catalog: CatalogEndpoint,
    /// How the registry is reached that the release, or the mirror, names.
    pub(crate) artifacts: OciOptions,
    /// Where ring state lies, if it opens levels.
    pub(crate) ring_state: Option<RingStateEndpoint>,
    /// The channel server, if it opens levels.
    pub(crate) server: Option<ServerEndpoint>,
    /// The customer's repository, if it is what is written to.
    pub(crate) target: Option<GitEndpoint>,
    /// The hosts that the administrator allows; no token is here.
    pub(crate) hosts: Connection,
    /// How successors of these addresses are reached.
    pub(crate) mover: Mover,
}

/// A branch of a Git repository.
#[derive(Debug, Clone)]
pub(crate) struct GitEndpoint {
    pub(crate) url: String,
    pub(crate) branch: String,
    pub(crate) options: GitOptions,
}

/// Where the vendor's catalog lies.
#[derive(Debug, Clone)]
pub(crate) enum CatalogEndpoint {
    Git(GitEndpoint),
    Oci {
        repository: Repository,
        tag: String,
        options: OciOptions,
    },
    /// What a Flux source of the cluster holds, or why it holds nothing.
    Flux {
        artifact: std::result::Result<FluxArtifact, String>,
        /// Where Flux fetches from.
        url: Option<String>,
        http: HttpOptions,
    },
    Folder(PathBuf),
}

/// Where ring state lies.
#[derive(Debug, Clone)]
pub(crate) enum RingStateEndpoint {
    Git(GitEndpoint),
    Oci { repository: Repository, options: OciOptions },
}

/// The channel server, and the token to enrol with.
#[derive(Debug, Clone)]
pub(crate) struct ServerEndpoint {
    pub(crate) url: String,
    pub(crate) http: HttpOptions,
    pub(crate) enrolment_token: Option<Content>,
}

impl Endpoints {
    /// From a subscription, by a file or by a cluster's object.
    ///
    /// # Errors
    /// `BadReference` for an address that isn't one, `HostNotAllowed` for one that the administrator doesn't list.
    pub(crate) fn of(subscription: &Subscription, connection: &Connection) -> Result<Self> {
        let spec = &subscription.spec;
        let build = Build { spec, connection, http: connection.http(&spec.ca) };
        let endpoints = Self {
            catalog: build.catalog()?,
            artifacts: OciOptions { http: build.http.clone(), login: spec.logins.artifacts.clone() },
            ring_state: build.ring_state()?,
            server: build.server()?,
            target: build.target(),
            hosts: connection.without_tokens(),
            mover: Mover::new(connection, &spec.logins.git),
        };
        if let Some(mirror) = &spec.mirror {
            connection.check_repository("spec.mirror", &format!("{mirror}/x").parse()?)?;
        }
        Ok(endpoints)
    }
}

struct Build<'a> {
    spec: &'a Spec,
    connection: &'a Connection,
    http: HttpOptions,
}

impl Build<'_> {
    fn catalog(&self) -> Result<CatalogEndpoint> {
        Ok(match &self.spec.catalog {
            CatalogSource::Git { url, branch } => {
                self.connection.check("spec.catalog.git.url", url)?;
                CatalogEndpoint::Git(self.git(url, branch, self.git_logins().1))
            }
            CatalogSource::Oci { repository, tag } => {
                let repository: Repository = repository.parse()?;
                self.connection.check_repository("spec.catalog.oci.repository", &repository)?;
                let options = OciOptions { http: self.http.clone(), login: self.spec.logins.catalog.clone() };
                CatalogEndpoint::Oci { repository, tag: tag.clone(), options }
            }
            CatalogSource::Flux(artifact, url) => {
                let (artifact, url) = (artifact.clone(), url.clone());
                CatalogEndpoint::Flux { artifact, url, http: self.http.clone() }
            }
            CatalogSource::Folder { path } => CatalogEndpoint::Folder(path.clone()),
        })
    }

    fn ring_state(&self) -> Result<Option<RingStateEndpoint>> {
        let InstructionSource::RingState(source) = &self.spec.instruction else { return Ok(None) };
        Ok(Some(match source {
            RingStateSource::Git { url, branch } => {
                self.connection.check("spec.instruction.ringState.git.url", url)?;
                RingStateEndpoint::Git(self.git(url, branch, self.ring_state_login(url)))
            }
            RingStateSource::Oci { repository } => {
                let repository: Repository = repository.parse()?;
                self.connection.check_repository("spec.instruction.ringState.oci.repository", &repository)?;
                // By host: a Secret of the artifacts' registry that names this one, too, is meant for it.
                let options =
                    OciOptions { http: self.http.clone(), login: self.spec.logins.artifacts.clone() };
                RingStateEndpoint::Oci { repository, options }
            }
        }))
    }

    fn server(&self) -> Result<Option<ServerEndpoint>> {
        let InstructionSource::Server(source) = &self.spec.instruction else { return Ok(None) };
        self.connection.check("spec.instruction.server.url", &source.url)?;
        let (url, enrolment_token) = (source.url.clone(), source.enrolment_token.clone());
        Ok(Some(ServerEndpoint { url, http: self.http.clone(), enrolment_token }))
    }

    fn target(&self) -> Option<GitEndpoint> {
        let Target::Git { url, branch, limits, .. } = &self.spec.target else { return None };
        let mut endpoint = self.git(url, branch, self.git_logins().0);
        endpoint.options.limits = limits.limits();
        if let Some(silence) = limits.silence() {
            endpoint.options.http.silence = silence;
        }
        Some(endpoint)
    }

    fn git(&self, url: &str, branch: &str, login: LoginSource) -> GitEndpoint {
        let options = GitOptions::new(self.http.clone(), login);
        GitEndpoint { url: url.to_owned(), branch: branch.to_owned(), options }
    }

    /// Logins of the target and of the catalog.
    fn git_logins(&self) -> (LoginSource, LoginSource) {
        if let LoginSource::Given(_) | LoginSource::Nobody = self.spec.logins.git {
            return (LoginSource::Nobody, self.spec.logins.git.clone());
        }
        let written = match &self.spec.target {
            Target::Git { url, .. } => url,
            Target::Flux(_) => "",
        };
        let catalog = match &self.spec.catalog {
            CatalogSource::Git { url, .. } => url,
            _ => "",
        };
        let (token, catalog_token) = self.connection.git_tokens();
        login::git_logins((written, token), (catalog, catalog_token))
    }

    /// Ring state has no login of its own: the catalog's, or the target's, if it lies on the same origin.
    fn ring_state_login(&self, url: &str) -> LoginSource {
        let (target, catalog) = self.git_logins();
        let Ok(url) = Url::parse(url) else { return LoginSource::Helpers };
        [&catalog, &target]
            .into_iter()
            .find(|source| matches!(source, LoginSource::Given(login) if login.is_for(&url)))
            .cloned()
            .unwrap_or(if catalog == LoginSource::Nobody {
                LoginSource::Nobody
            } else {
                LoginSource::Helpers
            })
    }
}
