//! Fetching one commit with its files: git-upload-pack (gitprotocol-pack, version 0), without history.
//!
//! libgit2 could do it, but it believes the host: it limits no object, refuses `shallow` lines that end with LF, and
//! asks twice what is there. What is downloaded goes through a check to libgit2's indexer, and so to disk.

use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use git2::Oid;

use super::advertisement::Advertisement;
use super::cache::Cache;
use super::failure::spoilt;
use super::host::{Host, Service};
use super::limits::Limits;
use super::pack_check::{PackCheck, Refused};
use super::pkt_line::{Line, Lines, line, trimmed};
use super::words::words;
use crate::error::{Error, Kind, Result};
use crate::files;

/// libgit2 maps and unmaps the pack with each write: not for every small piece (bytes).
const WRITTEN_AT_ONCE: usize = 256 * 1024;
/// A volume is full for us when less than this is free (bytes).
const KEPT_FREE: u64 = 8 * 1024 * 1024;
/// What an index takes for an object, at least (bytes).
const INDEXED: u64 = 64;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) commit: Oid,
    /// Commits whose files are in the cache: what isn't new isn't sent, and what is may come as changes of them. Git
    /// looks at the files of what is here only for who takes such changes (`thin-pack`); all others get every file anew.
    pub(super) have: &'a [Oid],
}

/// Downloads a commit and those of its files that aren't in the cache; all of them if that comes to nothing: the cache
/// may lack what changes are of, and what comes whole can be larger than what comes as a change.
///
/// # Errors
/// `TooLarge` or `RepositoryTooLarge` over a limit, `DiskFull`, `Garbage`, and what requests can end with.
pub(super) fn download(
    host: &Host,
    cache: &Cache,
    limits: &Limits,
    offered: &Advertisement,
    wanted: Wanted<'_>,
) -> Result<()> {
    let mut reading = Reading::new(host, limits, cache.repository.path());
    let done = receive(&mut reading, cache, offered, wanted);
    let of_changes = |e: &Error| e.kind == Kind::Garbage || reading.change_too_large;
    if wanted.have.is_empty() || !done.as_ref().is_err_and(of_changes) {
        return done;
    }
    let mut reading = Reading::new(host, limits, cache.repository.path());
    receive(&mut reading, cache, offered, Wanted { have: &[], ..wanted })
}

fn receive(
    reading: &mut Reading<'_>,
    cache: &Cache,
    offered: &Advertisement,
    wanted: Wanted<'_>,
) -> Result<()> {
    let (host, limits) = (reading.host, reading.limits);
    let body = request(offered, &wanted, &cache.shallow()?);
    let mut answer = host.post(Service::UploadPack, Bytes::from(body))?;
    let odb = cache.repository.odb().map_err(|e| git(host, &e))?;
    let mut writer = odb.packwriter().map_err(|e| git(host, &e))?;
    let mut left = limits.pack_bytes;
    while let Some(piece) = host.piece(&mut answer)? {
        left = left.checked_sub(piece.len() as u64).ok_or_else(|| reading.over(limits.pack_bytes))?;
        reading.take(&piece, &mut writer)?;
    }
    reading.end(&mut writer)?;
    writer.commit().map_err(|e| git(host, &e))?;
    cache.change_shallow(&reading.added, &reading.removed)
}

/// Wants and haves; one commit deep where the host can do that.
fn request(offered: &Advertisement, wanted: &Wanted<'_>, shallow: &[String]) -> String {
    let thin = (!wanted.have.is_empty()).then_some("thin-pack");
    let usable = ["side-band-64k", "ofs-delta", "no-progress", "shallow"].into_iter().chain(thin);
    let capabilities: String =
        usable.filter(|name| offered.can(name)).map(|name| format!(" {name}")).collect();
    let mut body = line(&format!(
        "want {}{capabilities} agent=pdp-updates/{}",
        wanted.commit,
        env!("CARGO_PKG_VERSION")
    ));
    if offered.can("shallow") {
        body.extend(shallow.iter().map(|id| line(&format!("shallow {id}"))));
        body += &line("deepen 1");
    }
    body += "0000";
    body.extend(wanted.have.iter().map(|id| line(&format!("have {id}"))));
    body + &line("done")
}

/// An answer while it comes in.
struct Reading<'a> {
    host: &'a Host,
    limits: &'a Limits,
    folder: &'a Path,
    lines: Lines,
    check: PackCheck<'a>,
    has_pack: bool,
    ended: bool,
    /// A change was refused, of an object that may be small enough when it comes whole.
    change_too_large: bool,
    unwritten: Vec<u8>,
    said: Vec<u8>,
    added: Vec<String>,
    removed: Vec<String>,
}

