//! What still fails, and why. A fault that is mended fails the run until it is taken out here.

/// A fault of ours.
#[derive(Debug)]
pub(crate) struct Fault {
    row: &'static str,
    operation: &'static str,
    /// What is seen instead of the right thing.
    pub(crate) seen: &'static str,
    pub(crate) reason: &'static str,
}

impl Fault {
    const fn new(
        row: &'static str,
        operation: &'static str,
        seen: &'static str,
        reason: &'static str,
    ) -> Self {
        Self { row, operation, seen, reason }
    }
}

const NO_LENGTH: &str = "an upload begins without Content-Length, which lighttpd answers with 411";
const SCOPES: &str = "of the scope `pull,push` only one half is asked for";
const REDIRECT: &str = "after a redirect of the first request the next one goes to the old address";

const KNOWN: &[Fault] = &[
    Fault::new("112", "publish", "LoginNeeded, exit 4", SCOPES),
    Fault::new("122", "publish", "LoginNeeded, exit 4", SCOPES),
    Fault::new("116", "publish", "Refused, exit 2", NO_LENGTH),
    Fault::new("126", "publish", "Refused, exit 2", NO_LENGTH),
    Fault::new("135", "publish", "Refused, exit 2", NO_LENGTH),
    Fault::new("214", "catalog init", "Garbage, exit 2", REDIRECT),
    Fault::new("221", "catalog init", "Garbage, exit 2", REDIRECT),
    Fault::new("230", "propose", "GitRefused, exit 2", "shallow lines that end with LF aren't read"),
];

/// What is known of an operation on a server.
pub(crate) fn of(row: &str, operation: &str) -> Option<&'static Fault> {
    KNOWN.iter().find(|fault| fault.row == row && fault.operation == operation)
}
