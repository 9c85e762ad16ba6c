//! What we pack is what Helm packs: the same files, the same config, the same manifests. Helm is the one that
//! helm-controller is built with.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use pdp_e2e::cluster::Tools;
use pdp_e2e::{Outside, World};
use serde_json::Value;

type Files = BTreeMap<String, Vec<u8>>;

fn shaped(name: &str) -> PathBuf {
    World::fixtures().join("charts-real-shaped").join(name)
}

fn world() -> World {
    World::prepare(Outside::default(), false).unwrap()
}

/// Helm with a home of its own.
fn helm(world: &World) -> Command {
    let mut command = Tools::for_charts().unwrap().command("helm4");
    command.env("HOME", world.path("helm")).current_dir(world.path(""));
    command
}

/// What it printed, or what it complained about.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A packed chart, without the folder at the top.
fn unpacked(tgz: &[u8]) -> Files {
    let mut files = Files::new();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(tgz));
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.insert(path.split_once('/').unwrap().1.to_owned(), content);
    }
    files
}

/// As Helm writes it: packed subcharts unpacked, in folders of their own names; `Chart.yaml` is written anew, and so is
/// the lock, or it is left out.
fn as_helm_packs(files: Files) -> Files {
    let mut out = Files::new();
    let mut inner: BTreeMap<String, Files> = BTreeMap::new();
    for (path, content) in files {
        match path.strip_prefix("charts/").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((name, "")) => drop(inner.insert(name.to_owned(), unpacked(&content))),
            Some((name, rest)) => {
                drop(inner.entry(name.to_owned()).or_default().insert(rest.to_owned(), content))
            }
            None => drop(out.insert(path, content)),
        }
    }
    for files in inner.into_values() {
        let chart = String::from_utf8(files["Chart.yaml"].clone()).unwrap();
        let name = chart.lines().find_map(|line| line.strip_prefix("name: ")).unwrap().trim().to_owned();
        out.extend(
            as_helm_packs(files)
                .into_iter()
                .map(|(path, content)| (format!("charts/{name}/{path}"), content)),
        );
    }
    out.insert("Chart.yaml".to_owned(), Vec::new());
    out
}

/// The built layout of a release with one component.
struct Built(PathBuf);

impl Built {
    fn of(world: &World, name: &str) -> Self {
        let (file, out) = (shaped(name).join("release.yaml"), world.path(&format!("built-{name}")));
        world
            .publisher(&["release", "build", file.to_str().unwrap(), "--out", out.to_str().unwrap()])
            .unwrap();
        Self(out)
    }

    fn blob(&self, digest: &str) -> Vec<u8> {
        std::fs::read(self.0.join("blobs").join(digest.replace(':', "/"))).unwrap()
    }

    fn json(&self, digest: &str) -> Value {
        serde_json::from_slice(&self.blob(digest)).unwrap()
    }

    /// The component's digest and manifest.
    fn chart(&self) -> (String, Value) {
        let layout: Value =
            serde_json::from_slice(&std::fs::read(self.0.join("index.json")).unwrap()).unwrap();
        let index = self.json(layout["manifests"][0]["digest"].as_str().unwrap());
        let digest = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
        let manifest = self.json(&digest);
        (digest, manifest)
    }

    /// Puts the chart into the registry, and gives its address.
    fn push(&self, world: &World) -> String {
        let (digest, manifest) = self.chart();
        let base = format!("http://{}/v2/ours/alpha", world.registry.host());
        let client = reqwest::blocking::Client::new();
        for blob in [&manifest["config"], &manifest["layers"][0]] {
            let name = blob["digest"].as_str().unwrap();
            let begun = client.post(format!("{base}/blobs/uploads/")).send().unwrap();
            let at = begun.url().join(begun.headers()["location"].to_str().unwrap()).unwrap();
            let at = format!("{at}{}digest={name}", if at.query().is_some() { '&' } else { '?' });
            assert!(client.put(at).body(self.blob(name)).send().unwrap().status().is_success());
        }
        let kind = manifest["mediaType"].as_str().unwrap();
        world.registry.content().put("ours/alpha", &digest, kind, &self.blob(&digest)).unwrap();
        format!("oci://{}/ours/alpha@{digest}", world.registry.host())
    }
}

