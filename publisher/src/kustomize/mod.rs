//! A kustomization and all that it is built from, as far as images and files go: bases, components, patches, renames.
//!
//! Nothing is fetched, and nothing outside the component's folder is read.

mod budget;
mod document;
mod file;
mod kinds;
mod operations;
mod patched;
mod place;
mod plugin;
mod renames;
mod tree;
mod unfollowed;

use serde_json::Value;

use crate::charts::Trouble;
use crate::lint::Source;

pub(crate) use file::root;

/// What a tree of kustomizations comes to.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// The manifests and patches that are used, images under the names that they end with.
    pub(crate) documents: Source,
    pub(crate) troubles: Vec<Trouble>,
}

/// Follows the kustomization at the top of the files.
pub(crate) fn build(files: &Source) -> Built {
    let mut tree = tree::Tree::new(files);
    let documents = tree.folder("", Vec::new());
    Built { documents: document::as_files(documents), troubles: tree.troubles }
}

/// Each object with the file that it is from.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) objects: Vec<(String, Value)>,
    /// Patches that aren't for anything here, or not as far as can be told, as objects that are called by their places.
    pub(crate) unfollowed: Vec<Value>,
    pub(crate) troubles: Vec<Trouble>,
}

/// What patches make of the manifests, as far as it can be told without kustomize.
pub(crate) fn applied(files: &Source) -> Applied {
    let mut tree = tree::Tree::applying(files);
    let documents = tree.folder("", Vec::new());
    let objects = documents.into_iter().map(|document| (document.path, document.value)).collect();
    Applied { objects, unfollowed: tree.unfollowed, troubles: tree.troubles }
}

/// What is applied to a cluster: what isn't followed, of patches and of all else that kustomizations do, stands beside it.
pub(crate) fn objects(files: &Source) -> Vec<Value> {
    let Applied { objects, unfollowed, .. } = applied(files);
    let objects = objects.into_iter().map(|(_, object)| object);
    objects.chain(unfollowed).chain(file::beyond(files)).collect()
}

/// Manifests and patches as they are written, and what patches make of the manifests: what only one of them names counts.
pub(crate) fn written_and_applied(files: &Source) -> Source {
    let mut documents = tree::Tree::new(files).folder("", Vec::new());
    documents.extend(tree::Tree::applying(files).folder("", Vec::new()));
    document::as_files(documents)
}

/// One manifest or patch, and the file that it is from.
#[derive(Debug, Clone, PartialEq)]
struct Document {
    path: String,
    value: Value,
}

#[cfg(test)]
mod tests;
