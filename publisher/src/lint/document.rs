//! What is wrong within `release.yaml` alone.

use std::collections::BTreeSet;

use pdp_policies::API_VERSION;
use pdp_policies::gate::LONGEST_LENGTH;
use pdp_policies::release::{Image, ReleaseKind};
use pdp_policies::version_range;

use super::Report;
use crate::lock::{self, Reference};
use crate::release_file::{ComponentEntry, ReleaseFile};

/// Helm's limit: names of objects that are made of it have 63.
const MAX_RELEASE_NAME: usize = 53;

pub(super) fn check(file: &ReleaseFile, report: &mut Report<'_>) {
    if file.api_version != API_VERSION {
        report.add(
            "apiVersion",
            "WrongApiVersion",
            format!("`{}`", file.api_version),
            "write updates.pdp.wso2.com/v1",
        );
    }
    if file.base.is_some_and(|base| base >= file.level) {
        let message = format!("base must be below level {}", file.level);
        report.add("base", "LevelOrder", message, "levels only rise within a line");
    }
    if file.supersedes.iter().any(|level| *level >= file.level) {
        report.add(
            "supersedes",
            "LevelOrder",
            "it may only name lower levels",
            "levels only rise within a line",
        );
    }
    if file.usual_length.is_some_and(|length| length > LONGEST_LENGTH) {
        let message = format!("no data plane would find a window for it: at most {LONGEST_LENGTH}");
        report.add("usualLength", "TooLong", message, "write how long the level took when it was tried");
    }
    if file.kind == ReleaseKind::Hotfix && file.base.is_none() {
        report.add(
            "base",
            "HotfixNeedsBase",
            "a hotfix goes on the level that it was made on, and on no other one",
            "name that level",
        );
    }
    if file.repository.parse::<pdp_transport::oci::Repository>().is_err() {
        let message = format!("`{}` is not host/path", file.repository);
        report.add("repository", "BadReference", message, "write such as registry.wso2.example/pdp/pdp-2026");
    }
    components(&file.components, report);
    for name in file.removed.iter().filter(|name| file.components.iter().any(|c| c.name == **name)) {
        report.add(
            "removed",
            "RemovedButPresent",
            format!("`{name}` is both present and removed"),
            "take it out of one",
        );
    }
}

/// Helm's own rule beyond that of Kubernetes.
fn is_release_name(name: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    name.len() <= MAX_RELEASE_NAME
        && name.split('.').all(|part| edge(part.as_bytes().first()) && edge(part.as_bytes().last()))
}

fn components(components: &[ComponentEntry], report: &mut Report<'_>) {
    let mut names = BTreeSet::new();
    let mut places = BTreeSet::new();
    for component in components {
        let place = format!("components.{}", component.name);
        if !names.insert(&component.name) {
            report.add(
                &place,
                "ComponentTwice",
                format!("`{}` stands there twice", component.name),
                "take one out",
            );
        }
        if !places.insert((&component.namespace, &component.release_name)) {
            let message = format!("`{}/{}` is taken", component.namespace, component.release_name);
            report.add(
                &place,
                "ReleaseNameTwice",
                message,
                "every component needs a release name of its own",
            );
        }
        if !(1..=100).contains(&component.stage) {
            report.add(&place, "BadStage", format!("stage {}", component.stage), "stages go from 1 to 100");
        }
        if component.chart.is_some() && !is_release_name(component.release_name.as_str()) {
            let message = format!("Helm takes no release name such as `{}`", component.release_name);
            let hint = "write at most 53 characters, with a letter or digit on both sides of each dot";
            report.add(&place, "BadReleaseName", message, hint);
        }
        if component.timeout.seconds() == 0 {
            report.add(&place, "BadTimeout", "a timeout of zero fails at once", "write such as 10m");
        }
        if component.namespace.as_str().contains('.') {
            let message = format!("`{}` is no name of a namespace", component.namespace);
            let hint = "write at most 63 lower-case letters, digits and `-`; no dots";
            report.add(format!("{place}.namespace"), "BadNamespace", message, hint);
        }
        if component.chart.is_some() && version_range::version(&component.version).is_none() {
            let message =
                format!("`{}` is no version of a chart", pdp_policies::printable(&component.version));
            let hint =
                "write the `version` of its Chart.yaml, such as 1.4.2; Helm takes semantic versions alone";
            report.add(format!("{place}.version"), "BadVersion", message, hint);
        }
        for problem in lock::problems(component) {
            let hint = "write `image: host/path:tag` and values with `{host}`, `{path}`, `{name}`, `{digest}`; a further image of \
                 the same list in `others`, with `{name:KEY}`";
            report.add(format!("{place}.imageValues"), "BadImageValues", problem, hint);
        }
        for image in &component.images {
            if !is_qualified(image) {
                let message = format!("image `{}` is not fully qualified", image.pull_name());
                report.add(
                    &place,
                    "UnqualifiedImage",
                    message,
                    "write host/path without tag, such as docker.io/library/redis; if charts render another name, \
                     write that as `name` and this as `from`",
                );
            }
        }
    }
}

/// A name of its own, and `host/path` to pull from.
fn is_qualified(image: &Image) -> bool {
    let bare =
        |name: &str| Reference::parse(name).filter(|image| image.tag.is_none() && image.digest.is_none());
    bare(&image.name).is_some() && bare(image.pull_name()).is_some_and(|from| from.host().is_some())
}
