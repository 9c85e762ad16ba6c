//! Getting the catalog and having it judged; once more if it may only be lagging.

use std::path::Path;

use pdp_policies::trust::{self, Catalog, Floors, Judged, Verified};
use pdp_policies::{At, CatalogTree, Refusal};
use pdp_transport::cli::Failure;
use pdp_transport::git::GitOptions;
use pdp_transport::oci::{OciOptions, Registry, Repository};
use pdp_transport::{Error, HttpOptions, Kind};

use crate::subscription::{CatalogSource, Subscription};

/// What came of fetching.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The vendor's catalog, and the floors to keep.
    Trusted(Box<Verified<Catalog>>, Floors),
    /// It couldn't be had: wait, this says nothing of its content.
    Unavailable(Failure),
    /// It was refused. `behind` if it was only old, twice.
    Refused { refusal: Refusal, behind: bool },
}

/// Fetches and judges; never fails, because a data plane goes on without its vendor.
pub(crate) fn catalog(subscription: &Subscription, cache: &Path, floors: &Floors, now: At) -> Fetched {
    match trust::catalog_from(|| load(subscription, cache), floors, now) {
        Err(error) => Fetched::Unavailable(error.into()),
        Ok((Judged::Trusted(catalog, floors), _)) => Fetched::Trusted(catalog, floors),
        Ok((Judged::FetchFirst(refusal) | Judged::Refused(refusal), behind)) => {
            Fetched::Refused { refusal, behind }
        }
    }
}

fn load(subscription: &Subscription, cache: &Path) -> Result<CatalogTree, Error> {
    match &subscription.spec.catalog {
        CatalogSource::Git { url, branch } => {
            pdp_transport::catalog::from_branch(url, branch, cache, git_options(subscription))
        }
        CatalogSource::Oci { repository, tag } => {
            let repository: Repository = repository.parse()?;
            let login = subscription.spec.logins.catalog.clone();
            let registry = Registry::new(&OciOptions { login, ..oci_options(subscription) })?;
            let found = block_on(pdp_transport::catalog::from_oci(&registry, &repository, tag))??;
            let what = || format!("catalog {repository}:{tag}");
            found.ok_or_else(|| Error::new(Kind::NotFound, what(), "the vendor has published none there"))
        }
        CatalogSource::Flux(Ok(artifact)) => {
            block_on(pdp_transport::catalog::from_flux(artifact, &http_options(subscription)))?
        }
        CatalogSource::Flux(Err(why)) => Err(Error::new(Kind::Unreachable, "the catalog's Flux source", why)),
        CatalogSource::Folder { path } => pdp_transport::catalog::from_folder(path),
    }
}

pub(crate) fn git_options(subscription: &Subscription) -> GitOptions {
    let options =
        GitOptions::with_token(http_options(subscription), std::env::var("PDP_SYNC_GIT_TOKEN").ok());
    let login = subscription.spec.logins.git.clone().or(options.login);
    GitOptions { login, ..options }
}

pub(crate) fn oci_options(subscription: &Subscription) -> OciOptions {
    OciOptions { http: http_options(subscription), login: subscription.spec.logins.artifacts.clone() }
}

pub(crate) fn http_options(subscription: &Subscription) -> HttpOptions {
    let mut options = HttpOptions { extra_ca: subscription.spec.ca.clone(), ..HttpOptions::default() };
    // Tests of silent servers needn't wait for half a minute.
    if cfg!(debug_assertions)
        && let Some(seconds) = std::env::var("PDP_READ_TIMEOUT").ok().and_then(|text| text.parse().ok())
    {
        options.read_timeout = std::time::Duration::from_secs(seconds);
    }
    options
}

/// Runs the registry's asynchronous requests; between passes no runtime and no thread stays behind.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|e| Error::io("start a runtime", &e))?.block_on(future))
}
