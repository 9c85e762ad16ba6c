//! Getting the catalog and having it judged; once more if it may only be lagging.

use std::path::Path;

use pdp_policies::trust::{self, Catalog, Floors, Judged, Verified};
use pdp_policies::{At, CatalogTree, Refusal};
use pdp_transport::cli::Failure;
use pdp_transport::git::{GitOptions, Remote};
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
    let mut behind = false;
    for refetched in [false, true] {
        let tree = match load(subscription, cache) {
            Ok(tree) => tree,
            Err(error) => return Fetched::Unavailable(error.into()),
        };
        match trust::catalog(tree, floors, now, refetched) {
            Judged::Trusted(catalog, floors) => return Fetched::Trusted(catalog, floors),
            Judged::FetchFirst(_) => behind = true,
            Judged::Refused(refusal) => return Fetched::Refused { refusal, behind },
        }
    }
    Fetched::Unavailable(Failure::new("CatalogBehind", "the catalog is older than what was seen"))
}

fn load(subscription: &Subscription, cache: &Path) -> Result<CatalogTree, Error> {
    let missing = |what: String| Error::new(Kind::NotFound, what, "the vendor has published none there");
    match &subscription.spec.catalog {
        CatalogSource::Git { url, branch } => {
            std::fs::create_dir_all(cache).map_err(|e| Error::io(format!("make {}", cache.display()), &e))?;
            let remote = Remote::open(url, cache, git_options(subscription))?;
            let found = pdp_transport::catalog::from_git(&remote, branch)?;
            found
                .map(|(_, tree)| tree)
                .ok_or_else(|| missing(format!("branch `{branch}` of {}", remote.shown())))
        }
        CatalogSource::Oci { repository, tag } => {
            let repository: Repository = repository.parse()?;
            let registry = Registry::new(&oci_options(subscription))?;
            let found = block_on(pdp_transport::catalog::from_oci(&registry, &repository, tag))??;
            found.ok_or_else(|| missing(format!("catalog {repository}:{tag}")))
        }
        CatalogSource::Folder { path } => pdp_transport::catalog::from_folder(path),
    }
}

pub(crate) fn git_options(subscription: &Subscription) -> GitOptions {
    let token = std::env::var("PDP_SYNC_GIT_TOKEN").ok();
    let login =
        token.map(|secret| pdp_transport::credentials::Login { user: "x-access-token".into(), secret });
    GitOptions { http: http_options(subscription), login, ..GitOptions::default() }
}

pub(crate) fn oci_options(subscription: &Subscription) -> OciOptions {
    OciOptions { http: http_options(subscription), login: None }
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
