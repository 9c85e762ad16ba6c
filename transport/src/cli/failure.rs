//! What a command ends with when it can't do its work: for people on stderr, with a stable code.

use std::fmt;

use pdp_policies::{Refusal, RefusalCode, printable_lines};

use super::exit;
use crate::error::Error;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// What failed, and where.
    pub what: String,
    /// Why.
    pub cause: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// The exit code.
    pub exit: u8,
    /// True if waiting may help.
    pub transient: bool,
}

/// The result of a command's steps.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure that exits with [`exit::FAILED`].
    pub fn new(code: &str, what: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            what: what.into(),
            cause: None,
            hint: None,
            exit: exit::FAILED,
            transient: false,
        }
    }

    /// Adds why.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says where it happened, before what it is.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }

    /// Sets the exit code.
    #[must_use]
    pub fn exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Parts of it may be a stranger's words.
        write!(f, "error[{}]: {}", self.code, printable_lines(&self.what))?;
        if let Some(cause) = &self.cause {
            write!(f, "\n  cause: {}", printable_lines(cause))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint:  {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let row = error.kind.row();
        let failure = Self::new(row.code, error.what).cause(error.cause).hint(row.hint).exit(row.exit);
        Self { transient: row.waits, ..failure }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        use RefusalCode as C;
        let exit = match refusal.code {
            C::Unsigned => exit::UNSIGNED,
            C::CeilingNotInChannel => exit::NOT_FOUND,
            C::UnknownSigner | C::WrongPredicate | C::WrongSubject => exit::UNKNOWN_SIGNER,
            C::SignatureThreshold | C::ThresholdTooLow | C::DuplicateKey => exit::THRESHOLD,
            C::VersionFloor | C::LevelRewritten | C::RootChain => exit::ROLLBACK,
            C::DigestMismatch | C::HashMismatch | C::MixAndMatch | C::BundleMismatch => exit::DIGEST,
            _ => exit::FAILED,
        };
        Self::new(refusal.code.as_str(), refusal.subject)
            .cause(refusal.detail)
            .hint(refusal.code.hint())
            .exit(exit)
    }
}

/// An error that only a bug could bring about.
pub fn internal(error: impl fmt::Display) -> Failure {
    Failure::new("Internal", "this should not happen; please report it").cause(error)
}
