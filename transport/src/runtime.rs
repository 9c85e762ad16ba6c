//! Waiting for requests on a thread that may block: one runtime for the process, so that connections live on
//! between passes.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, Result};

/// Waits for `future`, on the runtime that this thread belongs to, or on one that the process keeps.
///
/// # Errors
/// `Io` when the runtime can't be started.
///
/// # Panics
/// On a thread that drives asynchronous tasks: call it from one that may block.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    if let Ok(handle) = Handle::try_current() {
        return Ok(handle.block_on(future));
    }
    static KEPT: OnceLock<std::result::Result<Runtime, std::io::Error>> = OnceLock::new();
    // One worker: it keeps idle connections alive while nobody waits.
    let start = || Builder::new_multi_thread().worker_threads(1).enable_all().build();
    match KEPT.get_or_init(start) {
        Ok(runtime) => Ok(runtime.block_on(future)),
        Err(error) => Err(Error::io("start a runtime", error)),
    }
}
