#![allow(clippy::unwrap_used)]
use super::{Built, applied, build, objects, written_and_applied};
use crate::lint::Source;

fn files(list: &[(&str, &str)]) -> Source {
    list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn pod(image: &str) -> String {
    format!("kind: Pod\nspec: {{containers: [{{image: \"{image}\"}}]}}\n")
}

fn texts(built: &Built) -> String {
    built.documents.iter().map(|(_, text)| String::from_utf8_lossy(text).into_owned()).collect()
}

#[test]
fn images_end_with_the_names_that_overlay_component_and_base_give_them() {
    let built = build(&files(&[
        ("kustomization.yaml", "resources: [overlays/prod]\n"),
        (
            "overlays/prod/kustomization.yaml",
            "resources: [../../base]\ncomponents: [../../debug]\nimages: [{name: b/app, newName: c/app}]\n\
             patches: [{path: patch.yaml}, {patch: '[{op: add, path: /spec/initContainers/0/image, value: b/app:2}]'}]\n",
        ),
        ("overlays/prod/patch.yaml", &pod("b/app:3")),
        ("overlays/dev/kustomization.yaml", "resources: [gone.yaml]\n"),
        (
            "base/kustomization.yaml",
            "resources: [pod.yaml]\nimages: [{name: app, newName: b/app, newTag: '1'}]\n",
        ),
        ("base/pod.yaml", &pod("app:1")),
        (
            "debug/kustomization.yaml",
            "kind: Component\nresources: [p.yaml]\nimages: [{name: tool, newName: d/tool}]\n",
        ),
        ("debug/p.yaml", &pod("tool")),
    ]));
    assert_eq!(built.troubles, [], "what isn't built is looked at by nobody");
    let found = texts(&built);
    for image in ["c/app:1", "c/app:2", "c/app:3", "d/tool"] {
        assert!(found.contains(image), "{image} in {found}");
    }
    assert!(!found.contains("b/app") && !found.contains("image: app"), "{found}");
}

#[test]
fn a_base_in_two_overlays_is_seen_under_both_names() {
    let built = build(&files(&[
        ("kustomization.yaml", "resources: [x, y]\n"),
        ("x/kustomization.yaml", "resources: [../base]\nimages: [{name: app, newName: x/app}]\n"),
        ("y/kustomization.yaml", "resources: [../base]\n"),
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", &pod("app:1")),
    ]));
    let found = texts(&built);
    assert!(found.contains("x/app:1") && found.contains("image: app:1"), "{found}");
}

#[test]
fn what_kustomize_or_flux_refuses_is_refused() {
    let replacement = "- targets: [{fieldPaths: ['spec.containers.0.image']}]";
    let renaming = "kind: ImageTagTransformer\nimageTag: {name: app, newName: t/app}\n";
    for (list, codes) in [
        (&[][..], &["NoKustomization"][..]),
        (&[("Kustomization", "")], &[]),
        (&[("kustomization.yml", ""), ("kustomization.yaml", "")], &["TwoKustomizations"]),
        (&[("kustomization.yaml", "resources: [../base]")], &["RemoteBase"]),
        (&[("kustomization.yaml", "resources: ['https://example.com/x?ref=1']")], &["RemoteBase"]),
        (&[("kustomization.yaml", "resources: [base]"), ("base/x.yaml", "")], &["NoKustomization"]),
        (
            &[("kustomization.yaml", "resources: [a]"), ("a/kustomization.yaml", "bases: [..]")],
            &["CyclicBase"],
        ),
        (&[("kustomization.yaml", "patches: [{path: p.yaml}]")], &["MissingResource"]),
        (
            &[("kustomization.yaml", "configMapGenerator: [{name: c, files: [k=f, g]}]"), ("f", "")],
            &["MissingResource"],
        ),
        (&[("kustomization.yaml", "helmCharts: [{name: c}]")], &["ChartInKustomization"]),
        (&[("kustomization.yaml", "resources: [x.yaml]"), ("x.yaml", "a: b: c")], &["BadYaml"]),
        (&[("kustomization.yaml", "resources: {a: b}")], &["BadYaml"]),
        (&[("kustomization.yaml", "transformers: [t.yaml]"), ("t.yaml", renaming)], &[]),
        (
            &[("kustomization.yaml", "transformers: [t.yaml]"), ("t.yaml", "kind: PatchTransformer")],
            &["UnknownPlugin"],
        ),
        (
            &[("kustomization.yaml", "replacements: [{path: r.yaml}]"), ("r.yaml", replacement)],
            &["ImageByReplacement"],
        ),
    ] {
        let found: Vec<_> = build(&files(list)).troubles.iter().map(|trouble| trouble.code).collect();
        assert_eq!(found, codes, "{list:?}");
    }
}

#[test]
fn bases_that_double_are_counted() {
    let mut list = vec![("kustomization.yaml".to_owned(), "resources: [a0]\n".to_owned())];
    for number in 0..30 {
        let next = number + 1;
        list.push((
            format!("a{number}/kustomization.yaml"),
            format!("resources: [../a{next}, ../b{next}]\n"),
        ));
        list.push((
            format!("b{number}/kustomization.yaml"),
            format!("resources: [../a{next}, ../b{next}]\n"),
        ));
    }
    let list: Source = list.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    assert!(build(&list).troubles.iter().any(|trouble| trouble.code == "TooLarge"));
}

#[test]
fn objects_are_what_patches_make_of_them_and_what_is_not_followed_is_told() {
    let of = |overlay: &str, map: &str| {
        objects(&files(&[
            ("kustomization.yaml", overlay),
            ("base/kustomization.yaml", "resources: [map.yaml]\n"),
            ("base/map.yaml", map),
            ("patch.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '2'}\n"),
            ("settings.txt", "text"),
        ]))
    };
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1', z: '1'}\n";
    let patched = of("resources: [base]\npatches: [{path: patch.yaml}]\n", map);
    assert_eq!(patched.len(), 1, "{patched:?}");
    assert_eq!(patched[0]["data"], serde_json::json!({ "x": "2", "z": "1" }));
    let other = of("resources: [base]\npatches: [{path: patch.yaml}]\n", &map.replace("z: '1'", "z: '3'"));
    assert_ne!(patched, other, "what a patch leaves as it is still counts");
    let more = of(
        "resources: [base]\nnamePrefix: x-\nconfigMapGenerator: [{name: g, files: [settings.txt]}]\n",
        map,
    );
    assert_eq!(more[1]["metadata"]["name"], "kustomization.yaml");
    assert_eq!(more[1]["spec"]["namePrefix"], "x-");
    assert!(more[1]["files"]["settings.txt"].is_string());
}

#[test]
fn an_image_that_a_patch_copies_is_seen() {
    let pod = "kind: Pod\nmetadata: {name: a, annotations: {b: 'x.example/b:1'}}\nspec: {containers: [{name: a, image: c}]}\n";
    let copy = "{op: copy, from: /metadata/annotations/b, path: /spec/containers/0/image}";
    let top = format!("resources: [a.yaml]\npatches: [{{patch: '[{copy}]', target: {{kind: Pod}}}}]\n");
    let found = written_and_applied(&files(&[("kustomization.yaml", top.as_str()), ("a.yaml", pod)]));
    let images: Vec<_> = found
        .iter()
        .map(|(_, text)| serde_saphyr::from_str::<serde_json::Value>(&String::from_utf8_lossy(text)).unwrap())
        .map(|pod| pod["spec"]["containers"][0]["image"].clone())
        .collect();
    assert_eq!(images.len(), 2);
    assert!(images.contains(&"x.example/b:1".into()) && images.contains(&"c".into()), "{images:?}");
}

#[test]
fn a_patch_that_doubles_an_object_is_refused() {
    let doubles: Vec<_> = (0..40).map(|n| format!("{{op: copy, from: '', path: /data/a{n}}}")).collect();
    let top = format!(
        "resources: [a.yaml]\npatches: [{{patch: \"[{}]\", target: {{kind: ConfigMap}}}}]\n",
        doubles.join(", ")
    );
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {}\n";
    let found = applied(&files(&[("kustomization.yaml", top.as_str()), ("a.yaml", map)])).troubles;
    let [trouble] = found.as_slice() else { unreachable!("{found:?}") };
    assert_eq!((trouble.code, trouble.place.as_str()), ("TooLarge", "kustomization.yaml"));
}

#[test]
fn a_patch_that_is_not_followed_is_told_and_stands_for_no_object() {
    let of = |replicas: u32, patch: &str| {
        let app = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec: {{replicas: {replicas}}}\n"
        );
        let top = format!("resources: [a.yaml]\npatches: [{patch}]\n");
        objects(&files(&[("kustomization.yaml", top.as_str()), ("a.yaml", app.as_str())]))
    };
    let json = |value: u32, target: &str| {
        let operation = format!("[{{op: replace, path: /spec/replicas, value: {value}}}]");
        format!("{{patch: '{operation}', target: {target}}}")
    };
    for target in ["{labelSelector: x=y}", "{name: a.*}"] {
        let [was, is] = [of(1, &json(2, target)), of(1, &json(3, target))];
        assert_eq!(was[0], is[0], "the patch isn't followed");
        assert_eq!(was[1]["metadata"]["name"], "kustomization.yaml, patch 1");
        assert_ne!(was[1], is[1], "and is told");
    }
    let merge = "{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {paused: true}}', target: {name: a.*}}";
    let names = |objects: &[serde_json::Value]| -> Vec<_> {
        objects.iter().map(|it| it["metadata"]["name"].clone()).collect()
    };
    assert_eq!(names(&of(1, merge)), ["a", "kustomization.yaml, patch 1"]);
}

