//! What `release lint` says of a level beside older ones of its line, and of what its components bring.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::publisher;

/// A line's folder.
struct Line(TempDir);

const CHART: &str = "chart: {name: a, path: ../charts/a-1}";

fn manifests(folder: &str) -> String {
    format!("manifests: {{path: ../manifests/{folder}}}")
}

impl Line {
    fn new() -> Self {
        let line = Self(tempfile::tempdir().unwrap());
        line.write("charts/a-1/Chart.yaml", "{apiVersion: v2, name: a, version: 1.0.0}\n");
        line
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A folder of manifests with one file.
    fn manifests(&self, folder: &str, text: &str) {
        self.write(&format!("manifests/{folder}/all.yaml"), text);
        self.write(&format!("manifests/{folder}/kustomization.yaml"), "resources: [all.yaml]\n");
    }

    /// A level's release.yaml; components are their names and where their files come from.
    fn level(&self, level: u32, more: &str, components: &[(&str, &str)]) {
        let mut text = format!(
            "apiVersion: updates.pdp.wso2.com/v1\nline: pdp\nlevel: {level}\nversion: '1'\nkind: update\n\
             repository: registry.example.com/pdp\n{more}\ncomponents:\n"
        );
        for (name, source) in components {
            writeln!(
                text,
                "  - {{name: {name}, version: 1.0.0, stage: 1, {source}, releaseName: {name}, namespace: {name}, \
                 onFailure: rollback, timeout: 5m, settle: 10s}}"
            )
            .unwrap();
        }
        self.write(&format!("{level}/release.yaml"), &text);
    }

    /// `code place` of every finding.
    fn lint(&self, level: u32, more: &[&str]) -> Vec<String> {
        let file = self.0.path().join(format!("{level}/release.yaml"));
        let mut args = vec!["release", "lint", file.to_str().unwrap(), "-o", "json"];
        args.extend(more);
        let (_, stdout, stderr) = publisher(&args);
        let findings: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
        let word = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
        let all = findings.as_array().unwrap().iter();
        all.map(|finding| format!("{} {}", word(finding, "code"), word(finding, "place"))).collect()
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

#[test]
fn a_level_beside_an_older_one_of_its_line_names_its_base() {
    let line = Line::new();
    line.level(8, "", &[("a", CHART), ("b", &manifests("b"))]);
    line.manifests("b", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n");
    line.level(9, "", &[("a", CHART)]);
    line.level(10, "base: 8\nremoved: [b]", &[("a", CHART)]);
    line.write("7/release.yaml", "line: {\n");
    line.write("6.old/release.yaml", "line: pdp\n");
    line.write("other/5/release.yaml", "");
    for (level, wanted) in [(8, &[][..]), (9, &["BaseForgotten base"]), (10, &[])] {
        assert_eq!(line.lint(level, &[]), wanted, "{level}");
    }
    std::fs::rename(line.0.path().join("8"), line.0.path().join("elsewhere")).unwrap();
    assert_eq!(line.lint(9, &[]), [""; 0]);
    let given = path(line.0.path(), "elsewhere/release.yaml");
    assert_eq!(line.lint(9, &["--base-release", &given]), ["BaseForgotten base"]);
    assert_eq!(line.lint(10, &["--base-release", &given]), [""; 0]);
    assert_eq!(line.lint(10, &[]), ["BaseMissing base"]);
}

#[test]
fn a_base_of_another_line_is_none() {
    let line = Line::new();
    line.level(8, "", &[("a", CHART)]);
    line.level(9, "base: 8", &[("a", CHART)]);
    let file = line.0.path().join("8/release.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("line: pdp\n", "line: other\n")).unwrap();
    assert_eq!(line.lint(9, &[]), ["BaseMissing base"]);
}

/// A definition with versions `name`, whether it is served, whether it is stored.
fn definition(name: &str, versions: &[(&str, bool, bool)]) -> String {
    let version = |(name, served, storage): &(&str, bool, bool)| {
        format!(
            "{{name: {name}, served: {served}, storage: {storage}, schema: {{openAPIV3Schema: {{type: object}}}}}}"
        )
    };
    let versions: Vec<_> = versions.iter().map(version).collect();
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}.example.com}}\n\
         spec: {{group: example.com, scope: Namespaced, names: {{kind: {name}, plural: {name}}}, versions: [{}]}}\n",
        versions.join(", ")
    )
}

const SPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n";
const EMPTY: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n";

#[test]
fn what_a_data_plane_would_lose_is_told_unless_it_is_meant() {
    let (beta, one) = (("v1beta1", true, false), ("v1", true, true));
    let old = || definition("gates", &[beta, one]);
    let unserved = definition("gates", &[("v1beta1", false, false), one]);
    let cluster = old().replace("Namespaced", "Cluster");
    let gone = ["DefinitionDropped components.b"];
    let broken = ["DefinitionBroken all.yaml"];
    for (before, now, drops, wanted) in [
        (old(), old(), "", &[][..]),
        (definition("gates", &[one]), old(), "", &[]),
        (old(), EMPTY.to_owned(), "", &gone),
        (old(), EMPTY.to_owned(), "CustomResourceDefinition/gates.example.com", &[]),
        (
            old(),
            EMPTY.to_owned(),
            "CustomResourceDefinition/gate.example.com",
            &["DefinitionDropped components.b", "NothingDropped drops"],
        ),
        (old(), definition("gates", &[one]), "", &broken),
        (old(), definition("gates", &[one]), "CustomResourceDefinition/gates.example.com/v1beta1", &[]),
        (
            old(),
            definition("gates", &[one]),
            "CustomResourceDefinition/gates.example.com",
            &["DefinitionBroken all.yaml", "NothingDropped drops"],
        ),
        (old(), definition("gates", &[("v1beta1", true, true)]), "", &broken),
        (old(), unserved, "", &broken),
        (old(), cluster, "", &broken),
        (SPACE.to_owned(), SPACE.to_owned(), "", &[]),
        (SPACE.to_owned(), EMPTY.to_owned(), "", &gone),
        (SPACE.to_owned(), EMPTY.to_owned(), "Namespace/team", &[]),
    ] {
        let line = Line::new();
        line.manifests("b-1", &before);
        line.manifests("b-2", &now);
        line.level(1, "", &[("b", &manifests("b-1"))]);
        line.level(2, &format!("base: 1\ndrops: [{drops}]"), &[("b", &manifests("b-2"))]);
        assert_eq!(line.lint(2, &[]), wanted, "{before}{now}{drops}");
    }
}

#[test]
fn a_definition_may_move_to_another_component_and_goes_with_one_that_is_removed() {
    let line = Line::new();
    line.manifests("b", EMPTY);
    line.write("charts/c-1/Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}\n");
    line.write("charts/c-1/crds/gates.yaml", &definition("gates", &[("v1", true, true)]));
    let chart = "chart: {name: c, path: ../charts/c-1}";
    line.level(1, "", &[("c", chart), ("b", &manifests("b"))]);
    line.level(2, "base: 1\nremoved: [c]", &[("b", &manifests("b"))]);
    assert_eq!(line.lint(2, &[]), [""; 0]);
    line.level(2, "base: 1", &[("c", CHART), ("b", &manifests("b"))]);
    line.write("charts/a-1/Chart.yaml", "{apiVersion: v2, name: a, version: 1.0.0}\n");
    let found = line.lint(2, &[]);
    assert_eq!(found, ["DefinitionDropped components.c"]);
    line.manifests("b", &definition("gates", &[("v1", true, true)]));
    assert_eq!(line.lint(2, &[]), [""; 0]);
    std::fs::remove_dir_all(line.0.path().join("charts/c-1")).unwrap();
    assert_eq!(line.lint(2, &[]), ["BaseUnreadable components.c"]);
}

#[test]
fn two_components_bring_one_definition_only_if_it_is_the_same() {
    let line = Line::new();
    let same = definition("gates", &[("v1", true, true)]);
    line.write("charts/a-1/crds/gates.yaml", &same);
    line.manifests("b", &same);
    line.level(1, "", &[("a", CHART), ("b", &manifests("b"))]);
    assert_eq!(line.lint(1, &[]), [""; 0]);
    line.manifests("b", &definition("gates", &[("v1", true, true), ("v2", true, false)]));
    assert_eq!(line.lint(1, &[]), ["DefinitionTwice all.yaml"]);
    line.write("charts/a-1/charts/sub/Chart.yaml", "{apiVersion: v2, name: sub, version: 1.0.0}\n");
    std::fs::rename(line.0.path().join("charts/a-1/crds"), line.0.path().join("charts/a-1/charts/sub/crds"))
        .unwrap();
    assert_eq!(line.lint(1, &[]), [""; 0], "a subchart may be switched off");
}

#[test]
fn manifests_with_two_elements_of_one_key_or_with_unknown_fields_are_refused() {
    let line = Line::new();
    let env = |names: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: b}}\nspec: {{containers: [{{name: b, env: [{names}]}}]}}\n"
        )
    };
    line.level(1, "", &[("b", &manifests("b"))]);
    for (names, wanted) in [
        ("{name: A}, {name: B}", &[][..]),
        ("{name: A}, {name: A, value: '1'}", &["RepeatedKey all.yaml"]),
        ("{name: A, valeu: '1'}", &["UnknownField all.yaml"]),
    ] {
        line.manifests("b", &env(names));
        assert_eq!(line.lint(1, &[]), wanted, "{names}");
    }
    let listed = env("{name: A, valeu: '1'}").replace('\n', "\n    ");
    line.manifests("b", &format!("apiVersion: v1\nkind: List\nitems:\n  - {listed}\n"));
    assert_eq!(line.lint(1, &[]), ["UnknownField all.yaml"], "in a list");
    line.level(1, "requires: {kubernetes: '>=1.34'}", &[("b", &manifests("b"))]);
    assert_eq!(line.lint(1, &[]), [""; 0], "a later Kubernetes may know the field");
}

