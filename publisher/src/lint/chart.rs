//! A Helm chart: that Helm takes it, that it is the one that release.yaml names, and that all of it is there.

use pdp_policies::VersionRange;
use pdp_policies::version_range;

use super::{Report, Source, nulls, schema};
use crate::charts::{self, Chart};
use crate::release_file::{ChartSource, ComponentEntry};

pub(super) fn check(
    source: &ChartSource,
    component: &ComponentEntry,
    kubernetes: Option<&VersionRange>,
    files: &Source,
    report: &mut Report<'_>,
) {
    let chart = match Chart::read(files) {
        Ok(chart) => chart,
        Err(trouble) => return report.trouble(trouble),
    };
    let metadata = &chart.metadata;
    if metadata.name != source.name {
        let message = format!("the chart is `{}`, release.yaml says `{}`", metadata.name, source.name);
        report.add("Chart.yaml", "ChartNameDiffers", message, "make both the same");
    }
    // What is no version at all is told of release.yaml.
    if metadata.version != component.version && version_range::version(&component.version).is_some() {
        let message =
            format!("the chart is version {}, release.yaml says {}", metadata.version, component.version);
        report.add("Chart.yaml", "ChartVersionDiffers", message, "make both the same");
    }
    if metadata.is_library {
        let message = format!(
            "`{}` is a library chart: it has templates for other charts and installs nothing",
            metadata.name
        );
        report.add("Chart.yaml", "LibraryChart", message, "name a chart that uses it");
    }
    if let Err(trouble) = charts::check_kubernetes(metadata, kubernetes, &component.platforms) {
        report.trouble(trouble);
    }
    schema::check(component, &chart, report);
    nulls::check(component, &chart, report);
    charts::check_subcharts(&chart).into_iter().for_each(|trouble| report.trouble(trouble));
}
