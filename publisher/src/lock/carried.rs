//! Images that values carry: the release names them, the registries know their digests. Pure.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::Digest;
use pdp_policies::image_values::{CarriedImage, ImageValues, collisions};

use super::reference::Reference;
use crate::release_file::{ComponentEntry, ImageValuesEntry};

/// The images that are carried, as the release writes them; what is none is left out.
pub(crate) fn named(component: &ComponentEntry) -> BTreeSet<Reference> {
    let images = component.image_values.iter().flat_map(ImageValuesEntry::images);
    images.filter_map(|image| Reference::parse(image)).collect()
}

/// With their digests; images without one are left out.
pub(crate) fn carried(component: &ComponentEntry, digests: &BTreeMap<String, Digest>) -> Vec<ImageValues> {
    let one = |entry: &ImageValuesEntry| {
        let CarriedImage { image, digest } = image_of(&entry.image, digests)?;
        let others = entry.others.iter().map(|(key, text)| Some((key.clone(), image_of(text, digests)?)));
        Some(ImageValues {
            image,
            digest,
            others: others.collect::<Option<_>>()?,
            values: entry.values.clone(),
        })
    };
    component.image_values.iter().filter_map(one).collect()
}

fn image_of(text: &str, digests: &BTreeMap<String, Digest>) -> Option<CarriedImage> {
    let image = Reference::parse(text)?;
    Some(CarriedImage { image: image.full_name(), digest: digest(&image, digests)? })
}

/// The digest that is written, else the one that is known.
pub(super) fn digest(image: &Reference, digests: &BTreeMap<String, Digest>) -> Option<Digest> {
    image.digest.or_else(|| digests.get(&image.to_string()).copied())
}

/// What is wrong with the entries of a component, whatever the digests are.
pub(crate) fn problems(component: &ComponentEntry) -> Vec<String> {
    let images = || component.image_values.iter().flat_map(ImageValuesEntry::images);
    let bad = images().filter(|image| Reference::parse(image).is_none());
    let mut problems: Vec<_> =
        bad.map(|image| format!("`{}` is no image", pdp_policies::printable(image))).collect();
    let any = images().map(|image| (image.clone(), Digest::of(b""))).collect();
    let all = carried(component, &any);
    let named = |one: &ImageValues| {
        one.problems().into_iter().map(|problem| format!("`{}`: {problem}", one.image)).collect::<Vec<_>>()
    };
    problems.extend(all.iter().flat_map(named));
    problems.extend(
        collisions(&all).into_iter().map(|place| {
            format!("two entries fill {place}: write one, with the second image in its `others`")
        }),
    );
    if component.chart.is_none() && !component.image_values.is_empty() {
        problems.push("manifests have no values".to_owned());
    }
    problems
}
