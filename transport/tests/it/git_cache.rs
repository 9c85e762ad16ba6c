//! The cache of a repository: bounded, renewed, and nobody depends on it.

use std::path::Path;

use pdp_transport::Kind;
use pdp_transport::git::{GitOptions, Limits, Remote};

use crate::git_hosts::{Place, options};

/// `count` pieces of 32 bytes that nobody can compress.
pub(crate) fn noise(number: u32, count: u32) -> Vec<u8> {
    let piece = |n: u32| pdp_policies::Digest::of(&[number.to_be_bytes(), n.to_be_bytes()].concat());
    (0..count).flat_map(|n| *piece(n).as_bytes()).collect()
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let each = entries.map(|entry| {
        let about = entry.metadata().unwrap();
        if about.is_dir() { size(&entry.path()) } else { about.len() }
    });
    each.sum()
}

#[test]
fn the_cache_stays_bounded_whatever_is_fetched() {
    let place = Place::filled();
    let small = || Limits { cache_bytes: 400_000, cache_packs: 4, ..Limits::vendor() };
    let open = || {
        Remote::open(
            &place.host.url("repo"),
            &place.cache("small"),
            GitOptions { limits: small(), ..options() },
        )
        .unwrap()
    };
    let mut largest = 0;
    for number in 0..30_u32 {
        place.host.overwrite("repo", "main", &[("junk".to_owned(), noise(number, 3000))].into()).unwrap();
        let remote = open();
        let head = remote.fetch("main").unwrap().unwrap();
        assert_eq!(remote.files(head, "", 1 << 20).unwrap().len(), 1);
        largest = largest.max(size(&place.cache("small")));
        let shallow = std::fs::read_to_string(place.cache("small/git/shallow")).unwrap();
        assert!(shallow.lines().count() <= 6, "{shallow}");
    }
    assert!(largest < 700_000, "{largest}");
    // What a crash in the midst of a throw leaves, or an earlier version.
    std::fs::rename(place.cache("small/git"), place.cache("small/old")).unwrap();
    std::fs::write(place.cache("small/HEAD"), "ref: refs/heads/main\n").unwrap();
    assert!(open().fetch("main").unwrap().is_some());
    assert!(!place.cache("small/old").exists() && !place.cache("small/HEAD").exists());
    // Not under the feet of whoever has it open.
    let first = open();
    let head = first.fetch("main").unwrap().unwrap();
    let none = GitOptions { limits: Limits { cache_bytes: 0, ..Limits::vendor() }, ..options() };
    let second = Remote::open(&place.host.url("repo"), &place.cache("small"), none).unwrap();
    assert_eq!(first.files(head, "", 1 << 20).unwrap().len(), 1);
    assert_eq!(second.fetch("main").unwrap(), Some(head));
}

#[test]
fn a_large_repository_of_the_customers_is_read_in_part_and_once() {
    let place = Place::filled();
    let files = [("beside.bin".to_owned(), noise(0, 100_000)), ("ours/file".to_owned(), b"x".to_vec())];
    place.host.overwrite("repo", "main", &files.into()).unwrap();
    let limits = |pack_bytes| GitOptions { limits: Limits::customer(pack_bytes), ..options() };
    let open = |name, limits| Remote::open(&place.host.url("repo"), &place.cache(name), limits).unwrap();
    let refused = open("small", limits(1_000_000)).fetch("main").unwrap_err();
    assert_eq!(refused.kind, Kind::RepositoryTooLarge, "{refused}");
    assert_eq!(open("vendor", options()).fetch("main").unwrap_err().kind, Kind::TooLarge);
    let remote = open("large", limits(10_000_000));
    let head = remote.fetch("main").unwrap().unwrap();
    assert_eq!(remote.files(head, "ours", 1000).unwrap(), [("file".to_owned(), b"x".to_vec())]);
    place.host.take_exchanges();
    open("large", limits(10_000_000)).fetch("main").unwrap();
    // A change beside it brings only what is new.
    place.host.overwrite("repo", "main", &[("beside.bin".to_owned(), b"y".to_vec())].into()).unwrap();
    open("large", limits(10_000_000)).fetch("main").unwrap();
    let exchanges = place.host.take_exchanges();
    assert_eq!(exchanges.iter().filter(|e| e.method == "POST").count(), 1);
    assert!(exchanges.iter().all(|e| e.sent.is_some_and(|sent| sent < 10_000)), "{exchanges:?}");
}

