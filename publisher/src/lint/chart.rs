//! A Helm chart: its name and version, and that all of it is there.

use serde::Deserialize;

use super::Report;
use crate::release_file::{ChartSource, ComponentEntry};

#[derive(Deserialize)]
struct ChartYaml {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

pub(super) fn check(
    source: &ChartSource,
    component: &ComponentEntry,
    files: &[(String, Vec<u8>)],
    report: &mut Report<'_>,
) {
    let Some((_, bytes)) = files.iter().find(|(path, _)| path == "Chart.yaml") else {
        report.add("Chart.yaml", "NoChart", "there is no Chart.yaml", "is the path a chart's folder?");
        return;
    };
    let chart: ChartYaml = match serde_saphyr::from_str(&String::from_utf8_lossy(bytes)) {
        Ok(chart) => chart,
        Err(error) => {
            let message = error.without_snippet().to_string();
            report.add("Chart.yaml", "BadYaml", message, "fix the chart");
            return;
        }
    };
    if chart.name != source.name {
        let message = format!("the chart is `{}`, release.yaml says `{}`", chart.name, source.name);
        report.add("Chart.yaml", "ChartNameDiffers", message, "make both the same");
    }
    if chart.version != component.version {
        let message =
            format!("the chart is version {}, release.yaml says {}", chart.version, component.version);
        report.add("Chart.yaml", "ChartVersionDiffers", message, "make both the same");
    }
    for dependency in chart.dependencies {
        let folder = format!("charts/{}", dependency.name);
        if !files.iter().any(|(path, _)| path.starts_with(&folder)) {
            let message = format!("the subchart `{}` would be fetched from elsewhere", dependency.name);
            report.add(
                "Chart.yaml",
                "UnvendoredSubchart",
                message,
                "run `helm dependency build` and keep charts/",
            );
        }
    }
}
