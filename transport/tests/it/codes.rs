//! Every code that a program uses has words, and every word a code; the document is the one that is printed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pdp_transport::cli::codes;

/// Literals that look like codes and are none: kinds of objects and what stands in their fields, plugins of kustomize, standards.
const OTHERS: &[&str] = &[
    "AnnotationsTransformer",
    "Bucket",
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "ConfigMapGenerator",
    "CronJob",
    "CustomResourceDefinition",
    "CycloneDX",
    "DaemonSet",
    "Delete",
    "Deployment",
    "ExternalName",
    "Filesystem",
    "Gi",
    "GitRepository",
    "HashTransformer",
    "HelmChart",
    "HelmRelease",
    "HelmRepository",
    "HorizontalPodAutoscaler",
    "ImageTagTransformer",
    "Immediate",
    "Indexed",
    "Ingress",
    "IngressClass",
    "Job",
    "Ki",
    "Kustomization",
    "LabelTransformer",
    "LimitRange",
    "List",
    "Mi",
    "MutatingWebhookConfiguration",
    "Namespace",
    "NamespaceTransformer",
    "NetworkPolicy",
    "NonIndexed",
    "OCIRepository",
    "OnDelete",
    "Opaque",
    "OpenVEX",
    "OrderedReady",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pi",
    "Pod",
    "PodDisruptionBudget",
    "PodTemplate",
    "PreemptLowerPriority",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "PriorityClass",
    "ReplicaCountTransformer",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "SecretGenerator",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "StorageClass",
    "String",
    "SuffixTransformer",
    "Ti",
    "ValidatingWebhookConfiguration",
    "ValueAddTransformer",
];

/// All sources under a folder.
pub(crate) fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, all),
            false if path.extension().is_some_and(|end| end == "rs") => all.push(path),
            false => {}
        }
    }
}

/// The text of all sources of a crate, without tests.
fn text(crate_: &str) -> String {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_).join("src"), &mut files);
    // The tables themselves use no code.
    files.retain(|path| !path.ends_with("tests.rs") && !path.to_string_lossy().contains("/cli/codes/"));
    let whole = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
    whole.map(|text| without_tests(&text).to_owned()).collect()
}

/// Up to the module of tests at its end; a line that names a file of tests ends nothing.
fn without_tests(text: &str) -> &str {
    let begin = "#[cfg(test)]\nmod ";
    let inline = |(at, _): &(usize, &str)| {
        text[at + begin.len()..].lines().next().is_some_and(|name| name.ends_with('{'))
    };
    text.match_indices(begin).find(inline).map_or(text, |(at, _)| &text[..at])
}

/// String literals that are written like codes.
fn literals(text: &str) -> BTreeSet<&str> {
    let parts = text.split('"').filter(|part| {
        let mut letters = part.chars();
        let begins = letters.next().is_some_and(|c| c.is_ascii_uppercase());
        begins
            && part.len() > 1
            && part.chars().all(|c| c.is_ascii_alphanumeric())
            && part.contains(|c: char| c.is_ascii_lowercase())
    });
    parts.collect()
}

/// What is said to be a code where failures are made.
fn failures(text: &str) -> BTreeSet<&str> {
    let calls = ["Failure::new(", "failure(", "fail("].iter().flat_map(|call| text.split(call).skip(1));
    calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()).collect()
}

#[test]
fn every_code_in_sources_is_explained() {
    let known: BTreeSet<String> = codes::all().into_iter().map(|entry| entry.code).collect();
    let mut missing = Vec::new();
    for crate_ in ["publisher", "channel-server", "transport"] {
        let text = text(crate_);
        let used = literals(&text);
        let lacks = used.into_iter().filter(|code| !known.contains(*code) && !OTHERS.contains(code));
        missing.extend(lacks.map(|code| format!("{crate_}: {code}")));
    }
    // There, reasons of conditions and events look like codes, too.
    let text = text("pdp-sync");
    missing.extend(failures(&text).into_iter().filter(|code| !known.contains(*code)).map(str::to_owned));
    assert_eq!(missing, [""; 0], "give each its words in transport/src/cli/codes");
}

#[test]
fn every_explained_code_is_used() {
    let crates = ["policies", "publisher", "channel-server", "transport", "pdp-sync"];
    let text: String = crates.iter().map(|crate_| text(crate_)).collect();
    let used = literals(&text);
    let stale: Vec<_> =
        codes::all().into_iter().filter(|entry| !used.contains(entry.code.as_str())).collect();
    assert_eq!(stale, [], "no program uses these any more");
}

#[test]
fn the_scan_finds_codes() {
    let text = "Failure::new(\n    \"NewCode\", what) code: \"Another1\" \"not a code\" \"ALLCAPS\" \"A\"";
    assert_eq!(literals(text), BTreeSet::from(["NewCode", "Another1"]));
    assert_eq!(failures(text), BTreeSet::from(["NewCode"]));
    let file = "#[cfg(test)]\nmod tests;\n\nfn code() {}\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(without_tests(file), "#[cfg(test)]\nmod tests;\n\nfn code() {}\n");
}

#[test]
fn the_committed_document_is_the_one_that_is_printed() {
    assert_eq!(include_str!("../../../docs/codes.md"), codes::markdown(), "run `make reference`");
}
