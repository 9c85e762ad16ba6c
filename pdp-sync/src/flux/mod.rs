//! The Flux target: everything by digest in Flux objects of one namespace, stage by stage, watched until healthy.
//!
//! Nothing here waits: each pass looks at what Flux says, does what is due, and says what it waits for.

mod artifact_keys;
mod desired;
mod fights;
mod installed;
mod installed_images;
mod inventory;
mod labelled;
mod leftovers;
mod memory;
mod moved;
mod next;
mod nudge;
mod observed;
mod pod_template;
mod preflight;
mod removed;
mod repairs;
mod target;
mod watched;
mod workloads;

pub(crate) use artifact_keys::secret_name as artifact_keys_secret;
pub(crate) use labelled::ChartWorkloads;
pub(crate) use memory::Memory;
pub(crate) use target::{FluxTarget, Reading};
