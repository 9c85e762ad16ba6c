//! The first step of a pass: the vendor's catalog and the word of whoever opens levels, each from its own endpoint
//! and judged. Nothing after it knows an address.

mod asked;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pdp_policies::gate::Other;
use pdp_policies::trust::{self, Catalog, Floors, Judged, Known, Verified};
use pdp_policies::{At, Refusal, RefusalCode};
use pdp_transport::catalog::{Found, Mark};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::Registry;
use pdp_transport::{Error, KeptBlob, Kind, block_on};

use crate::content::SignedApproval;
use crate::crd::MoveStatus;
use crate::endpoints::{CatalogEndpoint, GitEndpoint};
use crate::instruct::{self, Heard, Listened};
use crate::others;
use crate::reconcile::Plane;
use crate::state::State;
use crate::status::Seen;
use crate::time::Clock;

pub(crate) use asked::{Asked, catalog};

/// All that a decision is made on.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) catalog: Arc<Verified<Catalog>>,
    pub(crate) heard: Box<Heard>,
    /// What was heard of the data planes that go first.
    pub(crate) others: Vec<Other>,
}

/// The vendor's catalog and the word of whoever opens levels; once more if the director saw a newer catalog. Floors
/// are saved before anything is decided. `told` is what became of moves.
///
/// # Errors
/// What can't be kept; what can't be had, or is refused, is an outcome.
pub(crate) fn fetch(
    plane: &Plane,
    approvals: &[SignedApproval],
    state: &mut State,
    told: &mut Option<Vec<MoveStatus>>,
    clock: &Clock,
) -> Result<std::result::Result<Fetched, Seen>> {
    let Plane { customer, endpoints, last, .. } = plane;
    let mut refetched = false;
    loop {
        let now = clock.now();
        let Asked { judgement, moves, origin } =
            catalog(endpoints, state, &state.cache("catalog"), last, now);
        *told = Some(moves.clone());
        let catalog = match judgement {
            Judgement::Trusted(catalog, floors) => {
                if let Some(refusal) = older_than_decision(&catalog, state) {
                    return Ok(Err(Seen::Refused { refusal, behind: true }));
                }
                state.save_floors(floors)?;
                state.learn_moves(catalog.channel(&customer.line), &origin, now)?;
                catalog
            }
            Judgement::Unavailable(failure) => return Ok(Err(Seen::Unavailable(failure))),
            Judgement::Refused { refusal, behind, rooted } => {
                rooted.map(|floors| state.keep_root(*floors)).transpose()?;
                return Ok(Err(Seen::Refused { refusal, behind }));
            }
        };
        match instruct::listen(endpoints, customer, approvals, state, &catalog, clock.now(), refetched)? {
            Listened::Heard(heard) => {
                told.get_or_insert_default().extend(heard.moves.iter().cloned());
                let identity = heard.identity.as_ref();
                let (others, newest) =
                    others::heard(customer, &plane.reports_of, identity, &state.others, clock.now())?;
                state.save_others(newest)?;
                return Ok(Ok(Fetched { catalog, heard, others }));
            }
            Listened::FetchFirst => refetched = true,
        }
    }
}

/// The decision is a floor of its own: whoever loses the others isn't led back behind what was decided on.
fn older_than_decision(catalog: &Catalog, state: &State) -> Option<Refusal> {
    let (own, decided) = (catalog.versions().timestamp, state.record.as_ref()?.catalog().timestamp);
    let detail = format!("signed at {own}, but the last decision was made on one signed at {decided}");
    (own < decided).then(|| Refusal::new(RefusalCode::VersionFloor, "timestamp.json", detail))
}

/// What came of fetching the catalog.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// The vendor's catalog, and the floors to keep.
    Trusted(Arc<Verified<Catalog>>, Floors),
    /// It couldn't be had: wait, this says nothing of its content.
    Unavailable(Failure),
    /// It was refused. `behind` if it was only old, twice; `rooted`: the floors with its root, which is kept all the
    /// same if it is verified.
    Refused { refusal: Refusal, behind: bool, rooted: Option<Box<Floors>> },
}

