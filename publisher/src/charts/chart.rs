//! A chart with its subcharts, as Helm loads them.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::metadata::Metadata;
use super::trouble::Trouble;
use super::yaml::{self, Table};
use super::{MAX_SOURCE_BYTES, packed};
use crate::lint::Source;

/// Subcharts of subcharts of ... deeper than this aren't read.
const MAX_DEPTH: usize = 8;

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    pub(crate) metadata: Metadata,
    /// Without those of its subcharts.
    files: Source,
    pub(crate) subcharts: Vec<Chart>,
}

impl Chart {
    /// # Errors
    /// What Helm refuses: `NoChart`, `BadChart`, `BadChartVersion`, `BadYaml`, `BadSubchart`.
    pub(crate) fn read(files: &Source) -> Result<Self, Trouble> {
        Loader { left: MAX_SOURCE_BYTES }.chart(files.clone(), MAX_DEPTH)
    }

    /// One of its own files.
    pub(crate) fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|(own, _)| own == path).map(|(_, bytes)| bytes.as_slice())
    }

    /// All files; subcharts are unpacked, in folders of their own names.
    pub(crate) fn files(&self) -> Source {
        let mut all = self.files.clone();
        for subchart in &self.subcharts {
            let folder = format!("charts/{}", subchart.metadata.name);
            all.extend(
                subchart.files().into_iter().map(|(path, content)| (format!("{folder}/{path}"), content)),
            );
        }
        all
    }
}

struct Loader {
    /// Bytes that packed subcharts may still unpack to.
    left: u64,
}

impl Loader {
    fn chart(&mut self, files: Source, depth: usize) -> Result<Chart, Trouble> {
        let (inner, own): (Source, Source) = files.into_iter().partition(|(path, _)| is_of_a_subchart(path));
        let file = |name: &str| own.iter().find(|(path, _)| path == name).map(|(_, bytes)| bytes.as_slice());
        let chart = table("Chart.yaml", file("Chart.yaml").ok_or_else(no_chart)?)?;
        let requirements =
            file("requirements.yaml").map(|bytes| table("requirements.yaml", bytes)).transpose()?;
        let metadata = Metadata::read(&chart, requirements.as_ref())?;
        if let Some(schema) = file("values.schema.json") {
            serde_json::from_slice::<IgnoredAny>(schema).map_err(|error| bad_schema(&error))?;
        }
        let mut subcharts = Vec::new();
        for (name, files) in by_folder(inner) {
            let place = format!("charts/{name}");
            let depth = depth.checked_sub(1).ok_or_else(|| bad_subchart(&place, "subcharts lie too deep"))?;
            let subchart = self.subchart(&name, files).and_then(|files| self.chart(files, depth));
            subcharts.push(subchart.map_err(|trouble| trouble.within(&place))?);
        }
        Ok(Chart { metadata, files: own, subcharts })
    }

    /// The files of what lies in `charts/` under one name: a folder, or a packed chart.
    fn subchart(&mut self, name: &str, files: BTreeMap<String, Vec<u8>>) -> Result<Source, Trouble> {
        let Some(alone) = files.get("") else { return Ok(files.into_iter().collect()) };
        if !name.ends_with(".tgz") {
            let cause = "it is neither a chart's folder nor a .tgz, so Helm doesn't read this chart";
            return Err(bad_subchart("", cause));
        }
        let unpacked =
            packed::files(alone, self.left).map_err(|error| bad_subchart("", &error.to_string()))?;
        self.left -= unpacked.iter().map(|(_, content)| content.len() as u64).sum::<u64>();
        Ok(unpacked)
    }
}

/// Signatures in `charts/` are files of the chart itself.
fn is_of_a_subchart(path: &str) -> bool {
    path.starts_with("charts/") && !path.ends_with(".prov")
}

/// What lies in `charts/`, by its name there and then its own path; the path is empty for a file.
fn by_folder(files: Source) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let mut folders: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for (path, content) in files {
        let rest = path.strip_prefix("charts/").unwrap_or(&path);
        let (folder, rest) = rest.split_once('/').unwrap_or((rest, ""));
        folders.entry(folder.to_owned()).or_default().insert(rest.to_owned(), content);
    }
    folders
}

fn table(name: &str, bytes: &[u8]) -> Result<Table, Trouble> {
    yaml::table(bytes).map_err(|cause| Trouble::new(name, "BadYaml", cause, "fix the chart"))
}

fn no_chart() -> Trouble {
    let hint = "is the path a chart's, and does .helmignore leave Chart.yaml in?";
    Trouble::new("Chart.yaml", "NoChart", "there is no Chart.yaml", hint)
}

fn bad_schema(error: &serde_json::Error) -> Trouble {
    let message = format!("it is no JSON: {error}");
    Trouble::new("values.schema.json", "BadChart", message, "Helm refuses such a chart: correct it")
}

fn bad_subchart(place: &str, cause: &str) -> Trouble {
    Trouble::new(place, "BadSubchart", cause, "run `helm dependency build` anew, or take it out of charts/")
}
