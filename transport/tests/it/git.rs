//! Signed commits and compare-and-swap, over HTTP and over a path.

use std::process::Command;

use pdp_e2e::{GitHost, Login};
use pdp_policies::Digest;
use pdp_transport::git::{Author, Change, CommitId, GitOptions, Remote, SshSigner, signer_of};
use pdp_transport::{Kind, LoginSource};

fn anonymous() -> GitOptions {
    GitOptions::new(crate::http(), LoginSource::Nobody)
}

struct Place {
    folder: tempfile::TempDir,
    host: GitHost,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = GitHost::start(&folder.path().join("host")).unwrap();
        host.create("repo").unwrap();
        Self { folder, host }
    }

    fn remote(&self, cache: &str, url: &str) -> Remote {
        Remote::open(url, &self.folder.path().join(cache), anonymous()).unwrap()
    }

    fn over_http(&self, cache: &str) -> Remote {
        self.remote(cache, &self.host.url("repo"))
    }
}

fn commit(remote: &Remote, parent: Option<CommitId>, text: &str, signer: Option<&SshSigner>) -> CommitId {
    let author = Author { name: "a".into(), email: "a@example.org".into() };
    let change = Change { path: "deep/file".into(), content: Some(text.as_bytes().to_vec()) };
    remote.commit(parent, &[change], "m\n", &author, 1_795_420_800, signer).unwrap()
}

#[test]
fn the_slower_of_two_writers_learns_that_the_branch_moved() {
    let place = Place::new();
    let path = place.folder.path().join("host/repo").to_string_lossy().into_owned();
    for (fast, slow) in [("a", "b"), ("c", "d")] {
        let branch = format!("branch-{fast}");
        let (one, two) = match fast {
            "a" => (place.over_http(fast), place.over_http(slow)),
            _ => (place.remote(fast, &path), place.remote(slow, &path)),
        };
        let first = commit(&one, None, "1", None);
        one.push(&branch, None, Some(first)).unwrap();
        let base = two.fetch(&branch).unwrap();
        assert_eq!(base, Some(first));
        one.push(&branch, Some(first), Some(commit(&one, Some(first), "2", None))).unwrap();
        let late = commit(&two, base, "3", None);
        assert_eq!(two.push(&branch, base, Some(late)).unwrap_err().kind, Kind::BranchMoved);
        let created = commit(&two, None, "4", None);
        assert_eq!(two.push(&branch, None, Some(created)).unwrap_err().kind, Kind::BranchMoved);
        assert_eq!(two.push(&branch, base, None).unwrap_err().kind, Kind::BranchMoved);
        let head = two.fetch(&branch).unwrap().unwrap();
        assert_eq!(two.files(head, "deep", 100).unwrap(), [("file".to_owned(), b"2".to_vec())]);
        two.push(&branch, Some(head), None).unwrap();
        assert_eq!(two.fetch(&branch).unwrap(), None);
    }
}

#[test]
fn a_signed_commit_is_accepted_by_stock_git() {
    let place = Place::new();
    let key = place.folder.path().join("key");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
    assert!(made.success());
    let signer = SshSigner::read(&std::fs::read_to_string(&key).unwrap(), None).unwrap();
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let remote = place.over_http("cache");
    let signed = commit(&remote, None, "1", Some(&signer));
    remote.push("main", None, Some(signed)).unwrap();
    let allowed = place.folder.path().join("allowed");
    std::fs::write(&allowed, format!("a@example.org {public}")).unwrap();
    let config = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    place.host.git("repo", &["-c", &config, "verify-commit", "main"]).unwrap();
    assert!(signer_of(&remote, signed, std::slice::from_ref(&public)).unwrap().is_some());
    let unsigned = commit(&remote, Some(signed), "2", None);
    assert_eq!(signer_of(&remote, unsigned, &[public]).unwrap(), None);
}

#[test]
fn a_login_is_needed_and_a_limit_is_kept() {
    let place = Place::new();
    let remote = place.over_http("cache");
    let big = "x".repeat(300_000);
    let author = Author { name: "a".into(), email: "a@example.org".into() };
    // Random enough not to be compressed.
    let noise = (0..10_000u32).flat_map(|n| *Digest::of(&n.to_be_bytes()).as_bytes()).collect();
    let changes = [
        Change { path: "big".into(), content: Some(noise) },
        Change { path: "text".into(), content: Some(big.into_bytes()) },
    ];
    let id = remote.commit(None, &changes, "m\n", &author, 1_795_420_800, None).unwrap();
    remote.push("main", None, Some(id)).unwrap();
    assert_eq!(remote.files(id, "", 1000).unwrap_err().kind, Kind::TooLarge);
    let small = GitOptions { max_bytes: 50_000, ..anonymous() };
    let capped = Remote::open(&place.host.url("repo"), &place.folder.path().join("capped"), small).unwrap();
    assert_eq!(capped.fetch("main").unwrap_err().kind, Kind::TooLarge);
    place.host.require(Some(Login::Basic("user".into(), "secret".into())));
    assert_eq!(place.over_http("other").fetch("main").unwrap_err().kind, Kind::LoginNeeded);
    let url = place.host.url("repo").parse().unwrap();
    let login = LoginSource::Given(pdp_transport::Login::password(&url, "user", "secret"));
    let options = GitOptions { login, ..anonymous() };
    let logged_in =
        Remote::open(&place.host.url("repo"), &place.folder.path().join("more"), options).unwrap();
    assert_eq!(logged_in.fetch("main").unwrap(), Some(id));
}
