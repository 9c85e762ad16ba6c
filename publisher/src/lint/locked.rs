//! The lock beside the release: of these very sources, and nothing in it runs by its tag.

use std::collections::BTreeMap;
use std::path::Path;

use pdp_policies::image_values::ImageValues;
use pdp_policies::release::Image;
use pdp_policies::{Digest, VersionRange};
use pdp_transport::cli::failure::Result;
use semver::Version;

use super::{Finding, Linted, Report, Source, unpinned};
use crate::lock::{self, Locked, LockedComponent, beside};
use crate::release_file::{ComponentEntry, ReleaseFile};

/// The first minor version of Flux 2 whose helm-controller can be told to post-render hooks.
const FIRST_WITH_HOOKS: u64 = 9;
const AGAIN: &str = "run `publisher release lock` and review what it changes";

/// The lock, none if there is none; one that can't be read is a finding.
pub(super) fn read(release: &Path, findings: &mut Vec<Finding>) -> Result<Option<Locked>> {
    let path = beside(release);
    match Locked::read(&path)? {
        None => Ok(None),
        Some(Ok(lock)) => Ok(Some(lock)),
        Some(Err(problems)) => {
            let mut report = Report { file: path.display().to_string(), findings };
            problems
                .into_iter()
                .for_each(|problem| report.add(problem.place, "BadYaml", problem.message, AGAIN));
            Ok(None)
        }
    }
}

/// Gives every component the images of the lock; true, as they were found by rendering.
pub(super) fn check(release: &Path, linted: &mut Linted, lock: &Locked, findings: &mut Vec<Finding>) -> bool {
    let mut report = Report { file: beside(release).display().to_string(), findings };
    if (&lock.line, lock.level) != (&linted.file.line, linted.file.level) {
        let message = format!("it is of level {} of {}", lock.level, lock.line);
        report.add("level", "LockOfAnotherRelease", message, AGAIN);
        return false;
    }
    let Linted { file, sources, samples, .. } = linted;
    for ((component, source), samples) in file.components.iter_mut().zip(sources).zip(samples) {
        let inputs = lock::inputs(component, source, samples, &file.rendered);
        match lock.component(&component.name) {
            Some(found) if found.inputs == inputs => fill(component, source, found, &mut report),
            found => report.add(
                format!("components.{}", component.name),
                "LockStale",
                stale(component, found),
                AGAIN,
            ),
        }
    }
    hooks(file, lock, &mut report);
    for gone in lock
        .components
        .iter()
        .filter(|one| !file.components.iter().any(|component| component.name == one.name))
    {
        report.add(
            format!("components.{}", gone.name),
            "LockStale",
            "the release has no such component",
            AGAIN,
        );
    }
    true
}

/// An older Flux runs the images of hooks by their tags.
fn hooks(file: &ReleaseFile, lock: &Locked, report: &mut Report<'_>) {
    if !lets_in_older(file.requires.flux.as_ref()) {
        return;
    }
    for component in lock.components.iter().filter(|component| lock::needs_hooks(component)) {
        let message =
            format!("hooks of `{}` have images, which Flux before 2.9 runs by their tags", component.name);
        report.add(
            format!("components.{}", component.name),
            "UnpinnedHook",
            message,
            "require `flux: \">=2.9\"`",
        );
    }
}

/// True if a Flux may be there that doesn't post-render hooks.
fn lets_in_older(flux: Option<&VersionRange>) -> bool {
    let first = Version::new(2, FIRST_WITH_HOOKS, 0);
    flux.is_none_or(|needed| needed.lowest(&Version::new(2, 0, 0), Some(&first)).is_some())
}

/// Without a lock the images that values carry have to be written with their digests.
pub(super) fn without(release: &Path, linted: &mut Linted, findings: &mut Vec<Finding>) {
    let mut report = Report { file: release.display().to_string(), findings };
    for component in &mut linted.file.components {
        for image in lock::named(component).iter().filter(|image| image.digest.is_none()) {
            let message = format!("`{image}` of `{}` has no digest, and there is no lock", component.name);
            report.add(format!("components.{}.imageValues", component.name), "UnpinnedImage", message, AGAIN);
        }
        component.carried = lock::carried(component, &BTreeMap::new());
        // Fetched and mirrored like all others.
        let listed = |digest: &Digest| component.images.iter().any(|image| image.digest == *digest);
        let carried = component.carried.iter().flat_map(ImageValues::images);
        let more: Vec<_> = carried
            .filter(|(_, digest)| !listed(digest))
            .map(|(name, digest)| Image { name: name.to_owned(), from: None, digest, runtime: true })
            .collect();
        component.images.extend(more);
    }
}

fn stale(component: &ComponentEntry, found: Option<&LockedComponent>) -> String {
    match found {
        None => format!("`{}` isn't in the lock", component.name),
        Some(_) => {
            format!("`{}` was locked with other files, values, names or Kubernetes versions", component.name)
        }
    }
}

fn fill(component: &mut ComponentEntry, source: &Source, found: &LockedComponent, report: &mut Report<'_>) {
    let place = format!("components.{}", component.name);
    unpinned::check(component, source, found, report);
    component.carried = lock::carried(component, &found.image_values);
    let all = component.carried.iter().flat_map(ImageValues::images);
    for (idle, _) in all.filter(|(_, digest)| !found.images.iter().any(|image| image.digest == *digest)) {
        let message = format!("`{idle}` of `{}` stands nowhere in what is rendered", component.name);
        report.add(
            format!("{place}.imageValues"),
            "UnusedImage",
            message,
            "correct the values that carry it",
        );
    }
    let mut images = lock::signed(found);
    for declared in &component.images {
        match images.iter().find(|image| image.name == declared.name) {
            None => images.push(Image { runtime: true, ..declared.clone() }),
            Some(locked) if locked.digest == declared.digest => {}
            Some(locked) => {
                let message = format!(
                    "`{}` is {} in release.yaml and {} in the lock",
                    declared.name, declared.digest, locked.digest
                );
                report.add(&place, "TwoDigests", message, "take it out of release.yaml, or lock anew");
            }
        }
    }
    component.images = images;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_flux_that_runs_hooks_by_their_tags_is_let_in_or_not() {
        for (needed, older) in [
            (">=2.7", true),
            (">=2.8.3", true),
            ("=2.8.7", true),
            ("<3", true),
            (">=2.9", false),
            (">=2.9.1, <2.11", false),
            ("3", false),
            (">=2.9.0-0", false),
            ("2.8.777 || >=2.9", true),
            (">=2.9 || 3.x", false),
            ("!=2.8.7", true),
            ("!=2.8.7, >=2.9", false),
            ("2.8 - 2.11", true),
            ("2.9", false),
        ] {
            assert_eq!(lets_in_older(Some(&needed.parse().unwrap())), older, "{needed}");
        }
        assert!(lets_in_older(None));
    }
}
