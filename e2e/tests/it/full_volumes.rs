//! Volumes that are really full: what doesn't fit is said in words, nothing is half done, and once there is room it
//! goes on by itself.

use std::collections::BTreeSet;
use std::path::Path;

use pdp_e2e::{DataPlane, Finished, Program, Running, Volume, World, wait_for};
use serde_json::Value;

use crate::base::{Files, base};

/// What is ample for everything here.
const AMPLE: &str = "size=64m,nr_inodes=10000";

/// A data plane with its state, or only the cache in it, on a volume of its own.
struct Tight {
    catalog: String,
    plane: DataPlane,
    volume: Volume,
}

impl Tight {
    fn new(name: &str, folder: &str, options: &str) -> Self {
        let world = &base().world;
        let catalog = format!("catalog-{name}");
        let url = world.git.create(&catalog).unwrap();
        let source = format!("{{git: {{url: \"{url}\", branch: catalog}}}}");
        let host = world.registry.host();
        let made = world.data_plane_on("tight", name, "general", &source, &host, "  interval: 1s\n");
        let plane = made.unwrap();
        let volume = Volume::mount(&plane.state.join(folder), options).unwrap();
        let tight = Self { catalog, plane, volume };
        tight.serve(&base().at_41);
        tight
    }

    /// With its state on the volume, at level 41.
    fn at_41(name: &str) -> Self {
        let tight = Self::new(name, "", AMPLE);
        tight.keep_the_cache_elsewhere();
        assert!(tight.pass().ok());
        assert_eq!(tight.level(), Some(41));
        tight
    }

    /// The cache wants more free space than the state ever takes.
    fn keep_the_cache_elsewhere(&self) {
        let elsewhere = base().world.path(&format!("{}-cache", self.plane.name));
        std::fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, self.volume.path("cache")).unwrap();
    }

    fn serve(&self, files: &Files) {
        base().world.git.overwrite(&self.catalog, "catalog", files).unwrap();
    }

    fn pass(&self) -> Finished {
        self.pass_with(&[])
    }

    fn pass_with(&self, env: &[(&str, &str)]) -> Finished {
        let mut command = self.command();
        let output = command.args(["--once", "-o", "json"]).envs(env.iter().copied()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    fn start(&self) -> Running {
        let log = base().world.path(&format!("{}.log", self.plane.name));
        Running::start(self.command(), log).unwrap()
    }

    fn command(&self) -> std::process::Command {
        let mut command = base().world.command(Program::PdpSync).unwrap();
        command.args(["run", "--subscription"]).arg(&self.plane.subscription);
        command.arg("--state").arg(&self.plane.state);
        self.volume.inside(command)
    }

    /// A pass that the full volume ends: in words, with the code for it.
    fn says_that_it_is_full(&self) -> Finished {
        let pass = self.pass();
        let said = said(&pass);
        assert_eq!(pass.code, Some(2), "{said}");
        assert!(is_full(&pass), "{said}");
        assert!(said.contains("cause") && said.contains("free some space"), "{said}");
        pass
    }

    fn level(&self) -> Option<u64> {
        let status = std::fs::read(self.plane.state.join("status.json"));
        let status = status.or_else(|_| std::fs::read(self.volume.path("status.json"))).ok()?;
        serde_json::from_slice::<Value>(&status).ok()?["level"].as_u64()
    }

    /// Subjects of what it wrote into the customer's repository, newest first.
    fn commits(&self) -> Vec<String> {
        let log = base().world.git.git(&self.plane.name, &["log", "--format=%s", "main"]);
        log.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Files of the state, without the status, which only tells.
    fn kept(&self) -> Files {
        let mut files = files(&self.volume.path(""));
        files.retain(|name, _| !["status.json", "lock", "filled"].contains(&name.as_str()));
        files
    }
}

/// What a pass says, wherever it says it.
fn said(pass: &Finished) -> String {
    let status: Value = serde_json::from_str(&pass.stdout).unwrap_or_default();
    format!("{}{}", status["waitingFor"].as_str().unwrap_or_default(), pass.stderr)
}

/// In its status, or as its own end.
fn is_full(pass: &Finished) -> bool {
    said(pass).contains("error[DiskFull]: ") || pass.error().as_deref() == Some("DiskFull")
}

/// Plain files of a folder.
fn files(folder: &Path) -> Files {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    entries.filter(|path| path.is_file()).map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
}

/// All names below a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { names(&path) } else { vec![path.to_string_lossy().into_owned()] })
        .collect()
}

/// A catalog with so many megabytes beside it that nobody can compress, other ones for each number.
fn with_junk(catalog: &Files, number: u64, megabytes: u64) -> Files {
    let file = |at: u64| {
        let mut state = number * 1000 + at + 1;
        // Marsaglia's xorshift: the same in each run.
        let next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()
        };
        std::iter::repeat_with(next).take(125_000).flatten().collect::<Vec<u8>>()
    };
    let junk = (0..megabytes).map(|at| (format!("junk/{at}"), file(at)));
    catalog.clone().into_iter().chain(junk).collect()
}

