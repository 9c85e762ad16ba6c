//! Whether a data plane that took the level gets back to where it was.

use pdp_policies::ComponentName;
use pdp_policies::release::{OnFailure, Release};
use serde::Serialize;

use super::ComponentDiff;
use super::component::What;

/// What stays when the level goes back.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WayBack {
    /// `onFailure: hold`: what changes there stays.
    pub(crate) held: Vec<ComponentName>,
    /// Definitions and namespaces that it brings and nobody takes away, as `component: Kind/name`.
    pub(crate) left_behind: Vec<String>,
    /// What it uninstalls is installed anew, without its data.
    pub(crate) uninstalled: Vec<ComponentName>,
}

impl WayBack {
    /// True if all of it goes back.
    pub(crate) fn is_safe(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn of(from: &Release, to: &Release, changed: &[ComponentDiff]) -> WayBack {
    let changes = |name: &ComponentName| changed.iter().any(|it| it.name == *name);
    let held = to.components.iter().filter(|it| it.on_failure == OnFailure::Hold && changes(&it.name));
    let before = |name: &ComponentName| from.components.iter().find(|it| it.name == *name);
    let left = to.components.iter().flat_map(|it| {
        let old = before(&it.name).map(|old| old.outlives.clone()).unwrap_or_default();
        let new = it.outlives.iter().filter(move |one| !old.contains(one));
        new.map(|one| format!("{}: {one}", it.name)).collect::<Vec<_>>()
    });
    let gone = changed.iter().filter(|it| it.what == What::Removed);
    WayBack {
        held: held.map(|it| it.name.clone()).collect(),
        left_behind: left.collect(),
        uninstalled: gone.map(|it| it.name.clone()).collect(),
    }
}
