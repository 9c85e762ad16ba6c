//! The statements that come along: those that a statement key vouches for.

use std::sync::Arc;

use pdp_policies::trust::Vouchers;
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{Registry, Repository};

use super::inventory::Inventory;
use crate::statements::{Subject, of_subjects};

/// Adds every statement about these; `to` has the place that each place is copied to.
pub(super) async fn add(
    registry: &Arc<Registry>,
    subjects: Vec<(Subject, Repository)>,
    keys: &Vouchers,
    inventory: &mut Inventory,
) -> Result<()> {
    let (subjects, ways): (Vec<_>, Vec<_>) =
        subjects.into_iter().map(|(subject, to)| ((subject.clone()), (subject.0, to))).unzip();
    for (from, found) in of_subjects(registry, subjects, keys).await? {
        for (_, to) in ways.iter().filter(|(place, _)| *place == from).take(1) {
            inventory.add_signature(&from, to, found.manifest, found.subject);
            for part in found.parts.layers.iter().chain([&found.parts.config]) {
                inventory.add_blob(&from, to, part.digest, part.size);
            }
        }
    }
    Ok(())
}