/// Packs with Helm, and pushes it; the files, and the config that Helm makes of it.
fn helm_packs(world: &World, chart: &Path) -> (Files, Value) {
    let out = world.path("packed");
    let said = run(helm(world).args(["package", "-d"]).arg(&out).arg(chart)).unwrap();
    let tgz = said.trim().rsplit(": ").next().unwrap().to_owned();
    let to = format!("oci://{}/theirs", world.registry.host());
    run(helm(world).args(["push", "--plain-http", &tgz, &to])).unwrap();
    let tag =
        Path::new(&tgz).file_stem().unwrap().to_str().unwrap().strip_prefix("alpha-").unwrap().to_owned();
    let pushed = world.registry.content().manifest("theirs/alpha", &tag).unwrap().unwrap();
    let manifest: Value = serde_json::from_slice(&pushed.bytes).unwrap();
    let config = manifest["config"]["digest"].as_str().unwrap();
    let url = format!("http://{}/v2/theirs/alpha/blobs/{config}", world.registry.host());
    let config = reqwest::blocking::get(url).unwrap().text().unwrap();
    (unpacked(&std::fs::read(tgz).unwrap()), serde_json::from_str(&config).unwrap())
}

#[test]
fn the_same_files_and_the_same_config_as_helm() {
    for name in
        ["helmignore", "helmignore-negated", "names", "packed-subchart", "alias", "requirements", "types"]
    {
        let world = world();
        let (theirs, their_config) = helm_packs(&world, &shaped(name).join("chart"));
        let built = Built::of(&world, name);
        let (_, manifest) = built.chart();
        let digest = |of: &Value| of["digest"].as_str().unwrap().to_owned();
        let config = built.json(&digest(&manifest["config"]));
        assert_eq!(config, their_config, "{name}");
        let mut ours = as_helm_packs(unpacked(&built.blob(&digest(&manifest["layers"][0]))));
        // Helm keeps a chart of v1 without its lock.
        ours.retain(|path, _| !path.ends_with("requirements.lock"));
        let theirs = as_helm_packs(
            theirs.into_iter().filter(|(path, _)| !path.ends_with("requirements.lock")).collect(),
        );
        let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&ours), names(&theirs), "{name}");
        // Helm packs two subcharts of one name over each other, in any order.
        let differs =
            |path: &str| path.ends_with("Chart.yaml") || name == "alias" && path.starts_with("charts/");
        for (path, content) in ours.iter().filter(|(path, _)| !differs(path)) {
            assert!(theirs[path] == *content, "{name}: {path}");
        }
    }
}

#[test]
fn helm_pulls_what_we_push_and_renders_what_it_renders_of_the_folder() {
    for name in ["helmignore", "names", "packed-subchart", "alias", "requirements", "types"] {
        let world = world();
        let address = Built::of(&world, name).push(&world);
        let template = |chart: &str| {
            let printed = run(helm(&world).args(["template", "alpha", chart, "--plain-http"]));
            let printed = printed.unwrap_or_else(|words| panic!("{name}: {words}"));
            // Above it Helm says what it pulled.
            printed[printed.find("---").unwrap()..].to_owned()
        };
        let folder = shaped(name).join("chart");
        let (ours, theirs) = (template(&address), template(folder.to_str().unwrap()));
        assert_eq!(ours, theirs, "{name}");
        assert!(ours.contains("kind:"), "{name}: {ours}");
    }
}

#[test]
fn what_we_refuse_helm_refuses_too() {
    let world = world();
    for (case, code, release_name) in [
        ("library-chart", "LibraryChart", "alpha"),
        ("chart-version", "BadChartVersion", "alpha"),
        ("subchart-of-another-name", "UnvendoredSubchart", "alpha"),
        ("subchart-no-chart", "BadSubchart", "alpha"),
        ("helmignore-double-star", "BadHelmignore", "alpha"),
        ("release-name-too-long", "BadReleaseName", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("kube-version", "KubernetesNotRequired", "alpha"),
    ] {
        let folder = World::fixtures().join("bad").join(case);
        let refused = world.publisher(&["release", "lint", folder.join("release.yaml").to_str().unwrap()]);
        assert!(refused.is_err(), "{case}");
        let expected = std::fs::read_to_string(folder.join("expect.txt")).unwrap();
        assert!(expected.lines().any(|line| line == code), "{case}: {expected}");
        let chart = folder.join("chart");
        let args = ["template", release_name, chart.to_str().unwrap(), "--kube-version", "1.28.0"];
        assert!(run(helm(&world).args(args)).is_err(), "{case}");
    }
}
