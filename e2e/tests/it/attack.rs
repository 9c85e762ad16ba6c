//! The frame of every attack: a data plane at level 41, the attacker's move, the refusal, nothing written.

use std::io::Write;

use pdp_e2e::{DataPlane, Registry, World};

use crate::base::{Base, Files, base};

/// One attack on one data plane.
pub(crate) struct Attack {
    name: &'static str,
    pub(crate) base: &'static Base,
    /// A catalog of its own, so that attacks don't meet.
    catalog: String,
    pub(crate) data_plane: DataPlane,
    registry: Option<Registry>,
}

impl Attack {
    /// A data plane that took level 41 while all was well.
    pub(crate) fn on_level_41(name: &'static str) -> Self {
        Self::prepare(name, None)
    }

    /// As above, with a registry of its own to harm.
    pub(crate) fn with_registry(name: &'static str) -> Self {
        Self::prepare(name, Some(Registry::start().unwrap()))
    }

    /// A registry that holds level 42 without its signatures; level 41 was taken from the true one.
    pub(crate) fn unsigned_registry(name: &'static str) -> Self {
        let mut attack = Self::on_level_41(name);
        let registry = Registry::start().unwrap();
        copy(attack.base, 42, &registry.host());
        // Its own referrers API forgets everything: only what is attached by tag from now on counts.
        registry.without_referrers(true);
        let text = std::fs::read_to_string(&attack.data_plane.subscription).unwrap();
        let text = text.replace(&attack.base.world.registry.host(), &registry.host());
        std::fs::write(&attack.data_plane.subscription, text).unwrap();
        attack.registry = Some(registry);
        attack
    }

    /// A data plane on a catalog of its own, which has taken nothing yet; `more` as in `World::data_plane`.
    pub(crate) fn prepared(name: &'static str, catalog: &Files, ring: &str, more: &str) -> Self {
        let base = base();
        let repository = format!("catalog-{name}");
        let url = base.world.git.create(&repository).unwrap();
        base.world.git.overwrite(&repository, "catalog", catalog).unwrap();
        let source = format!("{{git: {{url: \"{url}\", branch: catalog}}}}");
        let host = base.world.registry.host();
        let made = base.world.data_plane_on("victim", name, ring, &source, &host, more);
        Self { name, base, catalog: repository, data_plane: made.unwrap(), registry: None }
    }

    fn prepare(name: &'static str, registry: Option<Registry>) -> Self {
        let base = base();
        let catalog = format!("catalog-{name}");
        let url = base.world.git.create(&catalog).unwrap();
        base.world.git.overwrite(&catalog, "catalog", &base.at_41).unwrap();
        let host = registry.as_ref().map_or_else(|| base.world.registry.host(), Registry::host);
        if registry.is_some() {
            for level in [41, 42] {
                copy(base, level, &host);
            }
        }
        let source = format!("{{git: {{url: \"{url}\", branch: catalog}}}}");
        let made = base.world.data_plane_on("victim", name, "general", &source, &host, "");
        let data_plane = made.unwrap();
        let first = data_plane.pass(&base.world, &[]).unwrap();
        assert_eq!((first.code, data_plane.level()), (Some(0), Some(41)), "{}", first.stderr);
        Self { name, base, catalog, data_plane, registry }
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.registry.as_ref().unwrap()
    }

    /// Serves this catalog from now on.
    pub(crate) fn serve(&self, files: &Files) {
        self.base.world.git.overwrite(&self.catalog, "catalog", files).unwrap();
    }

    pub(crate) fn catalog_repository(&self) -> &str {
        &self.catalog
    }

    /// The next pass must say `code` (a refusal, an obstacle, or what can't be had) and write nothing.
    pub(crate) fn is_refused_with(&self, code: &str) {
        self.is_refused_at(code, &[]);
    }

    /// As above, with other environment variables (a moved clock).
    pub(crate) fn is_refused_at(&self, code: &str, env: &[(&str, &str)]) {
        let before = self.head();
        let pass = self.data_plane.pass(&self.base.world, env).unwrap();
        let status = self.data_plane.status().unwrap();
        let refusal = status["refusal"]["code"].as_str();
        let obstacle = status["obstacles"][0]["code"].as_str();
        let waiting = status["waitingFor"].as_str().unwrap_or_default();
        let said =
            refusal.or(obstacle).unwrap_or_else(|| waiting.split(['[', ']']).nth(1).unwrap_or("nothing"));
        assert_eq!(said, code, "{}: {}\n{status:#}", self.name, pass.stderr);
        assert_eq!(self.head(), before, "{}: something was written", self.name);
        assert_eq!(self.data_plane.level(), Some(41), "{}", self.name);
        self.note(code, if refusal.is_some() { "refused" } else { "delay only" });
    }

    /// The next pass must take level 42: the attack changes nothing at all.
    pub(crate) fn is_harmless(&self) {
        let pass = self.data_plane.pass(&self.base.world, &[]).unwrap();
        assert_eq!(
            (pass.code, self.data_plane.level()),
            (Some(0), Some(42)),
            "{}: {}",
            self.name,
            pass.stderr
        );
        self.note("-", "without effect: level 42 was taken as signed");
    }

    pub(crate) fn head(&self) -> String {
        self.base.world.git.git(&self.data_plane.name, &["rev-parse", "main"]).unwrap()
    }

    /// For the list that `make test` prints.
    pub(crate) fn note(&self, code: &str, how: &str) {
        note(self.name, code, how);
    }
}

/// Adds a line to the list of attacks.
pub(crate) fn note(name: &str, code: &str, how: &str) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("attacks");
    std::fs::create_dir_all(&folder).unwrap();
    let mut file = std::fs::File::create(folder.join(name)).unwrap();
    writeln!(file, "{name:44} {code:24} {how}").unwrap();
}

/// Publishes a level with its images into another registry.
fn copy(base: &Base, level: u32, host: &str) {
    let (out, ci, person) =
        (base.world.path(&format!("level-{level}")), base.world.key("ci"), base.world.key("release-1"));
    let images = World::fixtures().join("images");
    let (out, images) = (out.to_string_lossy(), images.to_string_lossy());
    let to = ["--registry", host, "--images", &images, "--key", &ci, "--key", &person];
    base.world.publisher(&[&["release", "publish", &out], &to[..]].concat()).unwrap();
}
