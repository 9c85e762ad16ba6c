//! The vendor's work: levels are linted, built, signed, published, promoted and opened.

use std::path::Path;

use anyhow::{Context, Result};

use crate::line::Line;
use crate::programs::Finished;
use crate::world::World;

impl World {
    /// Lints, builds, signs, publishes and promotes a level of the fixtures, and merges it into the catalog.
    ///
    /// # Errors
    /// When a command fails.
    pub fn release(&self, level: u32, tempo: &str) -> Result<()> {
        let file = Self::fixtures().join(format!("pdp-2026/{level}/release.yaml"));
        self.release_file(&file, None, level, tempo, &[])
    }

    /// A second person reads a proposal, and signs what was read.
    ///
    /// # Errors
    /// When a command fails.
    pub fn sign_proposal(&self, branch: &str, key: &str) -> Result<Finished> {
        let shown = self.publisher(&["catalog", "proposals", "show", branch, "-o", "json"])?;
        let shown: serde_json::Value = serde_json::from_str(&shown.stdout)?;
        let digest = shown["digest"].as_str().context("a proposal has a digest")?;
        self.publisher(&["catalog", "sign", branch, "--expect", digest, "--key", key])
    }

    /// As above, from this world's own copy of the line, edited first. The copy is made at the first call and
    /// keeps all edits: a level is released as the files are then, later levels see them too.
    ///
    /// # Errors
    /// When an edit or a command fails.
    pub fn release_with(
        &self,
        level: u32,
        tempo: &str,
        edit: impl FnOnce(&mut Line) -> Result<()>,
    ) -> Result<()> {
        let mut line = Line::open(&self.path("line"), level)?;
        edit(&mut line)?;
        let base = line.save()?;
        self.release_file(&line.file(), base.as_deref(), level, tempo, &line.audience)
    }

    /// As above with every target namespace renamed to `<namespace>-<suffix>` and short waits, so that several
    /// worlds install the same components on one cluster.
    ///
    /// # Errors
    /// When a command fails.
    pub fn release_variant(&self, level: u32, suffix: &str) -> Result<()> {
        self.release_with(level, "emergency", |line| {
            line.in_namespaces(suffix)?;
            line.quick();
            Ok(())
        })
    }

    /// The namespaces that this world's copy of a level installs into.
    ///
    /// # Errors
    /// When the copy can't be read.
    pub fn target_namespaces(&self, level: u32) -> Result<Vec<String>> {
        Ok(Line::open(&self.path("line"), level)?.namespaces())
    }

    fn release_file(
        &self,
        file: &Path,
        base: Option<&Path>,
        level: u32,
        tempo: &str,
        audience: &[String],
    ) -> Result<()> {
        let (file, out) = (file.to_string_lossy(), self.path(&format!("level-{level}")));
        let (out, images) = (out.to_string_lossy(), Self::fixtures().join("images"));
        let images = images.to_string_lossy();
        let base = base.map(|base| base.to_string_lossy().into_owned());
        let against: Vec<_> = base.iter().flat_map(|base| ["--base-release", base]).collect();
        self.publisher(&[&["release", "lint", &file], against.as_slice()].concat())?;
        self.publisher(&[&["release", "build", &file, "--out", &out], against.as_slice()].concat())?;
        let (artifact, statement) = (self.key("artifact"), self.key("statement"));
        let stated = ["--statement-key", &statement];
        let stated = if Path::new(&statement).exists() { &stated[..] } else { &[] };
        self.publisher(&[&["release", "sign", &out, "--key", &artifact], stated].concat())?;
        let (ci, person) = (self.key("ci"), self.key("release-1"));
        self.publisher(&["release", "publish", &out, "--images", &images, "--key", &ci, "--key", &person])?;
        let mut more = vec!["--tempo", tempo];
        more.extend(audience.iter().flat_map(|name| ["--for", name]));
        self.promote(level, &more)?;
        self.publish_catalog()
    }

    /// Promotes a published level; the catalog isn't published.
    ///
    /// # Errors
    /// When the command fails, with what it said.
    pub fn promote(&self, level: u32, more: &[&str]) -> Result<()> {
        let (a, b, level) = (self.key("manager-1"), self.key("manager-2"), level.to_string());
        let args = ["release", "promote", &level, "--line", "pdp-2026", "--key", &a, "--key", &b];
        self.publisher(&[&args, more].concat()).map(|_| ())
    }

    /// Opens a level to shares of rings, such as `general=100`, now.
    ///
    /// # Errors
    /// When a command fails.
    pub fn open(&self, level: u32, rings: &[&str]) -> Result<()> {
        let (a, b, level) = (self.key("manager-1"), self.key("manager-2"), level.to_string());
        let mut args = vec!["channel", "open", &level, "--line", "pdp-2026", "--earlier"];
        rings.iter().for_each(|ring| args.extend(["--ring", ring]));
        args.extend(["--key", &a, "--key", &b]);
        self.publisher(&args)?;
        self.publish_catalog()
    }

    /// Lets an address move: both release managers sign, and it is published. `kind` is `catalog`, `artifacts` or `server`.
    ///
    /// # Errors
    /// When a command fails, with what it said.
    pub fn move_address(&self, kind: &str, from: &str, to: &str) -> Result<()> {
        self.change_moves(kind, &["--from", from, "--to", to])
    }

    /// As above, with other arguments: `--until`, `--drop`.
    ///
    /// # Errors
    /// When a command fails, with what it said.
    pub fn change_moves(&self, kind: &str, more: &[&str]) -> Result<()> {
        let (a, b) = (self.key("manager-1"), self.key("manager-2"));
        let what = ["channel", "move", "--line", "pdp-2026", "--kind", kind];
        self.publisher(&[&what[..], more, &["--key", &a, "--key", &b]].concat())?;
        self.publish_catalog()
    }

    /// Merges what is proposed and signs freshness.
    ///
    /// # Errors
    /// When it fails.
    pub fn publish_catalog(&self) -> Result<()> {
        let (snapshot, timestamp) = (self.key("snapshot"), self.key("timestamp"));
        let repository = self.catalog_repository();
        let mut args = vec!["catalog", "publish", "--key", &snapshot, "--key", &timestamp];
        if self.catalog_in_oci {
            args.extend(["--oci", &repository]);
        }
        self.publisher(&args).map(|_| ())
    }

    /// Changes the shipped ring plan by its text, and makes it the line's.
    ///
    /// # Errors
    /// When a command fails.
    pub fn plan(&self, edit: impl FnOnce(String) -> String) -> Result<()> {
        let shipped = World::fixtures().join("../policies/defaults/ring-plan.yaml");
        let file = self.path("ring-plan.yaml");
        std::fs::write(&file, edit(std::fs::read_to_string(shipped)?))?;
        let (file, first, second) = (file.to_string_lossy(), self.key("manager-1"), self.key("manager-2"));
        let args =
            ["channel", "plan", "--line", "pdp-2026", "--file", &file, "--key", &first, "--key", &second];
        self.publisher(&args)?;
        self.publish_catalog()
    }
}
