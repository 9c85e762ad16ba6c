//! The key that a command is about: its id as `publisher key show` prints it, the beginning of one, or its `.pub` file.

use std::path::Path;

use pdp_policies::trust::metadata;
use pdp_policies::{BadKeyChange, KeyList, ListedKey};
use pdp_transport::cli::failure::{Failure, Result};
use sigstore_types::DerPublicKey;

use crate::catalog::ChangeArgs;
use crate::keys::{KeyArgs, key_file};

/// The key, and who signs what happens to it.
#[derive(Debug, clap::Args)]
pub(crate) struct GivenArgs {
    /// The key: its id (`publisher key show`), the beginning of one, or its public half (`.pub`).
    pub(super) key: String,
    #[command(flatten)]
    pub(super) catalog: ChangeArgs,
    #[command(flatten)]
    pub(super) keys: KeyArgs,
}

/// The beginning of an id has at least so many digits: with one key listed, any letter would name it.
const LEAST_DIGITS: usize = 4;

/// A public key and its id.
pub(super) struct Given {
    pub(super) id: String,
    pub(super) pem: String,
    pub(super) der: DerPublicKey,
}

impl Given {
    fn of(pem: &str) -> Option<Self> {
        let (id, _) = metadata::key(pem).ok()?;
        Some(Self { id, pem: pem.to_owned(), der: DerPublicKey::from_pem(pem).ok()? })
    }
}

/// Reads a public key file.
pub(super) fn read(path: &Path) -> Result<Given> {
    let what = || format!("key file {}", path.display());
    Given::of(&String::from_utf8_lossy(&key_file(path)?)).ok_or_else(|| {
        let why = BadKeyChange::Unreadable;
        Failure::new(why.code(), what()).cause(why).hint(why.hint())
    })
}

/// Finds the one key of a list that is meant.
pub(super) fn find(list: &KeyList, text: &str) -> Result<Given> {
    let is_id = text.len() >= LEAST_DIGITS && text.chars().all(|c| c.is_ascii_hexdigit());
    let given = match is_id {
        true => by_id(list, &text.to_ascii_lowercase())?,
        false => read(Path::new(text))?,
    };
    match list.state_of(&given.der) {
        Some(_) => Ok(given),
        None => Err(not_listed(&given.id)),
    }
}

fn by_id(list: &KeyList, beginning: &str) -> Result<Given> {
    let keys = list.keys.iter().filter_map(|key: &ListedKey| Given::of(&key.public_key));
    let mut found: Vec<_> = keys.filter(|key| key.id.starts_with(beginning)).collect();
    match (found.pop(), found.len()) {
        (Some(key), 0) => Ok(key),
        (Some(_), others) => {
            Err(Failure::new("KeyAmbiguous", format!("{} listed keys begin with {beginning}", others + 1))
                .hint("give more digits of the id"))
        }
        (None, _) => Err(not_listed(beginning)),
    }
}

fn not_listed(id: &str) -> Failure {
    let why = BadKeyChange::NotListed;
    Failure::new(why.code(), format!("key {id}")).cause(why).hint(why.hint())
}
