//! What a server was asked and answered.

use std::sync::{Arc, Mutex, PoisonError};

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Such as `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// HTTP status; 0 if the connection was closed without an answer.
    pub status: u16,
    /// So many `Authorization` headers came with it.
    pub logins: usize,
    /// Bytes of the request's body.
    pub received: u64,
    /// Bytes of the answer's body; none if its length isn't known before it ends.
    pub sent: Option<u64>,
}

/// The record of one server, in the order of the answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exchanges(Arc<Mutex<Vec<Exchange>>>);

impl Exchanges {
    pub(crate) fn add(&self, exchange: Exchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    /// Everything since the last call.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