impl<'a> Reading<'a> {
    fn new(host: &'a Host, limits: &'a Limits, folder: &'a Path) -> Self {
        let (lines, check) = (Lines::default(), PackCheck::new(limits));
        let (has_pack, ended, change_too_large) = (false, false, false);
        let (unwritten, said, added, removed) = Default::default();
        Self {
            host,
            limits,
            folder,
            lines,
            check,
            has_pack,
            ended,
            change_too_large,
            unwritten,
            said,
            added,
            removed,
        }
    }

    fn take(&mut self, piece: &[u8], writer: &mut impl Write) -> Result<()> {
        self.lines.add(piece);
        while let Some(line) = self.lines.next().map_err(|cause| self.garbage(cause))? {
            match line {
                Line::Content(line) => self.line(&line, writer)?,
                Line::Flush if self.has_pack => self.ended = true,
                // The end of the `shallow` lines.
                Line::Flush => {}
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], writer: &mut impl Write) -> Result<()> {
        match (line.split_first(), trimmed(line)) {
            _ if self.ended => Err(self.garbage("more follows the end")),
            (Some((1, pack)), _) => self.pack(pack, writer),
            (Some((2, said)), _) => {
                self.said.extend(said.iter().take(2048_usize.saturating_sub(self.said.len())));
                Ok(())
            }
            (Some((3, said)), _) => Err(self.says(said)),
            _ if self.has_pack => Err(self.garbage("a line in the midst of the pack")),
            (_, text) => self.negotiated(text),
        }
    }

    fn negotiated(&mut self, text: &[u8]) -> Result<()> {
        let id = |id: &[u8]| {
            let id = std::str::from_utf8(id).ok().filter(|id| id.len() == 40 && Oid::from_str(id).is_ok());
            id.map(str::to_owned).ok_or_else(|| self.garbage("a line that names no commit"))
        };
        // One commit is asked for: a host that cuts off more than these is not answering that.
        let most = self.added.len() + self.removed.len() < 4096;
        match text {
            _ if text.starts_with(b"shallow ") && most => self.added.push(id(&text[8..])?),
            _ if text.starts_with(b"unshallow ") && most => self.removed.push(id(&text[10..])?),
            _ if text == b"NAK" || text.starts_with(b"ACK ") => {}
            _ if text.starts_with(b"ERR ") => return Err(self.says(&text[4..])),
            _ => return Err(self.garbage("an unknown line")),
        }
        Ok(())
    }

    fn pack(&mut self, pack: &[u8], writer: &mut impl Write) -> Result<()> {
        self.has_pack = true;
        if let Err(refused) = self.check.take(pack) {
            self.change_too_large = refused.is_of_a_change();
            return Err(self.refused(&refused));
        }
        self.unwritten.extend_from_slice(pack);
        if self.unwritten.len() >= WRITTEN_AT_ONCE { self.write(writer) } else { Ok(()) }
    }

    fn end(&mut self, writer: &mut impl Write) -> Result<()> {
        if !self.has_pack {
            let said = words(&self.said);
            return Err(self.garbage(&format!("there is no pack in it {said}")));
        }
        self.check.end().map_err(|refused| self.refused(&refused))?;
        self.write(writer)
    }

    fn write(&mut self, writer: &mut impl Write) -> Result<()> {
        let needed = self.unwritten.len() as u64 + KEPT_FREE + u64::from(self.check.named()) * INDEXED;
        let free = files::free(self.folder).unwrap_or(u64::MAX);
        if free < needed {
            let cause =
                format!("the volume of {} has {free} bytes left, which is too little", self.folder.display());
            return Err(Error::new(Kind::DiskFull, self.host.what(), cause));
        }
        writer.write_all(&self.unwritten).map_err(|_| git(self.host, &git2::Error::last_error(-1)))?;
        self.unwritten.clear();
        Ok(())
    }

    fn refused(&self, refused: &Refused) -> Error {
        let kind = match refused {
            Refused::Broken(_) => Kind::Garbage,
            Refused::Over { .. } => self.limits.kind,
        };
        Error::new(kind, self.host.what(), format!("its pack is refused: {refused}"))
    }

    fn over(&self, limit: u64) -> Error {
        Error::new(self.limits.kind, self.host.what(), format!("the host sends more than {limit} bytes"))
    }

    fn garbage(&self, cause: &str) -> Error {
        Error::new(Kind::Garbage, self.host.what(), format!("the answer is not Git's: {cause}"))
    }

    fn says(&self, said: &[u8]) -> Error {
        let before = words(&self.said);
        let cause = format!("the host says: {} {before}", words(said));
        Error::new(Kind::ServerFailed, self.host.what(), cause.trim_end())
    }
}

fn git(host: &Host, error: &git2::Error) -> Error {
    spoilt(host.what(), "its pack can't be used", error)
}
