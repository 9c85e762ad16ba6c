//! How much of a repository is taken in. A host that says more is refused before anything of it is inflated.

use crate::error::Kind;

const MIB: u64 = 1024 * 1024;

/// Limits of one repository. Bytes are of one object or answer, unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// What one fetch downloads; it goes to disk.
    pub pack_bytes: u64,
    /// Objects in one pack.
    pub objects: u32,
    /// All objects of one pack together, inflated.
    pub inflated_bytes: u64,
    /// A commit or a tag.
    pub commit_bytes: u64,
    /// The list of one folder.
    pub tree_bytes: u64,
    /// A file that comes whole.
    pub blob_bytes: u64,
    /// An object that comes as a change of another one, before and after: these two lie in memory.
    pub delta_bytes: u64,
    /// The list of branches.
    pub advertisement_bytes: u64,
    /// Files and folders that are looked at.
    pub entries: usize,
    /// Folders in folders.
    pub depth: usize,
    /// Packs that the cache keeps; with more it starts anew.
    pub cache_packs: usize,
    /// What the cache keeps; with more it starts anew.
    pub cache_bytes: u64,
    /// What is said when a limit is met: the other side is hostile, or the limit can be raised.
    pub kind: Kind,
}

impl Limits {
    /// For what the vendor publishes: catalogs and ring state, small files that are all read.
    pub fn vendor() -> Self {
        Self {
            pack_bytes: 64 * MIB,
            objects: 10_000,
            inflated_bytes: pdp_policies::MAX_TREE_BYTES + 4 * MIB,
            commit_bytes: 256 * 1024,
            tree_bytes: MIB,
            blob_bytes: pdp_policies::MAX_FILE_BYTES,
            delta_bytes: pdp_policies::MAX_FILE_BYTES,
            advertisement_bytes: 2 * MIB,
            entries: 2 * pdp_policies::MAX_TREE_FILES,
            depth: 16,
            cache_packs: 16,
            cache_bytes: 32 * MIB,
            kind: Kind::TooLarge,
        }
    }

    /// For the customer's own repository, of which one folder is read. `pack_bytes` is what a fetch may download.
    pub fn customer(pack_bytes: u64) -> Self {
        Self {
            pack_bytes,
            objects: 200_000,
            inflated_bytes: pack_bytes.saturating_mul(16),
            commit_bytes: MIB,
            tree_bytes: 4 * MIB,
            blob_bytes: pack_bytes.saturating_mul(16),
            delta_bytes: 4 * MIB,
            advertisement_bytes: 16 * MIB,
            entries: 4 * pdp_policies::MAX_TREE_FILES,
            depth: 32,
            cache_packs: 128,
            cache_bytes: pack_bytes.saturating_mul(2),
            kind: Kind::RepositoryTooLarge,
        }
    }

    /// What a customer's repository may be if nobody says otherwise (bytes of one fetch).
    pub const CUSTOMER_PACK_BYTES: u64 = 2048 * MIB;
}
