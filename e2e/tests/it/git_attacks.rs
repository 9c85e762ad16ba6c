//! Attacks by Git hosts: each collects what it is sent, and serves what costs memory.

use pdp_e2e::{Collector, DataPlane};

use crate::attack::{Attack, note};
use crate::base::base;

const PUSH: &str = "push-secret";
const READ: &str = "read-secret";
const RING: &str = "ring-secret";

/// A data plane with the world's own hosts, but for those that are named here; `more` is YAML.
fn plane(name: &str, catalog: Option<&Collector>, more: &str, target: Option<&Collector>) -> DataPlane {
    let world = &base().world;
    let url =
        catalog.map_or_else(|| world.git.url("catalog"), |host| format!("http://{}/catalog", host.host()));
    let source = format!("{{git: {{url: \"{url}\", branch: catalog}}}}");
    let plane = world.data_plane_on("acme", name, "general", &source, &world.registry_host(), more).unwrap();
    if let Some(target) = target {
        let text = std::fs::read_to_string(&plane.subscription).unwrap();
        let there = format!("http://{}/gitops", target.host());
        std::fs::write(&plane.subscription, text.replace(&world.git.url(&plane.name), &there)).unwrap();
    }
    plane
}

/// One pass with three secrets: of the target, of the catalog, and of git's credential helper.
fn pass(plane: &DataPlane) -> String {
    let helper = format!("!f() {{ echo username=u; echo password={RING}; }}; f");
    let env = [
        ("PDP_SYNC_GIT_TOKEN", PUSH),
        ("PDP_SYNC_CATALOG_GIT_TOKEN", READ),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "credential.helper"),
        ("GIT_CONFIG_VALUE_0", helper.as_str()),
    ];
    let pass = plane.pass(&base().world, &env).unwrap();
    pass.stdout + &pass.stderr
}

/// It asked, was told its own secret alone, and that not before it asked.
fn got_only(host: &Collector, own: &str, told: &str) {
    let requests = host.requests();
    assert!(host.has(own), "{told}\n{requests:#?}");
    assert!(!requests[0].contains("authorization"), "nobody gets a login unasked: {}", requests[0]);
    for secret in [PUSH, READ, RING].into_iter().filter(|secret| *secret != own) {
        assert!(!host.has(secret), "{secret}: {requests:#?}");
    }
}

#[test]
fn three_hosts_collect_what_they_are_sent() {
    let (catalog, ring, target) =
        (Collector::start().unwrap(), Collector::start().unwrap(), Collector::start().unwrap());
    let of_ring = format!(
        "  instruction: {{ringState: {{git: {{url: \"http://{}/ring\", branch: ring-state}}}}}}\n",
        ring.host()
    );
    let told = pass(&plane("all-three", Some(&catalog), &of_ring, Some(&target)));
    got_only(&catalog, READ, &told);
    let told = pass(&plane("ring-alone", None, &of_ring, None));
    got_only(&ring, RING, &told);
    let told = pass(&plane("target-alone", None, "", Some(&target)));
    got_only(&target, PUSH, &told);
    note("git-hosts-collect-logins", "LoginNeeded", "each got its own secret alone, once it asked");
}

/// A commit on a branch whose message is as large as this.
fn message_bomb(repository: &str, branch: &str, bytes: usize) {
    let git = &base().world.git;
    let tree = git.git_with_input(repository, &["mktree"], b"").unwrap();
    let who = "x <x@example.org> 1795420800 +0000";
    let text = format!("tree {}\nauthor {who}\ncommitter {who}\n\n{}", tree.trim(), "m".repeat(bytes));
    let args = ["hash-object", "-w", "-t", "commit", "--literally", "--stdin"];
    let commit = git.git_with_input(repository, &args, text.as_bytes()).unwrap();
    git.git(repository, &["update-ref", &format!("refs/heads/{branch}"), commit.trim()]).unwrap();
}

#[test]
fn a_commit_that_is_a_bomb() {
    let attack = Attack::on_level_41("commit-bomb");
    message_bomb(attack.catalog_repository(), "catalog", 40 << 20);
    attack.is_refused_with("TooLarge");
}

#[test]
fn a_folder_of_half_a_million_names() {
    let attack = Attack::on_level_41("names-bomb");
    let (git, repository) = (&attack.base.world.git, attack.catalog_repository());
    let blob = git.git_with_input(repository, &["hash-object", "-w", "--stdin"], b"").unwrap();
    let list: String = (0..500_000).map(|n| format!("100644 blob {}\t{n:06}\n", blob.trim())).collect();
    let tree = git.git_with_input(repository, &["mktree"], list.as_bytes()).unwrap();
    let identity =
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", "-m", "x", tree.trim()];
    let commit = git.git(repository, &identity).unwrap();
    git.git(repository, &["update-ref", "refs/heads/catalog", commit.trim()]).unwrap();
    attack.is_refused_with("TooLarge");
}

#[test]
fn ring_state_and_target_that_are_bombs() {
    let world = &base().world;
    let url = world.git.create("ring-bomb").unwrap();
    message_bomb("ring-bomb", "ring-state", 40 << 20);
    let of_ring = format!("  instruction: {{ringState: {{git: {{url: \"{url}\", branch: ring-state}}}}}}\n");
    let ring = plane("ring-bomb", None, &of_ring, None);
    let pass = ring.pass(world, &[]).unwrap();
    assert!((pass.stdout + &pass.stderr).contains("TooLarge"));
    let target = plane("target-bomb", None, "", None);
    message_bomb(&target.name, "main", 40 << 20);
    let pass = target.pass(world, &[]).unwrap();
    let told = pass.stdout + &pass.stderr;
    assert!(told.contains("RepositoryTooLarge"), "{told}");
    note("git-bombs", "TooLarge", "refused before it was inflated");
}
