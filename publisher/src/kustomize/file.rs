//! `kustomization.yaml`, as far as it names files and images.

use std::collections::BTreeMap;

use pdp_policies::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::place;
use crate::lint::Source;

/// The names that kustomize looks for.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Lists may be `null`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Kustomization {
    resources: Option<Vec<String>>,
    bases: Option<Vec<String>>,
    components: Option<Vec<String>>,
    crds: Option<Vec<String>>,
    configurations: Option<Vec<String>>,
    generators: Option<Vec<String>>,
    transformers: Option<Vec<String>>,
    validators: Option<Vec<String>>,
    patches: Option<Vec<Patch>>,
    patches_strategic_merge: Option<Vec<String>>,
    #[serde(rename = "patchesJson6902")]
    patches_json: Option<Vec<Patch>>,
    config_map_generator: Option<Vec<Generator>>,
    secret_generator: Option<Vec<Generator>>,
    replacements: Option<Vec<Value>>,
    openapi: Option<Patch>,
    helm_charts: Option<Vec<Value>>,
    helm_chart_inflation_generator: Option<Vec<Value>>,
    images: Option<Vec<Rename>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Patch {
    path: Option<String>,
    patch: Option<String>,
    target: Option<Target>,
}

/// Which objects a patch is for.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Target {
    pub(super) group: Option<String>,
    pub(super) version: Option<String>,
    pub(super) kind: Option<String>,
    /// These two are regular expressions.
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) label_selector: Option<String>,
    pub(super) annotation_selector: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Generator {
    files: Option<Vec<String>>,
    envs: Option<Vec<String>>,
    env: Option<String>,
}

impl Generator {
    /// `name=path`, or the path alone.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().flatten();
        let files = files.map(|file| file.split_once('=').map_or(file.as_str(), |(_, path)| path));
        files.chain(self.envs.iter().flatten().chain(&self.env).map(String::as_str))
    }
}

/// One entry of `images:`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rename {
    pub(super) name: String,
    pub(super) new_name: Option<String>,
}

/// A patch: a file, or a text of its own.
pub(super) enum Text<'a> {
    File(&'a str),
    Inline(&'a str),
}

/// The kustomizations in a folder; kustomize wants exactly one.
pub(super) fn in_folder<'a>(files: &BTreeMap<&'a str, &'a [u8]>, folder: &str) -> Vec<(String, &'a [u8])> {
    let path = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    NAMES.iter().filter_map(|name| Some((path(name), *files.get(path(name).as_str())?))).collect()
}

/// The kustomization that builds an overlay of the folder; none if the folder has one of its own.
pub(crate) fn root(files: &Source, overlay: &str) -> Option<(String, Vec<u8>)> {
    let [name, ..] = NAMES;
    let own = files.iter().any(|(path, _)| NAMES.contains(&path.as_str()));
    let kind = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    let entry = Value::String(overlay.to_owned());
    (!own).then(|| (name.to_owned(), format!("{kind}resources:\n- {entry}\n").into_bytes()))
}

/// These are followed, or change no object.
const FOLLOWED: [&str; 11] = [
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "crds",
    "openapi",
];

/// What kustomizations do that isn't followed (names, labels, generated objects, ...), each as an object that is called by its
/// path, with digests of the files that say more of it, also of those in folders.
pub(super) fn beyond(files: &Source) -> Vec<Value> {
    let named = |path: &str| NAMES.contains(&path.rsplit('/').next().unwrap_or(path));
    files
        .iter()
        .filter(|(path, _)| named(path))
        .filter_map(|(path, text)| of_one(files, path, text))
        .collect()
}

