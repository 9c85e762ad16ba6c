//! OCI registries and layouts: exact bytes, read up to a limit, named by digest.
//!
//! Protocol: OCI Distribution 1.1. Why this is our own thin client: `docs/adr/0002-registry-client.md`.

mod attach;
mod auth;
mod challenge;
mod descriptor;
mod image;
mod layout;
mod links;
mod may_push;
mod memory;
mod mount;
mod pace;
mod parts;
mod patience;
mod pull;
mod push;
mod referrers;
mod registry;
mod repository;
mod source;
mod tags;
mod token;
mod upload;

pub use attach::Listed;
pub use descriptor::{Descriptor, EMPTY_CONFIG, EMPTY_TYPE, INDEX_TYPE, Index, MANIFEST_TYPE, Manifest};
pub use image::{Blob, Document};
pub use layout::Layout;
pub(crate) use memory::Memory;
pub use patience::Patience;
pub use push::Pushed;
pub use referrers::Which;
pub use registry::{OciOptions, Registry, Traffic};
pub use repository::Repository;

/// The largest manifest or index that is read (bytes).
pub const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
