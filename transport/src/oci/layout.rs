//! An OCI image layout: a folder that any OCI tool can read.

use std::path::{Path, PathBuf};

use pdp_policies::Digest;

use super::MAX_MANIFEST_BYTES;
use super::descriptor::{Descriptor, Index};
use crate::error::{Error, Kind, Result};
use crate::files;

/// A layout folder. Blobs are written before the index that names them, so a half-written one is harmless.
#[derive(Debug, Clone)]
pub struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// Makes an empty layout, or continues the one that is there.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn create(folder: &Path) -> Result<Self> {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).map_err(|e| Error::io(format!("make {}", blobs.display()), &e))?;
        files::write_atomic(&folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Opens a layout that must be there.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn open(folder: &Path) -> Result<Self> {
        if folder.join("oci-layout").is_file() {
            return Ok(Self { folder: folder.to_owned() });
        }
        let cause = "it has no file `oci-layout`";
        Err(Error::new(Kind::NotFound, format!("OCI layout {}", folder.display()), cause))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores a blob.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        if !path.exists() {
            files::write_atomic(&path, bytes)?;
        }
        Ok(digest)
    }

    /// Reads a blob of at most `max` bytes and compares its digest.
    ///
    /// # Errors
    /// `NotFound`, `TooLarge`, `DigestMismatch`, `Io`.
    pub fn blob(&self, digest: &Digest, max: u64) -> Result<Vec<u8>> {
        let path = self.path(digest);
        let what = || format!("blob {}", path.display());
        let bytes = files::read_capped(&path, max)?;
        let bytes = bytes.ok_or_else(|| Error::new(Kind::NotFound, what(), "the layout doesn't hold it"))?;
        if Digest::of(&bytes) != *digest {
            return Err(Error::new(Kind::DigestMismatch, what(), "its bytes were changed"));
        }
        Ok(bytes)
    }

    /// The file of a blob, whether it is there or not; nothing is compared.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.path(digest)
    }

    /// The entries of `index.json`.
    ///
    /// # Errors
    /// `Garbage`, `Io`.
    pub fn entries(&self) -> Result<Vec<Descriptor>> {
        let path = self.folder.join("index.json");
        let Some(bytes) = files::read_capped(&path, MAX_MANIFEST_BYTES)? else { return Ok(Vec::new()) };
        let index: Index = serde_json::from_slice(&bytes)
            .map_err(|e| Error::new(Kind::Garbage, path.display().to_string(), e.to_string()))?;
        Ok(index.manifests)
    }

    /// Replaces `index.json`; the last step of every change.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn put_entries(&self, entries: Vec<Descriptor>) -> Result<()> {
        let path = self.folder.join("index.json");
        let bytes = serde_json::to_vec(&Index::new(None, entries))
            .map_err(|e| Error::new(Kind::Garbage, path.display().to_string(), e.to_string()))?;
        files::write_atomic(&path, &bytes)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.hex())
    }
}
