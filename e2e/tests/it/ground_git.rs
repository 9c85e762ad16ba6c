//! The ground itself: the stock git client works with the Git host, and its owner can do what owners can.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use pdp_e2e::{GitHost, Harm, Login};
use tempfile::TempDir;

struct Ground {
    folder: TempDir,
    host: GitHost,
    url: String,
}

/// A host with one empty repository.
fn ground() -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let host = GitHost::start(&folder.path().join("host")).unwrap();
    let url = host.create("one").unwrap();
    Ground { folder, host, url }
}

fn git(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("NO_PROXY", "*");
    command.env("GIT_TERMINAL_PROMPT", "0").output().unwrap()
}

fn must(folder: &Path, args: &[&str]) {
    let output = git(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Ground {
    /// Clones into `name`, commits a file there and pushes it.
    fn push(&self, name: &str, content: &str) -> Output {
        let clone = self.folder.path().join(name);
        must(self.folder.path(), &["clone", "-q", &self.url, name]);
        std::fs::write(clone.join("file"), content).unwrap();
        must(&clone, &["add", "file"]);
        must(&clone, &["commit", "-qm", content]);
        git(&clone, &["push", "-q", "origin", "HEAD:main"])
    }

    fn file(&self) -> Option<Vec<u8>> {
        self.host.files("one", "main").unwrap().remove("file")
    }
}

#[test]
fn clone_and_push_work_with_the_stock_client_also_when_large() {
    let ground = ground();
    assert_eq!(ground.file(), None, "no branch yet");
    // Beyond git's http.postBuffer (1 MiB): the client then sends in chunks.
    let large: String = (0..300_000_u32).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761))).collect();
    let pushed = ground.push("large", &large[..1000]);
    assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    let clone = ground.folder.path().join("large");
    std::fs::write(clone.join("file"), &large).unwrap();
    must(&clone, &["commit", "-qam", "large"]);
    must(&clone, &["push", "-q", "origin", "HEAD:main"]);
    assert_eq!(ground.file(), Some(large.into_bytes()));
    let record = ground.host.take_exchanges();
    assert!(record.iter().any(|e| e.path == "/one/git-receive-pack" && e.received > 1 << 20));
}

#[test]
fn a_push_that_is_behind_is_refused() {
    let ground = ground();
    assert!(ground.push("first", "1").status.success());
    must(ground.folder.path(), &["clone", "-q", &ground.url, "second"]);
    assert!(ground.push("third", "3").status.success());
    let second = ground.folder.path().join("second");
    must(&second, &["commit", "-q", "--allow-empty", "-m", "2"]);
    assert!(!git(&second, &["push", "-q", "origin", "HEAD:main"]).status.success());
    assert_eq!(ground.file().unwrap(), b"3");
}

#[test]
fn login_is_enforced() {
    let ground = ground();
    assert!(ground.push("first", "1").status.success());
    ground.host.require(Some(Login::Basic("bot".into(), "right".into())));
    let clone = |login: &str, to: &str| {
        git(ground.folder.path(), &["clone", "-q", &ground.url.replace("//", &format!("//{login}")), to])
    };
    assert!(!clone("", "none").status.success());
    assert!(!clone("bot:wrong@", "wrong").status.success());
    assert!(clone("bot:right@", "right").status.success());
}

#[test]
fn its_owner_commits_rewinds_and_nobody_elses_repository_is_touched() {
    let ground = ground();
    let two = ground.host.create("two").unwrap();
    assert!(ground.push("first", "1").status.success());
    let files = BTreeMap::from([("file".to_owned(), b"foreign".to_vec()), ("a/b".to_owned(), b"x".to_vec())]);
    ground.host.overwrite("one", "main", &files).unwrap();
    assert_eq!(ground.host.files("one", "main").unwrap(), files);
    ground.host.force("one", "main", "main~1").unwrap();
    assert_eq!(ground.file().unwrap(), b"1");
    must(ground.folder.path(), &["clone", "-q", &ground.url, "after"]);
    assert_eq!(std::fs::read(ground.folder.path().join("after/file")).unwrap(), b"1");
    assert!(ground.host.force("one", "main", "absent").is_err());
    assert!(ground.host.files("two", "main").unwrap().is_empty(), "{two}");
}

#[test]
fn faults_and_restarts_reach_git_too() {
    let ground = ground();
    assert!(ground.push("first", "1").status.success());
    // The file, not the exit code: to stock git, a page that isn't Git's is an empty repository.
    let clone = |to: &str| {
        git(ground.folder.path(), &["clone", "-q", &ground.url, to]);
        std::fs::exists(ground.folder.path().join(to).join("file")).unwrap()
    };
    for (at, harm) in
        [Harm::Status(500), Harm::Garbage, Harm::Truncated, Harm::Dropped].into_iter().enumerate()
    {
        ground.host.faults().add("", "/one/", harm, None);
        assert!(!clone(&format!("harmed-{at}")), "{harm:?}");
        ground.host.faults().clear();
    }
    ground.host.stop();
    assert!(!clone("stopped"));
    ground.host.restart().unwrap();
    assert!(clone("restarted"));
}
