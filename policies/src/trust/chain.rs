//! The root chain 1..N: each root signed by the one before and by itself.

use sigstore_tuf::TrustedMetadataSet;

use super::floors::Floors;
use super::judge::Doubt;
use super::{metadata, signers};
use crate::codes::{Refusal, RefusalCode};
use crate::tree::CatalogTree;

/// More roots than this in one chain are not followed.
const MAX_ROOTS: u64 = 1024;

/// Walks from the pinned root to the newest one in the tree. Also returns the floors with the newest root that is
/// verified: that one counts whatever the rest of the chain, or of the catalog, turns out to be.
pub(super) fn walk(tree: &CatalogTree, floors: &Floors) -> (Result<TrustedMetadataSet, Doubt>, Floors) {
    let mut newest = floors.clone();
    let walked = walk_from_pinned(tree, floors, &mut newest);
    (walked, newest)
}

fn walk_from_pinned(
    tree: &CatalogTree,
    floors: &Floors,
    newest: &mut Floors,
) -> Result<TrustedMetadataSet, Doubt> {
    let pinned = "the pinned root";
    let mut set = TrustedMetadataSet::from_root(&floors.pinned_root).map_err(|e| refuse(pinned, &e))?;
    check_root(pinned, &set)?;
    keep(&set, newest);
    for _ in 0..MAX_ROOTS {
        check_fork(&set, floors)?;
        let path = root_path(set.root().version + 1);
        let Some(bytes) = tree.get(&path) else { break };
        set.update_root(bytes).map_err(|e| refuse(&path, &e))?;
        check_root(&path, &set)?;
        keep(&set, newest);
    }
    check_floor(&set, floors)?;
    Ok(set)
}

fn keep(set: &TrustedMetadataSet, newest: &mut Floors) {
    if set.root().version > newest.root_version {
        newest.take_root(set.root().version, set.root_bytes().to_vec());
    }
}

/// Where root `version` lies in the catalog.
pub(super) fn root_path(version: u64) -> String {
    format!("metadata/{version}.root.json")
}

fn check_root(subject: &str, set: &TrustedMetadataSet) -> Result<(), Refusal> {
    let root = set.root();
    metadata::check_expires(subject, set.root_bytes())?;
    signers::check_distinct(subject, &root.keys)?;
    for (name, keys) in &root.roles {
        signers::check_threshold(subject, name, keys)?;
    }
    Ok(())
}

/// A root with the number of the accepted one that says something else is a fork, however well signed. What is signed is
/// compared, never the file: spaces and further signatures are anybody's.
fn check_fork(set: &TrustedMetadataSet, floors: &Floors) -> Result<(), Refusal> {
    let said = metadata::payload_bytes;
    if set.root().version == floors.root_version && said(set.root_bytes()) != said(&floors.root) {
        let path = root_path(floors.root_version);
        return Err(Refusal::new(
            RefusalCode::RootChain,
            path,
            "another root with the same version was accepted",
        ));
    }
    Ok(())
}

fn check_floor(set: &TrustedMetadataSet, floors: &Floors) -> Result<(), Doubt> {
    let version = set.root().version;
    if version < floors.root_version {
        let detail = format!("the chain ends at {version}, but {} was seen", floors.root_version);
        return Err(Doubt::Lag(Refusal::new(RefusalCode::VersionFloor, root_path(version), detail)));
    }
    Ok(())
}

fn refuse(subject: &str, error: &sigstore_tuf::Error) -> Refusal {
    use sigstore_tuf::Error as E;
    let code = match error {
        E::BadRootVersion { .. } => RefusalCode::RootChain,
        E::ThresholdNotMet { .. } | E::DuplicateSignature { .. } => RefusalCode::SignatureThreshold,
        _ => RefusalCode::Unreadable,
    };
    Refusal::new(code, subject, error.to_string())
}
