//! The container images of a release: read, copied byte for byte between a layout and registries, looked for.

mod copy;
mod document;
mod present;

pub(crate) use copy::{From, copy};
pub(crate) use present::missing;
