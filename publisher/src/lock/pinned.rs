//! What of a lock the post-renderer can pin, and what is left. Pure.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::release::Image;

use super::document::{LockedComponent, LockedImage, Place, Reach};
use super::reference::Reference;

/// Why an image string isn't certain in a data plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unpinned {
    /// No post-renderer reaches it, and it has no digest itself.
    OutOfReach { rendered: String, places: Vec<Place> },
    /// No mirror reaches it: it is pulled from its makers everywhere.
    OutOfMirror { rendered: String, places: Vec<Place> },
    /// One name, two images: the post-renderer would give both the same.
    TwoDigests { name: String, rendered: [String; 2] },
}

/// The images as the release lists them, by the name as rendered.
pub(crate) fn signed(component: &LockedComponent) -> Vec<Image> {
    let image = |locked: &LockedImage| {
        let name = Reference::parse(&locked.rendered)?.name;
        let from = (locked.pull != name).then(|| locked.pull.clone());
        Some(Image { name, from, digest: locked.digest, runtime: !is_rewritten(locked, component) })
    };
    let all: BTreeSet<_> = component.images.iter().filter_map(image).collect();
    all.into_iter().collect()
}

/// True if an image of a hook is pinned by the post-renderer alone.
pub(crate) fn needs_hooks(component: &LockedComponent) -> bool {
    component.images.iter().any(|image| image.seen.contains(&Place::Hook) && !has_its_digest(image))
}

/// True if the digest stands in the string itself.
fn has_its_digest(image: &LockedImage) -> bool {
    Reference::parse(&image.rendered).is_some_and(|written| written.digest == Some(image.digest))
}

/// Everything that would run by its tag, or as another image.
pub(crate) fn unpinned(component: &LockedComponent) -> Vec<Unpinned> {
    let mut found = Vec::new();
    for image in component.images.iter().filter(|image| image.reach == Reach::Values) {
        let pinned = has_its_digest(image);
        let off = image.seen.iter().all(|place| *place == Place::Values);
        let (rendered, places) = (image.rendered.clone(), image.seen.iter().copied().collect());
        match (pinned || off, image.unmirrored) {
            (false, _) => found.push(Unpinned::OutOfReach { rendered, places }),
            (true, true) => found.push(Unpinned::OutOfMirror { rendered, places }),
            (true, false) => {}
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

/// True if the post-renderer comes anywhere near it. Of an option that is off nobody knows where it would stand: it gets
/// an entry if nothing else has its name.
fn is_rewritten(image: &LockedImage, component: &LockedComponent) -> bool {
    let name = |image: &LockedImage| Reference::parse(&image.rendered).map(|written| written.name);
    let other = |one: &&LockedImage| name(one) == name(image) && one.digest != image.digest;
    let is_off = image.seen.iter().all(|place| *place == Place::Values);
    let ambiguous = is_off && component.images.iter().any(|one| other(&one));
    !ambiguous && image.seen.iter().any(|place| place.is_reached())
}

/// Image strings that are rewritten, by their name without tag and digest.
fn by_name(component: &LockedComponent) -> BTreeMap<String, Vec<&LockedImage>> {
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for image in component.images.iter().filter(|image| is_rewritten(image, component)) {
        if let Some(written) = Reference::parse(&image.rendered) {
            found.entry(written.name).or_default().push(image);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use pdp_policies::Digest;

    use super::*;

    fn image(rendered: &str, digest: &[u8], seen: &[Place], reach: Reach) -> LockedImage {
        LockedImage {
            rendered: rendered.to_owned(),
            pull: Reference::parse(rendered).unwrap().full_name(),
            digest: Digest::of(digest),
            media_type: String::new(),
            platforms: BTreeSet::new(),
            seen: seen.iter().copied().collect(),
            reach,
            unmirrored: false,
        }
    }

    fn component(images: Vec<LockedImage>) -> LockedComponent {
        LockedComponent {
            name: "a".parse().unwrap(),
            inputs: Digest::of(b""),
            images,
            image_values: BTreeMap::new(),
        }
    }

    #[test]
    fn a_short_name_is_listed_with_the_name_to_pull() {
        let container = [Place::Container];
        let images = signed(&component(vec![
            image("nginx:1", b"1", &container, Reach::PostRenderer),
            image("quay.io/a/b:1", b"2", &container, Reach::PostRenderer),
        ]));
        let names: Vec<_> = images.iter().map(|image| (image.name.as_str(), image.pull_name())).collect();
        assert_eq!(names, [("nginx", "docker.io/library/nginx"), ("quay.io/a/b", "quay.io/a/b")]);
        assert_eq!(images[1].from, None);
    }

    #[test]
    fn out_of_reach_needs_its_own_digest_and_what_is_off_needs_none() {
        let (argument, off) = ([Place::Argument], [Place::Values]);
        let digest = Digest::of(b"1");
        let good = format!("q.io/a:1@{digest}");
        let other = format!("q.io/a:1@{}", Digest::of(b"other"));
        for (rendered, seen, unpinned_ones) in [
            ("q.io/a:1", &argument, 1),
            (good.as_str(), &argument, 0),
            (other.as_str(), &argument, 1),
            ("q.io/a:1", &off, 0),
        ] {
            let found = unpinned(&component(vec![image(rendered, b"1", seen, Reach::Values)]));
            assert_eq!(found.len(), unpinned_ones, "{rendered}: {found:?}");
        }
    }

    #[test]
    fn what_no_mirror_reaches_is_named_once_it_has_its_digest() {
        let rendered = format!("q.io/a:1@{}", Digest::of(b"1"));
        let of = |unmirrored| {
            let image = image(&rendered, b"1", &[Place::Argument], Reach::Values);
            unpinned(&component(vec![LockedImage { unmirrored, ..image }]))
        };
        assert_eq!(of(false), []);
        assert_eq!(of(true), [Unpinned::OutOfMirror { rendered, places: vec![Place::Argument] }]);
    }

    #[test]
    fn one_name_is_one_image() {
        let container = [Place::Container];
        let two = component(vec![
            image("q.io/a:1", b"1", &container, Reach::PostRenderer),
            image("q.io/a:2", b"2", &container, Reach::PostRenderer),
        ]);
        let rendered = ["q.io/a:1".to_owned(), "q.io/a:2".to_owned()];
        assert_eq!(unpinned(&two), [Unpinned::TwoDigests { name: "q.io/a".to_owned(), rendered }]);
        let elsewhere = component(vec![
            image("q.io/a:1", b"1", &container, Reach::PostRenderer),
            image(&format!("q.io/a:2@{}", Digest::of(b"2")), b"2", &[Place::ConfigMap], Reach::Values),
        ]);
        assert_eq!(unpinned(&elsewhere), [], "one that no post-renderer reaches, with its own digest");
        let runtime: Vec<_> = signed(&elsewhere).iter().map(|image| image.runtime).collect();
        assert_eq!(runtime.iter().filter(|runtime| **runtime).count(), 1);
        let off = component(vec![
            image("q.io/a:1", b"1", &container, Reach::PostRenderer),
            image("q.io/a:2", b"2", &[Place::Values], Reach::PostRenderer),
        ]);
        assert_eq!(unpinned(&off), [], "an option that is off runs by its tag rather than as another image");
        let same = component(vec![
            image("q.io/a:1", b"1", &container, Reach::PostRenderer),
            image("q.io/a:latest", b"1", &container, Reach::PostRenderer),
        ]);
        assert_eq!(unpinned(&same), []);
    }
}
