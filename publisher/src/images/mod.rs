//! The container images of a release: read, copied byte for byte between a layout and registries, looked for.

mod copy;
mod document;
mod present;
mod tree;

pub(crate) use copy::{From, copy};
pub(crate) use document::Blob;
#[cfg(test)]
pub(crate) use document::Document;
pub(crate) use present::missing;
pub(crate) use tree::{Read, reach, tree};
