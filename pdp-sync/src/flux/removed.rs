//! Taking away what a release lists as removed, and nothing else.

use pdp_policies::ComponentName;
use pdp_policies::flux::Health;
use pdp_transport::cli::failure::Result;
use serde_json::json;

use super::observed::Objects;
use crate::cluster::{Cluster, Kind};
use crate::target::ComponentHealth;

/// What is left of the components that a release lists as removed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Left {
    /// Ours to delete.
    delete: Vec<(Kind, ComponentName)>,
    /// A person suspended these: they are held, and so is the level.
    pub(super) suspended: Vec<ComponentHealth>,
}

impl Left {
    /// Nothing is left.
    pub(super) fn is_nothing(&self) -> bool {
        self.delete.is_empty() && self.suspended.is_empty()
    }
}

/// Reads off what is left. Pure.
pub(super) fn left(removed: &[ComponentName], objects: &Objects) -> Left {
    let mut left = Left { delete: Vec::new(), suspended: Vec::new() };
    for name in removed {
        for kind in [Kind::HelmRelease, Kind::Kustomization] {
            let name = name.clone();
            match objects.get(kind, name.as_str()) {
                None => {}
                Some(live) if live["spec"]["suspend"] == true => {
                    left.suspended.push(ComponentHealth { name, health: Health::Suspended });
                }
                Some(_) => left.delete.push((kind, name)),
            }
        }
    }
    left
}

/// Removes what is ours to delete.
///
/// Deleting a `HelmRelease` lets helm-controller uninstall it. A `Kustomization` is told first that this deletion is
/// meant: otherwise it leaves behind what it applied.
pub(super) fn remove(cluster: &Cluster, left: &Left, objects: &Objects) -> Result<()> {
    for (kind, name) in &left.delete {
        let name = name.as_str();
        let told = || objects.get(*kind, name).is_some_and(|it| it["spec"]["deletionPolicy"] == "Delete");
        if *kind == Kind::Kustomization && !told() {
            cluster.merge(*kind, name, &json!({ "spec": { "deletionPolicy": "Delete" } }))?;
        }
        cluster.delete(*kind, name)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_suspended_is_held() {
        let mut objects = Objects::default();
        objects.put(Kind::HelmRelease, "old-chart", json!({}));
        objects.put(Kind::Kustomization, "old-manifests", json!({ "spec": { "suspend": true } }));
        objects.put(Kind::HelmRelease, "stays", json!({}));
        let removed = ["old-chart", "old-manifests", "gone"].map(|name| name.parse().unwrap());
        let found = left(&removed, &objects);
        assert_eq!(found.delete, [(Kind::HelmRelease, removed[0].clone())]);
        let held = ComponentHealth { name: removed[1].clone(), health: Health::Suspended };
        assert_eq!(found.suspended, [held]);
        assert!(left(&removed[2..], &objects).is_nothing());
    }
}
