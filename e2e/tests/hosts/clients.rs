//! Stock clients read what we publish, and copy it to another registry: with its signatures, or without.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use pdp_e2e::World;
use pdp_e2e::hosts::{Access, Distribution, Edition, debian_version, tools, version};
use serde_json::Value;

use crate::registries::Way;
use crate::row::{Row, Seen, Table};
use crate::story;

/// What was published: `host/repository`, the bundle's digest, a component's, and the images.
struct Published {
    world: World,
    _registry: Distribution,
    repository: String,
    bundle: String,
    component: String,
    images: BTreeSet<(String, String)>,
}

fn published() -> Published {
    let registry = Distribution::start(Edition::Three, Access::Anonymous, None).unwrap();
    let world = Way::open(registry.host()).world();
    let folder = story::built(&world);
    assert!(story::publish(&world, &folder, &[]).is_done());
    story::catalog(&world, "publish", false);
    assert!(story::promote(&world).is_done());
    story::catalog(&world, "publish", false);
    assert!(story::open(&world).is_done());
    story::catalog(&world, "publish", false);
    let file = world.path("level-41/release-pdp-2026-41.json");
    let release: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let chart = release["components"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|component| component["artifact"]["chart"]["digest"].as_str().map(str::to_owned));
    let bundle = release["bundle"]["digest"].as_str().unwrap().to_owned();
    let path = release["bundle"]["repository"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
    let repository = format!("{}/{path}", registry.host());
    let images = images(&release);
    Published { world, _registry: registry, repository, bundle, component: chart.unwrap(), images }
}

/// Path and digest of every image of a release.
fn images(release: &Value) -> BTreeSet<(String, String)> {
    let components = release["components"].as_array().unwrap().iter();
    let images = components.flat_map(|component| component["images"].as_array().into_iter().flatten());
    let one = |image: &Value| {
        let name = image["from"].as_str().or_else(|| image["name"].as_str()).unwrap();
        let (_, path) = name.split_once('/').unwrap();
        (path.to_owned(), image["digest"].as_str().unwrap().to_owned())
    };
    images.map(one).collect()
}

impl Published {
    /// A client with a home of its own.
    fn client(&self, program: &str) -> Command {
        let mut command = match program {
            "skopeo" => Command::new("skopeo"),
            _ => tools().command(program),
        };
        command.env("HOME", self.world.path("")).current_dir(self.world.path(""));
        command
    }

    fn run(&self, program: &str, args: &[&str]) -> Seen {
        seen(&self.client(program).args(args).output().unwrap())
    }

    /// A mirror has the images too, however they came there: without them a level waits.
    fn copy_images(&self, host: &str) {
        let (here, _) = self.repository.split_once('/').unwrap();
        for (path, digest) in &self.images {
            let (from, to) = (format!("{here}/{path}@{digest}"), format!("{host}/{path}:41"));
            let copied = self.client("crane").args(["copy", &from, &to]).output().unwrap();
            assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        }
    }

    /// Copies the level with a client, then says whether its signatures came along and whether we read the copy.
    fn copy(&self, row: &mut Row, program: &str, args: impl Fn(&str, &str) -> Vec<String>) {
        let other = Distribution::start(Edition::Three, Access::Anonymous, None).unwrap();
        let path = self.repository.split_once('/').unwrap().1;
        let from = format!("{}@{}", self.repository, self.bundle);
        let to = format!("{}/{path}", other.host());
        let args = args(&from, &to);
        let output = self.client(program).args(&args).output().unwrap();
        if !row.works("copy", &seen(&output)) {
            return;
        }
        self.copy_images(&other.host());
        let catalog = format!("{{git: {{url: \"{}\", branch: catalog}}}}", self.world.git_url("catalog"));
        let taken = |name: &str, more: &str| {
            let name = format!("{program}-{name}");
            let world = &self.world;
            let plane = world.data_plane_on("acme", &name, "general", &catalog, &other.host(), more);
            story::pass(world, &plane.unwrap(), &[])
        };
        // A data plane looks at the bundle's signature and at each component's.
        if taken("signed", "").is_done() {
            row.says("signatures copied", "yes");
            row.says("we read the copy", "ok");
            return;
        }
        row.says("signatures copied", "no");
        let without = taken("unsigned", "  signatures: catalog\n");
        if row.works("we read the copy", &without) {
            row.says("we read the copy", "with `signatures: catalog`");
        }
    }
}

fn seen(output: &Output) -> Seen {
    if !output.status.success() {
        println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Seen::done_or(output.status.success(), "refused")
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn they_read_and_copy() {
    let here = published();
    let bundle = format!("{}@{}", here.repository, here.bundle);
    let component = format!("{}@{}", here.repository, here.component);
    let key = here.world.key("artifact").replace(".key", ".pub");

    let mut row = Row::begin(Table::Clients, "410", format!("cosign {}", version("cosign").unwrap()));
    let verify = |image: &str| {
        let args = ["verify", "--key", &key, "--insecure-ignore-tlog=true", "--allow-http-registry", image];
        here.run("cosign", &args)
    };
    row.works("bundle", &verify(&bundle));
    row.works("component", &verify(&component));
    here.copy(&mut row, "cosign", |from, to| {
        words(&["copy", "--allow-http-registry", from, &format!("{to}:41")])
    });
    row.end();

    let mut row = Row::begin(Table::Clients, "420", format!("oras {}", version("oras").unwrap()));
    row.works("bundle", &here.run("oras", &["manifest", "fetch", "--plain-http", &bundle]));
    row.works("component", &here.run("oras", &["pull", "--plain-http", "-o", "oras", &component]));
    here.copy(&mut row, "oras", |from, to| {
        words(&["cp", "-r", "--from-plain-http", "--to-plain-http", from, &format!("{to}:41")])
    });
    row.end();

    let mut row = Row::begin(Table::Clients, "430", format!("crane {}", version("crane").unwrap()));
    row.works("bundle", &here.run("crane", &["validate", "--remote", &bundle]));
    row.works("component", &here.run("crane", &["manifest", &component]));
    here.copy(&mut row, "crane", |from, to| words(&["copy", from, &format!("{to}:41")]));
    row.end();

    let mut row = Row::begin(Table::Clients, "440", format!("regctl {}", version("regctl").unwrap()));
    let tls = |host: &str| format!("reg={host},tls=disabled");
    let host = tls(here.repository.split('/').next().unwrap());
    row.works("bundle", &here.run("regctl", &["--host", &host, "manifest", "get", &bundle]));
    row.works("component", &here.run("regctl", &["--host", &host, "artifact", "list", &component]));
    here.copy(&mut row, "regctl", |from, to| {
        let other = tls(to.split('/').next().unwrap());
        let to = format!("{to}:41");
        words(&["--host", &host, "--host", &other, "image", "copy", "--referrers", from, &to])
    });
    row.end();

    let mut row = Row::begin(Table::Clients, "450", format!("skopeo {}", debian_version("skopeo").unwrap()));
    let raw = |image: &str| {
        here.run("skopeo", &["inspect", "--raw", "--tls-verify=false", &format!("docker://{image}")])
    };
    row.works("bundle", &raw(&bundle));
    row.works("component", &raw(&component));
    here.copy(&mut row, "skopeo", |from, to| {
        let (from, to) = (format!("docker://{from}"), format!("docker://{to}:41"));
        let plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        let rest =
            ["--insecure-policy", "copy", "--all", "--preserve-digests", plain[0], plain[1], &from, &to];
        words(&rest)
    });
    row.end();

    let mut row = Row::begin(Table::Clients, "460", format!("helm {}", version("helm").unwrap()));
    let chart = format!("oci://{component}");
    row.works("component", &here.run("helm", &["pull", &chart, "--plain-http", "-d", "."]));
    row.end();
}
