//! What is wrong with a chart, as `release lint` says it.

use pdp_transport::Error;

/// One thing to fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The file, or what else is concerned.
    pub(crate) place: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Trouble {
    pub(crate) fn new(
        place: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { place: place.into(), code, message: message.into(), hint: hint.into() }
    }

    /// The same within a subchart.
    pub(super) fn within(self, folder: &str) -> Self {
        Self { place: format!("{folder}/{}", self.place), ..self }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let message = format!("{}: {}", error.what, error.cause);
        Self::new("chart", error.kind.code(), message, error.kind.hint())
    }
}
