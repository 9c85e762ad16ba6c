//! What Git hosts do differently, and what they say.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use pdp_e2e::{Collector, Exchange, GitHost, Harm};
use pdp_transport::git::{Author, Change, CommitId, GitOptions, Remote};
use pdp_transport::{Error, Kind, Login, LoginSource};
use tempfile::TempDir;

pub(crate) struct Place {
    folder: TempDir,
    pub(crate) host: GitHost,
}

pub(crate) fn options() -> GitOptions {
    GitOptions::new(crate::http(), LoginSource::Nobody)
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = GitHost::start(&folder.path().join("host")).unwrap();
        host.create("repo").unwrap();
        Self { folder, host }
    }

    /// With one commit on `main`.
    pub(crate) fn filled() -> Self {
        let place = Self::new();
        place.put("main", "first");
        place
    }

    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, name: &str, url: &str) -> Remote {
        Remote::open(url, &self.cache(name), options()).unwrap()
    }

    fn reader(&self) -> Remote {
        self.open("reader", &self.host.url("repo"))
    }

    pub(crate) fn put(&self, branch: &str, text: &str) {
        let files = [("a/file".to_owned(), text.as_bytes().to_vec())];
        self.host.overwrite("repo", branch, &files.into()).unwrap();
    }
}

fn commit(remote: &Remote, parent: Option<CommitId>, text: &str) -> CommitId {
    let author = Author { name: "a".into(), email: "a@example.org".into() };
    let change = Change { path: "a/file".into(), content: Some(text.as_bytes().to_vec()) };
    remote.commit(parent, &[change], "m\n", &author, 1_795_420_800, None).unwrap()
}

fn text(remote: &Remote, commit: CommitId) -> String {
    String::from_utf8(remote.files(commit, "a", 10_000).unwrap().remove(0).1).unwrap()
}

fn requests(asked: &[Exchange]) -> Vec<String> {
    asked.iter().map(|e| format!("{} {} {}", e.method, e.path, e.status)).collect()
}

#[test]
fn an_idle_look_is_one_request_and_no_pack() {
    let place = Place::filled();
    let remote = place.reader();
    let first = remote.fetch("main").unwrap().unwrap();
    let asked = requests(&place.host.take_exchanges());
    assert_eq!(asked, ["GET /repo/info/refs 200", "POST /repo/git-upload-pack 200"]);
    assert_eq!(place.reader().fetch("main").unwrap(), Some(first));
    assert_eq!(requests(&place.host.take_exchanges()), ["GET /repo/info/refs 200"]);
    let mine = commit(&remote, Some(first), "second");
    remote.push("main", Some(first), Some(mine)).unwrap();
    place.host.take_exchanges();
    assert_eq!(place.reader().fetch("main").unwrap(), Some(mine));
    assert_eq!(requests(&place.host.take_exchanges()), ["GET /repo/info/refs 200"], "one's own push");
    place.put("main", "third");
    let third = remote.fetch("main").unwrap().unwrap();
    assert_eq!(text(&remote, third), "third");
}

#[test]
fn a_question_whose_connection_breaks_is_asked_until_it_was_on_a_new_one() {
    for (method, path) in [("GET", "/info/refs"), ("POST", "/git-upload-pack")] {
        for (times, found) in [(1, true), (2, true), (3, false)] {
            let place = Place::filled();
            place.host.faults().add(method, path, Harm::Dropped, Some(times));
            let fetched = place.reader().fetch("main");
            match found {
                true => assert!(fetched.unwrap().is_some(), "{path}, {times} times"),
                false => assert_eq!(fetched.unwrap_err().kind, Kind::Unreachable, "{path}"),
            }
        }
    }
}

/// Pushes a second commit while the host answers none of `times` pushes: what came of it, whether the branch is there,
/// and how many pushes the host got.
fn pushed_without_an_answer(harm: Harm, times: u32) -> (Result<(), Kind>, bool, usize) {
    let place = Place::filled();
    let remote = place.reader();
    let first = remote.fetch("main").unwrap();
    let mine = commit(&remote, first, "second");
    place.host.faults().add("POST", "/git-receive-pack", harm, Some(times));
    place.host.take_exchanges();
    let pushed = remote.push("main", first, Some(mine)).map_err(|error| error.kind);
    let sent = requests(&place.host.take_exchanges());
    let sent = sent.iter().filter(|request| request.contains("POST /repo/git-receive-pack")).count();
    let there = place.open("another", &place.host.url("repo")).fetch("main").unwrap() == Some(mine);
    (pushed, there, sent)
}

#[test]
fn the_branch_says_what_came_of_a_push_without_an_answer() {
    assert_eq!(pushed_without_an_answer(Harm::Lost, 1), (Ok(()), true, 1), "it is done, and not sent again");
    assert_eq!(
        pushed_without_an_answer(Harm::Dropped, 1),
        (Ok(()), true, 2),
        "it is not done, and sent again"
    );
    assert_eq!(pushed_without_an_answer(Harm::Dropped, 9), (Err(Kind::Unreachable), false, 3));
}

