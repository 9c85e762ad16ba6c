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

const KNOWN: &[Fault] = &[];

/// What is known of an operation on a server.
pub(crate) fn of(row: &str, operation: &str) -> Option<&'static Fault> {
    KNOWN.iter().find(|fault| fault.row == row && fault.operation == operation)
}
