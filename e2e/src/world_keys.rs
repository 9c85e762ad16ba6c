//! The vendor's keys change: further ones are made, listed, put out of use and taken back.

use anyhow::{Result, ensure};

use crate::programs::{Finished, Program};
use crate::world::World;

impl World {
    /// Makes further keys, as the first ones were made.
    ///
    /// # Errors
    /// When the command fails.
    pub fn more_keys(&self) -> Result<()> {
        let folder = self.path("next").to_string_lossy().into_owned();
        self.publisher(&["key", "ceremony", "--out", &folder, "--line", "pdp-2026"]).map(|_| ())
    }

    /// A file of the further keys, such as `artifact.pub`.
    pub fn next_key(&self, file: &str) -> String {
        self.path(&format!("next/keys/{file}")).to_string_lossy().into_owned()
    }

    /// Makes a statement key and lists it in the catalog; `release` signs with it from now on. Its file.
    ///
    /// # Errors
    /// When a command fails.
    pub fn statement_key(&self) -> Result<String> {
        let key = self.key("statement");
        self.publisher(&["key", "new", &key])?;
        self.changed_key("statement", "add", &self.public_key("statement"), &[])?;
        Ok(key)
    }

    /// The public half of a vendor's key.
    pub fn public_key(&self, name: &str) -> String {
        self.key(name).replace(".key", ".pub")
    }

    /// `publisher catalog director|artifact|statement VERB KEY`, signed by both holders of `targets`; not published.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn change_key(&self, list: &str, verb: &str, key: &str, more: &[&str]) -> Result<Finished> {
        let (first, second) = (self.key("targets-1"), self.key("targets-2"));
        let args = ["catalog", list, verb, key, "--key", &first, "--key", &second];
        self.run(Program::Publisher, &[&args, more].concat(), &[])
    }

    /// As above, and published; what it said.
    ///
    /// # Errors
    /// When a command fails.
    pub fn changed_key(&self, list: &str, verb: &str, key: &str, more: &[&str]) -> Result<String> {
        let done = self.change_key(list, verb, key, more)?;
        ensure!(done.ok(), "catalog {list} {verb}: {}", done.stderr);
        self.publish_catalog()?;
        Ok(done.stderr)
    }

    /// `release` signs with the further artifact key from now on; the one before is `artifact-before`.
    ///
    /// # Errors
    /// When a file can't be moved.
    pub fn sign_with_next(&self) -> Result<()> {
        for ending in ["key", "pub"] {
            let own = self.path(&format!("vendor/keys/artifact.{ending}"));
            std::fs::rename(&own, own.with_file_name(format!("artifact-before.{ending}")))?;
            std::fs::copy(self.next_key(&format!("artifact.{ending}")), own)?;
        }
        Ok(())
    }
}
