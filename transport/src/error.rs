//! One error for all that can go wrong between here and a registry or a Git host.

use std::fmt;

use crate::cli::exit;

/// What went wrong, as a program has to know it. `docs/failures.md` is this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Login missing, wrong, or not entitled (401, 403).
    LoginNeeded,
    /// It isn't there (404, 410).
    NotFound,
    /// Too many requests (429), after all retries.
    RateLimited,
    /// The other side failed (5xx), after all retries.
    ServerFailed,
    /// The other side doesn't do what was asked (any other 4xx).
    Refused,
    /// The other side takes no body of this size (413).
    TooLargeForHost,
    /// The answer isn't what the protocol says: another format, or a page.
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
    /// The host's certificate isn't one that is trusted here: unknown CA, wrong name, or past its date.
    Untrusted,
    /// The proxy wants a login (407).
    ProxyLoginNeeded,
    /// The proxy doesn't let this connection through.
    ProxyRefused,
    /// No connection to the proxy.
    ProxyUnreachable,
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
    /// The repository holds other branches, and not this one.
    BranchMissing,
    /// A repository of a kind that isn't supported.
    RepositoryUnsupported,
    /// A repository of one's own is over a limit that can be raised.
    RepositoryTooLarge,
    /// A path would leave its folder, or is a link or device.
    UnsafePath,
    /// No space left.
    DiskFull,
    /// Any other trouble with files.
    Io,
}

/// What people and scripts are told of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The kind.
    pub kind: Kind,
    /// The stable code.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What usually brings it about.
    pub cause: &'static str,
    /// What the reader can do next.
    pub hint: &'static str,
    /// The exit code of a command that ends with it.
    pub exit: u8,
    /// True if waiting may help: what can't be fetched now says nothing about its content.
    pub waits: bool,
}

