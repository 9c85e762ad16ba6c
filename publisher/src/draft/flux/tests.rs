#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;

use super::super::{At, From};
use super::*;

fn of(files: &[(&str, &str)]) -> Draft {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    drafted(files.collect(), Vec::new())
}

const HELM: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: jetstack, namespace: flux-system}\n\
    spec: {url: https://charts.jetstack.io/}\n---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n\
    metadata: {name: ours, namespace: flux-system}\nspec: {type: oci, url: oci://h.example/charts}\n";

fn release(name: &str, more: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: apps}}\n\
         spec:\n  chart: {{spec: {{chart: {name}, version: 1.x, sourceRef: {{kind: HelmRepository, name: jetstack, namespace: flux-system}}}}}}\n{more}"
    )
}

#[test]
fn releases_of_all_sources_become_components() {
    let oci = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: podinfo, namespace: apps}\n\
        spec: {url: oci://h.example/charts/podinfo, ref: {semver: '>=6.0.0'}}\n---\n\
        apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: podinfo, namespace: apps}\n\
        spec: {chartRef: {kind: OCIRepository, name: podinfo}, releaseName: pod, targetNamespace: web, timeout: 2m30s, values: {a: 1}}\n";
    let in_git = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: own, namespace: apps}\n\
        spec: {chart: {spec: {chart: ./charts/own, sourceRef: {kind: GitRepository, name: repo}}}}\n---\n\
        apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: repo, namespace: apps}\nspec: {url: https://g.example/r}\n";
    let found = of(&[
        ("sources.yaml", HELM),
        ("manager.yaml", &release("cert-manager", "")),
        ("pod.yaml", oci),
        ("own.yaml", in_git),
        ("charts/own/Chart.yaml", "{apiVersion: v2, name: own, version: 0.1.0}"),
    ]);
    assert_eq!(found.left, []);
    let by_name = |name: &str| found.components.iter().find(|it| it.name.as_str() == name).unwrap();
    let manager = by_name("cert-manager");
    let at = At::Repository("https://charts.jetstack.io".into());
    assert_eq!(
        manager.origin,
        From::Chart { name: "cert-manager".into(), at, version: "1.x".into(), digest: None }
    );
    assert_eq!((manager.release_name.as_str(), manager.namespace.as_str()), ("cert-manager", "apps"));
    assert_eq!(manager.timeout, TIMEOUT);
    let pod = by_name("podinfo");
    let at = At::Registry("oci://h.example/charts/podinfo".into());
    assert_eq!(
        pod.origin,
        From::Chart { name: "podinfo".into(), at, version: ">=6.0.0".into(), digest: None }
    );
    assert_eq!((pod.release_name.as_str(), pod.namespace.as_str()), ("pod", "web"));
    assert_eq!((pod.timeout.seconds(), json!(pod.values)), (150, json!({ "a": 1 })));
    let From::Folder { version, .. } = &by_name("own").origin else { panic!("{found:?}") };
    assert_eq!(version, "0.1.0");
}

#[test]
fn names_are_those_that_flux_gives() {
    let long = "n".repeat(60);
    for (more, name) in [
        (String::new(), "a".to_owned()),
        ("  targetNamespace: web\n".to_owned(), "web-a".to_owned()),
        ("  targetNamespace: web\n  releaseName: b\n".to_owned(), "b".to_owned()),
        // As `printf nnn... | sha256sum` says.
        (
            format!("  releaseName: {long}\n"),
            format!("{}-{}", "n".repeat(40), &pdp_policies::Digest::of(long.as_bytes()).hex()[..12]),
        ),
    ] {
        let found = of(&[("s.yaml", HELM), ("a.yaml", &release("a", &more))]);
        assert_eq!(found.components[0].release_name.as_str(), name);
    }
}

#[test]
fn values_of_config_maps_lie_under_the_releases_own() {
    let maps = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base, namespace: apps}\ndata:\n  values.yaml: 'a: {x: 1, z: 1}'\n  more: 'b: 2'\n";
    let more = "  valuesFrom:\n    - {kind: ConfigMap, name: base}\n    - {kind: ConfigMap, name: base, valuesKey: more}\n\
        \x20   - {kind: Secret, name: token}\n    - {kind: ConfigMap, name: cluster}\n    - {kind: ConfigMap, name: base, targetPath: c.d}\n\
        \x20 values: {a: {z: 2}}\n";
    let found = of(&[("s.yaml", HELM), ("m.yaml", maps), ("a.yaml", &release("a", more))]);
    assert_eq!(json!(found.components[0].values), json!({ "a": { "x": 1, "z": 2 }, "b": 2 }));
    let fields: Vec<_> = found.left.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["spec.valuesFrom[2]", "spec.valuesFrom[3]", "spec.valuesFrom[4]"]);
}

