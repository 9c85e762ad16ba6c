//! The vendor's side: publishing is whole, idempotent, and invisible before its time.

use pdp_e2e::{Harm, Program, Running, World};
use serde_json::Value;

fn traffic(world: &World, args: &[&str]) -> (bool, u64) {
    let mut args = args.to_vec();
    args.extend(["-o", "json"]);
    let value: Value = serde_json::from_str(&world.publisher(&args).unwrap().stdout).unwrap();
    (value["alreadyPublished"].as_bool().unwrap(), value["traffic"]["blobsUploaded"].as_u64().unwrap())
}

/// Level 40, built and signed.
pub(crate) fn built(world: &World) -> String {
    let file = World::fixtures().join("pdp-2026/40/release.yaml");
    let out = world.path("level-40").to_string_lossy().into_owned();
    world.publisher(&["release", "build", &file.to_string_lossy(), "--out", &out]).unwrap();
    world.publisher(&["release", "sign", &out, "--key", &world.key("artifact")]).unwrap();
    out
}

#[track_caller]
fn refused(world: &World, args: &[&str], exit: i32, code: &str) {
    let finished = world.run(Program::Publisher, args, &[]).unwrap();
    let said = finished.stderr.contains(&format!("error[{code}]")) && finished.stderr.contains("hint:");
    assert!(
        finished.code == Some(exit) && said,
        "{code}: {args:?}: {:?}\n{}",
        finished.code,
        finished.stderr
    );
}

#[test]
fn killed_in_the_middle_and_run_again_it_ends_whole_and_uploads_nothing_twice() {
    let world = World::start().unwrap();
    let out = built(&world);
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    let args = ["release", "publish", &out, "--key", &ci, "--key", &person];
    // The registry falls silent at the manifests; the publisher is killed there.
    world.registry.faults().add("PUT", "/manifests/", Harm::Silent, None);
    let mut command = world.command(Program::Publisher).unwrap();
    command.args(args);
    let mut killed = Running::start(command, world.path("killed.log")).unwrap();
    let mut asked = Vec::new();
    pdp_e2e::wait_for("the manifests", || {
        asked.extend(world.registry.faults().take_asked());
        asked.iter().any(|request| request.starts_with("PUT") && request.contains("/manifests/"))
    })
    .unwrap();
    killed.kill();
    world.registry.faults().clear();
    assert!(world.git.git("catalog", &["branch", "--list", "proposals/*"]).unwrap().is_empty());
    assert_eq!(traffic(&world, &args), (false, 0), "the blobs were there already");
    world.publish_catalog().unwrap();
    assert_eq!(traffic(&world, &args), (true, 0));
}

#[test]
fn a_dry_run_looks_everywhere_and_writes_nothing() {
    let world = World::start().unwrap();
    let out = built(&world);
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    let args = ["release", "publish", &out, "--key", &ci, "--key", &person];
    let branches = || world.git.git("catalog", &["show-ref"]).unwrap();
    let is_pushed = || world.registry.content().manifest("pdp/pdp-2026", "40").unwrap().is_some();
    let before = branches();
    let dry = world.publisher(&[&args[..], &["--dry-run"]].concat()).unwrap();
    let words = "would be in the registry; would be proposed on `proposals/releases-2` with 2 signature(s)";
    assert!(dry.stdout.contains(words), "{}", dry.stdout);
    assert!(branches() == before && !is_pushed(), "{}", dry.stderr);
    world.publisher(&args).unwrap();
    assert!(branches() != before && is_pushed());
    // What isn't signed is refused all the same.
    let file = World::fixtures().join("pdp-2026/41/release.yaml");
    let unsigned = world.path("level-41").to_string_lossy().into_owned();
    world.publisher(&["release", "build", &file.to_string_lossy(), "--out", &unsigned]).unwrap();
    let args = ["release", "publish", &unsigned, "--key", &ci, "--key", &person, "--dry-run"];
    refused(&world, &args, 2, "Unsigned");
}

