//! Everything that a mirror has to hold, each once, in the order in which it is brought there. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pdp_policies::Digest;
use pdp_transport::oci::Repository;

use crate::images::Read;

/// What is copied: nothing is there before what it names.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    blobs: BTreeMap<Place, Item>,
    manifests: BTreeMap<Place, Item>,
    signatures: BTreeMap<Place, Item>,
    /// Of components first, of levels last.
    pub(crate) tags: BTreeSet<Tag>,
}

/// Where something is to be.
type Place = (Repository, Digest);

/// One thing with a digest.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) from: Repository,
    pub(crate) to: Repository,
    pub(crate) digest: Digest,
    pub(crate) form: Form,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Blob {
        size: u64,
    },
    Manifest {
        media_type: &'static str,
        depth: usize,
    },
    /// A manifest that refers to another one.
    Signature {
        of: Digest,
    },
}

/// A name in the mirror.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag {
    /// True for the one that says that a level is there.
    pub(crate) is_level: bool,
    pub(crate) to: Repository,
    pub(crate) name: String,
    pub(crate) digest: Digest,
    pub(crate) media_type: &'static str,
    pub(crate) from: Repository,
}

impl Inventory {
    /// An image, or the bundle, with all its parts and blobs.
    pub(crate) fn add(&mut self, from: &Repository, to: &Repository, documents: &[Read]) {
        for Read { digest, document, depth, .. } in documents {
            for blob in &document.blobs {
                self.add_blob(from, to, blob.digest, blob.size);
            }
            let place = (to.clone(), *digest);
            // A document may lie in several others: it is brought before the innermost that names it.
            let deepest = match self.manifests.get(&place).map(|item| &item.form) {
                Some(Form::Manifest { depth: known, .. }) => *depth.max(known),
                _ => *depth,
            };
            let form = Form::Manifest { media_type: document.media_type, depth: deepest };
            self.manifests.insert(place, item(from, to, *digest, form));
        }
    }

    /// A signature of something that is in the inventory, and its blobs.
    pub(crate) fn add_signature(&mut self, from: &Repository, to: &Repository, digest: Digest, of: Digest) {
        self.signatures.insert((to.clone(), digest), item(from, to, digest, Form::Signature { of }));
    }

    pub(crate) fn add_blob(&mut self, from: &Repository, to: &Repository, digest: Digest, size: u64) {
        self.blobs.insert((to.clone(), digest), item(from, to, digest, Form::Blob { size }));
    }

    pub(crate) fn items(&self) -> Vec<Item> {
        let all = self.blobs.values().chain(self.manifests.values()).chain(self.signatures.values());
        all.cloned().collect()
    }
}

fn item(from: &Repository, to: &Repository, digest: Digest, form: Form) -> Item {
    Item { from: from.clone(), to: to.clone(), digest, form }
}

/// Items in steps: what is in one of them needs only what is in those before it.
pub(crate) fn steps(items: Vec<Item>) -> Vec<(&'static str, Vec<Item>)> {
    let mut steps: BTreeMap<(u8, usize), Vec<Item>> = BTreeMap::new();
    for item in items {
        let step = match item.form {
            Form::Blob { .. } => (0, 0),
            Form::Manifest { depth, .. } => (1, usize::MAX - depth),
            Form::Signature { .. } => (2, 0),
        };
        steps.entry(step).or_default().push(item);
    }
    let name = |step: u8| ["blobs", "manifests", "signatures"][usize::from(step.min(2))];
    steps.into_iter().map(|((step, _), items)| (name(step), items)).collect()
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, digest, .. } = self;
        match &self.form {
            Form::Blob { size } => write!(f, "blob {to}@{digest}, {size} bytes"),
            Form::Manifest { .. } => write!(f, "manifest {to}@{digest}"),
            Form::Signature { of } => write!(f, "signature {to}@{digest} of {of}"),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tag {}:{}", self.to, self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_transport::oci::{INDEX_TYPE, MANIFEST_TYPE};

    use super::*;
    use crate::images::{Blob, Document};

    fn read(name: &str, parts: &[&str], blobs: &[&str], depth: usize) -> Read {
        let digest = |name: &&str| Digest::of(name.as_bytes());
        let media_type = if parts.is_empty() { MANIFEST_TYPE } else { INDEX_TYPE };
        let document = Document {
            media_type,
            parts: parts.iter().map(digest).collect(),
            blobs: blobs.iter().map(|name| Blob::new(digest(name), 1)).collect(),
        };
        Read { digest: digest(&name), document, bytes: Vec::new(), depth }
    }

    #[test]
    fn nothing_is_brought_before_what_it_names_and_nothing_twice() {
        let repository = |text: &str| text.parse::<Repository>().unwrap();
        let (from, to) = (repository("a.example/x"), repository("b.example/x"));
        let mut inventory = Inventory::default();
        inventory.add(&from, &to, &[read("inner", &["image"], &[], 0), read("image", &[], &["layer"], 1)]);
        let outer = [
            read("outer", &["inner"], &[], 0),
            read("inner", &["image"], &[], 1),
            read("image", &[], &["layer"], 2),
        ];
        inventory.add(&from, &to, &outer);
        inventory.add(&from, &to, &[read("image", &[], &["layer"], 0)]);
        inventory.add_signature(&from, &to, Digest::of(b"signature"), Digest::of(b"outer"));
        let found: Vec<_> = steps(inventory.items())
            .into_iter()
            .map(|(name, items)| (name, items.into_iter().map(|item| item.digest).collect::<Vec<_>>()))
            .collect();
        let one = |name: &'static str, what: &str| (name, vec![Digest::of(what.as_bytes())]);
        let wanted = [
            one("blobs", "layer"),
            one("manifests", "image"),
            one("manifests", "inner"),
            one("manifests", "outer"),
            one("signatures", "signature"),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn two_repositories_hold_the_same_layer_each() {
        let repository = |text: &str| text.parse::<Repository>().unwrap();
        let mut inventory = Inventory::default();
        for name in ["x", "y"] {
            let (from, to) =
                (repository(&format!("a.example/{name}")), repository(&format!("b.example/{name}")));
            inventory.add(&from, &to, &[read("image", &[], &["layer"], 0)]);
        }
        assert_eq!(inventory.items().len(), 4);
    }
}
