//! What of a component stays in the cluster when it goes: Helm never takes away what lies in `crds/`, and Flux writes
//! Namespaces and definitions of manifests before it knows whether the rest can be written.

use std::collections::BTreeSet;

use pdp_policies::helm_yaml;
use pdp_policies::outlives::Outlives;

use crate::charts::Chart;
use crate::kubernetes_list::items;
use crate::kustomize;
use crate::lint::Source;

/// Of a chart and its subcharts, also of those that are switched off.
pub(super) fn of_chart(chart: &Chart) -> BTreeSet<Outlives> {
    let files = chart.files();
    of(files.iter().filter(|(path, _)| in_crds(path)).map(|(_, content)| content))
}

/// Of a tree of kustomizations.
pub(super) fn of_manifests(files: &Source) -> BTreeSet<Outlives> {
    of(kustomize::build(files).documents.iter().map(|(_, content)| content))
}

/// True for a file of a chart that Helm writes before all others and never takes away, also of a subchart.
pub(crate) fn in_crds(path: &str) -> bool {
    let mut path = path;
    while let Some((_, inner)) = path.strip_prefix("charts/").and_then(|rest| rest.split_once('/')) {
        path = inner;
    }
    path.starts_with("crds/") && !path.ends_with(".md")
}

fn of<'a>(contents: impl Iterator<Item = &'a Vec<u8>>) -> BTreeSet<Outlives> {
    let texts = contents.filter_map(|content| std::str::from_utf8(content).ok());
    let documents = texts.filter_map(|text| helm_yaml::documents(text.trim_start_matches('\u{feff}')).ok());
    documents
        .flatten()
        .flat_map(|document| items(&document).into_iter().filter_map(Outlives::of).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_list_stays_too() {
        let list = b"kind: List\nitems: [{kind: Namespace, metadata: {name: a}}, {kind: Pod, metadata: {name: b}}]\n".to_vec();
        let found: Vec<_> = of([&list].into_iter()).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["Namespace/a"]);
    }

    #[test]
    fn definitions_lie_in_the_crds_of_a_chart_or_of_a_subchart() {
        for (path, found) in [
            ("crds/a.yaml", true),
            ("crds/more/a.yaml", true),
            ("charts/sub/crds/a.yaml", true),
            ("charts/sub/charts/inner/crds/a.yaml", true),
            ("templates/crds/a.yaml", false),
            ("charts/sub/templates/crds/a.yaml", false),
            ("files/crds/a.yaml", false),
            ("crds/README.md", false),
        ] {
            assert_eq!(in_crds(path), found, "{path}");
        }
    }
}
