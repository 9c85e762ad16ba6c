//! The rules as tables: who is trusted, who may start what, and when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod after;
mod approvals;
mod certificates;
mod cohort;
mod decision;
mod door;
mod flux;
mod forecast;
mod foreign;
mod formats;
mod frozen;
mod gate;
mod hotfix;
mod image_values;
mod ineffective;
mod instruction;
mod key_change;
mod length;
mod lints;
mod moves;
mod office;
mod prune;
mod reach;
mod release_values;
mod rollout;
mod rotation;
mod trust;
mod vendor;
mod versions;
mod way_back;
mod when;
mod window_oracle;
mod windows;
mod words;
mod zone_data;
