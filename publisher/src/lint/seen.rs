//! The files in which images are looked for: subcharts unpacked; of manifests what is
//! built, under the final names, as it is written and as patches leave it.

use super::Source;
use crate::charts::Chart;
use crate::kustomize;
use crate::release_file::ComponentEntry;

pub(crate) fn of(component: &ComponentEntry, files: &Source) -> Source {
    match &component.chart {
        Some(_) => Chart::read(files).map_or_else(|_| files.clone(), |chart| chart.files()),
        None => kustomize::written_and_applied(files),
    }
}
