//! How bytes come and go: Git, OCI registries and layouts, HTTP; read up to a limit, written whole.
//!
//! Nothing here knows a rule or decides anything: digests are compared, everything else is passed on.

pub mod archive;
pub mod catalog;
pub mod channel_server;
pub mod cli;
pub mod credentials;
mod docker_config;
mod error;
pub mod files;
pub mod flux_artifact;
pub mod git;
mod http;
pub mod instruction_source;
mod kept_blob;
pub mod login;
pub mod oci;
mod runtime;
pub mod signing_key;
mod web;

pub use error::{Error, Kind, Result, Row};
pub use http::{Exceptions, HttpOptions, address, parse_host};
pub use kept_blob::KeptBlob;
pub use login::{Login, LoginSource};
pub use runtime::{block_on, driving};
pub use web::Web;
