//! The container images of a release: read, and copied byte for byte between a layout and registries.

mod copy;
mod document;
mod tree;

pub(crate) use copy::{From, copy};
pub(crate) use document::Blob;
#[cfg(test)]
pub(crate) use document::Document;
pub(crate) use tree::{Read, reach, tree};
