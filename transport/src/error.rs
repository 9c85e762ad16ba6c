//! One error for all that can go wrong between here and a registry or a Git host.

use std::fmt;

/// What went wrong, as a program has to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Login missing, wrong, or not entitled (401, 403).
    LoginNeeded,
    /// It isn't there (404).
    NotFound,
    /// Too many requests (429), after all retries.
    RateLimited,
    /// The other side failed (5xx), after all retries.
    ServerFailed,
    /// The answer isn't what the protocol says.
    Garbage,
    /// Larger than the limit; reading stopped there.
    TooLarge,
    /// Shorter or longer than its descriptor says.
    SizeMismatch,
    /// Other bytes than the digest says.
    DigestMismatch,
    /// No answer, or no further bytes, within the time limit.
    TimedOut,
    /// No connection.
    Unreachable,
    /// A text is not a reference, URL or branch name.
    BadReference,
    /// A login, key or CA file can't be used.
    BadCredentials,
    /// A tag names something else, and the registry doesn't move it.
    TagTaken,
    /// The branch is no longer where it was read.
    BranchMoved,
    /// The Git host or the local repository refused.
    GitRefused,
    /// A path would leave its folder, or is a link or device.
    UnsafePath,
    /// No space left.
    DiskFull,
    /// Any other trouble with files.
    Io,
}

impl Kind {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::LoginNeeded => "LoginNeeded",
            Self::NotFound => "NotFound",
            Self::RateLimited => "RateLimited",
            Self::ServerFailed => "ServerFailed",
            Self::Garbage => "Garbage",
            Self::TooLarge => "TooLarge",
            Self::SizeMismatch => "SizeMismatch",
            Self::DigestMismatch => "DigestMismatch",
            Self::TimedOut => "TimedOut",
            Self::Unreachable => "Unreachable",
            Self::BadReference => "BadReference",
            Self::BadCredentials => "BadCredentials",
            Self::TagTaken => "TagTaken",
            Self::BranchMoved => "BranchMoved",
            Self::GitRefused => "GitRefused",
            Self::UnsafePath => "UnsafePath",
            Self::DiskFull => "DiskFull",
            Self::Io => "Io",
        }
    }

    /// What the reader can do next.
    pub fn hint(self) -> &'static str {
        match self {
            Self::LoginNeeded => {
                "log in (`docker login HOST`, a token, or a credential helper) and check what the account may do"
            }
            Self::NotFound => "check the address; some registries answer so when the login lacks a right",
            Self::RateLimited => "wait a few minutes, or log in: anonymous limits are lower",
            Self::ServerFailed | Self::TimedOut | Self::Unreachable => {
                "try again later; check proxy and firewall if it stays so"
            }
            Self::Garbage => "is the address right, and is a proxy's page in between?",
            Self::TooLarge | Self::SizeMismatch | Self::DigestMismatch => {
                "the other side is broken or hostile; nothing of it was used"
            }
            Self::BadReference => "check the spelling",
            Self::BadCredentials => "check the file and who may read it",
            Self::TagTaken => {
                "what is published is never written over: use another level, or ask who pushed the other one"
            }
            Self::BranchMoved => "someone pushed meanwhile: run the command again",
            Self::GitRefused => "check that the account may push to this branch",
            Self::UnsafePath => "remove links and paths that leave the folder",
            Self::DiskFull => "free some space and run the command again; nothing is half done",
            Self::Io => "check the path and who may read and write it",
        }
    }

    /// True if waiting may help: what can't be fetched now says nothing about its content.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::ServerFailed | Self::TimedOut | Self::Unreachable | Self::BranchMoved
        )
    }
}

/// What failed, where, and why.
#[derive(Debug)]
pub struct Error {
    /// For programs.
    pub kind: Kind,
    /// Operation and object, without secrets.
    pub what: String,
    /// The cause, for people.
    pub cause: String,
}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` while doing `what`.
    pub fn new(kind: Kind, what: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { kind, what: what.into(), cause: cause.into() }
    }

    /// An error of the file system.
    pub fn io(what: impl Into<String>, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull => Kind::DiskFull,
            std::io::ErrorKind::NotFound => Kind::NotFound,
            _ => Kind::Io,
        };
        Self::new(kind, what, error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind.code(), self.what, self.cause)
    }
}

impl std::error::Error for Error {}
