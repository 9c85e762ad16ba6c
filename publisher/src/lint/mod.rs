//! Everything that is wrong with a release before it is built, all at once.

mod advisories;
mod annotations;
mod base;
pub(crate) mod brought;
mod chart;
mod definitions;
mod document;
mod embargo;
mod fixed_fields;
pub(crate) mod flux_objects;
mod images;
mod junit;
mod located;
mod locked;
mod manifests;
mod nulls;
mod once;
mod requirements;
mod samples;
mod sarif;
mod schema;
pub(crate) mod seen;
mod statements;
pub(crate) mod unknown_fields;
mod unpinned;
mod unreadable;
mod values;

use std::path::{Path, PathBuf};

use pdp_policies::{At, VersionRange, printable};
use pdp_transport::cli::failure::Result;
use serde::Serialize;

pub(crate) use annotations::{Ci, annotation};
pub(crate) use brought::Brought;
pub(crate) use junit::junit;
pub(crate) use sarif::sarif;

use crate::charts::{self, Fetch, Origin, Trouble};
use crate::release_file::{ComponentEntry, ReleaseFile};
use crate::statements::Given;
use crate::yaml_file;

/// One thing to fix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    pub(crate) file: String,
    pub(crate) place: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
    /// The one file that it is about, if that is known, from the current folder on; else as `file`.
    pub(crate) path: String,
    /// First is 1.
    pub(crate) line: Option<usize>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, message, hint, .. } = self;
        let (message, at) = (printable(message), printable(&self.at()));
        write!(f, "error[{code}]: {message} ({at})\n  hint:  {}", printable(hint))
    }
}

impl Finding {
    /// As words about what is good.
    pub(crate) fn note(&self) -> String {
        format!("◎ {}: {} ({})", self.code, printable(&self.message), printable(&self.at()))
    }

    /// `path:line, place`, `path:line:column` or what of it is known.
    fn at(&self) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let (inner, _) = located::split(&self.place);
        let position = self.place.get(inner.len()..).unwrap_or_default().trim_start_matches(':');
        match self.within() {
            Some(place) => format!("{}{line}, {place}", self.path),
            None if position.is_empty() => format!("{}{line}", self.path),
            None => format!("{}:{position}", self.path),
        }
    }

    /// The place within its file, unless path and line say it already.
    fn within(&self) -> Option<&str> {
        let (inner, _) = located::split(&self.place);
        let said = inner.is_empty() || self.path.ends_with(inner);
        (!said).then_some(self.place.as_str())
    }
}

/// A release whose sources were read and found good.
#[derive(Debug)]
pub(crate) struct Linted {
    pub(crate) file: ReleaseFile,
    /// Where the files of each component are, for people; in the order of the file, as the next two.
    pub(crate) places: Vec<String>,
    /// The files of each component.
    pub(crate) sources: Vec<Source>,
    /// The texts of each component's sample values.
    pub(crate) samples: Vec<Vec<String>>,
    /// True if the images are those of a lock, found by rendering.
    pub(crate) rendered: bool,
    /// What is good, and may still be worth a look.
    pub(crate) notes: Vec<Finding>,
    /// SBOMs and VEX documents.
    pub(crate) statements: Vec<Given>,
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
            path: String::new(),
            line: None,
        });
    }

    fn trouble(&mut self, trouble: Trouble) {
        let Trouble { place, code, message, hint } = trouble;
        self.add(place, code, message, &hint);
    }
}

/// Reads `release.yaml` and all it names; gives back either a release to build or all findings.
///
/// `base` is the release.yaml that it was made from; `../<base>/release.yaml` if none is given.
pub(crate) async fn lint(
    path: &Path,
    base: Option<&Path>,
    fetch: &Fetch<'_>,
    now: At,
) -> Result<std::result::Result<Linted, Vec<Finding>>> {
    let mut findings = Vec::new();
    let Some(mut linted) = gather(path, base, fetch, now, &mut findings).await? else {
        return Ok(Err(told(findings)));
    };
    match locked::read(path, &mut findings)? {
        Some(lock) => linted.rendered = locked::check(path, &mut linted, &lock, &mut findings),
        None => {
            images::check_all(&linted, &mut findings);
            locked::without(path, &mut linted, &mut findings);
        }
    }
    linted.statements = statements::read(path, &linted.file, &mut findings)?;
    embargo::check_statements(&linted, &mut findings);
    Ok(whole(linted, findings))
}

/// Its advisories alone, with the file that they are in.
pub(crate) fn advisories_of(path: &Path, now: At) -> Result<std::result::Result<ReleaseFile, Vec<Finding>>> {
    let mut findings = Vec::new();
    let mut report = Report { file: path.display().to_string(), findings: &mut findings };
    let Some(mut file) = read(path, &mut report)? else { return Ok(Err(told(findings))) };
    file.stated = advisories::read(path, &file, now, &mut report, &mut Vec::new())?;
    let findings = told(findings);
    Ok(if findings.is_empty() { Ok(file) } else { Err(findings) })
}

