//! What a command ends with when it can't do its work: on stderr, with a stable code; for people or for machines.

use std::fmt;

use pdp_policies::{Refusal, RefusalCode, printable_lines};

use serde::Serialize;

use super::output::Format;
use super::{ci, exit};
use crate::error::Error;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// What failed.
    pub what: String,
    /// Where, if that isn't part of what failed: outermost first, with colons between.
    pub place: Option<Box<str>>,
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
            place: None,
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
        self.place = Some(match self.place {
            Some(inner) => format!("{place}: {inner}").into(),
            None => place.into(),
        });
        self
    }

    /// Sets the exit code.
    #[must_use]
    pub fn exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }

    /// As it is said on stderr: lines for people, one line of JSON (which is YAML, too) for machines.
    pub fn told(&self, format: Format) -> String {
        match format.is_for_machines() {
            true => self.object(),
            false => self.to_string(),
        }
    }

    fn object(&self) -> String {
        let text = |part: Option<&str>| part.map(printable_lines);
        let told = Told {
            code: &self.code,
            what: printable_lines(&self.what),
            place: text(self.place.as_deref()),
            cause: text(self.cause.as_deref()),
            hint: text(self.hint.as_deref()),
            exit: self.exit,
        };
        ci::inert_json(&serde_json::json!({ "error": told }).to_string())
    }
}

/// A failure for machines: `{"error": {...}}`.
#[derive(Serialize)]
struct Told<'a> {
    code: &'a str,
    what: String,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    cause: Option<String>,
    hint: Option<String>,
    exit: u8,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Parts of it may be a stranger's words.
        write!(f, "error[{}]: ", self.code)?;
        if let Some(place) = &self.place {
            write!(f, "{}: ", printable_lines(place))?;
        }
        f.write_str(&printable_lines(&self.what))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_machines_are_told_the_same() {
        let failure = Failure::new("NotFound", "no\u{1b}thing").cause("gone").exit(11);
        let failure = failure.within("for 1.31").within("component `a`");
        for (format, told) in [
            (Format::Table, "error[NotFound]: component `a`: for 1.31: no\\u{1b}thing\n  cause: gone"),
            (Format::Name, "error[NotFound]: component `a`: for 1.31: no\\u{1b}thing\n  cause: gone"),
            (
                Format::Json,
                r#"{"error":{"cause":"gone","code":"NotFound","exit":11,"hint":null,"what":"no\\u{1b}thing","where":"component `a`: for 1.31"}}"#,
            ),
        ] {
            assert_eq!(failure.told(format), told);
        }
        let sly = Failure::new("NotFound", "a\n##vso[task.complete]").told(Format::Json);
        assert!(sly.contains(r"a\n\u0023#vso[task.complete]"), "{sly}");
        assert_eq!(failure.told(Format::Yaml), failure.told(Format::Json));
        assert!(!Failure::new("A", "b").told(Format::Json).contains("where"));
    }
}
