//! Against real servers: a registry and a Git host on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod codes;
mod failures;
mod git;
mod git_cache;
mod git_depth;
mod git_hosts;
mod helm_yaml;
mod oci;
mod oci_login;
mod oci_mount;
mod oci_referrers;
mod oci_upload;
mod prompts;
mod version_ranges;

/// Nothing is allowed beyond the rule.
fn http() -> pdp_transport::HttpOptions {
    pdp_transport::HttpOptions::new(Vec::new(), pdp_transport::Exceptions::default())
}
