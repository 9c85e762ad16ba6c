//! SBOMs and VEX documents of the release: read, judged by their schemas, and compared with what the level holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pdp_policies::printable;
use pdp_transport::Kind as ErrorKind;
use pdp_transport::cli::failure::Result;
use pdp_transport::files;
use serde_json::Value;

use super::{Finding, Report, folder};
use crate::release_file::{ReleaseFile, StatementEntry};
use crate::statements::{
    About, Given, Kind, MAX_BYTES, MAX_OF_ONE, MAX_STATEMENTS, Scope, Spoken, check_vex, is_of_another,
    max_bytes, problems,
};

/// More of one document aren't told: who fixes one fixes many.
const MOST_TOLD: usize = 50;
const KEEP: &str = "keep statements beside the levels: sbom/... or ../sbom/...";
const MAKE_ANEW: &str = "make it anew with a tool that keeps to the standard, or correct it";

/// Those that are good; the others become findings. The level's images have to be known.
pub(super) fn read(release: &Path, file: &ReleaseFile, findings: &mut Vec<Finding>) -> Result<Vec<Given>> {
    let mut report = Report { file: release.display().to_string(), findings };
    if file.statements.len() > MAX_STATEMENTS {
        let message = format!("{} statements, at most {MAX_STATEMENTS}", file.statements.len());
        report.add("statements", "TooManyStatements", message, "leave out what nobody reads");
        return Ok(Vec::new());
    }
    let scope = Scope::of(file);
    let (mut given, mut spoken) = (Vec::new(), Spoken::default());
    for (n, entry) in file.statements.iter().enumerate() {
        given.extend(one(release, (n, entry), file, &scope, &mut spoken, report.findings)?);
    }
    crowded(&given, &mut report);
    Ok(given)
}

/// Data planes look at so many attachments of one thing.
fn crowded(given: &[Given], report: &mut Report<'_>) {
    let mut count: BTreeMap<&About, BTreeSet<&str>> = BTreeMap::new();
    for it in given {
        if !count.entry(&it.about).or_default().insert(&it.file) {
            let message = format!("`{}` is given twice for {}", it.file, it.about);
            report.add("statements", "StatementTwice", message, "take one out");
        }
    }
    for (about, files) in count.iter().filter(|(_, files)| files.len() > MAX_OF_ONE) {
        let message = format!("{} statements about {about}, at most {MAX_OF_ONE}", files.len());
        report.add("statements", "TooManyStatements", message, "leave out what nobody reads");
    }
}

fn one(
    release: &Path,
    (n, entry): (usize, &StatementEntry),
    file: &ReleaseFile,
    scope: &Scope,
    spoken: &mut Spoken,
    findings: &mut Vec<Finding>,
) -> Result<Option<Given>> {
    let mut report = Report { file: release.display().to_string(), findings };
    let place = format!("statements.{n}");
    let about = scope.about(entry.of.as_deref(), file);
    if let Err(cause) = &about {
        let message = format!("`{}`: {cause}", printable(entry.of.as_deref().unwrap_or_default()));
        let hint = "name a component or an image as this level has it, or leave `of` out for the whole level";
        report.add(format!("{place}.of"), "StatementOfNothing", message, hint);
    }
    let (path, document) = match document(release, &entry.path) {
        Ok(found) => found,
        Err(cause) => {
            let message = format!("`{}`: {cause}", printable(&entry.path));
            report.add(format!("{place}.path"), "StatementUnreadable", message, KEEP);
            return Ok(None);
        }
    };
    let mut inside = Report { file: path, findings: report.findings };
    let Some(kind) = good(&document, &mut inside)? else { return Ok(None) };
    let Ok(about) = about else { return Ok(None) };
    fits(kind, &about, &document, &mut inside);
    if kind == Kind::OpenVex {
        for wrong in check_vex(&entry.path, &document, scope, spoken).into_iter().take(MOST_TOLD) {
            inside.add(wrong.place, wrong.code, wrong.message, hint_of(wrong.code));
        }
    }
    Ok(Some(Given { kind, about, file: entry.path.clone(), document }))
}

/// Where it is, and what it says.
fn document(release: &Path, relative: &str) -> std::result::Result<(String, Value), String> {
    let path = folder(release, relative).map_err(|trouble| trouble.message)?;
    let bytes = files::read_capped(&path, MAX_BYTES).map_err(|error| match error.kind {
        ErrorKind::TooLarge => format!("more than {MAX_BYTES} bytes"),
        _ => error.cause.to_string(),
    })?;
    let bytes = bytes.ok_or("there is no such file")?;
    let document = serde_json::from_slice(&bytes).map_err(|error| format!("no JSON: {error}"))?;
    Ok((path.display().to_string(), document))
}

/// Its kind, if it is good by its schema.
fn good(document: &Value, report: &mut Report<'_>) -> Result<Option<Kind>> {
    let kind = match Kind::of(document) {
        Ok(kind) => kind,
        Err(cause) => {
            let hint = "CycloneDX 1.4 to 1.6, SPDX 2.3 and OpenVEX 0.2.0 are taken, as JSON";
            report.add("", "StatementUnknown", cause, hint);
            return Ok(None);
        }
    };
    let problems = problems(kind, document)?;
    for problem in &problems {
        report.add(
            problem.place.as_str(),
            "StatementInvalid",
            format!("{}: {}", kind.name(), problem.message),
            MAKE_ANEW,
        );
    }
    Ok(problems.is_empty().then_some(kind))
}

/// What can be said before anything is built: the digest of an image is known, that of a component isn't.
fn fits(kind: Kind, about: &About, document: &Value, report: &mut Report<'_>) {
    let size = serde_json::to_string(document).map_or(u64::MAX, |text| text.len() as u64);
    let most = max_bytes(about);
    if size > most {
        let message = format!("{size} bytes without spaces; {about} takes at most {most}");
        let hint = "attach SBOMs to images, which take 16 MiB, or leave out what nobody reads";
        report.add("", "StatementTooLarge", message, hint);
    }
    if let About::Image { digest, .. } = about
        && is_of_another(kind, document, digest)
    {
        let message = format!("by its own words it is about another digest than {about}");
        let hint = "make it of the level's image, by its digest; or write `of` as IMAGE@DIGEST of the platform that it is about";
        report.add("", "StatementOfAnotherImage", message, hint);
    }
}

fn hint_of(code: &str) -> &'static str {
    match code {
        "VexProductUnknown" => {
            "name an image of the level (pkg:oci/...@DIGEST or host/path), a component, or the line's name for all of it"
        }
        _ => "say of each product and vulnerability one thing, once, over all VEX documents of the level",
    }
}