#[test]
fn manifests_that_tell_flux_what_to_install_are_refused_and_flux_itself_is_not() {
    let line = Line::new();
    line.level(1, "", &[("b", &manifests("b"))]);
    for (object, wanted) in [
        (
            "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: a}}",
            &["FluxObject all.yaml"][..],
        ),
        (
            "{apiVersion: v1, kind: List, items: [{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: a}}]}",
            &["FluxObject all.yaml"],
        ),
        (
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: helm-controller, namespace: flux-system}}",
            &[],
        ),
    ] {
        line.manifests("b", object);
        assert_eq!(line.lint(1, &[]), wanted, "{object}");
    }
}

#[test]
fn a_null_that_takes_nothing_away_is_told() {
    let line = Line::new();
    line.write("charts/a-1/values.yaml", "replicas: 1\nprobe: {path: /, port: 80}\n");
    let valued = format!("{CHART}, values: values.yaml, platformValues: {{aws: aws.yaml}}");
    line.level(1, "", &[("a", &valued)]);
    for (all, aws, wanted) in [
        ("replicas: null\nprobe: {port: null}\n", "probe: null\n", &[][..]),
        ("probes: null\n", "{}\n", &["NullStays components.a.values"]),
        ("probes: null\n", "replica:\n", &["NullStays components.a.values", "NullStays components.a.values"]),
        ("mine: 1\n", "mine: null\n", &["NullStays components.a.values"]),
    ] {
        line.write("1/values.yaml", all);
        line.write("1/aws.yaml", aws);
        assert_eq!(line.lint(1, &[]), wanted, "{all}{aws}");
    }
}

