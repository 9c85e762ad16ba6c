//! Our programs against registries, Git hosts, proxies and clients that others wrote. What came out is the table
//! in `docs/hosts.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod catalogs;
mod clients;
mod git_hosts;
mod known_faults;
mod proxies;
mod registries;
mod row;
mod story;
