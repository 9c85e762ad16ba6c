//! What a new lock changes, in lines to review. Pure.

use std::collections::BTreeMap;

use super::document::{Locked, LockedImage};

/// One line for each image string that came, went, or got another digest.
pub(crate) fn changes(before: Option<&Locked>, after: &Locked) -> Vec<String> {
    let (old, new) = (before.map(images).unwrap_or_default(), images(after));
    let gone = old
        .keys()
        .filter(|key| !new.contains_key(*key))
        .map(|(component, image)| format!("- {component}: {image}"));
    let come = new.iter().filter_map(|(key, image)| {
        let (component, text) = key;
        match old.get(key) {
            None => Some(format!("+ {component}: {text} {}", image.digest)),
            Some(was) if was.digest != image.digest => {
                Some(format!("~ {component}: {text} {} -> {}", was.digest.short(), image.digest))
            }
            Some(_) => None,
        }
    });
    gone.chain(come).collect()
}

fn images(lock: &Locked) -> BTreeMap<(String, &str), &LockedImage> {
    let of = |component| -> Vec<_> {
        let component: &super::LockedComponent = component;
        let name = component.name.to_string();
        component.images.iter().map(|image| ((name.clone(), image.rendered.as_str()), image)).collect()
    };
    lock.components.iter().flat_map(of).collect()
}
