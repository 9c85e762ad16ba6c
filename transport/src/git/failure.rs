//! What an error of libgit2 means: on a full volume everything fails, whatever was being done.

use std::io;

use git2::ErrorClass;
use rustix::io::Errno;

use crate::error::{Error, Kind};

/// `kind`, unless the volume is full.
pub(super) fn failed(kind: Kind, what: impl Into<String>, error: &git2::Error) -> Error {
    let kind = if is_full(error) { Kind::DiskFull } else { kind };
    Error::new(kind, what, error.message())
}

/// `Garbage`, explained in `words`, unless the volume is full.
pub(super) fn spoilt(what: impl Into<String>, words: &str, error: &git2::Error) -> Error {
    let failed = failed(Kind::Garbage, what, error);
    match failed.kind {
        Kind::Garbage => Error { cause: format!("{words}: {}", failed.cause), ..failed },
        _ => failed,
    }
}

/// libgit2 keeps no number of the system's error, but ends its own words with the system's.
fn is_full(error: &git2::Error) -> bool {
    let ends_as = |errno: Errno| {
        let words = io::Error::from(errno).to_string();
        let words = words.split(" (os error").next().unwrap_or_default();
        error.message().ends_with(words)
    };
    error.class() == ErrorClass::Os && (ends_as(Errno::NOSPC) || ends_as(Errno::DQUOT))
}
