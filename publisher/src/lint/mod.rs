//! Everything that is wrong with a release before it is built, all at once.

mod base;
mod chart;
mod document;
mod images;
mod manifests;
mod unreadable;

use std::path::{Path, PathBuf};

use pdp_transport::cli::failure::Result;
use pdp_transport::files;
use serde::Serialize;

use crate::release_file::{ComponentEntry, ReleaseFile};
use crate::yaml_file;

/// A component's folder may hold no more than this (bytes).
const MAX_SOURCE_BYTES: u64 = 32 * 1024 * 1024;

/// One thing to fix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    pub(crate) file: String,
    pub(crate) place: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "error[{}]: {} ({}:{})\n  hint:  {}",
            self.code, self.message, self.file, self.place, self.hint
        )
    }
}

/// A release whose sources were read and found good.
#[derive(Debug)]
pub(crate) struct Linted {
    pub(crate) file: ReleaseFile,
    /// The files of each component, in the order of the file.
    pub(crate) sources: Vec<Source>,
}

/// The files of one component.
pub(crate) type Source = Vec<(String, Vec<u8>)>;

/// Collects findings about one file.
pub(crate) struct Report<'a> {
    file: String,
    findings: &'a mut Vec<Finding>,
}

impl Report<'_> {
    pub(crate) fn add(
        &mut self,
        place: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
        hint: &str,
    ) {
        self.findings.push(Finding {
            file: self.file.clone(),
            place: place.into(),
            code,
            message: message.into(),
            hint: hint.to_owned(),
        });
    }
}

/// Reads `release.yaml` and all it names; gives back either a release to build or all findings.
///
/// `base` is the release.yaml that it was made from; `../<base>/release.yaml` if none is given.
pub(crate) fn lint(path: &Path, base: Option<&Path>) -> Result<std::result::Result<Linted, Vec<Finding>>> {
    let mut findings = Vec::new();
    let shown = path.display().to_string();
    let mut report = Report { file: shown, findings: &mut findings };
    let Some(file) = read(path, &mut report)? else { return Ok(Err(findings)) };
    document::check(&file, &mut report);
    base::check(&file, path, base, &mut report)?;
    let mut sources = Vec::new();
    for component in &file.components {
        sources.push(source(path, component, &mut findings)?);
    }
    findings.sort();
    findings.dedup();
    Ok(if findings.is_empty() { Ok(Linted { file, sources }) } else { Err(findings) })
}

/// Reads the YAML; its problems become findings.
fn read(path: &Path, report: &mut Report<'_>) -> Result<Option<ReleaseFile>> {
    match yaml_file::read(path, "give the path of a release.yaml")? {
        Ok(file) => Ok(Some(file)),
        Err(problems) => {
            for problem in problems {
                report.add(problem.place, "BadYaml", problem.message, "see docs/formats.md, release.yaml");
            }
            Ok(None)
        }
    }
}

/// Reads and checks the folder of one component.
fn source(release: &Path, component: &ComponentEntry, findings: &mut Vec<Finding>) -> Result<Source> {
    let mut report = Report { file: release.display().to_string(), findings };
    let place = format!("components.{}", component.name);
    let relative = match (&component.chart, &component.manifests) {
        (Some(chart), None) => &chart.path,
        (None, Some(manifests)) => &manifests.path,
        _ => {
            report.add(
                place,
                "OneSource",
                "a component is either a chart or manifests",
                "give exactly one of the two",
            );
            return Ok(Vec::new());
        }
    };
    let Some(folder) = folder(release, relative) else {
        let message = format!("`{relative}` leaves the line's folder");
        report.add(
            place,
            "UnsafePath",
            message,
            "keep charts and manifests beside the levels: ../charts/...",
        );
        return Ok(Vec::new());
    };
    let files = match files::read_folder(&folder, MAX_SOURCE_BYTES) {
        Ok(files) => files,
        Err(error) => {
            report.add(
                place,
                error.kind.code(),
                format!("{}: {}", error.what, error.cause),
                error.kind.hint(),
            );
            return Ok(Vec::new());
        }
    };
    let mut inside = Report { file: folder.display().to_string(), findings: report.findings };
    match &component.chart {
        Some(chart) => chart::check(chart, component, &files, &mut inside),
        None => manifests::check(&files, &mut inside),
    }
    images::check(component, &files, &mut inside);
    Ok(files)
}

/// The folder, if it stays within the line's folder (the parent of the level's folder).
fn folder(release: &Path, relative: &str) -> Option<PathBuf> {
    let rest = relative.strip_prefix("../").unwrap_or(relative);
    let level = release.parent()?;
    let start = if rest == relative { level.to_owned() } else { level.join("..") };
    pdp_policies::is_safe(rest).then(|| start.join(rest))
}
