//! What a rendering depends on, as one digest: with the same inputs a lock still says the truth.

use pdp_policies::Digest;
use serde_json::{Value, json};

use crate::lint::Source;
use crate::release_file::{ComponentEntry, Given, ImageValuesEntry, Rendered};

/// Raised when the search finds more than before: locks of an older search are stale.
const SEARCH: u32 = 2;

/// The digest of a component's inputs; `samples` are the texts of its sample values, in their order.
pub(crate) fn of(
    component: &ComponentEntry,
    source: &Source,
    samples: &[String],
    rendered: &Rendered,
) -> Digest {
    let files: Vec<_> = source.iter().map(|(path, bytes)| (path, Digest::of(bytes))).collect();
    let mut whole = json!({
        "search": SEARCH,
        "files": files,
        "samples": samples,
        "releaseName": component.release_name,
        "namespace": component.namespace,
        "kubernetes": rendered.kubernetes,
        "apiVersions": rendered.api_versions,
        "imageValues": component.image_values.iter().map(carried).collect::<Vec<_>>(),
    });
    // Left out where there are none: locks of before stay good.
    let Given { all, each } = &component.given;
    if !(all.is_empty() && each.is_empty()) {
        whole["values"] = json!([all, each]);
    }
    Digest::of(whole.to_string().as_bytes())
}

/// Without further images as it always was: locks of older versions stay true.
fn carried(entry: &ImageValuesEntry) -> Value {
    match entry.others.is_empty() {
        true => json!([entry.image, entry.values]),
        false => json!([entry.image, entry.values, entry.others]),
    }
}
