//! `advisories` and `advisoryFiles`: each advisory for itself, and all of them together.

use std::path::Path;

use pdp_policies::disclosure::{Contradiction, Disclosed, MAX_ADVISORIES, contradictions};
use pdp_policies::release::ReleaseKind;
use pdp_policies::{At, ComponentName, Span, printable};
use pdp_transport::cli::failure::Result;

use super::{Finding, Report, folder};
use crate::advisories::{AdvisoryEntry, AdvisoryFile, Known, stated};
use crate::release_file::ReleaseFile;
use crate::yaml_file;

/// More files are of no use.
const MAX_FILES: usize = 16;
/// A later end is a slip in the date.
const LONGEST_EMBARGO: Span = Span::from_seconds(180 * 86_400);

/// Advisories of one file.
struct Written {
    file: String,
    entries: Vec<AdvisoryEntry>,
}

/// What all of them say; what is wrong becomes findings, what may be said by now becomes notes.
///
/// # Errors
/// What reading a file can end with.
pub(super) fn read(
    release: &Path,
    file: &ReleaseFile,
    now: At,
    report: &mut Report<'_>,
    notes: &mut Vec<Finding>,
) -> Result<Vec<Disclosed>> {
    let own = Written { file: report.file.clone(), entries: file.advisories.clone() };
    let mut all = vec![own];
    for (number, name) in file.advisory_files.iter().enumerate().take(MAX_FILES) {
        all.extend(one(release, number, name, report)?);
    }
    if file.advisory_files.len() > MAX_FILES {
        report.add(
            "advisoryFiles",
            "BadAdvisory",
            format!("more than {MAX_FILES} files"),
            "join some of them",
        );
    }
    if file.kind == ReleaseKind::Security && all.iter().all(|it| it.entries.is_empty()) {
        let hint = "add an advisory; its id may be opaque";
        report.add("advisories", "NoAdvisory", "a security release names what it fixes", hint);
    }
    Ok(checked(file, &all, now, report, notes))
}

/// One file beside the levels; none if it can't be read.
fn one(release: &Path, number: usize, name: &str, report: &mut Report<'_>) -> Result<Option<Written>> {
    let place = format!("advisoryFiles.{number}");
    let hint = "keep advisories beside the levels: advisories.yaml or ../advisories/...";
    let path = match folder(release, name) {
        Ok(path) => path,
        Err(trouble) => {
            report.add(place, "AdvisoriesUnreadable", trouble.message, hint);
            return Ok(None);
        }
    };
    let shown = path.display().to_string();
    match yaml_file::find::<AdvisoryFile>(&path)? {
        Some(Ok(read)) => Ok(Some(Written { file: shown, entries: read.advisories })),
        Some(Err(problems)) => {
            let mut inside = Report { file: shown, findings: report.findings };
            for problem in problems {
                inside.add(problem.place, "BadYaml", problem.message, "see docs/formats.md, release.yaml");
            }
            Ok(None)
        }
        None => {
            let message = format!("there is no file `{}`", printable(name));
            report.add(place, "AdvisoriesUnreadable", message, hint);
            Ok(None)
        }
    }
}

fn checked(
    file: &ReleaseFile,
    all: &[Written],
    now: At,
    report: &mut Report<'_>,
    notes: &mut Vec<Finding>,
) -> Vec<Disclosed> {
    let installed: Vec<ComponentName> = file.components.iter().map(|it| it.name.clone()).collect();
    let known = Known { installed: &installed, removed: &file.removed };
    let (mut found, mut places) = (Vec::new(), Vec::new());
    for written in all {
        for (number, entry) in written.entries.iter().enumerate() {
            let place = format!("advisories.{number}");
            let (advisory, problems) = stated(entry, &known);
            let mut inside = Report { file: written.file.clone(), findings: report.findings };
            for it in problems {
                inside.add(format!("{place}.{}", it.field), it.code, it.message, it.hint);
            }
            embargo(&advisory, &place, now, &mut inside, notes);
            found.push(advisory);
            places.push((&written.file, place));
        }
    }
    if found.len() > MAX_ADVISORIES {
        let message = format!("{} advisories, at most {MAX_ADVISORIES}", found.len());
        report.add("advisories", "BadAdvisory", message, "join those that are about one thing");
    }
    together(&found, &places, report);
    found
}

fn embargo(it: &Disclosed, place: &str, now: At, report: &mut Report<'_>, notes: &mut Vec<Finding>) {
    let Some(until) = it.advisory.embargoed_until else { return };
    let place = format!("{place}.embargoedUntil");
    if until > now.plus(LONGEST_EMBARGO) {
        let message = format!("the embargo would last until {until}, more than {LONGEST_EMBARGO} from now");
        report.add(place, "EmbargoTooLong", message, "write when it ends; a later level may tell more");
    } else if until <= now {
        let message = format!("the embargo of `{}` was over at {until}", printable(&it.advisory.id));
        let hint = "take `embargoedUntil` out of a level that isn't published; for one that is, run `publisher release disclose`";
        Report { file: report.file.clone(), findings: notes }.add(place, "EmbargoOver", message, hint);
    }
}

/// The later one of two that can't both be meant is told, with the place of the other one.
fn together(found: &[Disclosed], places: &[(&String, String)], report: &mut Report<'_>) {
    for (number, it) in contradictions(found) {
        let (file, place) = &places[number];
        let there = |other: usize| format!("{}, {}", places[other].0, places[other].1);
        let id = printable(&found[number].advisory.id);
        let (field, code, message) = match &it {
            Contradiction::IdTwice(other) => {
                ("id", "AdvisoryTwice", format!("`{id}` stands there twice, see {}", there(*other)))
            }
            Contradiction::CveTwice(cve, other) => (
                "cves",
                "AdvisoryTwice",
                format!("{cve} is what another advisory is about, see {}", there(*other)),
            ),
            it => ("components", "AdvisoryContradicts", format!("`{id}`: {it}")),
        };
        let hint = "take one of the two out; one advisory may be about several components";
        let mut inside = Report { file: (*file).clone(), findings: report.findings };
        inside.add(format!("{place}.{field}"), code, message, hint);
    }
}
