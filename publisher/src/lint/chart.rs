//! A Helm chart: its name and version, and that all of it is there.

use pdp_policies::helm_yaml;
use pdp_policies::yaml::Problem;
use serde::Deserialize;
use serde_json::Value;

use super::{Report, unreadable};
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
    let chart = match read(bytes) {
        Ok(chart) => chart,
        Err(problem) => return unreadable::report("Chart.yaml", problem, report),
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

fn read(bytes: &[u8]) -> Result<ChartYaml, Problem> {
    let mut chart = helm_yaml::chart(unreadable::text(bytes)?)?;
    chart.retain(|_, value| !value.is_null());
    let wrong = |error: serde_json::Error| Problem { place: "file".into(), message: error.to_string() };
    serde_json::from_value(Value::Object(chart)).map_err(wrong)
}
