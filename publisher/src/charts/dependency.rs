//! The subcharts that a chart asks for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::text::cleaned;
use super::yaml::Table;

/// One entry of `dependencies`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// A range; empty if none is asked for.
    pub(crate) version: String,
    pub(crate) alias: String,
    config: Value,
}

const NAMES: [&str; 8] =
    ["alias", "condition", "enabled", "import-values", "name", "repository", "tags", "version"];

pub(super) fn dependencies(of: &Fields<'_>) -> Result<Vec<Dependency>, String> {
    of.tables("dependencies")?.into_iter().map(Dependency::read).collect()
}

/// Helm's own rules for all of them.
///
/// # Errors
/// What Helm refuses.
pub(super) fn judge(dependencies: &[Dependency]) -> Result<(), String> {
    let mut keys = BTreeSet::new();
    for dependency in dependencies {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !dependency.alias.chars().all(plain) {
            return Err(format!(
                "the alias of the dependency `{}` is more than letters, digits, - and _",
                dependency.name
            ));
        }
        if !keys.insert(dependency.key()) {
            return Err(format!("two dependencies are called `{}`", dependency.key()));
        }
    }
    Ok(())
}

impl Dependency {
    fn read(item: &Table) -> Result<Self, String> {
        let item = fields::known(item, &NAMES);
        let of = Fields(&item);
        let clean = |name: &str| of.text(name).map(|text| cleaned(&text));
        let (name, version, alias) = (clean("name")?, clean("version")?, of.text("alias")?);
        let tags: Vec<_> = of.texts("tags")?.iter().map(|tag| cleaned(tag)).collect();
        let mut config = fields::filled(json!({
            "alias": alias,
            "condition": clean("condition")?,
            "enabled": of.flag("enabled")?,
            "import-values": of.list("import-values")?,
            "tags": tags,
            "version": version,
        }));
        // Helm writes these two even if they are empty.
        config["name"] = json!(name);
        config["repository"] = json!(clean("repository")?);
        Ok(Self { name, version, alias, config })
    }

    /// Where the parent's values for it are.
    pub(crate) fn key(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    /// As Helm's config layer has it.
    pub(crate) fn config(&self) -> &Value {
        &self.config
    }
}
