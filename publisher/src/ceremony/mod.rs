//! The first trust: who holds what, agreed on by people in different places, each on a machine of their own.
//!
//! Each step is a file that travels by mail or stick. Whoever signs builds what is signed from everybody's files and
//! trusts nobody's draft.

mod documents;
mod draft;
mod gathered;
mod plan;
mod root;

pub(crate) use documents::{Join, PublicKey, Signatures, Start, Step};
pub(crate) use draft::{Draft, Seats, assemble};
pub(crate) use gathered::Gathered;
pub(crate) use plan::{Plan, Seat, Seating, quoted};
pub(crate) use root::{Agreed, agreed_root};
