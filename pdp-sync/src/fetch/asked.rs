//! The catalog from whichever of its places has it: successors of its address first, then the address itself.

use std::path::Path;
use std::sync::Arc;

use pdp_policies::trust::{Catalog, Floors, Freshness, Verified};
use pdp_policies::{At, Refusal};
use pdp_transport::cli::failure::{Failure, internal};

use super::{Judgement, LastCatalog, from_place};
use crate::crd::{MoveState, MoveStatus};
use crate::endpoints::{CatalogEndpoint, Endpoints};
use crate::moving::{self, Origin, Place};
use crate::state::State;

/// What came of asking.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) judgement: Judgement,
    /// What became of the catalog's moves.
    pub(crate) moves: Vec<MoveStatus>,
    /// Where a catalog that is trusted came from.
    pub(crate) origin: Origin,
}

/// Asks until a fresh catalog is found. What is refused, or past its freshness, in one place keeps nobody from the
/// next: all of them are judged under the same floors, and of two that aren't fresh the newer one counts.
pub(crate) fn catalog(
    endpoints: &Endpoints,
    state: &State,
    cache: &Path,
    last: &LastCatalog,
    now: At,
) -> Asked {
    let places = moving::catalogs(endpoints, &state.moves, now);
    let mut found = Search::new(state.floors.clone(), state.keeps_roots());
    found.moves = places.barred;
    for place in &places.ask {
        let judgement = from_place(&place.endpoint, cache, last, &found.floors, now);
        found.take(place, judgement, now);
        if found.is_fresh {
            break;
        }
    }
    found.end()
}

/// What was found so far.
struct Search {
    /// Risen by every verified root on the way: an old address mustn't lead back behind it.
    floors: Floors,
    keeps_roots: bool,
    trusted: Option<(Arc<Verified<Catalog>>, Floors, Origin)>,
    is_fresh: bool,
    refused: Option<(Refusal, bool)>,
    failed: Option<Failure>,
    moves: Vec<MoveStatus>,
}

impl Search {
    fn new(floors: Floors, keeps_roots: bool) -> Self {
        let (trusted, refused, failed, moves) = (None, None, None, Vec::new());
        Self { floors, keeps_roots, trusted, is_fresh: false, refused, failed, moves }
    }

    fn take(&mut self, place: &Place<CatalogEndpoint>, judgement: Judgement, now: At) {
        let told = match judgement {
            Judgement::Trusted(catalog, floors) => {
                self.is_fresh = catalog.freshness(now) == Freshness::Fresh;
                let newest = self.trusted.as_ref().map(|(known, ..)| known.versions().timestamp);
                if newest < Some(catalog.versions().timestamp) {
                    let origin = Origin { successor: place.successor(), is_fresh: self.is_fresh };
                    self.trusted = Some((catalog, floors, origin));
                }
                place.told(MoveState::Followed, None)
            }
            Judgement::Refused { refusal, behind, rooted } => {
                if let Some(rooted) = rooted.filter(|it| self.keeps_roots && **it != self.floors) {
                    // What was judged under the root before is judged anew in the next pass.
                    (self.floors, self.trusted) = (*rooted, None);
                }
                let told = place.told(MoveState::Refused, Some(refusal.code.as_str()));
                self.refused.get_or_insert((refusal, behind));
                told
            }
            Judgement::Unavailable(failure) => {
                let told = place.told(MoveState::Unreachable, Some(&failure.code));
                // What waiting may heal goes first: the pass is tried again sooner.
                if self.failed.as_ref().is_none_or(|known| failure.transient && !known.transient) {
                    self.failed = Some(failure);
                }
                told
            }
        };
        self.moves.extend(told);
    }

    fn end(self) -> Asked {
        let Self { floors, trusted, refused, failed, moves, .. } = self;
        let mut origin = Origin::default();
        let judgement = match (trusted, refused) {
            (Some((catalog, floors, from)), _) => {
                origin = from;
                Judgement::Trusted(catalog, floors)
            }
            (None, Some((refusal, behind))) => {
                Judgement::Refused { refusal, behind, rooted: Some(Box::new(floors)) }
            }
            (None, None) => {
                Judgement::Unavailable(failed.unwrap_or_else(|| internal("the catalog has no place")))
            }
        };
        Asked { judgement, moves, origin }
    }
}