#[test]
fn a_renamed_repository_is_followed_for_all_that_comes_after() {
    for status in [301, 302, 307, 308] {
        let place = Place::filled();
        let elsewhere = GitHost::start(&place.cache("elsewhere")).unwrap();
        place.host.redirect("old", &place.host.url("repo"), status);
        elsewhere.redirect("moved", &place.host.url("repo"), status);
        for (name, url) in [("old", place.host.url("old")), ("moved", elsewhere.url("moved"))] {
            let remote = place.open(name, &url);
            let head = remote.fetch("main").unwrap().unwrap();
            assert_eq!(remote.moved_to(), Some(place.host.url("repo")), "{status} {name}");
            let new = commit(&remote, Some(head), name);
            remote.push("main", Some(head), Some(new)).unwrap();
            // Pushing is the first thing that it does.
            let again = place.open(name, &url);
            again.push("main", Some(new), Some(commit(&again, Some(new), "again"))).unwrap();
        }
        let posts: Vec<_> = place.host.take_exchanges().into_iter().filter(|e| e.method == "POST").collect();
        assert!(posts.len() >= 6 && posts.iter().all(|e| e.path.starts_with("/repo/")), "{posts:?}");
        assert!(elsewhere.take_exchanges().iter().all(|e| e.method == "GET"));
        assert_eq!(place.reader().moved_to(), None);
    }
}

#[test]
fn what_was_meant_for_one_repository_is_sent_on_to_no_other() {
    let place = Place::filled();
    let thief = GitHost::start(&place.cache("thief")).unwrap();
    thief.create("repo").unwrap();
    let remote = place.reader();
    let head = remote.fetch("main").unwrap().unwrap();
    let new = commit(&remote, Some(head), "secret");
    place.host.redirect("repo/git-receive-pack", &thief.url("repo/git-receive-pack"), 307);
    let refused = remote.push("main", Some(head), Some(new)).unwrap_err();
    assert!(refused.cause.contains("sends on"), "{refused}");
    let loops = place.host.url("loop");
    place.host.redirect("loop", &loops, 302);
    let looped = place.open("loop", &loops).fetch("main").unwrap_err();
    assert_eq!(looped.kind, Kind::Garbage, "{looped}");
    let page = place.host.url("page");
    place.host.redirect("page/info", &place.host.url("repo/objects"), 302);
    assert!(place.open("page", &page).fetch("main").is_err());
    assert!(thief.take_exchanges().is_empty());
}

#[test]
fn a_login_does_not_follow_a_redirect_to_another_host() {
    let place = Place::filled();
    place.host.require(Some(pdp_e2e::Login::Basic("bob".into(), "pa55word".into())));
    let thief = Collector::start().unwrap();
    place.host.redirect("away", &format!("http://{}/repo", thief.host()), 302);
    let url = place.host.url("away");
    let login = LoginSource::Given(Login::password(&url.parse().unwrap(), "bob", "pa55word"));
    let remote = Remote::open(&url, &place.cache("away"), GitOptions { login, ..options() }).unwrap();
    assert_eq!(remote.fetch("main").unwrap_err().kind, Kind::LoginNeeded);
    assert_eq!(remote.may_push().unwrap_err().kind, Kind::LoginNeeded);
    assert!(place.host.take_exchanges().iter().any(|e| e.logins == 1), "the host itself got it");
    let requests = thief.requests();
    assert!(!requests.is_empty() && !thief.has("authorization"), "{requests:#?}");
}

#[test]
fn a_user_in_the_address_is_whose_login_is_used() {
    let place = Place::filled();
    place.host.require(Some(pdp_e2e::Login::Basic("bob".into(), "secret".into())));
    let plain = place.host.url("repo");
    let named = plain.replace("//", "//bob@");
    let with = |login: Login, url: &str, name: &str| {
        let options = GitOptions { login: LoginSource::Given(login), ..options() };
        Remote::open(url, &place.cache(name), options).unwrap()
    };
    let origin = plain.parse().unwrap();
    let remote = with(Login::git_token(&origin, "secret"), &named, "token");
    let head = remote.fetch("main").unwrap().unwrap();
    let new = commit(&remote, Some(head), "by bob");
    remote.push("main", Some(head), Some(new)).unwrap();
    assert!(!remote.shown().contains("bob"), "{}", remote.shown());
    let exchanges = place.host.take_exchanges();
    assert!(exchanges.iter().all(|e| e.logins <= 1), "{exchanges:?}");
    assert_eq!((exchanges[0].status, exchanges[0].logins), (401, 0), "nobody gets a login unasked");
    assert_eq!(exchanges.iter().filter(|e| e.status == 401).count(), 1, "{exchanges:?}");
    // A login that names its user keeps it.
    assert!(with(Login::password(&origin, "bob", "secret"), &plain, "own").fetch("main").is_ok());
    let secret = plain.replace("//", "//bob:pa55word@");
    let refused = Remote::open(&secret, &place.cache("never"), options()).unwrap_err();
    assert_eq!(refused.kind, Kind::BadReference);
    let told = format!("{refused}");
    assert!(told.contains("holds a password") && !told.contains("pa55word"), "{told}");
}