/// The catalog that this process verified last, and where its bytes came from. All of it may be lost.
#[derive(Debug, Default)]
pub(crate) struct LastCatalog(Mutex<Option<(Mark, Known)>>);

impl LastCatalog {
    /// What these bytes are under these floors, at `now`, if a source still holds them.
    fn verdict(&self, floors: &Floors, now: At) -> Option<(Mark, Judgement)> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mark, known) = last.as_ref()?;
        let judgement = match known.again(floors, now)? {
            Ok(floors) => Judgement::Trusted(Arc::clone(known.catalog()), floors),
            Err(refusal) => Judgement::Refused { refusal, behind: false, rooted: None },
        };
        Some((mark.clone(), judgement))
    }

    fn set(&self, known: Option<(Mark, Known)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Everything is verified anew.
    pub(crate) fn forget(&self) {
        self.set(None);
    }
}

/// Fetches from one place and judges; never fails, because a data plane goes on without its vendor.
fn from_place(
    endpoint: &CatalogEndpoint,
    cache: &Path,
    last: &LastCatalog,
    floors: &Floors,
    now: At,
) -> Judgement {
    let (mark, verdict) = last.verdict(floors, now).unzip();
    let found = load(endpoint, cache, mark.as_ref());
    match (found, verdict) {
        (Ok(Found::Same), Some(verdict)) => verdict,
        (found, _) => judge(found, || load(endpoint, cache, None), last, floors, now),
    }
}

type Loaded = std::result::Result<Found, Error>;

/// Judges what was found, and what is found `again` if it has to be looked at once more.
fn judge(
    found: Loaded,
    again: impl Fn() -> Loaded,
    last: &LastCatalog,
    floors: &Floors,
    now: At,
) -> Judgement {
    let (mut first, mut mark) = (Some(found), None);
    let read = || match first.take().unwrap_or_else(&again)? {
        Found::New(named, tree) => {
            mark = named;
            Ok(tree)
        }
        Found::Same => Err(nothing_known()),
    };
    match trust::catalog_from(read, floors, now) {
        Err(error) => Judgement::Unavailable(error.into()),
        Ok((Judged::Trusted(catalog, after), _)) => {
            let catalog = Arc::from(catalog);
            let known = Known::new(floors.clone(), Arc::clone(&catalog), after.clone());
            last.set(mark.map(|mark| (mark, known)));
            Judgement::Trusted(catalog, after)
        }
        Ok((Judged::FetchFirst(refusal, rooted) | Judged::Refused(refusal, rooted), behind)) => {
            Judgement::Refused { refusal, behind, rooted: Some(Box::new(rooted)) }
        }
    }
}

fn nothing_known() -> Error {
    Error::new(Kind::Garbage, "the catalog", "it is said to be one that this process doesn't know")
}

fn load(endpoint: &CatalogEndpoint, cache: &Path, known: Option<&Mark>) -> Loaded {
    let kept = KeptBlob::new(&cache.join("kept"));
    match endpoint {
        CatalogEndpoint::Git(GitEndpoint { url, branch, options }) => {
            pdp_transport::catalog::from_branch(url, branch, cache, options.clone(), known)
        }
        CatalogEndpoint::Oci { repository, tag, options } => {
            let registry = Registry::new(options)?;
            let found = pdp_transport::catalog::from_oci(&registry, repository, tag, &kept, known);
            let what = || format!("catalog {repository}:{tag}");
            block_on(found)??
                .ok_or_else(|| Error::new(Kind::NotFound, what(), "the vendor has published none there"))
        }
        CatalogEndpoint::Flux { artifact: Ok(artifact), http, .. } => {
            block_on(pdp_transport::catalog::from_flux(artifact, http, &kept, known))?
        }
        CatalogEndpoint::Flux { artifact: Err(why), .. } => {
            Err(Error::new(Kind::Unreachable, "the catalog's Flux source", why))
        }
        CatalogEndpoint::Folder(path) => Ok(Found::New(None, pdp_transport::catalog::from_folder(path)?)),
    }
}