impl Kind {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 27] = [
        Self::LoginNeeded,
        Self::NotFound,
        Self::RateLimited,
        Self::ServerFailed,
        Self::Refused,
        Self::TooLargeForHost,
        Self::Garbage,
        Self::TooLarge,
        Self::SizeMismatch,
        Self::DigestMismatch,
        Self::TimedOut,
        Self::Unreachable,
        Self::Untrusted,
        Self::ProxyLoginNeeded,
        Self::ProxyRefused,
        Self::ProxyUnreachable,
        Self::BadReference,
        Self::BadCredentials,
        Self::TagTaken,
        Self::BranchMoved,
        Self::GitRefused,
        Self::BranchMissing,
        Self::RepositoryUnsupported,
        Self::RepositoryTooLarge,
        Self::UnsafePath,
        Self::DiskFull,
        Self::Io,
    ];

    /// Its row of the table.
    pub fn row(self) -> Row {
        let (code, meaning, cause, hint, exit, waits) = match self {
            Self::LoginNeeded => (
                "LoginNeeded",
                "Login missing, wrong, or not entitled (401, 403).",
                "no login is stored for this host, it has ended, or the account lacks a right",
                "log in (`docker login HOST`, a token, or a credential helper) and check what the account may do",
                exit::LOGIN,
                false,
            ),
            Self::NotFound => (
                "NotFound",
                "It isn't there (404, 410).",
                "a name is mistyped, or the thing was deleted or never pushed",
                "check the address; some registries answer so when the login lacks a right",
                exit::FAILED,
                false,
            ),
            Self::RateLimited => (
                "RateLimited",
                "Too many requests (429), after all retries.",
                "many requests from one address or account, often without a login",
                "wait a few minutes, or log in: anonymous limits are lower",
                exit::FAILED,
                true,
            ),
            Self::ServerFailed => (
                "ServerFailed",
                "The other side failed (5xx), after all retries.",
                "the other side is overloaded, or is being updated",
                "try again later; the other side's operators know more if it stays so",
                exit::FAILED,
                true,
            ),
            Self::Refused => (
                "Refused",
                "The other side doesn't do what was asked (any other 4xx).",
                "the other side doesn't offer this, or forbids it here",
                "its own words, if it gave any, say why; check the address and what the repository allows",
                exit::FAILED,
                false,
            ),
            Self::TooLargeForHost => (
                "TooLargeForHost",
                "The other side takes no body of this size (413).",
                "a proxy before the registry has a low limit",
                "raise the limit of the registry, or of the proxy before it (nginx: `client_max_body_size`)",
                exit::FAILED,
                false,
            ),
            Self::Garbage => (
                "Garbage",
                "The answer isn't what the protocol says: another format, or a page.",
                "a proxy or a login page answers instead, or the address is of something else",
                "is the address right, and is a proxy's or a login page in between?",
                exit::FAILED,
                false,
            ),
            Self::TooLarge => (
                "TooLarge",
                "Larger than the limit; reading stopped there.",
                "the other side serves something else under that name",
                "the other side is broken or hostile; nothing of it was used",
                exit::FAILED,
                false,
            ),
            Self::SizeMismatch => (
                "SizeMismatch",
                "Shorter or longer than its descriptor says.",
                "the transfer was cut short, or the bytes were changed",
                "the other side is broken or hostile; nothing of it was used",
                exit::FAILED,
                false,
            ),
            Self::DigestMismatch => (
                "DigestMismatch",
                "Other bytes than the digest says.",
                "the bytes were changed, or damaged on their way",
                "the other side is broken or hostile; nothing of it was used",
                exit::FAILED,
                false,
            ),
            Self::TimedOut => (
                "TimedOut",
                "No answer, or no further bytes, within the time limit.",
                "the other side or the network is slow, or a firewall drops packets",
                "try again later; check proxy and firewall if it stays so",
                exit::FAILED,
                true,
            ),
            Self::Unreachable => (
                "Unreachable",
                "No connection.",
                "the host is down, its name isn't known here, or a firewall is in between",
                "try again later; check the name, proxy and firewall if it stays so",
                exit::FAILED,
                true,
            ),
            Self::Untrusted => (
                "Untrusted",
                "The host's certificate isn't one that is trusted here: unknown CA, wrong name, or past its date.",
                "the host has a certificate of a private CA that isn't named here",
                "name a private CA (`--ca`, `spec.ca`, `certSecretRef`); otherwise somebody may be in between",
                exit::FAILED,
                false,
            ),
            Self::ProxyLoginNeeded => (
                "ProxyLoginNeeded",
                "The proxy wants a login (407).",
                "the address of the proxy has no user and password",
                "put it into HTTPS_PROXY (`http://user:password@host:port`) and check it",
                exit::LOGIN,
                false,
            ),
            Self::ProxyRefused => (
                "ProxyRefused",
                "The proxy doesn't let this connection through.",
                "the proxy has a list of hosts, and this one isn't in it",
                "have the proxy allow this host and port, or name the host in NO_PROXY",
                exit::FAILED,
                false,
            ),
            Self::ProxyUnreachable => (
                "ProxyUnreachable",
                "No connection to the proxy.",
                "the proxy is down, or its address is mistyped",
                "check HTTPS_PROXY, HTTP_PROXY and whether the proxy runs; NO_PROXY goes around it",
                exit::FAILED,
                true,
            ),
            Self::BadReference => (
                "BadReference",
                "A text is not a reference, URL or branch name.",
                "the text is mistyped, or has a part that isn't allowed here",
                "check the spelling",
                exit::FAILED,
                false,
            ),
            Self::BadCredentials => (
                "BadCredentials",
                "A login, key or CA file can't be used.",
                "another file, another password, or a file that this user may not read",
                "check the file and who may read it",
                exit::LOGIN,
                false,
            ),
            Self::TagTaken => (
                "TagTaken",
                "A tag names something else, and the registry doesn't move it.",
                "the same level was pushed before with another content",
                "what is published is never written over: use another level, or ask who pushed the other one",
                exit::FAILED,
                false,
            ),
            Self::BranchMoved => (
                "BranchMoved",
                "The branch is no longer where it was read.",
                "somebody else pushed at the same time",
                "someone pushed meanwhile: run the command again",
                exit::FAILED,
                true,
            ),
            Self::GitRefused => (
                "GitRefused",
                "The Git host or the local repository refused.",
                "the account may only read, or the branch is protected",
                "check that the account may push to this branch, and that no protection or hook of the host stands in the way",
                exit::FAILED,
                false,
            ),
            Self::BranchMissing => (
                "BranchMissing",
                "The repository holds other branches, and not this one.",
                "the branch has another name, or was never made",
                "name a branch that is there, or make this one with a first commit",
                exit::FAILED,
                false,
            ),
            Self::RepositoryUnsupported => (
                "RepositoryUnsupported",
                "A repository of a kind that isn't supported.",
                "the repository was made with SHA-256 object names",
                "use a repository whose objects are named by SHA-1 (`git init --object-format=sha1`)",
                exit::FAILED,
                false,
            ),
            Self::RepositoryTooLarge => (
                "RepositoryTooLarge",
                "A repository of one's own is over a limit that can be raised.",
                "the repository holds much else, or a long history",
                "raise it (spec.target.git.limits.download), or use a repository that holds little else",
                exit::FAILED,
                false,
            ),
            Self::UnsafePath => (
                "UnsafePath",
                "A path would leave its folder, or is a link or device.",
                "an archive or a file names a path with `..`, a link or a device",
                "remove links and paths that leave the folder",
                exit::FAILED,
                false,
            ),
            Self::DiskFull => (
                "DiskFull",
                "No space left.",
                "the disk, the volume or the quota is used up",
                "free some space and run the command again; nothing is half done",
                exit::FAILED,
                false,
            ),
            Self::Io => (
                "Io",
                "Any other trouble with files.",
                "the path isn't there, or this user may not read or write it",
                "check the path and who may read and write it",
                exit::FAILED,
                false,
            ),
        };
        Row { kind: self, code, meaning, cause, hint, exit, waits }
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// What the reader can do next.
    pub fn hint(self) -> &'static str {
        self.row().hint
    }

    /// True if waiting may help: what can't be fetched now says nothing about its content.
    pub fn is_transient(self) -> bool {
        self.row().waits
    }

    /// True if one was kept from reading: it says nothing about what is there. Otherwise what is there can't be read.
    pub fn says_nothing_of_content(self) -> bool {
        self.is_transient() || self == Self::LoginNeeded
    }

    /// True if a descriptor doesn't fit what is there. Whoever may attach something may write such a descriptor: one that a
    /// stranger wrote says nothing about anything else.
    pub fn is_named_wrongly(self) -> bool {
        matches!(self, Self::NotFound | Self::TooLarge | Self::SizeMismatch | Self::DigestMismatch)
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
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Kind::DiskFull,
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