#[test]
fn fields_of_manifests_that_no_cluster_changes_are_refused() {
    let line = Line::new();
    let set = |service: &str, more: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: s{more}}}\n\
             spec: {{serviceName: {service}, selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}}}}}\n"
        )
    };
    let force = ", annotations: {kustomize.toolkit.fluxcd.io/force: enabled}";
    line.manifests("old", &set("a", ""));
    line.level(1, "", &[("b", &manifests("old"))]);
    line.level(2, "base: 1", &[("b", &manifests("new"))]);
    for (object, wanted) in
        [(set("a", ""), &[][..]), (set("b", ""), &["FixedField kustomization.yaml"]), (set("b", force), &[])]
    {
        line.manifests("new", &object);
        assert_eq!(line.lint(2, &[]), wanted, "{object}");
    }
    // A patch changes it as well.
    line.manifests("new", &set("a", ""));
    line.write("manifests/new/p.yaml", &set("b", ""));
    line.write("manifests/new/kustomization.yaml", "resources: [all.yaml]\npatches: [{path: p.yaml}]\n");
    assert_eq!(line.lint(2, &[]), ["FixedField kustomization.yaml"]);
}

#[test]
fn a_definition_that_another_component_brings_now_is_compared_with_what_it_was() {
    let line = Line::new();
    let definition = |version: &str| {
        format!(
            "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: apiextensions.k8s.io/v1\n    kind: CustomResourceDefinition\n    \
             metadata: {{name: gates.example.com}}\n    spec: {{group: example.com, scope: Namespaced, names: {{kind: Gate, plural: gates}}, \
             versions: [{{name: {version}, served: true, storage: true}}]}}\n"
        )
    };
    line.manifests("old", &definition("v1"));
    line.level(1, "", &[("one", &manifests("old"))]);
    line.level(2, "base: 1\nremoved: [one]", &[("two", &manifests("new"))]);
    for (version, wanted) in [("v1", &[][..]), ("v2", &["DefinitionBroken all.yaml"])] {
        line.manifests("new", &definition(version));
        assert_eq!(line.lint(2, &[]), wanted, "{version}");
    }
    // Often its files are gone with it.
    std::fs::remove_dir_all(line.0.path().join("manifests/old")).unwrap();
    assert_eq!(line.lint(2, &[]), [""; 0]);
}