#[test]
fn whoever_waits_comes_a_stage_later_and_a_circle_is_told() {
    let on = |names: &[&str]| {
        let all: Vec<_> = names.iter().map(|name| format!("{{name: {name}}}")).collect();
        format!("  dependsOn: [{}]\n", all.join(", "))
    };
    let found = of(&[
        ("s.yaml", HELM),
        ("c.yaml", &release("c", &on(&["b", "a"]))),
        ("b.yaml", &release("b", &on(&["a"]))),
        ("a.yaml", &release("a", &on(&["gone"]))),
    ]);
    let stages: Vec<_> = found.components.iter().map(|it| (it.name.to_string(), it.stage)).collect();
    assert_eq!(stages, [("a".to_owned(), 1), ("b".to_owned(), 2), ("c".to_owned(), 3)]);
    assert_eq!(found.left.len(), 1, "{:?}", found.left);
    let circle = of(&[
        ("s.yaml", HELM),
        ("a.yaml", &release("a", &on(&["b"]))),
        ("b.yaml", &release("b", &on(&["a"]))),
    ]);
    assert!(circle.left.iter().any(|it| it.why.contains("waits for itself")), "{:?}", circle.left);
    assert_eq!(circle.components.len(), 2);
}

#[test]
fn everything_that_has_no_place_in_a_release_is_told() {
    let more = "  suspend: true\n  postRenderers: [{kustomize: {patches: []}}]\n  kubeConfig: {secretRef: {name: x}}\n";
    let lost = release("lost", "").replace("jetstack", "nobody");
    let patched = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\npatches: [{path: p.yaml}]\n";
    let latest = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: l, namespace: apps}\nspec: {url: oci://h.example/l}\n---\n\
        apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: l, namespace: apps}\nspec: {chartRef: {kind: OCIRepository, name: l}}\n";
    let found = of(&[
        ("s.yaml", HELM),
        ("a.yaml", &release("a", more)),
        ("lost.yaml", &lost),
        ("kustomization.yaml", patched),
        ("bad.yaml", "a: ["),
        ("latest.yaml", latest),
    ]);
    let told: Vec<_> = found.left.iter().map(|it| format!("{} {}", it.object, it.field)).collect();
    assert_eq!(
        told,
        [
            "HelmRelease apps/a spec.kubeConfig",
            "HelmRelease apps/a spec.postRenderers",
            "HelmRelease apps/a spec.suspend",
            "HelmRelease apps/l spec.chartRef",
            "HelmRelease apps/lost spec.chart",
            "bad.yaml ",
            "kustomization.yaml patches",
        ]
    );
    assert_eq!(found.components.len(), 1);
}

#[test]
fn a_kustomization_is_a_component_if_it_applies_more_than_fluxs_own() {
    let flux = |name: &str, path: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
             spec: {{path: {path}, targetNamespace: web, sourceRef: {{kind: GitRepository, name: r}}, postBuild: {{substitute: {{a: b}}}}}}\n"
        )
    };
    let found = of(&[
        ("clusters/apps.yaml", &flux("apps", "./apps")),
        ("clusters/infra.yaml", &flux("infra", "./infra")),
        ("clusters/gone.yaml", &flux("gone", "./gone")),
        ("apps/s.yaml", HELM),
        ("apps/a.yaml", &release("a", "")),
        ("infra/map.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"),
        ("infra/sub/kustomization.yaml", "resources: [x.yaml]\n"),
        ("infra/sub/x.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b}\n"),
    ]);
    let names: Vec<_> = found.components.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a", "infra"]);
    let From::Manifests { files, .. } = &found.components[1].origin else { panic!("{found:?}") };
    let root = files.iter().find(|(path, _)| path == "kustomization.yaml").unwrap();
    let root: Value = serde_saphyr::from_slice(&root.1).unwrap();
    assert_eq!(root["resources"], json!(["map.yaml", "sub"]));
    let told: Vec<_> = found.left.iter().map(|it| format!("{} {}", it.object, it.field)).collect();
    assert_eq!(
        told,
        [
            "Kustomization flux-system/apps spec.postBuild",
            "Kustomization flux-system/apps spec.targetNamespace",
            "Kustomization flux-system/gone spec.path",
            "Kustomization flux-system/gone spec.postBuild",
            "Kustomization flux-system/gone spec.targetNamespace",
            "Kustomization flux-system/infra spec.postBuild",
            "Kustomization flux-system/infra spec.targetNamespace",
        ]
    );
}

