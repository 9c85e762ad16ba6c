//! A vendor with a catalog in a Git repository on this machine.

use std::path::PathBuf;
use std::process::Command;

use crate::{command, run};

pub(crate) const PASSWORD: &str = "test keys only";

pub(crate) struct Vendor {
    folder: tempfile::TempDir,
}

impl Vendor {
    /// Keys of all roles, and the first catalog.
    pub(crate) fn new() -> Self {
        let vendor = Self { folder: tempfile::tempdir().unwrap() };
        let vendors = vendor.path("vendor").to_str().unwrap().to_owned();
        vendor.git(&["init", "--quiet", "--bare", "catalog.git"]);
        vendor.must(&["key", "ceremony", "--out", &vendors, "--line", "pdp-2026"]);
        vendor.must(&["catalog", "init", &format!("{vendors}/catalog")]);
        vendor
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A private key of the ceremony.
    pub(crate) fn key(&self, name: &str) -> String {
        self.path("vendor/keys").join(format!("{name}.key")).to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command
            .env("PUBLISHER_PASSWORD", PASSWORD)
            .env("PUBLISHER_CATALOG", self.path("catalog.git"))
            .env("PUBLISHER_ROOT", self.path("vendor/catalog/metadata/1.root.json"))
            .env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        run(&mut self.command(args))
    }

    #[track_caller]
    pub(crate) fn must(&self, args: &[&str]) -> String {
        let (exit, stdout, stderr) = self.run(args);
        assert_eq!(exit, 0, "{args:?}: {stdout}{stderr}");
        stdout
    }

    /// Every branch and where it is.
    pub(crate) fn branches(&self) -> String {
        self.git(&["--git-dir", "catalog.git", "for-each-ref"])
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git").args(args).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
