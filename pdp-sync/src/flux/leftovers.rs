//! Sources and values that no level needs any more. Pure.

use pdp_policies::decision::DecisionRecord;
use pdp_policies::release_values::CONFIG_MAP_PREFIX;

use super::desired::{Desired, Owner};
use super::observed::Objects;
use crate::cluster::{Kind, name_of};
use crate::target::turns;

/// Those that neither the record's target nor its last good level names.
pub(super) fn leftovers<'o>(
    owner: Owner<'_>,
    record: &DecisionRecord,
    objects: &'o Objects,
) -> Vec<(Kind, &'o str)> {
    let target = turns(record.target(), record).into_values().flatten();
    let mut kept: Vec<_> = target.map(|c| Desired::target(owner, record, c)).collect();
    if let Some(good) = record.last_good() {
        kept.extend(good.components.iter().filter_map(|c| Desired::last_good(owner, record, &c.name)));
    }
    let kept: Vec<_> = kept.iter().flat_map(Desired::needed).map(|(kind, it)| (kind, name_of(it))).collect();
    let sources = objects.of(Kind::OciRepository).map(|(name, _)| (Kind::OciRepository, name));
    // A ConfigMap of another name is a person's, whatever its label says.
    let values = objects.of(Kind::ConfigMap).map(|(name, _)| (Kind::ConfigMap, name));
    let values = values.filter(|(_, name)| name.starts_with(CONFIG_MAP_PREFIX));
    sources.chain(values).filter(|it| !kept.contains(it)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubectl::testing::record;

    #[test]
    fn config_maps_of_other_names_are_a_persons() {
        let record = record("done");
        let mut objects = Objects::default();
        for name in ["pdp-release-values-cilium-0123456789", "pdp-values-cilium"] {
            objects.put(Kind::ConfigMap, name, json!({}));
        }
        let owner = Owner { namespace: "pdp-system", subscription: "pdp" };
        let found = leftovers(owner, &record, &objects);
        assert_eq!(found, [(Kind::ConfigMap, "pdp-release-values-cilium-0123456789")]);
    }
}