/// The same without its images: what `release lock` renders.
pub(crate) async fn unlocked(
    path: &Path,
    fetch: &Fetch<'_>,
    now: At,
) -> Result<std::result::Result<Linted, Vec<Finding>>> {
    let mut findings = Vec::new();
    let Some(linted) = gather(path, None, fetch, now, &mut findings).await? else {
        return Ok(Err(told(findings)));
    };
    Ok(whole(linted, findings))
}

fn whole(linted: Linted, findings: Vec<Finding>) -> std::result::Result<Linted, Vec<Finding>> {
    let findings = told(findings);
    if findings.is_empty() { Ok(linted) } else { Err(findings) }
}

/// Each once, in order, with the line that it is about.
fn told(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup();
    let mut findings = once::per_image(findings);
    located::locate(&mut findings);
    findings
}

/// The file and all that it names; none if the file itself can't be read.
async fn gather(
    path: &Path,
    base: Option<&Path>,
    fetch: &Fetch<'_>,
    now: At,
    findings: &mut Vec<Finding>,
) -> Result<Option<Linted>> {
    let mut report = Report { file: path.display().to_string(), findings };
    let Some(mut file) = read(path, &mut report)? else { return Ok(None) };
    document::check(&file, &mut report);
    let mut notes = Vec::new();
    file.stated = advisories::read(path, &file, now, &mut report, &mut notes)?;
    requirements::check(&file.requires, &mut report);
    let base = base::check(&file, path, base, &mut report)?;
    let (mut places, mut sources, mut samples) = (Vec::new(), Vec::new(), Vec::new());
    let kubernetes = file.requires.kubernetes.clone();
    for component in &mut file.components {
        component.given = values::read(path, component, &mut report);
        samples.push(samples::read(path, component, &mut report));
        let (place, source) = source(path, component, kubernetes.as_ref(), fetch, report.findings).await;
        places.push(place);
        sources.push(source);
    }
    let (rendered, statements) = (false, Vec::new());
    let mut linted = Linted { file, places, sources, samples, rendered, notes, statements };
    embargo::check(&linted, report.findings);
    let more = definitions::check(&report.file, &linted, base.as_ref(), fetch, report.findings).await;
    linted.notes.extend(more);
    located::locate(&mut linted.notes);
    Ok(Some(linted))
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

/// Reads and checks the files of one component; none where they can't be read.
async fn source(
    release: &Path,
    component: &ComponentEntry,
    kubernetes: Option<&VersionRange>,
    fetch: &Fetch<'_>,
    findings: &mut Vec<Finding>,
) -> (String, Source) {
    let mut report = Report { file: release.display().to_string(), findings };
    let (place, files) = match files(release, component, fetch).await {
        Ok(found) => found,
        Err(trouble) => {
            let place = format!("components.{}", component.name);
            report.trouble(Trouble { place, ..trouble });
            return (String::new(), Source::new());
        }
    };
    let shown = place.clone();
    let mut inside = Report { file: place, findings: report.findings };
    match &component.chart {
        Some(chart) => chart::check(chart, component, kubernetes, &files, &mut inside),
        None => manifests::check(&files, kubernetes, &mut inside),
    }
    (shown, files)
}

/// Where a component's files are, and the files.
async fn files(
    release: &Path,
    component: &ComponentEntry,
    fetch: &Fetch<'_>,
) -> std::result::Result<(String, Source), Trouble> {
    match (&component.chart, &component.manifests) {
        (Some(chart), None) => {
            let origin = Origin::of(chart)?;
            let path = origin.path().map(|path| folder(release, path)).transpose()?;
            let place = path.as_ref().map_or_else(|| origin.to_string(), |path| path.display().to_string());
            Ok((place, charts::read(&origin, &component.version, path.as_deref(), fetch).await?))
        }
        (None, Some(manifests)) => {
            let folder = folder(release, &manifests.path)?;
            let files = manifests::with_root(manifests, charts::manifest_files(&folder)?)?;
            Ok((folder.display().to_string(), files))
        }
        _ => Err(Trouble::new(
            "",
            "OneSource",
            "a component is either a chart or manifests",
            "give exactly one of the two",
        )),
    }
}

/// The path, if it stays within the line's folder (the parent of the level's folder).
fn folder(release: &Path, relative: &str) -> std::result::Result<PathBuf, Trouble> {
    let rest = relative.strip_prefix("../").unwrap_or(relative);
    let level = release.parent().filter(|_| pdp_policies::is_chart_path(rest));
    let leaves = || {
        let message = format!("`{relative}` leaves the line's folder");
        Trouble::new("", "UnsafePath", message, "keep charts and manifests beside the levels: ../charts/...")
    };
    let level = level.ok_or_else(leaves)?;
    Ok(if rest == relative { level.join(rest) } else { level.join("..").join(rest) })
}