#[test]
fn two_people_at_two_places_sign_one_proposal() {
    let world = World::start().unwrap();
    let out = built(&world);
    world.publisher(&["release", "publish", &out, "--key", &world.key("ci")]).unwrap();
    let waiting = world
        .publisher(&["catalog", "publish", "--key", &world.key("snapshot"), "--key", &world.key("timestamp")])
        .unwrap();
    assert!(
        waiting.stderr.contains("`proposals/releases-2` waits: 1 more signature(s) needed"),
        "{}",
        waiting.stderr
    );
    let signed = world.sign_proposal("proposals/releases-2", &world.key("release-2")).unwrap();
    for shown in [
        "► role releases: version 1 → 2, expires",
        "► targets/release-pdp-2026-40.json: new",
        "  + level: 40",
    ] {
        assert!(signed.stderr.contains(shown), "{shown} in {}", signed.stderr);
    }
    world.publish_catalog().unwrap();
    world.publisher(&["release", "show", "40", "--line", "pdp-2026"]).unwrap_err();
    let (a, b) = (world.key("manager-1"), world.key("manager-2"));
    world.publisher(&["release", "promote", "40", "--line", "pdp-2026", "--key", &a, "--key", &b]).unwrap();
    world.publish_catalog().unwrap();
    let shown = world.publisher(&["release", "show", "40", "--line", "pdp-2026"]).unwrap();
    assert!(shown.stdout.contains("choreo-connect-router"), "{}", shown.stdout);
    let channel = world.publisher(&["channel", "show", "--line", "pdp-2026"]).unwrap();
    assert!(channel.stdout.contains("nobody yet"), "{}", channel.stdout);
}

#[test]
fn a_nonsense_proposal_and_a_smuggled_file_keep_nobody_from_publishing() {
    let world = World::start().unwrap();
    let out = built(&world);
    let nonsense = [("metadata/releases.json".to_owned(), b"nonsense".to_vec())].into();
    world.git.overwrite("catalog", "proposals/channels-2", &nonsense).unwrap();
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    world.publisher(&["release", "publish", &out, "--key", &ci, "--key", &person]).unwrap();
    let mut files = world.git.files("catalog", "proposals/releases-2").unwrap();
    files.insert("targets/channel-pdp-2026.json".into(), b"smuggled".to_vec());
    world.git.overwrite("catalog", "proposals/releases-2", &files).unwrap();
    world.publish_catalog().unwrap();
    let files = world.git.files("catalog", "catalog").unwrap();
    assert!(files.contains_key("targets/release-pdp-2026-40.json"));
    assert_ne!(files["targets/channel-pdp-2026.json"], b"smuggled");
}

#[test]
fn rubbish_on_a_proposals_branch_is_passed_over_and_named() {
    let world = World::start().unwrap();
    let out = built(&world);
    let git = &world.git;
    let commit = |branch: &str, tree: &str| {
        let identity =
            ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", "-m", "x", tree];
        let commit = git.git("catalog", &identity).unwrap();
        git.git("catalog", &["update-ref", &format!("refs/heads/{branch}"), commit.trim()]).unwrap();
    };
    let blob = |content: &[u8]| {
        git.git_with_input("catalog", &["hash-object", "-w", "--stdin"], content).unwrap().trim().to_owned()
    };
    let tree =
        |list: String| git.git_with_input("catalog", &["mktree"], list.as_bytes()).unwrap().trim().to_owned();
    commit("proposals/channels-90", &tree(format!("120000 blob {}\tmetadata\n", blob(b"/etc/passwd"))));
    commit("proposals/channels-91", &tree(format!("100644 blob {}\tlarge\n", blob(&vec![0; 40 << 20]))));
    let same = blob(b"");
    let many = (0..20_000).map(|n| format!("100644 blob {same}\t{n:05}\n")).collect();
    commit("proposals/channels-92", &tree(many));
    let unfinished = [("metadata/channels.json".to_owned(), b"{\"signed\": {".to_vec())].into();
    git.overwrite("catalog", "proposals/channels-93", &unfinished).unwrap();
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    world.publisher(&["release", "publish", &out, "--key", &ci, "--key", &person]).unwrap();
    let (snapshot, timestamp) = (world.key("snapshot"), world.key("timestamp"));
    let published =
        world.publisher(&["catalog", "publish", "--key", &snapshot, "--key", &timestamp]).unwrap();
    let told = published.stdout + &published.stderr;
    for (branch, why) in [
        ("proposals/channels-90", "UnsafePath"),
        ("proposals/channels-91", "TooLarge"),
        ("proposals/channels-92", "TooLarge"),
        ("proposals/channels-93", ""),
    ] {
        assert!(told.lines().any(|line| line.contains(branch) && line.contains(why)), "{branch}: {told}");
    }
    let files = world.git.files("catalog", "catalog").unwrap();
    assert!(files.contains_key("targets/release-pdp-2026-40.json"));
}

