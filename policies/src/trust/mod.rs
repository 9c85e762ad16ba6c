//! Who vouches for what: the only place where bytes become [`Verified`].
//!
//! The catalog is TUF; `sigstore-tuf`'s synchronous set checks signatures, thresholds and pins.
//! What it leaves open is checked here: delegation paths, one key under two ids, least thresholds,
//! floors that survive a restart, clocks, expiry (judged apart, so that an expired catalog still brakes).

mod approval;
mod artifact;
mod catalog;
mod chain;
mod floors;
mod handed_report;
mod instruction;
mod judge;
mod known;
pub mod metadata;
mod role;
mod signers;
mod ssh;
mod ssh_certificate;
mod statement;
mod vouchers;

pub use approval::{Approved, Requested, Times, Uncounted, approval, is_request, request};
pub use artifact::{COSIGN_PREDICATE, SIGSTORE_BUNDLE, bundle, signed_artifact};
pub use catalog::{Catalog, Descriptor, Freshness, STALE_AFTER};
pub use floors::{Floors, RoleFloor};
pub use handed_report::{MAX_HANDED_REPORT_BYTES, handed_report};
pub use instruction::{Instructed, InstructionFloor, assignment, ring_state, signed_ring_state};
pub use judge::{Judged, catalog, catalog_from};
pub use known::Known;
pub use role::{Nearness, Role};
pub use statement::{MAX_STATEMENT_BUNDLE_BYTES, PREDICATE_TYPE, Stated, may_release, may_state, stated};
pub use vouchers::{Carried, Vouchers, carried};

/// A value that someone entitled vouched for. Only this module can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
