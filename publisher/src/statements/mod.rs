//! What is said about a level beside its release: SBOMs and VEX documents, signed by a key of their own.

mod about;
mod attach;
mod cyclonedx;
mod disclosed;
mod found;
mod kind;
mod openvex;
mod purl;
mod record;
mod said;
mod schema;
mod sign;
mod spdx;
mod vex;
mod written;

pub(crate) use about::{About, Scope};
pub(crate) use attach::{check_places, push};
pub(crate) use disclosed::disclose;
pub(crate) use found::{Found, Subject, of_subjects};
pub(crate) use kind::Kind;
pub(crate) use record::{Given, Record, Recorded, is_of_another, record};
pub(crate) use said::{Said, newest};
pub(crate) use schema::problems;
pub(crate) use sign::{sign, signed_by};
pub(crate) use vex::{Spoken, check as check_vex};

/// A statement may not be larger (bytes); it is read in memory.
pub(crate) const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// A statement about a component or the level may not be larger (bytes, without spaces): every pdp-sync and every Flux reads all
/// that is attached there, and those before this version refuse what is larger than 4 MiB when it is signed.
pub(crate) const MAX_BYTES_BESIDE_SIGNATURES: u64 = 3_000_000;
/// More statements in one level aren't taken.
pub(crate) const MAX_STATEMENTS: usize = 256;
/// More statements about one thing aren't taken: data planes look at 16 attachments, and signatures are among them.
pub(crate) const MAX_OF_ONE: usize = 8;

/// As a component or the level has them, or an image.
pub(crate) fn max_bytes(of: &About) -> u64 {
    match of {
        About::Image { .. } => MAX_BYTES,
        About::Level | About::Component(_) => MAX_BYTES_BESIDE_SIGNATURES,
    }
}
