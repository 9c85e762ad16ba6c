//! From the top down: what each kustomization takes in, then what it does with it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Document;
use super::document;
use super::file::{self, Kustomization, Rename, Text};
use super::place::{self, Place};
use super::renames;
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
}

impl<'a> Tree<'a> {
    pub(super) fn new(files: &'a Source) -> Self {
        let files = files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
        Self { files, open: Vec::new(), read: 0, troubles: Vec::new() }
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
        for patch in kustomization.patches() {
            documents.extend(self.text(folder, &path, &patch));
        }
        for entry in kustomization.others() {
            self.find(folder, &path, entry);
        }
        let mut all = kustomization.renames().to_vec();
        all.extend(self.renames_of_transformers(folder, &path, &kustomization));
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

    /// Transformers aren't run, but those that rename images are read.
    fn renames_of_transformers(&mut self, folder: &str, path: &str, of: &Kustomization) -> Vec<Rename> {
        let mut configs = Vec::new();
        for transformer in of.transformers() {
            match transformer {
                Text::Inline(_) => configs.extend(self.text(folder, path, &transformer)),
                Text::File(entry) => configs.extend(self.resource(folder, path, entry)),
            }
        }
        let renaming = configs.into_iter().map(|config| config.value);
        let renaming = renaming
            .filter(|config| config.get("kind").and_then(Value::as_str) == Some("ImageTagTransformer"));
        renaming.filter_map(|config| serde_json::from_value(config.get("imageTag")?.clone()).ok()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kustomize::build;

    fn files(list: &[(&str, &str)]) -> Source {
        list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn pod(image: &str) -> String {
        format!("kind: Pod\nspec: {{containers: [{{image: \"{image}\"}}]}}\n")
    }

    fn texts(built: &super::super::Built) -> String {
        built.documents.iter().map(|(_, text)| String::from_utf8_lossy(text).into_owned()).collect()
    }

    #[test]
    fn images_end_with_the_names_that_overlay_component_and_base_give_them() {
        let built = build(&files(&[
            ("kustomization.yaml", "resources: [overlays/prod]\n"),
            (
                "overlays/prod/kustomization.yaml",
                "resources: [../../base]\ncomponents: [../../debug]\nimages: [{name: b/app, newName: c/app}]\n\
                 patches: [{path: patch.yaml}, {patch: '[{op: add, path: /spec/initContainers/0/image, value: b/app:2}]'}]\n",
            ),
            ("overlays/prod/patch.yaml", &pod("b/app:3")),
            ("overlays/dev/kustomization.yaml", "resources: [gone.yaml]\n"),
            (
                "base/kustomization.yaml",
                "resources: [pod.yaml]\nimages: [{name: app, newName: b/app, newTag: '1'}]\n",
            ),
            ("base/pod.yaml", &pod("app:1")),
            (
                "debug/kustomization.yaml",
                "kind: Component\nresources: [p.yaml]\nimages: [{name: tool, newName: d/tool}]\n",
            ),
            ("debug/p.yaml", &pod("tool")),
        ]));
        assert_eq!(built.troubles, [], "what isn't built is looked at by nobody");
        let found = texts(&built);
        for image in ["c/app:1", "c/app:2", "c/app:3", "d/tool"] {
            assert!(found.contains(image), "{image} in {found}");
        }
        assert!(!found.contains("b/app") && !found.contains("image: app"), "{found}");
    }

    #[test]
    fn a_base_in_two_overlays_is_seen_under_both_names() {
        let built = build(&files(&[
            ("kustomization.yaml", "resources: [x, y]\n"),
            ("x/kustomization.yaml", "resources: [../base]\nimages: [{name: app, newName: x/app}]\n"),
            ("y/kustomization.yaml", "resources: [../base]\n"),
            ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
            ("base/pod.yaml", &pod("app:1")),
        ]));
        let found = texts(&built);
        assert!(found.contains("x/app:1") && found.contains("image: app:1"), "{found}");
    }

    #[test]
    fn what_kustomize_or_flux_refuses_is_refused() {
        let renaming = "kind: ImageTagTransformer\nimageTag: {name: app, newName: t/app}\n";
        for (list, codes) in [
            (&[][..], &["NoKustomization"][..]),
            (&[("Kustomization", "")], &[]),
            (&[("kustomization.yml", ""), ("kustomization.yaml", "")], &["TwoKustomizations"]),
            (&[("kustomization.yaml", "resources: [../base]")], &["RemoteBase"]),
            (&[("kustomization.yaml", "resources: ['https://example.com/x?ref=1']")], &["RemoteBase"]),
            (&[("kustomization.yaml", "resources: [base]"), ("base/x.yaml", "")], &["NoKustomization"]),
            (
                &[("kustomization.yaml", "resources: [a]"), ("a/kustomization.yaml", "bases: [..]")],
                &["CyclicBase"],
            ),
            (&[("kustomization.yaml", "patches: [{path: p.yaml}]")], &["MissingResource"]),
            (
                &[("kustomization.yaml", "configMapGenerator: [{name: c, files: [k=f, g]}]"), ("f", "")],
                &["MissingResource"],
            ),
            (&[("kustomization.yaml", "helmCharts: [{name: c}]")], &["ChartInKustomization"]),
            (&[("kustomization.yaml", "resources: [x.yaml]"), ("x.yaml", "a: b: c")], &["BadYaml"]),
            (&[("kustomization.yaml", "resources: {a: b}")], &["BadYaml"]),
            (&[("kustomization.yaml", "transformers: [t.yaml]"), ("t.yaml", renaming)], &[]),
        ] {
            let found: Vec<_> = build(&files(list)).troubles.iter().map(|trouble| trouble.code).collect();
            assert_eq!(found, codes, "{list:?}");
        }
    }

    #[test]
    fn bases_that_double_are_counted() {
        let mut list = vec![("kustomization.yaml".to_owned(), "resources: [a0]\n".to_owned())];
        for number in 0..30 {
            let next = number + 1;
            list.push((
                format!("a{number}/kustomization.yaml"),
                format!("resources: [../a{next}, ../b{next}]\n"),
            ));
            list.push((
                format!("b{number}/kustomization.yaml"),
                format!("resources: [../a{next}, ../b{next}]\n"),
            ));
        }
        let list: Source = list.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        assert!(build(&list).troubles.iter().any(|trouble| trouble.code == "TooLarge"));
    }
}
