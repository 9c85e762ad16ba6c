//! The clock of a pass: real, or moved by tests; then waiting costs nothing.

use std::cell::Cell;

use pdp_policies::{At, Span};
use pdp_transport::cli::clock;

/// The time, and waiting for it.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Seconds that a moved clock has waited so far; none if the clock is real.
    waited: Option<Cell<i64>>,
    started: At,
}

impl Clock {
    /// The machine's clock; in debug builds with `PDP_NOW` one that starts there and only moves by waiting.
    pub(crate) fn new() -> Self {
        let moved = cfg!(debug_assertions) && std::env::var_os("PDP_NOW").is_some();
        Self { waited: moved.then(|| Cell::new(0)), started: clock::now() }
    }

    pub(crate) fn now(&self) -> At {
        match &self.waited {
            Some(waited) => At::from_unix(self.started.unix() + waited.get()),
            None => clock::now(),
        }
    }

    pub(crate) fn wait(&self, span: Span) {
        match &self.waited {
            Some(waited) => waited.set(waited.get() + span.seconds()),
            None => std::thread::sleep(std::time::Duration::from_secs(span.seconds().unsigned_abs())),
        }
    }
}
