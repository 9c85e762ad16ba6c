//! From the top down: what each kustomization takes in, then what it does with it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Document;
use super::budget::Budget;
use super::document;
use super::file::{self, Kustomization, Rename, Target, Text};
use super::kinds;
use super::patched;
use super::place::{self, Place};
use super::plugin::{self, Plugin};
use super::renames;
use super::unfollowed;
use crate::charts::Trouble;
use crate::lint::Source;

/// Real trees have some dozens; each base counts as often as it is taken in.
const MAX_KUSTOMIZATIONS: usize = 1000;

pub(super) struct Tree<'a> {
    files: BTreeMap<&'a str, &'a [u8]>,
    /// The folders between the top and where we are.
    open: Vec<String>,
    read: usize,
    pub(super) troubles: Vec<Trouble>,
    /// True if patches change what they are for; else they stand beside it.
    applies: bool,
    budget: Budget,
    /// Patches that changed nothing, as objects.
    pub(super) unfollowed: Vec<Value>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(files: &'a Source) -> Self {
        let files = files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
        Self {
            files,
            open: Vec::new(),
            read: 0,
            troubles: Vec::new(),
            applies: false,
            budget: Budget::default(),
            unfollowed: Vec::new(),
        }
    }

    pub(super) fn applying(files: &'a Source) -> Self {
        Self { applies: true, ..Self::new(files) }
    }

    /// What a folder's kustomization comes to; a component begins with the documents of who takes it in.
    pub(super) fn folder(&mut self, folder: &str, before: Vec<Document>) -> Vec<Document> {
        let Some((path, kustomization)) = self.kustomization(folder) else { return before };
        self.open.push(folder.to_owned());
        let mut documents = before;
        for entry in kustomization.resources() {
            documents.extend(self.resource(folder, &path, entry));
        }
        for entry in kustomization.components() {
            if let Some(component) = self.named_folder(folder, &path, entry) {
                documents = self.folder(&component, documents);
            }
        }
        for (number, (patch, target)) in kustomization.patches().enumerate() {
            let seen = self.text(folder, &path, &patch);
            let patches = self.values(folder, &patch);
            self.judge(&path, &patches);
            match self.applies {
                true => self.apply((&path, number + 1), patches, target, &mut documents),
                false => documents.extend(seen),
            }
        }
        for entry in kustomization.others() {
            self.find(folder, &path, entry);
        }
        self.replacements(folder, &path, &kustomization);
        let mut all = kustomization.renames().to_vec();
        all.extend(self.renames_of_plugins(folder, &path, &kustomization));
        documents.iter_mut().for_each(|document| renames::apply(&mut document.value, &all));
        self.open.pop();
        documents
    }

    fn kustomization(&mut self, folder: &str) -> Option<(String, Kustomization)> {
        let mut found = file::in_folder(&self.files, folder);
        let place = if folder.is_empty() { "kustomization.yaml" } else { folder };
        if self.open.iter().any(|open| open == folder) {
            self.trouble(
                place,
                "CyclicBase",
                "it takes itself in, by way of others".into(),
                "take one of them out",
            );
            return None;
        }
        self.read += 1;
        if self.read > MAX_KUSTOMIZATIONS {
            let message = format!("more than {MAX_KUSTOMIZATIONS} kustomizations are taken in");
            self.trouble("kustomization.yaml", "TooLarge", message, "take bases in once");
            return None;
        }
        let (path, text) = match (found.len(), found.pop()) {
            (1, Some(found)) => found,
            (0, _) => {
                let message = "there is no kustomization.yaml".to_owned();
                let hint = "list the manifests in one, or name the folder that has one as `overlay`";
                self.trouble(place, "NoKustomization", message, hint);
                return None;
            }
            _ => {
                self.trouble(place, "TwoKustomizations", "there are two kustomizations".into(), "keep one");
                return None;
            }
        };
        match Kustomization::read(text) {
            Ok(kustomization) if kustomization.inflates_charts() => {
                let message = "Flux inflates no Helm chart in a kustomization".to_owned();
                self.trouble(&path, "ChartInKustomization", message, "make the chart a component of its own");
                Some((path, kustomization))
            }
            Ok(kustomization) => Some((path, kustomization)),
            Err(cause) => {
                self.trouble(&path, "BadYaml", cause, "fix the file");
                None
            }
        }
    }

    /// A manifest, or a base.
    fn resource(&mut self, folder: &str, path: &str, entry: &str) -> Vec<Document> {
        match self.find(folder, path, entry) {
            Some(Place::File(file)) if self.applies => {
                self.read(&file).into_iter().flat_map(document::single).collect()
            }
            Some(Place::File(file)) => self.read(&file),
            Some(Place::Folder(base)) => self.folder(&base, Vec::new()),
            _ => Vec::new(),
        }
    }

    fn named_folder(&mut self, folder: &str, path: &str, entry: &str) -> Option<String> {
        match self.find(folder, path, entry)? {
            Place::Folder(found) => Some(found),
            _ => {
                self.trouble(
                    path,
                    "MissingResource",
                    format!("`{entry}` is no folder"),
                    "name a component's folder",
                );
                None
            }
        }
    }

    fn text(&mut self, folder: &str, path: &str, text: &Text<'_>) -> Vec<Document> {
        match text {
            Text::Inline(text) => self.documents(path, text.as_bytes()),
            Text::File(entry) => match self.find(folder, path, entry) {
                Some(Place::File(file)) => self.read(&file),
                _ => Vec::new(),
            },
        }
    }

    /// The documents of a patch as they are. What can't be read is told by `text`.
    fn values(&self, folder: &str, text: &Text<'_>) -> Vec<Value> {
        let content = match text {
            Text::Inline(text) => text.as_bytes(),
            Text::File(entry) => match place::find(&self.files, folder, entry) {
                Place::File(file) => self.files.get(file.as_str()).copied().unwrap_or_default(),
                _ => return Vec::new(),
            },
        };
        let values = document::values(content).unwrap_or_default();
        values.into_iter().filter(|value| !value.is_null()).collect()
    }

    /// What a patch doesn't change is told by itself.
    fn apply(
        &mut self,
        (path, patch_number): (&str, usize),
        patches: Vec<Value>,
        target: Option<&Target>,
        documents: &mut Vec<Document>,
    ) {
        for (number, patch) in patches.into_iter().enumerate() {
            match patched::apply(&patch, target, documents, &mut self.budget) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(cause) => {
                    let hint = "write the manifests as they have to be";
                    self.trouble(path, "TooLarge", format!("with patch {patch_number} {cause}"), hint);
                }
            }
            let place = format!("{path}, patch {patch_number}");
            self.unfollowed.push(unfollowed::patch(&place, number, target, &patch));
            if unfollowed::may_bring_an_image(&patch) {
                let message =
                    format!("patch {patch_number} copies an image, and for which object isn't followed");
                let hint = "name the object in `target`, or write the image";
                self.trouble(path, "ImageByPatch", message, hint);
            }
        }
    }

    /// No patch may change what an object is: what is written wouldn't show it.
    fn judge(&mut self, path: &str, patches: &[Value]) {
        let mut changed: Vec<_> = patches.iter().flat_map(kinds::changed_by).collect();
        changed.dedup();
        for place in changed {
            let message = format!("a patch changes `{place}`, and with it what the object is");
            self.trouble(path, "KindByPatch", message, kinds::HINT);
        }
    }

    /// Plugins aren't run, but those that rename images are read.
    fn renames_of_plugins(&mut self, folder: &str, path: &str, of: &Kustomization) -> Vec<Rename> {
        let mut configs = Vec::new();
        for config in of.plugins() {
            match config {
                Text::Inline(_) => configs.extend(self.text(folder, path, &config)),
                Text::File(entry) => configs.extend(self.resource(folder, path, entry)),
            }
        }
        let mut renames = Vec::new();
        for config in configs {
            match plugin::read(&config.value) {
                Plugin::Nothing => {}
                Plugin::Renames(rename) => renames.push(rename),
                Plugin::Unknown(kind) => {
                    let message = format!("the plugin `{kind}` could set an image unseen");
                    self.trouble(
                        &config.path,
                        "UnknownPlugin",
                        message,
                        "use `patches:` and `images:` instead",
                    );
                }
            }
        }
        renames
    }

    fn replacements(&mut self, folder: &str, path: &str, of: &Kustomization) {
        let mut all = Vec::new();
        for replacement in of.replacements() {
            let Some(entry) = replacement.get("path").and_then(Value::as_str) else {
                all.push(replacement.clone());
                continue;
            };
            if let Some(Place::File(file)) = self.find(folder, path, entry) {
                let content = self.files.get(file.as_str()).copied().unwrap_or_default();
                match document::values(content) {
                    Ok(values) => all.extend(values),
                    Err(cause) => self.trouble(&file, "BadYaml", cause, "fix the file"),
                }
            }
        }
        let one = |value: Value| if let Value::Array(items) = value { items } else { vec![value] };
        let all: Vec<_> = all.into_iter().flat_map(one).collect();
        if all.iter().any(kinds::replaced_by) {
            let message = "a replacement changes the kind of an object, and with it what it is".to_owned();
            self.trouble(path, "KindByPatch", message, kinds::HINT);
        }
        if all.iter().any(plugin::sets_an_image) {
            let message = "a replacement sets an image, and from where isn't followed".to_owned();
            self.trouble(path, "ImageByReplacement", message, "use `images:` instead");
        }
    }

    fn read(&mut self, file: &str) -> Vec<Document> {
        let content = self.files.get(file).copied().unwrap_or_default();
        self.documents(file, content)
    }

    fn documents(&mut self, path: &str, text: &[u8]) -> Vec<Document> {
        document::read(path, text).unwrap_or_else(|cause| {
            self.trouble(path, "BadYaml", cause, "fix the file");
            Vec::new()
        })
    }

    /// What an entry names; what is wrong with it becomes a trouble.
    fn find(&mut self, folder: &str, path: &str, entry: &str) -> Option<Place> {
        match place::find(&self.files, folder, entry) {
            Place::Elsewhere => {
                let message = format!("`{entry}` would be taken from elsewhere");
                self.trouble(path, "RemoteBase", message, "copy it into the component's folder");
                None
            }
            Place::Nothing => {
                let message = format!("`{entry}` isn't there");
                self.trouble(path, "MissingResource", message, "add it, or take the entry out");
                None
            }
            found => Some(found),
        }
    }

    fn trouble(&mut self, place: &str, code: &'static str, message: String, hint: &str) {
        let trouble = Trouble::new(place, code, message, hint);
        if !self.troubles.contains(&trouble) {
            self.troubles.push(trouble);
        }
    }
}
