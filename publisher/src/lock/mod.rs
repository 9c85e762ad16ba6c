//! `release.lock`: every image that the charts of a release can make a cluster fetch, found by rendering.
//!
//! Render ([`helm`]) and find ([`rendered`], [`in_values`]), which [`search`] puts together; ask the registries
//! ([`resolve`]); write ([`document`]). `release lint` compares with it ([`pinned`]).

mod carried;
mod changes;
mod document;
mod helm;
mod image_paths;
mod in_values;
mod inputs;
mod merge_keys;
mod pinned;
mod pinned_helm;
mod record;
mod reference;
mod refused;
mod rendered;
mod resolve;
mod search;
mod suggested;
mod yaml;

pub(crate) use carried::{carried, named, problems};
pub(crate) use changes::changes;
pub(crate) use document::{Locked, LockedComponent, Place, beside};
pub(crate) use helm::{Helm, Rendering};
pub(crate) use image_paths::{of as image_paths, of_values as image_paths_of_values};
pub(crate) use inputs::of as inputs;
pub(crate) use merge_keys::repeated;
pub(crate) use pinned::{Unpinned, needs_hooks, signed, unpinned};
pub(crate) use reference::Reference;
pub(crate) use resolve::{Resolved, resolve};
pub(crate) use search::{Found, Search, find, kubernetes, unpack};
pub(crate) use suggested::suggested;
pub(crate) use yaml::documents;
