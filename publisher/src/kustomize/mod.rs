//! A kustomization and all that it is built from, as far as images and files go: bases, components, patches, renames.
//!
//! Nothing is fetched, and nothing outside the component's folder is read.

mod document;
mod file;
mod patched;
mod place;
mod plugin;
mod renames;
mod tree;

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

/// What is applied to a cluster, as far as it can be told without kustomize: patches change what they are for. A patch that is
/// for nothing here stands beside it, and so do kustomizations that change more than that.
pub(crate) fn objects(files: &Source) -> Vec<Value> {
    let documents = tree::Tree::applying(files).folder("", Vec::new());
    let objects = documents.into_iter().map(|document| document.value);
    objects.chain(file::beyond(files)).collect()
}

/// One manifest or patch, and the file that it is from.
#[derive(Debug, Clone, PartialEq)]
struct Document {
    path: String,
    value: Value,
}

#[cfg(test)]
mod tests;
