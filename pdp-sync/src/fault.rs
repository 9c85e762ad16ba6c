//! Named points at which a test can let the process die, as a crash or `kill -9` would.

/// Aborts the process here in debug builds when `PDP_FAULT` names this point. Release builds know no faults.
pub(crate) fn point(name: &str) {
    if cfg!(debug_assertions) && std::env::var("PDP_FAULT").is_ok_and(|fault| fault == name) {
        std::process::abort();
    }
}
