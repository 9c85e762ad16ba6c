//! People in different places who hold the vendor's keys, each in a folder of their own.

use std::path::PathBuf;

use pdp_e2e::{Finished, Program, World};
use serde_json::Value;

/// Three people and two machines: whoever signs freshness, and the channel server.
pub(crate) const PLAN: &str = "\
line: pdp-2026
roles:
  root: { threshold: 2, holders: [alice, bob, carol] }
  targets: { threshold: 2, holders: [alice, bob, carol] }
  releases: { threshold: 2, holders: [alice, bob, ci] }
  channels: { threshold: 2, holders: [alice, bob, carol] }
  snapshot: { threshold: 1, holders: [online] }
  timestamp: { threshold: 1, holders: [online, spare] }
director: [server]
artifact: [ci]
";

/// The files of one ceremony.
pub(crate) struct Ceremony<'a> {
    pub(crate) world: &'a World,
    /// The folder of its files; people's keys lie in `vendor/<person>`.
    folder: String,
}

impl<'a> Ceremony<'a> {
    pub(crate) fn start(world: &'a World, folder: &str, plan: &str) -> Self {
        let ceremony = Self { world, folder: folder.to_owned() };
        std::fs::create_dir_all(world.path(folder)).unwrap();
        std::fs::write(ceremony.path("plan.yaml"), plan).unwrap();
        let started =
            ceremony.run(&["start", "--plan", &ceremony.file("plan.yaml"), "--out", &ceremony.file("start")]);
        assert!(started.ok(), "{}", started.stderr);
        ceremony
    }

    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        let all: Vec<_> = ["key", "ceremony"].iter().chain(args).copied().chain(["-o", "json"]).collect();
        self.world.run(Program::Publisher, &all, &[]).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.world.path(&self.folder).join(name)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    pub(crate) fn keys(&self, person: &str) -> String {
        self.file(&format!("keys-{person}"))
    }

    pub(crate) fn join(&self, person: &str) -> Finished {
        let (keys, out) = (self.keys(person), self.file(&format!("join-{person}")));
        self.run(&["join", &self.file("start"), "--as", person, "--keys", &keys, "--out", &out])
    }

    pub(crate) fn join_all(&self) {
        for person in ["alice", "bob", "carol", "ci", "online", "spare", "server"] {
            let joined = self.join(person);
            assert!(joined.ok(), "{person}: {}", joined.stderr);
        }
    }

    /// The files of start and of everybody who joined.
    pub(crate) fn joined(&self) -> Vec<String> {
        let mut files = vec![self.file("start")];
        files.extend(self.named("join-"));
        files
    }

    pub(crate) fn named(&self, prefix: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.world.path(&self.folder)).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
        let mut found: Vec<_> = names.filter(|name| name.starts_with(prefix)).collect();
        found.sort();
        found.iter().map(|name| self.file(name)).collect()
    }

    pub(crate) fn status(&self, files: &[String]) -> Finished {
        let args: Vec<_> = ["status"].into_iter().chain(files.iter().map(String::as_str)).collect();
        self.run(&args)
    }

    /// What everybody compares by telephone.
    pub(crate) fn draft(&self) -> String {
        let status = self.status(&self.joined());
        assert!(status.ok(), "{}", status.stderr);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        status["draft"].as_str().unwrap().to_owned()
    }

    pub(crate) fn sign(&self, person: &str, files: &[String], more: &[&str]) -> Finished {
        let (keys, out) = (self.keys(person), self.file(&format!("sign-{person}")));
        let files = files.iter().map(String::as_str);
        let args = ["sign", "--as", person, "--keys", &keys, "--out", &out];
        let args: Vec<_> = args.into_iter().chain(files).chain(more.iter().copied()).collect();
        self.run(&args)
    }

    pub(crate) fn sign_all(&self) {
        let (files, draft) = (self.joined(), self.draft());
        for person in ["alice", "bob", "carol", "ci"] {
            let signed = self.sign(person, &files, &["--expect", &draft]);
            assert!(signed.ok(), "{person}: {}", signed.stderr);
        }
    }

    pub(crate) fn finish(&self, files: &[String], out: &str) -> Finished {
        let (snapshot, timestamp) = (self.key("online", "snapshot"), self.key("online", "timestamp"));
        let files = files.iter().map(String::as_str);
        let args = ["finish", "--out", out, "--key", &snapshot, "--key", &timestamp];
        let args: Vec<_> = args.into_iter().chain(files).collect();
        self.run(&args)
    }

    /// All files.
    pub(crate) fn all(&self) -> Vec<String> {
        self.joined().into_iter().chain(self.named("sign-")).collect()
    }

    /// A person's private key for something.
    pub(crate) fn key(&self, person: &str, seat: &str) -> String {
        format!("{}/{person}-{seat}.key", self.keys(person))
    }
}

/// A vendor founded by three people on machines of their own; its first catalog is on the Git host.
pub(crate) fn found(world: &World) -> Ceremony<'_> {
    let ceremony = Ceremony::start(world, "ceremony", PLAN);
    ceremony.join_all();
    ceremony.sign_all();
    let catalog = world.path("vendor/catalog").to_string_lossy().into_owned();
    std::fs::create_dir_all(world.path("vendor")).unwrap();
    let finished = ceremony.finish(&ceremony.all(), &catalog);
    assert!(finished.ok(), "{}", finished.stderr);
    world.publisher(&["catalog", "init", &catalog]).unwrap();
    ceremony
}
