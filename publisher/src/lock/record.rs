//! How large Helm's record of a release is: one Secret with the chart and its manifests, packed. One that is too large is
//! never stored, and helm-controller tries again without end.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde_json::json;

use crate::lint::Source;

/// What a Secret may hold (bytes), as kube-apiserver checks it.
const MAX: usize = 1024 * 1024;

/// `rendered` is what `helm template --include-crds` prints.
///
/// # Errors
/// `RecordTooLarge`.
pub(super) fn check(chart: &Source, rendered: &str) -> Result<()> {
    let manifests = &recorded(rendered);
    // Packing makes nothing larger than this.
    let most: usize = chart.iter().map(|(_, content)| content.len() * 4 / 3).sum();
    let size = if most + manifests.len() < MAX / 2 { 0 } else { size(chart, manifests)? };
    if size <= MAX {
        return Ok(());
    }
    let what = format!("Helm's record of it is {size} bytes, and a Secret holds at most {MAX}");
    Err(Failure::new("RecordTooLarge", what).hint(
        "the record holds all files of the chart and all manifests: leave out in .helmignore what no template reads, or \
         make two components of it",
    ))
}

/// What of it stands in a record: Helm applies what lies in a chart's `crds/` and doesn't record it.
fn recorded(rendered: &str) -> String {
    let documents = rendered.split_inclusive('\n').scan(true, |is_recorded, line| {
        if let Some(source) = line.strip_prefix("# Source: ") {
            *is_recorded = !is_definition(source);
        }
        Some(is_recorded.then_some(line))
    });
    documents.flatten().collect()
}

/// `chart/crds/file`, or the same of a subchart.
fn is_definition(source: &str) -> bool {
    let mut path = source.split_once('/').map_or("", |(_, path)| path);
    while let Some(("charts", below)) = path.split_once('/') {
        path = below.split_once('/').map_or("", |(_, path)| path);
    }
    path.starts_with("crds/")
}

/// As Helm 4 writes it: JSON, gzip, base64. Subcharts aren't part of it, their manifests are.
fn size(chart: &Source, manifests: &str) -> Result<usize> {
    let own = chart.iter().filter(|(path, _)| !path.starts_with("charts/"));
    let files: Vec<_> =
        own.map(|(path, content)| json!({ "name": path, "data": STANDARD.encode(content) })).collect();
    let record = json!({ "chart": { "files": files }, "manifest": manifests });
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&serde_json::to_vec(&record).map_err(internal)?).map_err(internal)?;
    Ok(packed.finish().map_err(internal)?.len().div_ceil(3) * 4)
}

#[cfg(test)]
mod tests {
    use pdp_policies::Digest;

    use super::*;

    /// Text that doesn't pack to less than half of its length.
    fn noise(bytes: usize) -> String {
        (0..bytes / 64).map(|n| Digest::of(&n.to_be_bytes()).hex()).collect()
    }

    #[test]
    fn definitions_of_a_charts_crds_are_not_recorded() {
        for (source, is) in [
            ("top/crds/a.yaml", true),
            ("top/charts/crds/crds/a.yaml", true),
            ("top/charts/a/charts/b/crds/c/d.yaml", true),
            ("top/charts/crds/templates/a.yaml", false),
            ("top/templates/crds/a.yaml", false),
            ("crds/templates/a.yaml", false),
            ("top/charts/crds", false),
            ("", false),
        ] {
            assert_eq!(is_definition(source), is, "{source}");
        }
        let document = |source: &str, bytes| format!("---\n# Source: {source}\n{}\n---\n", noise(bytes));
        let large = 2_000_000;
        let rendered = document("top/crds/a.yaml", large) + &document("top/templates/a.yaml", 100_000);
        assert!(check(&Vec::new(), &rendered).is_ok());
        let rendered = document("top/crds/a.yaml", 1) + &document("top/templates/crds/a.yaml", large);
        assert!(check(&Vec::new(), &rendered).is_err());
    }

    #[test]
    fn only_what_fits_into_a_secret_is_recorded() {
        let file = |path: &str, bytes: usize| (path.to_owned(), noise(bytes).into_bytes());
        for (chart, manifests, fits) in [
            (vec![file("files/a", 900_000)], noise(100_000), true),
            (vec![file("files/a", 1_200_000)], noise(700_000), false),
            (vec![file("files/a", 100_000)], noise(2_000_000), false),
            (vec![file("charts/sub/files/a", 2_000_000)], noise(100_000), true),
            (vec![("files/a".to_owned(), vec![b'a'; 5_000_000])], String::new(), true),
            (vec![], String::new(), true),
        ] {
            let checked = check(&chart, &manifests);
            assert_eq!(checked.is_ok(), fits, "{checked:?}");
            assert!(checked.err().is_none_or(|it| it.code == "RecordTooLarge"));
        }
    }
}
