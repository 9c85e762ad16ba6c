//! Images by digest, where Flux's post-renderer puts them.

use std::collections::BTreeMap;

use pdp_policies::release::Component;
use serde_json::Value;

use crate::lock::Reference;

/// Lists of containers, wherever they stand.
const CONTAINERS: [&str; 2] = ["containers", "initContainers"];

/// The same objects with the digests of the release. What the release doesn't name stays as it is.
pub(super) fn pinned(mut objects: Vec<Value>, component: &Component) -> Vec<Value> {
    let named = |image: &&pdp_policies::release::Image| {
        (image.name.clone(), format!("{}@{}", image.pull_name(), image.digest))
    };
    let digests: BTreeMap<String, String> = component.rewritten().iter().map(named).collect();
    objects.iter_mut().for_each(|object| rewrite(object, &digests));
    objects
}

fn rewrite(value: &mut Value, digests: &BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                if CONTAINERS.contains(&key.as_str()) {
                    field.as_array_mut().into_iter().flatten().for_each(|it| container(it, digests));
                }
                rewrite(field, digests);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, digests)),
        _ => {}
    }
}

fn container(container: &mut Value, digests: &BTreeMap<String, String>) {
    let Some(image) = container.get_mut("image") else { return };
    let reference = image.as_str().and_then(Reference::parse);
    if let Some(pinned) = reference.and_then(|it| digests.get(&it.name)) {
        *image = Value::from(pinned.clone());
    }
}
