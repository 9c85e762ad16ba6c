//! Plain manifests: a kustomization that names only what lies beside it.

use pdp_policies::helm_yaml;
use pdp_policies::yaml::Problem;
use serde::Deserialize;
use serde_json::Value;

use super::{Report, unreadable};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Kustomization {
    resources: Vec<String>,
    bases: Vec<String>,
    components: Vec<String>,
    crds: Vec<String>,
}

pub(super) fn check(files: &[(String, Vec<u8>)], report: &mut Report<'_>) {
    let named = |path: &str| path.rsplit('/').next() == Some("kustomization.yaml");
    let kustomizations: Vec<_> = files.iter().filter(|(path, _)| named(path)).collect();
    if !files.iter().any(|(path, _)| path == "kustomization.yaml") {
        report.add(
            "kustomization.yaml",
            "NoKustomization",
            "there is no kustomization.yaml",
            "list the manifests in one",
        );
    }
    for (path, bytes) in kustomizations {
        match read(bytes) {
            Ok(found) => resources(path, &found, files, report),
            Err(problem) => unreadable::report(path, problem, report),
        }
    }
}

fn read(bytes: &[u8]) -> Result<Kustomization, Problem> {
    let mut kustomization = helm_yaml::values(unreadable::text(bytes)?)?;
    kustomization.retain(|_, value| !value.is_null());
    let wrong = |error: serde_json::Error| Problem { place: "file".into(), message: error.to_string() };
    serde_json::from_value(Value::Object(kustomization)).map_err(wrong)
}

fn resources(path: &str, found: &Kustomization, files: &[(String, Vec<u8>)], report: &mut Report<'_>) {
    let folder = path.strip_suffix("kustomization.yaml").unwrap_or_default();
    let all = found.resources.iter().chain(&found.bases).chain(&found.components).chain(&found.crds);
    for resource in all {
        let local = format!("{folder}{}", resource.trim_start_matches("./"));
        if !pdp_policies::is_safe(&local) || resource.contains("://") || resource.contains("?ref=") {
            let message = format!("`{resource}` would be fetched from elsewhere");
            report.add(path, "RemoteBase", message, "copy it into the folder");
        } else if !files.iter().any(|(file, _)| *file == local || file.starts_with(&format!("{local}/"))) {
            report.add(
                path,
                "MissingResource",
                format!("`{resource}` isn't there"),
                "add it, or take the entry out",
            );
        }
    }
}
