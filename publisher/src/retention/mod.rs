//! What registries must keep as long as a catalog stands, and what else a repository has.

mod needed;
mod spare;

pub(crate) use needed::{Needed, Where, needed};
pub(crate) use spare::{Spare, Tagged, spare};
