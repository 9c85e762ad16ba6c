//! Hostile repositories, and what they cost in memory. Alone in its process: the peak is the whole process's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::ZlibEncoder};
use pdp_e2e::GitHost;
use pdp_transport::git::{GitOptions, Limits, Remote};
use pdp_transport::{Exceptions, HttpOptions, Kind, LoginSource};

/// More than this above the resting size is too much (kB).
const MOST: u64 = 10 * 1024;

fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Starts the peak anew, and says where it starts (kB).
fn rest() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    memory("VmHWM")
}

struct Bombs {
    host: GitHost,
}

impl Bombs {
    fn object(&self, kind: &str, content: &[u8]) -> String {
        let args = ["hash-object", "-w", "-t", kind, "--literally", "--stdin"];
        self.host.git_with_input("bombs", &args, content).unwrap().trim().to_owned()
    }

    fn branch(&self, name: &str, commit: &str) {
        self.host.git("bombs", &["update-ref", &format!("refs/heads/{name}"), commit]).unwrap();
    }

    fn commit(&self, tree: &str, message: &str) -> String {
        let who = "x <x@example.org> 1795420800 +0000";
        let text = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\n{message}\n");
        self.object("commit", text.as_bytes())
    }

    /// So many names for the same thing.
    fn names(&self, count: usize, mode: &str, id: &str) -> String {
        let id = raw_id(id);
        let mut tree = Vec::new();
        for number in 0..count {
            write!(tree, "{mode} {number:07}\0").unwrap();
            tree.extend(&id);
        }
        self.object("tree", &tree)
    }

    /// A folder with a file that is written as a change of another one: 64 MiB out of some kilobytes.
    fn delta(&self) -> String {
        let (base, copies) = (vec![b'x'; 1 << 16], 1 << 10);
        let after = base.len() * copies;
        let mut delta = [number(base.len()), number(after)].concat();
        // Copy from offset 0, length 0x10000, which is written as no length at all.
        delta.extend(std::iter::repeat_n(0x80, copies));
        let content = vec![b'x'; after];
        let id = self.object("blob", &content);
        std::fs::remove_file(self.host.path("bombs").join("objects").join(&id[..2]).join(&id[2..])).unwrap();
        let base_id = self.object("blob", &base);
        let mut pack = b"PACK\0\0\0\x02\0\0\0\x02".to_vec();
        pack.extend(
            [head(3, base.len()), zlib(&base), head(7, delta.len()), raw_id(&base_id), zlib(&delta)].concat(),
        );
        pack.extend(sha1(&pack));
        self.host.git_with_input("bombs", &["index-pack", "--stdin"], &pack).unwrap();
        let tree =
            [b"100644 after\0".to_vec(), raw_id(&id), b"100644 base\0".to_vec(), raw_id(&base_id)].concat();
        self.object("tree", &tree)
    }
}

/// Twenty bytes.
fn raw_id(id: &str) -> Vec<u8> {
    (0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}

/// The checksum that ends a pack.
fn sha1(pack: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, pack).as_ref().to_vec()
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::best());
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

fn head(kind: u8, size: usize) -> Vec<u8> {
    let mut out = vec![(kind << 4) | (size & 15) as u8 | 0x80];
    out.extend(number(size >> 4));
    out
}

fn number(mut size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while size > 0x7f {
        out.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
    out
}

fn bombs(folder: &Path) -> Bombs {
    let host = GitHost::start(folder).unwrap();
    host.create("bombs").unwrap();
    let bombs = Bombs { host };
    let empty = bombs.object("blob", b"");
    bombs.branch("names", &bombs.commit(&bombs.names(1_000_000, "100644", &empty), "m"));
    let few = bombs.names(20_000, "100644", &empty);
    bombs.branch("level", &bombs.commit(&bombs.names(20_000, "40000", &few), "m"));
    let mut deep = bombs.names(1, "100644", &empty);
    for _ in 0..200 {
        deep = bombs.names(1, "40000", &deep);
    }
    bombs.branch("deep", &bombs.commit(&deep, "m"));
    let mut wide = bombs.names(10, "100644", &empty);
    for _ in 0..10 {
        wide = bombs.names(10, "40000", &wide);
    }
    bombs.branch("wide", &bombs.commit(&wide, "m"));
    let tree = bombs.names(1, "100644", &empty);
    bombs.branch("message", &bombs.commit(&tree, &"m".repeat(300 << 20)));
    bombs.branch(
        "file",
        &bombs.commit(&bombs.names(1, "100644", &bombs.object("blob", &vec![0; 64 << 20])), "m"),
    );
    bombs.branch("delta", &bombs.commit(&bombs.delta(), "m"));
    bombs.branch("fine", &bombs.commit(&tree, "m"));
    bombs
}

/// Fetches a branch and reads it; the peak above the resting size (kB).
fn cost(url: &str, branch: &str, cache: &Path, limits: Limits) -> (Option<pdp_transport::Error>, u64) {
    let http = HttpOptions::new(Vec::new(), Exceptions::default());
    let options = GitOptions { limits, ..GitOptions::new(http, LoginSource::Nobody) };
    let before = rest();
    let remote = Remote::open(url, cache, options).unwrap();
    let read = remote.fetch(branch).and_then(|head| remote.files(head.unwrap(), "", 16 << 20));
    (read.err(), memory("VmHWM").saturating_sub(before))
}

#[test]
fn a_hostile_repository_costs_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let bombs = bombs(&folder.path().join("host"));
    let url = bombs.host.url("bombs");
    let all = ["names", "level", "deep", "wide", "message", "file", "delta"];
    // What the first connection of a process takes is no part of it.
    assert!(cost(&url, "fine", &folder.path().join("fine"), Limits::vendor()).0.is_none());
    for (who, limits) in
        [("vendor", Limits::vendor()), ("customer", Limits::customer(Limits::CUSTOMER_PACK_BYTES))]
    {
        for branch in all {
            let cache = folder.path().join(format!("{who}-{branch}"));
            let (error, peak) = cost(&url, branch, &cache, limits.clone());
            let error = error.unwrap_or_else(|| panic!("{who} {branch} was taken"));
            println!("{who} {branch}: {peak} kB, {error}");
            assert!(matches!(error.kind, Kind::TooLarge | Kind::RepositoryTooLarge), "{error}");
            assert!(peak < MOST, "{who} {branch}: {peak} kB");
        }
    }
}
