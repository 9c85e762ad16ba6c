//! Namespaces and definitions of kinds of a whole release, against each other and against those of its base.

use std::collections::BTreeSet;

use pdp_policies::{ComponentName, printable};

use super::base::Base;
use super::brought::{self, Brought, Lost};
use super::{Finding, Linted, Report, Source, Trouble, files};
use crate::charts::Fetch;
use crate::release_file::ComponentEntry;

/// What no release with its base may do unless it says so.
pub(super) async fn check(
    release: &str,
    linted: &Linted,
    base: Option<&Base>,
    fetch: &Fetch<'_>,
    findings: &mut Vec<Finding>,
) {
    let all = linted.file.components.iter().zip(&linted.sources);
    let now: Vec<_> = all.flat_map(|(component, source)| brought::of(component, source)).collect();
    twice(linted, &now, findings);
    let Some(base) = base else { return };
    let mut report = Report { file: release.to_owned(), findings };
    let before = before(base, linted, fetch, &mut report).await;
    let mut idle: BTreeSet<_> = linted.file.drops.iter().map(String::as_str).collect();
    for lost in brought::lost(&before, &now) {
        match lost.name().filter(|name| linted.file.drops.contains(name)) {
            Some(meant) => drop(idle.remove(meant.as_str())),
            None => tell(linted, &lost, base, &mut report),
        }
    }
    for name in idle {
        let message = format!(
            "`{}` is in `drops`, but nothing of base {} is lost by it",
            printable(name),
            base.file.level
        );
        report.add("drops", "NothingDropped", message, "take it out, or correct the name");
    }
}

/// What the base brought. A component that is gone on purpose takes nothing with it, and one that can't be read here is
/// told of elsewhere.
async fn before(base: &Base, linted: &Linted, fetch: &Fetch<'_>, report: &mut Report<'_>) -> Vec<Brought> {
    let mut all = Vec::new();
    for old in &base.file.components {
        let position = linted.file.components.iter().position(|new| new.name == old.name);
        let Some((new, source)) =
            position.and_then(|at| Some((linted.file.components.get(at)?, linted.sources.get(at)?)))
        else {
            continue;
        };
        if source.is_empty() {
            continue;
        }
        match read(base, old, new, source, fetch).await {
            Ok(source) => all.extend(brought::of(old, &source)),
            Err(trouble) => {
                let message = format!(
                    "the files of `{}` of base {} can't be read, so nobody knows what is lost: {}",
                    old.name, base.file.level, trouble.message
                );
                report.add(
                    format!("components.{}", old.name),
                    "BaseUnreadable",
                    message,
                    "bring them back to where the base's release.yaml names them",
                );
            }
        }
    }
    all
}

/// What is fetched by the same digest isn't fetched again.
async fn read(
    base: &Base,
    old: &ComponentEntry,
    new: &ComponentEntry,
    source: &Source,
    fetch: &Fetch<'_>,
) -> Result<Source, Trouble> {
    let same = |old: &ComponentEntry| old.chart.as_ref().is_some_and(|chart| chart.path.is_none());
    if same(old) && (&old.chart, &old.version) == (&new.chart, &new.version) {
        return Ok(source.clone());
    }
    files(&base.path, old, fetch).await.map(|(_, files)| files)
}

fn tell(linted: &Linted, lost: &Lost<'_>, base: &Base, report: &mut Report<'_>) {
    let meant = lost.name().map(|name| format!("; if it is meant, list `{name}` under `drops:`"));
    let hint = |words: &str| format!("{words}{}", meant.as_deref().unwrap_or_default());
    match lost {
        Lost::Gone(before) => {
            let message = format!(
                "`{}` of `{}` is in base {} but not here: {}",
                before.id,
                before.component,
                base.file.level,
                fate(before)
            );
            report.add(
                format!("components.{}", before.component),
                "DefinitionDropped",
                message,
                &hint("bring it back"),
            );
        }
        Lost::Broken { now, by } => {
            let message = format!("`{}`: {by}", now.id);
            let place = place(linted, &now.component);
            let mut report = Report { file: place, findings: report.findings };
            report.add(
                now.path.as_str(),
                "DefinitionBroken",
                message,
                &hint("keep what objects and programs of the base need"),
            );
        }
    }
}

fn fate(before: &Brought) -> &'static str {
    if before.by_chart {
        "it stays in clusters, and nobody updates it"
    } else {
        "Flux takes it away, and all objects of it"
    }
}

fn twice(linted: &Linted, now: &[Brought], findings: &mut Vec<Finding>) {
    for (first, other) in brought::twice(now) {
        let message = format!(
            "`{}` is another one in {} of `{}`: the last one that is applied wins",
            other.id, first.path, first.component
        );
        let mut report = Report { file: place(linted, &other.component), findings };
        report.add(
            other.path.as_str(),
            "DefinitionTwice",
            message,
            "let one component bring it, or make both the same",
        );
    }
}

/// Where a component's files are.
fn place(linted: &Linted, name: &ComponentName) -> String {
    let mut all = linted.file.components.iter().zip(&linted.places);
    all.find(|(component, _)| component.name == *name).map(|(_, place)| place.clone()).unwrap_or_default()
}