#[test]
fn a_credential_helper_is_asked_once_a_run() {
    let world = World::start().unwrap();
    let asked = world.path("asked");
    world.git.require(Some(pdp_e2e::Login::Basic("u".into(), "secret".into())));
    let helper =
        format!("!f() {{ echo asked >> {}; echo username=u; echo password=secret; }}; f", asked.display());
    let env = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "credential.helper"),
        ("GIT_CONFIG_VALUE_0", helper.as_str()),
    ];
    let (snapshot, timestamp) = (world.key("snapshot"), world.key("timestamp"));
    let args = ["catalog", "publish", "--key", &snapshot, "--key", &timestamp];
    world.git.take_exchanges();
    let done = world.run(Program::Publisher, &args, &env).unwrap();
    assert!(done.ok(), "{}", done.stderr);
    assert_eq!(std::fs::read_to_string(asked).unwrap(), "asked\n");
    let refused = world.git.take_exchanges().into_iter().filter(|e| e.status == 401);
    assert_eq!(refused.count(), 1, "the host asked once");
}

#[test]
fn nobody_is_made_to_sign_a_proposal_that_was_changed_under_their_hands() {
    let world = World::start().unwrap();
    let out = built(&world);
    world.publisher(&["release", "publish", &out, "--key", &world.key("ci")]).unwrap();
    let mut files = world.git.files("catalog", "proposals/releases-2").unwrap();
    let mut role: Value = serde_json::from_slice(&files["metadata/releases.json"]).unwrap();
    role["signed"]["expires"] = "2099-01-01T00:00:00Z".into();
    files.insert("metadata/releases.json".into(), role.to_string().into_bytes());
    world.git.overwrite("catalog", "proposals/releases-2", &files).unwrap();
    let own = world.publisher(&["release", "publish", &out, "--key", &world.key("release-1")]).unwrap();
    assert!(own.stdout.contains("proposed on `proposals/releases-2-"), "{}", own.stdout);
    assert!(own.stdout.contains("with 1 signature(s)"), "{}", own.stdout);
    let left = world.git.files("catalog", "proposals/releases-2").unwrap();
    assert_eq!(left, files, "nobody signed what was changed");
}

#[test]
fn nobody_signs_a_file_that_is_another_one_than_the_proposal_shows() {
    let world = World::start().unwrap();
    let out = built(&world);
    world.publisher(&["release", "publish", &out, "--key", &world.key("ci")]).unwrap();
    let branch = "proposals/releases-2";
    let mut files = world.git.files("catalog", branch).unwrap();
    let shown = files.get_mut("targets/release-pdp-2026-40.json").unwrap();
    *shown = String::from_utf8(shown.clone()).unwrap().replace("40", "41").into_bytes();
    world.git.overwrite("catalog", branch, &files).unwrap();
    let before = world.git.git("catalog", &["rev-parse", branch]).unwrap();
    refused(&world, &["catalog", "sign", branch, "--key", &world.key("release-2")], 2, "ProposalNotWhole");
    assert_eq!(world.git.git("catalog", &["rev-parse", branch]).unwrap(), before, "nothing was signed");
}