#[test]
fn a_patch_changes_an_object_within_a_list() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1', z: '1'}}\n";
    let patch = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '2'}\n";
    let top = "resources: [a.yaml]\npatches: [{path: p.yaml}]\n";
    let found = objects(&files(&[("kustomization.yaml", top), ("a.yaml", list), ("p.yaml", patch)]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["data"], serde_json::json!({ "x": "2", "z": "1" }));
}

#[test]
fn files_of_plugins_and_replacements_are_told() {
    let of = |changed: &str| {
        let top = "resources: [base]\ntransformers: [t.yaml, ./more]\ngenerators: [../x/g.yaml]\nreplacements: [{path: r.yaml}]\n";
        let mut list = vec![("kustomization.yaml", "resources: [x]\n"), ("x/kustomization.yaml", top)];
        let names = ["x/t.yaml", "x/more/a.yaml", "x/g.yaml", "x/r.yaml", "x/other.yaml"];
        list.extend(names.map(|name| (name, if name == changed { "b: 1\n" } else { "a: 1\n" })));
        objects(&files(&list))
    };
    for changed in ["x/t.yaml", "x/more/a.yaml", "x/g.yaml", "x/r.yaml"] {
        assert_ne!(of(""), of(changed), "{changed}");
    }
    assert_eq!(of(""), of("x/other.yaml"));
}

#[test]
fn an_image_that_a_patch_copies_to_who_knows_where_is_refused() {
    let copy = "[{op: copy, from: /metadata/annotations/b, path: /spec/containers/0/image}]";
    for (target, codes) in [("{labelSelector: a=b}", &["ImageByPatch"][..]), ("{kind: Pod}", &[])] {
        let top = format!("resources: [a.yaml]\npatches: [{{patch: '{copy}', target: {target}}}]\n");
        let found = applied(&files(&[("kustomization.yaml", top.as_str()), ("a.yaml", &pod("a"))])).troubles;
        assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), codes, "{target}");
    }
}
