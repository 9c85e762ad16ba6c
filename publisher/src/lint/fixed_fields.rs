//! Fields of manifests that no cluster changes, compared with the base's: every data plane would fail, and go back. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Source;
use crate::diff::{Applied, FixedField, compare};
use crate::kubernetes_list::items;
use crate::kustomize;
use crate::release_file::ComponentEntry;

pub(super) const HINT: &str = "keep it; or give the object another name, or the annotation `kustomize.toolkit.fluxcd.io/force: enabled` \
     if it may be deleted and written anew";

/// Flux deletes such an object and writes it anew.
const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";

/// Of a component on both sides; nothing if one of them is a chart.
pub(super) fn of(
    (old, before): (&ComponentEntry, &Source),
    (new, now): (&ComponentEntry, &Source),
) -> Vec<FixedField> {
    if old.manifests.is_none() || new.manifests.is_none() {
        return Vec::new();
    }
    let outlives = BTreeSet::new();
    let (was, is) = (kustomize::objects(before), kustomize::objects(now));
    let is: Vec<_> = is.iter().flat_map(items).filter(|object| !may_be_deleted(object)).cloned().collect();
    let side = |objects| Applied { objects, namespace: &new.namespace, outlives: &outlives };
    compare(&side(&was), &side(&is)).fixed
}

/// A Job's time may be over, too: then it is gone before the next level comes.
fn may_be_deleted(object: &Value) -> bool {
    let forced = &object["metadata"]["annotations"][FORCE];
    let goes = object["kind"] == "Job" && !object["spec"]["ttlSecondsAfterFinished"].is_null();
    goes || forced.as_str().is_some_and(|it| it.eq_ignore_ascii_case("enabled"))
}
