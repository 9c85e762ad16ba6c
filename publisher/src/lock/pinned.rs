//! What of a lock the post-renderer can pin, and what is left. Pure.

use std::collections::BTreeMap;

use pdp_policies::release::Image;

use super::document::{LockedComponent, Place, Reach};
use super::reference::Reference;

/// Why an image string isn't certain in a data plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unpinned {
    /// No post-renderer reaches it, and it has no digest itself.
    OutOfReach { rendered: String, places: Vec<Place> },
    /// One name, two images: the post-renderer would give both the same.
    TwoDigests { name: String, rendered: [String; 2] },
}

/// The images as the release lists them, by the name as rendered.
pub(crate) fn signed(component: &LockedComponent) -> Vec<Image> {
    let by_name = by_name(component);
    let image = |(name, entries): (&String, &Vec<&super::LockedImage>)| {
        let first = entries.first()?;
        let from = (first.pull != *name).then(|| first.pull.clone());
        let runtime = entries.iter().all(|image| image.reach == Reach::Values);
        Some(Image { name: name.clone(), from, digest: first.digest, runtime })
    };
    by_name.iter().filter_map(image).collect()
}

/// Everything that would run by its tag, or as another image.
pub(crate) fn unpinned(component: &LockedComponent) -> Vec<Unpinned> {
    let mut found = Vec::new();
    for image in component.images.iter().filter(|image| image.reach == Reach::Values) {
        let pinned =
            Reference::parse(&image.rendered).is_some_and(|written| written.digest == Some(image.digest));
        let off = image.seen.iter().all(|place| *place == Place::Values);
        if !pinned && !off {
            let places = image.seen.iter().copied().collect();
            found.push(Unpinned::OutOfReach { rendered: image.rendered.clone(), places });
        }
    }
    for (name, entries) in by_name(component) {
        let other = entries.iter().find(|image| image.digest != entries[0].digest);
        if let Some(other) = other {
            let rendered = [entries[0].rendered.clone(), other.rendered.clone()];
            found.push(Unpinned::TwoDigests { name, rendered });
        }
    }
    found
}

/// Image strings by their name without tag and digest.
fn by_name(component: &LockedComponent) -> BTreeMap<String, Vec<&super::LockedImage>> {
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for image in &component.images {
        if let Some(written) = Reference::parse(&image.rendered) {
            found.entry(written.name).or_default().push(image);
        }
    }
    found
}