#[test]
fn what_lies_in_another_repository_is_told_and_not_taken_from_this_one() {
    let of_other = |text: String| text.replace("GitRepository, name: r", "GitRepository, name: other");
    let chart = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: own, namespace: apps}\n\
        spec: {chart: {spec: {chart: ./charts/own, sourceRef: {kind: GitRepository, name: other, namespace: flux-system}}}}\n";
    let repositories: String = ["r", "other"]
        .map(|name| {
            format!(
                "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n\
                 metadata: {{name: {name}, namespace: flux-system}}\nspec: {{url: 'https://g.example/{name}'}}\n"
            )
        })
        .concat();
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n";
    let ours = flux("ours", "./apps", "");
    let with = |ours: &str, repositories: &str| {
        of(&[
            ("ours.yaml", ours),
            ("theirs.yaml", &of_other(flux("theirs", "./apps", ""))),
            ("own.yaml", chart),
            ("sources.yaml", repositories),
            ("apps/d.yaml", deployment),
            ("charts/own/Chart.yaml", "{apiVersion: v2, name: own, version: 0.1.0}"),
        ])
    };
    let lies = "Kustomization flux-system/theirs spec.sourceRef";
    let chart = ["HelmRelease apps/own spec.chart", "charts/own/Chart.yaml"];
    // What `flux bootstrap` made is this folder.
    let named =
        |name: &str| name.replace("name: r,", "name: flux-system,").replace("name: r}", "name: flux-system}");
    let found = with(&named(&ours), &named(&repositories));
    assert_eq!(told(&found), [chart[0], lies, chart[1]]);
    let names: Vec<_> = found.components.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["ours"]);
    let why = &found.left[1].why;
    assert!(why.contains("flux-system/other") && why.contains("flux-system/flux-system"), "{why}");
    // Of two others nobody knows.
    let found = with(&ours, &repositories);
    let both = [chart[0], "Kustomization flux-system/ours spec.sourceRef", lies, "apps/d.yaml", chart[1]];
    assert_eq!((told(&found), found.components.len()), (both.map(str::to_owned).to_vec(), 0));
    // One alone is it, by whatever name.
    let found = with(&ours, &repositories.replace("g.example/other", "g.example/r"));
    assert_eq!(told(&found), [""; 0]);
    assert_eq!(found.components.len(), 3);
}

#[test]
fn two_of_one_name_are_told_apart_by_their_namespaces() {
    let other = release("a", "").replace("namespace: apps", "namespace: web");
    let found = of(&[("s.yaml", HELM), ("a.yaml", &release("a", "")), ("b.yaml", &other)]);
    let names: Vec<_> = found.components.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["apps-a", "web-a"]);
}

fn told(draft: &Draft) -> Vec<String> {
    draft.left.iter().map(|it| format!("{} {}", it.object, it.field).trim_end().to_owned()).collect()
}

fn flux(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec:\n  path: {path}\n  prune: true\n  sourceRef: {{kind: GitRepository, name: r}}\n{more}"
    )
}

#[test]
fn what_lies_in_a_kustomization_waits_for_what_that_waits_for() {
    let on = |name: &str| format!("  dependsOn: [{{name: {name}}}]\n");
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n";
    let found = of(&[
        // The whole cluster lies in one, as after `flux bootstrap`.
        ("clusters/all.yaml", &flux("flux-system", "./clusters", "")),
        ("clusters/base.yaml", &flux("base", "base", &on("flux-system"))),
        ("clusters/infra.yaml", &flux("infra", "infra", &on("base"))),
        ("clusters/apps.yaml", &flux("apps", "./apps/", &on("infra"))),
        ("base/d.yaml", deployment),
        ("infra/s.yaml", HELM),
        ("infra/a.yaml", &release("a", "")),
        ("apps/b.yaml", &release("b", "")),
        ("apps/c.yaml", &release("c", "  dependsOn: [{name: b}]\n")),
    ]);
    let stages: Vec<_> = found.components.iter().map(|it| (it.name.as_str(), it.stage)).collect();
    assert_eq!(stages, [("base", 1), ("a", 2), ("b", 3), ("c", 4)]);
    assert_eq!(told(&found), [""; 0]);
}

