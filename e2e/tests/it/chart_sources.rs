//! Charts that are fetched: from a registry and from a repository over HTTP. Nothing unpinned, and nothing that isn't
//! what was pinned, gets into a build.

use pdp_e2e::{Finished, Harm, Login, Outside, Program, WebHost, World};
use serde_json::{Value, json};

use crate::attack::note;

const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn world() -> World {
    World::prepare(Outside::default(), false).unwrap()
}

/// A chart that Helm packed.
fn chart() -> Vec<u8> {
    std::fs::read(World::fixtures().join("charts-real-shaped/packed/alpha-1.0.0.tgz")).unwrap()
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes)))
}

/// A release whose one chart is there, and a build of it.
fn build(world: &World, source: &str, more: &[&str], env: &[(&str, &str)]) -> Finished {
    let text =
        std::fs::read_to_string(World::fixtures().join("charts-real-shaped/packed/release.yaml")).unwrap();
    let text = text.replace("path: alpha-1.0.0.tgz", source);
    let folder = world.path("2");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("release.yaml"), text).unwrap();
    let (file, out) = (folder.join("release.yaml"), world.path("out"));
    let _ = std::fs::remove_dir_all(&out);
    let args = ["release", "build", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    world.run(Program::Publisher, &[&args, more].concat(), env).unwrap()
}

/// The bundle's digest of a build that went well.
fn bundle(built: &Finished) -> String {
    assert!(built.ok(), "{}{}", built.stdout, built.stderr);
    built.stdout.lines().find_map(|line| line.trim().strip_prefix("bundle ")).unwrap().to_owned()
}

/// The chart from the folder of the line.
fn from_folder(world: &World) -> String {
    std::fs::create_dir_all(world.path("2")).unwrap();
    std::fs::write(world.path("2/alpha.tgz"), chart()).unwrap();
    bundle(&build(world, "path: alpha.tgz", &[], &[]))
}

fn refused(built: &Finished, code: &str) {
    assert!(
        built.code == Some(1) && built.stdout.contains(&format!("error[{code}]")),
        "{}{}",
        built.stdout,
        built.stderr
    );
}

fn push(world: &World, bytes: &[u8]) -> String {
    push_as(world, "1.0.0", bytes)
}

/// Pushes a chart as Helm does, and gives the digest of its manifest.
pub(crate) fn push_as(world: &World, tag: &str, bytes: &[u8]) -> String {
    push_chart(world, "charts/alpha", tag, bytes)
}

/// The same into another repository.
pub(crate) fn push_chart(world: &World, repository: &str, tag: &str, bytes: &[u8]) -> String {
    let base = format!("http://{}/v2/{repository}", world.registry.host());
    let client = reqwest::blocking::Client::new();
    for blob in [b"{}".as_slice(), bytes] {
        let begun = client.post(format!("{base}/blobs/uploads/")).send().unwrap();
        let at = begun.url().join(begun.headers()["location"].to_str().unwrap()).unwrap();
        let at = format!("{at}{}digest={}", if at.query().is_some() { '&' } else { '?' }, digest(blob));
        assert!(client.put(at).body(blob.to_vec()).send().unwrap().status().is_success());
    }
    let of =
        |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": digest(bytes), "size": bytes.len()});
    let config = of("application/vnd.cncf.helm.config.v1+json", b"{}");
    let manifest =
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [of(LAYER, bytes)]});
    world.registry.content().put(repository, tag, MANIFEST, manifest.to_string().as_bytes()).unwrap()
}

fn in_registry(world: &World, digest: Option<&str>) -> String {
    let digest = digest.map(|digest| format!(", digest: \"{digest}\"")).unwrap_or_default();
    format!("oci: \"oci://{}/charts/alpha\"{digest}", world.registry.host())
}

/// A repository with the chart, whose index names this address.
fn repository(named: &str) -> WebHost {
    let web = WebHost::start().unwrap();
    let entry = json!({"name": "alpha", "version": "1.0.0", "urls": [named], "digest": "00", "created": "2020-01-01"});
    let index: Value =
        json!({"apiVersion": "v1", "entries": {"alpha": [{"version": "0.9.0"}, entry], "beta": []}});
    web.put("/charts/index.yaml", index.to_string().as_bytes());
    web.put("/charts/alpha-1.0.0.tgz", &chart());
    web
}

fn in_repository(web: &WebHost, digest: Option<&str>) -> String {
    let digest = digest.map(|digest| format!(", digest: \"{digest}\"")).unwrap_or_default();
    format!("repository: \"http://{}/charts\"{digest}", web.host())
}

#[test]
fn a_chart_is_the_same_from_every_place() {
    let world = world();
    let expected = from_folder(&world);
    let pushed = push(&world, &chart());
    assert_eq!(bundle(&build(&world, &in_registry(&world, Some(&pushed)), &[], &[])), expected);
    for named in ["alpha-1.0.0.tgz", "./alpha-1.0.0.tgz", "/charts/alpha-1.0.0.tgz"] {
        let web = repository(named);
        assert_eq!(
            bundle(&build(&world, &in_repository(&web, Some(&digest(&chart()))), &[], &[])),
            expected,
            "{named}"
        );
    }
}