#[test]
fn a_year_of_publications_stays_within_the_limits_of_every_day() {
    let place = Place::filled();
    let folder = place.cache("year");
    let open = || Remote::open(&place.host.url("repo"), &folder, options()).unwrap();
    let (mut largest, limit) = (0, Limits::vendor().cache_bytes);
    for number in 0..400_u32 {
        place.put("main", &format!("publication {number}"));
        let remote = open();
        let head = remote.fetch("main").unwrap().unwrap();
        assert_eq!(remote.files(head, "a", 1000).unwrap()[0].1, format!("publication {number}").into_bytes());
        largest = largest.max(size(&folder));
    }
    assert!(largest < limit / 8, "{largest}");
    let shallow = std::fs::read_to_string(folder.join("git/shallow")).unwrap();
    assert!(shallow.lines().count() <= Limits::vendor().cache_packs + 1, "{}", shallow.lines().count());
}

#[test]
fn junk_of_thirty_megabytes_is_refused_and_leaves_nothing() {
    let place = Place::filled();
    let folder = place.cache("junk");
    let open = || Remote::open(&place.host.url("repo"), &folder, options()).unwrap();
    for number in 0..10_u32 {
        // Each file is as large as a file may be; all together are not.
        let file = |n: u32| (format!("junk-{n}"), noise(number * 100 + n, 30_000));
        place.host.overwrite("repo", "main", &(0..32).map(file).collect()).unwrap();
        let refused = open().fetch("main").unwrap_err();
        assert_eq!(refused.kind, Kind::TooLarge, "{refused}");
    }
    assert!(size(&folder) < 1024 * 1024, "{}", size(&folder));
    place.put("main", "good again");
    let remote = open();
    let head = remote.fetch("main").unwrap().unwrap();
    assert_eq!(remote.files(head, "a", 1000).unwrap()[0].1, b"good again");
}

#[test]
fn what_a_killed_process_was_writing_holds_nobody_up() {
    let place = Place::filled();
    let open = || Remote::open(&place.host.url("repo"), &place.cache("cut-off"), options()).unwrap();
    let head = open().fetch("main").unwrap().unwrap();
    let left = [
        "config.lock",
        "refs/remotes/origin/main.lock",
        "objects/tmp_object_git2_0123456789abcdef",
        "objects/pack/pack_git2_0123456789abcdef",
    ];
    let path = |name: &str| place.cache(&format!("cut-off/git/{name}"));
    left.iter().for_each(|name| std::fs::write(path(name), "half").unwrap());
    place.put("main", "the next");
    let remote = open();
    assert_ne!(remote.fetch("main").unwrap().unwrap(), head);
    left.iter().for_each(|name| assert!(!path(name).exists(), "{name}"));
}

/// Where the packs of a cache lie.
fn packs(cache: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(cache.join("git/objects/pack")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "pack")).collect()
}

#[test]
fn bytes_that_were_spoilt_on_disk_are_never_given_and_come_anew() {
    let place = Place::filled();
    let files = [("junk".to_owned(), noise(1, 3000))];
    place.host.overwrite("repo", "main", &files.clone().into()).unwrap();
    let open = || Remote::open(&place.host.url("repo"), &place.cache("spoilt"), options()).unwrap();
    open().fetch("main").unwrap();
    let [pack] = packs(&place.cache("spoilt")).try_into().unwrap();
    let mut bytes = std::fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // Packs are written without the right to write.
    std::fs::remove_file(&pack).unwrap();
    std::fs::write(&pack, bytes).unwrap();
    let head = open().fetch("main").unwrap().unwrap();
    let read = open().files(head, "", 1 << 20);
    assert_eq!(read.unwrap_err().kind, Kind::Garbage);
    let remote = open();
    let head = remote.fetch("main").unwrap().unwrap();
    assert_eq!(remote.files(head, "", 1 << 20).unwrap(), files);
}
