//! A release out of what a team has already: Flux's objects, or an umbrella chart.

use pdp_e2e::{Finished, Outside, Program, WebHost, World};
use serde_json::{Value, json};

use crate::bumps::chart;
use crate::chart_sources::{digest, push_as};

/// A world whose registry and whose web server have the chart `alpha`.
struct Desk {
    world: World,
    web: WebHost,
    pushed: String,
}

impl Desk {
    fn begin() -> Self {
        let world = World::prepare(Outside::default(), false).unwrap();
        push_as(&world, "1.0.0", &chart("1.0.0", "a"));
        let pushed = push_as(&world, "1.2.0", &chart("1.2.0", "a"));
        push_as(&world, "2.0.0", &chart("2.0.0", "a"));
        let web = WebHost::start().unwrap();
        let entry = json!({ "version": "3.1.0", "urls": ["alpha-3.1.0.tgz"] });
        let index = json!({ "apiVersion": "v1", "entries": { "alpha": [entry] } });
        web.put("/charts/index.yaml", index.to_string().as_bytes());
        web.put("/charts/alpha-3.1.0.tgz", &chart("3.1.0", "b"));
        Self { world, web, pushed }
    }

    fn put(&self, path: &str, text: &str) {
        let text = text.replace("REGISTRY", &self.world.registry.host()).replace("WEB", &self.web.host());
        let path = self.world.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn init(&self, more: &[&str]) -> Finished {
        let args = [
            "release",
            "init",
            "1",
            "--line",
            "pdp-2026",
            "--repository",
            "registry.wso2.example/pdp/pdp-2026",
        ];
        let line = self.world.path("line");
        let more = [more, &["--version", "2026.12.1", "--in", line.to_str().unwrap(), "-o", "json"]].concat();
        self.world.run(Program::Publisher, &[&args, &more[..]].concat(), &[]).unwrap()
    }

    /// The new release.yaml, which is good.
    fn release(&self) -> Value {
        let file = self.world.path("line/1/release.yaml");
        let lint =
            self.world.run(Program::Publisher, &["release", "lint", file.to_str().unwrap()], &[]).unwrap();
        assert!(lint.ok(), "{}{}", lint.stdout, lint.stderr);
        serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }
}

const FLUX: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: web, namespace: flux-system}\n\
    spec: {url: 'http://WEB/charts'}\n---\n\
    apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: oci, namespace: flux-system}\n\
    spec: {type: oci, url: 'oci://REGISTRY/charts', insecure: true}\n---\n\
    apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: first, namespace: apps}\n\
    spec:\n  chart: {spec: {chart: alpha, version: 1.x, sourceRef: {kind: HelmRepository, name: oci, namespace: flux-system}}}\n\
    \x20 values: {tag: z}\n  valuesFrom: [{kind: Secret, name: token}]\n---\n\
    apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: second, namespace: apps}\n\
    spec:\n  chart: {spec: {chart: alpha, sourceRef: {kind: HelmRepository, name: web, namespace: flux-system}}}\n\
    \x20 dependsOn: [{name: first}]\n---\n\
    apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: third, namespace: apps}\n\
    spec:\n  chart: {spec: {chart: beta, version: 1.0.0, sourceRef: {kind: HelmRepository, name: web, namespace: flux-system}}}\n";

