//! What is a release, who vouches for it, who gets it, and when may it be applied.
//!
//! No IO, no clock, no randomness: bytes and times come in, verdicts go out.

mod digest;
mod tree;

pub use digest::{Digest, NotADigest};
pub use tree::{CatalogTree, MAX_FILE_BYTES, MAX_TREE_BYTES, MAX_TREE_FILES, TreeRefusal};
