//! Answering a registry's 401: a token from the service that it names, or Basic.

use reqwest::Response;
use url::Url;

use super::challenge::{self, Challenge};
use super::memory::{Access, Grant};
use super::registry::Registry;
use super::repository::Repository;
use super::token;
use crate::error::{Error, Kind, Result};
use crate::http::is_on_loopback;
use crate::login::Login;

/// What a token service is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
    pub(super) scope: String,
}

/// The grant that the challenges ask for, none if nothing here answers them. A token comes before Basic, unless its
/// service may not have the login and Basic may.
///
/// # Errors
/// `LoginNeeded` when the token service refuses, `Garbage` for one that can't be asked, and what requests can end
/// with.
pub(super) async fn answer(
    registry: &Registry,
    repository: &Repository,
    access: Access,
    refused: &Response,
    login: Option<&Login>,
) -> Result<Option<Grant>> {
    let origin = repository.origin(registry.exceptions())?;
    let challenges = challenge::of(refused.headers());
    let basic = || {
        let offered = challenges.iter().any(|challenge| challenge.scheme == "basic");
        let value = login.filter(|_| offered)?.basic_for(&origin)?;
        Some(Grant { value, until: None, without_login: None })
    };
    let Some(bearer) = challenges.iter().find(|challenge| challenge.scheme == "bearer") else {
        return Ok(basic());
    };
    let question = match (question(bearer, repository, access, &origin), basic()) {
        (Ok(question), _) => question,
        (Err(_), Some(basic)) => return Ok(Some(basic)),
        (Err(error), None) => return Err(error),
    };
    let lent = login.and_then(|login| login.for_token_service(&question.realm, registry.exceptions()));
    match (lent, basic()) {
        (None, Some(basic)) => Ok(Some(basic)),
        (lent, _) => {
            let without = login.filter(|_| lent.is_none()).map(|_| held_back(&origin, &question.realm));
            token::fetch(registry, repository, &question, lent, without).await.map(Some)
        }
    }
}

/// What a Bearer challenge wants asked, and where: over TLS, or on this machine if the registry is there, too.
fn question(
    challenge: &Challenge,
    repository: &Repository,
    access: Access,
    origin: &Url,
) -> Result<Question> {
    let bad = |cause: &str| Error::new(Kind::Garbage, format!("log in to {}", repository.host), cause);
    let realm = challenge.parameter("realm").and_then(|realm| Url::parse(realm).ok());
    let mut realm = realm.ok_or_else(|| bad("the registry's challenge names no token service"))?;
    let here = is_on_loopback(&realm);
    let may_ask = match realm.scheme() {
        "https" => !here || is_on_loopback(origin),
        "http" => here && is_on_loopback(origin) && origin.scheme() == "http",
        _ => false,
    };
    if !may_ask {
        let cause = "the registry's challenge names a token service that isn't reached by https";
        return Err(bad(cause));
    }
    let _ = (realm.set_username(""), realm.set_password(None));
    realm.set_fragment(None);
    let scope = challenge.parameter("scope").filter(|scope| !scope.is_empty()).map(str::to_owned);
    let all = || format!("repository:{}:{}", repository.path_there(), access.actions());
    Ok(Question {
        realm,
        service: challenge.parameter("service").map(str::to_owned),
        scope: scope.unwrap_or_else(all),
    })
}

fn held_back(origin: &Url, realm: &Url) -> String {
    let address = |url: &Url| crate::http::address(url).unwrap_or_default();
    let (registry, service) = (address(origin), address(realm));
    format!(
        "the token service {service} isn't known to belong to {registry}, so it didn't get the login; \
         if it does, allow it: `--token-host {registry}={service}`"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

    use super::*;

    fn asked(registry: &str, text: &str) -> std::result::Result<Question, String> {
        let repository: Repository = format!("{registry}/a/b").parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, text.parse().unwrap());
        let origin = repository.origin(&Default::default()).unwrap();
        question(&challenge::of(&headers)[0], &repository, Access::Push, &origin).map_err(|e| e.cause)
    }

    #[test]
    fn the_scope_of_the_challenge_is_asked_for_and_a_scope_of_our_own_without_one() {
        let with = asked(
            "r.example",
            r#"Bearer realm="https://t.example/x?y=z",service="s",scope="repository:a/b:pull,push repository:c:pull""#,
        );
        let with = with.unwrap();
        assert_eq!(with.scope, "repository:a/b:pull,push repository:c:pull");
        assert_eq!((with.realm.as_str(), with.service.as_deref()), ("https://t.example/x?y=z", Some("s")));
        let without = asked("r.example", r#"Bearer realm="https://u:p@t.example/x#f""#).unwrap();
        assert_eq!(without.scope, "repository:a/b:pull,push");
        assert_eq!(without.realm.as_str(), "https://t.example/x");
    }

    #[test]
    fn a_token_service_is_asked_over_tls_or_on_the_machine_of_both() {
        for (registry, realm, allowed) in [
            ("r.example", "https://r.example/token", true),
            ("r.example", "https://elsewhere.example/token", true),
            ("r.example", "http://r.example/token", false),
            ("r.example", "http://127.0.0.1:5/token", false),
            ("r.example", "https://127.0.0.1:5/token", false),
            ("127.0.0.1:5000", "http://127.0.0.1:5/token", true),
            ("127.0.0.1:5000", "http://r.example/token", false),
            ("https://127.0.0.1:5000", "http://127.0.0.1:5/token", false),
            ("r.example", "file:///etc/passwd", false),
            ("r.example", "token", false),
        ] {
            let question = asked(registry, &format!("Bearer realm=\"{realm}\""));
            assert_eq!(question.is_ok(), allowed, "{registry} {realm}: {question:?}");
        }
    }
}
