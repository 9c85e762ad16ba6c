//! Plain HTTP on this machine: health and metrics.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::blocking::Client;

/// Status and text of a GET; past any proxy.
pub(super) fn get(url: &str) -> Result<(u16, String)> {
    static CLIENT: OnceLock<Option<Client>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        // Choosing twice is harmless; not choosing panics.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Client::builder().timeout(Duration::from_secs(10)).no_proxy().build().ok()
    });
    let answer = client.as_ref().context("no HTTP client")?.get(url).send()?;
    Ok((answer.status().as_u16(), answer.text()?))
}

/// True if it answers 200.
pub(super) fn is_ok(url: &str) -> bool {
    get(url).is_ok_and(|(code, _)| code == 200)
}
