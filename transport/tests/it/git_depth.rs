//! One commit deep, whatever lies below it: from a host and from a folder.

use std::collections::BTreeMap;

use pdp_policies::Digest;
use pdp_transport::Kind;
use pdp_transport::git::{Author, Change, GitOptions, Limits, Remote};

use crate::git_cache::noise;
use crate::git_hosts::{Place, options};

/// So many hours.
const FEW: u32 = 10;
const MANY: u32 = 5000;

type Files = BTreeMap<String, Vec<u8>>;

/// What an hourly refresh changes.
fn refresh(number: u32) -> Files {
    let content = format!("{} {number}\n", Digest::of(&number.to_be_bytes()));
    ["metadata/snapshot.json", "metadata/timestamp.json"]
        .map(|path| (path.into(), content.clone().into()))
        .into()
}

/// A repository with some levels that was refreshed so often.
fn refreshed(place: &Place, name: &str, times: u32) {
    place.host.create(name).unwrap();
    let level =
        |n: u32| (format!("targets/release-{n}.json"), Digest::of(&n.to_be_bytes()).hex().into_bytes());
    let levels: Files = (0..20).map(level).collect();
    let commits: Vec<_> = std::iter::once(levels).chain((0..times).map(refresh)).collect();
    place.host.append(name, "main", &commits).unwrap();
}

fn objects(cache: &Remote, head: pdp_transport::git::CommitId) -> usize {
    cache.files(head, "", 1 << 20).unwrap().len()
}

/// Bytes that the host sent, and requests.
fn sent(place: &Place) -> (u64, usize) {
    let exchanges = place.host.take_exchanges();
    (exchanges.iter().filter_map(|exchange| exchange.sent).sum(), exchanges.len())
}

#[test]
fn a_host_sends_no_more_after_five_thousand_refreshes_than_after_ten() {
    let place = Place::filled();
    let mut costs = Vec::new();
    for times in [FEW, MANY] {
        let name = format!("refreshed-{times}");
        refreshed(&place, &name, times);
        let cache = place.cache(&format!("cache-{times}"));
        let open = || Remote::open(&place.host.url(&name), &cache, options()).unwrap();
        place.host.take_exchanges();
        let head = open().fetch("main").unwrap().unwrap();
        assert_eq!(objects(&open(), head), 22);
        let first = sent(&place);
        place.host.append(&name, "main", &[refresh(times)]).unwrap();
        let head = open().fetch("main").unwrap().unwrap();
        assert_eq!(
            open().files(head, "metadata", 1 << 20).unwrap()[0].1,
            refresh(times)["metadata/snapshot.json"]
        );
        costs.push((first, sent(&place)));
    }
    let [(first, next), (first_of_many, next_of_many)] = costs[..] else { panic!("{costs:?}") };
    for (few, many) in [(first, first_of_many), (next, next_of_many)] {
        assert_eq!(few.1, many.1, "requests: {costs:?}");
        assert!(many.0 < few.0 + few.0 / 10 + 64, "bytes: {costs:?}");
    }
    assert!(next.0 < first.0 / 2, "only what is new: {costs:?}");
}

#[test]
fn a_large_file_that_changed_a_little_comes_whole() {
    let place = Place::filled();
    // A change of it would be taken into memory together with it.
    let large = |end: &[u8]| [noise(0, 200_000), end.to_vec()].concat();
    let put =
        |end| place.host.append("repo", "main", &[Files::from([("large".to_owned(), large(end))])]).unwrap();
    let fetch = || {
        let limits = Limits::customer(64 * 1024 * 1024);
        let options = GitOptions { limits, ..options() };
        let remote = Remote::open(&place.host.url("repo"), &place.cache("large"), options).unwrap();
        let head = remote.fetch("main").unwrap().unwrap();
        let read = remote.files(head, "", 1 << 24).unwrap();
        read.into_iter().find(|(path, _)| path == "large").unwrap().1
    };
    put(b"1");
    assert!(fetch() == large(b"1"));
    put(b"2");
    place.host.take_exchanges();
    assert!(fetch() == large(b"2"));
    let asked = place.host.take_exchanges();
    assert_eq!(asked.iter().filter(|it| it.method == "POST").count(), 2, "{asked:?}");
}

#[test]
fn a_cache_that_lost_its_files_is_filled_anew() {
    let place = Place::filled();
    refreshed(&place, "repository", 3);
    let open = || Remote::open(&place.host.url("repository"), &place.cache("lost"), options()).unwrap();
    open().fetch("main").unwrap().unwrap();
    let packs = place.cache("lost/git/objects/pack");
    std::fs::read_dir(packs).unwrap().for_each(|file| std::fs::remove_file(file.unwrap().path()).unwrap());
    place.host.append("repository", "main", &[refresh(4)]).unwrap();
    // What is new comes as it should, but what it is a change of isn't there.
    let fetched = || {
        let remote = open();
        let head = remote.fetch("main").unwrap().unwrap();
        remote.files(head, "", 1 << 20)
    };
    let read = fetched().or_else(|_| fetched()).unwrap();
    assert_eq!(read.len(), 22);
}

#[test]
fn a_folder_is_copied_one_commit_deep_and_takes_what_is_made_on_it() {
    let place = Place::filled();
    refreshed(&place, "folder", 300);
    let address = format!("file://{}", place.host.path("folder").display());
    let open = || Remote::open(&address, &place.cache("copy"), options()).unwrap();
    let commits = || {
        let cache = place.cache("copy/git").to_string_lossy().into_owned();
        let args = ["--git-dir", &cache, "rev-list", "--all", "--count"];
        place.host.git("folder", &args).unwrap().trim().parse::<u32>().unwrap()
    };
    let head = open().fetch("main").unwrap().unwrap();
    assert_eq!((objects(&open(), head), commits()), (22, 1));
    let author = Author { name: "a".into(), email: "a@example.org".into() };
    let change = Change { path: "targets/new".into(), content: Some(b"new".to_vec()) };
    let remote = open();
    let made = remote.commit(Some(head), &[change], "m\n", &author, 1_795_420_800, None).unwrap();
    remote.push("main", Some(head), Some(made)).unwrap();
    assert_eq!(place.host.git("folder", &["rev-list", "--count", "main"]).unwrap().trim(), "302");
    place.host.append("folder", "main", &[refresh(301)]).unwrap();
    let next = open().fetch("main").unwrap().unwrap();
    assert_eq!(objects(&open(), next), 23);
    place.host.git("folder", &["fsck", "--strict"]).unwrap();
}

#[test]
fn a_folder_has_the_limits_of_a_host() {
    let place = Place::filled();
    refreshed(&place, "folder", 1);
    let fetch = |limits: Limits| {
        let cache = place.cache("limited");
        let address = place.host.path("folder").to_string_lossy().into_owned();
        Remote::open(&address, &cache, GitOptions { limits, ..options() }).unwrap().fetch("main")
    };
    for limits in [
        Limits { objects: 10, ..Limits::vendor() },
        Limits { inflated_bytes: 1000, ..Limits::vendor() },
        Limits { blob_bytes: 10, ..Limits::vendor() },
        Limits { depth: 1, ..Limits::vendor() },
    ] {
        assert_eq!(fetch(limits.clone()).unwrap_err().kind, Kind::TooLarge, "{limits:?}");
    }
    assert!(fetch(Limits::vendor()).unwrap().is_some());
}