fn of_one(files: &Source, path: &str, text: &[u8]) -> Option<Value> {
    let mut fields = super::document::values(text).ok()?.into_iter().find(Value::is_object)?;
    fields.as_object_mut()?.retain(|field, _| !FOLLOWED.contains(&field.as_str()));
    if fields.as_object()?.is_empty() {
        return None;
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let read = Kustomization::read(text).unwrap_or_default();
    let named: Vec<_> = read.beyond().filter_map(|entry| place::joined(folder, entry)).collect();
    let is_named = |path: &str| named.iter().any(|at| is_within(path, at));
    let digest = |content: &[u8]| Value::from(Digest::of(content).to_string());
    let read = files.iter().filter(|(path, _)| is_named(path));
    let digests: serde_json::Map<_, _> = read.map(|(path, text)| (path.clone(), digest(text))).collect();
    let (api, kind) = ("kustomize.config.k8s.io/v1beta1", "Kustomization");
    Some(
        json!({ "apiVersion": api, "kind": kind, "metadata": { "name": path }, "spec": fields, "files": digests }),
    )
}

fn is_within(path: &str, at: &str) -> bool {
    path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || at.is_empty() || rest.starts_with('/'))
}

impl Kustomization {
    /// # Errors
    /// What can't be read, and where.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(text);
        let text = text.trim_start_matches('\u{feff}');
        // Read at once: `y` is a name here, and no boolean.
        let options = serde_saphyr::options! { emit_comments: false };
        let read: Option<Self> = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| error.without_snippet().to_string())?;
        Ok(read.unwrap_or_default())
    }

    /// Manifests and bases.
    pub(super) fn resources(&self) -> impl Iterator<Item = &String> {
        [&self.resources, &self.bases].into_iter().flatten().flatten()
    }

    pub(super) fn components(&self) -> impl Iterator<Item = &String> {
        self.components.iter().flatten()
    }

    pub(super) fn patches(&self) -> impl Iterator<Item = (Text<'_>, Option<&Target>)> {
        let merged = self.patches_strategic_merge.iter().flatten().map(|text| (either(text), None));
        let listed = [&self.patches, &self.patches_json].into_iter().flatten().flatten();
        let listed = listed.filter_map(|patch| match (&patch.path, &patch.patch) {
            (Some(path), _) => Some((Text::File(path), patch.target.as_ref())),
            (None, Some(text)) => Some((Text::Inline(text), patch.target.as_ref())),
            (None, None) => None,
        });
        merged.chain(listed)
    }

    /// Everything else that has to be there.
    pub(super) fn others(&self) -> impl Iterator<Item = &str> {
        let generators = [&self.config_map_generator, &self.secret_generator].into_iter().flatten().flatten();
        let generated = generators.flat_map(Generator::paths);
        let lists = [&self.crds, &self.configurations].into_iter().flatten().flatten().map(String::as_str);
        let paths = self.openapi.iter().filter_map(|of| of.path.as_deref());
        let validators = self.validators.iter().flatten().filter_map(|text| match either(text) {
            Text::File(path) => Some(path),
            Text::Inline(_) => None,
        });
        generated.chain(lists).chain(paths).chain(validators)
    }

    /// Files and folders that say what isn't followed.
    fn beyond(&self) -> impl Iterator<Item = &str> {
        let plugins = self.plugins().filter_map(|text| match text {
            Text::File(path) => Some(path),
            Text::Inline(_) => None,
        });
        let replacements = self.replacements().filter_map(|it| it.get("path")?.as_str());
        self.others().chain(plugins).chain(replacements)
    }

    pub(super) fn inflates_charts(&self) -> bool {
        let lists = [&self.helm_charts, &self.helm_chart_inflation_generator];
        lists.into_iter().flatten().any(|charts| !charts.is_empty())
    }

    /// Configurations of plugins; renames that they bring come after the kustomization's own.
    pub(super) fn plugins(&self) -> impl Iterator<Item = Text<'_>> {
        [&self.generators, &self.transformers].into_iter().flatten().flatten().map(|text| either(text))
    }

    pub(super) fn replacements(&self) -> impl Iterator<Item = &Value> {
        self.replacements.iter().flatten()
    }

    pub(super) fn renames(&self) -> &[Rename] {
        self.images.as_deref().unwrap_or_default()
    }
}

/// Kustomize takes what is YAML with a name and a value for a text, everything else for a path.
fn either(text: &str) -> Text<'_> {
    if text.contains('\n') || text.trim_start().starts_with('{') {
        Text::Inline(text)
    } else {
        Text::File(text)
    }
}