#[test]
fn what_no_kustomization_applies_is_told_by_its_file() {
    let found = of(&[
        ("s.yaml", HELM),
        ("a.yaml", &release("a", "  valuesFrom: [{kind: ConfigMap, name: used}]\n")),
        ("free.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"),
        ("job.json", "{\"apiVersion\": \"batch/v1\", \"kind\": \"Job\", \"metadata\": {\"name\": \"j\"}}"),
        (
            "used.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: used, namespace: apps}\ndata: {values.yaml: 'a: 1'}\n",
        ),
        ("map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: apps}\n"),
        (
            "spaces.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: bare}\n",
        ),
        (
            "alert.yaml",
            "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata: {name: x, namespace: apps}\n",
        ),
        ("charts/idle/Chart.yaml", "{apiVersion: v2, name: idle, version: 0.1.0}"),
        ("charts/idle/templates/x.yaml", "a: {{ .b }}\n"),
        ("apps/k.yaml", &flux("k", "./more", "")),
        ("more/kustomization.yaml", "resources: [in.yaml]\n"),
        ("more/in.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: in}\n"),
        ("more/out.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: out}\n"),
    ]);
    assert_eq!(
        told(&found),
        [
            "Alert apps/x",
            "charts/idle/Chart.yaml",
            "free.yaml",
            "job.json",
            "map.yaml",
            "more/out.yaml",
            "spaces.yaml"
        ]
    );
    assert_eq!(found.components.len(), 2);
    let spaces = found.left.iter().find(|it| it.object == "spaces.yaml").unwrap();
    assert!(spaces.why.starts_with("Namespace bare: "), "{spaces:?}");
}

#[test]
fn fields_of_releases_charts_and_sources_that_have_no_place_are_told() {
    let more = "  install: {crds: Skip}\n  maxHistory: 3\n  newField: {a: b}\n";
    let release = release("a", more)
        .replace("version: 1.x,", "version: 1.x, valuesFiles: [prod.yaml], reconcileStrategy: Revision,");
    let source = HELM.replace("charts.jetstack.io/}", "charts.jetstack.io/, secretRef: {name: login}}");
    let found = of(&[("s.yaml", &source), ("a.yaml", &release)]);
    assert_eq!(
        told(&found),
        [
            "HelmRelease apps/a spec.chart.spec.valuesFiles",
            "HelmRelease apps/a spec.install",
            "HelmRelease apps/a spec.maxHistory",
            "HelmRelease apps/a spec.newField",
            "HelmRepository flux-system/jetstack spec.secretRef",
        ]
    );
}

#[test]
fn fluxs_own_objects_among_manifests_are_told() {
    let found = of(&[
        ("k.yaml", &flux("k", "all", "")),
        ("all/s.yaml", HELM),
        ("all/a.yaml", &release("a", "")),
        ("all/d.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"),
    ]);
    let k = "Kustomization flux-system/k spec.path";
    assert_eq!(told(&found), [k; 3]);
}

#[test]
fn of_two_that_differ_the_whole_one_counts_and_both_are_told() {
    let patch = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a, namespace: apps}\nspec: {values: {b: 1}}\n";
    let found = of(&[("a-patch.yaml", patch), ("base.yaml", &release("a", "")), ("s.yaml", HELM)]);
    assert_eq!(told(&found), ["HelmRelease apps/a"]);
    assert!(
        found.left[0].why.contains("a-patch.yaml") && found.left[0].why.contains("base.yaml counts"),
        "{found:?}"
    );
    assert!(found.components[0].values.is_empty());
}

#[test]
fn what_cannot_be_read_is_told() {
    let files = vec![("binary.yaml".to_owned(), vec![0xff, 0xfe])];
    let found = drafted(files, vec![("link".to_owned(), "UnsafePath: a\u{1b}link".to_owned())]);
    assert_eq!(told(&found), ["binary.yaml", "link"]);
    assert_eq!(found.left[1].why, "UnsafePath: a\\u{1b}link");
}