#[test]
fn a_catalog_that_does_not_fit_is_refused_in_words_and_taken_once_it_fits() {
    let junk = with_junk(&base().at_41, 0, 6);
    let cases = [
        ("not-even-a-repository", "size=8k", &base().at_41),
        ("no-reserve", "size=1m", &base().at_41),
        ("in-the-midst-of-a-pack", "size=12m", &junk),
    ];
    for (name, options, catalog) in cases {
        let tight = Tight::new(name, "cache", options);
        tight.serve(catalog);
        for _ in 0..2 {
            let said = said(&tight.says_that_it_is_full());
            assert!(said.contains(&tight.plane.state.join("cache").to_string_lossy().into_owned()), "{said}");
            assert_eq!((tight.level(), tight.commits()), (None, vec![]), "{name}: nothing was begun");
            let left = names(&tight.volume.path(""));
            assert!(!left.iter().any(|path| path.contains("_git2_") || path.ends_with(".pack")), "{left:?}");
        }
        tight.volume.resize(AMPLE).unwrap();
        let pass = tight.pass();
        assert_eq!((pass.code, tight.level()), (Some(0), Some(41)), "{name}: {}", pass.stderr);
    }
}

/// Lets the volume grow by a step after each pass until level 41 is there: so it is full once at every write.
fn grows_until_41(tight: &Tight, sizes: impl Iterator<Item = String>) {
    let mut passes = 0;
    for size in sizes {
        tight.volume.resize(&size).unwrap();
        passes += 1;
        let pass = tight.pass();
        if pass.ok() {
            break;
        }
        let said = said(&pass);
        assert!(pass.code == Some(2) && is_full(&pass), "{size}: {said}");
    }
    assert!(passes > 10, "it was full at no write");
    assert_eq!(tight.level(), Some(41), "after {passes} passes");
    let commits = tight.commits();
    let once: BTreeSet<_> = commits.iter().collect();
    assert_eq!(once.len(), commits.len(), "one commit per stage: {commits:?}");
}

fn one_file_more_each() -> impl Iterator<Item = String> {
    (1..400).map(|files| format!("size=64m,nr_inodes={files}"))
}

#[test]
fn full_at_every_file_of_the_cache() {
    grows_until_41(&Tight::new("cache-by-files", "cache", "nr_inodes=1"), one_file_more_each());
}

#[test]
fn full_at_every_file_of_the_state() {
    grows_until_41(&Tight::new("state-by-files", "", "nr_inodes=1"), one_file_more_each());
}

#[test]
fn full_at_every_page_of_the_state() {
    let tight = Tight::new("state-by-pages", "", "size=4k");
    tight.keep_the_cache_elsewhere();
    grows_until_41(&tight, (1..400).map(|pages| format!("size={}k", 4 * pages)));
}

#[test]
fn with_a_full_state_nothing_starts_and_nothing_is_lost() {
    let tight = Tight::at_41("full-state");
    let (commits, kept) = (tight.commits(), tight.kept());
    tight.serve(&base().at_42);
    tight.volume.fill().unwrap();
    for _ in 0..2 {
        tight.says_that_it_is_full();
        assert_eq!((tight.commits(), tight.kept()), (commits.clone(), kept.clone()), "as it was");
    }
    tight.volume.free().unwrap();
    let pass = tight.pass();
    assert_eq!((pass.code, tight.level()), (Some(0), Some(42)), "{}", pass.stderr);
}

