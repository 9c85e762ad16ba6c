//! Whether a registry has an image and every part of every index: registries delete parts that a tagged index lists.

use std::collections::BTreeSet;

use pdp_policies::Digest;

use super::image::{Document, is_single};
use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};

/// An index of indexes of images, and no deeper.
const MAX_DEPTH: usize = 3;
/// All documents of one image together.
const MAX_DOCUMENTS: usize = 256;

impl Registry {
    /// What is missing of an image: itself, or parts of it. An image costs one HEAD, an index a HEAD, a GET and what its
    /// parts cost. Layers aren't asked for.
    ///
    /// # Errors
    /// `Garbage` for what isn't an image or has too many parts, and what requests can end with.
    pub async fn missing(&self, repository: &Repository, image: Digest) -> Result<Vec<Digest>> {
        let (mut missing, mut seen, mut level) = (Vec::new(), BTreeSet::from([image]), vec![image]);
        for _ in 0..MAX_DEPTH {
            let mut next = Vec::new();
            for digest in level {
                match self.parts(repository, &digest).await? {
                    Some(parts) => next.extend(parts.into_iter().filter(|part| seen.insert(*part))),
                    None => missing.push(digest),
                }
            }
            if next.is_empty() {
                return Ok(missing);
            }
            level = next;
            if seen.len() > MAX_DOCUMENTS {
                return Err(bad(repository, &image, &format!("more than {MAX_DOCUMENTS} parts")));
            }
        }
        Err(bad(repository, &image, &format!("an index of more than {MAX_DEPTH} levels")))
    }

    /// The parts of an index, none of an image; nothing if it isn't there.
    async fn parts(&self, repository: &Repository, digest: &Digest) -> Result<Option<Vec<Digest>>> {
        let Some(kind) = self.manifest_type(repository, digest).await? else { return Ok(None) };
        if is_single(&kind) {
            return Ok(Some(Vec::new()));
        }
        match self.manifest(repository, digest).await {
            Ok(bytes) => {
                let document = Document::read(&bytes);
                document.map(|it| Some(it.parts)).map_err(|cause| bad(repository, digest, &cause))
            }
            // Who pulls it by its digest doesn't take other bytes.
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::DigestMismatch) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn bad(repository: &Repository, digest: &Digest, cause: &str) -> Error {
    Error::new(Kind::Garbage, format!("image {repository}@{digest}"), cause)
}
