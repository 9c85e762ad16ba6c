//! What of a lock would run by its tag, as another image, or past a mirror; and what would carry it.

use serde_json::json;

use super::{Report, Source};
use crate::charts::Chart;
use crate::lock::{self, LockedComponent, Place, Reference, Unpinned};
use crate::release_file::ComponentEntry;

const CARRY: &str = "carry it in `imageValues` of the component, and lock again";

pub(super) fn check(
    component: &ComponentEntry,
    source: &Source,
    found: &LockedComponent,
    report: &mut Report<'_>,
) {
    let place = format!("components.{}", component.name);
    let all = lock::unpinned(found).into_iter().filter(|unpinned| !is_declared(unpinned, component));
    let all: Vec<_> = all.collect();
    let chart = component.chart.as_ref().filter(|_| !all.is_empty()).and_then(|_| Chart::read(source).ok());
    for unpinned in &all {
        let (code, message, hint) = words(&component.name.to_string(), unpinned);
        report.add(&place, code, message, &format!("{hint}{}", such_as(unpinned, chart.as_ref())));
    }
}

/// What no mirror reaches may be listed by hand.
fn is_declared(unpinned: &Unpinned, component: &ComponentEntry) -> bool {
    let Unpinned::OutOfMirror { rendered, .. } = unpinned else { return false };
    Reference::parse(rendered).is_some_and(|image| component.images.iter().any(|one| one.name == image.name))
}

/// The entry to start from, if the chart's values name the image.
fn such_as(unpinned: &Unpinned, chart: Option<&Chart>) -> String {
    let (Unpinned::OutOfReach { rendered, .. } | Unpinned::OutOfMirror { rendered, .. }) = unpinned else {
        return String::new();
    };
    let values = || {
        let image = Reference { digest: None, ..Reference::parse(rendered)? };
        let values = lock::suggested(chart?, &image)?;
        Some(format!(", such as: - {}", json!({ "image": image.to_string(), "values": values })))
    };
    values().unwrap_or_default()
}

fn words(component: &str, unpinned: &Unpinned) -> (&'static str, String, &'static str) {
    match unpinned {
        Unpinned::OutOfReach { rendered, places } => {
            let places = listed(places);
            let message =
                format!("`{rendered}` of `{component}` has no digest where no post-renderer comes: {places}");
            ("UnpinnedImage", message, CARRY)
        }
        Unpinned::OutOfMirror { rendered, places } => {
            let places = listed(places);
            let message = format!(
                "`{rendered}` of `{component}` is pulled from its makers also where there is a mirror: {places}"
            );
            (
                "UnmirroredImage",
                message,
                "if no value leads there, list it under `images`, and it is pulled from its makers everywhere; else \
                 carry it in `imageValues` of the component, and lock again",
            )
        }
        Unpinned::TwoDigests { name, rendered: [one, other] } => {
            let message = format!("`{name}` of `{component}` is two images: `{one}` and `{other}`");
            (
                "TwoDigests",
                message,
                "a post-renderer knows names alone and would give both the same digest: make one tag of them",
            )
        }
    }
}

fn listed(places: &[Place]) -> String {
    places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
