//! Accounts that servers know, and files by which the programs know them.

use std::path::Path;

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

/// Somebody with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The user's name.
    pub user: &'static str,
    /// The password.
    pub password: &'static str,
    /// bcrypt of the password, as `htpasswd -B` writes it.
    pub bcrypt: &'static str,
}

/// May pull and push.
pub const PUSHER: Account = Account {
    user: "pusher",
    password: "push-it",
    bcrypt: "$2y$05$kbj0VNWuZe1UCXatRvToiOwGAEt3sHeYn7RElU4cUgkDKeIiTD26S",
};

/// May pull.
pub const READER: Account = Account {
    user: "reader",
    password: "read-it",
    bcrypt: "$2y$05$SuxD4.zwXYKv5E018.Av.eQGA8M.TtmKDidC/bKEHEOSDd8Ed1U9K",
};

/// Writes a Docker config with the login for one registry (`host:port`), in a folder for `DOCKER_CONFIG`.
///
/// # Errors
/// When it can't be written.
pub fn logins(folder: &Path, registry: &str, user: &str, password: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let auth = STANDARD.encode(format!("{user}:{password}"));
    let config = json!({ "auths": { registry: { "auth": auth } } });
    Ok(std::fs::write(folder.join("config.json"), config.to_string())?)
}

/// The lines of an htpasswd file with all accounts.
pub fn htpasswd() -> String {
    [PUSHER, READER].map(|account| format!("{}:{}\n", account.user, account.bcrypt)).concat()
}
