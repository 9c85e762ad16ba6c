//! What a process has verified already: the same bytes under the same floors have the same signatures. What time decides
//! is judged at every pass: here the clock of the online roles, expiry by [`Catalog::freshness`].

use std::sync::Arc;

use super::Verified;
use super::catalog::Catalog;
use super::floors::Floors;
use super::judge;
use crate::codes::Refusal;
use crate::time::At;

/// A catalog that was judged good, and under which floors. Never written down: a verdict on disk is nobody's word.
#[derive(Debug, Clone)]
pub struct Known {
    under: Floors,
    catalog: Arc<Verified<Catalog>>,
    floors: Floors,
}

impl Known {
    /// A verdict of [`super::catalog`]: what was trusted `under` which floors, and the floors that it led to.
    pub fn new(under: Floors, catalog: Arc<Verified<Catalog>>, floors: Floors) -> Self {
        Self { under, catalog, floors }
    }

    /// The catalog that was verified.
    pub fn catalog(&self) -> &Arc<Verified<Catalog>> {
        &self.catalog
    }

    /// The verdict on the same bytes at `now`, and the floors to keep; none under other floors: then it is to be judged
    /// anew. The root, the key lists and every version are part of bytes and floors.
    ///
    /// # Errors
    /// `ClockSkew` if the clock here was set back since.
    pub fn again(&self, floors: &Floors, now: At) -> Option<Result<Floors, Refusal>> {
        let same = *floors == self.under || *floors == self.floors;
        same.then(|| judge::check_clock(&self.catalog, now).map(|()| self.floors.clone()))
    }
}
