//! Namespaces and definitions of kinds of a whole release, against each other and against those of its base.

use std::collections::BTreeSet;

use pdp_policies::{ComponentName, printable};

use super::base::Base;
use super::brought::{self, Brought, Lost};
use super::{Finding, Linted, Report, Source, Trouble, files, fixed_fields};
use crate::charts::Fetch;
use crate::release_file::ComponentEntry;

/// What no release with its base may do unless it says so; given back is what it may, and somebody has to look at.
pub(super) async fn check(
    release: &str,
    linted: &Linted,
    base: Option<&Base>,
    fetch: &Fetch<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Finding> {
    let all = linted.file.components.iter().zip(&linted.sources);
    let now: Vec<_> = all.flat_map(|(component, source)| brought::of(component, source)).collect();
    twice(linted, &now, findings);
    let mut notes = Vec::new();
    let Some(base) = base else { return notes };
    let mut report = Report { file: release.to_owned(), findings };
    let olds = before(base, linted, fetch, &mut report).await;
    fixed(linted, &olds, report.findings);
    let mut before: Vec<_> = olds.iter().flat_map(|(old, source, _)| brought::of(old, source)).collect();
    let left =
        of_gone(base, linted, fetch, &mut Report { file: release.to_owned(), findings: &mut notes }).await;
    before.extend(left.into_iter().filter(|old| now.iter().any(|new| new.id == old.id)));
    narrowed(linted, (&before, &now), base, &mut notes);
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
    notes
}

/// What Flux couldn't apply over the base. Of charts that is known once they are rendered.
fn fixed(linted: &Linted, olds: &[(&ComponentEntry, Source, usize)], findings: &mut Vec<Finding>) {
    for (old, source, at) in olds {
        let (Some(new), Some(now)) = (linted.file.components.get(*at), linted.sources.get(*at)) else {
            continue;
        };
        let mut report = Report { file: place(linted, &new.name), findings };
        for field in fixed_fields::of((old, source), (new, now)) {
            let message = format!("no cluster changes {} of {}", field.field, printable(&field.object));
            report.add("kustomization.yaml", "FixedField", message, fixed_fields::HINT);
        }
    }
}

/// Objects and programs may still hold what is no longer taken; a cluster lets the definition through.
fn narrowed(linted: &Linted, (before, now): (&[Brought], &[Brought]), base: &Base, notes: &mut Vec<Finding>) {
    for (one, by) in brought::narrowed(before, now) {
        let message = format!("`{}` takes less than in base {}: {by}", one.id, base.file.level);
        let mut report = Report { file: place(linted, &one.component), findings: notes };
        report.add(
            one.path.as_str(),
            "DefinitionNarrowed",
            message,
            "make sure that no object in a data plane needs it",
        );
    }
}

/// The components of the base that are here still, each with its files then and the place of its new ones. One that can't be
/// read here is told of elsewhere.
async fn before<'a>(
    base: &'a Base,
    linted: &Linted,
    fetch: &Fetch<'_>,
    report: &mut Report<'_>,
) -> Vec<(&'a ComponentEntry, Source, usize)> {
    let mut all = Vec::new();
    for old in &base.file.components {
        let position = linted.file.components.iter().position(|new| new.name == old.name);
        let found =
            position.and_then(|at| Some((at, linted.file.components.get(at)?, linted.sources.get(at)?)));
        let Some((at, new, source)) = found.filter(|(_, _, source)| !source.is_empty()) else { continue };
        match read(base, old, new, source, fetch).await {
            Ok(source) => all.push((old, source, at)),
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

/// What components of the base brought that are gone on purpose: another one may bring it now. Their files are often taken
/// away with them, which is told and no more.
async fn of_gone(base: &Base, linted: &Linted, fetch: &Fetch<'_>, notes: &mut Report<'_>) -> Vec<Brought> {
    let stays = |old: &ComponentEntry| linted.file.components.iter().any(|new| new.name == old.name);
    let mut all = Vec::new();
    for old in base.file.components.iter().filter(|old| !stays(old)) {
        match files(&base.path, old, fetch).await {
            Ok((_, source)) => all.extend(brought::of(old, &source)),
            Err(trouble) => {
                let message = format!(
                    "the files of `{}` of base {} can't be read: what it defined isn't compared with who defines it now ({})",
                    old.name, base.file.level, trouble.message
                );
                notes.add("removed", "BaseUnreadable", message, "read what changes in its definitions");
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