#[test]
fn each_mistake_has_its_code_and_exit() {
    let world = World::start().unwrap();
    let out = built(&world);
    let (ci, person, manager) = (world.key("ci"), world.key("release-1"), world.key("manager-1"));
    let artifact = world.key("artifact");
    refused(&world, &["release", "publish", &out, "--key", &manager], 2, "KeyWithoutRole");
    refused(&world, &["release", "promote", "40", "--line", "pdp-2026", "--key", &artifact], 11, "NotFound");
    let publish = ["release", "publish", &out, "--key", &ci, "--key", &person];
    for (harm, exit, code) in [
        (Harm::Status(401), 4, "LoginNeeded"),
        (Harm::Status(404), 2, "NotFound"),
        (Harm::RateLimited, 2, "RateLimited"),
        (Harm::Status(500), 2, "ServerFailed"),
    ] {
        world.registry.faults().add("POST", "/v2/", harm, None);
        refused(&world, &publish, exit, code);
        world.registry.faults().clear();
    }
    world.publisher(&publish).unwrap();
    // The same level with another content, built elsewhere.
    let text = std::fs::read_to_string(World::fixtures().join("pdp-2026/40/release.yaml")).unwrap();
    let other = world.path("line/40");
    std::fs::create_dir_all(&other).unwrap();
    for folder in ["charts", "manifests"] {
        std::os::unix::fs::symlink(
            World::fixtures().join("pdp-2026").join(folder),
            world.path("line").join(folder),
        )
        .unwrap();
    }
    let file = other.join("release.yaml");
    std::fs::write(&file, text.replace("2026.11.0", "2026.11.99")).unwrap();
    let rewritten = world.path("rewritten").to_string_lossy().into_owned();
    world.publisher(&["release", "build", &file.to_string_lossy(), "--out", &rewritten]).unwrap();
    world.publisher(&["release", "sign", &rewritten, "--key", &artifact]).unwrap();
    let again = ["release", "publish", &rewritten, "--key", &ci, "--key", &person];
    let tag = || world.registry.content().manifest("pdp/pdp-2026", "40").unwrap().unwrap().digest;
    let tagged = tag();
    refused(&world, &again, 2, "LevelRewritten");
    assert_eq!(tag(), tagged, "a colleague's open proposal keeps its tag");
    world.publish_catalog().unwrap();
    refused(&world, &again, 2, "LevelRewritten");
    refused(&world, &["catalog", "init", &world.path("vendor/catalog").to_string_lossy()], 2, "BranchMoved");
}

#[test]
fn the_brake_and_a_withdrawal_reach_data_planes_without_a_server() {
    let world = World::start().unwrap();
    world.release(40, "emergency").unwrap();
    world.open(40, &["general=100"]).unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    let (a, b) = (world.key("manager-1"), world.key("manager-2"));
    let keys = ["--line", "pdp-2026", "--key", &a, "--key", &b];
    let says = |args: &[&str], code: &str| {
        world.publisher(&[args, &keys].concat()).unwrap();
        world.publish_catalog().unwrap();
        plane.pass(&world, &[]).unwrap();
        let status = plane.status().unwrap();
        assert_eq!(
            (plane.level(), status["obstacles"][0]["code"].as_str()),
            (None, Some(code)),
            "{status:#}"
        );
    };
    says(&["channel", "stop", "--reason", "investigating"], "Stopped");
    says(&["release", "withdraw", "40", "--reason", "crashes"], "Stopped");
    says(&["channel", "stop", "--release"], "Withdrawn");
}

#[test]
fn the_catalog_travels_by_oci_and_by_folder_too_and_refresh_keeps_it_young() {
    let world = World::start().unwrap();
    world.release(40, "emergency").unwrap();
    world.open(40, &["general=100"]).unwrap();
    let place = format!("{}/pdp/catalog", world.registry.host());
    let (snapshot, timestamp) = (world.key("snapshot"), world.key("timestamp"));
    world
        .publisher(&["catalog", "refresh", "--key", &snapshot, "--key", &timestamp, "--oci", &place])
        .unwrap();
    let folder = world.path("carried");
    for (path, content) in world.git.files("catalog", "catalog").unwrap() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let sources = [
        ("oci", format!("{{oci: {{repository: \"{place}\", tag: latest}}}}")),
        ("folder", format!("{{folder: {{path: {}}}}}", folder.display())),
    ];
    for (name, source) in sources {
        let host = world.registry.host();
        let plane = world.data_plane_on("acme", name, "general", &source, &host, "").unwrap();
        let pass = plane.pass(&world, &[]).unwrap();
        assert_eq!(plane.level(), Some(40), "{name}: {}", pass.stderr);
    }
}

#[test]
fn a_promotion_that_would_strand_an_installed_level_is_refused() {
    let world = World::start().unwrap();
    world.release(41, "emergency").unwrap();
    let needs_42 = |line: &mut pdp_e2e::Line| {
        line.release["requires"] = serde_json::json!({ "from": 42 });
        Ok(())
    };
    let refused = world.release_with(43, "emergency", needs_42).unwrap_err();
    let words = format!("{refused:#}");
    assert!(words.contains("Stranded") && words.contains("level 41"), "{words}");
    world.publish_catalog().unwrap();
    world.release(42, "emergency").unwrap();
    let (a, b) = (world.key("manager-1"), world.key("manager-2"));
    let promote = ["release", "promote", "43", "--line", "pdp-2026", "--key", &a, "--key", &b];
    world.publisher(&promote).unwrap();
}
