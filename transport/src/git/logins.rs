//! What git's credential helpers said, kept for the life of the process: a helper may be a program that asks a
//! server, or a person.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use url::Url;

use crate::credentials;
use crate::error::Result;
use crate::login::Login;

/// Origin, user and path.
type Asked = (String, Option<String>, String);

static KEPT: LazyLock<Mutex<HashMap<Asked, Option<Login>>>> = LazyLock::new(Mutex::default);
/// More repositories than this, and all are asked for anew.
const MOST: usize = 256;

/// A login, and whether it was known before.
pub(super) struct Answer {
    pub(super) login: Option<Login>,
    pub(super) remembered: bool,
}

/// The login for a repository, of this user if one is given.
///
/// # Errors
/// `BadCredentials` when a helper's answer makes no sense.
pub(super) fn of(repository: &Url, user: Option<&str>) -> Result<Answer> {
    let asked = asked(repository, user);
    // Not held while the helper runs: it may wait for a person.
    let known = KEPT.lock().unwrap_or_else(PoisonError::into_inner).get(&asked).cloned();
    if let Some(login) = known {
        return Ok(Answer { login, remembered: true });
    }
    let login = credentials::for_git(repository, user)?;
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.insert(asked, login.clone());
    Ok(Answer { login, remembered: false })
}

/// Forgets a login that was refused.
pub(super) fn forget(repository: &Url, user: Option<&str>) {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).remove(&asked(repository, user));
}

fn asked(repository: &Url, user: Option<&str>) -> Asked {
    let origin = repository.origin().ascii_serialization();
    (origin, user.map(str::to_owned), repository.path().to_owned())
}
