//! An image with every part of it, the outermost document first.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::Digest;
use pdp_transport::cli::failure::{Failure, Result};

use super::copy::From;
use super::document::{self, Document};

/// An index of indexes of images, and no deeper.
const MAX_DEPTH: usize = 3;
/// All documents of one image together (bytes).
const MAX_BYTES: usize = 64 << 20;

/// A document as it was read; its bytes are those of its digest.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) digest: Digest,
    pub(crate) document: Document,
    pub(crate) bytes: Vec<u8>,
    /// How many documents lie around it.
    pub(crate) depth: usize,
}

/// All documents of an image; none is before one that names it.
///
/// # Errors
/// `ImageMissing` if the source hasn't all of them, `BadImage`, and what requests can end with.
pub(crate) async fn tree(from: &From<'_>, digest: Digest) -> Result<Vec<Read>> {
    let (all, gaps) = reach(from, digest).await?;
    gaps.into_values().next().map_or(Ok(all), Err)
}

/// As [`tree`], as far as the source has it; and what it hasn't, each as a failure.
///
/// # Errors
/// `BadImage`, and what requests can end with.
pub(crate) async fn reach(from: &From<'_>, digest: Digest) -> Result<(Vec<Read>, BTreeMap<Digest, Failure>)> {
    let (mut all, mut gaps, mut left) = (Vec::new(), BTreeMap::new(), MAX_BYTES);
    let (mut level, mut depth) = (BTreeSet::from([digest]), 0);
    while !level.is_empty() {
        if depth == MAX_DEPTH {
            return Err(bad(digest, &format!("is an index of more than {MAX_DEPTH} levels")));
        }
        let mut next = BTreeSet::new();
        for part in level {
            let bytes = match from.manifest(&part).await {
                Err(failure) if failure.code == "ImageMissing" => {
                    gaps.insert(part, failure);
                    continue;
                }
                bytes => bytes?,
            };
            left = left
                .checked_sub(bytes.len())
                .ok_or_else(|| bad(digest, &format!("has documents of more than {MAX_BYTES} bytes")))?;
            let document = document::read(&part.to_string(), &bytes)?;
            next.extend(document.parts.iter().copied());
            all.push(Read { digest: part, document, bytes, depth });
        }
        (level, depth) = (next, depth + 1);
    }
    Ok((all, gaps))
}

fn bad(digest: Digest, cause: &str) -> Failure {
    Failure::new("BadImage", format!("{digest} {cause}"))
}
