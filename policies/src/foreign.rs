//! Which images of a component's workloads neither the release nor the customer names: Helm values can put in any.

use std::collections::BTreeSet;
use std::fmt;

use crate::digest::Digest;
use crate::image_name::{ImageName, split_image};
use crate::printable::printable;

/// No more of a text of others than this is told (characters): a digest fits in.
const MAX_SHOWN: usize = 200;

/// The pod template of one workload, as the cluster has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// `Kind namespace/name`
    pub workload: String,
    /// Everything in it that makes a node fetch an image.
    pub images: Vec<UsedImage>,
}

/// Where an image stands in a pod template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedImage {
    /// Such as `container app`.
    pub place: String,
    /// As it is written there; empty if it isn't.
    pub image: String,
}

/// An image that neither the release nor the customer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// `Kind namespace/name`
    pub workload: String,
    /// Such as `container app`.
    pub place: String,
    /// As it is written there.
    pub image: String,
}

/// The images of these workloads that aren't pinned by a digest of the release, and whose names the customer doesn't list.
/// The name that a digest is pulled by isn't compared: mirrors have others, and a digest is the content.
pub fn foreign(release: &BTreeSet<Digest>, templates: &[Template], own: &[ImageName]) -> Vec<Foreign> {
    let known = |image: &str| {
        let (name, digest) = split_image(image);
        digest.is_some_and(|digest| release.contains(&digest)) || own.iter().any(|it| it.as_str() == name)
    };
    let all = templates.iter().flat_map(|template| template.images.iter().map(move |used| (template, used)));
    all.filter(|(_, used)| !known(&used.image))
        .map(|(template, used)| Foreign {
            workload: template.workload.clone(),
            place: used.place.clone(),
            image: used.image.clone(),
        })
        .collect()
}

/// So many images of one component can be listed later; a level that failed for more isn't tried again.
pub const MAX_LISTED: usize = 16;

/// The names that the customer would have to list so that none of these images is foreign, in order and each once; none at all
/// if a text is no image's name, or there are more than [`MAX_LISTED`].
pub fn names(found: &[Foreign]) -> Vec<ImageName> {
    let all: Result<BTreeSet<ImageName>, _> =
        found.iter().map(|it| split_image(&it.image).0.parse()).collect();
    all.ok().filter(|all| all.len() <= MAX_LISTED).map(|all| all.into_iter().collect()).unwrap_or_default()
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workload, place, image } = self;
        match image.as_str() {
            "" => write!(f, "{}, {}: no image", shown(workload), shown(place)),
            image => write!(f, "{}, {}: {}", shown(workload), shown(place), shown(image)),
        }
    }
}

/// Others wrote it: it is escaped and cut.
fn shown(text: &str) -> String {
    let escaped = printable(&text.chars().take(MAX_SHOWN).collect::<String>());
    match escaped.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &escaped[..end]),
        None if text.chars().nth(MAX_SHOWN).is_some() => format!("{escaped}..."),
        None => escaped,
    }
}
