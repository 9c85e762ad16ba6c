//! Waiting for requests on a thread that may block: one runtime for the process, so that connections live on
//! between passes.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, Result};

thread_local! {
    static DRIVEN: RefCell<Option<Rc<Runtime>>> = const { RefCell::new(None) };
}

/// While `work` runs, [`block_on`] on this thread drives `runtime` itself: no other thread is woken for a request or its
/// answer. For a runtime of one thread that nobody else drives.
pub fn driving<T>(runtime: &Rc<Runtime>, work: impl FnOnce() -> T) -> T {
    DRIVEN.set(Some(Rc::clone(runtime)));
    // For whatever `work` leaves to run beside it.
    let _entered = runtime.enter();
    let done = work();
    DRIVEN.set(None);
    done
}

/// Waits for `future`, on the runtime that this thread drives or belongs to, or on one that the process keeps.
///
/// # Errors
/// `Io` when the runtime can't be started.
///
/// # Panics
/// On a thread that drives asynchronous tasks: call it from one that may block.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    if let Some(driven) = DRIVEN.with_borrow(Clone::clone) {
        return Ok(driven.block_on(future));
    }
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