#[test]
fn lines_of_the_jgit_family_are_read() {
    let place = Place::filled();
    place.put("main", "second");
    place.host.end_shallow_lines_with_lf();
    let remote = place.reader();
    let head = remote.fetch("main").unwrap().unwrap();
    assert_eq!(text(&remote, head), "second");
    place.put("main", "third");
    let head = remote.fetch("main").unwrap().unwrap();
    let new = commit(&remote, Some(head), "mine");
    remote.push("main", Some(head), Some(new)).unwrap();
    assert_eq!(place.host.git("repo", &["rev-list", "--count", "main"]).unwrap().trim(), "4");
    place.host.git("repo", &["fsck", "--strict"]).unwrap();
}

#[test]
fn only_an_empty_repository_gets_its_first_branch() {
    let place = Place::new();
    let remote = place.reader();
    assert_eq!(remote.fetch_or_first("main").unwrap(), None);
    place.put("master", "x");
    place.put("other\u{202e}", "x");
    let missing = remote.fetch_or_first("main").unwrap_err();
    assert_eq!(missing.kind, Kind::BranchMissing, "{missing}");
    assert!(missing.cause.contains("`master`") && !missing.cause.contains('\u{202e}'), "{missing}");
    assert_eq!(remote.fetch("main").unwrap(), None, "asking is no error");
    place.put("main", "x");
    assert!(remote.fetch_or_first("main").unwrap().is_some());
    let folder = place.host.path("repo").to_string_lossy().into_owned();
    let local = place.open("local", &folder);
    assert_eq!(local.fetch_or_first("absent").unwrap_err().kind, Kind::BranchMissing);
    place.host.create("tagged").unwrap();
    let blob = place.host.git_with_input("tagged", &["hash-object", "-w", "--stdin"], b"x").unwrap();
    place.host.git("tagged", &["update-ref", "refs/tags/v1", blob.trim()]).unwrap();
    let tagged = place.open("tagged", &place.host.url("tagged"));
    assert_eq!(tagged.fetch_or_first("main").unwrap_err().kind, Kind::BranchMissing);
}

fn refused_by(place: &Place, hook: &str, script: &str) -> Error {
    let hook = place.host.path("repo").join("hooks").join(hook);
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let remote = place.reader();
    let head = remote.fetch("main").unwrap().unwrap();
    let refused = remote.push("main", Some(head), Some(commit(&remote, Some(head), "new"))).unwrap_err();
    std::fs::remove_file(hook).unwrap();
    refused
}

#[test]
fn a_host_that_refuses_is_heard() {
    let place = Place::filled();
    let script = "#!/bin/sh\nprintf 'GL-HOOK-ERR: \\033[31mmain is protected\\n' >&2\nexit 1\n";
    for hook in ["pre-receive", "update"] {
        let refused = refused_by(&place, hook, script);
        assert_eq!(refused.kind, Kind::GitRefused, "{refused}");
        assert!(refused.cause.contains("hook declined"), "{refused}");
        assert!(refused.cause.contains("the host says: GL-HOOK-ERR: [31mmain is protected"), "{refused}");
    }
    let chatty = "#!/bin/sh\nyes 'no no no' | head -c 300000 >&2\nexit 1\n";
    assert!(refused_by(&place, "pre-receive", chatty).cause.len() < 2000);
}

#[test]
fn who_may_push_is_known_before() {
    let place = Place::filled();
    let remote = place.reader();
    remote.may_push().unwrap();
    place.host.git("repo", &["config", "http.receivepack", "false"]).unwrap();
    let refused = remote.may_push().unwrap_err();
    assert_eq!(refused.kind, Kind::LoginNeeded, "{refused}");
    assert!(refused.cause.contains("may not push to this repository"), "{refused}");
    assert!(remote.fetch("main").unwrap().is_some(), "reading is another right");
    place.host.require(Some(pdp_e2e::Login::Basic("bob".into(), "secret".into())));
    let asked = remote.may_push().unwrap_err();
    assert!(asked.cause.contains("asks for a login to push to this repository"), "{asked}");
    let posts = place.host.take_exchanges().into_iter().filter(|e| e.path.contains("receive-pack"));
    assert_eq!(posts.count(), 0, "nothing is written");
}

#[test]
fn a_repository_named_by_sha_256_is_refused_in_words() {
    let place = Place::new();
    let path = place.host.path("long");
    place
        .host
        .git("repo", &["init", "-q", "--bare", "--object-format=sha256", &path.to_string_lossy()])
        .unwrap();
    place.host.overwrite("long", "main", &[("f".to_owned(), b"x".to_vec())].into()).unwrap();
    let refused = place.open("long", &place.host.url("long")).fetch("main").unwrap_err();
    assert_eq!(refused.kind, Kind::RepositoryUnsupported, "{refused}");
}