#[test]
fn an_unpinned_chart_is_refused_with_the_digest_that_is_there() {
    let world = world();
    let pushed = push(&world, &chart());
    let built = build(&world, &in_registry(&world, None), &[], &[]);
    refused(&built, "UnpinnedChart");
    assert!(built.stdout.contains(&pushed), "{}", built.stdout);
    let web = repository("alpha-1.0.0.tgz");
    let built = build(&world, &in_repository(&web, None), &[], &[]);
    refused(&built, "UnpinnedChart");
    assert!(built.stdout.contains(&digest(&chart())), "{}", built.stdout);
    assert!(!world.path("out").exists(), "nothing is built");
    note("a chart without a digest", "UnpinnedChart", "registry and repository");
}

#[test]
fn another_chart_than_the_pinned_one_is_refused() {
    let world = world();
    let pushed = push(&world, &chart());
    world.registry.content().put("charts/alpha", &pushed, MANIFEST, b"{\"schemaVersion\": 2}").unwrap();
    refused(&build(&world, &in_registry(&world, Some(&pushed)), &[], &[]), "DigestMismatch");
    let web = repository("alpha-1.0.0.tgz");
    let wanted = in_repository(&web, Some(&digest(&chart())));
    web.put("/charts/alpha-1.0.0.tgz", &[chart(), b"more".to_vec()].concat());
    refused(&build(&world, &wanted, &[], &[]), "DigestMismatch");
    web.faults().add("GET", ".tgz", Harm::Endless, None);
    refused(&build(&world, &wanted, &[], &[]), "TooLarge");
    note("another chart than the pinned one", "DigestMismatch", "registry and repository");
}

#[test]
fn what_was_fetched_once_is_built_without_its_host_and_believed_by_its_digest_alone() {
    let world = world();
    let web = repository("alpha-1.0.0.tgz");
    let wanted = in_repository(&web, Some(&digest(&chart())));
    let cache = world.path("cache");
    let cached = ["--chart-cache", cache.to_str().unwrap()];
    let first = bundle(&build(&world, &wanted, &cached, &[]));
    web.take_exchanges();
    assert_eq!(bundle(&build(&world, &wanted, &cached, &[])), first);
    assert_eq!(web.take_exchanges(), [], "nobody was asked");
    let file = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, b"another chart").unwrap();
    assert_eq!(bundle(&build(&world, &wanted, &cached, &[])), first);
    assert!(!web.take_exchanges().is_empty(), "fetched again");
}

#[test]
fn a_repositorys_login_is_for_its_own_origin_and_only_once_it_asks() {
    let world = world();
    let (web, other) = (repository("http://elsewhere/alpha-1.0.0.tgz"), repository("alpha-1.0.0.tgz"));
    let docker = world.path("docker");
    std::fs::create_dir_all(&docker).unwrap();
    let config = json!({"auths": {web.host(): {"username": "ci", "password": "s3cret"}}});
    std::fs::write(docker.join("config.json"), config.to_string()).unwrap();
    let env = [("DOCKER_CONFIG", docker.to_str().unwrap())];
    let pin = digest(&chart());

    let entry =
        json!({"version": "1.0.0", "urls": [format!("http://{}/charts/alpha-1.0.0.tgz", other.host())]});
    web.put("/charts/index.yaml", json!({"entries": {"alpha": [entry]}}).to_string().as_bytes());
    web.require(Some(Login::Basic("ci".into(), "s3cret".into())));
    other.require(Some(Login::Basic("ci".into(), "s3cret".into())));
    refused(&build(&world, &in_repository(&web, Some(&pin)), &[], &env), "LoginNeeded");
    assert_eq!(other.take_logins(), Vec::<String>::new(), "the other host sees no login");
    other.require(None);
    bundle(&build(&world, &in_repository(&web, Some(&pin)), &[], &env));
    assert_eq!(other.take_logins(), Vec::<String>::new());

    web.require(None);
    web.take_logins();
    bundle(&build(&world, &in_repository(&web, Some(&pin)), &[], &env));
    assert_eq!(web.take_logins(), Vec::<String>::new(), "nobody asked for one");
    note("a chart repository that names another host", "LoginNeeded", "the login stays at home");
}

#[test]
fn addresses_that_are_not_for_charts_are_refused() {
    let world = world();
    let pin = digest(&chart());
    for (source, code) in [
        (format!("repository: \"http://charts.example.com\", digest: \"{pin}\""), "BadReference"),
        (format!("repository: \"ftp://charts.example.com\", digest: \"{pin}\""), "BadReference"),
        (format!("repository: \"https://u:p@charts.example.com\", digest: \"{pin}\""), "BadReference"),
        (format!("oci: \"https://127.0.0.1:1/a\", digest: \"{pin}\""), "BadReference"),
        (format!("path: alpha.tgz, digest: \"{pin}\""), "OneChartSource"),
    ] {
        refused(&build(&world, &source, &[], &[]), code);
    }
    for named in
        ["http://charts.example.com/alpha.tgz", "file:///etc/passwd", "https://u:p@127.0.0.1:1/alpha.tgz"]
    {
        let web = repository(named);
        refused(&build(&world, &in_repository(&web, Some(&pin)), &[], &[]), "BadReference");
    }
    let web = repository("alpha-1.0.0.tgz");
    web.put("/charts/index.yaml", b"entries: {alpha: []}\n");
    refused(&build(&world, &in_repository(&web, Some(&pin)), &[], &[]), "NotFound");
}
