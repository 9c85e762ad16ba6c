//! Against real servers: a registry and a Git host on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod git;
mod oci;
