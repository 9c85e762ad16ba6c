//! `release lock` with the real Helm: every image of charts of every kind, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pdp_e2e::{Finished, Program, Tools, World};
use serde_json::{Value, json};
use sha2::Digest;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that has images under the paths of every other one, and the charts of a release.
struct Charts {
    world: World,
    folder: PathBuf,
}

/// One kind of chart, and the right answer.
#[derive(Debug)]
struct Kind {
    name: String,
    chart: PathBuf,
    /// Lines `rendered | pull | seen, seen | reach`.
    expected: BTreeSet<String>,
    findings: Vec<String>,
}

fn kinds() -> Vec<Kind> {
    let lines = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let mut kinds: Vec<_> = std::fs::read_dir(World::fixtures().join("charts-real-shaped"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.join("expect.txt").exists())
        .map(|folder| Kind {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            chart: folder.join("chart"),
            expected: lines(&folder.join("expect.txt")).lines().map(str::to_owned).collect(),
            findings: lines(&folder.join("findings.txt")).lines().map(str::to_owned).collect(),
        })
        .collect();
    kinds.sort_by(|a, b| a.name.cmp(&b.name));
    kinds
}

impl Charts {
    fn start() -> Self {
        let world = World::start().unwrap();
        let folder = world.path("line/7");
        std::fs::create_dir_all(&folder).unwrap();
        Self { world, folder }
    }

    /// An index for one platform under a path and tag; its digest.
    fn image(&self, path: &str, tag: &str) -> String {
        let bytes = manifest(&format!("{path}:{tag}"));
        self.world.registry.content().put(path, tag, INDEX, bytes.as_bytes()).unwrap()
    }

    /// A level with these charts.
    fn release(&self, charts: &[(String, PathBuf)], more: &str) {
        let mut text = format!(
            "apiVersion: updates.pdp.wso2.com/v1\nline: pdp-2026\nlevel: 7\nversion: '7'\nkind: update\nrepository: registry.wso2.example/pdp/pdp-2026\n\
             rendered: {{kubernetes: [v1.33.4, v1.34.1-gke.1829001]}}\ncomponents:\n"
        );
        for (name, chart) in charts {
            copy(chart, &self.folder.join(name));
            writeln!(
                text,
                "  - {{name: {name}, version: 1.2.3, stage: 1, chart: {{name: {name}, path: {name}}}, releaseName: {name}, namespace: {name}, \
                 onFailure: rollback, timeout: 5m, settle: 10s{more}}}"
            )
            .unwrap();
        }
        std::fs::write(self.file(), text).unwrap();
    }

    fn file(&self) -> String {
        self.folder.join("release.yaml").to_string_lossy().into_owned()
    }

    fn lock(&self, more: &[&str]) -> Finished {
        let (file, via) = (self.file(), self.world.registry.host());
        let helm = Tools::for_charts().unwrap().path("helm4");
        let mut args =
            vec!["release", "lock", file.as_str(), "--via", via.as_str(), "--helm", helm.to_str().unwrap()];
        args.extend(more);
        self.world.run(Program::Publisher, &args, &[]).unwrap()
    }

    fn lint(&self) -> (Option<i32>, Vec<Value>) {
        let file = self.file();
        let finished =
            self.world.run(Program::Publisher, &["release", "lint", &file, "-o", "json"], &[]).unwrap();
        (finished.code, serde_json::from_str(&finished.stdout).unwrap())
    }

    /// The lines of each component, as `expect.txt` has them.
    fn locked(&self) -> BTreeMap<String, BTreeSet<String>> {
        let text = std::fs::read_to_string(self.folder.join("release.lock")).unwrap();
        let lock: Value = serde_saphyr::from_str(&text).unwrap();
        let components = lock["components"].as_array().unwrap();
        let name = |component: &Value| component["name"].as_str().unwrap().to_owned();
        components
            .iter()
            .map(|one| (name(one), one["images"].as_array().unwrap().iter().map(line).collect()))
            .collect()
    }
}

fn manifest(image: &str) -> String {
    let child = sha256(image);
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{child}","size":2,"platform":{{"os":"linux","architecture":"amd64"}}}}],"annotations":{{"image":"{image}"}}}}"#
    )
}

fn sha256(text: &str) -> String {
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}

fn line(image: &Value) -> String {
    let seen: Vec<_> =
        image["seen"].as_array().unwrap().iter().map(|place| place.as_str().unwrap()).collect();
    let text = |field: &str| image[field].as_str().unwrap().to_owned();
    assert_eq!(image["platforms"], json!(["linux/amd64"]), "{image}");
    format!("{} | {} | {} | {}", text("rendered"), text("pull"), seen.join(", "), text("reach"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &there)
        } else {
            drop(std::fs::copy(entry.path(), there).unwrap())
        }
    }
}

/// Path and tag of a line's image, behind any registry.
fn in_registry(line: &str) -> (String, String) {
    let mut parts = line.split(" | ");
    let (rendered, pull) = (parts.next().unwrap(), parts.next().unwrap());
    let tagged = rendered.split('@').next().unwrap();
    let tag = tagged.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'));
    let path = pull.split_once('/').unwrap().1;
    // By digest alone: pushed under the tag that its fixture was made with.
    (path.to_owned(), tag.unwrap_or(if path.ends_with("database") { "v8" } else { "v3" }).to_owned())
}

#[test]
fn every_image_of_every_kind_of_chart_is_found_and_nothing_else() {
    let charts = Charts::start();
    let kinds = kinds();
    assert!(kinds.len() >= 14, "{}", kinds.len());
    for (path, tag) in kinds.iter().flat_map(|kind| &kind.expected).map(|line| in_registry(line)) {
        charts.image(&path, &tag);
    }
    charts.release(&kinds.iter().map(|kind| (kind.name.clone(), kind.chart.clone())).collect::<Vec<_>>(), "");
    let first = charts.lock(&[]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stderr.contains("values name `quay.example/team/not-there:1`"), "{}", first.stderr);
    let locked = charts.locked();
    for kind in &kinds {
        assert_eq!(locked[&kind.name], kind.expected, "{}", kind.name);
    }
    // What can't be pinned is said by lint, offline.
    let (code, findings) = charts.lint();
    let codes = |name: &str| {
        let place = format!("components.{name}");
        findings
            .iter()
            .filter(|f| f["place"] == place.as_str())
            .map(|f| f["code"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(code, Some(1));
    for kind in &kinds {
        assert_eq!(codes(&kind.name), kind.findings, "{}: {findings:#?}", kind.name);
    }
    // The same again: nothing is asked, nothing changes.
    charts.world.registry.faults().take_asked();
    let again = charts.lock(&["--check"]);
    assert_eq!((again.code, again.stdout.contains(" 0 changes")), (Some(0), true), "{}", again.stdout);
}
