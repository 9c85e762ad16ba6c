//! Plain manifests: a kustomization that names only what lies in its folder.

use std::slice::from_ref;

use pdp_policies::VersionRange;
use pdp_policies::helm_yaml;
use serde_json::Value;

use super::{Report, Source, flux_objects, unknown_fields};
use crate::charts::Trouble;
use crate::kubernetes_list;
use crate::kustomize;
use crate::lock;
use crate::release_file::ManifestsSource;

pub(super) fn check(files: &Source, kubernetes: Option<&VersionRange>, report: &mut Report<'_>) {
    let (built, applied) = (kustomize::build(files), kustomize::applied(files));
    built.troubles.into_iter().chain(applied.troubles).for_each(|trouble| report.trouble(trouble));
    let judged = unknown_fields::is_for(kubernetes);
    for (path, content) in &built.documents {
        let objects = helm_yaml::documents(&String::from_utf8_lossy(content)).unwrap_or_default();
        for repeated in lock::repeated(&objects) {
            let hint = "keep one of each: a cluster refuses the whole object";
            report.add(path.as_str(), "RepeatedKey", repeated.to_string(), hint);
        }
        kinds(path, &objects, report);
        fields(path, &objects, judged, report);
    }
    // Lists are merged by guess in patches, so keys that repeat are looked for in what is written alone.
    for (path, object) in &applied.objects {
        kinds(path, from_ref(object), report);
        fields(path, from_ref(object), judged, report);
    }
}

fn fields(path: &str, objects: &[Value], judged: bool, report: &mut Report<'_>) {
    let unknown = if judged { unknown_fields::unknown_in(objects) } else { Vec::new() };
    for unknown in unknown {
        let message = format!("{unknown} is no field that Kubernetes knows");
        let hint = "check its spelling and indentation: a cluster refuses the whole object";
        report.add(path, "UnknownField", message, hint);
    }
}

/// What is installed by way of what it is called.
fn kinds(path: &str, objects: &[Value], report: &mut Report<'_>) {
    for object in kubernetes_list::hidden(objects) {
        let message = format!("{object} has a list `items`: a cluster gets what is in it, and nothing else");
        report.add(path, "HiddenList", message, kubernetes_list::HINT);
    }
    for object in flux_objects::of(objects) {
        let message = format!("{object} is Flux's own kind: Flux would install what nobody signed");
        report.add(path, "FluxObject", message, flux_objects::HINT);
    }
}

/// With a kustomization at the top that builds the overlay, if one is named.
///
/// # Errors
/// `TwoKustomizations`.
pub(super) fn with_root(of: &ManifestsSource, mut files: Source) -> Result<Source, Trouble> {
    if let Some(overlay) = &of.overlay {
        let message = format!("the folder has a kustomization of its own beside the overlay `{overlay}`");
        let both = || Trouble::new("overlay", "TwoKustomizations", message, "take one of the two out");
        files.push(kustomize::root(&files, overlay).ok_or_else(both)?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(list: &[(&str, &str)]) -> Vec<&'static str> {
        let files = list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let mut findings = Vec::new();
        check(&files, None, &mut Report { file: "a".to_owned(), findings: &mut findings });
        let mut codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    #[test]
    fn what_lies_under_items_is_judged_whatever_it_lies_in() {
        let of = |kind: &str, inner: &str| {
            let list = format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\nitems:\n- {inner}\n");
            codes(&[("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", &list)])
        };
        let release = "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: b}}";
        let slip = "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, dat: {}}";
        let good = "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {}}";
        assert_eq!(of("List", good), [""; 0]);
        assert_eq!(of("List", release), ["FluxObject"]);
        assert_eq!(of("ConfigMap", release), ["FluxObject", "HiddenList"]);
        assert_eq!(of("ConfigMap", slip), ["HiddenList", "UnknownField"]);
        assert_eq!(of("ConfigMap", good), ["HiddenList"]);
    }

    #[test]
    fn what_patches_make_of_a_manifest_is_judged() {
        let map =
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {g: helm.toolkit.fluxcd.io/v2}\n";
        let of = |operations: &str| {
            let target = "target: {kind: ConfigMap}, options: {allowKindChange: true}";
            let top = format!("resources: [a.yaml]\npatches: [{{patch: '[{operations}]', {target}}}]\n");
            codes(&[("kustomization.yaml", &top), ("a.yaml", map)])
        };
        assert_eq!(of("{op: add, path: /data/b, value: c}"), [""; 0]);
        let api = "{op: replace, path: /apiVersion, value: helm.toolkit.fluxcd.io/v2}";
        let kind = "{op: replace, path: /kind, value: HelmRelease}";
        assert_eq!(of(&format!("{api}, {kind}")), ["FluxObject", "KindByPatch"]);
        assert_eq!(of("{op: copy, from: /data/g, path: /apiVersion}"), ["FluxObject", "KindByPatch"]);
        assert_eq!(of("{op: add, path: /dat, value: {}}"), ["UnknownField"]);
        let list = "{op: add, path: /items, value: [{kind: Pod}]}";
        assert_eq!(of(list), ["HiddenList", "KindByPatch"]);
    }
}
