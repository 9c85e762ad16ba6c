//! What `release lock` refuses to write down: a cluster, or Helm, would refuse it in every data plane.

use crate::locks::{Charts, chart, pod};

#[test]
fn a_chart_that_helm_or_a_cluster_would_refuse_is_refused_with_the_reason() {
    let charts = Charts::start();
    charts.image("acme/app", "1");
    let good = pod("acme/app:1", "");
    let label = good.replace("{name: app}", "{name: app, labels: {chart: \"{{ .Chart.Version }}\"}}");
    let repeated = good.replace("args: []", "env: [{name: A}, {name: A}]");
    let slip = good.replace("args: []", "argz: []");
    let in_list = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, date: {}}]\n";
    let flux = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: mine}\nspec: {url: 'oci://h.example/x'}\n";
    let endless = "{{- define \"again\" }}{{ include \"again\" . }}{{ end }}{{ include \"again\" . }}\n";
    let long = "a: {{ range $n := until 3000 }}{{ repeat 12000 \"x\" }}{{ end }}\n";
    for (name, template, code, words) in [
        ("label", label.as_str(), "LabelRefused", "Pod/app: chart: 1.2.3+"),
        (
            "repeated",
            repeated.as_str(),
            "RepeatedKey",
            "Pod/app: spec.containers[app].env has name=A 2 times",
        ),
        ("slip", slip.as_str(), "UnknownField", "Pod/app: spec.containers.0.argz"),
        ("in-list", in_list, "UnknownField", "ConfigMap/a: date"),
        ("flux", flux, "FluxObject", "OCIRepository/mine"),
        ("endless", endless, "ChartRefused", "again"),
        ("required", "{{ required \"name it\" .Values.name }}\n", "ChartRefused", "name it"),
        ("broken", "{{ if }}\n", "ChartRefused", "templates/app.yaml"),
        ("long", long, "ChartTooLarge", "bytes"),
        ("bad-image", &pod("Not/An Image", ""), "BadImage", "Pod/app"),
    ] {
        charts.release(&[chart(&charts.world, name, "{}\n", template)], "");
        let refused = charts.lock(&[]);
        let said = refused.stderr.contains(&format!("error[{code}]: component `{name}`"))
            && refused.stderr.contains(words);
        assert!(said && refused.code == Some(2), "{name}: {}", refused.stderr);
        assert!(!charts.folder.join("release.lock").exists());
    }
    // Who asks the cluster gets no answer, as in a data plane's first installation; no other chart can be loaded.
    let lookup = format!("{{{{ if not (lookup \"v1\" \"Secret\" \"a\" \"b\") }}}}\n{good}{{{{ end }}}}\n");
    charts.release(&[chart(&charts.world, "lookup", "{}\n", &lookup)], "");
    assert_eq!(charts.lock(&[]).code, Some(0));
}

#[test]
fn two_charts_that_render_one_definition_have_to_render_the_same() {
    let charts = Charts::start();
    let definition = |version: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: gates.example.com}}\n\
             spec: {{group: example.com, scope: Namespaced, names: {{kind: Gate, plural: gates}}, versions: [{{name: {version}, \
             served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}]}}\n"
        )
    };
    let one = chart(&charts.world, "one", "{}\n", &definition("v1"));
    for (name, version, code) in [("two", "v1", 0), ("three", "v2", 2)] {
        let other = chart(&charts.world, name, "{}\n", &definition(version));
        charts.release(&[one.clone(), other], "");
        let locked = charts.lock(&[]);
        let told = locked.stderr.contains("error[DefinitionTwice]");
        assert!(locked.code == Some(code) && told == (code != 0), "{name}: {}", locked.stderr);
    }
}
