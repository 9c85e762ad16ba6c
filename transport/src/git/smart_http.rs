//! Pushing: Git's smart HTTP protocol for libgit2, over the same HTTP client as everything else.
//!
//! libgit2's own HTTPS would bring a second TLS stack. It asks for two services; each is one request.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes};
use git2::transport::{SmartSubtransport, SmartSubtransportStream, Transport};
use reqwest::Response;
use url::Url;

use super::host::{Host, Service};
use crate::error::{Error, Kind};

/// libgit2 looks our transport up by this prefix, so that its own HTTP is never used.
const PREFIX: &str = "pdp+";
/// libgit2 maps packs in pieces of this size, and no more than so many bytes: what is mapped counts as memory.
const MAPPED_AT_ONCE: usize = 1024 * 1024;
const MAPPED: usize = 4 * 1024 * 1024;

/// What one operation may use. libgit2 calls back on the same thread, so a thread-local carries it.
pub(super) struct Session {
    pub(super) host: Arc<Host>,
    /// Bytes that may still be received.
    pub(super) left: u64,
    /// The true cause; libgit2 only passes texts on.
    pub(super) failure: Option<Error>,
}

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Runs `operation` with a session; returns its result and the true cause of a failure.
pub(super) fn with_session<T>(session: Session, operation: impl FnOnce() -> T) -> (T, Option<Error>) {
    SESSION.set(Some(session));
    let result = operation();
    let failure = SESSION.take().and_then(|session| session.failure);
    (result, failure)
}

/// The address as libgit2 has to see it.
pub(super) fn address(url: &Url) -> String {
    format!("{PREFIX}{url}")
}

/// Tells libgit2, once, how to reach hosts and how much memory it may use.
///
/// # Errors
/// When libgit2 refuses.
pub(super) fn prepare() -> Result<(), git2::Error> {
    static PREPARED: OnceLock<Result<(), String>> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| set_up().map_err(|e| e.message().to_owned()));
    prepared.clone().map_err(|e| git2::Error::from_str(&e))
}

#[expect(
    unsafe_code,
    reason = "libgit2's list of transports and its settings aren't locked; the OnceLock calls this once, before any use"
)]
fn set_up() -> Result<(), git2::Error> {
    for scheme in ["http", "https"] {
        // SAFETY: called once, from one thread, before any remote is opened by this crate.
        unsafe {
            git2::transport::register(&format!("{PREFIX}{scheme}"), |remote| {
                Transport::smart(remote, true, SmartHttp)
            })?;
        }
    }
    // SAFETY: as above; plain numbers that are read later.
    unsafe {
        git2::opts::set_mwindow_size(MAPPED_AT_ONCE)?;
        git2::opts::set_mwindow_mapped_limit(MAPPED)?;
    }
    // An object's name is computed from its bytes when its pack comes in. Computing it at every read as well takes a
    // third of the time of reading a catalog; bytes that were spoilt on disk are found by zlib's checksum.
    git2::opts::strict_hash_verification(false);
    Ok(())
}

struct SmartHttp;

impl SmartSubtransport for SmartHttp {
    fn action(
        &self,
        _: &str,
        service: git2::transport::Service,
    ) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let (body, answer, piece) = (Vec::new(), None, Bytes::new());
        Ok(Box::new(Exchange { service, body, answer, piece }))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

/// One request: what is written is its body, the first read sends it.
struct Exchange {
    service: git2::transport::Service,
    body: Vec<u8>,
    answer: Option<Response>,
    /// What came and wasn't read yet.
    piece: Bytes,
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        SESSION.with_borrow_mut(|session| {
            let session = session.as_mut().ok_or_else(|| io::Error::other("no session on this thread"))?;
            self.read_within(session, buffer).map_err(|error| {
                let text = error.to_string();
                session.failure = Some(error);
                io::Error::other(text)
            })
        })
    }
}

impl Exchange {
    fn read_within(&mut self, session: &mut Session, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.answer.is_none() {
            self.answer = Some(self.send(&session.host)?);
        }
        while self.piece.is_empty() {
            let Some(answer) = self.answer.as_mut() else { return Ok(0) };
            let Some(piece) = session.host.piece(answer)? else { return Ok(0) };
            let left = session.left.checked_sub(piece.len() as u64);
            let too_large =
                || Error::new(Kind::TooLarge, session.host.what(), "the host sends more than the limit");
            session.left = left.ok_or_else(too_large)?;
            self.piece = piece;
        }
        let read = self.piece.len().min(buffer.len());
        self.piece.split_to(read).copy_to_slice(&mut buffer[..read]);
        Ok(read)
    }

    fn send(&mut self, host: &Host) -> Result<Response, Error> {
        use git2::transport::Service as Asked;
        match self.service {
            Asked::UploadPackLs => host.advertisement(Service::UploadPack),
            Asked::ReceivePackLs => host.advertisement(Service::ReceivePack),
            Asked::UploadPack => host.post(Service::UploadPack, std::mem::take(&mut self.body).into()),
            Asked::ReceivePack => host.post(Service::ReceivePack, std::mem::take(&mut self.body).into()),
        }
    }
}
