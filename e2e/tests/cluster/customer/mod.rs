//! The customer decides: values, policy, approvals, who owns what.

mod approvals;
mod foreign_images;
mod images;
mod manifests;
mod owners;
mod policy;
mod release_values;
mod ring_state;
mod rules;
mod unreadable;
mod values;
