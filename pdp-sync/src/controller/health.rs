//! What the kubelet and Prometheus ask: `/healthz`, `/readyz` on one address, `/metrics` on another.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use pdp_policies::{At, Span};
use pdp_transport::cli::clock;
use pdp_transport::cli::failure::{Failure, Result};
use tokio::net::TcpListener;

use super::metrics::{Metrics, Subscription};

/// A pass may be late by this before the process counts as stuck.
const GRACE: Span = Span::from_seconds(600);

/// Whether the controller does its work.
#[derive(Debug, Default)]
pub(crate) struct Health {
    synced: AtomicBool,
    due: Mutex<BTreeMap<Subscription, At>>,
}

impl Health {
    /// The watches have seen everything that there is.
    pub(crate) fn synced(&self) {
        self.synced.store(true, Ordering::Relaxed);
    }

    /// A pass over a subscription ended (or it was seen for the first time); the next is due after `next`.
    pub(crate) fn passed(&self, of: &Subscription, now: At, next: Span) {
        self.due
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(of.clone(), now.plus(next).plus(GRACE));
    }

    /// A subscription was deleted.
    pub(crate) fn forget(&self, of: &Subscription) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).remove(of);
    }

    /// Why the controller isn't ready, if it isn't.
    pub(crate) fn trouble(&self, now: At) -> Option<String> {
        if !self.synced.load(Ordering::Relaxed) {
            return Some(
                "the watches haven't seen everything yet; can the API server be reached?".to_owned(),
            );
        }
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let late = due.iter().find(|(_, due)| now > **due);
        late.map(|(of, due)| format!("no pass over {}/{} since it was due by {due}", of.namespace, of.name))
    }
}

/// Listens on `address`.
///
/// # Errors
/// `PortTaken`: something else listens there, or it isn't an address of this machine.
pub(crate) async fn listen(what: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new("PortTaken", format!("listen on {address} for {what}"))
            .cause(error)
            .hint("choose another address with --metrics-addr or --health-addr")
    })
}

/// Answers the kubelet until `stop`.
///
/// # Errors
/// `ServeFailed`
pub(crate) async fn serve_health(
    listener: TcpListener,
    health: Arc<Health>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let routes = Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready));
    serve(listener, routes.with_state(health), stop).await
}

/// Answers Prometheus until `stop`.
///
/// # Errors
/// `ServeFailed`
pub(crate) async fn serve_metrics(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    serve(listener, Router::new().route("/metrics", get(figures)).with_state(metrics), stop).await
}

async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let serving = axum::serve(listener, routes).with_graceful_shutdown(stop);
    serving.await.map_err(|error| Failure::new("ServeFailed", "serve").cause(error))
}

async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, String) {
    match health.trouble(clock::now()) {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")),
    }
}

async fn figures(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics.text())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv4Addr;

    use super::*;

    fn of(name: &str) -> Subscription {
        Subscription { name: name.to_owned(), namespace: "pdp".to_owned() }
    }

    #[test]
    fn ready_once_synced_and_as_long_as_passes_end() {
        let (health, minutes) = (Health::default(), |n: i64| At::from_unix(n * 60));
        assert!(health.trouble(minutes(0)).is_some());
        health.synced();
        assert_eq!(health.trouble(minutes(0)), None);
        health.passed(&of("a"), minutes(0), Span::from_seconds(300));
        assert_eq!(health.trouble(minutes(15)), None);
        assert!(health.trouble(minutes(16)).unwrap().contains("pdp/a"));
        health.passed(&of("a"), minutes(16), Span::from_seconds(300));
        assert_eq!(health.trouble(minutes(16)), None);
        health.forget(&of("a"));
        assert_eq!(health.trouble(minutes(900)), None);
    }

    async fn ask(address: SocketAddr, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn answers_the_kubelet_and_prometheus() {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (health, metrics) = (Arc::new(Health::default()), Arc::new(Metrics::new("1")));
        let (first, second) = (listen("health", any).await.unwrap(), listen("metrics", any).await.unwrap());
        let (one, two) = (first.local_addr().unwrap(), second.local_addr().unwrap());
        assert_eq!(listen("health", one).await.unwrap_err().code, "PortTaken");
        tokio::spawn(serve_health(first, health.clone(), std::future::pending()));
        tokio::spawn(serve_metrics(second, metrics, std::future::pending()));
        assert_eq!(ask(one, "/healthz").await, (200, "ok\n".to_owned()));
        assert_eq!(ask(one, "/readyz").await.0, 503);
        health.synced();
        assert_eq!(ask(one, "/readyz").await, (200, "ready\n".to_owned()));
        let (code, text) = ask(two, "/metrics").await;
        assert!(code == 200 && text.contains("pdp_sync_info"), "{text}");
        assert_eq!(ask(two, "/healthz").await.0, 404);
    }
}