#[test]
fn a_flux_repository_becomes_a_release_with_sources_and_digests() {
    let desk = Desk::begin();
    desk.put("flux/clusters/prod/all.yaml", FLUX);
    desk.put("flux/free.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: free}\n");
    std::os::unix::fs::symlink("/etc", desk.world.path("flux/link")).unwrap();
    let folder = desk.world.path("flux");
    let folder = folder.to_str().unwrap();
    let trial = desk.init(&["--from-flux", folder, "--dry-run"]);
    assert!(trial.ok() && !desk.world.path("line").exists(), "{}", trial.stderr);

    let made = desk.init(&["--from-flux", folder]);
    assert!(made.ok(), "{}", made.stderr);
    let told: Value = serde_json::from_str(&made.stdout).unwrap();
    let left: Vec<_> =
        told["left"].as_array().unwrap().iter().map(|it| it["object"].as_str().unwrap()).collect();
    assert_eq!(
        left,
        ["HelmRelease apps/first", "HelmRepository flux-system/oci", "chart of third", "free.yaml", "link"],
        "{told:#}"
    );

    // What can't be had isn't pinned, and lint says so until somebody looks.
    let file = desk.world.path("line/1/release.yaml");
    let lint = desk.world.run(Program::Publisher, &["release", "lint", file.to_str().unwrap()], &[]).unwrap();
    assert!(!lint.ok() && lint.stdout.contains("`beta`"), "{}", lint.stdout);
    let text = std::fs::read_to_string(&file).unwrap();
    let third = text.find("  - name: third").unwrap();
    let rest = text[third + 4..].find("  - name: ").map_or(text.len(), |at| third + 4 + at);
    std::fs::write(&file, format!("{}{}", &text[..third], &text[rest..])).unwrap();

    let release = desk.release();
    let [first, second] = &release["components"].as_array().unwrap()[..] else { panic!("{release:#}") };
    assert_eq!((&first["version"], &first["chart"]["digest"]), (&json!("1.2.0"), &json!(desk.pushed)));
    assert_eq!((&first["stage"], &second["stage"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&second["version"], &second["chart"]["digest"]),
        (&json!("3.1.0"), &json!(digest(&chart("3.1.0", "b"))))
    );
    let values = std::fs::read_to_string(desk.world.path("line/1/values/first.yaml")).unwrap();
    assert_eq!(serde_saphyr::from_str::<Value>(&values).unwrap(), json!({ "tag": "z" }));

    let again = desk.init(&["--from-flux", folder]);
    assert!(again.error().as_deref() == Some("AlreadyThere"), "{}", again.stderr);
    let nothing = desk.init(&["--from-flux", desk.world.path("line").to_str().unwrap()]);
    assert!(nothing.error().as_deref() == Some("NothingFound"), "{}", nothing.stderr);
}

#[test]
fn an_umbrella_chart_becomes_a_release_of_its_dependencies() {
    let desk = Desk::begin();
    desk.put(
        "umbrella/Chart.yaml",
        "apiVersion: v2\nname: pdp\nversion: 1.0.0\ndependencies:\n\
         - {name: alpha, alias: front, version: ^1, repository: 'oci://REGISTRY/charts'}\n\
         - {name: alpha, alias: back, version: '>=3', repository: 'http://WEB/charts', condition: back.enabled}\n\
         - {name: inner, version: 0.1.0, repository: ''}\n",
    );
    desk.put("umbrella/values.yaml", "front: {tag: f}\nback: {enabled: false}\n");
    desk.put("umbrella/charts/inner/Chart.yaml", "apiVersion: v2\nname: inner\nversion: 0.1.0\n");
    desk.put(
        "umbrella/charts/inner/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    );
    desk.put("given.yaml", "back: {enabled: true}\n");
    let (chart, given) = (desk.world.path("umbrella"), desk.world.path("given.yaml"));
    let more = [
        "--from-umbrella",
        chart.to_str().unwrap(),
        "--namespace",
        "pdp",
        "--values",
        given.to_str().unwrap(),
    ];
    let made = desk.init(&more);
    assert!(made.ok(), "{}", made.stderr);
    let release = desk.release();
    let shown: Vec<_> = release["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it["name"].as_str().unwrap(), it["version"].as_str().unwrap(), it["namespace"].as_str().unwrap())
        })
        .collect();
    assert_eq!(shown, [("back", "3.1.0", "pdp"), ("front", "1.2.0", "pdp"), ("inner", "0.1.0", "pdp")]);
    assert_eq!(release["components"][2]["chart"]["path"], "../charts/inner");
    assert!(desk.world.path("line/charts/inner/templates/a.yaml").exists());
}
