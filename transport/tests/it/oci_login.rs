//! Logins: what a challenge asks for is asked for, and nobody gets a secret that isn't for them.

use std::time::Duration;

use pdp_e2e::{Login as Wanted, Registry as Server};
use pdp_transport::oci::{MANIFEST_TYPE, OciOptions, Registry, Repository};
use pdp_transport::{Exceptions, HttpOptions, Kind, Login, LoginSource};

use crate::oci::push;

/// A client of its own: what others learned stays unknown to it.
fn client(server: &Server, exceptions: Exceptions, login: Option<Login>) -> (Registry, Repository) {
    let http = HttpOptions { connect_timeout: unique(), ..HttpOptions::new(Vec::new(), exceptions) };
    let registry = Registry::new(&OciOptions { http, login: LoginSource::given_or_nobody(login) }).unwrap();
    (registry, format!("{}/a/b", server.host()).parse().unwrap())
}

/// No two tests share a client.
fn unique() -> Duration {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    Duration::from_millis(10_000 + NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

fn url(server: &Server) -> url::Url {
    format!("http://{}/", server.host()).parse().unwrap()
}

fn token(user: &str, password: &str) -> Option<Wanted> {
    Some(Wanted::Token(user.into(), password.into()))
}

#[tokio::test]
async fn a_registry_with_scopes_is_published_to_and_asked_for_a_token_once_for_each() {
    let server = Server::start().unwrap();
    server.require(token("ci", "secret"));
    let (registry, repository) =
        client(&server, Exceptions::default(), Some(Login::password(&url(&server), "ci", "secret")));
    push(&registry, &repository, b"layer", None).await;
    push(&registry, &repository, b"another", None).await;
    let scopes = server.take_scopes();
    assert_eq!(scopes, ["repository:a/b:pull", "repository:a/b:pull,push"]);
    // What the service gave is for all clients with the same options and the same login.
    assert!(
        server.take_logins().iter().all(|login| login.starts_with("Basic ") || login.starts_with("Bearer "))
    );
}

#[tokio::test]
async fn a_token_that_ended_is_renewed() {
    let server = Server::start().unwrap();
    server.require(token("ci", "secret"));
    let (registry, repository) =
        client(&server, Exceptions::default(), Some(Login::password(&url(&server), "ci", "secret")));
    registry.push_blob(&repository, b"one").await.unwrap();
    assert_eq!(server.take_scopes().len(), 2);
    registry.push_blob(&repository, b"two").await.unwrap();
    assert_eq!(server.take_scopes().len(), 0, "kept while it lives");
    server.tokens_live_for(Duration::ZERO);
    let (registry, repository) =
        client(&server, Exceptions::default(), Some(Login::password(&url(&server), "ci", "secret")));
    assert_eq!(registry.push_blob(&repository, b"three").await.unwrap_err().kind, Kind::LoginNeeded);
    server.tokens_live_for(Duration::from_secs(60));
    registry.push_blob(&repository, b"three").await.unwrap();
}

#[tokio::test]
async fn many_at_once_log_in_once() {
    let server = Server::start().unwrap();
    server.require(token("ci", "secret"));
    let (registry, repository) =
        client(&server, Exceptions::default(), Some(Login::password(&url(&server), "ci", "secret")));
    let digests: Vec<_> = (0..8u8).map(|n| pdp_policies::Digest::of(&[n])).collect();
    let looks = digests.iter().map(|digest| registry.has_blob(&repository, digest));
    for look in futures_util::future::join_all(looks).await {
        assert!(!look.unwrap());
    }
    assert_eq!(server.take_scopes(), ["repository:a/b:pull"]);
}

#[tokio::test]
async fn an_identity_token_is_posted_to_the_token_service_and_nowhere_else() {
    let server = Server::start().unwrap();
    server.require(Some(Wanted::Identity("refresh".into())));
    let (registry, repository) =
        client(&server, Exceptions::default(), Some(Login::identity(&url(&server), "refresh")));
    push(&registry, &repository, b"layer", None).await;
    let logins = server.take_logins();
    assert!(
        logins.iter().all(|login| login.starts_with("Bearer ") && !login.contains("refresh")),
        "{logins:?}"
    );
}

#[tokio::test]
async fn a_token_service_on_another_address_gets_the_login_only_if_that_is_allowed() {
    let (server, service) = (Server::start().unwrap(), Server::start().unwrap());
    // 127.0.0.1 and localhost are two hosts.
    let realm = format!("http://{}/token", service.host().replace("127.0.0.1", "localhost"));
    server.require(Some(Wanted::TokenFrom(realm)));
    service.require(token("ci", "secret"));
    let login = || Some(Login::password(&url(&server), "ci", "secret"));
    let (registry, repository) = client(&server, Exceptions::default(), login());
    let error = registry.push_blob(&repository, b"x").await.unwrap_err();
    assert_eq!(error.kind, Kind::LoginNeeded);
    let flag = format!("--token-host {}={}", server.host(), service.host().replace("127.0.0.1", "localhost"));
    assert!(error.cause.contains(&flag), "{error}");
    assert_eq!((service.take_logins(), server.take_logins()), (vec![], vec![]), "nobody was told anything");

    let allowed = flag.trim_start_matches("--token-host ").to_owned();
    let (registry, repository) = client(&server, Exceptions::parse(&[], &[allowed]).unwrap(), login());
    // The service's tokens are no tokens of this registry; but it was asked with the login now.
    assert!(registry.push_blob(&repository, b"x").await.is_err());
    assert_eq!(service.take_logins().len(), 1);
}

#[tokio::test]
async fn a_token_service_that_redirects_gets_no_login_carried_on() {
    let (server, collector) = (Server::start().unwrap(), Server::start().unwrap());
    server.require(token("ci", "secret"));
    server.habits(|habits| habits.token_moved_to = Some(format!("http://{}/token", collector.host())));
    let (registry, repository) =
        client(&server, Exceptions::default(), Some(Login::password(&url(&server), "ci", "secret")));
    let error = registry.push_blob(&repository, b"x").await.unwrap_err();
    assert_eq!(error.kind, Kind::Garbage, "{error}");
    assert!(collector.take_logins().is_empty() && collector.take_exchanges().is_empty());
}

#[tokio::test]
async fn an_upload_elsewhere_gets_the_bytes_and_no_login() {
    for wanted in [Wanted::Basic("ci".into(), "secret".into()), Wanted::Token("ci".into(), "secret".into())] {
        let server = Server::start().unwrap();
        let uploads = server.beside().unwrap();
        server.require(Some(wanted));
        server.habits(|habits| {
            habits.uploads_at = Some(format!("http://{}", uploads.host()));
            habits.upload_state = true;
        });
        uploads.habits(|habits| habits.upload_state = true);
        let (registry, repository) =
            client(&server, Exceptions::default(), Some(Login::password(&url(&server), "ci", "secret")));
        push(&registry, &repository, b"layer", None).await;
        assert_eq!(uploads.take_logins(), Vec::<String>::new());
        assert!(uploads.take_exchanges().iter().any(|exchange| exchange.method == "PUT"));
        assert!(!server.take_logins().is_empty());
    }
}

#[tokio::test]
async fn an_upload_to_plain_http_elsewhere_is_refused() {
    let server = Server::start().unwrap();
    server.habits(|habits| habits.uploads_at = Some("http://registry.example".into()));
    let (registry, repository) = client(&server, Exceptions::default(), None);
    assert_eq!(registry.push_blob(&repository, b"x").await.unwrap_err().kind, Kind::Garbage);
}

#[tokio::test]
async fn a_manifest_is_pushed_with_the_wider_scope_after_pulling_with_the_narrow_one() {
    let server = Server::start().unwrap();
    server.require(token("ci", "secret"));
    let (registry, repository) =
        client(&server, Exceptions::default(), Some(Login::password(&url(&server), "ci", "secret")));
    assert_eq!(registry.resolve_tag(&repository, "v1").await.unwrap(), None);
    registry
        .push_manifest(&repository, None, MANIFEST_TYPE, &crate::oci::manifest(b"x", None))
        .await
        .unwrap_err();
    assert_eq!(server.take_scopes(), ["repository:a/b:pull", "repository:a/b:pull,push"]);
}