#[test]
fn full_in_mid_apply_it_goes_on_from_there() {
    let tight = Tight::at_41("full-in-mid-apply");
    tight.serve(&base().at_42);
    assert_eq!(tight.pass_with(&[("PDP_FAULT", "after-push-2")]).code, None, "killed in mid-apply");
    let (commits, kept) = (tight.commits(), tight.kept());
    tight.volume.fill().unwrap();
    tight.says_that_it_is_full();
    assert_eq!((tight.commits(), tight.kept()), (commits, kept), "no stage that nobody would remember");
    tight.volume.free().unwrap();
    assert!(tight.pass().ok());
    assert_eq!(tight.level(), Some(42));
    let of_42 = tight.commits().iter().filter(|subject| subject.starts_with("Level 42")).count();
    assert_eq!(of_42, 3, "one commit per stage");
}

#[test]
fn running_on_it_waits_for_room_and_then_keeps_what_it_saw_meanwhile() {
    let tight = Tight::at_41("full-while-running");
    let floors = || tight.kept()["floors.json"].clone();
    let before = floors();
    let mut running = tight.start();
    wait_for("a pass", || running.stderr().contains("pass level")).unwrap();
    tight.volume.fill().unwrap();
    tight.serve(&base().at_42);
    let told = |times: usize| running.stderr().matches("floors.json").count() >= times;
    wait_for("two passes that say so", || told(2)).unwrap();
    assert_eq!((tight.level(), floors()), (Some(41), before.clone()));
    tight.volume.free().unwrap();
    wait_for("level 42", || tight.level() == Some(42)).unwrap();
    assert_ne!(floors(), before, "a restart knows what was seen");
    assert!(running.end().is_none(), "{}", running.stderr());
}

#[test]
fn a_cache_that_fills_its_volume_begins_anew() {
    let tight = Tight::new("full-of-itself", "cache", "size=16m");
    let mut full = 0;
    for number in 0..12 {
        // One more pack each time; few enough that the cache's own limits never count.
        tight.serve(&with_junk(&base().at_41, number, 2));
        let pass = tight.pass();
        if !pass.ok() {
            full += 1;
            assert!(is_full(&pass), "{}", said(&pass));
            assert!(tight.pass().ok(), "the next pass makes room by itself: {}", said(&pass));
        }
    }
    assert!((1..8).contains(&full), "{full}");
    assert_eq!(tight.level(), Some(41));
}

#[test]
fn a_channel_server_whose_cache_is_full_goes_on_with_what_it_knows_and_follows_once_there_is_room() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.release(41, "emergency").unwrap();
    let server = world.server().unwrap();
    server.kill();
    let cache = Path::new(&server.database).with_extension("cache");
    std::fs::remove_dir_all(&cache).unwrap();
    let volume = Volume::mount(&cache, "size=1m").unwrap();
    let command = volume.inside(world.server_command(server, &[]).unwrap());
    let running = Running::start(command, world.path("tight-server.log")).unwrap();
    let says = |code: &str| running.stderr().contains(code);
    wait_for("words about the volume", || says("DiskFull")).unwrap();
    assert_eq!(server.get("/healthz").unwrap().0, 200);
    assert_eq!(server.get("/readyz").unwrap().0, 503, "it knows no catalog, and says so");
    volume.resize(AMPLE).unwrap();
    server.ready().unwrap();
    let known = |level| world.rollout(level).is_ok_and(|view| !view["created"].is_null());
    wait_for("level 41", || known(41)).unwrap();
    let said_before = running.stderr().matches("DiskFull").count();
    volume.fill().unwrap();
    world.release(42, "emergency").unwrap();
    wait_for("more words", || running.stderr().matches("DiskFull").count() > said_before).unwrap();
    assert!(known(41) && !known(42));
    assert_eq!(server.get("/readyz").unwrap().0, 200, "what it knows still holds");
    volume.free().unwrap();
    wait_for("level 42", || known(42)).unwrap();
    assert!(world.verify_events().unwrap().ok());
}
