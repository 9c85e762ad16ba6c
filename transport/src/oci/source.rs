//! The bytes of a blob that is sent: in memory, or in a file that is read piece by piece.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use futures_util::stream::try_unfold;
use pdp_policies::Digest;
use reqwest::Body;
use sha2::Digest as _;

use super::registry::Counters;
use crate::error::{Error, Kind, Result};
use crate::http::Progress;

/// So much is in memory at once (bytes).
const PIECE: u64 = 64 * 1024;

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Memory(Bytes),
    File(PathBuf),
}

enum Open {
    Memory(Bytes),
    File(File),
}

impl Source {
    /// A body of `length` bytes from `start`. It notes and counts what moves.
    ///
    /// # Errors
    /// `NotFound`, `Io`.
    pub(super) fn body(
        &self,
        start: u64,
        length: u64,
        progress: Arc<Progress>,
        count: Arc<Counters>,
    ) -> Result<Body> {
        let open = self.open(start)?;
        let pieces = try_unfold((open, length), move |(open, left)| {
            let (progress, count) = (progress.clone(), count.clone());
            async move {
                let length = left.min(PIECE);
                if length == 0 {
                    return std::io::Result::Ok(None);
                }
                let (piece, open) = open.read(length).await?;
                progress.note();
                count.sent.fetch_add(length, Relaxed);
                Ok(Some((piece, (open, left - length))))
            }
        });
        Ok(Body::wrap_stream(pieces))
    }

    fn open(&self, start: u64) -> Result<Open> {
        match self {
            Self::Memory(bytes) => {
                let from = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                Ok(Open::Memory(bytes.slice(from..)))
            }
            Self::File(path) => {
                let what = || format!("read {}", path.display());
                let mut file = File::open(path).map_err(|e| Error::io(what(), &e))?;
                file.seek(SeekFrom::Start(start)).map_err(|e| Error::io(what(), &e))?;
                Ok(Open::File(file))
            }
        }
    }
}

impl Open {
    async fn read(self, length: u64) -> std::io::Result<(Bytes, Self)> {
        let short = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let length = usize::try_from(length).map_err(|_| short())?;
        match self {
            Self::Memory(mut bytes) if bytes.len() >= length => {
                Ok((bytes.split_to(length), Self::Memory(bytes)))
            }
            Self::Memory(_) => Err(short()),
            Self::File(mut file) => tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; length];
                file.read_exact(&mut piece)?;
                Ok((Bytes::from(piece), Self::File(file)))
            })
            .await
            .map_err(std::io::Error::other)?,
        }
    }
}

/// Compares size and digest of a file; it is read piece by piece.
///
/// # Errors
/// `NotFound`, `SizeMismatch`, `DigestMismatch`, `Io`.
pub(super) fn check_file(path: &Path, digest: &Digest, size: u64) -> Result<()> {
    let what = || format!("blob {}", path.display());
    let fail = |e: std::io::Error| Error::io(what(), &e);
    let mut file = File::open(path).map_err(fail)?;
    let found = file.metadata().map_err(fail)?.len();
    if found != size {
        return Err(Error::new(Kind::SizeMismatch, what(), format!("{found} bytes instead of {size}")));
    }
    let (mut hash, mut piece) = (sha2::Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece).map_err(fail)? {
            0 => break,
            read => hash.update(&piece[..read]),
        }
    }
    check_digest(&what(), digest, hash)
}

/// # Errors
/// `DigestMismatch`.
pub(super) fn check_digest(what: &str, digest: &Digest, hash: sha2::Sha256) -> Result<()> {
    let found: [u8; 32] = hash.finalize().into();
    if found == *digest.as_bytes() {
        return Ok(());
    }
    let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
    Err(Error::new(Kind::DigestMismatch, what, format!("the bytes are sha256:{found}")))
}
