//! An advisory as it was written becomes what is known of it, field by field; everything that is wrong at once. Pure.

use std::collections::BTreeSet;

use pdp_policies::disclosure::Disclosed;
use pdp_policies::release::{Advisory, Severity};
use pdp_policies::{ComponentName, Cve, printable, printable_lines};

use super::AdvisoryEntry;
use super::score::{Rated, rated};

/// The longest id (bytes).
const MAX_ID: usize = 64;
/// More CVE ids have no advisory.
const MAX_CVES: usize = 64;
/// The longest title (characters).
const MAX_TITLE: usize = 200;
/// The longest description (characters).
const MAX_DESCRIPTION: usize = 8000;

/// What else the file says.
pub(crate) struct Known<'a> {
    /// What the level installs.
    pub(crate) installed: &'a [ComponentName],
    /// What it takes away: that may be what fixes a vulnerability.
    pub(crate) removed: &'a [ComponentName],
}

/// Something wrong with a field.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) field: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(
        &mut self,
        field: &'static str,
        code: &'static str,
        message: impl Into<String>,
        hint: &'static str,
    ) {
        self.0.push(Problem { field, code, message: message.into(), hint });
    }
}

/// What the advisory says as far as it can be read, and what can't.
pub(crate) fn stated(entry: &AdvisoryEntry, known: &Known<'_>) -> (Disclosed, Vec<Problem>) {
    let mut problems = Problems(Vec::new());
    id(entry, &mut problems);
    let cves = cves(&entry.cves, &mut problems);
    let (severity, rated) = severity(entry, &mut problems);
    texts(entry, &mut problems);
    if entry.embargoed_until.is_some_and(|until| until <= entry.confirmed_at) {
        let message = format!("its embargo ends before it was confirmed, at {}", entry.confirmed_at);
        problems.add("embargoedUntil", "AdvisoryContradicts", message, "correct one of the two times");
    }
    let components = components(entry, known, &mut problems);
    let advisory = Advisory {
        id: entry.id.clone(),
        cves,
        cvss: rated.map(|it| it.vector),
        severity,
        known_exploited: entry.known_exploited,
        introduced_in: entry.introduced_in,
        confirmed_at: entry.confirmed_at,
        published_at: entry.published_at,
        embargoed_until: entry.embargoed_until,
    };
    let (title, description) = (entry.title.clone(), entry.description.clone());
    let disclosed =
        Disclosed { advisory, title, description, components, not_affected: entry.not_affected.clone() };
    (disclosed, problems.0)
}

/// `WSO2-2026-0142`, a CVE id, or whatever else tells nothing.
fn is_id(id: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let bytes = id.as_bytes();
    let opaque =
        bytes.len() <= MAX_ID && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(|b| plain(*b));
    let numbered = |rest: &str| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        rest.split_once('-').is_some_and(|(year, number)| year.len() == 4 && digits(year) && digits(number))
    };
    opaque
        && id.strip_prefix("WSO2-").is_none_or(numbered)
        && (!id.starts_with("CVE-") || id.parse::<Cve>().is_ok())
}

fn id(entry: &AdvisoryEntry, problems: &mut Problems) {
    if !is_id(&entry.id) {
        let hint = "write such as WSO2-2026-0142, a CVE id, or 1 to 64 letters, digits, `-`, `.` and `_`, with a letter or \
                    digit at both ends";
        problems.add(
            "id",
            "BadAdvisory",
            format!("`{}` is no id of an advisory", printable(&entry.id)),
            hint,
        );
    }
    if entry.embargoed_until.is_some() && entry.id.to_ascii_lowercase().contains("cve") {
        let message = format!("the id `{}` tells what is under embargo", printable(&entry.id));
        problems.add("id", "EmbargoTold", message, "write an id that tells nothing, such as WSO2-2026-0142");
    }
}

fn cves(written: &[String], problems: &mut Problems) -> BTreeSet<Cve> {
    let mut found = BTreeSet::new();
    if written.len() > MAX_CVES {
        let message = format!("{} CVE ids; at most {MAX_CVES}", written.len());
        problems.add("cves", "BadAdvisory", message, "write several advisories");
    }
    for text in written {
        match text.parse::<Cve>() {
            Err(bad) => problems.add("cves", "BadAdvisory", bad.to_string(), "write such as CVE-2026-41123"),
            Ok(cve) => {
                if let Some(cve) = found.replace(cve) {
                    problems.add(
                        "cves",
                        "AdvisoryTwice",
                        format!("{cve} stands there twice"),
                        "take one out",
                    );
                }
            }
        }
    }
    found
}

/// The severity that is written, or that of the vector; they have to be the same.
fn severity(entry: &AdvisoryEntry, problems: &mut Problems) -> (Severity, Option<Rated>) {
    let found = entry.cvss.as_deref().map(rated).transpose();
    let rated = found.unwrap_or_else(|problem| {
        let hint = "write the vector as a calculator of CVSS 3.1 or 4.0 gives it";
        problems.add("cvss", "BadAdvisory", problem, hint);
        None
    });
    match (entry.severity, &rated) {
        (Some(written), Some(rated)) if written != rated.severity => {
            let message = format!(
                "severity is {written:?}, but the vector comes to {:.1}, which is {:?}",
                rated.score, rated.severity
            );
            let hint = "correct one of the two, or leave severity out";
            problems.add("severity", "SeverityContradicts", message, hint);
        }
        (None, None) if entry.cvss.is_none() => {
            let hint = "write `severity`, or the vector as `cvss`";
            problems.add("severity", "BadAdvisory", "neither severity nor a vector is there", hint);
        }
        _ => {}
    }
    (entry.severity.or(rated.as_ref().map(|it| it.severity)).unwrap_or(Severity::Critical), rated)
}

fn texts(entry: &AdvisoryEntry, problems: &mut Problems) {
    let hint = "write plain text, without control characters and marks that turn text around";
    let judge = |text: &str, max: usize, shown: String| match () {
        () if text.trim().is_empty() => Some("it is empty".to_owned()),
        () if text.chars().count() > max => Some(format!("it has more than {max} characters")),
        () if shown != text => Some("it has characters that steer a terminal".to_owned()),
        () => None,
    };
    if let Some(text) = &entry.title
        && let Some(message) = judge(text, MAX_TITLE, printable(text))
    {
        problems.add("title", "BadAdvisory", message, hint);
    }
    if let Some(text) = &entry.description
        && let Some(message) = judge(text, MAX_DESCRIPTION, printable_lines(text))
    {
        problems.add("description", "BadAdvisory", message, hint);
    }
}

fn components(entry: &AdvisoryEntry, known: &Known<'_>, problems: &mut Problems) -> Vec<ComponentName> {
    let is_known = |name: &ComponentName| known.installed.contains(name) || known.removed.contains(name);
    let named = entry.components.iter().flatten().map(|name| ("components", name));
    let spared = entry.not_affected.iter().map(|it| ("notAffected", &it.component));
    for (field, name) in named.chain(spared).filter(|(_, name)| !is_known(name)) {
        let hint = "write a component of this release, or one that it removes";
        problems.add(field, "AdvisoryContradicts", format!("there is no component `{name}`"), hint);
    }
    let is_spared = |name: &&ComponentName| entry.not_affected.iter().any(|it| it.component == **name);
    let mut all = match &entry.components {
        Some(named) => named.clone(),
        None => known.installed.iter().filter(|name| !is_spared(name)).cloned().collect(),
    };
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests;
